"""What stages and commands say to the model registry, through the publisher; nothing here raises or imports mlflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from versus.tracking import client
from versus.tracking.client import Outcome
from versus.tracking.standing import Registered, Standing
from versus.workspace import Workspace


@dataclass(frozen=True)
class Registration:
    """Which versions the aliases point to now, by data set; and the data sets that failed, with the reason."""

    ok: bool
    reason: str = ""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    def warn(self) -> None:
        """Say in a line what could not be registered."""
        reasons = [f"{dataset}: {reason}" for dataset, reason in self.failed.items()] or [self.reason] * (not self.ok)
        if reasons and client.is_on():
            what = f"not all of the best models are in MLflow's registry: {'; '.join(reasons)}"
            client.warn(f"{what}; `make sync` or the next `compare` mends it")


def register(workspace: Workspace, cells: Mapping[str, str], *, to_the_end: bool = False) -> Registration:
    """Register best cells as the challengers of their data sets, and as the champions where there are none yet.

    Args:
        workspace: with the cells' files.
        cells: data set -> the cell that is best on it.
        to_the_end: whether to wait until it is done; else what takes too long goes on in the background.
    """
    return _registration(client.ask(workspace, {"do": "register", "cells": dict(cells)}, to_the_end))


def promote(workspace: Workspace, dataset: str, version: str, champion: str) -> Registration:
    """Make a version the champion of a data set, provided that the version ``champion`` still is."""
    request = {"do": "promote", "dataset": dataset, "version": version, "champion": champion}
    return _registration(client.ask(workspace, request, True))


def roll_back(workspace: Workspace, dataset: str) -> Registration:
    """Make the previous champion of a data set the champion again."""
    return _registration(client.ask(workspace, {"do": "roll_back", "dataset": dataset}, True))


def fetch_evaluation(workspace: Workspace, version: Registered, folder: Path) -> Outcome:
    """Copy evaluation.json and predictions.npy, by which a version was measured, to a folder."""
    request = {"do": "fetch", "version": asdict(version), "folder": str(folder.resolve())}
    reply = client.ask(workspace, request, True)
    return Outcome(reply["ok"], reply.get("reason", ""))


def _registration(reply: Mapping[str, Any]) -> Registration:
    standings = {dataset: Standing.from_json(found) for dataset, found in reply.get("standings", {}).items()}
    return Registration(reply["ok"], reply.get("reason", ""), standings, reply.get("failed", {}))
