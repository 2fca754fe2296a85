r"""Latent Dirichlet allocation: a document mixes topics, a topic is a distribution over words; and one for each class.

.. math:: \theta \sim \mathrm{Dir}(\alpha), \qquad
          p(x \mid T) = \int p(\theta) \prod_{t=1}^T \sum_k \theta_k \beta_{k x_t} \, d\theta

Its variational bound takes the place of this integral. Tokens unseen in training share a probability, whatever the
topic (`versus.models.counts`). With the topics of each class, Bayes' rule over the bounds gives a classifier. Blei, Ng
and Jordan, "Latent Dirichlet allocation" (2003), section 5.3; Hoffman, Blei and Bach, "Online learning for latent
Dirichlet allocation" (2010). `versus.numerics.topics` has the inference.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from scipy.special import logsumexp

from versus.arrays import Array, Labels, Measure, Ragged
from versus.data.schema import Schema
from versus.models.arguments import Between, Count, Positive, SearchSpace
from versus.models.bayes import GenerativeClassifier, class_log_prior
from versus.models.checks import check_names, check_shape, classification_data, restored_schema, tokens_of
from versus.models.counts import DocumentCounts, KnownTokens
from versus.numerics import topics

__all__ = ["LatentDirichletAllocation", "TopicClassifier"]

_QUANTILES = np.linspace(0, 1, 101)
_RELEVANCE = 0.6
_EXACT = {"tol": 1e-4, "max_iter": 200}  # of the inference of new documents


@dataclass(eq=False, kw_only=True)
class _Topics(KnownTokens):
    """Topics of C sets of documents: of all, or of each class.

    Learned: ``topics_`` (C, K, F) parameters of the topics' Dirichlet posteriors, ``lengths_`` (C, 101) percentiles of
    the numbers of tokens, and what `versus.models.counts` learns.

    Args:
        n_components: number K of topics.
        doc_topic_prior: Dirichlet parameter of a document's shares of topics; 1 / K by default.
        topic_word_prior: Dirichlet parameter of a topic's words; 1 / K by default.
        learning_method: "batch" learns from all documents at once; "online" from minibatches, which takes fewer
            passes over many documents.
        max_iter: passes over the documents.
        batch_size: documents in a minibatch.
        learning_decay: exponent by which the steps become shorter.
        learning_offset: steps that are taken as made before the first one.
        random_state: seed of the start and of the order.
    """

    search_space: ClassVar[SearchSpace] = {"n_components": Between(4, 64)}
    measure: ClassVar[Measure] = "sequence"

    n_components: Count = 10
    doc_topic_prior: Positive | None = None
    topic_word_prior: Positive | None = None
    learning_method: Literal["batch", "online"] = "batch"
    max_iter: Count = 20
    batch_size: Count = 128
    learning_decay: Positive = 0.7
    learning_offset: Positive = 10.0
    random_state: int | None = None

    def _rule(self, **end: Any) -> topics.Rule:
        even = 1 / self.n_components
        return topics.Rule(self.doc_topic_prior or even, self.topic_word_prior or even, **end)

    def _learn(self, X: Ragged, sets: list[Array]) -> None:
        """Learn the topics of each set of documents, masks (N,)."""
        self.counts_ = DocumentCounts(self.schema_, self.min_df, self.max_features).fit(X)
        counts, rng = self.counts_.transform(X), np.random.default_rng(self.random_state)
        self.topics_ = np.stack([self._of_set(counts[rows], rng) for rows in sets])
        self.lengths_ = np.stack([np.quantile(X.lengths[rows], _QUANTILES) for rows in sets])

    def _of_set(self, counts: Any, rng: np.random.Generator) -> Array:
        start = rng.gamma(100.0, 0.01, (self.n_components, counts.shape[1])).astype(np.float32)
        if self.learning_method == "batch":
            learned: Iterator[Array] = (
                found for found, _ in topics.batch_steps(counts, start, self._rule(), self.max_iter)
            )
        else:
            steps = self.batch_size, self.learning_decay, self.learning_offset
            learned = topics.online_steps(counts, start, self._rule(), self.max_iter, rng, *steps)
        last: Array = deque(learned, maxlen=1).pop()
        return last.astype(np.float64)

    def _words(self, c: int) -> Array:
        """Expected probabilities of the words of each topic of one set, (K, F)."""
        shares: Array = self.topics_[c] / self.topics_[c].sum(axis=1, keepdims=True)
        return shares

    def _bounds(self, X: Ragged) -> Array:
        """Bound of log p(x | T) by the topics of each set, (N sequences) -> (N, C) nats."""
        counts, rule = self.counts_.transform(X), self._rule(**_EXACT)
        found = []
        for c in range(len(self.topics_)):
            words = self._words(c)
            gamma = topics.infer(counts, words, rule)
            found.append(topics.log_bounds(counts, words, gamma, rule.alpha))
        return np.stack(found, axis=1) + self.counts_.log_base(X, counts)[:, None]

    def _draw(self, c: int, n: int, rng: np.random.Generator) -> list[Array]:
        """Draw ``n`` documents by the topics of one set, of known tokens."""
        words, known = np.cumsum(self._words(c), axis=1), self.counts_.known_.astype(np.int32)
        lengths = np.interp(rng.random(n), _QUANTILES, self.lengths_[c]).round().astype(np.int64)
        found = []
        for length, theta in zip(lengths, rng.dirichlet(np.full(len(words), self._rule().alpha), n), strict=True):
            of_topics = words[rng.choice(len(words), length, p=theta)]  # (T, F)
            u = rng.random((length, 1)) * of_topics[:, -1:]
            found.append(known[(of_topics < u).sum(axis=1)])
        return found

    def topics(self, n_words: int = 10) -> list[dict[str, Any]]:
        """Describe the topics, the largest first: ``share`` of the tokens, and the most relevant ``words``.

        Relevance is log p(w | topic) - 0.4 log p(w): words that are frequent everywhere tell little. Sievert and
        Shirley, "LDAvis" (2014).
        """
        every = self.topics_.reshape(-1, self.topics_.shape[2])
        shares, names = every.sum(axis=1) / every.sum(), tokens_of(self.schema_).words(self.counts_.known_)
        probabilities = every / every.sum(axis=1, keepdims=True)
        relevance = np.log(probabilities) - (1 - _RELEVANCE) * np.log(shares @ probabilities)
        best = np.argsort(-relevance, axis=1, kind="stable")[:, :n_words]
        return [
            {"share": round(float(shares[k]), 4), "words": [names[i] for i in best[k]]}
            for k in np.argsort(-shares, kind="stable")
        ]

    def get_arrays(self) -> dict[str, Array]:
        """The topics, the lengths of documents, and their known tokens."""
        of_counts = {f"counts.{name}": array for name, array in self.counts_.get_arrays().items()}
        return {"topics": self.topics_, "lengths": self.lengths_, **of_counts}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`.

        Raises:
            ValueError: naming the array whose shape does not fit the others.
        """
        self.schema_ = restored_schema(self.schema)
        check_names(arrays, ("topics", "lengths", "counts.known", "counts.escape"))
        of_counts = {n.removeprefix("counts."): a for n, a in arrays.items() if n.startswith("counts.")}
        self.counts_ = DocumentCounts(self.schema_, self.min_df, self.max_features).set_arrays(of_counts)
        shape = self._sets(), self.n_components, self.counts_.n_columns
        self.topics_ = check_shape(arrays, "topics", shape)
        self.lengths_ = check_shape(arrays, "lengths", (self._sets(), len(_QUANTILES)))
        if not (self.topics_ > 0).all():
            raise ValueError("array 'topics' must be above 0")

    def _sets(self) -> int:
        return 1


@dataclass(eq=False)
class LatentDirichletAllocation(_Topics):
    """Topics of all documents, whatever their classes."""

    def fit(self, X: Ragged, y: Array | None = None) -> Self:
        """Learn from token codes X (N documents); y is ignored.

        Raises:
            ValueError: where no token is known.
        """
        self.schema_ = self.schema or Schema.of(X)
        self._learn(X, [np.ones(len(X), bool)])
        return self

    def elbo(self, X: Ragged) -> Array:
        """Lower bound of log p(x | T), (N sequences) -> (N,) nats."""
        return self._bounds(X)[:, 0]

    def encode(self, X: Ragged) -> Array:
        """Expected shares of the topics, (N sequences) -> (N, K)."""
        gamma = topics.infer(self.counts_.transform(X), self._words(0), self._rule(**_EXACT))
        shares: Array = gamma / gamma.sum(axis=1, keepdims=True)
        return shares

    def complete(self, observed: Ragged, rest: Ragged) -> Array:
        """Log-probability of the other tokens of documents by the topics of the observed ones, (N,) nats.

        Wallach, Murray, Salakhutdinov and Mimno, "Evaluation methods for topic models" (2009).
        """
        counts = self.counts_.transform(rest)
        log_p = np.log(np.einsum("nk,nk->n", *self._pairs(counts, self.encode(observed))))
        row = np.repeat(np.arange(len(rest)), np.diff(counts.indptr))
        known: Array = np.bincount(row, counts.data * log_p, minlength=len(rest))
        return known + self.counts_.log_base(rest, counts)

    def _pairs(self, counts: Any, shares: Array) -> tuple[Array, Array]:
        """Shares of the topics, and probabilities of the word, of each stored count, two of (nnz, K)."""
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        return shares[row], self._words(0).T[counts.indices]

    def sample(self, n: int, y: Array | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` documents, as long as those of training; ValueError where ``y`` asks for classes."""
        if y is not None:
            raise ValueError("LatentDirichletAllocation knows no classes; y must be None")
        return Ragged.of(self._draw(0, n, np.random.default_rng(random_state)), np.int32)


@dataclass(eq=False)
class TopicClassifier(_Topics, GenerativeClassifier):
    """Topics of the documents of each class. Learned besides: ``log_prior_`` (C,) nats.

    Args:
        prior: "empirical" (Laplace-smoothed class frequencies) or "uniform".
    """

    n_components: Count = 4
    prior: Literal["empirical", "uniform"] = "empirical"

    def fit(self, X: Any, y: Labels | None = None) -> Self:
        """Learn the topics of each class from X (N documents) and class codes y (N,).

        Raises:
            ValueError: where y is missing, or holds other than the schema's codes.
        """
        self.schema_, labels = classification_data(type(self).__name__, self.schema, X, y)
        k = self.schema_.n_classes
        self.log_prior_ = np.full(k, -np.log(k)) if self.prior == "uniform" else class_log_prior(labels, k)
        members = (labels == c for c in range(k))
        self._learn(X, [rows if rows.any() else np.ones(len(X), bool) for rows in members])
        return self

    def log_joint(self, X: Any) -> Array:
        """Lower bounds of log p(x, y) for every class, (N sequences) -> (N, C) nats."""
        joint: Array = self._bounds(X) + self.log_prior_
        return joint

    def elbo(self, X: Any) -> Array:
        """Lower bound of log p(x | T), (N sequences) -> (N,) nats."""
        return np.asarray(logsumexp(self.log_joint(X), axis=1))

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Ragged:
        """Draw ``n`` documents of the classes ``y`` (n,), which are drawn from the prior where not given."""
        rng = np.random.default_rng(random_state)
        k = len(self.log_prior_)
        labels = rng.choice(k, size=n, p=np.exp(self.log_prior_)) if y is None else np.asarray(y)
        if labels.shape != (n,) or (n and not 0 <= labels.min() <= labels.max() < k):
            raise ValueError(f"y must be {n} class codes from 0 to {k - 1}; its shape is {labels.shape}")
        return Ragged.of([self._draw(int(c), 1, rng)[0] for c in labels], np.int32)

    def get_arrays(self) -> dict[str, Array]:
        """The prior, the topics, the lengths of documents, and their known tokens."""
        return {**super().get_arrays(), "log_prior": self.log_prior_}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `get_arrays`."""
        super().set_arrays({name: array for name, array in arrays.items() if name != "log_prior"})
        self.log_prior_ = check_shape(arrays, "log_prior", (self._sets(),))

    def _sets(self) -> int:
        return self.schema_.n_classes
