"""Base of discriminative taggers: linear scores of each element from those around it, learned by L-BFGS.

Elements are tokens (`versus.models.token_features`) or rows of numbers (`versus.models.series_features`). Liu and
Nocedal, "On the limited memory BFGS method" (1989).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from versus.arrays import Array, Ragged
from versus.data.spaces import Tokens
from versus.models.arguments import Between, Count, Model, Positive, SearchSpace
from versus.models.checks import check_names, restored_schema, sequences_of, tagging_data
from versus.models.estimator import limited
from versus.models.series_features import SeriesFeatures
from versus.models.token_features import WordFeatures


@dataclass(eq=False)
class WindowTagger(Model):
    """A model defines ``fit``, ``coefficients``, ``predict_marginals``, and names what it learns besides ``features_``.

    Args:
        C: inverse strength of the penalty.
        window: number of neighbours on each side.
        affixes: the longest prefix and suffix of a word that are features.
        min_df: number of training tokens that must have a feature.
        pairs: True for features of two words in a row.
        max_iter: maximum number of L-BFGS steps.
    """

    search_space: ClassVar[SearchSpace] = {"C": Between(1e-2, 1e2)}

    late_imports = ("scipy.optimize", "sklearn.utils")

    learned: ClassVar[tuple[str, ...]] = ()

    C: Positive = 1.0
    window: int = 1
    affixes: int = 4
    min_df: Count = 1
    pairs: bool = False
    max_iter: Count = 100

    def coefficients(self) -> Array:
        """Weights of all features, (M, K)."""
        raise NotImplementedError

    def predict_marginals(self, X: Ragged) -> Ragged:
        """Probabilities of the tags of each element, (total, ...) -> (total, K)."""
        raise NotImplementedError

    def predict(self, X: Ragged) -> Ragged:
        """The most probable tag of each element, (total, ...) -> (total,) int64."""
        return Ragged(self.predict_marginals(X).values.argmax(axis=1), X.starts)

    def _learn_features(self, X: Ragged, y: Ragged | None) -> Ragged:
        """Settle the schema and the features, and return the tags.

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        self.__dict__.pop("_table", None)
        self.schema_, tags = tagging_data(type(self).__name__, self.schema, X, y)
        space = self.schema_.x
        self.features_: WordFeatures | SeriesFeatures
        if isinstance(space, Tokens):
            given = (self.affixes, self.window, self.min_df, self.pairs)
            self.features_ = WordFeatures.learn(X, space.vocabulary, *given)
        else:
            self.features_ = SeriesFeatures.learn(X, self.window)
        return tags

    def _minimised(self, loss: Callable[[Array], tuple[float, Array]], size: int, **options: Any) -> Array:
        """Weights (size,) of least loss, which is given with its gradient; from zero."""
        from scipy.optimize import minimize

        callback = options.pop("callback", None)
        with limited(1):  # its vectors are too short to share among threads
            found = minimize(
                loss,
                np.zeros(size),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": self.max_iter, **options},
                callback=callback,
            )
        return np.asarray(found.x)

    @cached_property
    def _table(self) -> Array:
        """What scores are gathered from; made once, so that a single sentence takes no time."""
        return self.features_.table(self.coefficients())

    def _scores(self, X: Ragged) -> Ragged:
        sequences_of(self.schema_).check(X)
        return Ragged(self.features_.window(X).gathered(self._table), X.starts)

    def get_arrays(self) -> dict[str, Array]:
        """What was learned, and the features."""
        return {name: getattr(self, f"{name}_") for name in self.learned} | self.features_.get_arrays()

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names or shapes are not those of such a model.
        """
        self.__dict__.pop("_table", None)
        self.schema_ = restored_schema(self.schema)
        space = sequences_of(self.schema_)
        check_names(arrays, (*self.learned, *(WordFeatures if isinstance(space, Tokens) else SeriesFeatures).learned))
        if isinstance(space, Tokens):
            self.features_ = WordFeatures.restored(arrays, space.vocabulary, self.affixes, self.window)
        else:
            self.features_ = SeriesFeatures.restored(arrays, self.schema_.n_features, self.window)
        self._check(arrays)
        for name in self.learned:
            setattr(self, f"{name}_", arrays[name])

    def _check(self, arrays: Mapping[str, Array]) -> None:
        """Raise ValueError where shapes or values of ``learned`` are not those of such a model."""
        raise NotImplementedError
