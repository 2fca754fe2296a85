"""A fault and its remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A fault found by a check.

    Args:
        problem: description of the fault, with the path or the process.
        mend: the command or action that repairs it.
        fix: repairs it and returns a description of the action; None if only a person can repair it.
    """

    problem: str
    mend: str
    fix: Callable[[], str] | None = None
