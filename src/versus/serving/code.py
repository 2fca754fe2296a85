"""Code behind a module: our modules that it imports, directly or through others, and third-party libraries."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import versus

PACKAGE = Path(versus.__file__).resolve().parent
SOURCE = PACKAGE.parent
# The folder of dvc.yaml, stages and constraints.txt: the root of a checkout; a built wheel has them in the package.
CODE = SOURCE.parent if (SOURCE.parent / "dvc.yaml").is_file() else PACKAGE / "project"
IMPORT = re.compile(r"(?m)(^\s*(?:from|import)) versus\b")


def closure(modules: Iterable[str], without: tuple[str, ...] = ()) -> tuple[set[Path], set[str]]:
    """Follow the imports of modules, also those inside functions; imports for type checking only do not count.

    Args:
        modules: names of modules of ours, below ``versus`` or ``stages``.
        without: beginnings of names of modules that are skipped.

    Returns:
        Our files that are imported, and the top-level names of all other libraries.
    """
    waiting, files, libraries, seen = list(modules), set[Path](), set[str](), set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen or module.startswith(without or ("\0",)):
            continue
        seen.add(module)
        if module.split(".")[0] not in ("versus", "stages"):
            libraries.add(module.split(".")[0])
        elif (path := _path(module)) is not None:  # else it names a function or class of a module
            files.add(path)
            waiting += [*_imports(path), *([module.rpartition(".")[0]] if "." in module else [])]
    return files, libraries


def copy_modules(modules: Iterable[str], out: Path) -> Path:
    """Copy modules of ours, and all that they import, to a package in ``out``; return its folder.

    The package is named after its contents, and its modules import each other by that name: one process can load it
    beside the installed ``versus`` and beside copies of other versions or with other modules.
    """
    files = sorted(closure(modules)[0])
    contents = hashlib.sha256(repr([(path.relative_to(SOURCE), path.read_bytes()) for path in files]).encode())
    name = f"versus_{contents.hexdigest()[:12]}"
    for path in files:
        target = out / name / path.relative_to(SOURCE / "versus")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8")
        target.write_text(IMPORT.sub(rf"\1 {name}", text), encoding="utf-8", newline="\n")
    return out / name


def pinned_libraries(modules: Iterable[str]) -> list[str]:
    """List ``name==version`` of each library that modules of ours import, directly or not, in alphabetical order.

    A build tag such as ``+cpu`` is left off: package indexes do not have it.
    """
    names = {name for library in closure(modules)[1] for name in _distributions().get(library, ())}
    return sorted(f"{name}=={importlib.metadata.version(name).split('+')[0]}" for name in names)


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


@cache
def _path(module: str) -> Path | None:
    base = (SOURCE if module.startswith("versus") else CODE).joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def name_of(path: Path) -> str:
    """Name a file of ours as a checkout does, wherever it lies."""
    inside = path.relative_to(CODE) if path.is_relative_to(CODE / "stages") else "src" / path.relative_to(SOURCE)
    return inside.as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """Parse a file of Python code, once for all who ask."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_imported(parsed(path)))


def _imported(tree: ast.Module) -> Iterator[str]:
    """Names that are imported; of ``from a import b`` both a and a.b."""
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
