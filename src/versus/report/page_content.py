"""What the report says, gathered once for the page, the Markdown and the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from versus.report import gaps, headline, metric_labels, provenance_section
from versus.report.cells import Cell, Judging
from versus.report.dataset import Dataset
from versus.report.dataset_section import Section, section
from versus.report.differences import Contrast, contrasts
from versus.report.figures.critical_difference import critical_difference_diagram
from versus.report.figures.figure import Figure
from versus.report.figures.forest import forest
from versus.report.ranking import Ranking, ranking
from versus.report.verdict import Verdict, verdicts
from versus.workspace import Workspace

SECTIONS = (
    ("verdict", "Verdict"),
    ("table", "All models"),
    ("differences", "Differences"),
    ("trade-off", "Score against cost"),
    ("ranks", "Ranks"),
    ("datasets", "Data sets"),
    ("gaps", "Skipped or failed"),
    ("provenance", "Provenance"),
)


@dataclass(frozen=True)
class Content:
    """The whole report; the templates read these fields."""

    sections: Sequence[tuple[str, str]]
    confidence: float
    rope: float
    rope_unit: str
    n_cells: int
    kinds: list[str]
    verdicts: list[Verdict]
    tables: list[headline.Table]
    contrasts: list[Contrast]
    forests: list[Figure]
    ranking: Ranking | None
    rank_figure: Figure | None
    datasets: list[Section]
    missing: list[Cell]
    skips: list[gaps.Skip]
    provenance: Mapping[str, Any]
    runs: list[provenance_section.CellRun]


def gather(
    workspace: Workspace,
    datasets: Sequence[Dataset],
    cells: Sequence[Cell],
    provenance: Mapping[str, Any],
    options: Judging,
) -> Content:
    """Work out everything that the report shows.

    Args:
        workspace: where the prepared data are.
        datasets: the data sets with evaluations.
        cells: every cell of the params.
        provenance: where the results come from; its entry "runs", cell -> what finds its MLflow run, stands in a
            table of its own.
        options: how to judge.
    """
    found = contrasts(datasets)
    ranked = ranking(datasets, options.confidence)
    return Content(
        sections=SECTIONS,
        confidence=options.confidence,
        rope=options.rope,
        rope_unit=_rope_unit(datasets),
        n_cells=len(cells),
        kinds=list(dict.fromkeys(cell.kind for cell in cells)),
        verdicts=verdicts(datasets, found),
        tables=headline.tables(datasets),
        contrasts=found,
        forests=list(_forests(found)),
        ranking=ranked,
        rank_figure=critical_difference_diagram(ranked) if ranked is not None else None,
        datasets=[section(dataset) for dataset in datasets],
        missing=gaps.missing_cells(cells),
        skips=gaps.skips(datasets),
        provenance=provenance_section.provenance_of(
            provenance, datasets, {d.name: workspace.prepared(d.name) for d in datasets}
        ),
        runs=provenance_section.cell_runs(datasets, provenance.get("runs") or {}),
    )


def _forests(found: Sequence[Contrast]) -> Iterator[Figure]:
    """A picture for each deciding score: scores in different units share no axis."""
    for metric in dict.fromkeys(c.dataset.primary for c in found):
        figure = forest([c for c in found if c.dataset.primary == metric])
        if figure is not None:
            yield figure


def _rope_unit(datasets: Sequence[Dataset]) -> str:
    """What the region of practical equality is measured in, for each task that there is."""
    metrics = dict.fromkeys(d.primary for d in datasets)
    units = (
        f"{metric_labels.label(m)} in standard deviations of the target"
        if m in ("root_mean_squared_error", "mean_absolute_error")
        else metric_labels.label(m)
        for m in metrics
    )
    return "; ".join(units)
