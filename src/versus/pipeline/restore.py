"""Restore outputs that the DVC remote has, and drop those that nobody has: additions to `dvc repro --pull`.

`dvc repro --pull` pulls stage by stage, and checks the whole pipeline each time: 100 s of CPU time for the 130 stages
of a clone, where one `dvc pull` takes 4 s.

If a stage's entry in dvc.lock still matches its dependencies, it looks for the outputs of that entry only, and runs
the stage if it cannot get them; it does not ask the run cache, though another machine may have computed the stage
since. Without the entry it does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any


def restore(root: Path) -> list[str]:
    """Bring a fresh clone to the state in dvc.lock, as far as the remote has it.

    Returns:
        Names of the stages removed from dvc.lock, since nobody has their outputs.
    """
    forgotten = forget(root)
    if not (root / "models").exists():  # in a workspace that was used, DVC would undo what changed since
        # It may fail on one object: `dvc repro --pull` then looks at that stage, and says what is wrong.
        _dvc(root, "pull", "--quiet", "dvc.yaml")
    return forgotten


def forget(root: Path) -> list[str]:
    """Remove stages from dvc.lock whose outputs are not here, in the cache or in the remote; return their names."""
    lock = root / "dvc.lock"
    if not lock.is_file():
        return []
    lost = _lost_paths(root)
    if not lost:
        return []
    from dvc.utils.serialize import modify_yaml

    with modify_yaml(str(lock)) as tree:
        stages: dict[str, Any] = tree.get("stages") or {}
        names = [name for name, entry in stages.items() if _has_lost(entry.get("outs", ()), lost)]
        for name in names:
            del stages[name]
    return names


def _has_lost(outs: Iterable[Mapping[str, Any]], lost: Collection[str]) -> bool:
    """Check whether one of a stage's outputs, or a file in it, is lost."""
    return any(path == out["path"] or path.startswith(f"{out['path']}/") for out in outs for path in lost)


def _lost_paths(root: Path) -> set[str]:
    """Paths of lost files and folders; empty if DVC fails to list them, as a later `dvc` command reports the error."""
    done = _dvc(root, "data", "status", "--not-in-remote", "--granular", "--json")
    if done.returncode:
        return set()
    status = json.loads(done.stdout)
    deleted = status.get("uncommitted", {}).get("deleted", ())
    missing = (status.get("not_in_cache", ()), status.get("not_in_remote", ()), deleted)
    return set.intersection(*({path.rstrip("/") for path in paths} for paths in missing))


def _dvc(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
