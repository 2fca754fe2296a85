"""Provenance of the results: facts from the caller, and facts from the files themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from versus.report import costs, formatting
from versus.report.dataset_results import DatasetResults
from versus.report.results import Results
from versus.settings import Cell

NAME, TITLE = "provenance", "Provenance"


def content(results: Results) -> dict[str, Any]:
    """Return the provenance of the results as a whole, and of each cell."""
    folders = {d.name: results.workspace.prepared(d.name) for d in results.datasets}
    return {
        "provenance": provenance_of(results.provenance, results.datasets, folders),
        "runs": cell_runs(results.datasets, results.provenance.get("runs") or {}),
    }


@dataclass(frozen=True)
class CellRun:
    """Device, precision and rows of a cell's fit, and the query for its MLflow run (None where not known)."""

    cell: Cell
    device: str
    precision: str
    n_train: str
    run: Any


def provenance_of(
    given: Mapping[str, Any], datasets: Sequence[DatasetResults], folders: Mapping[str, Path]
) -> dict[str, Any]:
    """Return the caller's provenance, with how to reproduce it, the cost of the fits, and the hashes of the data.

    Args:
        given: nested mappings, sequences and scalars; its entry "runs" is for `cell_runs`.
        datasets: the data sets of the report.
        folders: their prepared folders.
    """
    found = {key: value for key, value in given.items() if key != "runs"}
    if "hardware" in found:
        found["hardware"] = _in_units(found["hardware"])
    if given.get("commit"):
        found["reproduce"] = _reproduction(str(given["commit"]), bool(given.get("dirty")))
    fits = [repeat for d in datasets for e in d.evaluations for repeat in e.training.get("repeats", [])]
    if fits:
        seconds = sum(float(fit["seconds"]) for fit in fits if fit.get("seconds") is not None)
        together = costs.side_by_side([e for d in datasets for e in d.evaluations])
        shared = f", up to {together} side by side" if together > 1 else ""
        found["fitting"] = f"{len(fits)} fits, {formatting.duration(seconds)} in all{shared}"
    machines = _machines(datasets)
    if machines and machines != [given.get("hardware")]:
        found["machine of the fits"] = list(map(_in_units, machines)) if len(machines) > 1 else _in_units(machines[0])
    found["data, SHA-256"] = {name: folder_hash(folder) for name, folder in folders.items()}
    return found


def _in_units(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Give the bytes of a machine's memory as GB (10⁹)."""
    found = dict(machine)
    if "memory_bytes" in found:
        found["memory"] = f"{found.pop('memory_bytes') / 1e9:.1f} GB"
    return found


def _reproduction(commit: str, dirty: bool) -> str:
    command = f"git checkout {commit[:12]} && versus repro"
    return f"{command} (the working tree had changes, which that commit does not hold)" if dirty else command


def _machines(datasets: Sequence[DatasetResults]) -> list[Mapping[str, Any]]:
    """List the machines that fitted the cells, each once: they may differ from the one that compares."""
    found: list[Mapping[str, Any]] = []
    for dataset in datasets:
        for evaluation in dataset.evaluations:
            machine = evaluation.training.get("hardware")
            if machine and machine not in found:
                found.append(machine)
    return found


def cell_runs(datasets: Sequence[DatasetResults], runs: Mapping[str, Any]) -> list[CellRun]:
    """Return a row for each evaluated cell; ``runs`` maps cells to the queries for their MLflow runs."""
    found = []
    for evaluation in (e for dataset in datasets for e in dataset.evaluations):
        fit = (evaluation.training.get("repeats") or [{}])[0]
        found.append(
            CellRun(
                cell=evaluation.cell,
                device=str(fit.get("device") or formatting.NONE),
                precision=str(fit.get("precision") or formatting.NONE),
                n_train=formatting.count(fit["n_train"]) if fit.get("n_train") else formatting.NONE,
                run=runs.get(evaluation.cell.name),
            )
        )
    return found


def folder_hash(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of a folder's files."""
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                total.update(path.name.encode("utf-8") + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
