"""What cells gain by rows without labels, by drawn rows, and by knowing that the classes have shifted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.figures.size_curves import size_curves
from versus.report.results import Results
from versus.report.section import Content, escaped, table

NAME, TITLE = "additions", "What unlabelled rows, drawn rows and known shifts add"
WHAT = {
    "few_labels": ("labelled rows", "the other rows to learn from, without their labels"),
    "augmentation": ("real rows", "rows that a generative model drew, which was fitted on the same real ones"),
    "label_shift": ("rows", "the new frequencies of the test rows' classes: by Bayes' rule, and fitted again"),
}


def content(results: Results) -> dict[str, Any] | None:
    """Return scores and gains of each experiment that adds rows; None without one."""
    cells = {cell.name: cell for cell in results.cells}
    shown = [
        {
            "name": name,
            "about": f"{found['dataset']}: {WHAT[found['kind']][0]} alone, and with {WHAT[found['kind']][1]}",
            "words": words(found),
            "scores": scores(found),
            "gains": gains(found),
            "pictures": list(size_curves(name, found, cells, partial(_told, found))) if found["sizes"][1:] else [],
            "skipped": [f"{entrant} at {size} rows: {why}" for entrant, size, why in found["skipped"]],
        }
        for name, found in results.experiments.items()
        if found["kind"] in WHAT
    ]
    return {"experiments": shown, "figures": [figure for e in shown for figure in e["pictures"][:1]]} if shown else None


def _told(found: Mapping[str, Any], score: str) -> str:
    return " ".join(words(found)) if score == found["curves"][0]["score"] else ""


def scores(found: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of the first score: sizes, then a row for each entrant; baselines of gains come first."""
    first = found["curves"][0]["score"]
    header = [metric_table.label(first), *(f"{size} {WHAT[found['kind']][0]}" for size in found["sizes"])]
    rows = [
        [_model(curve["cell"]), *map(_estimate, curve["value"], curve["low"], curve["high"])]
        for curve in found["curves"]
        if curve["score"] == first
    ]
    return [header, *rows]


def gains(found: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of gains by the first score, turned so that more is better."""
    first = found["curves"][0]["score"]
    header = [f"gain of {metric_table.label(first)}", *map(str, found["sizes"])]
    rows = []
    for gain in (gain for gain in found["gains"] if gain["score"] == first):
        ends = gain["difference"]
        against = "" if "+" not in gain["without"] else f" against {_model(gain['without'])}"
        rows.append([f"{_model(gain['with'])}{against}", *map(_gain, ends["value"], ends["low"], ends["high"])])
    return [header, *rows]


def words(found: Mapping[str, Any]) -> list[str]:
    """Say for each gain by the first score at which sizes it is clearly one, or a loss."""
    first, told = found["curves"][0]["score"], []
    for gain in (gain for gain in found["gains"] if gain["score"] == first):
        ends = zip(found["sizes"], gain["difference"]["low"], gain["difference"]["high"], strict=True)
        known = [(size, low, high) for size, low, high in ends if low is not None and high is not None]
        better = [str(size) for size, low, _ in known if low > 0]
        worse = [str(size) for size, _, high in known if high < 0]
        parts = [f"better with {_listed(better)} rows"] if better else []
        parts += [f"worse with {_listed(worse)} rows"] if worse else []
        against = "" if "+" not in gain["without"] else f" against {_model(gain['without'])}"
        told.append(f"{_model(gain['with'])}{against}: {' and '.join(parts) or 'no clear difference at any size'}.")
    return told


def _listed(sizes: list[str]) -> str:
    return " and ".join(", ".join(part) for part in (sizes[:-1], sizes[-1:]) if part)


def _model(entrant: str) -> str:
    return entrant.split("-", 1)[1].replace("+", " + ")


def _estimate(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return formatting.NONE
    span = "" if low is None or high is None else f" ({formatting.span(low, high)})"
    return f"{formatting.score(value)}{span}"


def _gain(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return formatting.NONE
    return f"{formatting.signed(value)} ({formatting.signed(low)} to {formatting.signed(high)})"


def markdown(content: Content) -> list[str]:
    """Return the sentences and tables of each experiment."""
    blocks = []
    for experiment in content["experiments"]:
        blocks += [f"### {escaped(experiment['name'])}", "", f"{escaped(experiment['about'])}.", ""]
        blocks += [f"- {escaped(sentence)}" for sentence in experiment["words"]] + [""]
        for header, *rows in (experiment["scores"], experiment["gains"]):
            blocks += table([escaped(h) for h in header], ([escaped(cell) for cell in row] for row in rows))
    return blocks
