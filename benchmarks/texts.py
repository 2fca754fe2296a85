"""Texts compared with nltk.lm and scikit-learn: ``python -m benchmarks.texts``.

n-grams: three words, 1,000,000 tokens counted and as many scored, of a random Markov chain over words of Zipf's
frequencies. nltk's Kneser-Ney takes a pass over all contexts for each word that it scores, so that the peer is its
absolute discounting, the model that Kneser-Ney improves; our perplexity must not be higher. Topics: 50 of 2,000
documents, five passes from the same start as scikit-learn's; half of each unseen document must predict the other half
as well.
"""

from __future__ import annotations

import argparse
from collections import deque
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.side_by_side import compare, report
from versus.arrays import Array, Ragged
from versus.numerics import ngrams, topics

TRAIN, SCORE, TOPICS = "trigrams, count", "trigrams, score", "LDA, 50 topics, five passes"
TARGETS = {TRAIN: 50.0, SCORE: 50.0, TOPICS: 5.0}
ROW = 1000  # tokens


def words(n: int, vocabulary: int, rng: np.random.Generator) -> Ragged:
    """Draw rows of a chain in which each word is followed by one of few, as frequent as Zipf's law says."""
    zipf = 1 / np.arange(1, vocabulary + 1)
    followers = rng.choice(vocabulary, (vocabulary, 20), p=zipf / zipf.sum())
    X = np.zeros((n // ROW, ROW), np.int64)
    for t in range(1, ROW):
        X[:, t] = followers[X[:, t - 1], (20 * rng.random(len(X)) ** 2).astype(np.int64)]
    return Ragged.cut(X.ravel(), np.full(len(X), ROW))


def compare_ngrams(n: int, pairs: int, rng: np.random.Generator) -> tuple[list[Any], dict[str, float]]:
    """Time counting and scoring of ``n`` tokens each."""
    from nltk.lm import AbsoluteDiscountingInterpolated
    from nltk.lm.preprocessing import padded_everygram_pipeline
    from nltk.util import ngrams as grams

    vocabulary = 5000
    both = words(2 * n, vocabulary, rng)
    X, held_out = both[: len(both) // 2], both[len(both) // 2 :]
    known = np.isin(held_out.values, X.values)  # nltk gives words that it has not seen no probability
    held_out = Ragged(np.where(known, held_out.values, np.bincount(X.values).argmax()), held_out.starts)
    texts, unseen = ([[f"w{code}" for code in row] for row in rows] for rows in (X, held_out))

    def theirs_counted() -> Any:
        model = AbsoluteDiscountingInterpolated(3, discount=0.75)
        model.fit(*padded_everygram_pipeline(3, texts))
        return model

    ours, theirs = ngrams.count(X, vocabulary, 3), theirs_counted()

    def theirs_scored() -> float:
        scored = (theirs.logscore(g[-1], g[:-1]) for row in unseen for g in grams(["<s>", "<s>", *row], 3))
        return float(sum(scored))

    count = compare(TRAIN, "nltk.lm", lambda: ngrams.count(X, vocabulary, 3), theirs_counted, pairs)
    fresh = ngrams.Ngrams(ours.size, ours.contexts, ours.tokens, ours.counts, ours.discounts)
    score = compare(SCORE, "nltk.lm", lambda: fresh.log_probabilities(held_out), theirs_scored, pairs)
    total = len(held_out.values)
    perplexity = {
        "perplexity, Kneser-Ney": float(np.exp(-ours.log_probabilities(held_out).sum() / total)),
        "perplexity, nltk's absolute discounting": float(2 ** (-theirs_scored() / total)),
    }
    return [count, score], perplexity


def corpus(n: int, size: int, n_topics: int, rng: np.random.Generator) -> Any:
    """Draw the counts of documents of 150 words on average, sparse (n, size)."""
    shares = rng.dirichlet(np.full(n_topics, 0.05), n)
    of_topics = rng.dirichlet(np.full(size, 0.02), n_topics)
    drawn = (rng.multinomial(k, p) for k, p in zip(rng.poisson(150, n), shares @ of_topics, strict=True))
    return sparse.csr_array(np.stack(list(drawn)).astype(np.float64))


def completion(counts: Any, found: Array, rule: topics.Rule) -> float:
    """Perplexity of half of the words of each document, given the other half."""
    rng = np.random.default_rng(0)
    seen = counts.copy()
    seen.data = rng.binomial(counts.data.astype(np.int64), 0.5).astype(np.float64)
    rest = sparse.csr_array(counts - seen)
    seen.eliminate_zeros()
    shares = found / found.sum(axis=1, keepdims=True)
    gamma = topics.infer(seen, shares, rule)
    log_p = np.log((gamma / gamma.sum(axis=1, keepdims=True)) @ shares)
    return float(np.exp(-rest.multiply(log_p).sum() / rest.sum()))


def compare_topics(n: int, pairs: int, rng: np.random.Generator) -> tuple[list[Any], dict[str, float]]:
    """Time five passes of each."""
    from sklearn.decomposition import LatentDirichletAllocation

    n_topics = 50
    counts = corpus(n + n // 5, 3000, n_topics, rng)
    Z, held_out = counts[:n], counts[n:]
    rule = topics.Rule(1 / n_topics, 1 / n_topics)
    start = (
        np.random.RandomState(0).gamma(100.0, 0.01, (n_topics, Z.shape[1])).astype(np.float32)
    )  # as the peer draws it
    peer = LatentDirichletAllocation(n_topics, random_state=0, max_iter=5, evaluate_every=0)

    def ours() -> Array:
        return deque(topics.batch_steps(Z, start, rule, 5), maxlen=1).pop()[0]

    timing = compare(TOPICS, "scikit-learn", ours, lambda: peer.fit(sparse.csr_matrix(Z)), pairs)
    both = (completion(held_out, found.astype(np.float64), rule) for found in (ours(), peer.components_))
    return [timing], dict(zip(("perplexity, ours", "perplexity, scikit-learn"), both, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="20,000 tokens, 400 documents, one pair")
    options = parser.parse_args()
    tokens, documents, pairs = (20_000, 400, 1) if options.quick else (1_000_000, 2000, options.pairs)
    rng = np.random.default_rng(0)
    of_ngrams, perplexity = compare_ngrams(tokens, pairs, rng)
    of_topics, completed = compare_topics(documents, pairs, rng)
    report("texts", [*of_ngrams, *of_topics], perplexity | completed, {} if options.quick else TARGETS)
    ours, theirs = perplexity.values()
    if ours > theirs or completed["perplexity, ours"] > 1.01 * completed["perplexity, scikit-learn"]:
        raise SystemExit("the peers predict better")


if __name__ == "__main__":
    main()
