"""CKY: the tree of largest weight of each sentence, by the recursion of charts with maxima in place of sums.

Kasami, "An efficient recognition and syntax-analysis algorithm for context-free languages" (1965); Younger (1967).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from versus.arrays import Array
from versus.numerics.tree_rules import Block, Groups

if TYPE_CHECKING:
    from versus.numerics.charts import Grammar

NO_TREE = np.zeros((0, 2), np.int64)


class BestTrees:
    """Best trees by the same recursion in logarithms, with maxima; what a best tree consists of is found again."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.chain, self.via = grammar.best_chains
        self.parents, self.parts = np.nonzero(np.isfinite(self.chain) & ~np.eye(len(self.chain), dtype=bool))
        self.up = Groups(self.parents)

    def trees(self, block: Block) -> tuple[list[Array], Array]:
        """Best tree of each sentence, and its log weight (B,)."""
        rules, (B, n) = self.grammar.rules, block.tokens.shape
        self.by_start = np.full((B, n, n + 1, len(rules.left)), -np.inf)
        self.by_end = np.full((B, n + 1, n + 1, len(rules.right)), -np.inf)
        self.built = [self._step(block, w) for w in range(1, n + 1)]
        found, values = [], np.full(B, -np.inf)
        for b, length in enumerate(block.lengths.tolist()):
            at_root = self.grammar.root + self._chained(self.built[length - 1][b, 0])
            values[b] = at_root.max()
            found.append(self._tree(b, length, int(at_root.argmax())) if np.isfinite(values[b]) else NO_TREE)
        return found, values

    def _step(self, block: Block, w: int) -> Array:
        rules, m = self.grammar.rules, block.n - w + 1
        built = np.full((len(block.rows), m, rules.n_symbols), -np.inf)
        if w == 1:
            built[..., : rules.n_tags] = block.tags
        else:
            best = np.full((len(block.rows), m, len(rules.left)), -np.inf)
            for d in range(1, w):
                np.maximum(best, self.by_start[:, :m, d] + self.by_end[:, w:, w - d], out=best)
            values = best[..., rules.pair_of] + self.grammar.binary
            built[..., rules.to_parent.targets] = rules.to_parent.reduced(np.maximum, values)
            scored = block.spans(w)
            if scored is not None:
                built[..., rules.n_tags : rules.n_tags + scored.shape[-1]] += scored
        cell = self._chained(built)
        self.by_start[:, :m, w], self.by_end[:, w:, w] = cell[..., rules.left], cell[..., rules.right]
        return built

    def _chained(self, built: Array) -> Array:
        """Best weights (…, K) after chains of unary rules."""
        if not len(self.parts):
            return built
        cell = built.copy()
        longer = self.up.reduced(np.maximum, built[..., self.parts] + self.chain[self.parents, self.parts])
        cell[..., self.up.targets] = np.maximum(built[..., self.up.targets], longer)
        return cell

    def _tree(self, b: int, length: int, root: int) -> Array:
        """Nodes (…, 2) of the best tree of a sentence: where its weights come from."""
        rules, nodes, waiting = self.grammar.rules, list[tuple[int, int]](), [(0, length, root)]
        while waiting:
            i, w, symbol = waiting.pop()
            bottom = int((self.chain[symbol] + self.built[w - 1][b, i]).argmax())
            while symbol != bottom:
                nodes.append((symbol, w))
                symbol = int(self.via[symbol, bottom])
            nodes.append((bottom, w if w > 1 or bottom >= rules.n_tags else 0))
            if w > 1:
                own = np.flatnonzero(rules.parent == bottom)
                left = self.by_start[b, i, 1:w][:, rules.pair_of[own]]
                right = self.by_end[b, i + w, w - 1 : 0 : -1][:, rules.pair_of[own]]
                split, rule = np.unravel_index((left + right + self.grammar.binary[own]).argmax(), left.shape)
                _, first, second = rules.binary[own[rule]].tolist()
                middle = i + int(split) + 1
                waiting += [(middle, i + w - middle, second), (i, middle - i, first)]
        return np.array(nodes, np.int64)
