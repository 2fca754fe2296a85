"""A data set in memory: what every loader ends in, before it is split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from versus.data.schema import Schema


@dataclass(frozen=True)
class Dataset:
    """Examples and targets in the form that models take.

    Args:
        X: (N, D) float64, categorical columns as codes and missing values as NaN; or images (N, H, W[, C]) of integers;
            or Ragged int32 codes of tokens.
        y: (N,) int64 class codes or float64 values; Ragged int64 codes of tags.
        schema: what the columns, classes and shapes are.
        n_test: how many rows, the last ones, are the official test set; 0 where there is none.
        warnings: what a user should know and need not mend.
        about: licence, citation and the like, for about.json.
    """

    X: Any
    y: Any
    schema: Schema
    n_test: int = 0
    warnings: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Rows, target and events as plain JSON types, with the warnings and the licence."""
        return {
            "rows": len(self.y),
            "test_rows": self.n_test,
            "task": self.schema.y.task,
            "warnings": list(self.warnings),
            **self.about,
            **self.schema.y.summary(self.y),
            **self.schema.x.summary(self.X),
        }
