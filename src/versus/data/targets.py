"""Prediction targets: a class or a number for each example, a tag for each token, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from versus.arrays import Labels

RARE = 0.05  # share of the rows


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

    def rare(self, y: Any) -> int | None:
        """Code of the rarest class, if it has under 5 % of the rows and under half of an even share; else None."""
        shares = np.bincount(y, minlength=len(self.names)) / len(y)
        rarest = int(shares.argmin())
        return rarest if shares[rarest] < min(RARE, 0.5 / len(self.names)) else None


@dataclass(frozen=True)
class Number:
    """Number target, for regression: y (N,) float64."""

    task: ClassVar[str] = "regression"
    name: str = "target"

    def strata(self, y: Any) -> Labels:
        """Strata (N,), all zero: one stratum."""
        return np.zeros(len(y), np.int64)

    def summary(self, y: Any) -> dict[str, Any]:
        """Range of the values, for about.json."""
        return {"target": {"minimum": float(y.min()), "maximum": float(y.max())}}


@dataclass(frozen=True)
class Tags:
    """Tag target, one of K for each token: y Ragged int64 codes of ``names``, with the starts of X."""

    task: ClassVar[str] = "tagging"
    names: tuple[str, ...]
    name: str = "tag"

    def strata(self, y: Any) -> Labels:
        """Strata (N,), all zero: sentences are split without balancing."""
        return np.zeros(len(y), np.int64)

    def summary(self, y: Any) -> dict[str, Any]:
        """Number of tokens of each tag, for about.json."""
        counts = np.bincount(y.values, minlength=len(self.names)).tolist()
        return {"tags": dict(zip(self.names, counts, strict=True))}


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


Target = Classes | Number | Tags | Nothing


def to_json(target: Target) -> dict[str, Any]:
    """Convert a target to plain JSON types; ``task`` names its kind."""
    return {"task": target.task, **asdict(target)}


def from_json(found: Mapping[str, Any]) -> Target:
    """Build a target from the output of `to_json`.

    Raises:
        ValueError, KeyError: if the input was not written by `to_json`.
    """
    if found["task"] == Classes.task:
        return Classes(tuple(found["names"]), found["name"])
    if found["task"] == Number.task:
        return Number(found["name"])
    if found["task"] == Tags.task:
        return Tags(tuple(found["names"]), found["name"])
    if found["task"] == Nothing.task:
        return Nothing()
    raise ValueError(f"task {found['task']!r}; classification, regression, tagging and density are known")
