"""What codes are good for: scores against closed forms, uses end to end, and pictures as the page shows them."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from tests.test_evaluation import digits, measured, prepared  # noqa: F401 - a fixture
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.evaluation import pictures
from versus.evaluation.answers import HeldOut
from versus.evaluation.uses import denoising, density, features, imputation, novelty
from versus.metrics.density import drawn_bits, placements
from versus.metrics.reconstruction import gap_errors, root_of_ratio, signal_to_noise
from versus.models import find
from versus.report import evaluation
from versus.report.sections import codes, curves

AUTOENCODER = ("deep_generative", "autoencoder", "DenoisingAutoencoder")


def test_a_ratio_of_ten_is_ten_decibels_and_no_error_is_finite():
    clean = np.zeros((3, 4, 4))
    found = clean + np.array([0.0, 10**-0.5, 10**-1])[:, None, None]
    np.testing.assert_allclose(signal_to_noise(clean, found, 1.0)[:, 0], [100, 10, 20])
    np.testing.assert_allclose(signal_to_noise(255 * clean, 255 * found, 255.0)[1:, 0], [10, 20])


def test_errors_of_gaps_count_where_the_truth_is_known():
    truth = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]])
    gaps = np.array([[True, False], [True, True], [False, True]])
    rows = gap_errors(truth, truth + 2.0, gaps, np.array([1.0, 4.0]))
    np.testing.assert_allclose(rows, [[4, 1], [4, 1], [0.25, 1]])
    assert root_of_ratio(rows.mean(axis=0)) == pytest.approx(np.sqrt(8.25 / 3))


def test_the_linear_filter_has_the_least_error_of_all_linear_ones():
    rng = np.random.default_rng(0)
    images = (rng.normal(size=(4000, 3)) @ rng.normal(size=(3, 16)) + 5).reshape(-1, 4, 4)
    noisy = images + 0.5 * rng.normal(size=images.shape)
    rows, clean = noisy.reshape(4000, -1), images.reshape(4000, -1)
    best = LinearRegression().fit(rows[:2000], clean[:2000]).predict(rows[2000:])
    found = denoising.linearly_filtered(noisy[2000:], images[:2000], 0.5).reshape(2000, -1)
    least, error = (np.square(of - clean[2000:]).mean() for of in (best, found))
    assert error < 1.02 * least < 0.2 * np.square(rows - clean).mean()
    speckled = np.zeros((2, 5, 5))
    speckled[:, 2, 2] = 9.0
    assert denoising.median_filtered(speckled).max() == 0


def test_noise_is_stored_as_pixels_are_and_bits_are_drawn_by_brightness():
    schema, grey = Schema(Image((20, 20), 17), Classes(("a",))), np.full((50, 20, 20), 8, np.uint8)
    noisy = denoising.with_noise(grey, schema, 16.0, np.random.default_rng(0))
    assert noisy.dtype == np.uint8
    assert noisy.mean() == pytest.approx(8, abs=0.1)
    assert noisy.std() == pytest.approx(4, rel=0.05)
    bits = drawn_bits(np.where(np.arange(20) < 10, 4, 16).astype(np.uint8) + 0 * grey, 17, seed=0)
    assert set(np.unique(bits)) == {0, 16}
    assert (bits[:, :, :10] > 0).mean() == pytest.approx(0.25, abs=0.02)
    assert (bits[:, :, 10:] > 0).all()


def test_halves_of_two_images_are_spliced():
    X = np.arange(40.0)[:, None, None] + np.zeros((40, 5, 3))
    found = novelty.spliced(X, seed=0)
    assert (found[:, :2] == found[:, :1, :1]).all()
    assert (found[:, 2:] == found[:, 4:, :1]).all()
    assert (found[:, 0, 0] != found[:, 4, 0]).all()
    np.testing.assert_array_equal(np.sort(found[:, 4, 0]), np.arange(40))


def test_a_probe_finds_classes_that_codes_separate_and_no_others():
    rng = np.random.default_rng(1)
    y = rng.integers(1, 3, 300)  # no row is of the first class
    apart, alike = rng.normal(size=(300, 2)) + 9 * y[:, None], rng.normal(size=(300, 2))
    for codes_, low, high in ((apart, 0.99, 1), (alike, 0.3, 0.7)):
        found = features.probed(codes_[:200], codes_[200:], y[:200], 3)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        assert (found[:, 0] == 0).all()
        assert low <= (found.argmax(axis=1) == y[200:]).mean() <= high


def test_an_autoencoder_of_images_is_scored_drawn_and_shown(measured):  # noqa: F811
    data = digits()
    options = {"n_latent": 16, "epochs": 12, "channels": 8, "learning_rate": 0.01, "device": "cpu", "noise": 0.7}
    found = measured(data, *AUTOENCODER, **options)
    denoised = {f"{way}_psnr" for way in ("denoised", "noisy", "median_filtered", "linearly_filtered")}
    assert found.scores.keys() == denoised | {"probe_accuracy", "raw_probe_accuracy", "novelty_by_error_auroc"}
    score = {name: values[0] for name, values in found.scores.items()}
    assert score["denoised_psnr"] > score["noisy_psnr"] + 1
    assert score["linearly_filtered_psnr"] > score["noisy_psnr"] + 1
    assert 12 < score["noisy_psnr"] < 15  # 12.04, but for what is cut at black and white
    assert score["probe_accuracy"] > 0.9
    assert score["novelty_by_error_auroc"] > 0.55
    assert found.cost["latency_ms"]["1"]["p50"] > 0
    reasons = {skip["what"]: skip["reason"] for skip in found.facts["skipped"]}
    assert "without saying how probable x is" in reasons["likelihood"]
    read = evaluation.read(found.out)
    shapes = {name: of.shape[:2] for name, of in read.pictures.items()}
    ways = {"interpolations": (5, pictures.STEPS), "traversals": (8, pictures.STEPS)}
    assert shapes == {"rebuilt": (2, 10), "denoised": (2, 10)} | ways
    assert all(of.dtype == np.uint8 for of in read.pictures.values())
    drawn = codes.picture(read.pictures["rebuilt"], 17)
    assert drawn.shape == (2 * 9 - 1, 10 * 9 - 1)
    first = np.round(read.pictures["rebuilt"][0, 0] * (255 / 16))
    np.testing.assert_array_equal(drawn[:8, :8], first)


def test_simple_images_of_other_things_deceive_a_density_and_not_its_ratio_to_a_compressor():
    rng = np.random.default_rng(0)
    X = (16 * rng.integers(0, 2, (200, 8, 8))).astype(np.uint8)
    grey = np.full((50, 8, 8), 8, dtype=np.uint8)  # nearest to the mean of each pixel
    nats = novelty.compressed(np.concatenate([X, grey]))
    assert nats[: len(X)].min() > nats[len(X) :].max()
    schema = Schema(Image((8, 8), 17), Classes(tuple("01")))
    model = find("classical_generative", "baseline", "Marginals")(schema=schema).fit(X, np.arange(200) % 2)
    found = {of.use: placements(*of.given).mean() for of in novelty.of_other_things(model, X, grey, schema, 0)}
    assert found["others"] < 0.01 < 0.99 < found["others_by_complexity"]


def test_ways_between_codes_begin_and_end_at_images_and_the_busiest_code_varies_first():
    rng = np.random.default_rng(2)
    others = rng.normal(size=(200, 3)) * [0.1, 5.0, 1.0]
    ways = pictures.between(others[:5])
    np.testing.assert_allclose(ways[:, 0], others[[0, 2]])
    np.testing.assert_allclose(ways[:, -1], others[[1, 3]])
    found = pictures.along(others[0], others)
    assert found.shape == (3, pictures.STEPS, 3)
    assert [int(np.ptp(row, axis=0).argmax()) for row in found] == [1, 2, 0]
    assert np.ptp(found[0, :, 1]) == pytest.approx(4 * others[:, 1].std())
    assert (np.ptp(found[0][:, [0, 2]], axis=0) == 0).all()
    assert pictures.first_of_each(np.array([2, 2, 0, 1, 0])).tolist() == [2, 3, 0, 4, 1]


def test_gaps_of_a_table_are_filled_better_than_by_means(measured):  # noqa: F811
    rng = np.random.default_rng(3)
    z, y = rng.normal(size=(400, 1)), rng.integers(0, 2, 400)
    X = np.column_stack([z * [1, 2, -3, 0.5] + 0.2 * rng.normal(size=(400, 4)), rng.integers(0, 3, 400)])
    columns = (*map(Column, "abcd"), Column("kind", ("p", "q", "r")))
    data = prepared(X, y, Schema(Table(columns), Classes(("u", "v"))))
    shared = {"epochs": 30, "learning_rate": 0.01, "device": "cpu", "n_latent": 2, "hidden_layer_sizes": [16]}
    for module, name in (("autoencoder", "DenoisingAutoencoder"), ("vae", "VAE"), ("vae", "ConditionalVAE")):
        model = find("deep_generative", module, name)(**shared, schema=data.schema, random_state=0)
        model.fit(*data.take(0, "train", "validation"))
        answered = list(imputation.answers(model, HeldOut(data, 0), 0))
        rmse = {a.use: float(root_of_ratio(gap_errors(*a.given).mean(axis=0))) for a in answered}
        assert rmse["gaps_by_means"] == pytest.approx(1.0, abs=0.15)
        assert rmse["gaps_filled"] < 0.85 * rmse["gaps_by_means"], name
        assert rmse["gaps_by_neighbours"] < 0.85 * rmse["gaps_by_means"]
    assert "fills no gaps" in imputation.reason_against(object(), data.schema)
    assert not imputation.concerns(Schema(Table(columns[-1:]), Classes(("u", "v"))))


def test_a_model_of_drawn_bits_has_columns_of_its_own():
    data = digits()
    model = find("deep_generative", "vae", "VAE")(
        likelihood="dynamic_bernoulli", epochs=2, channels=4, device="cpu", schema=data.schema, random_state=0
    ).fit(*data.take(0, "train"))
    asked = density.as_asked(model, data.take(0, "test")[0], data.schema, 0)
    assert set(np.unique(asked)) == {0, 16}
    answered = {a.use: a for a in density.answers(model, HeldOut(data, 0), 0)}
    assert {a.suffix for a in answered.values()} == {"_dynamically_binarised"}
    assert answered["importance_bound"].given[0].mean() >= answered["bound"].given[0].mean()


def test_the_curve_of_a_bound_stands_beside_that_of_the_loss():
    names = ["train_loss", "train_kl", "train_negative_elbo", "validation_loss", "validation_negative_elbo"]
    assert curves.shown_losses(names) == [name for name in names if "kl" not in name]
    assert curves.shown_losses(["train_critic_loss"]) == ["train_critic_loss"]
