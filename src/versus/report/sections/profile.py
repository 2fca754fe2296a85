"""Profile of a data set: its size, form, classes and splits, as `prepare` found them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from versus.arrays import Events, Ragged
from versus.data.prepared import PARTS
from versus.data.spaces import Tokens
from versus.data.targets import Number, Tags
from versus.report import formatting
from versus.report.dataset_results import DatasetResults

NAME, TITLE = "profile", ""
MOST_CLASSES = 12


def content(dataset: DatasetResults) -> dict[str, Any]:
    """Return (name, value) of each known fact."""
    prepared, about = dataset.prepared, dataset.prepared.about
    tested = np.unique(np.concatenate(dataset.tested.by_repeat))
    which = "the same test rows each time" if dataset.tested.are_one_set else f"which test {len(tested)} different rows"
    many = f"{prepared.repeats} repeats, {which}" if prepared.repeats > 1 else "1 repeat"
    splits = ", ".join(f"{_count(prepared.sizes(part))} {part}" for part in PARTS)
    facts = [
        ("description", about.get("description")),
        ("form", prepared.schema.x.describe()),
        ("task", _task(dataset)),
        ("rows", f"{formatting.count(len(prepared.X))} in all"),
        ("split", f"{splits}; {many}{_rule(about)}"),
        ("no test rows of", _absent(dataset)),
        ("missing values", _missing_values(prepared.X)),
        ("unknown tokens", _unknown_tokens(dataset)),
        ("unseen tags", _unseen_tags(dataset)),
        *(("warning", warning) for warning in about.get("warnings", ())),
        *((key, about.get(key)) for key in ("citation", "licence")),
        *(("file", source(file)) for file in about.get("files") or ()),
    ]
    return {"facts": [(name, str(value)) for name, value in facts if value]}


def _count(sizes: Sequence[int]) -> str:
    ends = dict.fromkeys(formatting.count(n) for n in (min(sizes), max(sizes)))
    return " to ".join(ends)


def _rule(about: Mapping[str, Any]) -> str:
    """Column by which the rows were split, where there is one."""
    source = about.get("source", {})
    given = source.get("content", source) if isinstance(source, Mapping) else {}
    if "group" in given:
        return f"; each group of {given['group']!r} is in one part"
    return f"; in the order of {given['time']!r}, and each test later than its training" if "time" in given else ""


def _task(dataset: DatasetResults) -> str:
    schema, y = dataset.prepared.schema, dataset.prepared.y
    if isinstance(schema.y, Number):
        return f"regression of {schema.target}, mean {y.mean():.4g}, standard deviation {y.std():.4g}"
    of = {"tags": "tags of tokens" if isinstance(schema.x, Tokens) else "tags of steps"}
    counted = [_counted(of.get(kind, kind), counts) for kind, counts in schema.y.summary(y).items()]
    return "; ".join(counted) or "none: only densities can be compared"


def _counted(kind: str, counts: Mapping[str, int]) -> str:
    named = [f"{name} ({formatting.count(n)})" for name, n in counts.items()]
    more = f" and {len(named) - MOST_CLASSES} more" if len(named) > MOST_CLASSES else ""
    return f"{len(named)} {kind}: {', '.join(named[:MOST_CLASSES])}{more}"


def _absent(dataset: DatasetResults) -> str:
    """Classes or tags that are missing from the test set of some repeat."""
    prepared, classes = dataset.prepared, dataset.prepared.schema.classes
    tested = (_codes(prepared.take(repeat, "test")[1]) for repeat in range(prepared.repeats)) if classes else ()
    fewest = np.min([np.bincount(y, minlength=len(classes)) for y in tested], axis=0) if classes else ()
    return ", ".join(name for name, n in zip(classes, fewest, strict=True) if n == 0)


def _codes(y: Events) -> Any:
    """Class codes (N,), or the tags of all tokens."""
    return y.values if isinstance(y, Ragged) else y


def _missing_values(X: Events) -> str:
    if isinstance(X, Ragged) or not np.issubdtype(X.dtype, np.floating):
        return ""
    missing = int(np.isnan(X).sum())
    return f"{formatting.count(missing)} ({formatting.percent(missing / X.size)})" if missing else ""


def _unknown_tokens(dataset: DatasetResults) -> str:
    """Test tokens that no row learned from has, of all repeats."""
    prepared = dataset.prepared
    if not isinstance(prepared.schema.x, Tokens):
        return ""
    return (
        f"{_added([prepared.unknown_tokens(r) for r in range(prepared.repeats)])} in test rows are in no training row"
    )


def _unseen_tags(dataset: DatasetResults) -> str:
    """Test tokens or steps with a tag that no row learned from has, of all repeats; empty where there are none."""
    prepared = dataset.prepared
    if not isinstance(prepared.schema.y, Tags):
        return ""
    counts = []
    for repeat in range(prepared.repeats):
        tested, learned = (prepared.take(repeat, *of)[1].values for of in (("test",), ("train", "validation")))
        counts.append((int((~np.isin(tested, learned)).sum()), len(tested)))
    unseen = any(n for n, _ in counts)
    return f"{_added(counts)} in test rows have a tag that is in no training row" if unseen else ""


def _added(counts: Sequence[tuple[int, int]]) -> str:
    """Add up those counted and all, of each repeat, and say both with their share."""
    found, total = (int(n) for n in np.sum(counts, axis=0))
    share = f" ({formatting.percent(found / total)})" if total else ""
    return f"{formatting.count(found)} of {formatting.count(total)}{share}"


def source(file: Mapping[str, Any]) -> str:
    """Describe a file that the data were read from, with the hash of its content."""
    address = f" from {file['url']}" if "url" in file else ""
    return f"{file['path']}{address}: {formatting.count(file['bytes'])} bytes, SHA-256 {file['sha256']}"
