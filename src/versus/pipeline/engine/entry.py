"""Entry to a run: from command-line options to the exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from versus.fitting.failure import Failure
from versus.pipeline import ending
from versus.pipeline.engine import display, jobs, stages
from versus.pipeline.engine.remaining import seconds_of_cells
from versus.pipeline.engine.run import Machine, Run
from versus.pipeline.engine.stages import ParamsEditedError, StageFaultError, Wanted
from versus.pipeline.engine.workers import Workers, WorkersDiedError
from versus.serving.code import PACKAGE
from versus.tracking import destination
from versus.workspace import Workspace

if TYPE_CHECKING:
    from versus.settings import Cell

# Options of `dvc repro` -> as `Wanted` names them.
OPTIONS = {"-f": "force", "--force": "force", "-s": "single", "--single-item": "single", "--pull": "pull"}


def wanted(arguments: Sequence[str], again: Sequence[tuple[Cell, Failure]]) -> Wanted | None:
    """Translate arguments of ``dvc repro``; return None if only ``dvc repro`` supports them.

    Args:
        arguments: stages and options.
        again: failed cells to try again.
    """
    options = [word for word in arguments if word.startswith("-")]
    if not set(options) <= set(OPTIONS):
        return None
    retried = frozenset(
        f"{stage}_{cell.family}@{cell.name}"
        for cell, why in again
        for stage in (("train", "evaluate") if why.where == "training" else ("evaluate",))
    )
    targets = tuple(word for word in arguments if not word.startswith("-"))
    return Wanted(targets, again=retried, **{OPTIONS[word]: True for word in options})


def reproduce(workspace: Workspace, wanted: Wanted, machine: Machine) -> int:
    """Run the stale stages of a workspace; return an exit code, 0 if everything is now up to date."""
    from dvc.exceptions import DvcException

    signal.signal(signal.SIGTERM, _end)
    seconds = seconds_of_cells(workspace.reports)
    try:
        with chdir(workspace.root):
            return _run(wanted, machine, seconds)
    except (StageFaultError, WorkersDiedError, DvcException, OSError, KeyboardInterrupt) as error:
        print(ending.sentence(error) or destination.redact(str(error)), file=sys.stderr)
        return ending.code(error)


def _run(wanted: Wanted, machine: Machine, seconds: Mapping[str, float]) -> int:
    """Run the stages of the current folder, again where params.yaml is edited as a run begins; return 0."""
    try:
        params = stages.look_of(Path("params.yaml"))
        with (
            _started_ahead(machine) as workers,
            stages.opened(wanted, params) as found,
            display.for_this_terminal() as shown,
        ):
            run = Run(found, machine, shown, seconds, workers)
            run.run()
            edited = found.params_edited
    except ParamsEditedError:
        from versus import params as parameters  # loads a lot, which a run with nothing to do does not need

        parameters.read(Path("params.yaml"))
        print("params.yaml was edited as the run began; beginning anew with it", file=sys.stderr)
        return _run(wanted, machine, seconds)
    if edited:
        print("params.yaml was edited during this run; the next one runs what was added or changed")
    elif all(name.startswith("plugin@") for name in run.ran):  # which runs each time, to look
        print("Nothing has changed.")
    return 0


@contextmanager
def _started_ahead(machine: Machine) -> Iterator[Workers | None]:
    """Start the workers before DVC is loaded, where stages will probably run: each of the two takes seconds."""
    if machine.cluster or not is_probably_stale(Path()):
        yield None
        return
    workers = Workers(Path(), machine.environment)
    workers.load(jobs.FITS if Path("dvc.lock").is_file() else jobs.for_everything())
    try:
        yield workers
    finally:
        workers.stop()


def is_probably_stale(root: Path) -> bool:
    """Check, without DVC, whether params or code are newer than a project's last run; it may be wrong."""
    lock, watched = root / "dvc.lock", [root / "params.yaml", *PACKAGE.rglob("*.py")]
    if not watched[0].is_file():
        return False  # no project of ours
    return not lock.is_file() or lock.stat().st_mtime < max(path.stat().st_mtime for path in watched)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(ending.TERMINATED)
