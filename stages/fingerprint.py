"""Stage `fingerprint`: for every other stage, which parameters and which code its results depend on.

A stage's code is what its script and its model import, followed through the whole of `versus`: exact where a list kept
by hand goes stale. Libraries count with the version that constraints.txt pins. Each stage gets one small file, of which
the first line is its part of params.yaml and the others are hashes, so that comparing two of them names what changed.
DVC could watch the parameters by itself, but reads all of params.yaml anew for every stage: with a hundred stages a
repro that has nothing to do would take three times as long.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from stages import entry
from versus import params as parameters
from versus.params import Params

CODE = Path(__file__).resolve().parent.parent
OUT = Path("data/fingerprints")

# These say, show or pass on what others computed: an edit here changes no result. What params.py reads is part of a
# fingerprint by its values.
WITHOUT_EFFECT = (
    "versus.tracking",
    "versus.params",
    "versus.models.catalogue",
    "versus.training.progress",
    "versus.recovery",
    "versus.lifeline",
    "stages.entry",
)

# Import name -> distribution name, where they differ.
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "lightning_fabric": "lightning-fabric",
}


@cache
def path_of(module: str) -> Path | None:
    """The source file of a module of ours, or None for anybody else's."""
    if module.split(".")[0] not in ("versus", "stages"):
        return None
    base = (CODE / "src" if module.startswith("versus") else CODE).joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def imports(module: str) -> frozenset[str]:
    """Every module that a module of ours imports anywhere, also inside functions, and the package around it."""
    path = path_of(module)
    assert path is not None
    found = {module.rpartition(".")[0]} - {""}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def closure(roots: Iterable[str]) -> tuple[set[Path], set[str]]:
    """The files of ours that the roots reach, and the libraries that these import."""
    waiting, files, libraries, seen = list(roots), set[Path](), set[str](), set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen or module.startswith(WITHOUT_EFFECT):
            continue
        seen.add(module)
        path = path_of(module)
        if path is None:
            libraries.add(module.split(".")[0])
            continue
        files.add(path)
        waiting += imports(module)
    return files, libraries


@cache
def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def pins() -> dict[str, str]:
    """Distribution name -> version, from constraints.txt."""
    lines = (CODE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([A-Za-z0-9._-]+)==(\S+)", line) for line in lines)
    return {m[1].lower(): m[2] for m in found if m}


def data_files(packages: set[Path]) -> set[Path]:
    """Templates and other files without code, below packages and outside of the packages within them."""
    found = {path for package in packages for path in package.rglob("*") if path.is_file()}
    return {path for path in found if path.suffix not in (".py", ".pyc") and package_of(path) in packages}


@cache
def package_of(path: Path) -> Path:
    """The innermost package that a file lies in."""
    return next(folder for folder in path.parents if (folder / "__init__.py").is_file())


def lines(roots: Iterable[str]) -> Iterator[str]:
    """The fingerprint of what the roots reach: ``hash  file`` for ours, ``name==version`` for libraries."""
    files, libraries = closure(roots)
    for path in sorted(files | data_files({file.parent for file in files})):
        yield f"{digest(path)}  {path.relative_to(CODE).as_posix()}"
    names = sorted(DISTRIBUTIONS.get(name, name).lower() for name in libraries)
    yield from (f"{name}=={pins()[name]}" for name in names if name in pins())


def code(stage: str, *modules: str) -> str:
    """The lines of a stage's script and of the modules that it works with."""
    return _joined((f"stages.{stage}", *modules))


@cache
def _joined(roots: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines(roots))


def fingerprints(params: Params) -> Iterator[tuple[str, dict[str, Any], str]]:
    """For each stage: a name, its part of params.yaml, and the lines of its code."""
    given = params.model_dump(mode="json", by_alias=True, exclude_unset=True)
    seed = {"seed": params.seed}
    for name, specification in (given.get("datasets", {}) | given.get("files", {})).items():
        yield f"prepare-{name}", seed | {name: specification}, code("prepare")
    for cell in parameters.cells(params):
        model = f"versus.models.{cell.family}.{cell.module}"
        own = seed | {cell.name: given[cell.family][cell.name]}
        training = {"training": params.training.model_dump()}
        yield f"train-{cell.name}", own | training, code(f"train_{cell.family}", model)
        yield f"evaluate-{cell.name}", own, code("evaluate", model)
    yield "compare", {name: section for name, section in given.items() if name != "gate"}, code("compare")


def main() -> None:
    """Write data/fingerprints/."""
    params = parameters.read(Path("params.yaml"))
    aside = OUT.with_name(".fingerprints")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, part, hashes in fingerprints(params):
        first = json.dumps(part, ensure_ascii=False)
        (aside / f"{name}.txt").write_text(f"{first}\n{hashes}", encoding="utf-8")
    shutil.rmtree(OUT, ignore_errors=True)
    aside.rename(OUT)


if __name__ == "__main__":
    entry.run(main, arguments=0)
