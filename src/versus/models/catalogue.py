"""Model classes and their arguments, read from the source without importing it.

Fields are parsed, so that checking params.yaml does not import every library that some model uses.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

from versus.arrays import FAMILIES
from versus.models.arguments import Argument

# Arguments that the stages supply: sizes come from the data, randomness from the params' seed, devices from `training`.
SUPPLIED = frozenset({"schema", "random_state", "device", "precision"})

# Arguments and values of earlier versions and what they are called now; `versus migrate` rewrites params.yaml by them.
RENAMED = {
    "cache_mb": "cache_size",
    "components": "n_components",
    "covariance": "covariance_type",
    "hidden": "hidden_layer_sizes",
    "k": "n_neighbors",
    "latent": "n_latent",
    "smoothing": "alpha",
    "starts": "n_init",
    "steps": "max_iter",
    "tolerance": "tol",
    "trees": "n_estimators",
    "variance_floor": "var_smoothing",
}
RENAMED_VALUES = {("covariance_type", "diagonal"): "diag", ("gamma", None): "scale"}


@cache
def modules(family: str) -> tuple[str, ...]:
    """The model modules of a family."""
    folder = Path(__file__).parent / family
    return tuple(sorted(p.stem for p in folder.glob("[a-z]*.py") if _public(_parse(p))))


@cache
def signatures(family: str, module: str) -> dict[str, dict[str, Argument]]:
    """Class name -> argument name -> `Argument`, for each class in the module's ``__all__``."""
    path = Path(__file__).parent / family / f"{module}.py"
    return {name: _fields(path, name) for name in _public(_parse(path))}


@cache
def classes() -> dict[str, tuple[str, str]]:
    """Map each model class to its family and module."""
    every = ((family, module) for family in FAMILIES for module in modules(family))
    return {name: (family, module) for family, module in every for name in signatures(family, module)}


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _public(tree: ast.Module) -> list[str]:
    """The names in ``__all__``; empty where there is none: the file then holds parts of models, not models."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def _lineage(path: Path, name: str) -> list[ast.ClassDef]:
    """The class ``name`` of a file and those of our code that it inherits from, the most general first."""
    tree = _parse(path)
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    if node is None:
        imports = [n for n in tree.body if isinstance(n, ast.ImportFrom) and any(a.name == name for a in n.names)]
        parts = imports[0].module.split(".") if imports and imports[0].module else [""]
        file = Path(__file__).parents[1].joinpath(*parts[1:]).with_suffix(".py")
        return _lineage(file, name) if parts[0] == "versus" else []
    bases = [_lineage(path, base.id) for base in reversed(node.bases) if isinstance(base, ast.Name)]
    return list(dict.fromkeys([*(general for base in bases for general in base), node]))


def _fields(path: Path, name: str) -> dict[str, Argument]:
    """Fields of a dataclass, without what is learned, which ends in an underscore."""
    found = {}
    for field in (field for general in _lineage(path, name) for field in general.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            default = "" if field.value is None else _default(field.value)
            argument = Argument(field.target.id, ast.unparse(field.annotation), field.value is None, default)
            if not argument.name.endswith("_") and not argument.annotation.startswith("ClassVar"):
                found[argument.name] = argument
    return found


def _default(node: ast.expr) -> str:
    """Write a field's default; of ``field(default_factory=lambda: [64, 64])`` the list."""
    if isinstance(node, ast.Call) and node.keywords:
        node = node.keywords[0].value
    return ast.unparse(node.body if isinstance(node, ast.Lambda) else node)


def renamed(family: str, module: str, name: str, args: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Map arguments of a cell under names of earlier versions to (name, value) today; empty where there are none."""
    if module not in modules(family) or name not in signatures(family, module):
        return {}
    accepted, found = signatures(family, module)[name], {}
    for old, value in args.items():
        new = old if old in accepted or RENAMED.get(old) not in accepted else RENAMED[old]
        of_today = (
            RENAMED_VALUES.get((new, value), value) if isinstance(value, str | None) and new in accepted else value
        )
        if (new, of_today) != (old, value):
            found[old] = (new, of_today)
    return found


def problem(family: str, module: str, name: str, args: dict[str, Any]) -> tuple[str, str] | None:
    """Find the error in a cell's model: (the field to blame, the message), or None if there is no error."""
    if module not in modules(family):
        return "module", f"unknown module {module!r}; {family} has {', '.join(modules(family))}"
    known = signatures(family, module)
    if name not in known:
        return "class", f"unknown class {name!r}; {family}/{module}.py offers {', '.join(known)}"
    accepted = {a: spec for a, spec in known[name].items() if a not in SUPPLIED}
    for argument, (new, value) in renamed(family, module, name, args).items():
        now = f"{argument} is called {new} now" if new != argument else f"{argument}: {args[argument]} is {value} now"
        return f"args.{argument}", f"{name}: {now}; `versus migrate` rewrites the file"
    for argument, value in args.items():
        if argument not in accepted:
            return f"args.{argument}", f"{name} has no argument {argument!r}; it takes {', '.join(accepted) or 'none'}"
        if not accepted[argument].accepts(value):
            return f"args.{argument}", f"{name} wants {argument}: {accepted[argument].accepted}, and got {value!r}"
    missing = [a for a, spec in accepted.items() if spec.required and a not in args]
    if missing:
        return "args", f"{name} needs {', '.join(missing)}"
    return None


# A method that only models of one task have -> the task; the first that a class has decides.
TELLING = {
    "parse": "parsing",
    "predict_marginals": "tagging",
    "predict_proba": "classification",
    "predict": "regression",
}


@cache
def methods(family: str, module: str, name: str) -> frozenset[str]:
    """Names of a class's methods, with those that it inherits from classes of ours."""
    lineage = _lineage(Path(__file__).parent / family / f"{module}.py", name)
    return frozenset(f.name for general in lineage for f in general.body if isinstance(f, ast.FunctionDef))


@cache
def task(family: str, module: str, name: str) -> str | None:
    """Task of a class, by its methods; None for one that models x alone, which fits data of any task."""
    has = methods(family, module, name)
    return next((task for method, task in TELLING.items() if method in has), None)


def unfit(family: str, module: str, name: str, wanted: str) -> str | None:
    """Explain why a class does not fit data of the task ``wanted``, with the classes that do; None if it fits."""
    found = task(family, module, name)
    if found in (wanted, None):
        return None
    others = ((m, c) for m in modules(family) for c in signatures(family, m))
    fitting = ", ".join(f"{m}.{c}" for m, c in others if task(family, m, c) in (wanted, None))
    return f"{name} is for {found}, and the data are for {wanted}; of {family} models there are {fitting or 'none'}"
