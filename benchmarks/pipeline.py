"""Overhead of the pipeline besides its fits: a repro with nothing to do, and a cell whose fit is trivial.

The first is compared with DVC itself, with the same number of stages that each depend on one file and write one. Run it
in a workspace that has been reproduced: ``python -m benchmarks.pipeline``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Cells of the default params whose fit takes almost no time: one that only predicts, one with samples to judge.
TRIVIAL = {"iris-prior": "discriminative", "iris-naive_bayes": "classical_generative"}
DVC = [sys.executable, "-m", "dvc"]
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def call(folder: Path, *arguments: str) -> str:
    done = subprocess.run([*DVC, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"dvc {' '.join(arguments)} failed in {folder}:\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(folder: Path) -> float:
    """Return the wall time, in seconds, of a repro that has nothing to do; exit where it ran a stage."""
    begin = time.perf_counter()
    output = call(folder, "repro")
    took = time.perf_counter() - begin
    if "Running stage" in output:
        sys.exit(f"{folder} was not up to date; run `make repro` first")
    return took


def trivial_pipeline(folder: Path, stages: int) -> None:
    """Create a DVC project with the given number of stages, each of which copies one file."""
    lines = ["stages:"]
    for i in range(stages):
        (folder / f"in{i}").write_text(str(i))
        lines += [f"  s{i}:", f"    cmd: cp in{i} out{i}", f"    deps: [in{i}]", f"    outs: [out{i}]"]
    (folder / "dvc.yaml").write_text("\n".join(lines) + "\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    call(folder, "init", "-q")
    call(folder, "repro", "-q")


def no_op(project: Path, pairs: int) -> dict[str, float]:
    """Return the median seconds of a no-op repro here and of bare DVC, and the median of the ratios of the pairs."""
    stages = len(re.findall(r"Stage '", call(project, "repro")))
    with tempfile.TemporaryDirectory() as temporary:
        bare = Path(temporary)
        trivial_pipeline(bare, stages)
        timed = [(seconds(project), seconds(bare)) for _ in range(pairs)]
    return {
        "stages": stages,
        "versus_seconds": statistics.median(a for a, _ in timed),
        "bare_dvc_seconds": statistics.median(b for _, b in timed),
        "ratio": statistics.median(a / b for a, b in timed),
    }


def trivial_cell(project: Path, family: str, cell: str, runs: int) -> float:
    """Return the median seconds from the start of training until a cell with a trivial fit is evaluated and logged."""
    stages = [f"{verb}_{family}@{cell}" for verb in ("train", "evaluate")]
    command = [*DVC, "repro", "--single-item", "--force", "--no-run-cache", *stages]
    timed = []
    for _ in range(runs):
        with subprocess.Popen(command, cwd=project, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as dvc:
            assert dvc.stdout is not None
            begin = next((time.perf_counter() for line in dvc.stdout if stages[0] in line), None)
            dvc.stdout.read()
        if dvc.returncode or begin is None:
            sys.exit(f"{' '.join(command)} failed in {project}")
        timed.append(time.perf_counter() - begin)
    return statistics.median(timed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path(), help="a reproduced workspace (default: this folder)")
    parser.add_argument("--pairs", type=int, default=7, help="timed pairs (default: 7)")
    parser.add_argument("--quick", action="store_true", help="two pairs, to see that it works")
    options = parser.parse_args()
    pairs = 2 if options.quick else options.pairs
    result: dict[str, Any] = {"benchmark": "pipeline", **no_op(options.project, pairs)}
    result["trivial_cells"] = {
        cell: trivial_cell(options.project, family, cell, min(pairs, 3)) for cell, family in TRIVIAL.items()
    }
    print(f"no-op repro of {result['stages']} stages: {result['versus_seconds']:.2f} s, bare DVC", end=" ")
    print(f"{result['bare_dvc_seconds']:.2f} s, ratio {result['ratio']:.2f} (at most 1.2 is wanted)")
    for cell, took in result["trivial_cells"].items():
        print(f"trivial cell {cell}: {took:.2f} s (at most 5 is wanted)")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
