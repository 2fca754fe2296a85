"""Folders that run the pipeline of a checkout or of an installed package: their dvc.yaml, and how they know the code.

A workspace of `versus run` has the paths of the code in its dvc.yaml. A project of `versus init` is shared by machines
on which they differ, and its history is read by DVC: its pipeline depends on a hash of the code in a file of its own,
code.txt, which `versus repro` writes.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

from versus import __version__
from versus.serving.code import CODE, PACKAGE

NOTED = "code.txt"
_ON_CODE = '"${source}", "${code}/stages", "${code}/constraints.txt"'


def is_checkout() -> bool:
    """Check that this package runs from a clone of the project, and not from an installed wheel."""
    return not CODE.is_relative_to(PACKAGE)


def places(folder: Path) -> dict[str, str]:
    """Return the variables of dvc.yaml: the paths of stages and package, relative to a folder."""
    paths = {"code": CODE, "source": PACKAGE}
    return {name: os.path.relpath(path, folder.resolve()).replace(os.sep, "/") for name, path in paths.items()}


def ignored() -> str:
    """Text of .dvcignore."""
    return (CODE / (".dvcignore" if is_checkout() else "dvcignore")).read_text(encoding="utf-8")


def pipeline(folder: Path) -> str:
    """Text of dvc.yaml with the paths for a folder."""
    text = (CODE / "dvc.yaml").read_text(encoding="utf-8")
    for name, path in places(folder).items():
        text, count = re.subn(rf"(?m)^  - {name}: \S+", f"  - {name}: {path}", text)
        if count != 1:
            raise ValueError(f"dvc.yaml has no line `  - {name}: …` under vars")
    return text


def portable_pipeline() -> str:
    """Text of dvc.yaml that names no path of this machine.

    Raises:
        ValueError: where the pipeline has no such dependencies and variables to replace.
    """
    text = (CODE / "dvc.yaml").read_text(encoding="utf-8").replace("python -m stages.", "python -m versus.stage ")
    text, count = re.subn(r"(?m)^  - (code|source): .*\n", "", text.replace(_ON_CODE, NOTED))
    if count != 2 or NOTED not in text:
        raise ValueError(f"dvc.yaml has other vars than code and source, or other dependencies than {_ON_CODE}")
    return text


def note_code(folder: Path) -> None:
    """Write code.txt, the version and a hash of the installed code, in a project whose dvc.yaml depends on it."""
    file = folder / "dvc.yaml"
    if not file.is_file() or NOTED not in file.read_text(encoding="utf-8"):
        return
    found = hashlib.sha256()
    for top in (PACKAGE, CODE / "stages", CODE / "constraints.txt"):
        files = [top] if top.is_file() else [path for path in sorted(top.rglob("*")) if path.is_file()]
        for path in (path for path in files if path.parent.name != "__pycache__"):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(top.parent).as_posix()} {content}\n".encode())
    write_if_changed(folder / NOTED, f"versus {__version__} {found.hexdigest()}\n")


def make_plugins_folder(folder: Path) -> None:
    """Make the folder that stage `fingerprint` watches, and that is empty without packages of the user's own."""
    kept = folder / "data" / "plugins" / ".gitkeep"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch()


def write_if_changed(path: Path, text: str) -> None:
    """Write a file whose time of change DVC looks at."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def initialise(folder: Path, *options: str, **settings: str) -> None:
    """Make a folder a project of DVC, which sends no statistics."""
    dvc = [sys.executable, "-m", "dvc"]
    settings = {"core.analytics": "false", "core.check_update": "false", **settings}
    for command in (["init", "--quiet", *options], *(["config", k, v] for k, v in settings.items())):
        subprocess.run([*dvc, *command], cwd=folder, check=True)
