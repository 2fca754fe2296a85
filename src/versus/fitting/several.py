"""Training of a cell by several processes of this machine, one for each device (`training: {devices: 2}`).

The stage starts them by `torchrun`. The first fits the cell as a single process would, and alone reads and writes what
is kept; the others follow it from fit to fit and train the same network (`versus.training.processes`).
"""

from __future__ import annotations

import os
import subprocess
import sys

from versus.fitting import failure
from versus.fitting.repeats import Job, fit_model
from versus.models import find
from versus.settings import Cell, Training, Tuning


def are_at_work() -> bool:
    """Check whether this is one of several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def start(cell: Cell, training: Training, tuning: Tuning) -> bool:
    """Train a cell in processes of its own; returns False where this process is the one to do it.

    Raises:
        ValueError: where the arguments of the cell are to be tuned, which several processes cannot.
        RuntimeError: if one of the processes ended with an error, which it has printed.
    """
    if training.devices == 1 or are_at_work():
        return False
    if not getattr(find(cell.family, cell.module, cell.class_name), "takes_devices", False):
        return False
    if tuning.trials:
        raise ValueError(f"training: devices={training.devices} takes no tuning; set tuning: {{trials: 0}}")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={training.devices}", "-m", f"stages.train_{cell.family}", cell.name]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = subprocess.run(command, env=environment, check=False).returncode
    if code:
        raise RuntimeError(f"{cell.name}: one of {training.devices} training processes ended with exit code {code}")
    return True


def is_follower() -> bool:
    """Check whether another process writes the results of this one."""
    return are_at_work() and os.environ.get("RANK", "0") != "0"


def lead(job: Job, repeat: int, todo: bool) -> None:
    """Tell the other processes, if there are any, whether a repeat is to be fitted."""
    if are_at_work():
        job.build({}, repeat).processes().agree(int(todo))


def follow(job: Job) -> None:
    """Take part in the fits of the first process; what goes wrong there ends this one without a word."""

    def work() -> None:
        for repeat in range(job.data.repeats):
            model = job.build({}, repeat)
            if model.processes().agree(0):
                fit_model(job, model, repeat, keeps=False)

    failure.attempt(work, "training", job.cell.time_limit)
