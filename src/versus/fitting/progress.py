"""A progress bar for training, with its losses; silent unless at a terminal.

A process whose fits are shown elsewhere calls `listen`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from versus.arrays import Step

OnStep = Callable[[Step], None]
Listener = Callable[[str, int | None, Step], None]  # title, epochs at most, the epoch that is done

_listener: tuple[Listener, float] | None = None


def listen(listener: Listener, seconds_between: float) -> None:
    """Report all fits of this process to ``listener``, at most once in so many seconds, and draw no bars."""
    global _listener
    _listener = listener, seconds_between


@contextmanager
def training_progress(title: str, epochs: int | None) -> Iterator[OnStep]:
    """Draw a bar on standard error while the block runs; yields the function to call after each epoch.

    Args:
        title: name of the model in training.
        epochs: maximum number of epochs; None where that is unknown.
    """
    if _listener is not None:
        yield _told(title, epochs, *_listener)
        return
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


def _told(title: str, epochs: int | None, listener: Listener, seconds_between: float) -> OnStep:
    due = 0.0

    def on_step(step: Step) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + seconds_between
            listener(title, epochs, step)

    return on_step


def _losses_line(step: Step) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in step.losses.items() if name.endswith("_loss"))
