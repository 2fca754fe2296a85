"""Findings about a data set: what may mislead its comparison, found once, by ``prepare`` (`versus.data.checks`).

No finding stops a run: `add`, the report and MLflow show them, and ``mute: [code]`` under the data set hides those that
are known and accepted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from versus.data.errors import listed

NAME = "findings.json"

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
    "equal-columns": "columns have the same value in every row",
    "placeholder": "a number such as -999, far from all others, stands where none may be known",
    "time-stamp": "numbers look like the seconds since 1970, or thousandths of them, and are read as a quantity",
    "summary-row": "the last row holds the sums of the rows above it",
    "constant-in-class": "a column of numbers has one value in all rows of a class, and others elsewhere",
    "weights": "rows have weights, so that they are worth as much as fewer rows that count alike",
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


@dataclass(frozen=True)
class Findings:
    """Findings to be shown, and the codes of those that are muted."""

    shown: tuple[Finding, ...] = ()
    muted: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Describe the findings, in lines for a terminal."""
        hidden = [f"muted: {', '.join(self.muted)}"] if self.muted else []
        return [*map(str, self.shown), *hidden]


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
