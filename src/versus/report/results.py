"""Results of the stages, read once: the source of every section of the report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from versus.data import findings, prepared
from versus.fitting import failure
from versus.report import evaluation
from versus.report.across import Overall, overall
from versus.report.contrasts import Contrast, contrasts
from versus.report.dataset_results import DatasetResults
from versus.report.inputs import Inputs
from versus.report.verdicts import Verdict, verdicts
from versus.settings import FAMILIES, Cell, Comparison
from versus.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Results:
    """The results of a workspace.

    Args:
        workspace: the workspace that contains them.
        cells: every cell of the params.
        datasets: the data sets that have evaluations, in the order of their first cells.
        failed: cell -> why its training or its evaluation failed, as the stage recorded it.
        missing: cell -> why it has neither an evaluation nor a recorded failure.
        experiments: name -> result of each experiment (`versus.experiments`).
        comparison: the rules by which they are judged.
        provenance: their origin: nested mappings, sequences and scalars. The entry "runs" maps cells to the queries for
            their MLflow runs.
        before: the tables of an earlier report, as text, by their names in ``reports/``.
    """

    workspace: Workspace
    cells: tuple[Cell, ...]
    datasets: tuple[DatasetResults, ...]
    failed: Mapping[str, str]
    missing: Mapping[str, str]
    experiments: Mapping[str, Any]
    comparison: Comparison
    provenance: Mapping[str, Any]
    before: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> Inputs:
        """Params, data, code and libraries behind the results."""
        return Inputs(self.workspace, self.cells)

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """Comparisons of the best models of both sides on each data set, judged together."""
        return contrasts(self.datasets)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Conclusion for each data set."""
        return verdicts(self.datasets)

    @cached_property
    def overall(self) -> Overall | None:
        """One statement over all data sets; None with too few of them."""
        return overall([v.contrast for v in self.verdicts if v.contrast is not None], self.comparison.confidence)

    @property
    def tuning(self) -> str:
        """Sentence on how the models' arguments were chosen."""
        models = [e for dataset in self.datasets for e in dataset.evaluations if not e.cell.is_baseline]
        tuned = [e for e in models if e.trials]
        if not tuned:
            return "Nothing is tuned: every model has the arguments that params.yaml gives it."
        most = max(len(trials) for e in tuned for trials in e.trials.values()) - 1
        return (
            f"The arguments of {len(tuned)} of {len(models)} models were tuned in each repeat, on its validation rows: "
            f"up to {most} trials beside the default."
        )

    def best_cells(self) -> dict[str, str]:
        """Return data set -> the cell with the best mean of the deciding score.

        Data sets with a cell that is not evaluated yet are left out, since that cell might be the best; so are those
        where only baselines predict. A cell that failed is no candidate.
        """
        open_still = {cell.dataset for cell in self.cells if cell.name in self.missing}
        found = ((d.name, d.best(*FAMILIES)) for d in self.datasets if d.name not in open_still)
        return {name: best.cell.name for name, best in found if best is not None}


def read(
    workspace: Workspace,
    cells: Iterable[Cell],
    provenance: Mapping[str, Any] | None = None,
    comparison: Comparison | None = None,
    experiments: Iterable[str] = (),
    before: Mapping[str, str] | None = None,
) -> Results:
    """Read the results of the cells; other files in ``reports/evaluations`` are not read.

    Raises:
        ValueError: if a file is damaged.
    """
    cells, comparison = tuple(cells), comparison or Comparison()
    failed = {cell.name: why for cell in cells if (why := _failure(workspace, cell.name))}
    found = (evaluation.read(workspace.evaluation(c.name), c) for c in cells if c.name not in failed)
    evaluations = [e for e in found if e is not None]
    known = {e.cell.name for e in evaluations} | set(failed)
    datasets = tuple(
        DatasetResults(name, prepared.read(folder), here, comparison, findings.read(folder))
        for name in dict.fromkeys(cell.dataset for cell in cells)
        if (here := tuple(e for e in evaluations if e.cell.dataset == name)) and (folder := workspace.prepared(name))
    )
    missing = {cell.name: _absence(workspace, cell.name) for cell in cells if cell.name not in known}
    kept = {name: _experiment(path) for name in experiments if (path := workspace.experiment_result(name)).is_file()}
    return Results(workspace, cells, datasets, failed, missing, kept, comparison, provenance or {}, before or {})


def _experiment(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); delete its folder and run `dvc repro`") from None
    return found


def _failure(workspace: Workspace, cell: str) -> str | None:
    """Reason why a stage gave up on a cell; None where none did."""
    found = failure.read(workspace.evaluation(cell)) or failure.read(workspace.model(cell))
    if found is None:
        return None
    repeat = "" if found.repeat is None else f" in repeat {found.repeat}"
    return f"its {found.where} failed{repeat}: {found.reason}"


def _absence(workspace: Workspace, cell: str) -> str:
    """Reason why a cell has no evaluation, as far as the files show."""
    if workspace.model(cell).is_dir():
        return f"it was fitted but its evaluation failed or did not run; `dvc repro` says why (models/{cell} is there)"
    return f"its fit failed or did not run; `dvc repro` says why (there is no models/{cell})"
