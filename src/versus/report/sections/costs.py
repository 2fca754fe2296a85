"""What fitting and using each model takes. Times and memory differ from run to run; scores do not."""

from __future__ import annotations

from typing import Any

from versus.report import costs, formatting
from versus.report.entries import Entry, measured_entry, memory_entry
from versus.report.evaluation import Evaluation
from versus.report.markdown import escaped, table
from versus.report.results import Results
from versus.report.section import Content

NAME, TITLE = "costs", "Costs"
IN_MARKDOWN = ("training, s", "inference, ms", "memory, MB")
COLUMNS = (*IN_MARKDOWN, "256 rows, ms", "rows/s", "samples/s", "parameters", "disk, MB")


def content(results: Results) -> dict[str, Any] | None:
    """A row for each evaluated cell; None where nothing was measured."""
    rows = [(e.cell, _entries(e)) for d in results.datasets for e in d.evaluations if e.training or e.usage]
    return {"columns": COLUMNS, "rows": rows, "verdicts": results.verdicts} if rows else None


def _entries(evaluation: Evaluation) -> list[Entry]:
    return [
        measured_entry(costs.training_seconds(evaluation)),
        measured_entry(costs.latency(evaluation)),
        memory_entry(evaluation),
        measured_entry(costs.latency(evaluation, 256)),
        *(_single(costs.usage(evaluation, name)) for name in ("throughput_per_s", "samples_per_s", "parameters")),
        _single(costs.usage(evaluation, "bytes_on_disk"), 1e6),
    ]


def _single(value: float | None, unit: float = 1.0) -> Entry:
    return Entry(formatting.NONE) if value is None else Entry(formatting.two_digits(value / unit), key=value)


def markdown(content: Content) -> list[str]:
    """What is said of costs in words, and the costs that the table of all models has on the page."""
    said = [f"- **{escaped(v.dataset)}**: {escaped(v.costs)}" for v in content["verdicts"] if v.costs]
    rows = (
        [escaped(cell.dataset), escaped(cell.model), *(entry.plain for entry in entries[: len(IN_MARKDOWN)])]
        for cell, entries in content["rows"]
    )
    header = ["data set", "model", *IN_MARKDOWN]
    return ["Times and memory differ from run to run; scores do not.", "", *said, "", *table(header, rows)]
