"""Suggested cells for a data set without a comparison so far: a few of each family that suit its data and its size.

The times are formulas of the work that a fit does, in seconds of one core of 2020 or later; they are right to a factor
of about three, which is enough to tell minutes from days.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from versus.data.schema import Schema
from versus.data.spaces import Image, Series, Tokens
from versus.data.targets import Classes, Nothing, Number, Tags, Trees

LONGEST = 120.0  # seconds that a suggested fit may take
LARGEST = 4 * 2.0**30  # bytes that it may need
MOST_CATEGORIES = 20  # of a column, with which networks and fields of categories are suggested


@dataclass(frozen=True)
class Size:
    """What the time of a fit depends on.

    Args:
        rows: number N of rows that are learnt from.
        width: number F of columns, with one for each category.
        columns: number of columns.
        numbers: number D of columns that covariances join; categories enter a density as factors.
        classes: number K of classes, 1 for a quantity.
    """

    rows: int
    width: int
    columns: int
    numbers: int
    classes: int

    @classmethod
    def of(cls, schema: Schema, rows: int) -> Size:
        """Size of the training part of a data set of so many rows."""
        width = schema.n_features + sum(max(size - 1, 0) for size in schema.cardinalities)
        numbers = schema.cardinalities.count(0)
        return cls(max(int(0.8 * rows), 1), max(width, 1), schema.n_features, max(numbers, 1), max(schema.n_classes, 1))

    @property
    def covariance(self) -> str:
        """Kind of covariance that the rows of a class can determine: "full", "tied" or "diag"."""
        return "full" if self.rows > self.numbers * self.classes else "tied" if self.rows > self.numbers else "diag"


Seconds = Callable[[Size], float]
Suits = Callable[[Schema], bool]


@dataclass(frozen=True)
class Suggestion:
    """A model, the data that it is suggested for, and what a fit costs.

    Args:
        family: its family.
        model: what the cell is called, after the data set.
        module: file of its class.
        class_name: its class.
        args: its arguments.
        suits: check of the form of the data.
        seconds: time of a fit, with full covariances where it has any.
    """

    family: str
    model: str
    module: str
    class_name: str
    args: dict[str, Any]
    suits: Suits
    seconds: Seconds

    def cost(self, size: Size) -> float:
        """Time of a fit in seconds; with diagonal covariances, columns are not multiplied with each other."""
        return self.seconds(size) / (size.numbers if self.args.get("covariance_type") == "diag" else 1)

    def bytes(self, size: Size) -> float:
        """Memory of a fit: the rows three times, and its covariances."""
        kind = self.args.get("covariance_type")
        matrices = size.classes * self.args.get("n_components", 1) if kind == "full" else int(kind == "tied")
        return 8.0 * 3 * (size.rows * size.width + matrices * size.numbers**2)

    def sized(self, size: Size) -> Suggestion:
        """Return the suggestion with covariances that the rows can determine, and so few edges that Z is exact."""
        if "n_edges" in self.args:  # those of a spanning tree, and a few
            return replace(self, args={**self.args, "n_edges": size.columns + 2})
        if "covariance_type" not in self.args:
            return self
        for_each = replace(size, rows=size.rows // self.args.get("n_components", 1))
        kind = "tied" if for_each.covariance == "diag" and self.suits is _values else for_each.covariance
        return replace(self, args={**self.args, "covariance_type": kind})


def _any_classes(schema: Schema) -> bool:
    return isinstance(schema.y, Classes)


def _classes(schema: Schema) -> bool:
    return _any_classes(schema) and not isinstance(schema.x, Tokens)


def _documents(schema: Schema) -> bool:
    return _any_classes(schema) and isinstance(schema.x, Tokens)


def _streams(schema: Schema) -> bool:
    return isinstance(schema.y, Nothing) and isinstance(schema.x, Tokens)


def _characters(schema: Schema) -> bool:
    return _streams(schema) and isinstance(schema.x, Tokens) and schema.x.of_characters


def _tags(schema: Schema) -> bool:
    return isinstance(schema.y, Tags)


def _tags_of_tokens(schema: Schema) -> bool:
    return _tags(schema) and isinstance(schema.x, Tokens)


def _tags_of_rows(schema: Schema) -> bool:
    return _tags(schema) and isinstance(schema.x, Series)


def _trees(schema: Schema) -> bool:
    return isinstance(schema.y, Trees)


def _classes_of_numbers(schema: Schema) -> bool:
    return _classes(schema) and 0 in schema.cardinalities


def _classes_of_categories(schema: Schema) -> bool:
    return _classes(schema) and schema.has_categorical


def _classes_of_few_categories(schema: Schema) -> bool:
    """Check for columns of few categories each: tables of their combinations are counted."""
    return _classes_of_categories(schema) and max(schema.cardinalities) <= MOST_CATEGORIES


def _all_of_few_categories(schema: Schema) -> bool:
    return _classes_of_few_categories(schema) and 0 not in schema.cardinalities


def _image_classes(schema: Schema) -> bool:
    return _classes(schema) and isinstance(schema.x, Image)


def _values(schema: Schema) -> bool:
    return isinstance(schema.y, Number)


def _values_of_tables(schema: Schema) -> bool:
    return _values(schema) and not isinstance(schema.x, Image)


def _no_time(size: Size) -> float:
    return 0.0


def _linear(size: Size) -> float:
    return 1e-7 * size.rows * size.width * size.classes


def _kernel(size: Size) -> float:
    return 2e-9 * size.rows**2 * size.width


def _forest(size: Size) -> float:
    return 6e-6 * size.rows * math.log2(size.rows + 1) * math.sqrt(size.width)


def _value_forest(size: Size) -> float:
    return 1e-6 * size.rows * math.log2(size.rows + 1) * size.width


def _chains(size: Size) -> float:
    return 100 * 20 * size.rows * (4e-7 + 2.5e-8 * size.classes)  # steps of sentences of about 20 words


def _span_charts(size: Size) -> float:
    return 30 * 4e-3 * size.rows  # steps of sentences of about 12 words; those of 25 take five times as long


def _boosting(size: Size) -> float:
    trees = 100 * (size.classes if size.classes > 2 else 1)
    return trees * (2e-3 + 1e-4 * size.width + 5e-8 * size.rows * size.width)


def _network(size: Size) -> float:
    return 100 * size.rows * (2e-5 + 4e-8 * size.width)


def _convolutions(size: Size) -> float:
    return 100 * size.rows * 5e-6 * size.width


def _autoencoder(size: Size) -> float:
    return size.rows * (1.5e-2 + 1e-5 * size.width)


def _pairs(size: Size) -> float:
    return 1e-10 * size.rows * (size.width + 5 * size.numbers) ** 2


def _search(size: Size) -> float:
    """Hill climbing: about two arcs a column are added, and for each the families of one column are counted."""
    return 2 * size.columns**2 * (4e-8 * size.rows + 2e-4)


def _field(size: Size) -> float:
    """Pseudo-likelihood of all pairs: 100 products of the rows with all categories."""
    return 100 * 1e-9 * size.rows * (size.width + size.classes) ** 2


def _normals(size: Size) -> float:
    return 2e-9 * size.numbers**2 * (size.rows + 5 * _choosing(size) + 11 * size.classes * size.numbers)


def _mixtures(size: Size) -> float:
    return 100 * 4 * 2e-9 * size.numbers**2 * (size.rows + _choosing(size) + 2 * size.classes * size.numbers)


def _topics(size: Size) -> float:
    return 2e-2 * size.rows


def _choosing(size: Size) -> int:
    """Rows by whose held-out likelihood the regularisation is chosen."""
    return min(size.rows, 2000 * size.classes)


D, C, N = "discriminative", "classical_generative", "deep_generative"
FULL = {"covariance_type": "full"}
EDGES = {"n_edges": 1}
FOUR = {"n_components": 4, "covariance_type": "full"}
SUGGESTIONS = (
    Suggestion(D, "prior", "baseline", "PriorBaseline", {}, _any_classes, _no_time),
    Suggestion(D, "logistic_regression", "linear", "LogisticRegression", {"C": 1.0}, _any_classes, _linear),
    Suggestion(D, "linear_svm", "linear", "LinearSVM", {"C": 1.0}, _documents, _linear),
    Suggestion(D, "nb_svm", "linear", "NBSVM", {"C": 1.0}, _documents, _linear),
    Suggestion(D, "most_frequent", "baseline", "MostFrequentTag", {}, _tags, _no_time),
    Suggestion(D, "token_logistic", "token_logistic", "TokenLogisticRegression", {}, _tags, _no_time),
    Suggestion(D, "crf", "conditional_random_field", "ConditionalRandomField", {}, _tags, _chains),
    Suggestion(D, "right_branching", "baseline", "RightBranching", {}, _trees, _no_time),
    Suggestion(D, "span_scorer", "span_scorer", "SpanScorer", {"max_iter": 30}, _trees, _span_charts),
    Suggestion(D, "rbf_svm", "kernel", "RBFSVM", {"C": 1.0}, _classes, _kernel),
    Suggestion(D, "random_forest", "trees", "RandomForest", {"n_estimators": 100}, _classes, _forest),
    Suggestion(D, "boosting", "boosting", "HistGradientBoosting", {"max_iter": 100}, _classes, _boosting),
    Suggestion(D, "mlp", "perceptron", "MLPClassifier", {"hidden_layer_sizes": [64, 64]}, _classes, _network),
    Suggestion(D, "cnn", "convolutional", "ConvolutionalClassifier", {}, _image_classes, _convolutions),
    Suggestion(D, "mean", "baseline", "MeanBaseline", {}, _values, _no_time),
    Suggestion(D, "ridge", "linear", "RidgeRegression", {"alpha": 1.0}, _values, _linear),
    Suggestion(D, "random_forest", "trees", "RandomForestRegressor", {"n_estimators": 100}, _values, _value_forest),
    Suggestion(D, "boosting", "boosting", "HistGradientBoostingRegressor", {"max_iter": 100}, _values, _boosting),
    Suggestion(D, "mlp", "perceptron", "MLPRegressor", {"hidden_layer_sizes": [64, 64]}, _values, _network),
    Suggestion(C, "marginals", "baseline", "Marginals", {}, _classes, _no_time),
    Suggestion(C, "naive_bayes", "naive_bayes", "MixedNaiveBayes", {}, _classes, _no_time),
    Suggestion(C, "tan", "bayesian_network", "TreeAugmentedNaiveBayes", {}, _classes_of_categories, _pairs),
    Suggestion(C, "hill_climbing", "bayesian_network", "HillClimbingNetwork", {}, _classes_of_few_categories, _search),
    Suggestion(
        C, "markov_random_field", "markov_random_field", "MarkovRandomField", EDGES, _all_of_few_categories, _field
    ),
    Suggestion(C, "gaussian", "gaussian", "GaussianClassifier", FULL, _classes_of_numbers, _normals),
    Suggestion(C, "gaussian_mixture", "mixture", "GaussianMixtureClassifier", FOUR, _classes_of_numbers, _mixtures),
    Suggestion(C, "gaussian", "regression", "GaussianRegression", {}, _values, _normals),
    Suggestion(C, "gaussian_mixture", "regression", "GaussianMixtureRegression", FOUR, _values, _mixtures),
    Suggestion(C, "multinomial_naive_bayes", "naive_bayes_counts", "MultinomialNaiveBayes", {}, _documents, _no_time),
    Suggestion(C, "bernoulli_naive_bayes", "naive_bayes_discrete", "BernoulliNaiveBayes", {}, _documents, _no_time),
    Suggestion(C, "complement_naive_bayes", "naive_bayes_counts", "ComplementNaiveBayes", {}, _documents, _no_time),
    Suggestion(C, "markov_chain", "markov_chain", "MarkovChainClassifier", {"order": 1}, _documents, _no_time),
    Suggestion(C, "lda", "topics", "LatentDirichletAllocation", {"n_components": 20}, _documents, _topics),
    Suggestion(C, "lda_classifier", "topics", "TopicClassifier", {"n_components": 2}, _documents, _topics),
    Suggestion(C, "unigrams", "baseline", "Unigrams", {}, _streams, _no_time),
    Suggestion(C, "markov_chain_2", "markov_chain", "MarkovChain", {"order": 2}, _streams, _no_time),
    Suggestion(C, "markov_chain_5", "markov_chain", "MarkovChain", {"order": 5}, _characters, _no_time),
    Suggestion(C, "hidden_markov", "hidden_markov", "HiddenMarkovModel", {}, _tags_of_tokens, _no_time),
    Suggestion(C, "hidden_markov_em", "hidden_markov_em", "CategoricalHMM", {}, _tags_of_tokens, _chains),
    Suggestion(C, "hidden_markov", "hidden_markov_gaussian", "GaussianHiddenMarkovModel", {}, _tags_of_rows, _normals),
    Suggestion(C, "hidden_markov_em", "hidden_markov_em", "GaussianHMM", {}, _tags_of_rows, _chains),
    Suggestion(C, "pcfg", "pcfg", "PCFG", {}, _trees, _no_time),
    Suggestion(N, "vae", "vae_regression", "VAERegression", {}, _values_of_tables, _autoencoder),
    Suggestion(N, "cvae", "vae", "ConditionalVAE", {}, _classes, _autoencoder),
)


def suggest(schema: Schema, rows: int) -> tuple[list[Suggestion], list[Suggestion]]:
    """Return the models to begin with, and those that would take too long or too much memory.

    Args:
        schema: form of the data.
        rows: number of examples.
    """
    size = Size.of(schema, rows)
    fitting = [s.sized(size) for s in SUGGESTIONS if s.suits(schema)]
    chosen = [s for s in fitting if s.cost(size) <= LONGEST and s.bytes(size) <= LARGEST]
    return chosen, [s for s in fitting if s not in chosen]
