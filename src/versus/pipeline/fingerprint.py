"""Fingerprints of the stages: the parameters and the code that the results of each stage depend on.

A stage's code is what its script and its model import, followed through the whole of ``versus``: this stays exact,
while a list kept by hand becomes outdated. Code counts by its meaning: comments, docstrings and layout are ignored.
Libraries count by the version that constraints.txt pins. Each stage gets one small file: its first line is the stage's
part of params.yaml, the others are hashes, so that comparing two files names what changed. DVC could watch the
parameters itself, but it reads all of params.yaml again for every stage: with a hundred stages, a repro that has
nothing to do would take three times as long.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from versus import params as parameters
from versus import plugins
from versus.manifest import sha256
from versus.models import path_of
from versus.params import Params
from versus.serving.code import CODE, closure, name_of, parsed
from versus.settings import EXTRACTOR, INCEPTION

# These log, show or pass on results of other modules: an edit here changes no result. The values that params.py reads
# are part of a fingerprint.
WITHOUT_EFFECT = (
    "versus.tracking",
    "versus.params",
    "versus.models.catalogue",
    "versus.fitting.progress",
    "versus.pipeline",
    "stages.entry",
)

# Import name -> distribution name, where they differ.
DISTRIBUTIONS = {"sklearn": "scikit-learn"}

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def fingerprints(params: Params) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of the fingerprint of each stage."""
    given = params.model_dump(mode="json", by_alias=True, exclude_unset=True)
    seed = {"seed": params.seed}
    inception = params.comparison.inception
    weights = {} if inception is None else {"inception": inception.sha256}
    networks = [".".join(("versus.models", *EXTRACTOR[:2])), *([] if inception is None else [INCEPTION])]
    for name, specification in (given.get("datasets", {}) | given.get("files", {})).items():
        package, dot, _ = specification["source"].partition(".")
        reader = [f"{package}.sources"] if dot else []
        yield f"prepare-{name}", _text(seed | {name: specification}, "stages.prepare", *reader)
        yield f"extractor-{name}", _text(seed | weights, "stages.extractor", *networks)
    metrics = plugins.having("metrics")
    for cell in parameters.cells(params):
        model = path_of(cell.family, cell.module)
        own = seed | {cell.name: given[cell.family][cell.name]}
        if cell.time_limit is not None:
            own["time_limit"] = cell.time_limit
        energy = {"energy": True} if params.training.energy else {}
        training: dict[str, Any] = {"training": _training(params) | energy}
        if params.tuning.trials:
            training["tuning"] = given["tuning"]
        yield f"train-{cell.name}", _text(own | training, f"stages.train_{cell.family}", model)
        yield f"evaluate-{cell.name}", _text(own, "stages.evaluate", model, *metrics)
    for name, asked in given.get("experiments", {}).items():
        fitted = [cell for cell in parameters.cells(params) if cell.name in asked["cells"]]
        own = seed | {name: asked} | {cell.name: given[cell.family][cell.name] for cell in fitted}
        own |= {"training": _training(params), "comparison": given.get("comparison", {})}
        models = dict.fromkeys(path_of(cell.family, cell.module) for cell in fitted)
        yield f"experiment-{name}", _text(own, "stages.experiment", *models, *metrics)
    compared = {name: section for name, section in given.items() if name != "gate"}
    yield "compare", _text(compared, "stages.compare", *metrics)


def package_lines(package: str) -> Iterator[str]:
    """Yield ``hash  file`` for all code of a package in use: what may change a fingerprint."""
    for path in sorted(plugins.folder(package).rglob("*.py")):
        yield f"{digest(path)}  {name_of(path)}"


def _training(params: Params) -> dict[str, Any]:
    several = {"devices": params.training.devices} if params.training.devices > 1 else {}
    return {"device": params.training.device, "precision": params.training.precision, **several}


def _text(part: dict[str, Any], *modules: str) -> str:
    return f"{json.dumps(part, ensure_ascii=False)}\n{_code(modules)}"


@cache
def _code(modules: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines(modules))


def lines(modules: Iterable[str]) -> Iterator[str]:
    """Yield the code that modules reach: ``hash  file`` for our files, ``name==version`` for libraries."""
    files, libraries = closure(modules, WITHOUT_EFFECT)
    for path in sorted(files | _data_files({file.parent for file in files})):
        yield f"{digest(path)}  {name_of(path)}"
    names = sorted(DISTRIBUTIONS.get(name, name).lower() for name in libraries)
    yield from (f"{name}=={_pins()[name]}" for name in names if name in _pins())


@cache
def digest(path: Path) -> str:
    """Hash a file: Python code by its meaning, other files by every byte."""
    if path.suffix != ".py":
        return sha256(path)
    return hashlib.sha256(_written(parsed(path)).encode()).hexdigest()


def meaning(source: str) -> str:
    """Return Python code without its comments, docstrings and layout; the text is the same in every version of Python.

    (`ast.dump` is not suitable: its output depends on the version.)
    """
    return _written(ast.parse(source))


def _written(node: Any) -> str:
    if isinstance(node, list):
        return f"[{' '.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    told = []
    for name in node._fields:
        value: Any = getattr(node, name, None)
        if name == "body" and isinstance(node, DOCUMENTED) and (ast.get_docstring(node, clean=False) or "").strip():
            value = value[1:]
        if value is not None and value != []:
            told.append(f"{name}={_written(value)}")
    return f"{type(node).__name__}({' '.join(told)})"


@cache
def _pins() -> dict[str, str]:
    """Distribution name -> version, from constraints.txt."""
    text = (CODE / "constraints.txt").read_text(encoding="utf-8")
    return {m[1].lower(): m[2] for m in re.finditer(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)}


def _data_files(packages: set[Path]) -> set[Path]:
    """Templates and other files without code in these packages, except those in packages nested in them."""
    return {path for package in packages for path in _without_code(package) if _package_of(path) in packages}


@cache
def _without_code(folder: Path) -> list[Path]:
    """Files of a folder, but for code and for bytecode, which other processes write under names of their own first."""
    found = (path for path in folder.rglob("*") if path.suffix != ".py" and path.parent.name != "__pycache__")
    return [path for path in found if path.is_file()]


@cache
def _package_of(path: Path) -> Path:
    """Innermost package that contains a file."""
    return next(folder for folder in path.parents if (folder / "__init__.py").is_file())
