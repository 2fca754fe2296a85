"""Scores of tagged sentences: by hand, in the best and the worst case, and by tokens and not by sentences."""

import numpy as np
import pytest

from versus.arrays import Ragged
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.table import named
from versus.metrics.tagging import are_spans

Y = Ragged.of([[0, 1, 2], [1], [2, 2]], np.int64)


def sure_of(tags, share):
    """Marginals that give ``share`` to each of the tags, and the rest evenly to the other two."""
    marginals = np.full((len(tags.values), 3), (1 - share) / 2)
    marginals[np.arange(len(tags.values)), tags.values] = share
    return Ragged(marginals, tags.starts)


def score(name, tags, share=1.0):
    return named(name).score(Y, tags, sure_of(tags, share))


@pytest.mark.parametrize(
    ("tags", "tokens", "sentences"),
    [
        (Y.values, 1.0, 1.0),
        ([1, 2, 0, 0, 0, 0], 0.0, 0.0),
        ([0, 1, 0, 1, 2, 0], 4 / 6, 1 / 3),  # two sentences of three have one wrong token
        ([0, 1, 2, 0, 2, 2], 5 / 6, 2 / 3),
    ],
)
def test_right_tokens_and_right_sentences(tags, tokens, sentences):
    tags = Ragged(np.asarray(tags), Y.starts)
    assert score("token_accuracy", tags) == pytest.approx(tokens)
    assert score("sentence_accuracy", tags) == pytest.approx(sentences)


def test_the_log_loss_is_a_mean_over_tokens():
    assert score("tag_log_loss", Y, 1.0) == pytest.approx(0.0, abs=1e-12)
    assert score("tag_log_loss", Y, 0.5) == pytest.approx(np.log(2))
    half = Ragged(np.array([0, 1, 2, 0, 0, 0]), Y.starts)
    assert score("tag_log_loss", half, 0.8) == pytest.approx(-(np.log(0.8) + np.log(0.1)) / 2)
    assert score("tag_log_loss", half, 1.0) > 15  # a probability of 0 counts as a float's step
    with pytest.raises(UndefinedMetricError, match="no probabilities"):
        named("tag_log_loss").score(Y, Y, None)


def conlleval(tags):
    """Spans (first, last, type) of one sentence, by the rules of conlleval, tag by tag."""
    found, begin = [], None
    before, before_type = "O", ""
    for t, tag in enumerate([*tags, "O"]):
        part, kind = tag[0], tag[2:]
        if begin is not None and (part in "BO" or kind != before_type):
            found.append((begin, t - 1, before_type))
            begin = None
        if part == "B" or (part == "I" and (before == "O" or kind != before_type)):
            begin = t
        before, before_type = part, kind
    return set(found)


def test_span_f1_is_that_of_conlleval():
    names = ("B-loc", "B-per", "I-loc", "I-per", "O")
    rng = np.random.default_rng(0)
    y = Ragged.of([rng.integers(0, 5, n) for n in rng.integers(1, 12, 200)])
    predicted = Ragged(np.where(rng.random(len(y.values)) < 0.7, y.values, 4), y.starts)
    right = guessed = true = 0
    for a, b in zip(y, predicted, strict=True):
        found, wanted = (conlleval([names[k] for k in tags]) for tags in (b, a))
        right, guessed, true = right + len(found & wanted), guessed + len(found), true + len(wanted)
    precision, recall = right / guessed, right / true
    score = named("span_f1").score(y, predicted, names)
    assert score == pytest.approx(2 * precision * recall / (precision + recall))
    assert 0.2 < score < 0.9
    assert named("span_f1").score(y, y, names) == 1.0
    assert are_spans(names)
    assert not are_spans(("NOUN", "O"))


def test_unknown_tokens_are_counted_alone():
    tags, unknown = Ragged(np.array([0, 1, 0, 0, 2, 0]), Y.starts), np.array([1, 0, 1, 0, 0, 0], bool)
    assert named("unknown_accuracy").score(Y, tags, unknown) == pytest.approx(1 / 2)
    with pytest.raises(UndefinedMetricError, match="every token"):
        named("unknown_accuracy").score(Y, tags, np.zeros(6, bool))
    assert named("sequence_log_loss").score(np.log([0.5, 0.25, 1.0]), Y) == pytest.approx(np.log(8) / 6)
