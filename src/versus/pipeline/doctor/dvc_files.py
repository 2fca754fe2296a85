"""Checks of DVC's own files, which a kill can leave half written or with the id of a process that is gone.

DVC's other locks, and those of Versus, need no repair: the operating system releases them with the process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from versus.pipeline import lifeline, recovery
from versus.pipeline.doctor.finding import Finding


def damaged_config(root: Path) -> Iterator[Finding]:
    """Yield a finding for each file of DVC's configuration that DVC cannot read."""
    for path, reason in recovery.damaged_configs(root):
        yield Finding(
            f"{path} is no configuration that DVC can read: {reason}",
            f"correct that line, or `git checkout {path}` if it is committed",
            partial(recovery.restore_config, path),
        )


def no_git(root: Path) -> Iterator[Finding]:
    """Yield a finding if DVC expects a git repository where there is none."""
    if recovery.lacks_git(root):
        yield Finding(
            "DVC expects a git repository, and there is none, as after the download of a zip",
            "`git init`; or without git `dvc config --local core.no_scm true`, as `versus repro` does",
            partial(recovery.do_without_git, root),
        )


def of_wrong_kind(root: Path) -> Iterator[Finding]:
    """Yield a finding for each file where a folder of locks and copies belongs, and the reverse."""
    for path in recovery.of_wrong_kind(root):
        found, wanted = ("folder", "file") if path.is_dir() else ("file", "folder")
        problem = f"{path} is a {found}, where a {wanted} belongs"
        yield Finding(problem, f"remove {path}", partial(recovery.remove_of_wrong_kind, path))


def damaged_lock(root: Path) -> Iterator[Finding]:
    """Yield a finding if dvc.lock is cut off or holds something that DVC does not write."""
    if not recovery.lock_is_damaged(root):
        return
    if recovery.has_copy(root):
        mend = f"`versus repro` restores it from {recovery.COPY.as_posix()}, which the last stage kept"
    else:
        mend = "`git checkout dvc.lock` where it is committed; else remove it, and `dvc repro` fetches what was made"
    yield Finding("dvc.lock is cut off, or not DVC's", mend, partial(recovery.restore_lock, root))


def damaged_rwlock(root: Path) -> Iterator[Finding]:
    """Yield a finding if DVC cannot use its rwlock, the note of readers and writers."""
    if recovery.rwlock_is_damaged(root):
        problem = f"{recovery.RWLOCK.as_posix()} is empty, cut off, or not DVC's"
        yield Finding(problem, f"remove {root / recovery.RWLOCK}", partial(recovery.remove_rwlock, root))


def stale_rwlock(root: Path) -> Iterator[Finding]:
    """Yield a finding if the rwlock makes DVC wait for processes that are gone or whose id another program now has."""
    path = root / recovery.RWLOCK
    if not path.is_file() or recovery.rwlock_is_damaged(root):
        return
    holders = _holders(json.loads(path.read_text(encoding="utf-8")))
    if not holders or any(_is_dvc(number) for number in holders):
        return
    named = ", ".join(f"{number} ({command})" for number, command in sorted(holders.items()))
    yield Finding(
        f"{recovery.RWLOCK.as_posix()} names processes that no longer run: {named}",
        f"remove {path}",
        partial(_remove_stale, root),
    )


def _holders(rwlock: dict[str, dict[str, Any]]) -> dict[int, str]:
    """Process id -> command of every reader and writer in the rwlock."""
    found: dict[int, str] = {}
    for entries in (*rwlock.get("write", {}).values(), *rwlock.get("read", {}).values()):
        for entry in entries if isinstance(entries, list) else [entries]:
            found[int(entry["pid"])] = str(entry["cmd"])
    return found


def _is_dvc(number: int) -> bool:
    try:
        return lifeline.is_dvc(psutil.Process(number))
    except psutil.NoSuchProcess:
        return False


def _remove_stale(root: Path) -> str:
    if next(stale_rwlock(root), None) is None:
        raise OSError(f"{recovery.RWLOCK.as_posix()} has come into use")
    (root / recovery.RWLOCK).unlink()
    return f"removed {root / recovery.RWLOCK}"


def dvc_at_work(root: Path) -> list[psutil.Process]:
    """Return the `dvc` processes that run in this project's folder or below, except in nested DVC projects."""
    root = root.resolve()
    return [p for p in psutil.process_iter() if lifeline.is_dvc(p) and _project(p) == root]


def _project(process: psutil.Process) -> Path | None:
    """Path of the DVC project that a process works in; None if there is none."""
    try:
        folder = Path(process.cwd())
    except psutil.Error:
        return None
    return next((parent for parent in (folder, *folder.parents) if (parent / ".dvc").is_dir()), None)


def outside_the_lock(found: list[psutil.Process]) -> Iterator[Finding]:
    """Yield a finding for each `dvc` that runs outside `versus repro`.

    Such a process is never ended here: a person may have started it, and it may have worked for hours.
    """
    for process in found:
        try:
            started = time.strftime("%Y-%m-%d %H:%M", time.localtime(process.create_time()))
            command = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue  # it has just ended
        yield Finding(
            f"`{command}` is at work here (process {process.pid}, since {started}), and not under `versus repro`",
            f"wait for its end, or end it with `kill {process.pid}` if nobody wants it; then look again",
        )
