"""Start and end of every stage script: the lifeline, and the user's errors as one readable line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from versus.pipeline import ending, lifeline, recovery

# One thread on every machine: results must not depend on the number of cores, nor on the number of stages that share
# them. Parallel stages use the other cores. A user's own setting takes precedence.
THREADS = "1"


def limit_threads() -> None:
    """Set the thread count of every numeric library that reads one from the environment."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, THREADS)
    # Waiting threads sleep instead of spinning: on a shared machine, spinning took ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def run(stage: Callable[..., None], arguments: int) -> None:
    """Call a stage with its command-line arguments; exit 1 with only the message where the input is wrong."""
    lifeline.hold_to_dvc()
    recovery.keep_lock(Path())
    given = sys.argv[1:]
    if len(given) != arguments:
        sys.exit(f"usage: python -m {stage.__module__} " + " ".join(["NAME"] * arguments))
    try:
        stage(*given)
    except (Exception, KeyboardInterrupt) as error:
        said = ending.sentence(error)
        if said is None:
            raise
        print(f"{said}\n(VERSUS_TRACEBACK=1 shows where it was raised)", file=sys.stderr)
        sys.exit(ending.code(error))


limit_threads()  # on import, since numpy reads the setting when it is loaded; stages import this module first
