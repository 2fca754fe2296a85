"""Repair DVC's own files after a kill, as DVC does not write them atomically.

Each stage keeps a copy of dvc.lock when it starts (`keep_lock`), while DVC is not writing. A kill while DVC rewrites
the file leaves half of it; the copy lacks at most the last finished stage, which DVC's run cache then restores.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

COPY = Path(".versus") / "dvc.lock"
RWLOCK = Path(".dvc") / "tmp" / "rwlock"
REWRITE = 0.2  # seconds in which a DVC at work finishes a file that it is rewriting


def keep_lock(root: Path) -> None:
    """Keep a copy of dvc.lock, put in place by a rename so that it is never half written."""
    lock, copy = root / "dvc.lock", root / COPY
    if not lock.is_file():
        return
    copy.parent.mkdir(exist_ok=True)
    aside = copy.with_suffix(f".{os.getpid()}")
    shutil.copyfile(lock, aside)
    aside.replace(copy)


def mend(root: Path) -> Iterator[str]:
    """Restore a damaged dvc.lock and remove a damaged rwlock; yield one line for each action."""
    if lock_is_damaged(root):
        yield restore_lock(root)
    if rwlock_is_damaged(root):
        yield remove_rwlock(root)


def lock_is_damaged(root: Path) -> bool:
    """Check whether there is a dvc.lock that DVC cannot use."""
    return _stays_damaged(root / "dvc.lock", _is_lockfile)


def rwlock_is_damaged(root: Path) -> bool:
    """Check whether there is an rwlock, DVC's note of readers and writers, that DVC cannot use; an empty one counts."""
    return _stays_damaged(root / RWLOCK, _is_rwlock)


def restore_lock(root: Path) -> str:
    """Replace dvc.lock by its copy, or remove it if there is no copy; return a description of the action."""
    lock, copy = root / "dvc.lock", root / COPY
    if has_copy(root):
        shutil.copyfile(copy, lock)
        return "dvc.lock was cut off; restored from the copy that the last stage kept"
    lock.unlink()
    return "dvc.lock was cut off and had no copy; removed, DVC's run cache will give the results back"


def has_copy(root: Path) -> bool:
    """Check whether there is a usable copy of dvc.lock."""
    return (root / COPY).is_file() and _is_lockfile(root / COPY)


def remove_rwlock(root: Path) -> str:
    """Remove DVC's rwlock, which DVC writes again; return a description of the action."""
    (root / RWLOCK).unlink()
    return f"{RWLOCK.as_posix()} was cut off; removed"


def _stays_damaged(path: Path, is_whole: Callable[[Path], bool]) -> bool:
    """Check whether a file is damaged now and a moment later: DVC may just be rewriting it."""
    for pause in (REWRITE, 0.0):
        if not path.is_file() or is_whole(path):
            return False
        time.sleep(pause)
    return True


def _is_lockfile(path: Path) -> bool:
    """Check that DVC can use the file and wrote it to the end: YAML with the lock file's schema, in whole lines."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from voluptuous import Invalid

    try:
        text = path.read_text(encoding="utf-8")
        COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe").load(text))
    except (YAMLError, Invalid, UnicodeDecodeError):
        return False
    return text.endswith("\n")


def _is_rwlock(path: Path) -> bool:
    """Check that DVC can use the file: JSON with the schema of the readers and writers of each path."""
    from dvc.rwlock import SCHEMA
    from voluptuous import Invalid

    try:
        SCHEMA(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, Invalid):
        return False
    return True
