"""Repair DVC's own files after a kill, as DVC does not write them atomically, and what else keeps DVC from starting.

Each stage keeps a copy of dvc.lock when it starts (`keep_lock`), while DVC is not writing. A kill while DVC rewrites
the file leaves half of it; the copy lacks at most the last finished stage, which DVC's run cache then restores.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

COPY = Path(".versus") / "dvc.lock"
RWLOCK = Path(".dvc") / "tmp" / "rwlock"
REWRITE = 0.2  # seconds in which a DVC at work finishes a file that it is rewriting

# What must be a folder or a file where it exists. Nobody misses any of it when nothing runs.
FOLDERS = (".versus", ".versus/unfinished", ".versus/output", ".dvc/tmp")
FILES = (".versus/dvc.lock", ".versus/repro.lock", ".versus/workers.lock", RWLOCK.as_posix(), ".dvc/tmp/lock")


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
    """Repair what keeps DVC from starting; yield one line for each action.

    Raises:
        ValueError: if DVC's configuration cannot be read; DVC's own message does not name the file.
    """
    read_config(root)
    if lacks_git(root):
        yield do_without_git(root)
    if lock_is_damaged(root):
        yield restore_lock(root)
    if rwlock_is_damaged(root):
        yield remove_rwlock(root)


def of_wrong_kind(root: Path) -> list[Path]:
    """List files where folders of locks and copies belong, and folders where such files belong."""
    files = [root / name for name in FOLDERS if (root / name).exists() and not (root / name).is_dir()]
    return files + [root / name for name in FILES if (root / name).is_dir()]


def remove_of_wrong_kind(path: Path) -> str:
    """Remove a file or folder that `of_wrong_kind` found; return a description of the action."""
    if path.is_dir():
        shutil.rmtree(path)
        return f"{path} was a folder, where a file belongs; removed"
    path.unlink()
    return f"{path} was a file, where a folder belongs; removed"


def read_config(root: Path) -> dict[str, Any]:
    """Read DVC's configuration of a project.

    Raises:
        ValueError: naming the file that DVC cannot read.
    """
    from dvc.config import Config

    for path, reason in damaged_configs(root):
        raise ValueError(f"{path} is no configuration that DVC can read: {reason}; `versus doctor` helps")
    return dict(Config(str(root / ".dvc")))


def damaged_configs(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each of the project's two files of DVC's configuration that DVC cannot read, and the reason."""
    from dvc.config import Config, ConfigError

    for path in (root / ".dvc" / "config", root / ".dvc" / "config.local"):
        try:
            if path.exists():
                Config.validate(Config.load_file(str(path)))
        except (ConfigError, UnicodeDecodeError, OSError) as error:
            yield path, " ".join(str(error.__cause__ or error).split()).rstrip(".")


def restore_config(path: Path) -> str:
    """Put the committed file in the place of a damaged configuration, which is kept beside it; describe the action.

    Raises:
        OSError: if git has no such file.
    """
    found = subprocess.run(["git", "show", f"HEAD:./{path.name}"], cwd=path.parent, capture_output=True, check=False)
    if found.returncode:
        raise OSError(f"git has no {path.name}")
    path.rename(path.with_name(f"{path.name}.damaged"))
    path.write_bytes(found.stdout)
    return f"{path} was damaged; restored from the last commit, and the damaged one kept as {path.name}.damaged"


def lacks_git(root: Path) -> bool:
    """Check whether DVC expects a git repository where there is none, as in the folder of a downloaded zip."""
    above = (root.resolve(), *root.resolve().parents)
    if not (root / ".dvc").is_dir() or any((folder / ".git").exists() for folder in above):
        return False
    return not read_config(root)["core"].get("no_scm", False)


def do_without_git(root: Path) -> str:
    """Let DVC work without git in this folder; return a description of the action."""
    from dvc.config import Config

    with Config(str(root / ".dvc")).edit("local") as config:
        config.setdefault("core", {})["no_scm"] = True
    return "no git repository is here; DVC works without one now (no_scm in .dvc/config.local, to be removed with one)"


def lock_is_damaged(root: Path) -> bool:
    """Check whether there is a dvc.lock that DVC cannot use."""
    return _stays_damaged(root / "dvc.lock", _is_lockfile)


def rwlock_is_damaged(root: Path) -> bool:
    """Check whether there is an rwlock, DVC's note of readers and writers, that DVC cannot use; an empty one counts."""
    return (root / RWLOCK).is_file() and _stays_damaged(root / RWLOCK, _is_rwlock)


def restore_lock(root: Path) -> str:
    """Replace dvc.lock by its copy, or remove it if there is no copy; return a description of the action."""
    lock, copy = root / "dvc.lock", root / COPY
    if lock.is_dir():
        lock.rename(lock.with_name(f"dvc.lock.{time.strftime('%Y%m%d-%H%M%S')}"))
    if has_copy(root):
        shutil.copyfile(copy, lock)
        return "dvc.lock was cut off; restored from the copy that the last stage kept"
    lock.unlink(missing_ok=True)
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
        if not path.exists() or (path.is_file() and is_whole(path)):
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
