"""Model classes and their arguments, read from the source without importing it.

Fields are parsed, so that checking params.yaml does not import every library that some model uses.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

from versus import plugins
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


def modules(family: str) -> tuple[str, ...]:
    """The model modules of a family, those of packages in use last."""
    return (*_own(family), *(name for name, path in plugins.files(family).items() if _public(_parse(path))))


@cache
def _own(family: str) -> tuple[str, ...]:
    folder = Path(__file__).parent / family
    return tuple(sorted(p.stem for p in folder.glob("[a-z]*.py") if _public(_parse(p))))


def signatures(family: str, module: str) -> dict[str, dict[str, Argument]]:
    """Class name -> argument name -> `Argument`, for each class in the module's ``__all__``."""
    return _signatures(_file(family, module))


@cache
def _signatures(path: Path) -> dict[str, dict[str, Argument]]:
    return {name: _fields(path, name) for name in _public(_parse(path))}


def _file(family: str, module: str) -> Path:
    package, _, stem = module.rpartition(".")
    return (plugins.folder(package) if package else Path(__file__).parent) / family / f"{stem}.py"


def classes() -> dict[str, tuple[str, str]]:
    """Map each model class to its family and module; one of a package whose name is taken has the package before it."""
    found: dict[str, tuple[str, str]] = {}
    every = [(family, module) for family in FAMILIES for module in modules(family)]
    for family, module in sorted(every, key=lambda place: "." in place[1]):
        for name in signatures(family, module):
            found[f"{module.partition('.')[0]}.{name}" if name in found else name] = family, module
    return found


def defaults(family: str, module: str, name: str) -> dict[str, Any]:
    """Map each argument that a cell may leave out to its default; one that is no literal stays as it is written."""
    known = signatures(family, module).get(name, {}).values()
    return {a.name: _value(a.default) for a in known if not a.required and a.name not in SUPPLIED}


def _value(source: str) -> Any:
    try:
        return ast.literal_eval(source)
    except ValueError:
        return source


_parse = cache(plugins.parse)


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
        found = next(
            (
                (n, a)
                for n in tree.body
                if isinstance(n, ast.ImportFrom)
                for a in n.names
                if (a.asname or a.name) == name
            ),
            None,
        )
        file = None if found is None else _source(path, found[0])
        return [] if found is None or file is None else _lineage(file, found[1].name)
    bases = [_lineage(path, base.id) for base in reversed(node.bases) if isinstance(base, ast.Name)]
    return list(dict.fromkeys([*(general for base in bases for general in base), node]))


def _source(path: Path, statement: ast.ImportFrom) -> Path | None:
    """File of ours, or of a package in use, that a file imports from; None for a library."""
    parts = (statement.module or "").split(".")
    if statement.level:
        base = path.parents[statement.level - 1].joinpath(*filter(None, parts))
    elif parts[0] == "versus" or parts[0] in plugins.active():
        base = (Path(__file__).parents[1] if parts[0] == "versus" else plugins.folder(parts[0])).joinpath(*parts[1:])
    else:
        return None
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


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
        if module in plugins.files(family):
            return "module", f"{plugins.files(family)[module]} offers no model: it lists them in `__all__`"
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


def methods(family: str, module: str, name: str) -> frozenset[str]:
    """Names of a class's methods, with those that it inherits from classes of ours."""
    return _methods(_file(family, module), name)


@cache
def _methods(path: Path, name: str) -> frozenset[str]:
    lineage = _lineage(path, name)
    return frozenset(f.name for general in lineage for f in general.body if isinstance(f, ast.FunctionDef))


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
