"""Run a model that trains by steps: progress bar, history, checkpoints, and resuming after a kill."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from versus.arrays import Array, Events, Ragged, Step
from versus.fitting import checkpoint as checkpoints
from versus.fitting.checkpoint import Checkpoint
from versus.fitting.progress import OnStep, training_progress
from versus.models.protocols import FitsBySteps

HistoryRow = tuple[int, str, float]  # epoch, name of the loss, value

SECONDS_BETWEEN_CHECKPOINTS = 5.0
# A checkpoint that takes long to write is written less often: at most a twentieth of the time goes into them.
CHECKPOINT_SHARE = 0.05


def run_steps(
    model: FitsBySteps,
    X: Array,
    y: Array | None,
    validation: tuple[Array, ...] | None = None,
    checkpoint: Path | None = None,
    on_step: OnStep | None = None,
    title: str = "training",
    sample_weight: Array | None = None,
    keeps: bool = True,
) -> list[HistoryRow]:
    """Fit a model and return its learning curves.

    Fits longer than a few seconds leave their state in ``checkpoint`` now and then; a later call with the same model
    and data resumes from there and ends with the same weights. The caller removes the file, once the fitted model
    is safe.

    Args:
        model: the model to fit.
        X: (N, *event).
        y: (N,), or None.
        validation: held-out ``(X, y)`` for early stopping, with their weights as a third where there are any.
        checkpoint: file for the state of an unfinished fit; None keeps none.
        on_step: called after each epoch that is trained (not for those before a kill).
        title: label of the progress bar.
        sample_weight: (N,), for a model that takes weights.
        keeps: False in a process that reads the checkpoint, and leaves writing it to another.

    Returns:
        ``(epoch, name, value)`` for each epoch and loss, those before a kill too.

    Raises:
        TrainingDiverged: if the loss becomes NaN or infinite.
    """
    weighted: dict[str, Any] = {} if sample_weight is None else {"sample_weight": sample_weight}

    def fit_steps(resume: Mapping[str, Array] | None) -> Iterator[Step]:
        return model.fit_steps(X, y, validation, resume=resume, **weighted)

    return _run(fit_steps, _description(model, X, validation), model, checkpoint, on_step, title, keeps)


def run_together(
    group: Any, checkpoint: Path | None = None, on_step: OnStep | None = None, title: str = "training"
) -> list[list[HistoryRow]]:
    """Fit models that are trained together (`FitsTogether`), with one checkpoint for all; see `run_steps`.

    Args:
        group: as ``fit_together`` made it.
        checkpoint, on_step, title: as for `run_steps`.

    Returns:
        The learning curves of each model, in their order.
    """
    each = (_description(m, X, validation) for m, (X, _, validation, _) in zip(group.models, group.rows, strict=True))
    rows = _run(group.fit_steps, "; ".join(each), group.models[0], checkpoint, on_step, title)
    histories: list[list[HistoryRow]] = [[] for _ in group.models]
    for epoch, name, value in rows:
        loss, _, place = name.partition(".")
        if place:  # the others are means over the models
            histories[int(place)].append((epoch, loss, value))
    return histories


def _run(
    fit_steps: Callable[[Mapping[str, Array] | None], Iterator[Step]],
    made_for: str,
    model: Any,
    checkpoint: Path | None,
    on_step: OnStep | None,
    title: str,
    keeps: bool = True,
) -> list[HistoryRow]:
    found = checkpoints.read(checkpoint, made_for) if checkpoint is not None else None
    history: list[HistoryRow] = [] if found is None else [(s, n, v) for s, n, v in json.loads(found.history)]
    keeper = None if checkpoint is None or not keeps else _Keeper(checkpoint, made_for)
    steps = fit_steps(None if found is None else found.state)
    with training_progress(title, getattr(model, "epochs", None)) as show:
        for step in steps:
            history += [(step.step, name, float(value)) for name, value in step.losses.items()]
            show(step)
            if on_step is not None:
                on_step(step)
            if keeper is not None:
                keeper.consider(step, history)
    return history


class _Keeper:
    """Write checkpoints, not too often."""

    def __init__(self, path: Path, made_for: str) -> None:
        self.path, self.made_for = path, made_for
        self.due = time.monotonic() + SECONDS_BETWEEN_CHECKPOINTS

    def consider(self, step: Step, history: list[HistoryRow]) -> None:
        """Write a checkpoint if it is time to."""
        started = time.monotonic()
        if started < self.due:
            return
        checkpoints.write(self.path, Checkpoint(step.state(), json.dumps(history), self.made_for))
        written = time.monotonic()
        self.due = written + max(SECONDS_BETWEEN_CHECKPOINTS, (written - started) / CHECKPOINT_SHARE)


def _description(model: FitsBySteps, X: Events, validation: tuple[Array, ...] | None) -> str:
    """Describe the model, its arguments and the sizes of its data, which a resumed checkpoint must match."""
    listed = ", ".join(f"{name}={value!r}" for name, value in model.arguments().items())
    held_out = 0 if validation is None else len(validation[0])
    form = f"sequences of {len(X.values)} elements" if isinstance(X, Ragged) else f"events of shape {X.shape[1:]}"
    return f"{type(model).__name__}({listed}) on {len(X)} + {held_out} {form}"
