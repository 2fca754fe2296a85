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
import sqlite3
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
from versus.tracking.run_log import CURRENT, FINGERPRINT

VERSUS = [sys.executable, "-m", "versus"]
COLUMNS, FOLDS = 30, 5
CELLS = ("prior", "logistic_regression", "naive_bayes")
FAMILIES = ("discriminative", "classical_generative", "deep_generative")
SECTIONS = ("datasets", "files", *FAMILIES)
EMPTY = "seed: 0\nplugins: []\ntraining: {device: cpu}\n" + "".join(f"{key}: {{}}\n" for key in SECTIONS)
UNITS = ("seconds", "cpu")
EVERY = 0.2  # seconds between two looks at the memory


def memory(process: psutil.Process) -> int:
    """Return the sum of the proportional set sizes of a process and its children, in bytes."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += one.memory_full_info().pss
    return total


def measured(command: Sequence[str], folder: Path, **more: str) -> dict[str, Any]:
    """Run a command in a process of its own; return seconds, peak memory in MiB, and its output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": f"{folder}{os.pathsep}{folder / 'src'}", **more}
    begin, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = 0
    with tempfile.TemporaryFile("w+") as said:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT)
        process = psutil.Process(running.pid)
        while running.poll() is None:
            peak = max(peak, memory(process))
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
        "mib": round(peak / 2**20),
        "output": output,
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
    report = (folder / "reports/report.html").stat().st_size
    return {
        "add": add["seconds"],
        "repro": repro["seconds"],
        "seconds": round(add["seconds"] + repro["seconds"], 2),
        "cpu": round(add["cpu"] + repro["cpu"], 2),
        "mib": max(add["mib"], repro["mib"]),
        "mib_add": add["mib"],
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


def of_classes(classes: int) -> Iterator[dict[str, Any]]:
    """A csv of thousands of classes, with five rows each."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy(Path(temporary), EMPTY)
        csv = folder / "data/raw/big.csv"
        csv.parent.mkdir(exist_ok=True)
        write_table(csv, 5 * classes, classes, 10)
        yield {"what": f"{classes:,} classes, {5 * classes:,} rows, 2 cells", **added(folder, csv, CELLS[::2])}


# Cheap models of both families, in turns.
CHEAP = (
    ("discriminative", "module: linear, class: LogisticRegression"),
    ("classical_generative", "module: naive_bayes, class: GaussianNaiveBayes"),
    ("discriminative", "module: trees, class: DecisionTree"),
    ("classical_generative", "module: gaussian, class: GaussianClassifier"),
    ("discriminative", "module: baseline, class: PriorBaseline"),
)


def of_cells(cells: int) -> Iterator[dict[str, Any]]:
    """Hundreds of cells that take no time: a first run, a no-op, the page."""
    sets = [f"moons{k}" for k in range(10)]
    lines = [f"  {name}: {{source: embedded, name: moons, rows: 100, repeats: 1, seed: {name[5:]}}}" for name in sets]
    params = EMPTY.replace("datasets: {}", "\n".join(["datasets:", *lines]))
    for family in ("discriminative", "classical_generative"):
        fits = [
            f"  {sets[k % 10]}-model{k // 10}: {{data: {sets[k % 10]}, {CHEAP[k // 10 % len(CHEAP)][1]}}}"
            for k in range(cells)
            if CHEAP[k // 10 % len(CHEAP)][0] == family
        ]
        params = params.replace(f"\n{family}: {{}}", "\n".join([f"\n{family}:", *fits]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy(Path(temporary), params)
        first, again = (measured([*VERSUS, "repro"], folder, VERSUS_TRACKING="off") for _ in range(2))
        compare = measured([sys.executable, "-m", "stages.compare"], folder, VERSUS_TRACKING="off")
        yield {
            "what": f"{cells} cells of {len(sets)} data sets",
            **{f"first_{unit}": first[unit] for unit in UNITS},
            **{f"no_op_{unit}": again[unit] for unit in UNITS},
            **{f"compare_{unit}": compare[unit] for unit in UNITS},
            "mib": max(first["mib"], again["mib"], compare["mib"]),
            "mib_compare": compare["mib"],
            "report_mib": round((folder / "reports/report.html").stat().st_size / 2**20, 2),
        }


def of_runs(runs: int) -> Iterator[dict[str, Any]]:
    """A store with the history of many runs: the commands that ask it, and a run that changes one cell."""
    cells = "discriminative:\n  iris-prior: {data: iris, module: baseline, class: PriorBaseline}\n"
    params = EMPTY.replace("datasets: {}", "datasets:\n  iris: {source: embedded, name: iris}")
    cells += "  iris-logistic_regression: {data: iris, module: linear, class: LogisticRegression}"
    params = params.replace("discriminative: {}", cells)
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy(Path(temporary), params)
        took: dict[str, list[float]] = {}  # seconds, and those of processors
        local = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}

        def timed(command: str, what: str) -> None:
            found = measured([*VERSUS, command], folder, **local)
            took[f"{command}, {what}"] = [found[unit] for unit in UNITS]

        measured([*VERSUS, "repro"], folder, **local)
        for command in ("sync", "gate", "repro"):
            timed(command, "2 runs")
        clone_runs(folder / "mlflow.db", runs)
        for command in ("sync", "gate", "repro"):
            timed(command, f"{runs:,} runs")
        if (left := active_runs(folder / "mlflow.db")) != runs:
            sys.exit(f"of {runs} runs, which all are history or newest results, {left} are left")
        text = (folder / "params.yaml").read_text(encoding="utf-8")
        (folder / "params.yaml").write_text(text.replace("seed: 0", "seed: 1"), encoding="utf-8")
        timed("repro", "2 changed cells")
        yield {"what": f"store of {runs:,} runs", **took}


def clone_runs(store: Path, wanted: int) -> None:
    """Copy finished runs as history, with their metrics, params and tags, until the store has so many.

    Each copy has a fingerprint of its own, as results have that another run replaced: of equal ones `sync` keeps one.
    """
    with sqlite3.connect(store) as database:
        tables = ("params", "metrics", "latest_metrics", "tags")
        columns = {
            table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in ("runs", *tables)
        }
        found = [row[0] for row in database.execute("SELECT run_uuid FROM runs WHERE status = 'FINISHED'")]
        for number in range(wanted - len(found)):
            old, new = found[number % len(found)], f"{number:032x}"
            for table, names in columns.items():
                listed = ", ".join(names)
                chosen = ", ".join("?" if name == "run_uuid" else name for name in names)
                history = f" AND key NOT IN ('{CURRENT}')" if table == "tags" else ""
                sql = f"INSERT INTO {table} ({listed}) SELECT {chosen} FROM {table} WHERE run_uuid = ?{history}"
                database.execute(sql, (new, old))
            database.execute("UPDATE tags SET value = ? WHERE run_uuid = ? AND key = ?", (new, new, FINGERPRINT))


def active_runs(store: Path) -> int:
    """Count the runs that are not deleted, without children, which have no fingerprint."""
    with sqlite3.connect(store) as database:
        sql = "SELECT COUNT(*) FROM runs JOIN tags USING (run_uuid) WHERE lifecycle_stage = 'active' AND key = ?"
        return int(database.execute(sql, (FINGERPRINT,)).fetchone()[0])


PARTS: dict[str, tuple[Callable[[int], Iterator[dict[str, Any]]], int, int]] = {  # sizes: in full, and with --quick
    "table": (of_table, 1_000_000, 20_000),
    "classes": (of_classes, 5_000, 100),
    "cells": (of_cells, 500, 20),
    "runs": (of_runs, 20_000, 200),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"parts to run: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rows", type=int, help="rows, classes, cells or runs, if one part is run (default: in full)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--script", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.script is not None:
        script(options.script)
        return
    for part in options.parts or PARTS:
        measure, full, quick = PARTS[part]
        for found in measure(options.rows or (quick if options.quick else full)):
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
