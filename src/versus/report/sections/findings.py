"""Findings about a data set: what may mislead its comparison, as `prepare` found it, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from versus.data.findings import Finding
from versus.evaluation.record import WEIGHTS
from versus.report.dataset_results import DatasetResults
from versus.report.section import Content, escaped

NAME, TITLE = "findings", "Found in the data"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the findings, and the codes of those that params.yaml mutes; None where there are neither."""
    found = dataset.findings
    if not found.shown and not found.muted:
        return None
    return {"findings": [_with_cells(finding, dataset) for finding in found.shown], "muted": found.muted}


def _with_cells(finding: Finding, dataset: DatasetResults) -> Finding:
    """Name the models that learned without the weights of the rows, which only their evaluations tell."""
    if finding.code != "weights":
        return finding
    without = [e.cell.model for e in dataset.evaluations if any(s["what"] == WEIGHTS for s in e.facts["skipped"])]
    told = f"learned without them: {', '.join(without)}" if without else "all models learned with them"
    return replace(finding, what=f"{finding.what}; {told}")


def markdown(content: Content) -> list[str]:
    """Return a line for each finding."""
    told = [f"- **{f.code}**, {escaped(f'{f.where}: {f.what}. {f.remedy}.')}" for f in content["findings"]]
    muted = [f"- muted: {', '.join(content['muted'])}"] if content["muted"] else []
    return [*told, *muted, ""]
