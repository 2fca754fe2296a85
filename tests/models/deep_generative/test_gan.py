import numpy as np
import pytest

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.fitting import checkpoint as checkpoints
from versus.fitting.checkpoint import Checkpoint
from versus.models.deep_generative.gan import GAN

ANGLES = np.arange(8) * np.pi / 4
CENTRES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
DEVIATION = 0.05


def eight_gaussians(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(8, size=n)
    return CENTRES[y] + DEVIATION * rng.standard_normal((n, 2)), y


def modes(X):
    """The share of rows within four deviations of each centre, (8,)."""
    distances = np.linalg.norm(X[:, None] - CENTRES, axis=2)
    return (distances < 4 * DEVIATION).mean(axis=0)


X, Y = eight_gaussians(2048, seed=0)


def model(**changes):
    return GAN(**({"epochs": 60, "random_state": 0, "device": "cpu"} | changes))


def test_eight_gaussians_are_covered_and_a_resumed_game_ends_with_the_same_bits(tmp_path):
    whole, rest = model(), model()
    for step in whole.fit_steps(X, Y):
        if step.step == 40:
            checkpoints.write(tmp_path / "fit", Checkpoint(step.state(), "", "this game"))
    found = checkpoints.read(tmp_path / "fit", "this game")
    assert [s.step for s in rest.fit_steps(X, Y, resume=found.state)] == list(range(41, 61))
    for name, array in whole.get_arrays().items():
        np.testing.assert_array_equal(array, rest.get_arrays()[name], err_msg=name)

    drawn = whole.sample(4000, random_state=1)
    np.testing.assert_array_equal(drawn, rest.sample(4000, random_state=1))
    rng = np.random.default_rng(2)
    blurred = rng.multivariate_normal(X.mean(axis=0), np.cov(X.T), size=4000)
    assert modes(X).sum() > 0.99
    assert modes(blurred).sum() < 0.2  # what one Gaussian reaches
    assert modes(drawn).sum() > 0.5
    assert modes(drawn).min() > 0.02


def test_a_game_told_the_class_draws_numbers_and_categories_of_that_class():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=800)
    kind = np.where(rng.random(800) < 0.85, 2 * y, 1.0)  # 1, or twice the class
    X = np.stack([kind, 100.0 * y + 20 * kind + rng.standard_normal(800)], axis=1)
    schema = Schema(Table((Column("kind", ("a", "b", "c")), Column("size"))), Classes(("u", "v")))
    fitted = model(conditional=True, epochs=80, schema=schema).fit(X, y)
    for label in (0, 1):
        drawn = fitted.sample(1000, y=np.full(1000, label), random_state=0)
        assert (drawn[:, 0] == 2 * label).mean() == pytest.approx(0.85, abs=0.08)
        assert (drawn[:, 0] == 1).mean() == pytest.approx(0.15, abs=0.08)
        for k in (1, 2 * label):
            assert np.median(drawn[drawn[:, 0] == k, 1]) == pytest.approx(100 * label + 20 * k, abs=8)
    assert 0.3 < (fitted.sample(500, random_state=0)[:, 1] > 80).mean() < 0.7
    np.testing.assert_array_equal(drawn, fitted.sample(1000, y=np.full(1000, 1), random_state=0))


def test_all_labelled_rows_are_learned_from():
    assert GAN.holds_out_validation is False
    with pytest.raises(ValueError, match="GAN has no loss to stop early by"):
        next(model().fit_steps(X, Y, validation=(X, Y)))


def test_without_an_average_the_last_steps_weights_are_kept():
    averaged, last = (model(epochs=3, ema_decay=decay).fit(X, Y) for decay in (0.99, None))
    assert not np.array_equal(averaged.sample(5, random_state=0), last.sample(5, random_state=0))


def test_what_it_cannot_do_is_absent():
    for name in ("log_prob", "elbo", "predict", "predict_proba", "encode"):
        assert not hasattr(GAN, name)


@pytest.mark.parametrize(
    ("changes", "X", "message"),
    [
        ({"n_latent": 0}, X, "n_latent=0"),
        ({"conditional": True, "schema": Schema.of(X, None)}, X, "conditional=True needs classes"),
        ({}, np.where(X > 0.9, np.nan, X), "no missing values"),
        ({}, np.zeros((9, 4, 4), dtype=np.uint8), "GAN takes tables, and"),
    ],
)
def test_what_it_cannot_take_is_named(changes, X, message):
    with pytest.raises(ValueError, match=message):
        model(**changes).fit(X, Y[: len(X)])


def test_classes_are_refused_where_none_are_known():
    fitted = model(epochs=1).fit(X, Y)
    with pytest.raises(ValueError, match="knows no classes"):
        fitted.sample(2, y=np.zeros(2, dtype=np.int64))
