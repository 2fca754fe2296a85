"""First section: the conclusion for each data set, in plain words."""

from __future__ import annotations

from typing import Any

from versus.report.results import Results
from versus.report.section import Content, escaped

NAME, TITLE = "verdict", "Verdict"


def content(results: Results) -> dict[str, Any]:
    """Return the statement over all data sets, the verdicts, and the number of cells without an evaluation."""
    absent = len(results.missing) + len(results.failed)
    over_all = results.overall.sentence if results.overall else ""
    return {"overall": over_all, "verdicts": results.verdicts, "n_absent": absent, "n_cells": len(results.cells)}


def markdown(content: Content) -> list[str]:
    """Return a line for each data set, without costs, which differ from run to run."""
    lead = [escaped(content["overall"]), ""] if content["overall"] else []
    return [*lead, *(f"- **{escaped(v.dataset)}**, {v.words}. {escaped(v.scores)}" for v in content["verdicts"])]
