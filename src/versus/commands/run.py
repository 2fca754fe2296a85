"""``versus run``: run another params file, in a workspace with its own dvc.lock and DVC locks.

The workspace shares DVC's cache and the MLflow store with the project, so nothing is computed twice and all runs are in
one place.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from versus import params as parameters
from versus.commands.repro import How, missing_files, reproduce
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("params", type=Path, help="a params file, such as examples/fashion_mnist.yaml")
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="the workspace (default: runs/<name of the params file>)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="folder that its relative paths start from (default: its own folder)",
    )
    How.declare(parser)
    parser.add_argument(
        "dvc", nargs="*", metavar="STAGE", help="stages to reproduce; options of `dvc repro` go on to it"
    )


def run(options: argparse.Namespace) -> int:
    """Create or update the workspace and reproduce it; returns DVC's exit code."""
    code, how = code_root(), How.of(options)
    data = options.data or options.params.parent
    for missing in missing_files(parameters.read(options.params), data):
        raise ValueError(f"{missing}. It was looked for in {data.resolve()}; --data names another folder")
    folder = options.into or code / "runs" / options.params.stem
    workspace = Workspace(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write_params(options.params, data, workspace)
    _write_if_changed(folder / "dvc.yaml", _pipeline_for(code, folder))
    _write_if_changed(folder / ".dvcignore", (code / ".dvcignore").read_text(encoding="utf-8"))
    if not (folder / ".dvc").is_dir():
        _initialise(code, folder)
    environment = {"PYTHONPATH": str(code)}
    print(f"Workspace: {folder}", file=sys.stderr)
    return reproduce(workspace, options.dvc, how, environment)


def code_root() -> Path:
    """Return the folder of the project that this package runs from.

    Raises:
        ValueError: where the package was installed without the project around it.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / "dvc.yaml").is_file():
        raise ValueError(
            f"{root} is not a checkout of Versus; run this from a clone, installed with `pip install -e .`"
        )
    return root


def _pipeline_for(code: Path, folder: Path) -> str:
    """Text of dvc.yaml with its one variable set: the path of the code, relative to the workspace."""
    text = (code / "dvc.yaml").read_text(encoding="utf-8")
    path = os.path.relpath(code, folder.resolve()).replace(os.sep, "/")
    changed, count = re.subn(r"(?m)^  - code: \.(?=\s)", f"  - code: {path}", text)
    if count != 1:
        raise ValueError("dvc.yaml has no line `  - code: .` under vars")
    return changed


def _write_params(source: Path, data: Path, workspace: Workspace) -> None:
    """Copy the params, with the paths of files rewritten relative to the workspace.

    Sections left to defaults are written out: DVC needs every section that a stage depends on to be in the file.
    """
    yaml = YAML(typ="rt")
    yaml.width = 4096
    tree = yaml.load(source.read_text(encoding="utf-8"))
    for spec in (tree.get("files") or {}).values():
        spec["path"] = os.path.relpath(data / spec["path"], workspace.root).replace(os.sep, "/")
    defaults = parameters.Params().model_dump()
    for section in (name for name in defaults if tree.get(name) is None):
        tree[section] = defaults[section]
    aside = workspace.root / ".params.yaml"
    with aside.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    aside.replace(workspace.params)


def _write_if_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _initialise(code: Path, folder: Path) -> None:
    dvc = [sys.executable, "-m", "dvc"]
    settings = {"core.analytics": "false", "core.check_update": "false", "cache.dir": str(code / ".dvc" / "cache")}
    for command in (["init", "--quiet", "--no-scm"], *(["config", k, v] for k, v in settings.items())):
        subprocess.run([*dvc, *command], cwd=folder, check=True)
