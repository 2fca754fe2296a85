"""Cost of a whole run: ``versus repro`` against plain ``dvc repro``, against the work itself, and against a script.

    python -m benchmarks.engine [--sets moons wine] [--pairs 3] [--stages 300 3000]

1. The same project, first run and no-op, by each of the two ways in turns; ``--default`` takes all default cells. The
   work itself is the time of all fits and evaluations, one after the other, in one process with everything loaded.
   `benchmarks.plain_script` fits and scores the same cells.
2. DVC's own cost as cells grow: trivial stages, in one dvc.yaml and split into ten.

Everything happens in temporary copies of the working tree.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import cells
from versus import params as parameters
from versus.commands.repro import cores
from versus.data import prepared
from versus.settings import Cell
from versus.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
VERSUS, DVC = [sys.executable, "-m", "versus", "repro"], [sys.executable, "-m", "dvc", "repro"]
FILES = 10  # dvc.yaml files, where the stages are split
ALONE = 10  # stages that plain DVC runs to see what one costs
LONG = 2000  # stages from which on everything is run once, and three alone: it takes minutes


def call(folder: Path, command: list[str], **more: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder / "src"), "VERSUS_TRACKING": "off", **more}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed in {folder}:\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def copy(folder: Path, params: str | None) -> Path:
    """Copy the working tree without results, with other params if there are some."""
    listed = subprocess.check_output(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, text=True)
    for name in filter(None, listed.split("\0")):
        if not name.startswith(("reports/", "dvc.lock", "tests/")) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    if params is not None:
        (folder / "params.yaml").write_text(params, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def whole_runs(params: str | None, pairs: int) -> dict[str, list[float]]:
    """Return the seconds of first runs and no-ops in fresh copies, by the two ways in turns."""
    taken: dict[str, list[float]] = {f"{way} {what}": [] for way in ("versus", "dvc") for what in ("first", "no-op")}
    for pair in range(pairs):
        turns = [("versus", VERSUS), ("dvc", DVC)]
        for way, command in turns if pair % 2 == 0 else reversed(turns):
            with tempfile.TemporaryDirectory() as temporary:
                folder = copy(Path(temporary), params)
                for what in ("first", "no-op"):
                    taken[f"{way} {what}"].append(seconds(partial(call, folder, command)))
    return taken


def work_itself(folder: Path) -> float:
    """Return the seconds of all fits and evaluations in this process, after those of one data set to warm up."""
    os.chdir(folder)
    params = parameters.read(Path("params.yaml"))
    wanted = list(parameters.cells(params))

    def work(some: list[Cell]) -> None:
        for cell in some:
            for name in (f"train_{cell.family}", "evaluate"):
                importlib.import_module(f"stages.{name}").main(cell.name)

    work([cell for cell in wanted if cell.dataset == wanted[0].dataset])  # loads the libraries
    return seconds(partial(work, wanted))


def export(folder: Path, into: Path, sets: list[str]) -> None:
    """Write the rows of each data set and repeat for the plain script: validation rows are training rows there."""
    for name in sets:
        data = prepared.read(Workspace(folder).prepared(name))
        for repeat in range(data.repeats):
            (X, y), (X_test, y_test) = data.take(repeat, "train", "validation"), data.take(repeat, "test")
            np.savez(into / f"{name}-{repeat}.npz", X=X, y=y, X_test=X_test, y_test=y_test)


def compare(params: str | None, sets: list[str], pairs: int) -> dict[str, Any]:
    """Compare the ways to run a project; the script only where its cells are known."""
    taken = whole_runs(params, pairs)
    middle = {name: round(statistics.median(values), 2) for name, values in taken.items()}
    both = list(zip(taken["versus first"], taken["dvc first"], strict=True))
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryDirectory() as rows:
        folder = copy(Path(temporary), params)
        call(folder, [*VERSUS, *(f"prepare@{name}" for name in parameters.read(folder / "params.yaml").datasets)])
        command = [
            sys.executable,
            "-c",
            "import sys; from benchmarks import engine; print(engine.work_itself(sys.argv[1]))",
        ]
        work = float(call(folder, [*command, str(folder)], OMP_NUM_THREADS="1").split()[-1])
        script = [sys.executable, "-m", "benchmarks.plain_script", rows]
        if sets:
            export(folder, Path(rows), sets)
            middle["script"] = round(statistics.median(seconds(lambda: call(folder, script)) for _ in range(pairs)), 2)
    again = list(zip(taken["versus no-op"], taken["dvc no-op"], strict=True))
    return {
        "cells": len(
            re.findall(r"(?m)^  \S+-\S+: \{data", params or (ROOT / "params.yaml").read_text(encoding="utf-8"))
        ),
        "seconds": middle,
        "work": round(work, 2),
        "cores": cores(),
        "to_work": round(middle["versus first"] / (work / cores()), 2),
        "to_dvc": round(statistics.median(theirs / ours for ours, theirs in both), 2),
        "no_op_to_dvc": round(statistics.median(ours / theirs for ours, theirs in again), 2),
    }


def trivial(folder: Path, stages: int, files: int) -> list[str]:
    """Create a DVC project whose stages each copy one file; return the dvc.yaml files."""
    for part in range(files):
        place = folder / f"part{part}" if files > 1 else folder
        place.mkdir(exist_ok=True)
        lines = ["stages:"]
        for i in range(part, stages, files):
            (place / f"in{i}").write_text(str(i))
            lines += [f"  s{i}:", f"    cmd: cp in{i} out{i}", f"    deps: [in{i}]", f"    outs: [out{i}]"]
        (place / "dvc.yaml").write_text("\n".join(lines) + "\n")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=folder, check=True)
    (folder / ".versus").mkdir()
    return [f"part{part}/dvc.yaml" for part in range(files)] if files > 1 else ["dvc.yaml"]


RUN = """
import sys
from pathlib import Path
from versus.pipeline import engine
from versus.settings import Cell
from versus.workspace import Workspace
wanted, machine = engine.Wanted(tuple(sys.argv[2:])), engine.Machine(int(sys.argv[1]))
sys.exit(engine.reproduce(Workspace(Path()), wanted, machine))
"""


def growth(stages: int, files: int) -> dict[str, Any]:
    """Return milliseconds a stage: first run and no-op by Versus, no-op by DVC, and DVC's cost of running one stage."""
    times, alone = (3, ALONE) if stages < LONG else (1, 3)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        targets = trivial(folder, stages, files)
        ours = [sys.executable, "-c", RUN, str(cores()), *targets]
        paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
        first = seconds(lambda: call(folder, ours, **paths))
        no_op = statistics.median(seconds(lambda: call(folder, ours, **paths)) for _ in range(times))
        bare = statistics.median(seconds(lambda: call(folder, [*DVC, *targets])) for _ in range(times))
        start = "part0/dvc.yaml:" if files > 1 else ""
        some = [f"{start}s{i * files}" for i in range(min(alone, stages // files))]
        idle = seconds(lambda: call(folder, [*DVC, "--single-item", *some]))
        forced = seconds(lambda: call(folder, [*DVC, "--single-item", "--force", *some]))
    of_all = {"first": first, "no_op": no_op, "dvc_no_op": bare}
    result = {name: round(1000 * taken / stages, 1) for name, taken in of_all.items()}
    return {"stages": stages, "files": files, **result, "dvc_run": round(1000 * (forced - idle) / len(some), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(cells.SETS), choices=cells.SETS, help="data sets")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of each cell (default: 5)")
    parser.add_argument("--default", action="store_true", help="all default cells instead, without the script")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of whole runs (default: 3)")
    parser.add_argument("--stages", type=int, nargs="*", default=[300, 3000], help="numbers of trivial stages")
    parser.add_argument("--quick", action="store_true", help="one small pair, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.sets, options.repeats, options.pairs, options.stages = ["moons"], 1, 1, [30]
    params = None if options.default else cells.params(options.sets, options.repeats)
    result = {"benchmark": "engine", **compare(params, [] if options.default else options.sets, options.pairs)}
    print(f"{result['cells']} cells, seconds: {result['seconds']}")
    print(f"first run: {result['to_work']:.2f}× its fits and evaluations / cores (at most 1.6 is wanted)", end=", ")
    print(f"{result['to_dvc']:.2f}× faster than dvc repro (4 are wanted)")
    print(f"no-op: {result['no_op_to_dvc']:.2f}× the time of dvc repro (at most 1.2 is wanted)", flush=True)
    result["growth"] = []
    for stages in options.stages:
        for files in (1, FILES):
            result["growth"].append(growth(stages, files))
            print(f"a stage, ms: {result['growth'][-1]}", flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
