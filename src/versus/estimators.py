"""Models behind scikit-learn's contract: frames of mixed columns or arrays in, labels of any type out.

`Classifier` and `Regressor` wrap any model of Versus, so that ``clone``, pipelines, ``cross_val_score`` and searches
over ``model__<argument>`` work; what the model can do besides, densities and samples, stays there as a method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from versus.arrays import Array
from versus.data.columns import Numbers, RawTable, as_words, text_of
from versus.data.encoding import discrete_columns, encode_feature
from versus.data.schema import Schema
from versus.data.sources import parquet
from versus.data.spaces import Column, Table
from versus.data.table_specification import Parquet
from versus.data.targets import Classes, Number, Target
from versus.evaluation.answers import capabilities, density
from versus.models.events import draw
from versus.models.protocols import takes_weights
from versus.serving import frames


def _offers(method: str) -> Callable[[Any], bool]:
    return lambda wrapper: hasattr(wrapper.model, method)


def table_of(X: Any) -> Table:
    """Describe the columns of a frame, as `prepare` does of a file; those of an array are numbers.

    Raises:
        ValueError: for columns of dates, whose parts may be numbers, but not they.
    """
    if not hasattr(X, "columns"):
        return Table(tuple(Column(f"x{d}") for d in range(X.shape[1])))
    import pyarrow as pa

    dates = [str(name) for name, kind in X.dtypes.items() if np.dtype(getattr(kind, "base", object)).kind in "mM"]
    if dates:
        raise ValueError(f"columns {', '.join(dates)} hold dates; give their parts as numbers, such as `.dt.month`")
    read = Parquet.model_validate({"source": "parquet", "path": "frame", "target": "y"})
    columns = parquet.columns_of(pa.Table.from_pandas(_named(X), preserve_index=False), read)
    raw = RawTable("frame", columns, typed=True)
    discrete = discrete_columns([c for c in columns if isinstance(c, Numbers) and not c.missing.all()])
    features = (encode_feature(as_words(c) if c.name in discrete else c, read, raw) for c in columns)
    return Table(tuple(feature.column for feature in features))


def _named(frame: Any) -> Any:
    """Return a frame whose columns have texts as names."""
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


class _Wrapper(BaseEstimator):  # type: ignore[misc]
    """What both kinds share: the schema, encoding, weights, and the model's own methods.

    Learned: ``model_``, the fitted model; ``schema_``, the form of its data; ``n_features_in_``.

    Args:
        model: a model that is not fitted; its arguments are ``model__<name>`` to scikit-learn.
        random_state: seed of models that use chance.
    """

    def __init__(self, model: Any, random_state: int | None = None) -> None:
        self.model = model
        self.random_state = random_state

    def _fit(self, X: Any, y: Array, target: Target, sample_weight: Any) -> Self:
        self.schema_ = Schema(table_of(X), target)
        own = {"schema": self.schema_} | ({"random_state": self.random_state} if "random_state" in self._names else {})
        self.model_ = clone(self.model).set_params(**own)
        weights = {} if sample_weight is None else {"sample_weight": self._weights(sample_weight, len(y))}
        self.model_.fit(self._encoded(X), y, **weights)
        return self

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(self.model.get_params())

    def _weights(self, sample_weight: Any, n: int) -> Array:
        if not takes_weights(self.model):
            raise TypeError(f"{type(self.model).__name__} does not weigh rows; leave sample_weight out")
        weights = np.broadcast_to(np.asarray(sample_weight, np.float64), (n,)).copy()
        if weights.min() < 0 or not weights.any():
            raise ValueError(f"sample_weight: {'one is below 0' if weights.min() < 0 else 'all weights are zero'}")
        return weights

    def _checked(self, X: Any, reset: bool) -> Any:
        """Return a frame as it is, and anything else as an array (N, D) of numbers, in which NaN is a missing value."""
        if hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")

    def _encoded(self, X: Any) -> Array:
        return frames.encode(_named(X), self.schema_, unseen="missing") if hasattr(X, "columns") else X

    def _asked(self, X: Any) -> Array:
        check_is_fitted(self)
        return self._encoded(self._checked(X, reset=False))

    @available_if(lambda wrapper: density(capabilities(wrapper.model)) is not None)  # type: ignore[untyped-decorator]
    def score_samples(self, X: Any) -> Array:
        """Log p(x) of each row, or the model's bound of it, (N, D) -> (N,) nats."""
        method = density(capabilities(self.model_))
        assert method is not None
        found: Array = getattr(self.model_, method)(self._asked(X))
        return found

    @available_if(_offers("sample"))  # type: ignore[untyped-decorator]
    def sample(self, n_samples: int = 1, random_state: int | None = None) -> Any:
        """Draw rows of P(x): a frame with the original columns."""
        check_is_fitted(self)
        seed = int(np.random.default_rng(random_state).integers(2**31))
        return frames.decode(draw(self.model_, n_samples, None, self.schema_, seed), self.schema_)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that missing values are accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Classifier(ClassifierMixin, _Wrapper):  # type: ignore[misc]
    """A classifier for scikit-learn, made of any model of P(y|x) or P(x, y) of classes.

    Learned: ``classes_``, the labels as they were given; see `_Wrapper` for the rest.

    Args:
        model: a model that is not fitted, such as ``versus.model("MixedNaiveBayes")``.
        random_state: seed of models that use chance.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from a frame or an array X (N, D), labels y (N,) and weights (N,), if any.

        Raises:
            ValueError: where y is no list of classes, or X holds no numbers and is no frame.
            TypeError: for weights that the model does not take.
        """
        check_classification_targets(y)
        labels = column_or_1d(y, warn=True)
        X = self._checked(X, reset=True)
        if len(labels) != len(X):
            raise ValueError(f"X has {len(X)} rows and y {len(labels)} labels; one label a row is needed")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}; two are needed")
        name = str(getattr(y, "name", None) or "y")
        return self._fit(X, codes, Classes(tuple(map(text_of, self.classes_)), name), sample_weight)

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of ``classes_``, (N, D) -> (N, K)."""
        rows = self._asked(X)
        found: Array = np.asarray(self.model_.predict_proba(rows), np.float64)
        return found

    def predict(self, X: Any) -> Any:
        """The most probable label of each row, (N, D) -> (N,)."""
        places = self.predict_proba(X).argmax(axis=1)
        return self.classes_[places]


class Regressor(RegressorMixin, _Wrapper):  # type: ignore[misc]
    """A regressor for scikit-learn, made of any model of a number.

    Args:
        model: a model that is not fitted, such as ``versus.model("GaussianRegression")``.
        random_state: seed of models that use chance.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from a frame or an array X (N, D), numbers y (N,) and weights (N,), if any."""
        values = np.asarray(column_or_1d(y, warn=True), np.float64)
        X = self._checked(X, reset=True)
        if len(values) != len(X):
            raise ValueError(f"X has {len(X)} rows and y {len(values)} numbers; one number a row is needed")
        return self._fit(X, values, Number(str(getattr(y, "name", None) or "y")), sample_weight)

    def predict(self, X: Any) -> Array:
        """The mean of y given x, (N, D) -> (N,)."""
        rows = self._asked(X)
        found: Array = self.model_.predict(rows)
        return found
