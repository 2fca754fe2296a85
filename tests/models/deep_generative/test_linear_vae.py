r"""A linear autoencoder is probabilistic PCA, whose density and posterior are known in closed form.

x = c + u (b + W z) + u s e, so log p(x) is a normal density; with W's columns orthogonal the posterior's covariance is
diagonal, and an encoder can hold it exactly (Tipping & Bishop, 1999).
"""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import Normal, kl_divergence

from versus.data.schema import Schema
from versus.models.deep_generative.likelihoods import DEVIATION_SPEED, SMALLEST_DEVIATION
from versus.models.deep_generative.vae import VAE
from versus.models.deep_generative.vae_regression import VAERegression
from versus.models.deep_generative.variational_network import kl_to_standard_normal

RNG = np.random.default_rng(0)
CENTRE, UNIT = np.array([1.0, -20.0, 3.0, 0.0]), np.array([0.5, 7.0, 1.0, 0.01])
OFFSET, DEVIATION = np.array([0.1, -0.2, 0.3, 0.0]), 0.6
W = np.linalg.qr(RNG.normal(size=(4, 2)))[0] * np.array([1.5, 0.7])
X = CENTRE + UNIT * (OFFSET + RNG.normal(size=(40, 2)) @ W.T + DEVIATION * RNG.normal(size=(40, 4)))
EXACT = multivariate_normal(CENTRE + UNIT * OFFSET, UNIT[:, None] * (W @ W.T + DEVIATION**2 * np.eye(4)) * UNIT)
PRECISION = 1 + (W**2).sum(axis=0) / DEVIATION**2  # of the posterior, (2,)
DECODER = {  # arrays of p(x | z) in the data's units
    "preprocessing.centre": CENTRE,
    "preprocessing.scale": UNIT,
    "network.likelihood.log_unit": np.log(UNIT),
    "network.likelihood.raw_log_deviation": np.full((1, 4), np.log(DEVIATION - SMALLEST_DEVIATION)) / DEVIATION_SPEED,
    "network.decoder.head.weight": W,
    "network.decoder.head.bias": OFFSET,
}


def linear_vae(shift=(0.0, 0.0), evaluation_samples=2000):
    """The autoencoder with these weights and the exact posterior, whose mean is moved by ``shift``."""
    arguments = {
        "n_latent": 2,
        "hidden_layer_sizes": (),
        "evaluation_samples": evaluation_samples,
        "precision": "64-true",
    }
    model = VAE(**arguments, epochs=1, device="cpu", random_state=0, schema=Schema.of(X)).fit(X)
    encoder = W.T / DEVIATION**2 / PRECISION[:, None]
    model.set_arrays(
        model.get_arrays()
        | DECODER
        | {
            "network.encoder.mean.weight": encoder,
            "network.encoder.mean.bias": np.asarray(shift) - encoder @ OFFSET,
            "network.encoder.log_variance.weight": np.zeros((2, 4)),
            "network.encoder.log_variance.bias": -np.log(PRECISION),
        }
    )
    return model


def test_with_the_exact_posterior_one_importance_sample_gives_the_exact_density():
    np.testing.assert_allclose(linear_vae().importance_log_prob(X, 1), EXACT.logpdf(X), atol=1e-6)
    np.testing.assert_allclose(linear_vae().importance_log_prob(X, 33), EXACT.logpdf(X), atol=1e-6)


def test_with_the_exact_posterior_the_bound_is_tight():
    found = linear_vae().elbo(X)
    assert found.shape == (40,)
    np.testing.assert_allclose(found, EXACT.logpdf(X), atol=0.1)
    assert found.mean() == pytest.approx(EXACT.logpdf(X).mean(), abs=0.01)


def test_with_another_posterior_the_gap_is_its_divergence():
    shift = np.array([0.4, -0.3])
    gap = 0.5 * (shift**2 * PRECISION).sum()  # KL between normals that differ in their means
    assert gap > 0.5
    found = linear_vae(shift).elbo(X)
    assert (EXACT.logpdf(X) - found).mean() == pytest.approx(gap, abs=0.02)
    assert (found < EXACT.logpdf(X)).all()


def test_the_importance_bound_rises_to_the_exact_density():
    model, rows = linear_vae(shift=(0.4, -0.3)), EXACT.rvs(2000, random_state=1)
    gaps = [(EXACT.logpdf(rows) - model.importance_log_prob(rows, n)).mean() for n in (1, 4, 32, 512)]
    # Noise depends on the last bits of the rows, which another processor may round: the mean of 2,000 hardly does.
    assert gaps[0] - gaps[1] > 0.3
    assert gaps[1] - gaps[2] > 0.05
    assert abs(gaps[3]) < 0.015 < gaps[1]
    assert gaps[3] < gaps[2]


def test_the_bound_trained_on_is_exact_for_the_exact_posterior_and_else_grows_with_the_codes():
    def bound(model, samples, beta=1.0):
        rows = tuple(torch.from_numpy(part) for part in model._events(X))
        with torch.no_grad():
            terms = model.network_(rows, None, torch.Generator().manual_seed(0), samples, beta)
        return [term.numpy() for term in terms]

    np.testing.assert_allclose(bound(linear_vae(), 7)[2], EXACT.logpdf(X), atol=1e-6)
    shifted = linear_vae(shift=(0.4, -0.3))
    means = [bound(shifted, samples)[2].mean() for samples in (1, 8, 500)]
    assert means[0] < means[1] < means[2] < EXACT.logpdf(X).mean() + 0.02
    assert means[2] == pytest.approx(EXACT.logpdf(X).mean(), abs=0.05)
    reconstruction, kl, weighed = bound(shifted, 1, 4.0)
    np.testing.assert_allclose(weighed, reconstruction - 4 * kl)


def test_gaps_are_filled_by_conditional_means():
    holes = X.copy()
    holes[:, 1] = np.nan
    rest, covariance = [0, 2, 3], EXACT.cov
    slopes = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, 1])
    expected = EXACT.mean[1] + (X[:, rest] - EXACT.mean[rest]) @ slopes
    filled = linear_vae().impute(holes)
    np.testing.assert_array_equal(filled[:, rest], X[:, rest])
    assert np.sqrt(np.square(filled[:, 1] - expected).mean()) < 0.25 * X[:, 1].std()  # of 20 codes


def test_missing_values_are_marginalised():
    holes = X.copy()
    holes[:, 1] = np.nan
    rest = [0, 2, 3]
    exact = multivariate_normal(EXACT.mean[rest], EXACT.cov_object.covariance[np.ix_(rest, rest)])
    model = linear_vae()
    # The median stands in for what is missing, so the posterior is off and the bound loose; its limit is not.
    np.testing.assert_allclose(model.importance_log_prob(holes, 4000), exact.logpdf(holes[:, rest]), atol=0.15)
    assert (model.elbo(holes) <= exact.logpdf(holes[:, rest]) + 0.1).all()
    assert np.isfinite(model.elbo(np.full((1, 4), np.nan))).all()


def test_draws_have_the_model_s_moments():
    drawn = linear_vae().sample(20_000, random_state=1)
    np.testing.assert_allclose((drawn.mean(axis=0) - EXACT.mean) / UNIT, 0.0, atol=0.05)
    found = np.cov(drawn.T) / np.outer(UNIT, UNIT)
    np.testing.assert_allclose(found, W @ W.T + DEVIATION**2 * np.eye(4), atol=0.06)


def test_decoding_codes_is_the_linear_map():
    model, codes = linear_vae(), RNG.normal(size=(5, 2))
    np.testing.assert_allclose(model.decode(codes), CENTRE + UNIT * (OFFSET + codes @ W.T), rtol=1e-9)
    encoded = model.encode(X)
    np.testing.assert_allclose(encoded, ((X - CENTRE) / UNIT - OFFSET) @ W / DEVIATION**2 / PRECISION, rtol=1e-6)


def test_divergence_agrees_with_torch_distributions():
    mean, log_variance = torch.randn(6, 3), torch.randn(6, 3)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)


def joint(rows):
    """Pairs (x, y) of the density above, whose last column is y; E[y | x] and its deviation, in closed form."""
    pairs = EXACT.rvs(rows, random_state=2)
    mean, covariance = EXACT.mean, EXACT.cov
    slopes = np.linalg.solve(covariance[:3, :3], covariance[:3, 3])
    expected = mean[3] + (pairs[:, :3] - mean[:3]) @ slopes
    return pairs[:, :3], pairs[:, 3], expected, np.sqrt(covariance[3, 3] - covariance[:3, 3] @ slopes)


def test_a_regression_with_the_weights_of_the_density_has_its_conditional_distribution():
    features, y, expected, deviation = joint(30)
    sizes = {"n_latent": 2, "hidden_layer_sizes": (), "evaluation_samples": 2000}
    schema = Schema.of(features, y)
    model = VAERegression(**sizes, epochs=1, random_state=0, precision="64-true", schema=schema).fit(features, y)
    wx = W[:3]
    posterior = np.linalg.inv(np.eye(2) + wx.T @ wx / DEVIATION**2)  # covariance of z given x
    encoder = np.zeros((2, 5))  # the last input says that y is missing
    encoder[:, :3] = posterior @ wx.T / DEVIATION**2
    model.set_arrays(
        model.get_arrays()
        | DECODER
        | {
            "network.encoder.mean.weight": encoder,
            "network.encoder.mean.bias": -encoder[:, :3] @ OFFSET[:3],
            "network.encoder.log_variance.weight": np.zeros((2, 5)),
            "network.encoder.log_variance.bias": np.log(np.diag(posterior)) + 0.3,  # wider than the posterior
        }
    )
    np.testing.assert_allclose(model.predict(features), expected, atol=0.08 * deviation)
    interval = model.predict_interval(features, 0.9)
    np.testing.assert_allclose(interval.mean(axis=1), expected, atol=0.12 * deviation)
    np.testing.assert_allclose(interval @ [-1, 1], 2 * 1.645 * deviation, rtol=0.08)
    exact = Normal(torch.from_numpy(expected), float(deviation)).log_prob(torch.from_numpy(y)).numpy()
    np.testing.assert_allclose(model.log_prob_target(features, y), exact, atol=0.15)
    assert (model.elbo_pairs(features, y) < EXACT.logpdf(np.column_stack([features, y])) + 0.05).all()


def test_a_regression_learns_a_joint_density():
    features, y, expected, _ = joint(600)
    model = VAERegression(n_latent=3, hidden_layer_sizes=(16,), epochs=40, learning_rate=0.02, random_state=0)
    model.fit(features[:400], y[:400])
    errors = model.predict(features[400:]) - expected[400:]
    assert np.sqrt(np.mean(errors**2)) < 0.4 * np.std(expected[400:])
    interval = model.predict_interval(features[400:], 0.9)
    assert 0.8 < ((interval[:, 0] <= y[400:]) & (y[400:] <= interval[:, 1])).mean() < 0.97
    drawn, targets = model.sample_pairs(2000, random_state=0)
    found = np.corrcoef(np.column_stack([drawn, targets]).T)
    np.testing.assert_allclose(found, np.corrcoef(EXACT.rvs(20_000, random_state=3).T), atol=0.15)
