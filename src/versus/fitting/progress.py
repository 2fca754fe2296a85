"""A progress bar for training, with its losses; silent where nobody is looking."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from versus.arrays import Step

OnStep = Callable[[Step], None]


@contextmanager
def training_progress(title: str, epochs: int | None) -> Iterator[OnStep]:
    """Draw a bar on standard error while the block runs; yields the function to call after each epoch.

    Args:
        title: what is being trained.
        epochs: how many epochs there are at most; None where that is unknown.
    """
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    # Only a person at a terminal waits for this import.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=epochs, losses="")
        yield lambda step: progress.update(task, completed=step.step, losses=_losses_line(step))


def _losses_line(step: Step) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in step.losses.items() if name.endswith("_loss"))
