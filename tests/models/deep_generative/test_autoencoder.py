"""Autoencoders: the linear one against principal components, penalties against closed forms, noise taken out."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.distributions import Bernoulli, kl_divergence

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.evaluation.answers import capabilities
from versus.evaluation.uses import density, generation
from versus.models.deep_generative.autoencoder import (
    Autoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
    activity_divergence,
)

RNG = np.random.default_rng(0)
DIGITS = load_digits().images.astype(np.uint8)[:300]
KINDS = RNG.integers(0, 3, 200)
NUMBERS = RNG.normal(size=(200, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(200, 5))
MIXED = np.column_stack([NUMBERS + KINDS[:, None], KINDS])
MIXED_SCHEMA = Schema(Table((*map(Column, "abcde"), Column("kind", ("p", "q", "r")))), Classes(("p", "q", "r")))
CASES = {
    "mixed": (np.where(RNG.random(MIXED.shape) < 0.05, np.nan, MIXED), MIXED_SCHEMA),
    "images": (DIGITS, Schema(Image((8, 8), 17), Classes(tuple("0123456789")))),
    "colours": (np.stack([DIGITS[:60, :7, :5]] * 3, axis=-1), Schema(Image((7, 5, 3), 17), Classes(("a",)))),
}
FEW = {"n_latent": 3, "hidden_layer_sizes": (16,), "channels": 4, "epochs": 3, "device": "cpu", "random_state": 0}
SORTS = {
    "plain": (Autoencoder, {}),
    "denoising": (DenoisingAutoencoder, {"masked": 0.2}),
    "kl": (SparseAutoencoder, {}),
    "l1": (SparseAutoencoder, {"penalty": "l1"}),
}


def made(sort, case, **changes):
    kind, own = SORTS[sort]
    return kind(**FEW | own | {"schema": CASES[case][1]} | changes)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sort", SORTS)
def test_events_are_encoded_and_rebuilt_the_same_bits_again_after_saving_and_resuming(sort, case):
    X, schema = CASES[case]
    model = made(sort, case)
    states = [step.state() for step in model.fit_steps(X[:50], None, (X[50:], None))]
    codes, rebuilt = model.encode(X), model.reconstruct(X)
    assert codes.shape == (len(X), 3)
    assert rebuilt.shape == X.shape
    assert np.isfinite(rebuilt).all()
    restored, resumed = made(sort, case), made(sort, case)
    restored.set_arrays(model.get_arrays())
    list(resumed.fit_steps(X[:50], None, (X[50:], None), resume=states[0]))
    for other in (restored, resumed):
        np.testing.assert_array_equal(other.encode(X), codes)
        np.testing.assert_array_equal(other.decode(codes), rebuilt)
    if schema.levels:
        assert rebuilt.min() >= 0
        assert rebuilt.max() <= 16
    else:
        assert set(rebuilt[:, -1]) <= {0.0, 1.0, 2.0}


def test_a_linear_autoencoder_spans_the_principal_components():
    model = Autoencoder(
        n_latent=2, hidden_layer_sizes=(), epochs=200, batch_size=50, learning_rate=0.03, weight_decay=0.0,
        precision="64-true", random_state=0, device="cpu",
    ).fit(NUMBERS)  # fmt: skip
    centred = (NUMBERS - NUMBERS.mean(axis=0)) / NUMBERS.std(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    best = NUMBERS.mean(axis=0) + centred @ axes.T @ axes * NUMBERS.std(axis=0)
    least, found = (np.square((NUMBERS - of) / NUMBERS.std(axis=0)).mean() for of in (best, model.reconstruct(NUMBERS)))
    assert least - 1e-9 < found < 1.05 * least < 0.05
    learned = np.linalg.qr(model.get_arrays()["network.decoder.head.weight"])[0]
    np.testing.assert_allclose(learned @ learned.T, axes.T @ axes, atol=0.01)
    holes = NUMBERS.copy()
    holes[::2, 1] = np.nan  # what two axes determine from four columns
    filled = model.impute(holes)
    np.testing.assert_array_equal(filled[1::2], NUMBERS[1::2])
    assert np.std((filled - NUMBERS)[::2, 1]) < 0.35 * NUMBERS[:, 1].std()


def test_the_penalty_of_sparse_units_is_the_divergence_of_bernoulli_variables():
    activity = torch.tensor([0.05, 0.2, 0.9], dtype=torch.float64)
    expected = kl_divergence(Bernoulli(torch.tensor(0.05).double()), Bernoulli(activity)).sum()
    torch.testing.assert_close(activity_divergence(0.05, activity), expected)
    assert float(activity_divergence(0.05, torch.full((4,), 0.05))) == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(float(activity_divergence(0.0, torch.tensor([0.0, 1.0]))))


def test_a_penalty_makes_units_rarely_active():
    options = {"n_latent": 20, "epochs": 30, "learning_rate": 0.02}
    active = {
        (penalty, weight): made("kl", "images", penalty=penalty, penalty_weight=weight, **options)
        .fit(DIGITS)
        .encode(DIGITS)
        .mean()
        for penalty, weight in (("kl", 0.0), ("kl", 20.0), ("l1", 20.0))
    }
    assert active["kl", 0.0] > 0.2
    assert active["kl", 20.0] == pytest.approx(0.05, abs=0.04)
    assert active["l1", 20.0] < 0.5 * active["kl", 0.0]


def test_one_that_saw_noise_takes_it_out_better():
    noisy = DIGITS + 4 * RNG.normal(size=DIGITS.shape)
    options = {"n_latent": 32, "hidden_layer_sizes": (64,), "epochs": 40, "channels": 8, "learning_rate": 0.01}
    errors = {}
    for sort, more in (("plain", {}), ("denoising", {"noise": 0.7, "masked": 0.0})):
        model = made(sort, "images", **options, **more).fit(DIGITS[:250])
        errors[sort] = np.square(model.reconstruct(noisy)[250:] - DIGITS[250:])
    assert errors["denoising"].mean() < 0.9 * errors["plain"].mean()
    assert errors["denoising"].mean() < 0.7 * np.square(noisy - DIGITS)[250:].mean()


def test_an_error_is_no_density():
    model, schema = made("plain", "images"), CASES["images"][1]
    assert not {"log_prob", "elbo", "sample", "predict", "impute"} & set(capabilities(model))
    assert "impute" in capabilities(made("plain", "mixed"))
    for use in (density, generation):
        assert "rebuilds x from a code, without saying how probable x is" in use.reason_against(model, schema)
    with pytest.raises(ValueError, match="penalty='l2'; accepted: 'kl', 'l1'"):
        SparseAutoencoder(penalty="l2")
