"""What the stages say to MLflow: short requests to the background `publisher`, which they start if it does not run.

Nothing here raises when tracking fails, nothing waits for long, and mlflow is not imported: a stage whose tracking
server is down loses a few seconds and prints one line. ``VERSUS_TRACKING=off`` turns it off;
``VERSUS_TRACKING_PATIENCE`` is the number of seconds that one process may wait, over all its requests.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from versus.tracking import destination, reach
from versus.tracking.live_fit import LiveFit
from versus.workspace import Workspace

PATIENCE = 9.0  # seconds
OFF = ("off", "0", "false", "no")

_waited = 0.0


@dataclass(frozen=True)
class Outcome:
    """Whether MLflow has it now, and why not."""

    ok: bool
    reason: str = ""
    run_id: str | None = None


@dataclass(frozen=True)
class Summary:
    """What a synchronisation did: names of cells by outcome, with the reason where one could not be mirrored."""

    ok: bool
    reason: str = ""
    mirrored: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = f"{len(self.mirrored)} cells logged to MLflow, {len(self.already)} were there already"
        return self.reason or counts + (f", {len(self.failed)} could not be logged" if self.failed else "")


def is_on() -> bool:
    """Whether anything is tracked."""
    return os.environ.get("VERSUS_TRACKING", "on").lower() not in OFF


def patience_left() -> float:
    """Seconds that this process may still wait for tracking."""
    try:
        patience = float(os.environ.get("VERSUS_TRACKING_PATIENCE", PATIENCE))
    except ValueError:
        patience = PATIENCE
    return patience - _waited


def mirror_prepared(workspace: Workspace, dataset: str, primary: Mapping[str, str] | None = None) -> Outcome:
    """Describe a prepared data set on its experiment. Does not wait: it warms the publisher up for what follows.

    Args:
        workspace: with the prepared data set.
        dataset: its name.
        primary: task -> the deciding score, which its leaderboard is sorted by; the usual ones where None.
    """
    if not is_on():
        return Outcome(False, "tracking is off")

    def tell(end: float) -> dict[str, Any]:
        reach.tell(workspace, {"do": "prepared", "dataset": dataset, "primary": dict(primary or {})}, end)
        return {"ok": True}

    return _outcome(_patiently(workspace, tell), f"data set {dataset}")


def mirror_cell(workspace: Workspace, cell: str) -> Outcome:
    """Make an evaluated cell one MLflow run; does nothing where it is one already."""
    return _outcome(ask(workspace, {"do": "cell", "cell": cell}), f"cell {cell}")


def mirror_report(workspace: Workspace) -> Outcome:
    """Make the report that `compare` wrote an MLflow run."""
    return _outcome(ask(workspace, {"do": "report"}), "the report")


def live(workspace: Workspace, cell: str) -> LiveFit:
    """A channel for a fit's losses, to be shown while it goes on."""
    return LiveFit(workspace, cell, is_on=is_on())


def sync(
    workspace: Workspace,
    cells: Iterable[str] | None = None,
    primary: Mapping[str, str] | None = None,
    *,
    to_the_end: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Summary:
    """Mirror every cell that MLflow lacks, and the report.

    Args:
        workspace: with the cells' files.
        cells: names, from params.yaml, of all cells that are compared, those not evaluated yet among them; None for all
            whose evaluation is there.
        primary: task -> the deciding score, which the leaderboards are sorted by; the usual ones where None.
        to_the_end: whether to wait until it is done; else what takes too long goes on in the background.
        progress: called with a cell's name, its number and how many there are, before each is mirrored.
    """
    request = {"do": "sync", "cells": None if cells is None else list(cells), "primary": dict(primary or {})}
    reply = ask(workspace, request, to_the_end, progress)
    failed = reply.get("failed", {})
    if not reply["ok"] and is_on():
        warn(f"MLflow was not brought up to date: {reply['reason']}")
    elif failed:
        warn("; ".join(f"cell {cell} is not in MLflow: {reason}" for cell, reason in failed.items()))
    mirrored, already = (tuple(reply.get(key, ())) for key in ("mirrored", "already"))
    return Summary(reply["ok"] and not failed, reply.get("reason", ""), mirrored, already, failed)


def ask(
    workspace: Workspace,
    request: Mapping[str, Any],
    to_the_end: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """The publisher's answer to a request, or one that is not ``ok`` and says why.

    Args:
        workspace: whose publisher is asked.
        request: with the key ``do``; see `versus.tracking.writer`.
        to_the_end: whether to wait until it is done; else no longer than the process may still wait.
        progress: called with what the publisher tells before it answers.
    """
    if not is_on():
        return {"ok": False, "reason": "tracking is off"}
    return _patiently(workspace, lambda end: reach.ask(workspace, request, end, progress), to_the_end)


def _patiently(
    workspace: Workspace, action: Callable[[float], dict[str, Any]], to_the_end: bool = False
) -> dict[str, Any]:
    """The answer, or one that says why there is none; no more seconds are spent than the process has left."""
    global _waited
    began = time.monotonic()
    end = float("inf") if to_the_end else began + patience_left()
    try:
        return action(end)
    except OSError as error:
        reason = "no answer in time, it may still come" if time.monotonic() > end - 0.01 else str(error)
        return {"ok": False, "reason": f"{reason} (see {workspace.private / 'publisher.log'})"}
    finally:
        _waited += time.monotonic() - began


def _outcome(reply: dict[str, Any], what: str) -> Outcome:
    if not reply["ok"] and is_on():
        warn(f"{what} is not in MLflow: {reply['reason']}; `make sync` or the next `compare` mends it")
    return Outcome(reply["ok"], reply.get("reason", ""), reply.get("run_id"))


def warn(text: str) -> None:
    """One line on the standard error stream, without secrets."""
    print(f"warning: tracking: {destination.redact(text)}", file=sys.stderr, flush=True)
