r"""The hidden Markov model of rows of numbers: a normal, or a mixture of normals, for each tag.

.. math:: p(x, y) = \pi_{y_1} \prod_{t > 1} A_{y_{t-1} y_t} \prod_t \sum_m w_{y_t m} N(x_t; \mu_{y_t m}, \Sigma_{y_t m})
          \; e_{y_T}

Steps between tags are counted; the densities are those of `GaussianMixtureClassifier`, learned from the rows of each
tag, whatever their neighbours. Rabiner, "A tutorial on hidden Markov models" (1989), section IV.A.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

import numpy as np

from versus.arrays import Array, Measure, Ragged
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.data.targets import Classes
from versus.models.arguments import Between, Count, Positive, SearchSpace
from versus.models.checks import check_shape, restored_schema, series_of
from versus.models.classical_generative.mixture import Components, GaussianMixtureClassifier
from versus.models.hidden_states import TaggedStates

__all__ = ["GaussianHiddenMarkovModel"]


@dataclass(eq=False)
class GaussianHiddenMarkovModel(TaggedStates, Components):
    """Tags as hidden states that emit rows of numbers; arguments of `Components`, and those of the chain.

    Learned: ``steps_`` (K + 1, K + 1) counts of steps, ``emissions_``.

    Args:
        n_components: number of normals of each tag.
        alpha: added to the count of each step between tags.
    """

    search_space: ClassVar[SearchSpace] = {"n_components": Between(1, 8), "pseudo_counts": ("auto", 0.1, 1.0, 4.0)}

    measure: ClassVar[Measure] = "continuous"

    n_components: Count = 1
    alpha: Positive = field(default=0.1, kw_only=True)

    def fit(self, X: Ragged, y: Ragged | None = None) -> GaussianHiddenMarkovModel:
        """Learn from sequences of rows X and tag codes y, both (N sequences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        tags = self._learn_steps(X, y)
        self.emissions_ = self._densities().fit(X.values, tags.values)
        return self

    def _densities(self) -> GaussianMixtureClassifier:
        schema = Schema(Table(series_of(self.schema_).columns), Classes(self.schema_.classes))
        given = {own.name: getattr(self, own.name) for own in fields(Components)}
        return GaussianMixtureClassifier(**{**given, "schema": schema})

    def _log_emissions(self, x: Array) -> Array:
        return self.emissions_.log_likelihoods(x)

    def _emitted(self, states: Array, rng: np.random.Generator) -> Array:
        found = np.zeros((len(states), self.schema_.n_features))
        for k in np.unique(states):
            here = states == k
            found[here] = self.emissions_.draw(int(k), int(here.sum()), rng)
        return found

    def get_arrays(self) -> dict[str, Array]:
        """Counts of steps, and the arrays of the densities."""
        return {"steps": self.steps_} | {f"emission.{n}": a for n, a in self.emissions_.get_arrays().items()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names or shapes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        k = self.schema_.n_classes
        self.steps_ = check_shape(arrays, "steps", (k + 1, k + 1))
        self._restore_chain()
        self.emissions_ = self._densities()
        start = "emission."
        rest = {name.removeprefix(start): array for name, array in arrays.items() if name != "steps"}
        self.emissions_.set_arrays(rest)
