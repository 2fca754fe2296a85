"""Model classes and their arguments, read from the source without importing it.

Signatures are parsed, so that checking params.yaml does not import every library that some model uses.
"""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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

_PLAIN_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "None": (types.NoneType,),
    "tuple": (list,),
    "list": (list,),
    "Sequence": (list,),
}


@dataclass(frozen=True)
class Argument:
    """One constructor argument: its annotation as written, and if it is required."""

    name: str
    annotation: str
    required: bool

    def accepts(self, value: Any) -> bool:
        """Check that a value from params.yaml fits the annotation; anything but a plain type is left to the class."""
        allowed = _plain_types(self.annotation)
        if allowed is None:
            return True
        if isinstance(value, bool):
            return bool in allowed
        return isinstance(value, allowed)


def _plain_types(annotation: str) -> tuple[type, ...] | None:
    """List YAML types that an annotation such as ``float | None`` or ``Literal["a"]`` allows; None where unknown."""
    found: list[type] = []
    for part in _union_parts(ast.parse(annotation, mode="eval").body):
        head = part.value if isinstance(part, ast.Subscript) else part
        name = ast.unparse(head)
        if name == "Literal" and isinstance(part, ast.Subscript):
            elements = part.slice.elts if isinstance(part.slice, ast.Tuple) else [part.slice]
            found += [type(ast.literal_eval(e)) for e in elements]
        elif name in _PLAIN_TYPES:
            found += _PLAIN_TYPES[name]
        else:
            return None
    return tuple(found)


def _union_parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union_parts(node.left) + _union_parts(node.right)
    return [node]


@cache
def modules(family: str) -> tuple[str, ...]:
    """The model modules of a family."""
    folder = Path(__file__).parent / family
    return tuple(sorted(p.stem for p in folder.glob("[a-z]*.py") if _public(_parse(p))))


@cache
def signatures(family: str, module: str) -> dict[str, dict[str, Argument]]:
    """Class name -> argument name -> `Argument`, for each class in the module's ``__all__``."""
    path = Path(__file__).parent / family / f"{module}.py"
    return {name: _arguments(_constructor(path, name)) for name in _public(_parse(path))}


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


def _constructor(path: Path, name: str) -> ast.FunctionDef | None:
    """Find the ``__init__`` of class ``name`` in a file: its own, or the first that it inherits from our code."""
    tree = _parse(path)
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    if node is None:
        imports = [n for n in tree.body if isinstance(n, ast.ImportFrom) and any(a.name == name for a in n.names)]
        parts = imports[0].module.split(".") if imports and imports[0].module else [""]
        if parts[0] != "versus":
            return None
        return _constructor(Path(__file__).parents[1].joinpath(*parts[1:]).with_suffix(".py"), name)
    own = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"]
    inherited = (_constructor(path, base.id) for base in node.bases if isinstance(base, ast.Name))
    return own[0] if own else next((found for found in inherited if found is not None), None)


def _arguments(constructor: ast.FunctionDef | None) -> dict[str, Argument]:
    if constructor is None:
        return {}
    spec = constructor.args
    positional = spec.args[1:]
    unset: list[ast.expr | None] = [None] * (len(positional) - len(spec.defaults))
    pairs = [
        *zip(positional, [*unset, *spec.defaults], strict=True),
        *zip(spec.kwonlyargs, spec.kw_defaults, strict=True),
    ]
    return {
        a.arg: Argument(a.arg, ast.unparse(a.annotation) if a.annotation else "Any", default is None)
        for a, default in pairs
    }


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
        return f"args.{argument}", f"{name}: {now}; `python -m versus migrate` rewrites the file"
    for argument, value in args.items():
        if argument not in accepted:
            return f"args.{argument}", f"{name} has no argument {argument!r}; it takes {', '.join(accepted) or 'none'}"
        if not accepted[argument].accepts(value):
            wanted = accepted[argument].annotation
            return f"args.{argument}", f"{name} wants {argument}: {wanted}, and got {value!r}"
    missing = [a for a, spec in accepted.items() if spec.required and a not in args]
    if missing:
        return "args", f"{name} needs {', '.join(missing)}"
    return None


# A method that only models of one task have -> the task; the first that a class has decides.
_TELLING = {"predict_marginals": "tagging", "predict_proba": "classification", "predict": "regression"}


@cache
def task(family: str, module: str, name: str) -> str | None:
    """Task of a class, by its methods; None for one that models x alone, which fits data of any task."""
    methods = _methods(Path(__file__).parent / family / f"{module}.py", name)
    return next((task for method, task in _TELLING.items() if method in methods), None)


def _methods(path: Path, name: str) -> set[str]:
    """Names of the methods of a class in a file, with those that it inherits from our code."""
    tree = _parse(path)
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    if node is None:
        imports = [n for n in tree.body if isinstance(n, ast.ImportFrom) and any(a.name == name for a in n.names)]
        parts = imports[0].module.split(".") if imports and imports[0].module else [""]
        file = Path(__file__).parents[1].joinpath(*parts[1:]).with_suffix(".py")
        return _methods(file, name) if parts[0] == "versus" else set()
    inherited = (_methods(path, base.id) for base in node.bases if isinstance(base, ast.Name))
    return {f.name for f in node.body if isinstance(f, ast.FunctionDef)}.union(*inherited)


def unfit(family: str, module: str, name: str, wanted: str) -> str | None:
    """Explain why a class does not fit data of the task ``wanted``, with the classes that do; None if it fits."""
    found = task(family, module, name)
    if found in (wanted, None):
        return None
    others = ((m, c) for m in modules(family) for c in signatures(family, m))
    fitting = ", ".join(f"{m}.{c}" for m, c in others if task(family, m, c) in (wanted, None))
    return f"{name} is for {found}, and the data are for {wanted}; of {family} models there are {fitting or 'none'}"
