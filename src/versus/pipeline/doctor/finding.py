"""One fault that was found, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A fault.

    Args:
        problem: what is wrong, with the path or the process.
        mend: the command or the act that mends it.
        fix: mends it and returns what was done; None where a person has to.
    """

    problem: str
    mend: str
    fix: Callable[[], str] | None = None
