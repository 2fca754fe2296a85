"""Display of a run: progress bars in a terminal, otherwise one line per stage that ran, as ``dvc repro`` prints it."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Any, Self

from versus.pipeline.engine.workers import News

LONG = 60.0  # seconds; a run that takes less needs no estimate
EVERY = 120.0  # seconds between two lines about what is left


def in_words(seconds: float) -> str:
    """Format a duration roughly: seconds below two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class Lines:
    """Output as lines of text, for logs."""

    def __init__(self) -> None:
        self._told: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def total(self, stages: int) -> None:
        """Set the number of stages to check."""

    def started(self, job: int, stage: str) -> None:
        """Report that a stage has started."""
        print(f"Running stage '{stage}'", flush=True)

    def restored(self, stage: str) -> None:
        """Report that a stage's outputs came from the run cache."""
        print(f"Stage '{stage}' is cached", flush=True)

    def fitted(self, news: News) -> None:
        """Report the progress of a fit."""

    def ended(self, job: int) -> None:
        """Report that a stage's process has ended."""

    def left(self, seconds: float | None) -> None:
        """Report what the run still takes, about; None where nothing tells."""
        now = monotonic()
        if seconds is not None and seconds > LONG and (self._told is None or now - self._told > EVERY):
            print(f"About {in_words(seconds)} left, by the fits of the last report.", flush=True)
            self._told = now

    def settled(self) -> None:
        """Count one more stage as up to date."""

    def say(self, stage: str, text: str) -> None:
        """Show the output of a stage."""
        for line in text.rstrip().splitlines():
            print(f"{stage}: {line}", file=sys.stderr, flush=True)


class Bars(Lines):
    """Progress bars, for a terminal."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress: Any = Progress(*columns, console=Console(stderr=True), transient=True)
        self._all = self._progress.add_task("stages", total=None)
        self._tasks: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def total(self, stages: int) -> None:
        """Set the length of the overall bar."""
        self._progress.update(self._all, total=stages)

    def started(self, job: int, stage: str) -> None:
        """Add a bar for the stage."""
        self._tasks[job] = self._progress.add_task(stage, total=None)

    def restored(self, stage: str) -> None:
        """Show nothing: the overall bar counts the stage."""

    def fitted(self, news: News) -> None:
        """Update the stage's bar with the progress of its fit."""
        self._progress.update(self._tasks[news.job], description=news.fit, completed=news.done, total=news.of)

    def ended(self, job: int) -> None:
        """Remove the stage's bar."""
        self._progress.remove_task(self._tasks.pop(job))

    def left(self, seconds: float | None) -> None:
        """Show it beside the overall bar."""
        if seconds is not None:
            self._progress.update(self._all, description=f"stages, about {in_words(seconds)} left")

    def settled(self) -> None:
        """Advance the overall bar by one stage."""
        self._progress.advance(self._all)

    def say(self, stage: str, text: str) -> None:
        """Print the output of a stage above the bars."""
        for line in text.rstrip().splitlines():
            self._progress.console.print(f"{stage}: {line}", markup=False, highlight=False)


def for_this_terminal() -> Lines:
    """Return bars if standard error is a terminal, otherwise lines."""
    return Bars() if sys.stderr.isatty() else Lines()
