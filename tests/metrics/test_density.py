import numpy as np
import pytest
from scipy import stats

from versus.metrics import density
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.table import named


def bits(log_prob, n_features):
    return named("bits_per_dimension").score(log_prob, n_features)


def nats(log_prob):
    return named("mean_log_likelihood").score(log_prob)


def test_uniform_pixels_take_eight_bits_each():
    log_prob = np.full(10, -6 * np.log(256.0))
    assert bits(log_prob, 6) == pytest.approx(8.0)


def test_a_density_that_knows_the_data_needs_fewer_bits():
    pixels = np.random.default_rng(0).binomial(255, 0.3, (200, 4, 4))
    spread = density.dequantise(pixels, seed=0)
    flat = np.full(200, -16 * np.log(256.0))
    fitted = stats.norm(spread.mean(), spread.std()).logpdf(spread).sum(axis=(1, 2))
    # the binomial's own entropy is 4.9 bits; its dequantised normal can only need more
    assert 4.9 < bits(fitted, 16) < 5.1
    assert bits(flat, 16) == pytest.approx(8.0)
    assert nats(fitted) > nats(flat)


def test_dequantised_pixels_stay_in_their_bin_and_depend_on_the_seed_alone():
    pixels = np.arange(4 * 9, dtype=np.uint8).reshape(4, 3, 3)
    spread = density.dequantise(pixels, seed=1)
    np.testing.assert_array_equal(np.floor(spread), pixels)
    np.testing.assert_array_equal(spread, density.dequantise(pixels, seed=1))
    assert (spread != density.dequantise(pixels, seed=2)).any()


def test_an_impossible_row_has_no_mean():
    with pytest.raises(UndefinedMetricError, match="1 of 3 test rows"):
        nats(np.array([-1.0, -np.inf, -2.0]))


def test_uniform_tokens_take_the_same_nats_bits_and_perplexity_whatever_the_lengths():
    lengths = np.array([1, 10, 300])
    answers = -lengths * np.log(32.0), lengths
    assert named("nats_per_token").score(*answers) == pytest.approx(np.log(32.0))
    assert named("bits_per_character").score(*answers) == pytest.approx(5.0)
    assert named("perplexity").score(*answers) == pytest.approx(32.0)
    assert named("perplexity").score(answers[0] / 2, lengths) == pytest.approx(32.0**0.5)
