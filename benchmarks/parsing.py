"""Best trees by a probabilistic grammar compared with nltk's: ``python -m benchmarks.parsing``.

The grammar of the embedded syntax trees, with sentences of 8 to 10 tokens; ``--trees FILE`` takes a treebank in Penn
brackets instead, such as the sample of the Penn Treebank, with sentences of 8 to 20. Both are given the tags of the
same sentences and all rules, those of glue included; the log-probabilities of their best trees must agree.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.side_by_side import compare, report
from versus.arrays import Array, Ragged
from versus.data.file_specification import Penn
from versus.data.sources import penn
from versus.data.sources.python_trees import python_trees
from versus.data.texts import transcribe
from versus.models.classical_generative.pcfg import PCFG
from versus.models.tree_grammar import binarised
from versus.numerics.charts import Grammar
from versus.numerics.tree_rules import Scores

BEST = "best trees of a grammar (CKY)"
SHORTEST, LONGEST, LONGEST_OF_TREEBANK = 8, 10, 20  # tokens


def learned(file: Path | None) -> tuple[Grammar, Ragged]:
    """Learn a grammar from all trees; returns it, and the tags of their sentences."""
    found = penn.load(Penn(source="penn", path=file.name, longest=40), file.parent) if file else python_trees()
    data = transcribe(found, None)
    model = PCFG(schema=data.schema).fit(data.X, data.y)
    coded = model.grammar_.coded(binarised(data.y, data.schema.y.names, model.horizontal, model.vertical))
    return model.weights_, Ragged(coded.values[coded.values[:, 1] == 0, 0], data.X.starts)


def parser(grammar: Grammar) -> Any:
    """Build nltk's parser with the same rules; a tag's word is the tag itself."""
    import nltk

    symbols = [nltk.Nonterminal(f"s{code}") for code in range(grammar.rules.n_symbols)]
    start = nltk.Nonterminal("root")
    written = [(start, (code,), weight) for code, weight in enumerate(grammar.root)]
    for rules, weights in ((grammar.rules.binary, grammar.binary), (grammar.rules.unary, grammar.unary)):
        written += [(symbols[rule[0]], rule[1:], weight) for rule, weight in zip(rules.tolist(), weights, strict=True)]
    productions = [
        nltk.ProbabilisticProduction(left, [symbols[part] for part in parts], prob=float(np.exp(weight)))
        for left, parts, weight in written
        if np.isfinite(weight)
    ]
    words = [nltk.ProbabilisticProduction(symbols[tag], [f"s{tag}"], prob=1.0) for tag in range(grammar.rules.n_tags)]
    return nltk.ViterbiParser(nltk.PCFG(start, productions + words))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trees", type=Path, help="a treebank in Penn brackets: a file, or an archive of them")
    options.add_argument("--sentences", type=int, default=30, help="how many are parsed")
    options.add_argument("--pairs", type=int, default=3, help="how many times each is timed")
    options.add_argument("--quick", action="store_true", help="three sentences, one pair")
    chosen = options.parse_args()
    sentences, pairs = (3, 1) if chosen.quick else (chosen.sentences, chosen.pairs)
    grammar, tags = learned(chosen.trees)
    longest = LONGEST_OF_TREEBANK if chosen.trees else LONGEST
    rows = np.flatnonzero((tags.lengths >= SHORTEST) & (tags.lengths <= longest))
    given = tags[np.sort(np.random.default_rng(0).choice(rows, min(sentences, len(rows)), replace=False))]
    scores = np.full((len(given.values), grammar.rules.n_tags), -np.inf)
    scores[np.arange(len(scores)), given.values] = 0.0
    peer = parser(grammar)

    def ours() -> Array:
        return grammar.best(Scores(Ragged(scores, given.starts)))[1]

    def theirs() -> Array:
        trees = (next(iter(peer.parse([f"s{tag}" for tag in sentence]))) for sentence in given)
        return np.array([tree.logprob() for tree in trees]) * np.log(2)

    timing = compare(f"{BEST}, {len(given)} sentences", "nltk ViterbiParser", ours, theirs, pairs)
    difference = float(np.abs(ours() - theirs()).max())
    sizes = {"rules": len(grammar.binary) + len(grammar.unary), "symbols": grammar.rules.n_symbols}
    report("parsing", [timing], {"largest difference of log-probabilities, nats": difference, **sizes}, {})
    if difference > 1e-8:
        raise SystemExit("the two do not agree")


if __name__ == "__main__":
    main()
