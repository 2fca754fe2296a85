"""How every stage script starts and ends: the lifeline, and faults of the user's as one readable line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from versus.pipeline import lifeline, recovery
from versus.tracking import destination

# One thread whatever the machine has: results must not depend on how many cores there are, nor on how many stages share
# them. Stages side by side use the other cores. A user's own setting wins.
THREADS = "1"


def limit_threads() -> None:
    """Set the thread count of every numeric library that reads one from the environment."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, THREADS)
    # Threads that wait do not spin: on a machine that others use, spinning took ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def run(stage: Callable[..., None], arguments: int) -> None:
    """Call a stage with its command-line arguments; exit 1 with the message alone where the input is at fault."""
    lifeline.hold_to_dvc()
    recovery.keep_lock(Path())
    given = sys.argv[1:]
    if len(given) != arguments:
        sys.exit(f"usage: python -m {stage.__module__} " + " ".join(["NAME"] * arguments))
    try:
        stage(*given)
    except (ValueError, OSError) as error:
        if os.environ.get("VERSUS_TRACEBACK"):
            raise
        message = destination.redact(f"{type(error).__name__}: {error}")  # a URL in it may have a password
        sys.exit(f"{message}\n(VERSUS_TRACEBACK=1 shows where it was raised)")


limit_threads()  # at once, since numpy reads the setting when it is loaded; stages import this module first
