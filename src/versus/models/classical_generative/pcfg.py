r"""The probabilistic context-free grammar: each constituent chooses its parts, and each tag its word, by itself.

.. math:: p(x, y) = \rho_{A_1} \prod_{A \to B C} q(B C \mid A) \prod_{A \to t} q(t \mid A) \prod_i b_{t_i}(x_i)

The rules are those of binary derivations (`versus.models.tree_grammar`), with the relative frequencies of a treebank;
words unseen in training have a share of each tag (`versus.models.word_emissions`). p(x) sums over all trees by the
inside algorithm, and EM by inside-outside may go on from the treebank's estimate, on the sentences alone. Booth and
Thompson (1973); Baker (1979); Lari and Young (1990); Charniak, "Tree-bank grammars" (1996).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from versus.arrays import Array, Measure, Ragged
from versus.models.arguments import Count, Model, Positive, SearchSpace
from versus.models.checks import check_names, check_shape, parsing_data, restored_schema, tokens_of, trees_of
from versus.models.tree_grammar import GRAMMAR, TreeGrammar, binarised, usual_root
from versus.models.word_emissions import EMISSIONS, WordEmissions
from versus.numerics.charts import Grammar
from versus.numerics.tree_rules import Scores

__all__ = ["PCFG"]

_COUNTS = ("binary_counts", "unary_counts", "root_counts")
_LEARNED = (*GRAMMAR, *_COUNTS, "usual_root", *EMISSIONS)


@dataclass(eq=False)
class PCFG(Model):
    """Trees by the rules of a treebank, markovised, and words by the tags above them.

    Learned: ``grammar_`` symbols and rules, ``binary_counts_`` (R,), ``unary_counts_`` (U,) and ``root_counts_`` (K,)
    of their uses, by which they are weighed against those of the same parent, the counts of `WordEmissions`,
    ``usual_root_`` the label of most roots, ``trace_`` the mean log-likelihood of the training sentences before each
    step of EM, nats.

    Args:
        horizontal: number of parts before, that the next part of a constituent depends on.
        vertical: 1 for constituents alone; 2 for such that know the constituent above them.
        max_iter: number of EM steps after the treebank's estimate; words keep their tags' counts.
        alpha: added to counts of classes of words.
        rare_count: words seen at most this often stand for unknown words; with 0 all unknown words are alike.
        suffix_length: the longest ending that distinguishes classes of words; 0 for shapes alone.
        suffix_members: number of rare words that must share an ending to form a class.
    """

    search_space: ClassVar[SearchSpace] = {"horizontal": (0, 1, 2), "vertical": (1, 2), "suffix_length": (0, 2, 4)}

    measure: ClassVar[Measure] = "discrete"

    horizontal: int = 1
    vertical: Count = 1
    max_iter: int = 0
    alpha: Positive = 0.1
    rare_count: int = 2
    suffix_length: int = 4
    suffix_members: Count = 10

    def fit(self, X: Ragged, y: Ragged | None = None) -> PCFG:
        """Count in token codes X and trees y, both (N sentences).

        Raises:
            ValueError: where y is missing or does not fit X and the schema.
        """
        self.schema_, y = parsing_data(type(self).__name__, self.schema, X, y)
        derivations = binarised(y, trees_of(self.schema_).names, self.horizontal, self.vertical)
        grammar = TreeGrammar.learn(derivations)
        coded = grammar.coded(derivations)
        tags = coded.values[coded.values[:, 1] == 0, 0]
        words = self.rare_count, self.suffix_length, self.suffix_members
        emissions = WordEmissions.learn(X.values, tags, grammar.n_tags, tokens_of(self.schema_), *words)
        self._count(grammar, coded)
        self.usual_root_ = np.array(usual_root(y))
        self._restore(grammar, emissions)
        self.trace_: list[float] = []
        for _ in range(self.max_iter):
            found = self.weights_.expectations(self._scores(X))
            self.trace_.append(float(found.log_normaliser.mean()))
            self.binary_counts_, self.unary_counts_, self.root_counts_ = found.binary, found.unary, found.root
            self._weigh()
        return self

    def _count(self, grammar: TreeGrammar, coded: Ragged) -> None:
        """Count the rules of derivations; the glue counts as if it joined each symbol as often as it occurs."""
        uses, k = grammar.uses(coded), len(grammar.symbols)
        self.binary_counts_ = np.bincount(uses.binary, minlength=len(grammar.binary)).astype(float)
        self.unary_counts_ = np.bincount(uses.unary, minlength=len(grammar.unary)).astype(float)
        self.root_counts_ = np.bincount(uses.roots, minlength=k).astype(float)
        often = np.bincount(coded.values[:, 0], minlength=k) + 1.0
        for rules, counts in ((grammar.binary, self.binary_counts_), (grammar.unary, self.unary_counts_)):
            of_glue = rules[:, 0] == k - 1
            counts[of_glue] = often[rules[of_glue, 1]]
        self.root_counts_[-1] = 1.0

    def _restore(self, grammar: TreeGrammar, emissions: WordEmissions) -> None:
        """Derive what is asked from what was counted."""
        self.grammar_ = grammar
        for name in EMISSIONS:
            setattr(self, f"{name}_", getattr(emissions, name))
        self.log_emission_ = emissions.log_emission(tokens_of(self.schema_).vocabulary, self.alpha)
        self._weigh()

    def _weigh(self) -> None:
        """Set log probabilities: counts over those of the same parent."""
        rules, k = self.grammar_.rules, len(self.grammar_.symbols)
        totals = np.bincount(rules.parent, self.binary_counts_, k) + np.bincount(
            rules.unary[:, 0], self.unary_counts_, k
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            binary, unary = (np.nan_to_num(counts / totals[parent]) for counts, parent in (
                (self.binary_counts_, rules.parent), (self.unary_counts_, rules.unary[:, 0]),
            ))  # fmt: skip
            root = self.root_counts_ / self.root_counts_.sum()
            self.weights_: Grammar = Grammar(rules, np.log(root), np.log(binary), np.log(unary))

    def _scores(self, X: Ragged) -> Scores:
        self.schema_.x.check(X)
        return Scores(Ragged(self.log_emission_[X.values], X.starts))

    def log_prob(self, X: Ragged) -> Array:
        """Log p(x), summed over all trees, (N sentences) -> (N,) nats."""
        return self.weights_.log_normaliser(self._scores(X))

    def log_prob_target(self, X: Ragged, y: Ragged) -> Array:
        """Log p(y | x) of trees by their own derivations, (N sentences) each -> (N,) nats; -inf by unknown rules."""
        scores, names = self._scores(X), trees_of(self.schema_).names
        coded = self.grammar_.coded(binarised(y, names, self.horizontal, self.vertical))
        joint = self.grammar_.uses(coded).log_weights(self.weights_.root, self.weights_.binary, self.weights_.unary)
        tags = coded.values[coded.values[:, 1] == 0, 0]
        log_words = np.where(tags >= 0, scores.tags.values[np.arange(len(tags)), tags], -np.inf)
        return joint + np.add.reduceat(log_words, X.starts[:-1]) - self.weights_.log_normaliser(scores)

    def parse(self, X: Ragged) -> Ragged:
        """The most probable tree of each sentence, (N sentences) -> nodes (total, 2) of each."""
        return self._trees(self.weights_.best(self._scores(X))[0])

    def _trees(self, derivations: Ragged) -> Ragged:
        codes = {name: code for code, name in enumerate(trees_of(self.schema_).names)}
        return self.grammar_.trees(derivations, codes, int(self.usual_root_))

    def sample_trees(self, n: int, random_state: int | None = None) -> tuple[Ragged, Ragged]:
        """Draw ``n`` sentences of token codes, and the trees that they were drawn by."""
        rng = np.random.default_rng(random_state)
        derivations = self.weights_.draw(n, rng)
        is_tag = derivations.values[:, 1] == 0
        tags = derivations.values[is_tag, 0]
        codes = np.zeros(len(tags), np.int32)
        for k in np.unique(tags):
            p, here = np.exp(self.log_emission_[:, k]), tags == k
            codes[here] = rng.choice(len(p), size=int(here.sum()), p=p / p.sum())
        lengths = np.diff(np.concatenate([[0], np.cumsum(is_tag)])[derivations.starts])
        return Ragged.cut(codes, lengths), self._trees(derivations)

    def sample(self, n: int, y: Any = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` sentences of token codes.

        Raises:
            ValueError: where trees are given: it draws its own.
        """
        if y is not None:
            raise ValueError(f"{type(self).__name__}.sample takes no y: it draws trees itself, see sample_trees")
        return self.sample_trees(n, random_state)[0]

    def get_arrays(self) -> dict[str, Array]:
        """Symbols and rules, and all counts."""
        return {
            **self.grammar_.arrays(),
            **{name: getattr(self, f"{name}_") for name in _LEARNED if name not in GRAMMAR},
        }

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`, on a model built with the same arguments and schema.

        Raises:
            ValueError: where names, shapes or codes are not those of such a model.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, _LEARNED)
        grammar = TreeGrammar.restored(arrays, trees_of(self.schema_).names)
        sizes = (len(grammar.binary), len(grammar.unary), len(grammar.symbols))
        for name, size in zip(_COUNTS, sizes, strict=True):
            setattr(self, f"{name}_", check_shape(arrays, name, (size,)))
        self.usual_root_ = check_shape(arrays, "usual_root", ())
        self._restore(grammar, WordEmissions.restored(arrays, grammar.n_tags, self.schema_.n_features))
