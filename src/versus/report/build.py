"""Write the report of a workspace."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from versus.data import prepared
from versus.report import comparison_table, markdown, page, page_content, plot_files, reading
from versus.report.cells import Cell, Configured, Judging, Options
from versus.report.dataset import Dataset
from versus.workspace import Workspace


def build(
    workspace: Workspace, cells: Iterable[Configured], provenance: Mapping[str, Any], options: Judging | None = None
) -> None:
    """Write ``reports/``: report.html, report.md, comparison.csv, costs.csv, metrics.json, figures/ and plots/.

    Args:
        workspace: where the evaluations are.
        cells: every cell of the params. What is in ``reports/evaluations`` beside them is not read, and a cell
            without an evaluation is named with its reason.
        provenance: where the results come from, nested mappings, sequences and scalars; shown as they are. The entry
            "runs" maps cells to what finds their MLflow runs.
        options: how to judge.

    Raises:
        ValueError: if an evaluation's file is damaged.
    """
    options = options or Options()
    known = _cells(workspace, cells)
    datasets = _datasets(workspace, known, options)
    content = page_content.gather(workspace, datasets, known, provenance, options)
    reports = workspace.reports
    reports.mkdir(parents=True, exist_ok=True)
    comparison_table.write_scores(reports / "comparison.csv", datasets)
    comparison_table.write_costs(reports / "costs.csv", datasets)
    comparison_table.write_metrics(reports / "metrics.json", datasets)
    plot_files.write_plot_files(reports / "plots", datasets)
    pictures = _write_pictures(reports / "figures", content)
    (reports / "report.md").write_text(markdown.render(content, pictures), encoding="utf-8")
    (reports / "report.html").write_text(page.render(content), encoding="utf-8")


def read_datasets(workspace: Workspace, cells: Iterable[Configured], options: Judging) -> list[Dataset]:
    """The data sets of the cells, with all evaluations that are there.

    Raises:
        ValueError: if an evaluation's file is damaged.
    """
    return _datasets(workspace, _cells(workspace, cells), options)


def _cells(workspace: Workspace, cells: Iterable[Configured]) -> list[Cell]:
    return [Cell.of(cell, _missing(workspace, cell.name)) for cell in cells]


def _missing(workspace: Workspace, cell: str) -> str | None:
    """Why a cell has no evaluation; None where it has one."""
    if (workspace.evaluation(cell) / "evaluation.json").is_file():
        return None
    if workspace.model(cell).is_dir():
        return f"it was fitted but its evaluation failed or did not run; `dvc repro` says why (models/{cell} is there)"
    return f"its fit failed or did not run; `dvc repro` says why (there is no models/{cell})"


def _datasets(workspace: Workspace, cells: Sequence[Cell], options: Judging) -> list[Dataset]:
    """The data sets that have evaluations, in the order of their first cells."""
    found = []
    for name in dict.fromkeys(cell.dataset for cell in cells):
        here = [cell for cell in cells if cell.dataset == name]
        evaluations = tuple(e for cell in here if (e := reading.read(workspace, cell)) is not None)
        if evaluations:
            missing = tuple(cell for cell in here if cell.missing is not None)
            data = prepared.read(workspace.prepared(name))
            found.append(Dataset(name, data, evaluations, missing, options))
    return found


def _write_pictures(folder: Path, content: page_content.Content) -> list[tuple[str, str]]:
    """The pictures that report.md shows, which depend on scores only; returns their paths and what they show."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures = [(f"differences_{i}" if i else "differences", figure) for i, figure in enumerate(content.forests)]
    if content.rank_figure is not None:
        figures.append(("ranks", content.rank_figure))
    for name, figure in figures:
        (folder / f"{name}.svg").write_text(page.standalone(figure), encoding="utf-8")
    return [(f"{folder.name}/{name}.svg", figure.title) for name, figure in figures]
