"""Folders that run the pipeline of a checkout or of an installed package: their dvc.yaml, and where the code lies.

A workspace of `versus run` has the paths in its dvc.yaml. A project of `versus init` is shared by machines on which
they differ: it has them in a file of their own, code.yaml, which git ignores and `versus repro` writes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from versus.serving.code import CODE, PACKAGE

PLACES = "code.yaml"


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
    """Text of dvc.yaml that reads the paths from code.yaml."""
    text = (CODE / "dvc.yaml").read_text(encoding="utf-8").replace("python -m stages.", "python -m versus.stage ")
    return re.sub(r"(?m)^  - code: .*\n  - source: .*$", f"  - {PLACES}   # where the installed package lies", text)


def locate(folder: Path) -> None:
    """Write code.yaml for this machine, in a project whose dvc.yaml reads it.

    Its paths are absolute: `dvc exp run --temp` takes a copy of it into a folder elsewhere.
    """
    file = folder / "dvc.yaml"
    if file.is_file() and f"- {PLACES}" in file.read_text(encoding="utf-8"):
        paths = {"code": CODE, "source": PACKAGE}
        write_if_changed(folder / PLACES, "".join(f"{name}: {path.as_posix()}\n" for name, path in paths.items()))


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
