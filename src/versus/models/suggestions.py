"""Suggested cells for a data set without a comparison so far: a few of each family that suit its data and its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import UnionType
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


def _always(schema: Schema) -> bool:
    return True


@dataclass(frozen=True)
class Form:
    """Form of data: kinds of targets and of examples, and what else must hold."""

    y: type
    x: type | UnionType = object
    also: Callable[[Schema], bool] = _always

    def __call__(self, schema: Schema) -> bool:
        """Check that a schema has this form."""
        return isinstance(schema.y, self.y) and isinstance(schema.x, self.x) and self.also(schema)


EVENTS = Table | Image | Series  # of a fixed size, or steps of one
ANY_CLASSES = Form(Classes)
CLASSES = Form(Classes, EVENTS)
CLASSES_OF_TABLES = Form(Classes, Table)
DOCUMENTS = Form(Classes, Tokens)
IMAGES = Form(Classes, Image)
LARGER_IMAGES = Form(Classes, Image, lambda schema: min(schema.shape[:2]) >= HALVED_TWICE)
DOMAINS = Form(Domains, Image)
BITS = Form(Classes, Image, lambda schema: schema.levels == 2)  # black and white
NOT_BITS = Form(Classes, EVENTS, lambda schema: not BITS(schema))
BITS_OR_DOCUMENTS = Form(Classes, object, lambda schema: BITS(schema) or DOCUMENTS(schema))
NUMBERS = Form(Classes, EVENTS, lambda schema: not BITS(schema) and 0 in schema.cardinalities)
CATEGORIES = Form(Classes, EVENTS, lambda schema: schema.has_categorical)
# Of few categories each: tables of their combinations are counted.
FEW_CATEGORIES = Form(
    Classes, EVENTS, lambda schema: schema.has_categorical and max(schema.cardinalities) <= MOST_CATEGORIES
)
ALL_FEW_CATEGORIES = Form(Classes, EVENTS, lambda schema: FEW_CATEGORIES(schema) and 0 not in schema.cardinalities)
VALUES = Form(Number)
VALUES_OF_TABLES = Form(Number, Table | Tokens | Series)
STREAMS = Form(Nothing, Tokens)
CHARACTERS = Form(Nothing, Tokens, lambda schema: isinstance(schema.x, Tokens) and schema.x.of_characters)
TAGS = Form(Tags)
TAGS_OF_TOKENS = Form(Tags, Tokens)
TAGS_OF_ROWS = Form(Tags, Series)
TREES = Form(Trees)


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
    suits: Callable[[Schema], bool]
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
        kind = "tied" if for_each.covariance == "diag" and self.suits is VALUES else for_each.covariance
        return replace(self, args={**self.args, "covariance_type": kind})


D, C, N = "discriminative", "classical_generative", "deep_generative"
FULL = {"covariance_type": "full"}
EDGES = {"n_edges": 1}
FOUR = {"n_components": 4, "covariance_type": "full"}
TWO = {"n_components": 2}  # normals of a tag
DENSE = {"channels": None, "hidden_layer_sizes": [256, 256, 256], "evaluation_samples": 8}  # a tenth of a U-Net's time
SMALL = {"embedding_size": 64, "n_layers": 2, "window": 64, "context": 64, "epochs": 3}
SUGGESTIONS = (
    Suggestion(D, "prior", "baseline", "PriorBaseline", {}, ANY_CLASSES, no_time),
    Suggestion(D, "logistic_regression", "linear", "LogisticRegression", {"C": 1.0}, ANY_CLASSES, linear),
    Suggestion(D, "linear_svm", "linear", "LinearSVM", {"C": 1.0}, DOCUMENTS, linear),
    Suggestion(D, "nb_svm", "linear", "NBSVM", {"C": 1.0}, DOCUMENTS, linear),
    Suggestion(D, "lstm", "recurrent", "BidirectionalLSTMClassifier", {}, DOCUMENTS, recurrent),
    Suggestion(D, "most_frequent", "baseline", "MostFrequentTag", {}, TAGS, no_time),
    Suggestion(D, "token_logistic", "token_logistic", "TokenLogisticRegression", {}, TAGS, no_time),
    Suggestion(D, "crf", "conditional_random_field", "ConditionalRandomField", {}, TAGS, chains),
    Suggestion(D, "lstm_crf", "recurrent_tagger", "BidirectionalLSTMTagger", {}, TAGS_OF_TOKENS, recurrent),
    Suggestion(D, "right_branching", "baseline", "RightBranching", {}, TREES, no_time),
    Suggestion(D, "span_scorer", "span_scorer", "SpanScorer", {"max_iter": 30}, TREES, span_charts),
    Suggestion(D, "rbf_svm", "kernel", "RBFSVM", {"C": 1.0}, CLASSES, kernel),
    Suggestion(D, "random_forest", "trees", "RandomForest", {"n_estimators": 100}, CLASSES, forest),
    Suggestion(D, "boosting", "boosting", "HistGradientBoosting", {"max_iter": 100}, CLASSES, boosting),
    Suggestion(D, "mlp", "perceptron", "MLPClassifier", {"hidden_layer_sizes": [64, 64]}, CLASSES, network),
    Suggestion(D, "cnn", "convolutional", "ConvolutionalClassifier", {}, IMAGES, convolutions),
    Suggestion(D, "mean", "baseline", "MeanBaseline", {}, VALUES, no_time),
    Suggestion(D, "ridge", "linear", "RidgeRegression", {"alpha": 1.0}, VALUES, linear),
    Suggestion(D, "random_forest", "trees", "RandomForestRegressor", {"n_estimators": 100}, VALUES, value_forest),
    Suggestion(D, "boosting", "boosting", "HistGradientBoostingRegressor", {"max_iter": 100}, VALUES, boosting),
    Suggestion(D, "mlp", "perceptron", "MLPRegressor", {"hidden_layer_sizes": [64, 64]}, VALUES, network),
    Suggestion(C, "marginals", "baseline", "Marginals", {}, CLASSES, no_time),
    Suggestion(C, "naive_bayes", "naive_bayes", "MixedNaiveBayes", {}, NOT_BITS, no_time),
    Suggestion(C, "tan", "bayesian_network", "TreeAugmentedNaiveBayes", {}, CATEGORIES, pairs),
    Suggestion(C, "hill_climbing", "bayesian_network", "HillClimbingNetwork", {}, FEW_CATEGORIES, search),
    Suggestion(C, "markov_random_field", "markov_random_field", "MarkovRandomField", EDGES, ALL_FEW_CATEGORIES, field),
    Suggestion(C, "gaussian", "gaussian", "GaussianClassifier", FULL, NUMBERS, normals),
    Suggestion(C, "gaussian_mixture", "mixture", "GaussianMixtureClassifier", FOUR, NUMBERS, mixtures),
    Suggestion(C, "gaussian", "regression", "GaussianRegression", {}, VALUES, normals),
    Suggestion(C, "gaussian_mixture", "regression", "GaussianMixtureRegression", FOUR, VALUES, mixtures),
    Suggestion(C, "multinomial_naive_bayes", "naive_bayes_counts", "MultinomialNaiveBayes", {}, DOCUMENTS, no_time),
    Suggestion(
        C, "bernoulli_naive_bayes", "naive_bayes_discrete", "BernoulliNaiveBayes", {}, BITS_OR_DOCUMENTS, no_time
    ),
    Suggestion(C, "complement_naive_bayes", "naive_bayes_counts", "ComplementNaiveBayes", {}, DOCUMENTS, no_time),
    Suggestion(C, "markov_chain", "markov_chain", "MarkovChainClassifier", {"order": 1}, DOCUMENTS, no_time),
    Suggestion(C, "lda", "topics", "LatentDirichletAllocation", {"n_components": 20}, DOCUMENTS, topics),
    Suggestion(C, "lda_classifier", "topics", "TopicClassifier", {"n_components": 2}, DOCUMENTS, topics),
    Suggestion(C, "unigrams", "baseline", "Unigrams", {}, STREAMS, no_time),
    Suggestion(C, "markov_chain_2", "markov_chain", "MarkovChain", {"order": 2}, STREAMS, no_time),
    Suggestion(C, "markov_chain_5", "markov_chain", "MarkovChain", {"order": 5}, CHARACTERS, no_time),
    Suggestion(C, "hidden_markov", "hidden_markov", "HiddenMarkovModel", {}, TAGS_OF_TOKENS, no_time),
    Suggestion(C, "hidden_markov_em", "hidden_markov_em", "CategoricalHMM", {}, TAGS_OF_TOKENS, chains),
    Suggestion(C, "hidden_markov", "hidden_markov_gaussian", "GaussianHiddenMarkovModel", {}, TAGS_OF_ROWS, normals),
    Suggestion(
        C, "hidden_markov_mixture", "hidden_markov_gaussian", "GaussianHiddenMarkovModel", TWO, TAGS_OF_ROWS, mixtures
    ),
    Suggestion(C, "hidden_markov_em", "hidden_markov_em", "GaussianHMM", {}, TAGS_OF_ROWS, chains),
    Suggestion(C, "pcfg", "pcfg", "PCFG", {}, TREES, no_time),
    Suggestion(C, "rbm", "restricted_boltzmann", "RestrictedBoltzmannMachine", {"label_weight": 1.0}, BITS, boltzmann),
    Suggestion(C, "deep_belief", "deep_belief", "DeepBeliefNetwork", {"fine_tuning": 0.3}, BITS, boltzmann),
    Suggestion(C, "deep_boltzmann", "deep_boltzmann", "DeepBoltzmannMachine", {}, BITS, boltzmann),
    Suggestion(N, "vae", "vae_regression", "VAERegression", {}, VALUES_OF_TABLES, autoencoder),
    Suggestion(N, "cvae", "vae", "ConditionalVAE", {}, NOT_BITS, autoencoder),
    Suggestion(N, "cvae", "vae", "ConditionalVAE", {"likelihood": "bernoulli"}, BITS, autoencoder),
    Suggestion(N, "lstm_generator", "lstm", "ConditionalLSTM", {"epochs": 10}, DOCUMENTS, language(10)),
    Suggestion(N, "lstm", "lstm", "LSTM", {"epochs": 5}, STREAMS, language(5)),
    Suggestion(N, "transformer", "transformer", "Transformer", SMALL, STREAMS, language(5)),
    Suggestion(N, "flow", "flows", "ConditionalFlow", {"epochs": 30}, NOT_BITS, flow, gaps=False),
    Suggestion(N, "diffusion", "diffusion", "ConditionalDiffusion", {}, CLASSES_OF_TABLES, diffusion),
    Suggestion(N, "diffusion", "diffusion", "ConditionalDiffusion", DENSE, IMAGES, diffusion),
    Suggestion(N, "dcgan", "dcgan", "DCGAN", {"conditional": True, "epochs": 15}, LARGER_IMAGES, game),
    Suggestion(N, "cyclegan", "cyclegan", "CycleGAN", {}, DOMAINS, cycles),
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
