"""Inputs of the results, as the fingerprints of the stages have them, and those that differ from an earlier report's.

An input is a line of params, a data set, a file of code, or a library. The table of them stands in git beside the
scores, so that a later report can name what changed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from versus import manifest
from versus.report.files import write_csv
from versus.settings import Cell
from versus.workspace import Workspace

Input = tuple[str, str]  # kind and name
COLUMNS = ("kind", "name", "value")
SHORT = 12  # digits of a hash, enough to see that it changed
MOST_NAMES = 3
NOT_KNOWN = "not known: the report before kept no inputs"
NONE = "no recorded input: another machine, or chance"


class Inputs:
    """Inputs of the cells of a workspace.

    Args:
        workspace: holds the fingerprints and the prepared data.
        cells: every cell of the params.
    """

    def __init__(self, workspace: Workspace, cells: Iterable[Cell]) -> None:
        self.of_cells = {cell.name: dict(_of_cell(workspace, cell)) for cell in cells}
        self.of_report = dict(_of_stage(workspace.root, "compare", "comparison"))

    @cached_property
    def values(self) -> dict[Input, str]:
        """Every input with its value: params as JSON, hashes, versions."""
        return {name: value for found in (*self.of_cells.values(), self.of_report) for name, value in found.items()}

    def write(self, path: Path) -> None:
        """Write inputs.csv."""
        write_csv(path, COLUMNS, ((*name, value) for name, value in sorted(self.values.items())))

    def changed(self, cells: Iterable[str], before: Mapping[Input, str] | None, with_report: bool = False) -> str:
        """Name the inputs of some cells, and of the report itself if asked, that differ from those before."""
        if before is None:
            return NOT_KNOWN
        own = {name: value for cell in cells for name, value in self.of_cells.get(cell, {}).items()}
        own |= self.of_report if with_report else {}
        differ = [name for name, value in own.items() if before.get(name) != value]
        return "; ".join(_said(differ, own, before)) or NONE


def read(text: str | None) -> dict[Input, str] | None:
    """Read the text of inputs.csv; None where there is none."""
    if text is None:
        return None
    rows = csv.DictReader(io.StringIO(text))
    return {(row["kind"], row["name"]): row["value"] for row in rows if None not in row.values()}


def _of_cell(workspace: Workspace, cell: Cell) -> Iterator[tuple[Input, str]]:
    data = workspace.prepared(cell.dataset) / manifest.NAME
    if data.is_file():
        yield ("data", cell.dataset), manifest.sha256(data)[:SHORT]
    for stage in ("evaluate", "train"):  # the params of the second hold those of the first
        yield from _of_stage(workspace.root, f"{stage}-{cell.name}", cell.name)


def _of_stage(root: Path, stage: str, name: str) -> Iterator[tuple[Input, str]]:
    """Yield the lines of a fingerprint (`versus.pipeline.fingerprint`); none where the stage has not run here."""
    path = root / "data" / "fingerprints" / f"{stage}.txt"
    if not path.is_file():
        return
    params, *lines = path.read_text(encoding="utf-8").splitlines()
    given = json.loads(params)
    kept = {"comparison": given.get("comparison", {})} if stage == "compare" else given
    yield ("params", name), json.dumps(kept, ensure_ascii=False, sort_keys=True)
    for line in lines:
        value, _, file = line.partition("  ")
        library, _, version = line.partition("==")
        yield (("code", file), value[:SHORT]) if file else (("library", library), version)


def _said(differ: list[Input], now: Mapping[Input, str], before: Mapping[Input, str]) -> Iterator[str]:
    """Yield a phrase for each kind of input that differs."""
    for name in (name for kind, name in differ if kind == "params"):
        given = before.get(("params", name))
        new = json.loads(now["params", name])
        yield f"params: {_edits(json.loads(given), new)}" if given is not None else f"{name} is new"
    for name in (name for kind, name in differ if kind == "data"):
        yield f"data of {name}"
    files = [Path(name).as_posix().removeprefix("src/versus/") for kind, name in differ if kind == "code"]
    if files:
        more = f" and {len(files) - MOST_NAMES} more" if len(files) > MOST_NAMES else ""
        yield f"code: {', '.join(files[:MOST_NAMES])}{more}"
    for kind, name in differ:
        if kind == "library":
            yield f"{name} {before.get((kind, name), '–')} → {now[kind, name]}"


def _edits(before: Any, now: Any, at: str = "") -> str:
    """Name the keys whose values differ, ``args.C 1.0 → 3``."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return f"{at.strip('.')} {json.dumps(before)} → {json.dumps(now)}"
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    return ", ".join(_edits(before.get(key), now.get(key), f"{at}.{key}") for key in keys)
