r"""Charts: sums and maxima over all trees of a sentence that binary and unary rules can build, for many at once.

.. math:: I_{ij}(A) = \sum_B U^*_{AB} e_{ij}(B) \sum_{B \to C D} \sum_{i < k < j} w_{BCD} I_{ik}(C) I_{kj}(D),
          \qquad U^* = (1 - U)^{-1}, \qquad Z = \sum_A \rho_A I_{0n}(A)

with e a weight of each symbol over a span (of a tag over its token) and :math:`U^*` the sum over chains of unary rules
of any length. For a probabilistic grammar the weights are probabilities and Z is p(x); for a log-linear model they are
arbitrary. Baker, "Trainable grammars for speech recognition" (1979); Lari and Young (1990); CKY is the same with
maxima: Kasami (1965), Younger (1967). The outside pass is the derivative of log Z, backwards through the inside pass
(Eisner, "Inside-outside and forward-backward algorithms are just backprop", 2016).

All spans of one width are taken together, of sentences of like length: the left and the right part of each pair of
symbols that some rule joins lie side by side in two views of the chart, by beginning and by end, for all splits. A cell
is kept relative to its largest weight, whose logarithm is set aside, so that long sentences do not underflow; a symbol
below 1e-300 of the largest of its span counts as impossible.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from versus.arrays import Array, Ragged
from versus.numerics.best_trees import NO_TREE, BestTrees
from versus.numerics.tree_rules import Block, Groups, Rules, Scores, blocks


@dataclass(frozen=True)
class Expectations:
    """Expected number of uses over all trees of all sentences, each by its weight.

    Args:
        log_normaliser: (N,) log Z of each sentence, nats.
        root: (K,) of a symbol at the root.
        binary, unary: (R,) and (U,) of the rules.
        tags: (total, T) of a tag at a token.
        begin, end, length: as in `Scores`; None where it has none.
    """

    log_normaliser: Array
    root: Array
    binary: Array
    unary: Array
    tags: Array
    begin: Array | None
    end: Array | None
    length: Array | None


@dataclass(frozen=True)
class Grammar:
    """Rules with their log weights, minus infinity where something is impossible.

    Args:
        rules: the rules.
        root: (K,) of the symbol over the whole sentence.
        binary: (R,) of the binary rules.
        unary: (U,) of the unary rules.
    """

    rules: Rules
    root: Array
    binary: Array
    unary: Array

    @cached_property
    def _closure(self) -> tuple[Array, Array, Array]:
        """Parents, parts and weights (E,) of chains of unary rules.

        Raises:
            ValueError: where the weights of ever longer chains do not add up to a number.
        """
        k = self.rules.n_symbols
        steps = np.zeros((k, k))
        steps[tuple(self.rules.unary.T)] = np.exp(self.unary)
        among = np.unique(self.rules.unary)
        left = np.eye(len(among)) - steps[np.ix_(among, among)]
        whole = np.linalg.inv(left) if not among.size or np.linalg.slogdet(left)[0] > 0 else -left
        if not (whole > -1e-9).all():  # the inverse is below 0 just where the sum of powers is none (Berman, Plemmons)
            raise ValueError("chains of unary rules have weights that add up to infinity: their cycles weigh 1 or more")
        chains = whole - np.eye(len(among))
        parents, parts = np.nonzero(chains > 1e-300)
        return among[parents], among[parts], chains[parents, parts]

    @cached_property
    def best_chains(self) -> tuple[Array, Array]:
        """Log weight (K, K) of the best chain of unary rules from one symbol to another, and its second symbol.

        Floyd, "Algorithm 97: shortest path" (1962); Warshall (1962).

        Raises:
            ValueError: where a cycle gains weight.
        """
        k, (parents, parts) = self.rules.n_symbols, self.rules.unary.T
        chain, via, apart = np.full((k, k), -np.inf), np.zeros((k, k), np.int64), parents != parts
        chain[parents[apart], parts[apart]], via[parents[apart], parts[apart]] = self.unary[apart], parts[apart]
        np.fill_diagonal(chain, 0.0)
        for middle in np.intersect1d(parents, parts):
            above, below = (np.flatnonzero(np.isfinite(way)) for way in (chain[:, middle], chain[middle]))
            through = chain[above, middle][:, None] + chain[middle, below]
            better = through > chain[np.ix_(above, below)] + 1e-12
            rows, columns = above[np.nonzero(better)[0]], below[np.nonzero(better)[1]]
            if (rows == columns).any():
                raise ValueError("a cycle of unary rules weighs more than 1, so that no tree is the best")
            chain[rows, columns], via[rows, columns] = through[better], via[rows, middle]
        return chain, via

    def log_normaliser(self, scores: Scores) -> Array:
        """Log Z of each sentence, (N sentences) -> (N,) nats; minus infinity for one that no tree fits."""
        log_z = np.empty(len(scores.tags))
        for rows in blocks(self.rules, scores.tags.lengths):
            log_z[rows] = _Inside(self, Block(scores, rows)).log_z
        return log_z

    def expectations(self, scores: Scores) -> Expectations:
        """Expected uses of everything, by inside and outside weights.

        Raises:
            ValueError: where a sentence has no tree of weight above 0.
        """
        root, binary, unary = (np.zeros(n) for n in (self.rules.n_symbols, len(self.binary), len(self.unary)))
        own = (scores.begin, scores.end, scores.length)
        begin, end, length = (None if of is None else np.zeros(of.shape) for of in own)
        log_z, tags = np.empty(len(scores.tags)), np.zeros(scores.tags.values.shape)
        found = Expectations(log_z, root, binary, unary, tags, begin, end, length)
        for rows in blocks(self.rules, scores.tags.lengths):
            inside = _Inside(self, Block(scores, rows))
            log_z[rows] = inside.log_z
            if np.isinf(inside.log_z).any():
                raise ValueError(f"sentence {rows[np.isinf(inside.log_z)][0]} has no tree of weight above 0")
            inside.add_outside(found)
        return found

    def best(self, scores: Scores) -> tuple[Ragged, Array]:
        """The tree of largest weight of each sentence, and its log weight (N,).

        A tree is its nodes in leftmost order, (total, 2): symbol, and number of tokens, 0 for tags. The log weight of a
        sentence without a tree is minus infinity, and it has no nodes.
        """
        trees: list[Array] = [NO_TREE] * len(scores.tags)
        values = np.empty(len(scores.tags))
        viterbi = BestTrees(self)
        for rows in blocks(self.rules, scores.tags.lengths):
            for row, tree, value in zip(rows, *viterbi.trees(Block(scores, rows)), strict=True):
                trees[row], values[row] = tree, value
        return Ragged.cut(np.concatenate([NO_TREE, *trees]), [len(t) for t in trees]), values

    def draw(self, n: int, rng: np.random.Generator) -> Ragged:
        """Draw ``n`` trees, nodes as in `best`, where weights are probabilities: those of a parent sum to 1."""
        rules, tags = self.rules, self.rules.n_tags
        parts: list[tuple[int, ...]] = [tuple(rule[1:]) for rule in (*rules.binary.tolist(), *rules.unary.tolist())]
        groups = Groups(np.concatenate([rules.parent, rules.unary[:, 0]]))
        weights = np.exp(np.concatenate([self.binary, self.unary]))[groups.order]
        choices = dict(zip(groups.targets.tolist(), np.split(groups.order, groups.starts[1:]), strict=True))
        summed = dict(zip(groups.targets.tolist(), map(np.cumsum, np.split(weights, groups.starts[1:])), strict=True))
        roots = np.cumsum(np.exp(self.root))
        trees = []
        for _ in range(n):
            waiting, symbols, arity = [int(np.searchsorted(roots, rng.random() * roots[-1], "right"))], [], []
            while waiting:
                symbol = waiting.pop()
                symbols.append(symbol)
                chosen: tuple[int, ...] = ()
                if symbol >= tags:
                    ways = summed[symbol]
                    chosen = parts[choices[symbol][np.searchsorted(ways, rng.random() * ways[-1], "right")]]
                arity.append(len(chosen))
                waiting.extend(reversed(chosen))
            trees.append(np.stack([np.array(symbols, np.int64), _widths(arity)], axis=1))
        return Ragged.cut(np.concatenate([NO_TREE, *trees]), [len(t) for t in trees])


def _widths(arity: list[int]) -> Array:
    """Number of tokens below each node, 0 for tags, of the numbers of parts of nodes in leftmost order."""
    found, below = np.zeros(len(arity), np.int64), list[int]()
    for i in reversed(range(len(arity))):
        width = sum(below.pop() for _ in range(arity[i])) if arity[i] else 1
        found[i] = width if arity[i] else 0
        below.append(width)
    return found


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, 0.0)


class _Inside:
    """The inside weights of a block, kept for the outside pass.

    Attributes:
        log_z: (B,) log Z.
    """

    def __init__(self, grammar: Grammar, block: Block) -> None:
        self.grammar, self.block, rules = grammar, block, grammar.rules
        B, n = block.tokens.shape
        self.by_start = np.zeros((B, n, n + 1, len(rules.left)))  # beginning, width
        self.by_end = np.zeros((B, n + 1, n + 1, len(rules.right)))  # end, width
        self.log_start, self.log_end = np.full((B, n, n + 1), -np.inf), np.full((B, n + 1, n + 1), -np.inf)
        self.weights = np.exp(grammar.binary)
        self.parents, self.parts, self.chains = grammar._closure
        self.up, self.down = Groups(self.parents), Groups(self.parts)
        self.steps = [self._step(w) for w in range(1, n + 1)]
        whole = np.stack([self.steps[length - 1].cell[b, 0] for b, length in enumerate(block.lengths)])
        self.root_weights = np.exp(grammar.root)
        self.at_root = whole @ self.root_weights
        with np.errstate(divide="ignore"):
            scale = self.log_start[np.arange(B), 0, block.lengths]
            self.log_z = np.log(self.at_root) + scale
        self.whole = whole

    def _step(self, w: int) -> _Step:
        """Combine all spans of w tokens, and put them into the chart."""
        rules, m = self.grammar.rules, self.block.n - w + 1
        if w == 1:
            top = _finite(self.block.tags.max(axis=-1))
            built = np.zeros((len(top), m, rules.n_symbols))
            built[..., : rules.n_tags] = np.exp(self.block.tags - top[..., None])
            pairs = factor = np.zeros(0)
        else:
            ways = self.log_start[:, :m, 1:w] + self.log_end[:, w:, w - 1 : 0 : -1]
            top = _finite(ways.max(axis=-1))
            factor = np.exp(ways - top[..., None])
            left, right = self.by_start[:, :m, 1:w] * factor[..., None], self.by_end[:, w:, w - 1 : 0 : -1]
            pairs = np.einsum("bmsp,bmsp->bmp", left, right)
            built = np.zeros((len(top), m, rules.n_symbols))
            of_rules = pairs[..., rules.pair_of] * self.weights
            built[..., rules.to_parent.targets] = rules.to_parent.reduced(np.add, of_rules)
        weight = np.ones((1, 1, 1))
        scored = self.block.spans(w)
        if scored is not None:
            weight = np.ones(built.shape)
            highest = np.maximum(scored.max(axis=-1), 0.0)
            span = slice(rules.n_tags, rules.n_tags + scored.shape[-1])
            weight *= np.exp(-highest)[..., None]
            weight[..., span] = np.exp(scored - highest[..., None])
            built, top = built * weight, top + highest
        cell = built
        if len(self.chains):
            cell = built.copy()
            cell[..., self.up.targets] += self.up.reduced(np.add, built[..., self.parts] * self.chains)
        largest = cell.max(axis=-1, keepdims=True)
        shrunk = 1 / np.where(largest > 0, largest, 1.0)
        with np.errstate(divide="ignore"):
            log_scale = top + np.log(largest[..., 0])
        step = _Step(pairs, factor, built * shrunk, cell * shrunk, weight * shrunk)
        self.by_start[:, :m, w], self.by_end[:, w:, w] = step.cell[..., rules.left], step.cell[..., rules.right]
        self.log_start[:, :m, w] = self.log_end[:, w:, w] = log_scale
        return step

    def add_outside(self, found: Expectations) -> None:
        """Add the expected uses of the block's sentences."""
        rules, block = self.grammar.rules, self.block
        from_start, from_end = np.zeros(self.by_start.shape), np.zeros(self.by_end.shape)
        at_root = self.root_weights / self.at_root[:, None]
        found.root[:] += (at_root * self.whole).sum(axis=0)
        begin, end = (
            np.zeros((*block.tokens.shape, 0 if of is None else of.shape[1])) for of in (found.begin, found.end)
        )
        for w in range(block.n, 0, -1):
            step, m = self.steps[w - 1], block.n - w + 1
            outside = np.zeros(step.cell.shape)
            for group, given in ((rules.to_left, from_start[:, :m, w]), (rules.to_right, from_end[:, w:, w])):
                outside[..., group.targets] += group.reduced(np.add, given)
            outside[block.lengths == w, 0] += at_root[block.lengths == w]
            if len(self.chains):
                below = self.down.reduced(np.add, outside[..., self.parents] * self.chains)
                outside[..., self.down.targets] += below
                parent, part = rules.unary.T
                uses = np.einsum("bmu,bmu->u", outside[..., parent], step.cell[..., part])
                found.unary[:] += uses * np.exp(self.grammar.unary)
            expected = outside * step.built  # number of symbols that were built over the spans
            if w == 1:
                found.tags[block.tokens[block.inside]] = expected[..., : rules.n_tags][block.inside]
                continue
            if found.length is not None:
                of_spans = expected[..., rules.n_tags : rules.n_tags + found.length.shape[1]]
                begin[:, :m] += of_spans
                end[:, w - 1 :] += of_spans
                found.length[w] += of_spans.sum(axis=(0, 1))
            self._split(found, w, outside * step.weight, from_start, from_end)
        self._gather(found, begin, end)

    def _gather(self, found: Expectations, begin: Array, end: Array) -> None:
        """Add expected numbers of spans by the places where they begin and end, (B, n, S)."""
        block = self.block
        if found.begin is not None and found.end is not None:
            found.begin[block.tokens[block.inside]] = begin[block.inside]
            found.end[block.tokens[block.inside]] = end[block.inside]

    def _split(self, found: Expectations, w: int, outside: Array, from_start: Array, from_end: Array) -> None:
        """Pass outside weights (B, m, K) of what rules built over w tokens on to the parts, and count the rules."""
        rules, step, m = self.grammar.rules, self.steps[w - 1], outside.shape[1]
        of_rules = outside[..., rules.parent]
        found.binary[:] += np.einsum("bmr,bmr->r", of_rules, step.pairs[..., rules.pair_of]) * self.weights
        of_pairs = rules.to_pair.reduced(np.add, of_rules * self.weights)
        of_splits = of_pairs[:, :, None] * step.factor[..., None]
        from_start[:, :m, 1:w] += self.by_end[:, w:, w - 1 : 0 : -1] * of_splits
        from_end[:, w:, w - 1 : 0 : -1] += self.by_start[:, :m, 1:w] * of_splits


@dataclass(frozen=True)
class _Step:
    """Spans of one width, (B, m, …), relative to the largest weight of each.

    Attributes:
        pairs: sums over splits of pairs of symbols.
        factor: weight of each split.
        built, cell: symbols before and after chains of unary rules.
        weight: of a symbol over the span, which sums over rules were multiplied with.
    """

    pairs: Array
    factor: Array
    built: Array
    cell: Array
    weight: Array
