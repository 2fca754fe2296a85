"""Prediction targets: a class or a number for each example, a tag for each token, a tree, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from versus.arrays import Labels, Ragged
from versus.data import trees
from versus.data.spaces import name_numbers

RARE = 0.05  # share of the rows
NumberText = Callable[[float], str]


@dataclass(frozen=True)
class Classes:
    """Class target, one of K: y (N,) int64 codes of ``names``."""

    task: ClassVar[str] = "classification"
    names: tuple[str, ...]
    name: str = "target"

    def strata(self, y: Any) -> Labels:
        """Strata (N,) for balanced splits: the classes."""
        codes: Labels = y.astype(np.int64, copy=False)
        return codes

    def summary(self, y: Any) -> dict[str, Any]:
        """Number of members of each class, for about.json."""
        counts = np.bincount(y, minlength=len(self.names)).tolist()
        return {"classes": dict(zip(self.names, counts, strict=True))}

    def by_name(self, y: Any) -> Any:
        """Return y itself: a hash has the names of all classes."""
        return y

    def written(self, found: Any, number: NumberText = repr, words: Sequence[str] | None = None) -> str:
        """Name of the class of a row; empty for -1, a row without a class."""
        return self.names[int(found)] if found >= 0 else ""

    def rare(self, y: Any) -> int | None:
        """Code of the rarest class, if it has under 5 % of the rows and under half of an even share; else None."""
        shares = np.bincount(y, minlength=len(self.names)) / len(y)
        rarest = int(shares.argmin())
        return rarest if shares[rarest] < min(RARE, 0.5 / len(self.names)) else None


@dataclass(frozen=True)
class Domains(Classes):
    """Class target of images of two domains without pairs: y (N,) codes of a domain and, in it, of one of K kinds.

    All uses of classes apply to the joint codes; models that translate need the domains alone.

    Args:
        names: joint names, those of the first domain first; see `joined`.
        domains: names of the two domains.
        kinds: names of the kinds, the same in both domains; one empty name where images have none.
        known: name of the translation of an image of the first domain (`versus.data.images.KNOWN_TRANSLATIONS`), where
            the images of the second domain are a function of such images; "" where they are not.
    """

    domains: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("",)
    known: str = ""

    @classmethod
    def joined(cls, domains: Sequence[str], kinds: Sequence[str] = ("",), known: str = "") -> Domains:
        """Build the target of two domains and kinds.

        Raises:
            ValueError: if there are not two domains.
        """
        if len(domains) != 2:
            raise ValueError(f"domains {', '.join(domains)}; two are translated to each other")
        names = tuple(f"{domain} {kind}".rstrip() for domain in domains for kind in kinds)
        return cls(names, "domain", tuple(domains), tuple(kinds), known)

    def domain(self, y: Any) -> Labels:
        """Domain of each row, 0 or 1, (N,) -> (N,)."""
        found: Labels = np.asarray(y, dtype=np.int64) // len(self.kinds)
        return found

    def kind(self, y: Any) -> Labels:
        """Kind of each row, (N,) -> (N,)."""
        found: Labels = np.asarray(y, dtype=np.int64) % len(self.kinds)
        return found


@dataclass(frozen=True)
class Number:
    """Number target, for regression: y (N,) float64."""

    task: ClassVar[str] = "regression"
    kind: ClassVar[str] = "a number"
    name: str = "target"

    def strata(self, y: Any) -> Labels:
        """Strata (N,), all zero: one stratum."""
        return np.zeros(len(y), np.int64)

    def summary(self, y: Any) -> dict[str, Any]:
        """Range of the values, for about.json."""
        return {"target": {"minimum": float(y.min()), "maximum": float(y.max())}}

    def by_name(self, y: Any) -> Any:
        """Return y itself: numbers have no names."""
        return y

    def written(self, found: Any, number: NumberText = repr, words: Sequence[str] | None = None) -> str:
        """Write the value of a row by ``number``."""
        return number(float(found))


@dataclass(frozen=True)
class Tags:
    """Tag target, one of K for each token: y Ragged int64 codes of ``names``, with the starts of X."""

    task: ClassVar[str] = "tagging"
    kind: ClassVar[str] = "a tag a token"
    names: tuple[str, ...]
    name: str = "tag"

    def strata(self, y: Any) -> Labels:
        """Strata (N,), all zero: sentences are split without balancing."""
        return np.zeros(len(y), np.int64)

    def summary(self, y: Any) -> dict[str, Any]:
        """Number of tokens of each tag, for about.json."""
        counts = np.bincount(y.values, minlength=len(self.names)).tolist()
        return {"tags": dict(zip(self.names, counts, strict=True))}

    def by_name(self, y: Any) -> Any:
        """Return y itself: a hash has the names of all tags."""
        return y

    def written(self, found: Any, number: NumberText = repr, words: Sequence[str] | None = None) -> str:
        """Tags of a sentence, joined by blanks; empty for -1, a sentence without tags."""
        return " ".join(self.names[int(code)] for code in found) if np.ndim(found) else ""


@dataclass(frozen=True)
class Trees:
    """Tree target: y Ragged (total, 2) int64, the nodes of each tree in leftmost order (`versus.data.trees`).

    A node is the code of its label in ``names``, and the number of its tokens, 0 for the tag of one token.
    """

    task: ClassVar[str] = "parsing"
    kind: ClassVar[str] = "a tree"
    names: tuple[str, ...]
    name: str = "tree"

    def strata(self, y: Any) -> Labels:
        """Strata (N,), all zero: sentences are split without balancing."""
        return np.zeros(len(y), np.int64)

    def summary(self, y: Any) -> dict[str, Any]:
        """Number of constituents and of tokens by their labels, for about.json."""
        nodes, found = y.values, {}
        for kind, those in (("constituents", nodes[nodes[:, 1] > 0]), ("tags", nodes[nodes[:, 1] == 0])):
            counts = np.bincount(those[:, 0], minlength=len(self.names)).tolist()
            found[kind] = {name: n for name, n in zip(self.names, counts, strict=True) if n}
        return found

    def by_name(self, y: Any) -> Any:
        """Return y with a number for each label that depends on its name alone: other trees may have others."""
        nodes = y.values.copy()
        nodes[:, 0] = name_numbers(self.names)[nodes[:, 0]]
        return Ragged(nodes, y.starts)

    def written(self, found: Any, number: NumberText = repr, words: Sequence[str] | None = None) -> str:
        """Write a tree in brackets, with its words where given; empty for -1, a sentence without a tree."""
        return trees.written(found, self.names, words) if np.ndim(found) else ""

    def check(self, X: Ragged, y: Any) -> None:
        """Raise ValueError unless y holds a tree over the tokens of each of the sentences X."""
        nodes = y.values if isinstance(y, Ragged) else np.zeros(0)
        if len(y) != len(X) or nodes.ndim != 2 or nodes.shape[1] != 2 or nodes.dtype.kind not in "iu":
            raise ValueError(f"{len(X)} sentences have {len(y)} trees; wants integer nodes (total, 2) of each, Ragged")
        if len(nodes) and not 0 <= nodes[:, 0].min() <= nodes[:, 0].max() < len(self.names):
            raise ValueError(f"labels range from {nodes[:, 0].min()} to {nodes[:, 0].max()} of {len(self.names)}")
        for row, (tree, length) in enumerate(zip(y, X.lengths, strict=True)):
            try:
                if trees.parents(tree[:, 1]).size and tree[0, 1] != length:
                    raise ValueError(f"it covers {tree[0, 1]} of {length} tokens")
            except ValueError as error:
                raise ValueError(f"tree {row}: {error}") from None


@dataclass(frozen=True)
class Nothing:
    """No target: y (N,) int64 zeros; only densities can be compared."""

    task: ClassVar[str] = "density"
    name: ClassVar[str] = ""

    def strata(self, y: Any) -> Labels:
        """Strata (N,), all zero: one stratum."""
        return np.zeros(len(y), np.int64)

    def summary(self, y: Any) -> dict[str, Any]:
        """Summary of no target: empty."""
        return {}

    def by_name(self, y: Any) -> Any:
        """Return y itself: zeros."""
        return y

    def written(self, found: Any, number: NumberText = repr, words: Sequence[str] | None = None) -> str:
        """Write no target: empty."""
        return ""


Target = Classes | Number | Tags | Trees | Nothing


def to_json(target: Target) -> dict[str, Any]:
    """Convert a target to plain JSON types; ``task`` names its kind."""
    return {"task": target.task, **asdict(target)}


def from_json(found: Mapping[str, Any]) -> Target:
    """Build a target from the output of `to_json`.

    Raises:
        ValueError, KeyError: if the input was not written by `to_json`.
    """
    if found["task"] == Classes.task and "domains" in found:
        rest = {key: tuple(found[key]) for key in ("names", "domains", "kinds")}
        return Domains(name=found["name"], known=found["known"], **rest)
    if found["task"] == Classes.task:
        return Classes(tuple(found["names"]), found["name"])
    if found["task"] == Number.task:
        return Number(found["name"])
    if found["task"] == Tags.task:
        return Tags(tuple(found["names"]), found["name"])
    if found["task"] == Trees.task:
        return Trees(tuple(found["names"]), found["name"])
    if found["task"] == Nothing.task:
        return Nothing()
    raise ValueError(f"task {found['task']!r}; classification, regression, tagging, parsing and density are known")
