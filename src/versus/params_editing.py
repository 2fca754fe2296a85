"""Edits of params.yaml that keep its comments and layout; a result that would not be valid is never written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from versus import params as parameters
from versus.data.errors import unknown
from versus.params import Params
from versus.settings import FAMILIES, TrainingSize


@contextmanager
def edited(path: Path) -> Iterator[CommentedMap]:
    """Yield the tree of a params.yaml to be changed in place; then check it and replace the file.

    Raises:
        ParamsError: where the result would not be valid; the file is then unchanged.
    """
    yaml = YAML(typ="rt")
    yaml.width = 4096
    tree = yaml.load(path.read_text(encoding="utf-8"))
    yield tree
    aside = path.with_name(f".{path.name}.new")
    with aside.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    try:
        parameters.read(aside)
    except parameters.ParamsError:
        aside.unlink()
        raise
    shutil.copymode(path, aside)
    aside.replace(path)


def section(tree: CommentedMap, name: str) -> CommentedMap:
    """Return the section in block style, so that each entry has its own line; a comment after it stays after it."""
    found = tree.get(name)
    if isinstance(found, CommentedMap):
        found.fa.set_block_style()
    else:
        tree[name] = found = CommentedMap()
    return found


def on_one_line(mapping: dict[str, Any]) -> CommentedMap:
    """Return the mapping as YAML in braces."""
    line = CommentedMap({k: on_one_line(v) if isinstance(v, dict) else v for k, v in mapping.items()})
    line.fa.set_flow_style()
    return line


def add_learning_curves(tree: CommentedMap, dataset: str, cells: Sequence[str]) -> str:
    """Add cells to the experiment ``<dataset>_size``, which is made where there is none; return its name.

    Raises:
        ValueError: where an experiment of that name asks something else.
    """
    name, experiments = f"{dataset}_size", section(tree, "experiments")
    asked = experiments.setdefault(name, on_one_line({"data": dataset, "cells": []}))
    if (asked["data"], asked.get("kind", TrainingSize.kind)) != (dataset, TrainingSize.kind):
        raise ValueError(
            f"the experiment {name} of params.yaml is no learning curve of {dataset}; give it another name"
        )
    asked["cells"].extend([cell for cell in cells if cell not in asked["cells"]])
    return name


def without(path: Path, params: Params, name: str) -> list[str]:
    """Remove a data set with its cells, or one cell, and the experiments that need it; return what was removed.

    Raises:
        ParamsError: if there is neither a data set nor a cell of that name.
    """
    every, datasets = list(parameters.cells(params)), (*params.datasets, *params.files)
    cells = [cell for cell in every if name in (cell.dataset, cell.name)]
    if not cells and name not in datasets:
        known = dict.fromkeys([*datasets, *(cell.name for cell in every)])
        raise parameters.ParamsError(f"{path}: {unknown('data set or cell', name, known)}")
    gone = {cell.name for cell in cells}
    experiments = [e for e, asked in params.experiments.items() if asked.data == name or gone & set(asked.cells)]
    removed = []
    with edited(path) as tree:
        for key in ("datasets", "files", *FAMILIES, "experiments"):
            for entry in {name, *gone, *experiments} & set(tree.get(key) or {}):
                del tree[key][entry]
                removed.append(f"{key}: {entry}")
        for key in ("primary", "slices"):
            ((tree.get("comparison") or {}).get(key) or {}).pop(name, None)
    return sorted(removed)
