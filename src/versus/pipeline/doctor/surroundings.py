"""Checks of what surrounds a workspace: tested versions of libraries, free disk space, the store of MLflow's runs."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from versus.pipeline import verification
from versus.pipeline.doctor.finding import Finding
from versus.tracking import destination, store
from versus.workspace import Workspace

LEAST_FREE = 10**9  # bytes
MOST_NAMED = 8


def disk_space(root: Path, least: int = LEAST_FREE) -> Iterator[Finding]:
    """Yield a finding for each disk with too little free space for the results or for DVC's cache."""
    cache = verification.cache_folder(root)
    while not cache.is_dir() and cache != cache.parent:
        cache = cache.parent
    for folder in {place.stat().st_dev: place for place in (cache, root)}.values():
        free = shutil.disk_usage(folder).free
        if free < least:
            yield Finding(
                f"{free / 1e6:.0f} MB are free for {folder.resolve()}, and {least / 1e6:.0f} should be",
                "make room; `dvc gc --workspace` drops cached results that this checkout does not use",
            )


def environment(constraints: Path) -> Iterator[Finding]:
    """Yield a finding if installed libraries differ from the tested versions. A missing library is no fault."""
    if not constraints.is_file():
        return
    differing = []
    for name, wanted in pins(constraints.read_text(encoding="utf-8")).items():
        found = _installed(name)
        if found is not None and found != wanted:
            differing.append(f"{name} {found} (tested: {wanted})")
    if differing:
        named = ", ".join(differing[:MOST_NAMED])
        more = f" and {len(differing) - MOST_NAMED} more" if len(differing) > MOST_NAMED else ""
        yield Finding(
            f"other versions are installed than {constraints.name} pins: {named}{more}",
            f"`python -m pip install -c {constraints} -e {constraints.parent}`, or `make clean` and `make repro`",
        )


def pins(text: str) -> dict[str, str]:
    """Read library -> version from the text of a constraints file."""
    found = (re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def _installed(name: str) -> str | None:
    """Installed version without its build tag, such as ``+cpu``; None if it is not installed."""
    try:
        return importlib.metadata.version(name).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


BESIDE = ("-wal", "-shm")  # what sqlite keeps beside a database


def damaged_store(workspace: Workspace) -> Iterator[Finding]:
    """Yield a finding if the store is no database, is cut off, has damaged pages, or was copied or moved here.

    Servers are not checked.
    """
    to = destination.find(workspace.root)
    file = to.sqlite_file
    if file is None or not file.is_file():
        return
    fault = store.fault_of(file)
    if fault:
        yield Finding(
            f"{file} is not a usable MLflow store: {fault}",
            f"move it away, with {' and '.join(file.name + end for end in BESIDE)}; `versus sync` fills a new one",
            partial(_move_aside, file),
        )
    elif former := store.former_artifacts(to):
        yield Finding(
            f"{file} was copied or moved here: its runs have their artifacts in {former}",
            "the next command that opens it lets them have those beside it",
            lambda: f"the runs that came from {store.relocate(to)} have their artifacts beside {file.name} now",
        )


def _move_aside(file: Path) -> str:
    """Rename the store and its companion files; they are not deleted, as they may hold runs of other workspaces."""
    kept = file.with_name(f"{file.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
    for end in ("", *BESIDE):
        part = file.with_name(file.name + end)
        if part.exists():
            part.rename(kept.with_name(kept.name + end))
    return f"moved {file} to {kept.name}; `versus sync` fills a new one"
