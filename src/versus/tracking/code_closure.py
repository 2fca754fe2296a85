"""What a model's code consists of: the modules of ours that it imports, and the libraries, pinned as they run here."""

from __future__ import annotations

import ast
import importlib.metadata
import shutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import versus

SOURCE = Path(versus.__file__).resolve().parent.parent


def copy_modules(modules: Iterable[str], out: Path) -> Path:
    """Copy modules of ours, and all that they import, to ``out/versus``; returns that folder."""
    for path in _closure(modules)[0]:
        target = out / path.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return out / "versus"


def pinned_libraries(modules: Iterable[str]) -> list[str]:
    """``name==version`` of every library that modules of ours import, followed through ours, in alphabetical order.

    A build tag such as ``+cpu`` is left off: package indexes do not have it.
    """
    names = {name for library in _closure(modules)[1] for name in _distributions().get(library, ())}
    return sorted(f"{name}=={importlib.metadata.version(name).split('+')[0]}" for name in names)


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def _closure(modules: Iterable[str]) -> tuple[set[Path], set[str]]:
    """Our files, and the top-level names of everything else that is imported."""
    waiting, files, libraries = list(modules), set[Path](), set[str]()
    while waiting:
        module = waiting.pop()
        path = _path(module)
        if path is None or path in files:
            continue
        files.add(path)
        for name in _imports(path):
            (waiting.append if name.split(".")[0] == "versus" else libraries.add)(name)
        if "." in module:
            waiting.append(module.rpartition(".")[0])
    return files, {name.split(".")[0] for name in libraries}


def _path(module: str) -> Path | None:
    base = SOURCE.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_imported(ast.parse(path.read_text(encoding="utf-8"))))


def _imported(tree: ast.Module) -> Iterator[str]:
    """Names that are imported anywhere but for type checking only; of ``from a import b`` both a and a.b."""
    skipped = {id(node) for branch in ast.walk(tree) if _is_for_types(branch) for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
