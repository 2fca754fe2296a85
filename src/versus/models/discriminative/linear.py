r"""Linear models: logistic regression, the linear support vector machine, ridge regression.

.. math:: p(y = k \mid x) = \operatorname{softmax}(W z + b)_k, \qquad \hat y = w^\top z + b

with z the preprocessed x. scikit-learn fits; a matrix and an offset are all that is learned, so they are kept as plain
arrays, and using a fitted model needs no scikit-learn (whose import alone takes longer than all of its predictions).
Hastie, Tibshirani and Friedman, *The Elements of Statistical Learning* (2009), sections 3.4, 4.4 and 12.2; Wang and
Manning, "Baselines and bigrams: simple, good sentiment and topic classification" (2012).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from versus.arrays import Array, Labels
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.models.arguments import Between, Count, NonNegative, Positive, SearchSpace, Share
from versus.models.counts import KnownNgrams
from versus.models.estimator import PreprocessedModel, limited, over_all_classes
from versus.models.margins import cross_validated_temperature, one_against_rest

__all__ = ["NBSVM", "LinearSVM", "LogisticRegression", "RidgeRegression"]


class _Linear(PreprocessedModel):
    """Linear map z -> z W + b with W (F, M) and b (M,)."""

    def _take_over(self, coefficients: Array, intercept: Array) -> None:
        self.coefficients_ = np.ascontiguousarray(np.atleast_2d(coefficients).T)  # (M, F) -> (F, M)
        self.intercept_ = np.atleast_1d(intercept).astype(np.float64)

    def _scores(self, X: Array) -> Array:
        scores: Array = self.preprocessor_.transform(X) @ self.coefficients_ + self.intercept_
        return scores

    def get_arrays(self) -> dict[str, Array]:
        """Coefficients (F, M), intercept (M,) and the preprocessing."""
        return {"coefficients": self.coefficients_, "intercept": self.intercept_, **super().get_arrays()}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays(arrays)
        self.coefficients_, self.intercept_ = arrays["coefficients"], arrays["intercept"]
        wanted = (self.preprocessor_.n_columns, *self.intercept_.shape)
        if self.coefficients_.shape != wanted:
            raise ValueError(f"array 'coefficients' has shape {self.coefficients_.shape}; the data ask for {wanted}")


@dataclass(eq=False, kw_only=True)
class _LinearClassifier(KnownNgrams, _Linear):
    """Softmax over linear scores; ``present_`` are the classes seen in training.

    Args:
        class_weight: "balanced" weighs each row by N / (K · members of its class), so that all classes count alike.
        tfidf: for documents: counts are weighted by rarity and scaled to length 1 (`versus.models.counts`).
    """

    class_weight: Literal["balanced"] | None = None
    tfidf: bool = True

    def _new_preprocessor(self, schema: Schema) -> Any:
        if isinstance(schema.x, Tokens):
            return self.new_counts(schema, self.tfidf)
        return super()._new_preprocessor(schema)

    def _learn(self, fitted: Any) -> None:
        self._take_over(fitted.coef_, fitted.intercept_)
        self.present_ = fitted.classes_.astype(np.int64)

    def predict_proba(self, X: Array) -> Array:
        """p(y | x), (N, *event) -> (N, K); a class unseen in training gets 0."""
        scores = self._scores(X)
        margins = scores[:, 0] if scores.shape[1] == 1 else scores
        probabilities = np.exp(one_against_rest(margins, float(self.temperature_)))
        return over_all_classes(probabilities, self.present_, self.schema_.n_classes)

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    def get_arrays(self) -> dict[str, Array]:
        """The linear map, the temperature (), and the classes seen in training."""
        return {**super().get_arrays(), "temperature": self.temperature_, "present": self.present_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays(arrays)
        self.temperature_, self.present_ = arrays["temperature"], arrays["present"]
        classes = np.arange(self.schema_.n_classes)
        rows = 1 if len(self.present_) == 2 else len(self.present_)
        if not np.isin(self.present_, classes).all() or self.intercept_.shape != (rows,):
            raise ValueError(f"array 'present' does not fit {len(classes)} classes and {len(self.intercept_)} scores")
        if self.temperature_.shape or not self.temperature_ > 0:
            raise ValueError("array 'temperature' must be one number above 0")


@dataclass(eq=False)
class LogisticRegression(_LinearClassifier):
    """Multinomial logistic regression with an L2 penalty, by L-BFGS; of documents on the counts of their tokens.

    Args:
        C: inverse strength of the penalty.
        max_iter: maximum number of L-BFGS steps.
        n_jobs: processor cores that fit.
    """

    search_space: ClassVar[SearchSpace] = {"C": Between(1e-3, 1e3)}

    late_imports = ("sklearn.linear_model",)

    C: Positive = 1.0
    max_iter: Count = 1000
    n_jobs: int = 1

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> LogisticRegression:
        """Learn from X (N, *event), labels y (N,) and weights (N,), if any."""
        from sklearn.linear_model import LogisticRegression as Fitter  # 2 s to import

        Z, y = self._fit_transform(X, y, sample_weight)
        fitter = Fitter(C=self.C, max_iter=self.max_iter, class_weight=self.class_weight)
        with limited(self.n_jobs):
            self._learn(fitter.fit(Z, y, sample_weight=sample_weight))
        self.temperature_ = np.ones(())
        return self


@dataclass(eq=False)
class LinearSVM(_LinearClassifier):
    """Linear support vector machines, one class against the rest, squared hinge loss (LIBLINEAR).

    Probabilities are the softmax of the margins at a temperature chosen by cross-validation (`versus.models.margins`),
    so the most probable class is the one with the largest margin. Of documents on the counts of their tokens.

    Args:
        C: inverse strength of the penalty.
        max_iter: maximum number of LIBLINEAR steps.
        tol: tolerance at which LIBLINEAR stops.
        random_state: of the coordinate order and the folds.
    """

    search_space: ClassVar[SearchSpace] = {"C": Between(1e-3, 1e2)}

    late_imports = ("sklearn.svm", "scipy.optimize")

    C: Positive = 1.0
    max_iter: Count = 1000
    tol: float = 1e-4
    random_state: int | None = None

    def _new_machine(self) -> Any:
        from sklearn.svm import LinearSVC  # 2 s to import

        names = ("C", "max_iter", "tol", "random_state", "class_weight")
        return LinearSVC(**{name: getattr(self, name) for name in names})

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> LinearSVM:
        """Learn from X (N, *event), labels y (N,) and weights (N,), if any."""
        Z, y = self._fit_transform(X, y, sample_weight)
        self._learn(self._new_machine().fit(Z, y, sample_weight=sample_weight))
        machine, links = self._new_machine, one_against_rest
        self.temperature_ = np.asarray(
            cross_validated_temperature(machine, links, Z, y, self.random_state, sample_weight)
        )
        return self


@dataclass(eq=False)
class NBSVM(LinearSVM):
    """Linear support vector machines over the log-count ratios of naive Bayes, for documents (Wang and Manning 2012).

    Each class has the ratios r of its features, and its machine reads counts times r. Its weights are drawn towards
    their mean magnitude, for which it is naive Bayes: ``w' = (1 - beta) mean |w| + beta w``. The paper keeps the
    machine's intercept, which belongs to w, and then the frequent class is answered too often; here a last machine
    reads w' x.

    Args:
        alpha: added to each feature's total count in a class and outside of it.
        beta: share of the machine's own weights.
    """

    ngram_range: Sequence[Count] = (1, 2)
    binary: bool = True
    tfidf: bool = False
    alpha: Positive = 1.0
    beta: Share = 0.25

    def _new_preprocessor(self, schema: Schema) -> Any:
        if not isinstance(schema.x, Tokens):
            raise ValueError(f"NBSVM takes documents, and the data are {schema.x.describe()}; LinearSVM takes these")
        return super()._new_preprocessor(schema)

    def _new_machine(self) -> Any:
        return _RatioMachine(super()._new_machine, self.alpha, self.beta)


class _RatioMachine:
    """The machines of `NBSVM`, one class against the rest, in the form of a scikit-learn classifier."""

    def __init__(self, new_machine: Callable[[], Any], alpha: float, beta: float) -> None:
        self.new_machine = new_machine
        self.alpha = alpha
        self.beta = beta

    def fit(self, Z: Any, y: Labels, sample_weight: Array | None = None) -> _RatioMachine:
        self.classes_ = np.unique(y)
        sides = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        found = (self._against_rest(Z, y == k, sample_weight) for k in sides)
        self.coef_, self.intercept_ = map(np.stack, zip(*found, strict=True))
        return self

    def _against_rest(self, Z: Any, inside: Array, weights: Array | None) -> tuple[Array, Any]:
        members = np.stack([~inside, inside]) * (1.0 if weights is None else weights)
        counts = members @ Z + self.alpha  # (2, F)
        outside_log, inside_log = np.log(counts / counts.sum(axis=1, keepdims=True))
        ratios = inside_log - outside_log
        scaled = Z.copy()
        scaled.data *= ratios[scaled.indices]
        own = self.new_machine().fit(scaled, inside, sample_weight=weights).coef_[0]
        own = (1 - self.beta) * np.abs(own).mean() + self.beta * own
        margins = scaled @ own
        spread = margins.std() or 1.0
        last = self.new_machine().set_params(dual=False).fit(margins[:, None] / spread, inside, sample_weight=weights)
        return ratios * own * (last.coef_[0, 0] / spread), last.intercept_[0]

    def decision_function(self, Z: Any) -> Array:
        """Margins (N, K), or (N,) for two classes."""
        margins: Array = Z @ self.coef_.T + self.intercept_
        return margins[:, 0] if len(self.coef_) == 1 else margins


@dataclass(eq=False)
class RidgeRegression(_Linear):
    """Least squares with an L2 penalty on the coefficients.

    Args:
        alpha: strength of the penalty.
    """

    search_space: ClassVar[SearchSpace] = {"alpha": Between(1e-3, 1e4)}

    late_imports = ("sklearn.linear_model",)

    alpha: NonNegative = 1.0

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> RidgeRegression:
        """Learn from X (N, *event), targets y (N,) and weights (N,), if any."""
        from sklearn.linear_model import Ridge  # 2 s to import

        Z, y = self._fit_transform(X, y, sample_weight)
        with limited(1):
            fitted = Ridge(alpha=self.alpha).fit(Z, y, sample_weight=sample_weight)
        self._take_over(fitted.coef_, fitted.intercept_)
        return self

    def predict(self, X: Array) -> Array:
        """E[y | x] in the unit of the target, (N, *event) -> (N,)."""
        values: Array = self._scores(X)[:, 0]
        return values
