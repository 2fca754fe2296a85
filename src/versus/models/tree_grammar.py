"""Grammar of a treebank: trees as binary derivations, and derivations as trees, for parsers on one chart.

- A chain of constituents over the same tokens is one symbol (S over VP is "S VP"): unary rules lead to tags alone.
- A constituent of more than two parts is cut from the left: A → B (A…), (A…) → C (A…), …, where (A…) remembers A and
  the ``horizontal`` parts before it: a Markov chain, by which rules are built that no tree has. With ``vertical`` 2, a
  symbol also names the constituent above it. Collins (1999); Klein and Manning, "Accurate unlexicalized parsing"
  (2003).
- A glue symbol joins anything to a tree, so that every sentence has one; its parts hang from a root of the usual label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from versus.arrays import Array, Ragged
from versus.data import trees
from versus.models.word_forms import packed, unpacked
from versus.numerics.tree_rules import Rules

GRAMMAR = ("symbols", "binary", "unary")
_TAG, _NODE, _PART, _GLUE = "tag", "node", "part", "glue"
Derivation = list[tuple[str, int]]  # symbol and number of tokens of each node, the leftmost first; 0 for tags


@dataclass(frozen=True)
class TreeGrammar:
    """Symbols and rules: tags first, then constituents, then parts of constituents, and the glue last.

    Args:
        symbols: kind, labels, the constituent above and the parts before, separated by tabs.
        binary: (R, 3) parent, left and right part.
        unary: (U, 2) parent and part.
    """

    symbols: tuple[str, ...]
    binary: Array
    unary: Array

    @classmethod
    def learn(cls, derivations: Sequence[Derivation]) -> TreeGrammar:
        """Take the symbols and rules of derivations, and those of the glue."""
        kinds = (_TAG, _NODE, _PART, _GLUE)
        found = {symbol for derivation in derivations for symbol, _ in derivation}
        symbols = tuple(sorted(found | {_GLUE}, key=lambda s: (kinds.index(s.partition("\t")[0]), s)))
        grammar = cls(symbols, np.zeros((0, 3), np.int64), np.zeros((0, 2), np.int64))
        rules = [rule for derivation in grammar.coded(derivations) for rule in rules_of(derivation)]
        glue, parts = len(symbols) - 1, range(grammar.n_tags + grammar.n_nodes)
        binary = {rule for rule in rules if len(rule) == 3} | {(glue, part, glue) for part in parts}
        unary = {rule for rule in rules if len(rule) == 2} | {(glue, part) for part in parts}
        return cls(symbols, *(np.array(sorted(each), np.int64) for each in (binary, unary)))

    def coded(self, derivations: Sequence[Derivation]) -> Ragged:
        """Derivations as codes of symbols and widths, (total, 2)."""
        codes = {symbol: code for code, symbol in enumerate(self.symbols)}
        nodes = [(codes.get(symbol, -1), width) for derivation in derivations for symbol, width in derivation]
        return Ragged.cut(np.array(nodes, np.int64).reshape(-1, 2), [len(d) for d in derivations])

    @cached_property
    def n_tags(self) -> int:
        """Number of tags."""
        return sum(symbol.startswith(_TAG + "\t") for symbol in self.symbols)

    @cached_property
    def n_nodes(self) -> int:
        """Number of symbols that are constituents."""
        return sum(symbol.startswith(_NODE + "\t") for symbol in self.symbols)

    @cached_property
    def rules(self) -> Rules:
        """The rules in the form that charts take."""
        return Rules(self.n_tags, len(self.symbols), self.binary, self.unary)

    def uses(self, derivations: Ragged) -> Uses:
        """Count the rules of derivations; -1 stands for what the grammar does not have."""
        known = {tuple(rule): i for rules in (self.binary, self.unary) for i, rule in enumerate(rules.tolist())}
        found = [(known.get(rule, -1), len(rule), row) for row, d in enumerate(derivations) for rule in rules_of(d)]
        codes, sizes, rows = np.array(found, np.int64).reshape(-1, 3).T
        roots = derivations.values[derivations.starts[:-1], 0]
        binary, unary = ((codes[sizes == size], rows[sizes == size]) for size in (3, 2))
        return Uses(roots, *binary, *unary)

    def names(self) -> list[str]:
        """Names of the symbols for readers: S over VP is ``S+VP``, the rest of an S after an NP ``S…NP``."""
        found = []
        for symbol in self.symbols:
            kind, labels, above, before = [*symbol.split("\t"), "", "", ""][:4]
            name = labels.replace(" ", "+") + (f"^{above}" if above else "")
            found.append(f"{name}…{before.replace(' ', '+')}" if kind == _PART else name or "(glue)")
        return found

    def trees(self, derivations: Ragged, codes: Mapping[str, int], root: int) -> Ragged:
        """Turn derivations into trees of labels, (total, 2).

        Args:
            derivations: codes of symbols and widths.
            codes: of the labels.
            root: label of what the glue holds together.
        """
        named = [symbol.split("\t")[:2] for symbol in self.symbols[:-1]]
        labels = [[codes[label] for label in name.split(" ")] if kind != _PART else [] for kind, name in named]
        glue = len(labels)
        found = []
        for derivation in derivations:
            nodes = [(label, w) for symbol, w in derivation.tolist() if symbol < glue for label in labels[symbol]]
            if derivation[0, 0] == glue and nodes[0][1] != derivation[0, 1]:
                nodes.insert(0, (root, int(derivation[0, 1])))
            found.append(nodes)
        joined = np.array([node for nodes in found for node in nodes], np.int64).reshape(-1, 2)
        return Ragged.cut(joined, [len(nodes) for nodes in found])

    def arrays(self) -> dict[str, Array]:
        """Symbols, packed, and rules."""
        return {"symbols": packed(self.symbols), "binary": self.binary, "unary": self.unary}

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], labels: Sequence[str]) -> TreeGrammar:
        """Take the arrays of a saved model of trees with such labels.

        Raises:
            ValueError: where they are no grammar of such trees.
        """
        grammar = cls(tuple(unpacked(arrays["symbols"])), arrays["binary"], arrays["unary"])
        used = {label for s in grammar.symbols[:-1] for label in s.split("\t")[1].split(" ")}
        if not grammar.n_tags or grammar.symbols[-1] != _GLUE or not used <= set(labels):
            raise ValueError("array 'symbols' holds labels that the schema's trees do not have, or no glue at its end")
        for name, rules, width in (("binary", grammar.binary, 3), ("unary", grammar.unary, 2)):
            whole = rules.ndim == 2 and rules.shape[1] == width and rules.dtype.kind in "iu"
            if not whole or not np.isin(rules, np.arange(len(grammar.symbols))).all():
                raise ValueError(f"array {name!r} is {rules.dtype} {rules.shape}, or holds symbols that do not exist")
        return grammar


@dataclass(frozen=True)
class Uses:
    """Rules that N derivations use.

    Args:
        roots: (N,) symbols.
        binary, unary: codes of the rules, -1 for unknown ones.
        binary_rows, unary_rows: the derivation of each.
    """

    roots: Array
    binary: Array
    binary_rows: Array
    unary: Array
    unary_rows: Array

    def log_weights(self, root: Array, binary: Array, unary: Array) -> Array:
        """Sum the log weights of the rules of each derivation, (N,); minus infinity where one is unknown."""
        n = len(self.roots)
        found = np.append(root, -np.inf)[self.roots]
        for log, codes, rows in ((binary, self.binary, self.binary_rows), (unary, self.unary, self.unary_rows)):
            found = found + np.bincount(rows, np.append(log, -np.inf)[codes], minlength=n)
        return found


def binarised(y: Ragged, names: Sequence[str], horizontal: int, vertical: int) -> list[Derivation]:
    """Turn trees (total, 2) into derivations that remember ``horizontal`` parts and ``vertical`` - 1 constituents."""
    return [list(_derivation(tree, names, horizontal, vertical)) for tree in y]


def _derivation(tree: Array, names: Sequence[str], horizontal: int, vertical: int) -> Iterator[tuple[str, int]]:
    parts: list[list[int]] = [[] for _ in tree]
    for node, parent in enumerate(trees.parents(tree[:, 1]).tolist()):
        if parent >= 0:
            parts[parent].append(node)
    labels = [names[code] for code in tree[:, 0].tolist()]
    widths = tree[:, 1].tolist()
    # What is still to be told, the next one last: a symbol and its width; or no symbol, a node and those above it.
    waiting: list[tuple[str, int, tuple[str, ...]]] = [("", 0, ())]
    while waiting:
        symbol, node, above = waiting.pop()
        if symbol:
            yield symbol, node
            continue
        if not widths[node]:
            yield f"{_TAG}\t{labels[node]}", 0
            continue
        chain, node = _chain(node, parts, labels, widths)
        context = f"{chain}\t{' '.join(above)}"
        yield f"{_NODE}\t{context}", widths[node]
        heard, left = list[str](), widths[node]
        told: list[tuple[str, int, tuple[str, ...]]] = []
        below = (chain.replace(" ", "+"), *above)[: vertical - 1]
        for i, part in enumerate(parts[node]):
            if 0 < i < len(parts[node]) - 1:
                kept = heard[len(heard) - min(horizontal, len(heard)) :]
                told.append((f"{_PART}\t{context}\t{' '.join(kept)}", left, ()))
            told.append(("", part, below))
            heard.append(_chain(part, parts, labels, widths)[0].replace(" ", "+"))
            left -= max(widths[part], 1)
        waiting.extend(reversed(told))


def _chain(node: int, parts: list[list[int]], labels: list[str], widths: list[int]) -> tuple[str, int]:
    """Labels of a node and of the constituents that are its only part, and the last of these nodes."""
    chain = [labels[node]]
    while len(parts[node]) == 1 and widths[parts[node][0]]:
        node = parts[node][0]
        chain.append(labels[node])
    return " ".join(chain), node


def rules_of(derivation: Array) -> list[tuple[int, ...]]:
    """Rules of a derivation (n, 2): parent and parts of each symbol but the tags."""
    symbols = derivation[:, 0].tolist()
    parts: list[list[int]] = [[symbol] for symbol in symbols]
    for node, parent in enumerate(trees.parents(derivation[:, 1]).tolist()):
        if parent >= 0:
            parts[parent].append(symbols[node])
    return [tuple(rule) for rule, width in zip(parts, derivation[:, 1].tolist(), strict=True) if width]


def usual_root(y: Ragged) -> int:
    """Most frequent label of the roots of trees; of equally frequent ones the first."""
    found: Counter[int] = Counter(y.values[y.starts[:-1], 0].tolist())
    return max(sorted(found), key=lambda code: found[code])
