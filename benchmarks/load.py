"""Load: a large table against a plain script, thousands of classes, hundreds of cells, a store with many runs.

    python -m benchmarks.load [table] [classes] [cells] [runs] [--rows 1000000] [--quick]

Each part works in a temporary copy of the working tree. Times are wall-clock seconds; memory is the largest sum of the
proportional set sizes (PSS: shared pages are counted once) of a process and all that it started, in MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from ruamel.yaml import YAML

from benchmarks.engine import copy
from versus.workspace import Workspace

VERSUS = [sys.executable, "-m", "versus"]
COLUMNS, FOLDS = 30, 5
CELLS = ("prior", "logistic_regression", "naive_bayes")
FAMILIES = ("discriminative", "classical_generative", "deep_generative")
EMPTY = "seed: 0\ntraining: {device: cpu}\n" + "".join(f"{key}: {{}}\n" for key in ("datasets", "files", *FAMILIES))
EVERY = 0.2  # seconds between two looks at the memory
ALLOWED_TIME, ALLOWED_MEMORY = 2.0, 1.5


def memory(process: psutil.Process) -> dict[str, int]:
    """Return the proportional set size of a process and of each of its children, in bytes, by process and command."""
    found: dict[str, int] = {}
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found[f"{one.pid} {' '.join(one.cmdline())}"] = one.memory_full_info().pss
    return found


def measured(command: Sequence[str], folder: Path, **more: str) -> dict[str, Any]:
    """Run a command in a process of its own; return seconds, peak memory in MiB, and its output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": f"{folder}{os.pathsep}{folder / 'src'}", **more}
    begin, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    peak: dict[str, int] = {}
    with tempfile.TemporaryFile("w+") as said:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT)
        process = psutil.Process(running.pid)
        while running.poll() is None:
            peak = max(peak, memory(process), key=lambda found: sum(found.values()))
            with suppress(subprocess.TimeoutExpired):
                running.wait(EVERY)
        took, now = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        said.seek(0)
        output = said.read()
    if running.returncode:
        sys.exit(f"{' '.join(command)} failed in {folder}:\n{output}")
    return {
        "seconds": round(took, 2),
        "cpu": round(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, 2),
        "mib": round(sum(peak.values()) / 2**20),
        "output": output,
        "who": {name[:90]: round(size / 2**20) for name, size in peak.items()},
    }


def write_table(path: Path, rows: int, classes: int, columns: int) -> None:
    """Write a csv whose columns are normal around a mean of the class of the row, with three decimals."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(classes, columns))
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*(f"x{d}" for d in range(columns)), "y"]) + "\n")
        for start in range(0, rows, 10_000):
            y = (start + np.arange(min(10_000, rows - start))) % classes
            X = means[y] * 0.3 + rng.normal(size=(len(y), columns))
            lines = np.column_stack([np.char.mod("%.3f", X), np.char.mod("c%d", y)])
            file.write("\n".join(",".join(line) for line in lines) + "\n")


def keep(params: Path, cells: Sequence[str]) -> None:
    """Drop all cells of params.yaml but those of these models."""
    yaml = YAML(typ="rt")
    tree = yaml.load(params.read_text(encoding="utf-8"))
    for family in FAMILIES:
        for cell in [cell for cell in tree[family] if cell.partition("-")[2] not in cells]:
            del tree[family][cell]
    with params.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)


def added(folder: Path, csv: Path, cells: Sequence[str], *options: str) -> dict[str, Any]:
    """Run `versus add` and `versus repro` on a csv with these cells; return the figures of both."""
    add = measured([*VERSUS, "add", str(csv), "--target", "y", "--name", "big", *options], folder)
    keep(folder / "params.yaml", cells)
    repro = measured([*VERSUS, "repro"], folder, VERSUS_TRACKING="off")
    report = (Workspace(folder).root / "reports/report.html").stat().st_size
    return {
        "add": add["seconds"],
        "repro": repro["seconds"],
        "seconds": round(add["seconds"] + repro["seconds"], 2),
        "cpu": round(add["cpu"] + repro["cpu"], 2),
        "mib": max(add["mib"], repro["mib"]),
        "mib_add": add["mib"],
        "who": repro["who"],
        "report_mib": round(report / 2**20, 2),
    }


def script(path: Path) -> None:
    """Fit and score the same cells with pandas and scikit-learn, as a person would who needs the numbers once."""
    import pandas as pd
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, brier_score_loss, log_loss, roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = pd.read_csv(path)
    y = frame.pop("y").astype("category").cat.codes.to_numpy()
    models: dict[str, Callable[[], Any]] = {
        "prior": DummyClassifier,
        "logistic_regression": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
        "naive_bayes": GaussianNB,
    }
    found: dict[str, list[Any]] = {name: [] for name in models}
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(frame, y):
        X, X_test = frame.iloc[train], frame.iloc[test]
        for name, model in models.items():
            p = model().fit(X, y[train]).predict_proba(X_test)
            answers = p.argmax(axis=1)
            scores = [accuracy_score(y[test], answers), balanced_accuracy_score(y[test], answers)]
            scores += [log_loss(y[test], p), roc_auc_score(y[test], p[:, 1]), brier_score_loss(y[test], p[:, 1])]
            found[name].append(scores)
    print(json.dumps({name: np.mean(scores, axis=0).tolist() for name, scores in found.items()}))


def of_table(rows: int) -> Iterator[dict[str, Any]]:
    """A csv of many rows through `add` and three cheap cells, against the plain script."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy(Path(temporary), EMPTY)
        csv = folder / "data/raw/big.csv"
        csv.parent.mkdir(exist_ok=True)
        write_table(csv, rows, 2, COLUMNS)
        peer = measured([sys.executable, "-m", "benchmarks.load", "--script", str(csv)], folder, OMP_NUM_THREADS="1")
        ours = added(folder, csv, CELLS)
        theirs = json.loads(peer["output"].splitlines()[-1])
        same = {name: scores[0] for name, scores in theirs.items()}
        check(folder, same)
    yield {
        "what": f"csv of {rows:,} × {COLUMNS}, {len(CELLS)} cells, {FOLDS} folds",
        **ours,
        "peer_seconds": peer["seconds"],
        "peer_cpu": peer["cpu"],
        "peer_mib": peer["mib"],
        "time": round(ours["seconds"] / peer["seconds"], 2),
        "memory": round(ours["mib"] / peer["mib"], 2),
    }


def check(folder: Path, accuracy: dict[str, float]) -> None:
    """Exit unless the accuracies are those of the script, but for the folds, which are drawn otherwise."""
    import pandas as pd

    table = pd.read_csv(folder / "reports/comparison.csv")
    for name, expected in accuracy.items():
        rows = table[(table["cell"] == f"big-{name}") & (table["metric"] == "accuracy_score")]
        if not len(rows) or abs(float(rows["mean"].iloc[0]) - expected) > 0.01:
            sys.exit(f"big-{name}: accuracy {rows.to_dict('records')}, and {expected} by the script")


PARTS: dict[str, Callable[[int], Iterator[dict[str, Any]]]] = {"table": of_table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"parts to run: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large table (default: 1,000,000)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--script", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.script is not None:
        script(options.script)
        return
    for part in options.parts or PARTS:
        for found in PARTS[part](20_000 if options.quick else options.rows):
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
