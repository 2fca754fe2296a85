r"""The log-linear span scorer: all constituents of a sentence at once, given its words.

.. math:: p(y \mid x) = \frac{1}{Z(x)} \exp\Bigl(\sum_{r \in y} \theta_r + \sum_i s_{t_i}(x, i)
          + \sum_{(A, i, j) \in y} b_A(x, i) + e_A(x, j) + \ell_A(j - i)\Bigr)

A conditional random field on the rules of a treebank's grammar (`versus.models.tree_grammar`), on the same chart as a
PCFG: s, b and e are linear in the features of a token and its neighbours (`versus.models.token_features`) and score the
token's tag, a constituent that begins with it, and one that ends with it. An L2 penalty, by L-BFGS on the exact
gradient: expected less observed uses, by inside-outside. Johnson, "Joint and conditional estimation of tagging and
parsing models" (2001); Finkel, Kleeman and Manning, "Efficient, feature-based, conditional random field parsing"
(2008).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from versus.arrays import Array, Ragged
from versus.models.arguments import Between, Count, Model, Positive, SearchSpace
from versus.models.checks import check_names, check_shape, parsing_data, restored_schema, tokens_of, trees_of
from versus.models.estimator import limited
from versus.models.token_features import WordFeatures, WordWindow
from versus.models.tree_grammar import GRAMMAR, TreeGrammar, Uses, binarised, usual_root
from versus.numerics.charts import Grammar
from versus.numerics.tree_rules import Scores

__all__ = ["SpanScorer"]

_WEIGHTS = ("weights", "entries", "rule_weights", "length_weights", "usual_root")
_LEARNED = (*GRAMMAR, *WordFeatures.learned, *_WEIGHTS)
_LENGTHS = np.array([3, 4, 5, 6, 8, 11, 16, 24])  # numbers of tokens at which another weight of length begins


@dataclass(eq=False)
class SpanScorer(Model):
    """Trees scored by rules, by forms, affixes and shapes of words at the ends of constituents, and by lengths.

    Learned: ``grammar_`` symbols and rules, ``rule_weights_`` (R + U + K,) of binary and unary rules and of roots,
    ``weights_`` (W,) of the features, ``entries_`` (W,) their places in (M, tags + 2 constituents),
    ``length_weights_`` (lengths, constituents), ``features_``, ``usual_root_``, ``loss_`` the penalised negative
    log-likelihood of the training trees, nats, after each L-BFGS step.

    Args:
        C: inverse strength of the penalty.
        window: number of neighbours on each side.
        affixes: the longest prefix and suffix that are features.
        min_df: number of training tokens that must have a feature.
        pairs: True for features of a token's word with the one before and the one after.
        horizontal: number of parts before, that the next part of a constituent depends on.
        vertical: 1 for constituents alone; 2 for such that know the constituent above them.
        max_iter: maximum number of L-BFGS steps.
        tol: L-BFGS stops when a step lowers the loss by less than this share of it.
    """

    search_space: ClassVar[SearchSpace] = {"C": Between(1e-2, 1e2)}

    late_imports = ("scipy.optimize", "sklearn.utils")

    C: Positive = 1.0
    window: Count = 1
    affixes: int = 3
    min_df: Count = 1
    pairs: bool = False
    horizontal: int = 1
    vertical: Count = 1
    max_iter: Count = 50
    tol: float = 1e-4

    def fit(self, X: Ragged, y: Ragged | None = None) -> SpanScorer:
        """Learn from token codes X and trees y, both (N sentences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        from scipy.optimize import minimize

        self.schema_, y = parsing_data(type(self).__name__, self.schema, X, y)
        derivations = binarised(y, trees_of(self.schema_).names, self.horizontal, self.vertical)
        self.grammar_ = TreeGrammar.learn(derivations)
        self.usual_root_ = np.array(usual_root(y))
        vocabulary = tokens_of(self.schema_).vocabulary
        self.features_ = WordFeatures.learn(X, vocabulary, self.affixes, self.window, self.min_df, self.pairs)
        self._forget()
        objective = Objective(self.grammar_, self.features_.window(X), X, self.grammar_.coded(derivations), self.C)
        self.loss_: list[float] = []
        options = {"maxiter": self.max_iter, "ftol": self.tol, "gtol": 0.0, "maxcor": 6}
        with limited(1):  # products of single spans are too small to share among threads
            found = minimize(
                objective,
                np.zeros(objective.size),
                jac=True,
                method="L-BFGS-B",
                options=options,
                callback=lambda intermediate_result: self.loss_.append(float(intermediate_result.fun)),
            ).x
        self.entries_ = objective.entries
        self.weights_, self.rule_weights_, lengths = objective.parted(found)
        self.length_weights_ = lengths.reshape(-1, self.grammar_.n_nodes)
        return self

    def _forget(self) -> None:
        """Drop what was made of earlier weights."""
        for made in ("_table", "_grammar"):
            self.__dict__.pop(made, None)

    @cached_property
    def _table(self) -> Array:
        """Scores of each word at each place; made once, so that a single sentence takes no time."""
        coefficients = np.zeros((self.features_.size, self.grammar_.n_tags + 2 * self.grammar_.n_nodes))
        coefficients.ravel()[self.entries_] = self.weights_
        return self.features_.table(coefficients)

    @cached_property
    def _grammar(self) -> Grammar:
        return weighted(self.grammar_, self.rule_weights_)

    def _scores(self, X: Ragged) -> Scores:
        self.schema_.x.check(X)
        by_token = self.features_.window(X).gathered(self._table)
        return scores_of(by_token, X, self.grammar_, self.length_weights_)

    def log_prob_target(self, X: Ragged, y: Ragged) -> Array:
        """Log p(y | x) of trees by their own derivations, (N sentences) each -> (N,) nats; -inf by unknown rules."""
        scores, weights = self._scores(X), self._grammar
        coded = self.grammar_.coded(binarised(y, trees_of(self.schema_).names, self.horizontal, self.vertical))
        rules = self.grammar_.uses(coded).log_weights(weights.root, weights.binary, weights.unary)
        known = np.isfinite(rules)
        found = np.full(len(X), -np.inf)
        if known.any():
            X, coded = X[known], coded[known]
            own = Observed.of(self.grammar_, coded)
            by_token = self.features_.window(X).gathered(self._table)
            lengths = own.lengths(len(self.length_weights_), self.grammar_.n_nodes, len(X)) * self.length_weights_
            spans = lengths.sum(axis=(1, 2)) + np.add.reduceat((own.by_token * by_token).sum(axis=1), X.starts[:-1])
            found[known] = rules[known] + spans - weights.log_normaliser(scores)[known]
        return found

    def parse(self, X: Ragged) -> Ragged:
        """The most probable tree of each sentence, (N sentences) -> nodes (total, 2) of each."""
        codes = {name: code for code, name in enumerate(trees_of(self.schema_).names)}
        return self.grammar_.trees(self._grammar.best(self._scores(X))[0], codes, int(self.usual_root_))

    def get_arrays(self) -> dict[str, Array]:
        """Symbols and rules, names of the features, all weights, and the places they belong to."""
        weights = {name: getattr(self, f"{name}_") for name in _WEIGHTS}
        return {**self.grammar_.arrays(), **self.features_.get_arrays(), **weights}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names, shapes or places are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, _LEARNED)
        grammar = TreeGrammar.restored(arrays, trees_of(self.schema_).names)
        check_shape(arrays, "rule_weights", (len(grammar.binary) + len(grammar.unary) + len(grammar.symbols),))
        check_shape(arrays, "length_weights", (len(_LENGTHS) + 1, grammar.n_nodes))
        check_shape(arrays, "usual_root", ())
        vocabulary = tokens_of(self.schema_).vocabulary
        self.features_ = WordFeatures.restored(arrays, vocabulary, self.affixes, self.window)
        outputs = grammar.n_tags + 2 * grammar.n_nodes
        entries = check_shape(arrays, "entries", arrays["weights"].shape)
        if entries.size and not 0 <= entries.min() <= entries.max() < self.features_.size * outputs:
            raise ValueError("array 'entries' holds places beyond the features of the window")
        self.grammar_ = grammar
        for name in _WEIGHTS:
            setattr(self, f"{name}_", arrays[name])
        self._forget()


@dataclass(frozen=True)
class Observed:
    """What trees have of each feature.

    Args:
        by_token: (total, tags + 2 constituents) tags of tokens, constituents that begin and that end there.
        rows, widths, symbols: sentence, number of tokens and symbol of each constituent of several tokens.
    """

    by_token: Array
    rows: Array
    widths: Array
    symbols: Array

    @classmethod
    def of(cls, grammar: TreeGrammar, coded: Ragged) -> Observed:
        """Find them in derivations (total, 2)."""
        symbols, widths = coded.values.T
        is_tag, (t, s) = widths == 0, (grammar.n_tags, grammar.n_nodes)
        place = np.cumsum(is_tag) - is_tag
        by_token = np.zeros((int(is_tag.sum()), t + 2 * s))
        by_token[place[is_tag], symbols[is_tag]] = 1
        spans = np.flatnonzero((widths > 1) & (symbols >= t) & (symbols < t + s))
        np.add.at(by_token, (place[spans], symbols[spans]), 1)
        np.add.at(by_token, (place[spans] + widths[spans] - 1, symbols[spans] + s), 1)
        rows = np.repeat(np.arange(len(coded)), coded.lengths)[spans]
        return cls(by_token, rows, widths[spans], symbols[spans] - t)

    def lengths(self, n_lengths: int, n_nodes: int, n: int) -> Array:
        """Number of constituents of each length and symbol in each sentence, (N, lengths, constituents)."""
        found = np.zeros((n, n_lengths, n_nodes))
        np.add.at(found, (self.rows, np.searchsorted(_LENGTHS, self.widths, side="right"), self.symbols), 1)
        return found


def weighted(grammar: TreeGrammar, weights: Array) -> Grammar:
    """Grammar with weights (R + U + K,) of its rules and roots; a root is a constituent or the glue."""
    binary, unary, root = np.split(weights, np.cumsum([len(grammar.binary), len(grammar.unary)]))
    kinds = np.arange(len(root))
    is_root = (kinds >= grammar.n_tags) & (kinds < grammar.n_tags + grammar.n_nodes) | (kinds == len(root) - 1)
    return Grammar(grammar.rules, np.where(is_root, root, -np.inf), binary, unary)


def scores_of(by_token: Array, X: Ragged, grammar: TreeGrammar, lengths: Array) -> Scores:
    """Scores of tags and of constituents from those of tokens (total, tags + 2 constituents)."""
    tags, begin, end = np.split(by_token, [grammar.n_tags, grammar.n_tags + grammar.n_nodes], axis=1)
    widths = np.arange(int(X.lengths.max()) + 1)
    return Scores(Ragged(tags, X.starts), begin, end, lengths[np.searchsorted(_LENGTHS, widths, side="right")])


class Objective:
    """Penalised negative log-likelihood of trees, and its gradient, of a flat vector of weights.

    Args:
        grammar: rules of the trees.
        window: the features of the tokens.
        X: token codes (N sentences).
        coded: derivations (total, 2) of their trees.
        C: inverse strength of the penalty.
    """

    def __init__(self, grammar: TreeGrammar, window: WordWindow, X: Ragged, coded: Ragged, C: float) -> None:
        self.grammar, self.window, self.X, self.C = grammar, window, X, C
        own, uses = Observed.of(grammar, coded), grammar.uses(coded)
        features = window.gradient(own.by_token)
        self.shape = features.shape
        self.entries = np.flatnonzero(features)
        lengths = own.lengths(len(_LENGTHS) + 1, grammar.n_nodes, len(X)).sum(axis=0)
        self.parts = np.cumsum([len(self.entries), lengths.size])
        self.observed = np.concatenate([features.ravel()[self.entries], lengths.ravel(), rule_counts(grammar, uses)])
        self.size = len(self.observed)
        self.weights = np.zeros(self.shape)

    def parted(self, flat: Array) -> tuple[Array, Array, Array]:
        """Weights of the features, of rules and roots, and of lengths."""
        features, lengths, rules = np.split(flat, self.parts)
        return features, rules, lengths

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """Value and gradient, (size,) -> nats, (size,)."""
        features, rules, lengths = self.parted(flat)
        self.weights.ravel()[self.entries] = features
        by_length = lengths.reshape(-1, self.grammar.n_nodes)
        scores = scores_of(self.window.scores(self.weights), self.X, self.grammar, by_length)
        found = weighted(self.grammar, rules).expectations(scores)
        assert found.begin is not None
        assert found.end is not None
        assert found.length is not None
        by_token = np.concatenate([found.tags, found.begin, found.end], axis=1)
        of_lengths = np.zeros(by_length.shape)
        np.add.at(of_lengths, np.searchsorted(_LENGTHS, np.arange(len(found.length)), side="right"), found.length)
        of_features = self.window.gradient(by_token).ravel()[self.entries]
        expected = np.concatenate([of_features, of_lengths.ravel(), found.binary, found.unary, found.root])
        value = found.log_normaliser.sum() - flat @ self.observed + flat @ flat / (2 * self.C)
        return float(value), expected - self.observed + flat / self.C


def rule_counts(grammar: TreeGrammar, uses: Uses) -> Array:
    """Number of uses of binary and unary rules and of roots, (R + U + K,)."""
    sizes = ((uses.binary, grammar.binary), (uses.unary, grammar.unary), (uses.roots, grammar.symbols))
    return np.concatenate([np.bincount(codes, minlength=len(of)) for codes, of in sizes]).astype(np.float64)
