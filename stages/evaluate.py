"""Stage `evaluate`: measure one cell's fitted models, on test data that no model has seen."""

from __future__ import annotations

import shutil
from pathlib import Path

from stages import entry
from versus import evaluation, manifest
from versus import params as parameters
from versus.data import prepared
from versus.evaluation.extractor import Extractor
from versus.fitting import failure
from versus.models.persistence import PersistenceError
from versus.tracking import client
from versus.workspace import Workspace


def main(name: str) -> None:
    """Write reports/evaluations/<cell>/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    cell = parameters.cell(params, name)
    out = workspace.evaluation(name)
    aside = out.with_name(f".{name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    manifest.check(workspace.prepared(cell.dataset))
    data = prepared.read(workspace.prepared(cell.dataset))
    extractor = Extractor(workspace.extractor(cell.dataset), params.comparison.inception)
    failed = failure.read(workspace.model(name)) or failure.attempt(
        lambda: evaluation.evaluate(data, workspace.model(name), cell, aside, params.seed, extractor),
        "evaluation",
        cell.time_limit,
        (*failure.FAULTS, PersistenceError),
    )
    if failed is not None:
        shutil.rmtree(aside, ignore_errors=True)
        failure.write(aside, failed)
    else:
        some = [n for n in ("trials.csv", "progression.npz") if (workspace.model(name) / n).is_file()]
        for copied in ("history.csv", "training_cost.json", *some):  # later stages read evaluations only
            shutil.copy2(workspace.model(name) / copied, aside)
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)
    client.mirror_cell(workspace, cell, params.comparison.confidence)


if __name__ == "__main__":
    entry.run(main, arguments=1)
