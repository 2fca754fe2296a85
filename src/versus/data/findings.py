"""Findings about a data set: what may mislead its comparison, checked once, by ``prepare``.

A check is a function of the prepared data that yields a `Finding` for each fault. No finding stops a run: `add`, the
report and MLflow show them, and ``mute: [code]`` under the data set hides those that are known and accepted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.errors import listed
from versus.data.prepared import Prepared
from versus.data.spaces import Table
from versus.data.targets import Classes
from versus.data.units import equal_rows, repeats_by_nature

NAME = "findings.json"
_SHARE_OF_ROWS = 0.5  # more categories than this share of the rows look like names of the rows
_FEW_MEMBERS = 5  # with fewer members than this, equal numbers in a class are nothing unusual
_FEW_ROWS = 20  # with fewer rows than this, a column of different values is nothing unusual

# A column is suspected if it determines this share of the target (`determination`). The width of an iris' petals
# reaches 0.9, a copy of two classes with one error in a hundred rows 0.96; one that has as few values as the target has
# classes is a copy of it rather than a good sign of it.
NEARLY_ALL, NEARLY_A_COPY, NEARLY_ALL_OF_A_NUMBER = 0.95, 0.85, 0.999
MOST_ROWS = 20_000  # that `determination` is estimated from
FEWEST_ROWS = 30  # below which a column among many determines the target by chance

# Code -> what it stands for. Every check names its findings by one of these.
CODES = {
    "leak-target": "a column alone determines the target, or nearly",
    "leak-test-rows": "rows of the official test set are equal to rows that models learn from",
    "leak-groups": "groups of the official test set are among those that models learn from",
    "leak-duplicates": "rows of a test part drawn here are equal to rows that models learn from, as `time` splits them",
    "duplicates": "rows repeat other rows; they are kept in one part, and so are no leak",
    "duplicates-disagree": "rows are equal in every column and differ in the target",
    "identifier": "a column names the rows: each has a value of its own",
    "constant": "a column has one value in all rows",
    "constant-in-class": "a column of numbers has one value in all rows of a class, and others elsewhere",
    "beyond-range": "a column has numbers that single precision cannot hold",
    "imbalance": "a class is so rare that a model which never answers it is nearly always right",
}


@dataclass(frozen=True)
class Finding:
    """Fault that was found in a data set.

    Args:
        code: one of `CODES`, by which it can be muted.
        where: the column or the rows that it concerns.
        what: what was found, with numbers.
        why: why it matters.
        remedy: what to do about it.
    """

    code: str
    where: str
    what: str
    why: str
    remedy: str

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown code {self.code!r}; CODES has {', '.join(CODES)}")

    def __str__(self) -> str:
        return f"{self.code}: {self.where}: {self.what}. {self.why}. To do: {self.remedy}"


def _copies(data: Prepared) -> Iterator[Finding]:
    """Find equal rows: how many, in which parts, with which targets; and groups that an official test set shares."""
    if data.units is None:
        return
    rows = equal_rows(data.X)
    n, different = len(rows), int(rows.max()) + 1
    shared = _shared(data, rows)
    kept = "; equal rows are kept in one part" if not shared else ""
    if different < n and not repeats_by_nature(data.X, rows):
        yield Finding(
            "duplicates",
            "rows",
            f"{n - different} of {n} repeat another row{kept}",
            "Copies are no evidence of their own, and in training and test data at once they would be a leak",
            "keep one of each, if they are copies by mistake",
        )
        if shared:
            official = bool(data.about.get("official_test"))
            yield Finding(
                "leak-test-rows" if official else "leak-duplicates",
                "test rows",
                f"{shared} of {data.sizes('test')[0]} are equal to a row that models learn from",
                "A model that remembers rows is scored as if it understood them",
                "take them out of the test file" if official else "keep one of each set of equal rows",
            )
        first = np.unique(rows, return_index=True)[1]
        if isinstance(data.y, np.ndarray) and (differ := data.y != data.y[first][rows]).any():
            yield Finding(
                "duplicates-disagree",
                f"target {data.schema.target!r}",
                f"differs within {len(np.unique(rows[differ]))} sets of equal rows",
                "No model can be right on all of them",
                "look for a column that is missing, or for wrong targets",
            )
    if _shared(data, data.units) > shared:
        yield Finding(
            "leak-groups",
            "test rows",
            f"{_shared(data, data.units)} of {data.sizes('test')[0]} are of groups that models learn from",
            "Rows of one group resemble each other, so the scores are too good for new groups",
            "give a test file of other groups, or none: then the groups are split",
        )


def _shared(data: Prepared, units: NDArray[np.int64]) -> int:
    """Count the test rows, at most in one repeat, that share a unit with a row to learn from."""
    parts = ((data.rows(r, "test"), data.rows(r, "train", "validation")) for r in range(data.repeats))
    return max(int(np.isin(units[test], units[train]).sum()) for test, train in parts)


def _determined(data: Prepared) -> Iterator[Finding]:
    """Find columns that alone determine the target, or nearly."""
    y, K = data.y, data.schema.n_classes
    if not isinstance(data.schema.x, Table) or not isinstance(y, np.ndarray) or len(y) < FEWEST_ROWS:
        return
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(y))[:MOST_ROWS])
    y, chance = y[rows], rng.random(len(rows))
    for d, column in enumerate(data.schema.x.columns):
        values = np.asarray(data.X[rows, d])
        missing = np.isnan(values)
        for what, given in (("", values), ("a missing value of ", missing.astype(float))):
            if what and not 0 < missing.sum() < len(missing):
                continue
            near = NEARLY_A_COPY if K and len(np.unique(given)) <= K else NEARLY_ALL
            if (share := determination(given, y, K, chance)) >= (near if K else NEARLY_ALL_OF_A_NUMBER):
                yield Finding(
                    "leak-target",
                    f"column {column.name!r}",
                    f"{what}it alone determines {100 * min(share, 1):.4g} % of the target {data.schema.target!r}",
                    "A column that is known only with the target, or made from it, makes every score worthless",
                    f"if it is not known before the target, leave it out with `drop: [{column.name}]`; else mute this",
                )
                break


def determination(x: NDArray[Any], y: NDArray[Any], n_classes: int, chance: NDArray[Any]) -> float:
    """Estimate the share of the spread of y that x alone determines, by any function: 1 where y follows from x.

    Rows that are neighbours in the order of x are compared in y, which takes no model: 1 minus the mean difference of
    neighbours over that of any two rows. For classes a difference is 0 or 1, and the K - 1 that every order has are
    free (Goodman and Kruskal's tau, 1954); for numbers it is the squared difference of ranks (von Neumann's ratio,
    1941; compare Chatterjee, "A new coefficient of correlation", JASA 116, 2021).

    Args:
        x: (N,) column, NaN where missing, which is a value like others.
        y: (N,) class codes, or numbers.
        n_classes: K, or 0 for numbers.
        chance: (N,) random numbers: the order of rows with equal x, for that of the file may be that of y.
    """
    ordered = y[np.lexsort((chance, x))]
    if n_classes:
        changes = max(int((np.diff(ordered) != 0).sum()) - (n_classes - 1), 0)
        spread = 1 - ((np.bincount(y) / len(y)) ** 2).sum()
        return float(1 - changes / (len(y) - 1) / spread) if spread else 0.0
    ranks = np.unique(ordered, return_inverse=True)[1]
    spread = 2 * float(ranks.var())
    return float(1 - (np.diff(ranks) ** 2).mean() / spread) if spread else 0.0


def _columns(data: Prepared) -> Iterator[Finding]:
    """Find columns without information: constant ones, and names of the rows."""
    if not isinstance(data.schema.x, Table):
        return
    for column, values in zip(data.schema.x.columns, data.X.T, strict=True):
        known = values[~np.isnan(values)]
        if (known == known[:1]).all() and len(known) == len(values):
            value = column.categories[int(known[0])] if column.categories else f"{known[0]:g}"
            yield Finding(
                "constant",
                f"column {column.name!r}",
                f"is {value!r} in all rows",
                "Nothing can be learnt from it",
                f"leave it out with `drop: [{column.name}]`",
            )
        elif _names_rows(known, column.categories):
            yield Finding(
                "identifier",
                f"column {column.name!r}",
                f"has {len(np.unique(known))} different values in {len(known)} rows",
                "A name of a row says nothing of new rows, but a model can learn it by heart",
                f"leave it out with `drop: [{column.name}]`",
            )


def _names_rows(known: NDArray[Any], categories: Sequence[str] | None) -> bool:
    """Check for categories of seldom more than one row, or for whole numbers that count the rows in any order."""
    n = len(known)
    if categories is not None:
        return len(categories) > max(_FEW_ROWS, _SHARE_OF_ROWS * n)
    if n <= _FEW_ROWS or (known[:_FEW_ROWS] % 1 != 0).any() or np.ptp(known) >= 2 * n:
        return False
    return bool((known % 1 == 0).all()) and len(np.unique(known)) == n


def _numbers(data: Prepared) -> Iterator[Finding]:
    """Find columns of numbers with a value of no width in a class, or with values that are too large."""
    if not isinstance(data.schema.x, Table):
        return
    numeric = [d for d, column in enumerate(data.schema.x.columns) if column.categories is None]
    X = np.asarray(data.X)[:, numeric]
    names = [data.schema.x.columns[d].name for d in numeric]
    with np.errstate(invalid="ignore"):
        wide = np.fmax.reduce(X, axis=0) > np.fmin.reduce(X, axis=0)
        large = np.fmax.reduce(np.abs(X), axis=0) > np.finfo(np.float32).max
    narrow: dict[str, list[str]] = {}
    for k, label in enumerate(data.schema.classes if isinstance(data.schema.y, Classes) else ()):
        members = X[data.y == k]
        if len(members) >= _FEW_MEMBERS:
            one_value = np.fmax.reduce(members, axis=0) == np.fmin.reduce(members, axis=0)
            for d in np.flatnonzero(one_value & wide):
                narrow.setdefault(names[d], []).append(label)
    for name, labels in narrow.items():
        yield Finding(
            "constant-in-class",
            f"column {name!r}",
            f"has one value in all rows of the class {listed(labels, 5)}",
            "A density of such numbers is as high as its narrowest width allows, and says little of new rows",
            f"if its values are codes, say `categorical: [{name}]`",
        )
    for d in np.flatnonzero(large):
        yield Finding(
            "beyond-range",
            f"column {names[d]!r}",
            f"has numbers up to {np.nanmax(np.abs(X[:, d])):.3g}",
            "Trees and networks read numbers in single precision, which ends at 3.4e38",
            "give it in another unit, or its logarithm",
        )


def _imbalance(data: Prepared) -> Iterator[Finding]:
    if isinstance(data.schema.y, Classes) and (rare := data.schema.y.rare(data.y)) is not None:
        counts = np.bincount(data.y, minlength=data.schema.n_classes)
        usual = int(counts.argmax())
        yield Finding(
            "imbalance",
            f"class {data.schema.classes[rare]!r}",
            f"has {counts[rare]} of {len(data.y)} rows; always to answer {data.schema.classes[usual]!r} is right in "
            f"{counts[usual] / len(data.y):.1%}",
            "Accuracy hardly tells a model that finds the class from one that never does",
            f"compare by another score, `comparison: {{primary: {{{data.about['name']}: balanced_accuracy_score}}}}`; "
            "models can weigh the classes alike (`class_weight: balanced`, or `prior: uniform` of generative ones)",
        )


Check = Callable[[Prepared], Iterable[Finding]]
CHECKS: tuple[Check, ...] = (_determined, _copies, _columns, _numbers, _imbalance)


@dataclass(frozen=True)
class Findings:
    """Findings to be shown, and the codes of those that are muted."""

    shown: tuple[Finding, ...] = ()
    muted: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Describe the findings, in lines for a terminal."""
        hidden = [f"muted: {', '.join(self.muted)}"] if self.muted else []
        return [*map(str, self.shown), *hidden]


def examine(data: Prepared, mute: Sequence[str] = ()) -> Findings:
    """Run all checks; findings with a code in ``mute`` are not shown."""
    found = [finding for check in CHECKS for finding in check(data)]
    hidden = dict.fromkeys(finding.code for finding in found if finding.code in mute)
    return Findings(tuple(finding for finding in found if finding.code not in mute), tuple(hidden))


def write(folder: Path, findings: Findings) -> None:
    """Write the findings beside a prepared data set.

    They are not in its list of contents, on which fits depend: a finding in other words, or muted, reruns no fit.
    """
    text = json.dumps(asdict(findings), indent=1, ensure_ascii=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> Findings:
    """Read the findings of a prepared data set; none where the file is missing."""
    if not (folder / NAME).is_file():
        return Findings()
    found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    return Findings(tuple(Finding(**finding) for finding in found["shown"]), tuple(found["muted"]))


def known(codes: list[str]) -> list[str]:
    """Return codes if all of them exist.

    Raises:
        ValueError: if one does not; the message lists those that do.
    """
    unknown = [code for code in codes if code not in CODES]
    if unknown:
        raise ValueError(f"no finding has the code {unknown[0]!r}; there are {listed(CODES, len(CODES))}")
    return codes
