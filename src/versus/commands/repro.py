"""``versus repro``: run `dvc repro` with parallel stages, safe after a kill, and print a summary.

Options of `dvc repro` that are not known here are passed to `dvc repro` itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from versus.fitting import failure
from versus.fitting.failure import Failure
from versus.pipeline import engine, project, recovery, reproduction, shares
from versus.pipeline import restore as remote_outputs
from versus.pipeline.shares import Share
from versus.serving.code import CODE
from versus.tracking import destination
from versus.workspace import Workspace

# A run that finds nothing to do takes a second; reading params, which loads the specifications of all files, as much.
# `_read` loads them where they are needed.
if TYPE_CHECKING:
    from versus.params import Params
    from versus.settings import Cell

Failed = list[tuple["Cell", Failure]]


@dataclass(frozen=True)
class How:
    """Options of a run.

    Args:
        jobs: number of stages that run side by side; None for as many as there are cores, here or on the cluster.
        executor: address of a Dask cluster, dask://HOST:PORT; empty for this machine.
        retry: also run the cells that failed.
    """

    jobs: int | None = None
    executor: str = ""
    retry: bool = False

    @staticmethod
    def declare(parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        text = "stages that run at the same time (default: the number of cores); 1 for exact times"
        parser.add_argument("-j", "--jobs", type=int, metavar="N", help=text)
        parser.add_argument("--retry", action="store_true", help="also run the cells that failed")
        text = "run fits and evaluations on a cluster of dask.distributed, such as dask://10.0.0.1:8786"
        parser.add_argument("--executor", default="", metavar="ADDRESS", help=text)

    @classmethod
    def of(cls, options: argparse.Namespace) -> How:
        """Check the options given.

        Raises:
            ValueError: if there is to be no job.
        """
        if options.jobs is not None and options.jobs < 1:
            raise ValueError(f"--jobs {options.jobs}; at least 1 is needed")
        return cls(options.jobs, options.executor, options.retry)

    def machine(self, workspace: Workspace, environment: Mapping[str, str]) -> engine.Machine:
        """Return the resources to run on."""
        if self.executor:
            return engine.Machine(self.jobs or engine.slots(self.executor), (), environment, self.executor)
        gpus = engine.gpus()
        if gpus and _read(workspace).training.device == "cpu":
            gpus = ()
        return engine.Machine(self.jobs or cores(), gpus, environment)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; others are passed to `dvc repro`."""
    How.declare(parser)
    parser.add_argument(
        "--share",
        metavar="I/N",
        help="train and evaluate the I-th of N shares of the cells only; `dvc push --run-cache` then passes them on",
    )
    parser.add_argument(
        "dvc", nargs="*", metavar="STAGE", help="stages to reproduce; options of `dvc repro` are passed on"
    )


def run(options: argparse.Namespace) -> int:
    """Check params, repair, reproduce, compare with the commit, and print the report's path; returns the exit code."""
    workspace = Workspace(Path())
    if options.share is not None:
        return reproduce_share(workspace, Share.parse(options.share), options.dvc, How.of(options))
    return reproduce(workspace, options.dvc, How.of(options))


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reproduce(workspace: Workspace, dvc_arguments: list[str], how: How) -> int:
    """Reproduce a workspace."""
    with alone(workspace):
        dvc_arguments = stages_of(workspace, dvc_arguments)
        again = cells_that_failed(workspace) if how.retry else []
        compared = last_comparison(workspace)
        code = _reproduce(workspace, dvc_arguments, how, again)
        if code:
            return code
        # Only some stages, a dry run, or a run with nothing to do: no summary, since it would not cover all cells.
        anew = set(dvc_arguments) <= {"--pull"} and last_comparison(workspace) != compared
        summary = reproduction.summarise(workspace) if anew else ""
    if summary:
        print(summary)
    print(f"The report: {(workspace.reports / 'report.html').resolve()}")
    return tell_failures(cells_that_failed(workspace))


def stages_of(workspace: Workspace, words: list[str]) -> list[str]:
    """Return arguments of ``dvc repro`` with a cell or a data set replaced by its last stage.

    Raises:
        ValueError: for a name that is no stage, cell or data set; similar ones are named.
    """
    named = [word for word in words if not word.startswith("-") and ":" not in word and not Path(word).exists()]
    if "--glob" in words or not named:
        return words
    from versus import params as parameters
    from versus.data.errors import unknown

    params = _read(workspace)
    last = {cell.name: f"evaluate_{cell.family}@{cell.name}" for cell in parameters.cells(params)}
    last |= {name: f"prepare@{name}" for name in params.datasets} | {n: f"prepare_files@{n}" for n in params.files}
    single = [f"{kind}@{name}" for kind, names in stage_names(params).items() for name in names]
    known = {"fingerprint", "compare", *single, *(name.partition("@")[0] for name in single), *last}
    for word in named:
        if word not in known:
            raise ValueError(unknown("stage", word, sorted(known)))
    return [last.get(word, word) for word in words]


def stage_names(params: Params) -> dict[str, list[str]]:
    """Kind of stage -> the names after its @, as in dvc.yaml."""
    from versus.settings import FAMILIES

    cells = {f"{stage}_{family}": [*getattr(params, family)] for stage in ("train", "evaluate") for family in FAMILIES}
    files = {"prepare_files": [*params.files], "extractor_files": [*params.files]}
    data = {"prepare": [*params.datasets], "extractor": [*params.datasets]}
    return {**data, **files, **cells, "experiment": [*params.experiments], "plugin": params.plugins}


def last_comparison(workspace: Workspace) -> int | None:
    """Return the time at which the scores were last written, in nanoseconds; None where they never were."""
    path = workspace.reports / "comparison.csv"
    return path.stat().st_mtime_ns if path.is_file() else None


def cells_that_failed(workspace: Workspace) -> Failed:
    """Return the cells whose fit or evaluation failed, and the reasons."""
    if not any(workspace.evaluation("any").parent.glob(f"*/{failure.NAME}")):
        return []
    from versus import params as parameters

    cells = parameters.cells(_read(workspace))
    found = ((cell, failure.read(workspace.evaluation(cell.name))) for cell in cells)
    return [(cell, why) for cell, why in found if why is not None]


def tell_failures(failed: Failed) -> int:
    """Print the cells that failed; returns the exit code."""
    for cell, why in failed:
        print(f"{cell.name} failed in {why.where}: {destination.redact(why.reason)}", file=sys.stderr)
    if failed:
        print("they run again when their params or code change, or with `versus repro --retry`", file=sys.stderr)
    return 1 if failed else 0


def reproduce_share(workspace: Workspace, share: Share, dvc_options: list[str], how: How) -> int:
    """Train and evaluate the cells of one share, without the comparison, which needs all shares."""
    cells = shares.cells_of(workspace, share)
    if cells:
        with alone(workspace):
            stages = [f"evaluate_{cell.family}@{cell.name}" for cell in cells]
            code = _reproduce(workspace, [*dvc_options, *stages], how, [])
        if code:
            return code
    print(f"Share {share}: {', '.join(cell.name for cell in cells) or 'no cell, there are fewer than shares'}.")
    return 0


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Check params that may be new, and wait for any other repro of this workspace to end.

    DVC lets two repros overwrite each other's results; here the second waits for the first, and finds its work done.
    """
    project.note_code(workspace.root)
    if not workspace.params.is_file() or engine.is_probably_stale(workspace.root):
        _read(workspace)
    project.make_plugins_folder(workspace.root)
    for path in recovery.of_wrong_kind(workspace.root):
        print(f"repaired: {recovery.remove_of_wrong_kind(path)}", file=sys.stderr)
    workspace.private.mkdir(exist_ok=True)
    os.environ.setdefault("VERSUS_REPRO", f"{os.getpid()} {time.time()}")
    lock = FileLock(workspace.private / "repro.lock")
    if lock_is_held(lock):
        print("another repro is at work here; waiting for it to end", file=sys.stderr)
    with lock:
        yield


def _read(workspace: Workspace) -> Params:
    from versus import params as parameters

    params = parameters.read(workspace.params)
    if "plugins" not in params.model_fields_set:  # unlike the sections, a list can have no default in dvc.yaml
        raise ValueError(f"{workspace.params} has no `plugins`, which DVC's pipeline needs: add the line `plugins: []`")
    return params


def lock_is_held(lock: FileLock) -> bool:
    """Check if another process has the lock now."""
    try:
        with lock.acquire(blocking=False):
            return False
    except Timeout:
        return True


def _reproduce(
    workspace: Workspace,
    dvc_arguments: list[str],
    how: How,
    again: Failed,
) -> int:
    for mended in recovery.mend(workspace.root):
        print(f"repaired: {mended}", file=sys.stderr)
    if "--pull" in dvc_arguments:
        for stage in remote_outputs.restore(workspace.root):
            print(f"forgotten: {stage} in dvc.lock, whose outputs are nowhere to be had", file=sys.stderr)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {"PATH": path}
    if not (workspace.root / "stages").is_dir():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CODE), os.environ.get("PYTHONPATH")]))
    wanted = engine.wanted(dvc_arguments, again)
    unsupported = engine.unsupported()
    if unsupported:
        print(f"{unsupported}: `dvc repro` runs the stages instead, one by one", file=sys.stderr)
    if wanted is None or unsupported:
        if how.executor:
            raise ValueError("--executor goes with stages, --force, --single-item and --pull only")
        code = _call_dvc(workspace, dvc_arguments, environment)
    else:
        code = engine.reproduce(workspace, wanted, how.machine(workspace, environment))
    if code:  # not earlier: DVC may fetch a file that it tracks
        for missing in missing_files(_read(workspace), workspace.root):
            print(f"{missing}; `path` in params.yaml is relative to {workspace.root.resolve()}", file=sys.stderr)
    return code


def _call_dvc(workspace: Workspace, dvc_arguments: list[str], environment: Mapping[str, str]) -> int:
    # dvc ends with this process, even if this one is killed.
    command = [sys.executable, "-m", "versus.pipeline.lifeline", "dvc", str(os.getpid()), "repro", *dvc_arguments]
    return subprocess.run(command, cwd=workspace.root, env={**os.environ, **environment}, check=False).returncode


def missing_files(params: Params, base: Path) -> Iterator[str]:
    """Yield a message for each data set whose file is missing, with suggestions, which DVC's own message lacks."""
    from versus.data.sources import source_files

    for name, spec in params.files.items():
        if not (base / spec.path).exists():
            yield f"{name}: {source_files.absent(base, spec.path)}"
