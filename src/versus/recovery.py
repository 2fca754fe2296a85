"""Mend what a kill may leave of DVC's own files, which it does not write atomically.

Each stage keeps a copy of dvc.lock as it starts (`keep_lock`), when DVC is not writing. A kill while DVC rewrites the
file leaves half of it; the copy lacks at most the last finished stage, which DVC's run cache then gives back.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

COPY = Path(".versus") / "dvc.lock"


def keep_lock(root: Path) -> None:
    """Copy dvc.lock aside, by a rename so that the copy is never half written."""
    lock, copy = root / "dvc.lock", root / COPY
    if not lock.is_file():
        return
    copy.parent.mkdir(exist_ok=True)
    aside = copy.with_suffix(f".{os.getpid()}")
    shutil.copyfile(lock, aside)
    aside.replace(copy)


def mend(root: Path) -> Iterator[str]:
    """Restore a damaged dvc.lock and drop a damaged rwlock; yields what was done, a line each."""
    lock, copy = root / "dvc.lock", root / COPY
    if lock.is_file() and not _is_lockfile(lock):
        if copy.is_file() and _is_lockfile(copy):
            shutil.copyfile(copy, lock)
            yield "dvc.lock was cut off; restored from the copy that the last stage kept"
        else:
            lock.unlink()
            yield "dvc.lock was cut off and had no copy; removed, DVC's run cache will give the results back"
    rwlock = root / ".dvc" / "tmp" / "rwlock"
    if rwlock.is_file() and not _is_json(rwlock):
        rwlock.unlink()
        yield ".dvc/tmp/rwlock was cut off; removed"


def _is_lockfile(path: Path) -> bool:
    """Whether DVC could use the file: YAML, with the lock file's schema."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    except (YAMLError, Invalid, UnicodeDecodeError):
        return False
    return True


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8") or "{}")
    except ValueError:
        return False
    return True
