"""Suggested cells for a data set without a comparison so far: a few of each family that can take its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from versus.data.schema import Schema
from versus.data.spaces import Image, Tokens
from versus.data.targets import Classes, Number, Tags

MANY_ROWS = 20_000  # beyond this the kernel SVM, whose time grows with the square of the rows, is left to the user


@dataclass(frozen=True)
class Suggestion:
    """A model, and the data that it is suggested for."""

    family: str
    model: str
    module: str
    class_name: str
    args: dict[str, Any]
    suits: Callable[[Schema, int], bool]


def _any_classes(schema: Schema, rows: int) -> bool:
    return isinstance(schema.y, Classes)


def _classes(schema: Schema, rows: int) -> bool:
    return _any_classes(schema, rows) and not isinstance(schema.x, Tokens)


def _documents(schema: Schema, rows: int) -> bool:
    return _any_classes(schema, rows) and isinstance(schema.x, Tokens)


def _tags(schema: Schema, rows: int) -> bool:
    return isinstance(schema.y, Tags)


def _numeric_classes(schema: Schema, rows: int) -> bool:
    return _classes(schema, rows) and not schema.has_categorical


def _image_classes(schema: Schema, rows: int) -> bool:
    return _classes(schema, rows) and isinstance(schema.x, Image)


def _few_classes(schema: Schema, rows: int) -> bool:
    return _classes(schema, rows) and rows <= MANY_ROWS


def _values(schema: Schema, rows: int) -> bool:
    return isinstance(schema.y, Number)


def _numeric_values(schema: Schema, rows: int) -> bool:
    return _values(schema, rows) and not schema.has_categorical


D, C, N = "discriminative", "classical_generative", "deep_generative"
SUGGESTIONS = (
    Suggestion(D, "prior", "baseline", "PriorBaseline", {}, _any_classes),
    Suggestion(D, "logistic_regression", "linear", "LogisticRegression", {"C": 1.0}, _any_classes),
    Suggestion(D, "most_frequent", "baseline", "MostFrequentTag", {}, _tags),
    Suggestion(D, "token_logistic", "token_logistic", "TokenLogisticRegression", {}, _tags),
    Suggestion(D, "rbf_svm", "kernel", "RBFSVM", {"C": 1.0}, _few_classes),
    Suggestion(D, "random_forest", "trees", "RandomForest", {"n_estimators": 100}, _classes),
    Suggestion(D, "boosting", "boosting", "HistGradientBoosting", {"max_iter": 100}, _classes),
    Suggestion(D, "mlp", "perceptron", "MLPClassifier", {"hidden_layer_sizes": [64, 64]}, _classes),
    Suggestion(D, "cnn", "convolutional", "ConvolutionalClassifier", {}, _image_classes),
    Suggestion(D, "mean", "baseline", "MeanBaseline", {}, _values),
    Suggestion(D, "ridge", "linear", "RidgeRegression", {"alpha": 1.0}, _values),
    Suggestion(D, "random_forest", "trees", "RandomForestRegressor", {"n_estimators": 100}, _values),
    Suggestion(D, "mlp", "perceptron", "MLPRegressor", {"hidden_layer_sizes": [64, 64]}, _values),
    Suggestion(C, "marginals", "baseline", "Marginals", {}, _classes),
    Suggestion(C, "naive_bayes", "naive_bayes", "MixedNaiveBayes", {}, _classes),
    Suggestion(C, "gaussian", "gaussian", "GaussianClassifier", {"covariance_type": "full"}, _numeric_classes),
    Suggestion(C, "gaussian_mixture", "mixture", "GaussianMixtureClassifier", {"n_components": 4}, _numeric_classes),
    Suggestion(C, "gaussian", "regression", "GaussianRegression", {}, _numeric_values),
    Suggestion(C, "gaussian_mixture", "regression", "GaussianMixtureRegression", {"n_components": 4}, _numeric_values),
    Suggestion(C, "multinomial_naive_bayes", "naive_bayes_counts", "MultinomialNaiveBayes", {}, _documents),
    Suggestion(C, "hidden_markov", "hidden_markov", "HiddenMarkovModel", {}, _tags),
    Suggestion(N, "cvae", "vae", "ConditionalVAE", {}, _classes),
)


def suggest(schema: Schema, rows: int) -> list[Suggestion]:
    """Return the models to begin with.

    Args:
        schema: form of the data.
        rows: number of examples.
    """
    return [suggestion for suggestion in SUGGESTIONS if suggestion.suits(schema, rows)]
