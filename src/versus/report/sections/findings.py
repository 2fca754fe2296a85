"""Findings about a data set: what may mislead its comparison, as `prepare` found it, and what to do about it."""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.section import Content, escaped

NAME, TITLE = "findings", "Found in the data"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return the findings, and the codes of those that params.yaml mutes; None where there are neither."""
    found = dataset.findings
    return {"findings": found.shown, "muted": found.muted} if found.shown or found.muted else None


def markdown(content: Content) -> list[str]:
    """Return a line for each finding."""
    told = [f"- **{f.code}**, {escaped(f'{f.where}: {f.what}. {f.remedy}.')}" for f in content["findings"]]
    muted = [f"- muted: {', '.join(content['muted'])}"] if content["muted"] else []
    return [*told, *muted, ""]
