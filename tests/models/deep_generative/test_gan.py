import numpy as np
import pytest
from sklearn.datasets import load_digits

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.fitting import checkpoint as checkpoints
from versus.fitting.checkpoint import Checkpoint
from versus.models.deep_generative.dcgan import DCGAN
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
    for name in ("log_prob", "elbo", "predict", "predict_proba"):
        assert not hasattr(GAN, name)
    assert not hasattr(model(epochs=1).fit(X[:64], Y[:64]), "snapshot")  # of a table


@pytest.mark.parametrize(
    ("changes", "X", "message"),
    [
        ({"n_latent": 0}, X, "n_latent=0"),
        ({"conditional": True, "schema": Schema.of(X, None)}, X, "conditional=True needs classes"),
        ({}, np.where(X > 0.9, np.nan, X), "no missing values"),
    ],
)
def test_what_it_cannot_take_is_named(changes, X, message):
    with pytest.raises(ValueError, match=message):
        model(**changes).fit(X, Y[: len(X)])


def test_classes_are_refused_where_none_are_known():
    fitted = model(epochs=1).fit(X, Y)
    with pytest.raises(ValueError, match="knows no classes"):
        fitted.sample(2, y=np.zeros(2, dtype=np.int64))


DIGITS = (load_digits().images[:96].astype(np.uint8), load_digits().target[:96])


def small(kind, **changes):
    given = {"epochs": 3, "random_state": 0, "device": "cpu", "batch_size": 40, "n_latent": 4, "learning_rate": 0.01}
    return kind(**(given | ({"channels": 4} if kind is DCGAN else {"hidden_layer_sizes": [8]}) | changes))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (GAN, {"loss": "wasserstein", "critic_turns": 2}),
        (GAN, {"loss": "hinge", "spectral_norm": True, "conditional": True}),
        (DCGAN, {"conditional": True}),
        (DCGAN, {"loss": "wasserstein", "spectral_norm": True, "ema_decay": None}),
    ],
)
def test_a_game_of_images_resumes_with_the_same_bits_whether_it_was_looked_at_or_not(kind, changes):
    whole, rest = small(kind, **changes), small(kind, **changes)
    states, pictures = [], []
    for step in whole.fit_steps(*DIGITS):
        states.append(step.state())
        pictures.append(whole.snapshot(12))
    before = len(list(rest.fit_steps(*DIGITS, resume=states[0])))
    assert before == 2
    for name, array in whole.get_arrays().items():
        np.testing.assert_array_equal(array, rest.get_arrays()[name], err_msg=name)
    drawn = rest.sample(12, np.arange(12) % 10 if "conditional" in changes else None, random_state=0)
    np.testing.assert_array_equal(drawn, pictures[-1])
    assert (pictures[0] != pictures[1]).any()
    assert (drawn.shape, drawn.dtype, drawn.max() <= 16) == ((12, 8, 8), np.uint8, True)


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (9, 7), (4, 4, 1)])
def test_images_of_other_sizes_are_drawn_and_their_critics_features_asked(shape):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(30, *shape)).astype(np.uint8)
    schema = Schema(Image(shape, 256), Classes(("a", "b")))
    fitted = small(DCGAN, epochs=1, schema=schema, conditional=False).fit(images, np.arange(30) % 2)
    assert fitted.sample(3, random_state=0).shape == (3, *shape)
    features = fitted.encode(images)
    assert features.shape == (30, 8 * (shape[0] // 4) * (shape[1] // 4))
    assert np.isfinite(features).all()
    assert not hasattr(small(DCGAN, conditional=True), "encode")


def test_pixels_without_levels_keep_their_range():
    images = np.random.default_rng(0).uniform(-3, 5, size=(40, 8, 8))
    drawn = small(DCGAN, epochs=1).fit(images).sample(50, random_state=0)
    assert -3 <= drawn.min() < drawn.max() <= 5
    with pytest.raises(ValueError, match="DCGAN halves images twice; these are 3 × 8 pixels"):
        small(DCGAN).fit(images[:, :3])
    with pytest.raises(ValueError, match="DCGAN takes images, and"):
        small(DCGAN).fit(X, Y)


def test_a_convolutional_game_draws_what_a_person_reads_as_the_class():
    images, y = load_digits(n_class=4, return_X_y=True)
    images = images.reshape(-1, 8, 8).astype(np.uint8)
    fitted = DCGAN(conditional=True, channels=8, epochs=15, random_state=0, device="cpu").fit(images, y)
    asked = np.arange(200) % 4
    drawn = fitted.sample(200, asked, random_state=1).reshape(200, -1).astype(float)
    nearest = np.square(drawn[:, None] - images.reshape(len(y), -1)[None].astype(float)).sum(axis=2).argmin(axis=1)
    assert (y[nearest] == asked).mean() > 0.9
    assert len(np.unique(nearest)) > 20  # not one image a class
