"""Outputs that dvc.lock names and nobody has: neither this workspace, nor its cache, nor the DVC remote.

Where a stage's entry in dvc.lock still fits its dependencies, DVC looks for the outputs of that entry only, and runs the
stage where it cannot have them; it does not ask its run cache, though another machine may have computed the stage since.
Without the entry it does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def forget(root: Path) -> list[str]:
    """Take the stages whose outputs are lost out of dvc.lock; returns their names."""
    lock = root / "dvc.lock"
    if not lock.is_file():
        return []
    lost = _lost_paths(root)
    if not lost:
        return []
    from dvc.utils.serialize import modify_yaml

    with modify_yaml(str(lock)) as tree:
        stages: dict[str, Any] = tree.get("stages") or {}
        names = [name for name, entry in stages.items() if any(out["path"] in lost for out in entry.get("outs", ()))]
        for name in names:
            del stages[name]
    return names


def _lost_paths(root: Path) -> set[str]:
    """Paths of the outputs that are lost; none where DVC cannot tell, which it will then say itself."""
    command = [sys.executable, "-m", "dvc", "data", "status", "--not-in-remote", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return set()
    status = json.loads(done.stdout)
    missing = [status.get("not_in_cache", ()), status.get("not_in_remote", ()), _deleted(status)]
    return set.intersection(*({path.rstrip("/") for path in paths} for paths in missing))


def _deleted(status: dict[str, Any]) -> list[str]:
    return list(status.get("uncommitted", {}).get("deleted", ()))
