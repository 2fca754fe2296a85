"""Code behind a module: our modules that it imports, directly or through others, and third-party libraries."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import versus
from versus import plugins

PACKAGE = Path(versus.__file__).resolve().parent
SOURCE = PACKAGE.parent
# The folder of dvc.yaml, stages and constraints.txt: the root of a checkout; a built wheel has them in the package.
CODE = SOURCE.parent if (SOURCE.parent / "dvc.yaml").is_file() else PACKAGE / "project"


def closure(modules: Iterable[str], without: tuple[str, ...] = ()) -> tuple[set[Path], set[str]]:
    """Follow the imports of modules, also those inside functions; imports for type checking only do not count.

    Args:
        modules: names of modules of ours, below ``versus``, ``stages`` or a package in use (`versus.plugins`).
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
        if module.split(".")[0] not in ("versus", "stages", *plugins.active()):
            libraries.add(module.split(".")[0])
        elif (path := _path(module)) is not None:  # else it names a function or class of a module
            files.add(path)
            waiting += [*_imports(module, path), *([module.rpartition(".")[0]] if "." in module else [])]
    return files, libraries


def copy_modules(modules: Iterable[str], out: Path) -> Path:
    """Copy modules of ours, and all that they import, to a package in ``out``; return its folder.

    The package is named after its contents, and its modules import each other by that name: one process can load it
    beside the installed ``versus`` and beside copies of other versions or with other modules. Packages of the user's
    own go into its ``plugins``.
    """
    files = {_in_copy(path): path for path in sorted(closure(modules)[0])}
    contents = hashlib.sha256(repr([(inside, path.read_bytes()) for inside, path in files.items()]).encode())
    name = f"versus_{contents.hexdigest()[:12]}"
    new_names = {"versus": name} | {package: f"{name}.plugins.{package}" for package in plugins.active()}
    imports = re.compile(rf"(?m)(^\s*(?:from|import)) ({'|'.join(new_names)})\b")
    for inside, path in files.items():
        target = out / name / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        text = imports.sub(lambda found: f"{found[1]} {new_names[found[2]]}", path.read_text(encoding="utf-8"))
        target.write_text(text, encoding="utf-8", newline="\n")
    return out / name


def _in_copy(path: Path) -> str:
    """Place of a file of ours, or of a package in use, in the copy."""
    if path.is_relative_to(PACKAGE):
        return path.relative_to(PACKAGE).as_posix()
    return f"plugins/{name_of(path)}"


def pinned_libraries(modules: Iterable[str]) -> list[str]:
    """List ``name==version`` of each library that modules of ours import, directly or not, in alphabetical order.

    A build tag such as ``+cpu`` is left off: package indexes do not have it.
    """
    names = {name for library in closure(modules)[1] for name in _distributions().get(library, ())}
    return sorted(f"{name}=={importlib.metadata.version(name).split('+')[0]}" for name in names)


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def _path(module: str) -> Path | None:
    root, *below = module.split(".")
    if root in plugins.active():
        return _file(plugins.folder(root).joinpath(*below))
    return _file((SOURCE if root == "versus" else CODE).joinpath(root, *below))


@cache
def _file(base: Path) -> Path | None:
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def name_of(path: Path) -> str:
    """Name a file of ours as a checkout does, wherever it lies; one of a package in use begins with its name."""
    for folder in (CODE / "stages", *map(plugins.folder, plugins.active())):
        if path.is_relative_to(folder):
            return path.relative_to(folder.parent).as_posix()
    return ("src" / path.relative_to(SOURCE)).as_posix()


parsed = cache(plugins.parse)  # once for all who ask


@cache
def _imports(module: str, path: Path) -> tuple[str, ...]:
    return tuple(_imported(parsed(path), module if path.name == "__init__.py" else module.rpartition(".")[0]))


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Names that a module of a package imports; of ``from a import b`` both a and a.b."""
    waiting: list[Any] = [tree]
    while waiting:  # only statements, since no expression imports
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            name = ".".join([*above, *([node.module] if node.module else [])])
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)
        elif not _is_for_types(node):
            for block in ("body", "orelse", "finalbody", "handlers", "cases"):
                waiting += getattr(node, block, [])


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
