"""``versus remove``: take data sets with their cells, or cells, out of params.yaml and dvc.lock."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path

from filelock import FileLock

from versus import params as parameters
from versus import params_editing
from versus.commands.add import expect_no_plain_repro
from versus.commands.repro import lock_is_held, stage_names
from versus.pipeline import recovery
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="a data set or a cell of params.yaml")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="the file to take it out of")


def run(options: argparse.Namespace) -> int:
    """Edit params.yaml, which keeps its comments, and say what is gone; results and data files stay where they are."""
    workspace = Workspace(options.params.parent)
    expect_no_plain_repro(workspace.root)
    for name in options.names:
        for entry in params_editing.without(options.params, parameters.read(options.params), name):
            print(f"removed {entry}")
    if options.params.name == workspace.params.name:
        _forget(workspace, stage_names(parameters.read(options.params)))
    print("`versus repro` makes the report without it; `dvc gc --workspace` frees its space.")
    return 0


def _forget(workspace: Workspace, known: Mapping[str, Collection[str]]) -> None:
    """Drop the stages from dvc.lock that params.yaml has no entry for any more; DVC itself keeps them for good.

    Args:
        workspace: of the dvc.lock. One that is damaged is left to the next run, which repairs it.
        known: kind of stage -> the names after its @ that there are today; other kinds stay.
    """
    lock = workspace.root / "dvc.lock"
    if not lock.is_file() or recovery.lock_is_damaged(workspace.root):
        return
    if lock_is_held(FileLock(workspace.private / "repro.lock")):
        return  # the run would write them again; the next `remove` drops them
    from dvc.utils.serialize import dump_yaml, parse_yaml_for_update

    data = parse_yaml_for_update(lock.read_text(encoding="utf-8"), str(lock))
    stages = data.get("stages") or {}
    named = {stage: stage.partition("@") for stage in stages}
    gone = [stage for stage, (kind, at, name) in named.items() if at and kind in known and name not in known[kind]]
    if not gone:
        return
    for stage in gone:
        del stages[stage]
    aside = lock.with_name(f".{lock.name}.new")
    dump_yaml(str(aside), data)
    aside.replace(lock)
