"""Packages of a user's own that bring models, sources of data and metrics: those that params.yaml names, and no others.

A package has models in ``<family>/<module>.py``, as Versus has them, functions that return data in ``sources.py``, and
metrics in ``metrics.py``; each part may be missing. Names in params.yaml begin with the package: the module
``mine.student_t`` is ``mine/<family>/student_t.py``. The copy of Versus that is registered with a model has the package
inside this one (`versus.serving.code`).
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from versus.arrays import FAMILIES

PARTS = (*FAMILIES, "sources.py", "metrics.py")
_active: dict[str, Path] = {}  # package -> its folder


class PluginError(ValueError):
    """Error in a package of the user's own; the message names the package, the fault and the remedy."""


def use(packages: Sequence[str], beside: Path) -> None:
    """Make packages known to this process, and no others; nothing is imported yet.

    Args:
        packages: names, as an import has them.
        beside: folder of params.yaml, in which a package may lie; Python must find it otherwise.

    Raises:
        PluginError: for a package that is not there, or has none of the parts.
    """
    found = {name: _locate(name, beside.resolve()) for name in packages}
    _active.clear()
    _active.update(found)


def _locate(name: str, beside: Path) -> Path:
    for parent in dict.fromkeys((beside, Path.cwd())):
        if (parent / name / "__init__.py").is_file():
            _let_import_from(parent)
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise PluginError(
            f"Python finds no package {name!r}: install it (`pip install -e FOLDER`), put it beside params.yaml, or "
            "put the folder that holds it on PYTHONPATH"
        )
    if spec.origin is None or Path(spec.origin).name != "__init__.py":
        raise PluginError(f"{name!r} is no package: a folder with an __init__.py is needed")
    folder = Path(spec.origin).resolve().parent
    if not any((folder / part).exists() for part in PARTS):
        raise PluginError(f"{name!r} brings nothing: {folder} has none of {', '.join(PARTS)}")
    return folder


def _let_import_from(folder: Path) -> None:
    """Let this process and those that it starts import from a folder, after all other places."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(folder) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [*paths, str(folder)]))


def active() -> tuple[str, ...]:
    """Return the names of the packages in use."""
    return tuple(_active)


def folder(package: str) -> Path:
    """Return the folder of a package.

    Raises:
        PluginError: where params.yaml does not name it.
    """
    if package not in _active:
        raise PluginError(f"package {package!r} is not in use: name it under `plugins` in params.yaml")
    return _active[package]


def root(package: str) -> str:
    """Return a package's import name: its own, or that of its place in the copy that is registered with a model.

    Raises:
        PluginError: where params.yaml does not name it.
    """
    if package not in _active and (Path(__file__).parent / package / "__init__.py").is_file():
        return f"{__name__}.{package}"
    folder(package)
    return package


def files(family: str) -> dict[str, Path]:
    """Map the modules of all packages in a family, as params.yaml names them, to their files."""
    every = ((name, file) for name, place in _active.items() for file in sorted((place / family).glob("[a-z]*.py")))
    return {f"{name}.{file.stem}": file for name, file in every}


def having(part: str) -> list[str]:
    """Return the import names of the modules ``sources`` or ``metrics``, of the packages that have one."""
    return [f"{name}.{part}" for name, place in _active.items() if (place / f"{part}.py").is_file()]


def functions(package: str) -> list[str]:
    """List the functions of a package's ``sources.py``, without importing it.

    Raises:
        PluginError: where params.yaml does not name the package.
    """
    file = folder(package) / "sources.py"
    tree = parse(file) if file.is_file() else ast.Module([], [])
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]


def parse(file: Path) -> ast.Module:
    """Parse a file of Python code.

    Raises:
        PluginError: with the line, where it is not Python.
    """
    try:
        return ast.parse(file.read_text(encoding="utf-8"), str(file))
    except SyntaxError as error:
        raise PluginError(f"{file}:{error.lineno}: {error.msg}") from None


def imported(module: str) -> ModuleType:
    """Import a module of a package in use.

    Raises:
        PluginError: with the line, where that fails.
    """
    try:
        return importlib.import_module(module)
    except Exception as error:  # any error of the user's code
        raise PluginError(f"{module} cannot be imported: {told(error)}") from error


def told(error: BaseException) -> str:
    """Say in one line what an error in a user's code is, and where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_of_a_package(frame.filename)][-1:]
    place = "".join(f" ({frame.filename}:{frame.lineno})" for frame in ours or last)
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def _is_of_a_package(file: str) -> bool:
    return any(Path(file).is_relative_to(place) for place in _active.values())
