"""L-BFGS for a conditional random field compared with CRFsuite's: ``python -m benchmarks.conditional_random_field``.

Sentences drawn from a hidden Markov model with Zipf's frequencies of words, the size of the English Web Treebank:
12,500 of 2 to 40 words, 17 tags; ``--conllu FILE`` reads a treebank instead. Features are words, affixes, shapes and
those of two neighbours on each side; both sides make the same number of steps, and must have the same loss after them.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import Timing, report, seconds
from versus.arrays import Ragged
from versus.data.file_specification import Conll
from versus.data.schema import Schema
from versus.data.sources import conll
from versus.data.spaces import Tokens
from versus.data.targets import Tags
from versus.data.texts import transcribe
from versus.models.discriminative.conditional_random_field import ConditionalRandomField
from versus.models.token_features import WordFeatures

FIT, AFFIXES, RADIUS = "conditional random field, L-BFGS", 4, 2


def drawn(n: int, rng: np.random.Generator) -> tuple[Ragged, Ragged, Schema]:
    """Sentences of made-up words, whose endings depend on the tag."""
    k, size = 17, 20_000
    steps, tag_of = rng.dirichlet(np.full(k, 0.2), size=k), rng.integers(0, k, size)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(rng.choice(letters, rng.integers(2, 7))) + f"{'aeiou'[t % 5]}{letters[t]}" for t in tag_of]
    by_tag = [np.flatnonzero(tag_of == t) for t in range(k)]
    lengths, X, y = rng.integers(2, 41, n), [], []
    for length in lengths:
        tags = [int(rng.integers(k))]
        for _ in range(length - 1):
            tags.append(int(rng.choice(k, p=steps[tags[-1]])))
        X.append([by_tag[t][min(int(rng.zipf(1.2)), len(by_tag[t])) - 1] for t in tags])
        y.append([t if rng.random() < 0.9 else int(rng.integers(k)) for t in tags])
    names, codes = np.unique([f"{word}{i}" for i, word in enumerate(words)], return_inverse=True)
    schema = Schema(Tokens(tuple(map(str, names))), Tags(tuple(f"t{i:02}" for i in range(k))))
    return Ragged.of([codes[x] for x in X], np.int32), Ragged.of(y, np.int64), schema


def treebank(path: Path) -> tuple[Ragged, Ragged, Schema]:
    found = transcribe(conll.load(Conll(source="conll", path=path.name), path.parent), None)
    return found.X, found.y, found.schema


def attributes(X: Ragged, schema: Schema) -> list[list[list[str]]]:
    """The features of each token and its neighbours, as CRFsuite takes them."""
    features = WordFeatures.learn(X, schema.x.vocabulary, AFFIXES, RADIUS)
    matrix = features.matrix
    n_words, size = len(schema.x.vocabulary) + 1, len(features.names)
    names = [
        [f"{c // size}{features.names[c % size]}" for c in matrix.indices[a:b]] for a, b in pairwise(matrix.indptr)
    ]
    outside, places = [n_words - 1] * RADIUS, range(2 * RADIUS + 1)
    found = []
    for x in X:
        words = [*outside, *x.tolist(), *outside]
        found.append([[n for o in places for n in names[o * n_words + words[t + o]]] for t in range(len(x))])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conllu", type=Path, help="a treebank to learn from")
    parser.add_argument("--steps", type=int, default=100, help="steps of L-BFGS")
    parser.add_argument("--quick", action="store_true", help="500 sentences, 10 steps")
    options = parser.parse_args()
    import pycrfsuite

    steps = 10 if options.quick else options.steps
    X, y, schema = treebank(options.conllu) if options.conllu else drawn(12_500, np.random.default_rng(0))
    if options.quick:
        X, y = X[:500], y[:500]
    model = ConditionalRandomField(window=RADIUS, affixes=AFFIXES, max_iter=steps, tol=0.0, schema=schema)
    peer = pycrfsuite.Trainer("lbfgs", {"c1": 0, "c2": 0.5, "max_iterations": steps}, verbose=False)
    peer.set_params({"feature.possible_transitions": True, "delta": 0.0, "epsilon": 0.0})
    for tokens, tags in zip(attributes(X, schema), y, strict=True):
        peer.append(tokens, [schema.y.names[k] for k in tags])
    model.fit(X[:50], y[:50])  # imports what it needs
    with tempfile.TemporaryDirectory() as folder:
        theirs = [seconds(lambda: peer.train(f"{folder}/model"))]
    ours = [seconds(lambda: model.fit(X, y))]  # with the making of its features, which CRFsuite was given
    losses = model.loss_[-1], peer.logparser.last_iteration["loss"]
    parity = {"loss, ours (nats)": losses[0], "loss, CRFsuite (nats)": losses[1], "steps": len(model.loss_)}
    report("conditional_random_field", [Timing(FIT, "CRFsuite", ours, theirs)], parity, {FIT: 6.0})
    if abs(losses[0] / losses[1] - 1) > 0.02:
        raise SystemExit("the two do not agree")


if __name__ == "__main__":
    main()
