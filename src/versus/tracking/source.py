"""Which code ran: the commit, and whether the tree held anything else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# What a repro itself rewrites does not make its tree dirty.
MADE_BY_STAGES = (":(top,exclude,glob)**/dvc.lock", ":(top,exclude,glob)**/reports/**")


def commit(root: Path) -> tuple[str, bool] | None:
    """The commit that is checked out and whether anything tracked or unignored differs; None outside git."""
    command = ["git", "status", "--porcelain=v2", "--branch", "--", ":/", *MADE_BY_STAGES]
    # A status that refreshes the index would take git's lock away from the user for a moment.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        found = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    lines = found.splitlines()
    commits = [line.split()[2] for line in lines if line.startswith("# branch.oid")]
    if not commits or commits[0] == "(initial)":
        return None
    return commits[0], any(not line.startswith("#") for line in lines)
