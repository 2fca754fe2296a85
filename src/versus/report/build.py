"""Write the report of a workspace."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from versus.report import comparison_table, markdown, page, plot_files, results
from versus.report.figures.figure import standalone
from versus.report.section import Shown, shown
from versus.report.sections import SECTIONS
from versus.settings import Cell, Comparison
from versus.workspace import Workspace


def build(
    workspace: Workspace,
    cells: Iterable[Cell],
    provenance: Mapping[str, Any] | None = None,
    comparison: Comparison | None = None,
) -> None:
    """Write ``reports/``: report.html, report.md, comparison.csv, costs.csv, metrics.json, figures/ and plots/.

    Args:
        workspace: where the evaluations are.
        cells: every cell of the params. Other files in ``reports/evaluations`` are not read; a cell without an
            evaluation is listed with the reason.
        provenance: origin of the results, nested mappings, sequences and scalars; shown unchanged. The entry "runs"
            maps cells to the queries for their MLflow runs.
        comparison: the rules of judgement.

    Raises:
        ValueError: if an evaluation's file is damaged.
    """
    found = results.read(workspace, cells, provenance, comparison)
    sections = shown(SECTIONS, found)
    reports = workspace.reports
    reports.mkdir(parents=True, exist_ok=True)
    comparison_table.write_scores(reports / "comparison.csv", found.datasets)
    comparison_table.write_costs(reports / "costs.csv", found.datasets)
    comparison_table.write_metrics(reports / "metrics.json", found.datasets)
    plot_files.write_plot_files(reports / "plots", found.datasets)
    _write_pictures(reports / "figures", sections)
    (reports / "report.md").write_text(markdown.render(sections), encoding="utf-8")
    (reports / "report.html").write_text(page.render(found, sections), encoding="utf-8")


def best_cells(workspace: Workspace, cells: Iterable[Cell], comparison: Comparison | None = None) -> dict[str, str]:
    """Return data set -> its best cell, where all its cells are evaluated (`Results.best_cells`).

    Raises:
        ValueError: if an evaluation's file is damaged.
    """
    return results.read(workspace, cells, {}, comparison).best_cells()


def _write_pictures(folder: Path, sections: Iterable[Shown]) -> None:
    """Write the pictures that report.md shows, which depend on scores only."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for section in sections:
        for name, figure in section.pictures.items():
            (folder / name).write_text(standalone(figure), encoding="utf-8")
