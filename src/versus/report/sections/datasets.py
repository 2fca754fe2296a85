"""Data set by data set: the sections of each, in the order of the page.

Each part about one data set is itself a section, with `DatasetResults` as its subject: a module here, a template of the
same name, and an entry below.
"""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.results import Results
from versus.report.section import Content, Section, escaped, shown
from versus.report.sections import (
    codes,
    confusion,
    curves,
    findings,
    importance,
    learned,
    ledger,
    likelihoods,
    profile,
    progression,
    regions,
    samples,
    scores,
    slices,
    trade_off,
)

NAME, TITLE = "datasets", "Data set by data set"
OF_ONE: tuple[Section[DatasetResults], ...] = (
    profile,
    findings,
    scores,
    slices,
    trade_off,
    regions,
    confusion,
    importance,
    likelihoods,
    ledger,
    samples,
    progression,
    codes,
    learned,
    curves,
)


def content(results: Results) -> dict[str, Any]:
    """Return (verdict, sections) of each data set."""
    both = zip(results.datasets, results.verdicts, strict=True)
    return {"datasets": [(verdict, shown(OF_ONE, dataset)) for dataset, verdict in both]}


def markdown(content: Content) -> list[str]:
    """Return the blocks of the sections of each data set."""
    return [
        block
        for verdict, sections in content["datasets"]
        for section in sections
        if section.markdown
        for block in (f"### {escaped(verdict.dataset)}: {section.title.lower()}", "", *section.markdown)
    ]
