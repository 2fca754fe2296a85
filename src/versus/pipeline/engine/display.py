"""What is seen of a run: bars at a terminal, else a line for each stage that ran, as ``dvc repro`` has it."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

from versus.pipeline.engine.workers import News


class Lines:
    """For logs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def total(self, stages: int) -> None:
        """There are so many stages to look at."""

    def started(self, job: int, stage: str) -> None:
        """A stage runs from now on."""
        print(f"Running stage '{stage}'", flush=True)

    def restored(self, stage: str) -> None:
        """A stage's outputs come from the run cache."""
        print(f"Stage '{stage}' is cached", flush=True)

    def fitted(self, news: News) -> None:
        """A fit has come this far."""

    def ended(self, job: int) -> None:
        """A stage's process is gone."""

    def settled(self) -> None:
        """One stage more is up to date."""

    def say(self, stage: str, text: str) -> None:
        """Show what a stage printed."""
        for line in text.rstrip().splitlines():
            print(f"{stage}: {line}", file=sys.stderr, flush=True)


class Bars(Lines):
    """For a terminal."""

    def __init__(self) -> None:
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
        """The length of the bar of all."""
        self._progress.update(self._all, total=stages)

    def started(self, job: int, stage: str) -> None:
        """A bar for the stage."""
        self._tasks[job] = self._progress.add_task(stage, total=None)

    def restored(self, stage: str) -> None:
        """Nothing: it shows in the bar of all."""

    def fitted(self, news: News) -> None:
        """The stage's bar shows its fit."""
        self._progress.update(self._tasks[news.job], description=news.fit, completed=news.done, total=news.of)

    def ended(self, job: int) -> None:
        """The stage's bar goes."""
        self._progress.remove_task(self._tasks.pop(job))

    def settled(self) -> None:
        """The bar of all moves on."""
        self._progress.advance(self._all)

    def say(self, stage: str, text: str) -> None:
        """Above the bars."""
        for line in text.rstrip().splitlines():
            self._progress.console.print(f"{stage}: {line}", markup=False, highlight=False)


def for_this_terminal() -> Lines:
    """Bars where somebody looks."""
    return Bars() if sys.stderr.isatty() else Lines()
