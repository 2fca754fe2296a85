"""Suggested cells for a data set without a comparison so far: a few of each family that suit its data and its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Series, Table, Tokens
from versus.data.targets import Classes, Domains, Nothing, Number, Tags, Trees
from versus.models.fit_times import (
    Seconds,
    Size,
    autoencoder,
    boltzmann,
    boosting,
    chains,
    convolutions,
    cycles,
    diffusion,
    field,
    flow,
    forest,
    game,
    kernel,
    language,
    linear,
    mixtures,
    network,
    no_time,
    normals,
    pairs,
    recurrent,
    search,
    span_charts,
    topics,
    value_forest,
)

LONGEST = 120.0  # seconds that a suggested fit may take
LARGEST = 4 * 2.0**30  # bytes that it may need
HALVED_TWICE = 4  # pixels a side that convolutions of two strides need
MOST_CATEGORIES = 20  # of a column, with which networks and fields of categories are suggested


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
        gaps: True if it takes missing values.
    """

    family: str
    model: str
    module: str
    class_name: str
    args: dict[str, Any]
    suits: Suits
    seconds: Seconds
    gaps: bool = True

    def cost(self, size: Size) -> float:
        """Time of a fit in seconds; with diagonal covariances, columns are not multiplied with each other."""
        return self.seconds(size) / (size.numbers if self.args.get("covariance_type") == "diag" else 1)

    def bytes(self, size: Size) -> float:
        """Memory of a fit: the values three times, and its covariances."""
        kind = self.args.get("covariance_type")
        matrices = size.classes * self.args.get("n_components", 1) if kind == "full" else int(kind == "tied")
        return 8.0 * 3 * (size.values + matrices * size.numbers**2)

    def sized(self, size: Size) -> Suggestion:
        """Return the suggestion with covariances that the rows can determine, and so few edges that Z is exact."""
        if "n_edges" in self.args:  # those of a spanning tree, and a few
            return replace(self, args={**self.args, "n_edges": size.columns + 2})
        if "covariance_type" not in self.args:
            return self
        for_each = replace(size, steps=size.steps // self.args.get("n_components", 1))
        kind = "tied" if for_each.covariance == "diag" and self.suits is _values else for_each.covariance
        return replace(self, args={**self.args, "covariance_type": kind})


def _any_classes(schema: Schema) -> bool:
    return isinstance(schema.y, Classes)


def _classes(schema: Schema) -> bool:
    return _any_classes(schema) and not isinstance(schema.x, Tokens)


def _documents(schema: Schema) -> bool:
    return _any_classes(schema) and isinstance(schema.x, Tokens)


def _bits(schema: Schema) -> bool:
    """Check for black and white images."""
    return _image_classes(schema) and schema.levels == 2


def _not_bits(schema: Schema) -> bool:
    return _classes(schema) and not _bits(schema)


def _bits_or_documents(schema: Schema) -> bool:
    return _bits(schema) or _documents(schema)


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
    return _not_bits(schema) and 0 in schema.cardinalities


def _classes_of_categories(schema: Schema) -> bool:
    return _classes(schema) and schema.has_categorical


def _classes_of_few_categories(schema: Schema) -> bool:
    """Check for columns of few categories each: tables of their combinations are counted."""
    return _classes_of_categories(schema) and max(schema.cardinalities) <= MOST_CATEGORIES


def _all_of_few_categories(schema: Schema) -> bool:
    return _classes_of_few_categories(schema) and 0 not in schema.cardinalities


def _image_classes(schema: Schema) -> bool:
    return _classes(schema) and isinstance(schema.x, Image)


def _classes_of_larger_images(schema: Schema) -> bool:
    return _image_classes(schema) and min(schema.shape[:2]) >= HALVED_TWICE


def _classes_of_tables(schema: Schema) -> bool:
    return _classes(schema) and isinstance(schema.x, Table)


def _image_domains(schema: Schema) -> bool:
    return _image_classes(schema) and isinstance(schema.y, Domains)


def _values(schema: Schema) -> bool:
    return isinstance(schema.y, Number)


def _values_of_tables(schema: Schema) -> bool:
    return _values(schema) and not isinstance(schema.x, Image)


D, C, N = "discriminative", "classical_generative", "deep_generative"
FULL = {"covariance_type": "full"}
EDGES = {"n_edges": 1}
FOUR = {"n_components": 4, "covariance_type": "full"}
TWO = {"n_components": 2}  # normals of a tag
DENSE = {"channels": None, "hidden_layer_sizes": [256, 256, 256], "evaluation_samples": 8}  # a tenth of a U-Net's time
SMALL = {"embedding_size": 64, "n_layers": 2, "window": 64, "context": 64, "epochs": 3}
SUGGESTIONS = (
    Suggestion(D, "prior", "baseline", "PriorBaseline", {}, _any_classes, no_time),
    Suggestion(D, "logistic_regression", "linear", "LogisticRegression", {"C": 1.0}, _any_classes, linear),
    Suggestion(D, "linear_svm", "linear", "LinearSVM", {"C": 1.0}, _documents, linear),
    Suggestion(D, "nb_svm", "linear", "NBSVM", {"C": 1.0}, _documents, linear),
    Suggestion(D, "lstm", "recurrent", "BidirectionalLSTMClassifier", {}, _documents, recurrent),
    Suggestion(D, "most_frequent", "baseline", "MostFrequentTag", {}, _tags, no_time),
    Suggestion(D, "token_logistic", "token_logistic", "TokenLogisticRegression", {}, _tags, no_time),
    Suggestion(D, "crf", "conditional_random_field", "ConditionalRandomField", {}, _tags, chains),
    Suggestion(D, "lstm_crf", "recurrent_tagger", "BidirectionalLSTMTagger", {}, _tags_of_tokens, recurrent),
    Suggestion(D, "right_branching", "baseline", "RightBranching", {}, _trees, no_time),
    Suggestion(D, "span_scorer", "span_scorer", "SpanScorer", {"max_iter": 30}, _trees, span_charts),
    Suggestion(D, "rbf_svm", "kernel", "RBFSVM", {"C": 1.0}, _classes, kernel),
    Suggestion(D, "random_forest", "trees", "RandomForest", {"n_estimators": 100}, _classes, forest),
    Suggestion(D, "boosting", "boosting", "HistGradientBoosting", {"max_iter": 100}, _classes, boosting),
    Suggestion(D, "mlp", "perceptron", "MLPClassifier", {"hidden_layer_sizes": [64, 64]}, _classes, network),
    Suggestion(D, "cnn", "convolutional", "ConvolutionalClassifier", {}, _image_classes, convolutions),
    Suggestion(D, "mean", "baseline", "MeanBaseline", {}, _values, no_time),
    Suggestion(D, "ridge", "linear", "RidgeRegression", {"alpha": 1.0}, _values, linear),
    Suggestion(D, "random_forest", "trees", "RandomForestRegressor", {"n_estimators": 100}, _values, value_forest),
    Suggestion(D, "boosting", "boosting", "HistGradientBoostingRegressor", {"max_iter": 100}, _values, boosting),
    Suggestion(D, "mlp", "perceptron", "MLPRegressor", {"hidden_layer_sizes": [64, 64]}, _values, network),
    Suggestion(C, "marginals", "baseline", "Marginals", {}, _classes, no_time),
    Suggestion(C, "naive_bayes", "naive_bayes", "MixedNaiveBayes", {}, _not_bits, no_time),
    Suggestion(C, "tan", "bayesian_network", "TreeAugmentedNaiveBayes", {}, _classes_of_categories, pairs),
    Suggestion(C, "hill_climbing", "bayesian_network", "HillClimbingNetwork", {}, _classes_of_few_categories, search),
    Suggestion(
        C, "markov_random_field", "markov_random_field", "MarkovRandomField", EDGES, _all_of_few_categories, field
    ),
    Suggestion(C, "gaussian", "gaussian", "GaussianClassifier", FULL, _classes_of_numbers, normals),
    Suggestion(C, "gaussian_mixture", "mixture", "GaussianMixtureClassifier", FOUR, _classes_of_numbers, mixtures),
    Suggestion(C, "gaussian", "regression", "GaussianRegression", {}, _values, normals),
    Suggestion(C, "gaussian_mixture", "regression", "GaussianMixtureRegression", FOUR, _values, mixtures),
    Suggestion(C, "multinomial_naive_bayes", "naive_bayes_counts", "MultinomialNaiveBayes", {}, _documents, no_time),
    Suggestion(
        C, "bernoulli_naive_bayes", "naive_bayes_discrete", "BernoulliNaiveBayes", {}, _bits_or_documents, no_time
    ),
    Suggestion(C, "complement_naive_bayes", "naive_bayes_counts", "ComplementNaiveBayes", {}, _documents, no_time),
    Suggestion(C, "markov_chain", "markov_chain", "MarkovChainClassifier", {"order": 1}, _documents, no_time),
    Suggestion(C, "lda", "topics", "LatentDirichletAllocation", {"n_components": 20}, _documents, topics),
    Suggestion(C, "lda_classifier", "topics", "TopicClassifier", {"n_components": 2}, _documents, topics),
    Suggestion(C, "unigrams", "baseline", "Unigrams", {}, _streams, no_time),
    Suggestion(C, "markov_chain_2", "markov_chain", "MarkovChain", {"order": 2}, _streams, no_time),
    Suggestion(C, "markov_chain_5", "markov_chain", "MarkovChain", {"order": 5}, _characters, no_time),
    Suggestion(C, "hidden_markov", "hidden_markov", "HiddenMarkovModel", {}, _tags_of_tokens, no_time),
    Suggestion(C, "hidden_markov_em", "hidden_markov_em", "CategoricalHMM", {}, _tags_of_tokens, chains),
    Suggestion(C, "hidden_markov", "hidden_markov_gaussian", "GaussianHiddenMarkovModel", {}, _tags_of_rows, normals),
    Suggestion(
        C, "hidden_markov_mixture", "hidden_markov_gaussian", "GaussianHiddenMarkovModel", TWO, _tags_of_rows, mixtures
    ),
    Suggestion(C, "hidden_markov_em", "hidden_markov_em", "GaussianHMM", {}, _tags_of_rows, chains),
    Suggestion(C, "pcfg", "pcfg", "PCFG", {}, _trees, no_time),
    Suggestion(C, "rbm", "restricted_boltzmann", "RestrictedBoltzmannMachine", {"label_weight": 1.0}, _bits, boltzmann),
    Suggestion(C, "deep_belief", "deep_belief", "DeepBeliefNetwork", {"fine_tuning": 0.3}, _bits, boltzmann),
    Suggestion(C, "deep_boltzmann", "deep_boltzmann", "DeepBoltzmannMachine", {}, _bits, boltzmann),
    Suggestion(N, "vae", "vae_regression", "VAERegression", {}, _values_of_tables, autoencoder),
    Suggestion(N, "cvae", "vae", "ConditionalVAE", {}, _not_bits, autoencoder),
    Suggestion(N, "cvae", "vae", "ConditionalVAE", {"likelihood": "bernoulli"}, _bits, autoencoder),
    Suggestion(N, "lstm_generator", "lstm", "ConditionalLSTM", {"epochs": 10}, _documents, language(10)),
    Suggestion(N, "lstm", "lstm", "LSTM", {"epochs": 5}, _streams, language(5)),
    Suggestion(N, "transformer", "transformer", "Transformer", SMALL, _streams, language(5)),
    Suggestion(N, "flow", "flows", "ConditionalFlow", {"epochs": 30}, _not_bits, flow, gaps=False),
    Suggestion(N, "diffusion", "diffusion", "ConditionalDiffusion", {}, _classes_of_tables, diffusion),
    Suggestion(N, "diffusion", "diffusion", "ConditionalDiffusion", DENSE, _image_classes, diffusion),
    Suggestion(N, "dcgan", "dcgan", "DCGAN", {"conditional": True, "epochs": 15}, _classes_of_larger_images, game),
    Suggestion(N, "cyclegan", "cyclegan", "CycleGAN", {}, _image_domains, cycles),
)


# Kinds of data, in words, each with schemas that stand for it.
KINDS = {
    "numbers": [Schema(Table((Column("x"),)), y) for y in (Classes(("a", "b")), Number())],
    "categories": [Schema(Table((Column("x", ("p", "q")),)), y) for y in (Classes(("a", "b")), Number())],
    "images": [Schema(Image((8, 8), 256), y) for y in (Classes(("a", "b")), Number())],
    "images of two domains": [Schema(Image((8, 8), 256), Domains.joined(("a", "b")))],
    "black and white images": [Schema(Image((8, 8), 2), Classes(("a", "b")))],
    "documents": [Schema(Tokens(("p", "q")), Classes(("a", "b")))],
    "running text": [Schema(Tokens(("p", "q")), Nothing())],
    "tagged words": [Schema(Tokens(("p", "q")), Tags(("a", "b")))],
    "tagged rows of numbers": [Schema(Series((Column("x"),)), Tags(("a", "b")))],
    "trees": [Schema(Tokens(("p", "q")), Trees(("S",)))],
}


def suggested_for(class_name: str) -> list[str]:
    """List the kinds of data for which a class is suggested, in words; none for one that is never suggested."""
    own = [suggestion.suits for suggestion in SUGGESTIONS if suggestion.class_name == class_name]
    return [kind for kind, schemas in KINDS.items() if any(suits(schema) for suits in own for schema in schemas)]


def suggest(
    schema: Schema, rows: int, steps: int | None = None, *, complete: bool = True
) -> tuple[list[Suggestion], list[Suggestion]]:
    """Return the models to begin with, and those that would take too long or too much memory.

    Args:
        schema: form of the data.
        rows: number of examples.
        steps: number of tokens or rows in all sequences, if they are known (`fit_times.steps_of`).
        complete: True if no value is missing.
    """
    size = Size.of(schema, rows, steps)
    fitting = [s.sized(size) for s in SUGGESTIONS if s.suits(schema) and (complete or s.gaps)]
    chosen = [s for s in fitting if s.cost(size) <= LONGEST and s.bytes(size) <= LARGEST]
    return chosen, [s for s in fitting if s not in chosen]
