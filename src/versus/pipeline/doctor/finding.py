"""A fault and its remedy, most often the removal of files that a workspace no longer needs, and of nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """A fault found by a check.

    Args:
        problem: description of the fault, with the path or the process.
        mend: the command or action that repairs it.
        fix: repairs it and returns a description of the action; None if only a person can repair it.
    """

    problem: str
    mend: str
    fix: Callable[[], str] | None = None


def removable(root: Path, path: Path, problem: str) -> Finding:
    """Return a finding repaired by removing ``path``; by hand if a folder on the way to it is a symbolic link."""
    if leads_over_link(root, path.parent):
        return Finding(problem, f"{path.parent} is reached over a link, so that nothing is removed there; remove it")
    return Finding(problem, f"remove {path}", partial(remove, root, path))


def leads_over_link(root: Path, folder: Path) -> bool:
    """Check whether ``folder``, or a folder between it and ``root``, is a symbolic link."""
    parts = folder.relative_to(root).parts
    return any(root.joinpath(*parts[: depth + 1]).is_symlink() for depth in range(len(parts)))


def remove(root: Path, path: Path) -> str:
    """Remove a file, a link (not its target) or a folder with its contents; return a description of the action.

    Raises:
        OSError: if it cannot be removed, or if a folder on the way to it has become a symbolic link.
    """
    if leads_over_link(root, path.parent):
        raise OSError(f"{path.parent} is reached over a link")
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)  # does not follow links in it
    else:
        path.unlink(missing_ok=True)
    return f"removed {path}"
