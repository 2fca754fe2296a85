"""``versus run``: run another params file, in a workspace with its own dvc.lock and DVC locks.

The workspace of a checkout shares DVC's cache and the MLflow store with it, so nothing is computed twice and all runs
are in one place.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from versus import params as parameters
from versus.commands.repro import How, missing_files, reproduce
from versus.pipeline import project
from versus.serving.code import CODE
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
    parser.add_argument(
        *("-S", "--set"),
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="another value than the file has, such as -S deep_generative.mnist-vae.args.epochs=200",
    )
    How.declare(parser)
    parser.add_argument(
        "dvc", nargs="*", metavar="STAGE", help="stages to reproduce; options of `dvc repro` go on to it"
    )


def run(options: argparse.Namespace) -> int:
    """Create or update the workspace and reproduce it; returns DVC's exit code."""
    how = How.of(options)
    data = options.data or options.params.parent
    for missing in missing_files(parameters.read(options.params, options.set), data):
        raise ValueError(f"{missing}. It was looked for in {data.resolve()}; --data names another folder")
    folder = options.into or (CODE if project.is_checkout() else Path()) / "runs" / options.params.stem
    create(options.params, data, folder, options.set)
    print(f"Workspace: {folder}", file=sys.stderr)
    return reproduce(Workspace(folder), options.dvc, how)


def create(params: Path, data: Path, folder: Path, changes: Sequence[str] = ()) -> None:
    """Create or update a workspace for a params file, whose relative paths start from ``data``.

    Args:
        changes: values that differ from the file's, for `params.change`, which `params.read` has checked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_params(params, data, Workspace(folder), changes)
    project.write_if_changed(folder / "dvc.yaml", project.pipeline(folder))
    project.write_if_changed(folder / ".dvcignore", project.ignored())
    project.make_plugins_folder(folder)
    if not (folder / ".dvc").is_dir():
        project.initialise(
            folder, "--no-scm", **({"cache.dir": str(CODE / ".dvc" / "cache")} if project.is_checkout() else {})
        )


def _write_params(source: Path, data: Path, workspace: Workspace, changes: Sequence[str]) -> None:
    """Copy the params, with the paths of files rewritten relative to the workspace.

    Sections left to defaults are written out: DVC needs every section that a stage depends on to be in the file.
    """
    yaml = YAML(typ="rt")
    yaml.width = 4096
    tree = yaml.load(source.read_text(encoding="utf-8"))
    for setting in changes:
        parameters.change(tree, setting)
    weights = (tree.get("comparison") or {}).get("inception")
    for spec in [*(tree.get("files") or {}).values(), *([weights] if weights else [])]:
        spec["path"] = os.path.relpath(data / spec["path"], workspace.root).replace(os.sep, "/")
    defaults = parameters.Params().model_dump()
    for section in (name for name in defaults if tree.get(name) is None):
        tree[section] = defaults[section]
    aside = workspace.root / ".params.yaml"
    with aside.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    aside.replace(workspace.params)
