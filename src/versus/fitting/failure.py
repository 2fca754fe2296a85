"""A cell that fails is a result: its reason takes the place of its models and scores, and the other cells continue.

A fit that diverges, an exception in a fit or an evaluation, and a time limit fail the cell. Faults of the machine and
of the input do not: a missing disk, file or library stops the run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

NAME = "failed.json"
REMINDER = 1.0  # seconds between alarms, where a library swallows the first
LONGEST_REASON = 500  # characters
FAULTS: tuple[type[Exception], ...] = (OSError, ImportError)  # of the machine

Where = Literal["training", "evaluation"]


class TimeLimitExceeded(Exception):  # noqa: N818 - it says what happened
    """A stage of a cell took longer than its ``time_limit``."""


@dataclass(frozen=True)
class Failure:
    """Reason why a cell has no result.

    Args:
        reason: in one line, the same in every run that fails for it.
        where: the stage that failed.
        repeat: which repeat failed, counted from 0; None where all of them were at work.
    """

    reason: str
    where: Where
    repeat: int | None = None

    @classmethod
    def of(cls, error: Exception, where: Where) -> Failure:
        """Return the failure that an exception stands for."""
        text = " ".join(str(error).split())
        kind = "" if isinstance(error, TimeLimitExceeded) else f"{type(error).__name__}: "
        return cls(f"{kind}{text}"[:LONGEST_REASON].removesuffix(": "), where)


def write(folder: Path, failure: Failure) -> None:
    """Write ``failed.json`` into a folder, which is created where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {name: value for name, value in asdict(failure).items() if value is not None}
    (folder / NAME).write_text(json.dumps(known, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> Failure | None:
    """Read the failure in a folder; None where there is none.

    Raises:
        ValueError: if the file is damaged.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        return Failure(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete its folder and run `dvc repro`") from None


def keep_checkpoints(workshop: Path, folder: Path) -> None:
    """Keep the last checkpoints of fits that failed, to be looked into, in place of those of the failure before."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in workshop.glob("*.checkpoint"):
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / path.name)


def attempt(
    work: Callable[[], None], where: Where, seconds: float | None, faults: tuple[type[Exception], ...] = FAULTS
) -> Failure | None:
    """Do some work within a time limit; return its failure, None where it succeeded.

    Raises:
        Exception: one of ``faults``, which are not the model's.
    """
    try:
        with time_limit(seconds):
            work()
    except faults:
        raise
    except Exception as error:
        if os.environ.get("VERSUS_TRACEBACK"):
            traceback.print_exception(error)
        return Failure.of(error, where)
    return None


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise in the block once it has taken this long, in the main thread of a system that has alarms.

    Python looks for alarms between its own instructions: a call into a library that takes minutes is ended when it
    returns.

    Raises:
        TimeLimitExceeded: from the block.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def expire(number: int, frame: FrameType | None) -> None:
        raise TimeLimitExceeded(f"it took longer than its time_limit of {seconds:g} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds, REMINDER)
    try:
        with gradients_restored():
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def gradients_restored() -> Iterator[None]:
    """Leave torch's gradients as they were: an alarm within the lines of ``torch.no_grad`` itself keeps them off."""
    torch = sys.modules.get("torch")  # a fit without torch need not load it
    enabled = torch is None or torch.is_grad_enabled()
    try:
        yield
    finally:
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_grad_enabled(enabled)
