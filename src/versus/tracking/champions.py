"""Interface of stages and commands to the model registry; nothing here raises when the registry fails."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from versus.settings import Cell, Comparison
from versus.tracking import client
from versus.tracking.answers import Outcome, Registered, Registration, Standing
from versus.tracking.destination import in_a_line, is_experiment, is_on, warn
from versus.tracking.patience import Outage, Patience
from versus.workspace import Workspace

if TYPE_CHECKING:
    from versus.tracking.mirror import Mirror

UPLOAD = 4.0  # seconds that a healthy server on a busy machine takes for a model and its code
OFF = Registration("tracking is off")
EXPERIMENT = Registration("a temporary experiment of DVC registers no model; `dvc exp apply` brings it here")


def register(
    workspace: Workspace, cells: Iterable[Cell], comparison: Comparison, *, to_the_end: bool = False
) -> Registration:
    """Register the best cells as challengers of their data sets, and as champions where there are none yet.

    Args:
        workspace: the workspace with the cells' files.
        cells: the best cell of each data set.
        comparison: the deciding scores and the confidence of their intervals.
        to_the_end: True to wait for a slow server without limit.
    """
    if not is_on():
        return OFF
    if is_experiment(workspace.root):
        return EXPERIMENT
    standings: dict[str, Standing] = {}
    failed: dict[str, str] = {}
    try:
        mirror, patience = client.connect(workspace, limited=not to_the_end)
        for cell in cells:
            try:
                standings[cell.dataset] = _register(mirror, patience, cell, comparison)
            except Outage:
                raise
            except Exception as error:  # one damaged model does not keep the others out
                failed[cell.dataset] = in_a_line(error)
    except Exception as error:  # the report is written whatever the store raises
        return _warned(Registration(in_a_line(error), standings, failed))
    return _warned(Registration("", standings, failed))


def _warned(found: Registration) -> Registration:
    reasons = [f"{dataset}: {reason}" for dataset, reason in found.failed.items()] or [found.reason] * (not found.ok)
    if reasons:
        warn(f"not all of the best models are in MLflow's registry: {'; '.join(reasons)}; {client.ADVICE}")
    return found


def _register(mirror: Mirror, patience: Patience, cell: Cell, comparison: Comparison) -> Standing:
    from versus.tracking import registry

    candidate = registry.Candidate(mirror.workspace, cell, comparison)
    found = patience.run(partial(candidate.find, mirror))
    if found is None:
        with tempfile.TemporaryDirectory() as scratch:
            package = Path(scratch) / "model"
            candidate.write(package)  # no server is waited for
            found = patience.write(partial(candidate.add, mirror, package), UPLOAD)
    return patience.write(partial(registry.challenge, mirror, cell.dataset, found))


def promote(workspace: Workspace, dataset: str, version: str, champion: str) -> Registration:
    """Make a version the champion of a data set, provided that the version ``champion`` still is the champion."""
    return _move(workspace, dataset, "promote", version, champion)


def roll_back(workspace: Workspace, dataset: str) -> Registration:
    """Make the previous champion of a data set the champion again."""
    return _move(workspace, dataset, "roll_back")


def _move(workspace: Workspace, dataset: str, move: str, *arguments: str) -> Registration:
    if not is_on():
        return OFF
    try:
        mirror, patience = client.connect(workspace, limited=False)
        from versus.tracking import registry

        action = partial(getattr(registry, move), mirror, dataset, *arguments)
        return Registration(standings={dataset: patience.write(action)})
    except Exception as error:
        return Registration(in_a_line(error))


def fetch_evaluation(workspace: Workspace, version: Registered, folder: Path) -> Outcome:
    """Copy the files of the evaluation by which a version was measured to a folder."""
    if not is_on():
        return Outcome(False, OFF.reason)
    try:
        mirror, patience = client.connect(workspace, limited=False)
        from versus.tracking import registry

        patience.run(partial(registry.fetch_evaluation, mirror, version, folder))
    except Exception as error:
        return Outcome(False, in_a_line(error))
    return Outcome(True)
