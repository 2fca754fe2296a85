"""Constructor arguments of models: fields of a dataclass, whose annotations say which values are accepted.

Annotations are read as text, here from fields and in `versus.models.catalogue` from the source of a class that is not
imported: params.yaml and constructors are checked by the same rule.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from math import exp, log
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from versus.data.schema import Schema

EDGE = 0.05  # of a range
LARGEST = 1e50  # beyond, products of three overflow: LIBLINEAR, for one, then never ends, and no time limit stops it

# Numbers of a range; in an annotation, the name alone says it.
Count = int
Positive = float
NonNegative = float
Share = float


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


# Classes that a model generalises: the arguments that the model must have for it, the name of the class, and the
# arguments that the class must have. With well-chosen regularisation its likelihood is not below theirs.
SpecialCases = tuple[tuple[Mapping[str, str], str, Mapping[str, str]], ...]

Rule = tuple[str, Callable[[Any], bool]]  # the accepted values in words, and the check

_RULES: dict[str, Rule] = {
    "int": ("int", _whole),
    "float": ("float", _number),
    "str": ("str", lambda value: isinstance(value, str)),
    "bool": ("bool", lambda value: isinstance(value, bool)),
    "None": ("None", lambda value: value is None),
    "Count": ("int from 1 up", lambda value: _whole(value) and value >= 1),
    "Positive": (f"float above 0, up to {LARGEST:g}", lambda value: _number(value) and 0 < value <= LARGEST),
    "NonNegative": (f"float from 0 up to {LARGEST:g}", lambda value: _number(value) and 0 <= value <= LARGEST),
    "Share": ("float from 0 to 1", lambda value: _number(value) and 0 <= value <= 1),
}


@dataclass(frozen=True)
class Argument:
    """One constructor argument: its annotation as written, if it is required, and the default as written."""

    name: str
    annotation: str
    required: bool
    default: str = field(default="", compare=False)  # read from source alone

    def accepts(self, value: Any) -> bool:
        """Check that a value fits the annotation; one that names another class is left to that class."""
        rules = _rules(self.annotation)
        return rules is None or any(check(value) for _, check in rules)

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return ", ".join(words for words, _ in _rules(self.annotation) or [(self.annotation, bool)])


@cache
def _rules(annotation: str) -> tuple[Rule, ...] | None:
    """List what an annotation such as ``Positive | Literal["auto"]`` accepts; None where it names a class."""
    found = [_rule(part) for part in _union_parts(ast.parse(annotation, mode="eval").body)]
    known = tuple(rule for rule in found if rule is not None)
    return known if len(known) == len(found) else None


def _union_parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union_parts(node.left) + _union_parts(node.right)
    return [node]


def _rule(node: ast.expr) -> Rule | None:
    if not isinstance(node, ast.Subscript):
        return _RULES.get(ast.unparse(node))
    head = ast.unparse(node.value)
    if head == "Literal":
        choices = ast.literal_eval(node.slice)
        choices = choices if isinstance(choices, tuple) else (choices,)
        return ", ".join(map(repr, choices)), lambda value: isinstance(value, str) and value in choices
    inner = _rule(node.slice)
    if head == "Sequence" and inner is not None:
        words, check = inner
        return f"list of {words}", lambda value: isinstance(value, list | tuple) and all(map(check, value))
    return None


@dataclass(frozen=True)
class Between:
    """Range of an argument in a search space, on a logarithmic scale; whole numbers where both ends are.

    Args:
        low, high: ends of the range, above 0.
    """

    low: float
    high: float

    def rvs(self, random_state: Any) -> float:
        """Draw a number: the method that scikit-learn's samplers call."""
        drawn = exp(random_state.uniform(log(self.low), log(self.high)))
        return round(drawn) if self._is_whole else drawn

    def edge(self, value: float) -> str:
        """Return "lower" or "upper" for a value in that twentieth of the range; no count lies below 1."""
        place = (log(value) - log(self.low)) / (log(self.high) - log(self.low))
        if place <= EDGE:
            return "" if self._is_whole and self.low == 1 else "lower"
        return "upper" if place >= 1 - EDGE else ""

    @property
    def _is_whole(self) -> bool:
        return _whole(self.low) and _whole(self.high)


SearchSpace = Mapping[str, Between | Sequence[Any]]


def arguments_of(model_class: type[Any]) -> tuple[Argument, ...]:
    """List the arguments of a model class, a dataclass, in their order."""
    return tuple(
        Argument(f.name, str(f.type), f.default is MISSING and f.default_factory is MISSING)
        for f in fields(model_class)
        if f.init
    )


@dataclass(eq=False, kw_only=True)
class Model:
    """Base of all models: their constructor arguments are fields, checked when a model is made.

    Args:
        schema: form of the data; inferred from the arrays where None.

    Raises:
        ValueError: naming an argument whose value its annotation does not accept.
    """

    late_imports: ClassVar[tuple[str, ...]] = ()
    no_density: ClassVar[str] = "models y given x"  # said where a model has neither a density nor samples
    special_cases: ClassVar[SpecialCases] = ()
    search_space: ClassVar[SearchSpace] = {}

    schema: Schema | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        for argument in arguments_of(type(self)):
            value = getattr(self, argument.name)
            if not argument.accepts(value):
                raise ValueError(f"{type(self).__name__}: {argument.name}={value!r}; accepted: {argument.accepted}")

    def known_special_cases(self) -> list[tuple[str, dict[str, str]]]:
        """List the classes that the model generalises with its arguments, and the arguments that they must have."""
        own = self.arguments()
        return [
            (name, dict(theirs))
            for mine, name, theirs in self.special_cases
            if all(own[argument] == value for argument, value in mine.items())
        ]

    def arguments(self) -> dict[str, Any]:
        """The arguments by name, without the schema."""
        return {a.name: getattr(self, a.name) for a in arguments_of(type(self)) if a.name != "schema"}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments by name, under scikit-learn's name: its ``clone`` and searches work on models."""
        return {"schema": self.schema, **self.arguments()}

    def set_params(self, **given: Any) -> Self:
        """Set arguments.

        Raises:
            ValueError: for an unknown one, or a value that is not accepted.
        """
        known = self.get_params()
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"{type(self).__name__} has no argument {name!r}; it takes {', '.join(known)}")
            setattr(self, name, value)
        self.__post_init__()
        return self
