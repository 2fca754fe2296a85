"""Scores of tagged sentences: by hand, in the best and the worst case, and by tokens and not by sentences."""

import numpy as np
import pytest

from versus.arrays import Ragged
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.table import named

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
