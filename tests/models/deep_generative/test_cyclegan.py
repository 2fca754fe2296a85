"""Translation between two domains without pairs, with a known answer: digits and their outlines."""

import numpy as np
import pytest
import torch

from versus.data import targets
from versus.data.images import outlines
from versus.data.preparation import prepare
from versus.evaluation import extractor
from versus.evaluation.answers import HeldOut
from versus.evaluation.pictures import pictures
from versus.evaluation.uses import translation
from versus.metrics.table import of_use
from versus.models.deep_generative.cyclegan import CycleGAN, CycleLoss, Pair, Translators, critic, swapped, translator
from versus.training.adversarial_losses import LeastSquares


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    spec = {"source": "embedded", "name": "outlines", "repeats": 1}
    return prepare("outlines", spec, tmp_path_factory.mktemp("base"))


def model(**changes):
    return CycleGAN(**({"random_state": 0, "device": "cpu"} | changes))


def test_an_outline_is_the_largest_less_the_smallest_of_a_cross():
    images = np.zeros((2, 5, 5), np.uint8)
    images[0, 2, 2] = 7
    images[1] = 3
    cross = np.zeros((5, 5))
    cross[[1, 2, 2, 2, 3], [2, 1, 2, 3, 2]] = 7
    np.testing.assert_array_equal(outlines(images), np.stack([cross, np.zeros((5, 5))]))


def test_no_digit_is_in_both_domains_and_the_target_survives_json(data):
    target = data.schema.y
    first, second = (np.asarray(data.X)[target.domain(data.y) == of] for of in (0, 1))
    assert len(first) + len(second) == 1797
    assert not {image.tobytes() for image in outlines(first)} & {image.tobytes() for image in second}
    assert targets.from_json(targets.to_json(target)) == target
    assert target.names[13] == "outline 3"
    assert (target.domain(np.array([13])), target.kind(np.array([13]))) == (1, 3)
    with pytest.raises(ValueError, match="domains a, b, c; two are translated"):
        targets.Domains.joined("abc")


def test_losses_are_least_squares_and_the_weighted_error_of_both_ways():
    real, fake = torch.tensor([[1.0, 0.5]]), torch.tensor([[0.0, 2.0]])
    loss = CycleLoss(LeastSquares(), 10.0)
    assert float(loss.critic(torch.nn.Identity(), (real,), (fake, torch.tensor(9.0)), torch.Generator())) == 1.0625
    assert float(loss.generator(torch.nn.Identity(), (fake, torch.tensor(0.3)))) == pytest.approx(0.5 + 3.0)


def test_translators_begin_with_nothing_see_their_own_half_and_the_stated_pixels():
    torch.manual_seed(0)
    translators, x = Translators(translator(1, 4, 1), translator(1, 4, 1)), torch.randn(1, 2, 16, 16)
    torch.testing.assert_close(translators(x), swapped(x))
    for parameter in translators.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(translators(x)[0, 1, 8, 8], x)  # of the second domain, from the first half
    assert not slope[0, 1].any()
    assert {n.item() for n in slope[0, 0].nonzero()[:, 0]} == set(range(8 - 4, 8 + 5))
    for stride, side in ((1, 5), (2, 6)):
        x = torch.randn(1, 2, 32, 32, requires_grad=True)
        scores = Pair(critic(1, 4, stride), critic(1, 4, stride))(x)
        (slope,) = torch.autograd.grad(scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2], x)
        assert not slope[0, 1].any()
        assert len(set(slope[0, 0].nonzero()[:, 0].tolist())) == side


@pytest.fixture(scope="module")
def fitted(data):
    return model(schema=data.schema, epochs=15).fit(*data.take(0, "train", "validation"))


def test_digits_are_translated_to_their_outlines_which_it_never_saw(data, fitted, tmp_path):
    extractor.write(tmp_path / "extractor", data, "made by this", 0)
    held_out = HeldOut(data, 0, extractor.Extractor(tmp_path / "extractor"))
    scores = {
        metric.name: metric.score(*answered.given)
        for answered in translation.answers(fitted, held_out, 0)
        for metric in of_use(answered.use)
    }
    assert scores["translation_rmse"] < 0.7 * scores["untranslated_rmse"]
    assert scores["translated_accuracy"] > 0.3  # by chance 0.1
    assert scores["own_domain_accuracy"] > 0.8
    shown = pictures(fitted, data, 0)["translated"]
    assert (shown.shape, shown.dtype) == ((3, 10, 8, 8), np.uint8)
    np.testing.assert_array_equal(shown[2], outlines(shown[0]))


def test_it_comes_back_and_says_what_it_cannot(data, fitted):
    X, y = data.take(0, "test")
    shown = np.asarray(X[data.schema.y.domain(y) == 0][:20])
    back = fitted.translate(fitted.translate(shown, 1), 0)
    assert np.abs(back.astype(float) - shown).mean() < 1.5  # of 16
    for name in ("log_prob", "elbo", "sample", "predict_proba"):
        assert not hasattr(fitted, name)
    with pytest.raises(ValueError, match=r"to=2; the domains are 0 \(digit\) and 1 \(outline\)"):
        fitted.translate(shown, 2)


def test_a_resumed_game_ends_with_the_same_bits_and_shows_the_fewer_images_again(data):
    X, y = np.asarray(data.X)[:90], np.where(np.arange(90) < 60, 0, 1)
    whole, rest = (model(epochs=3, channels=4, batch_size=25) for _ in range(2))
    states = [step.state() for step in whole.fit_steps(X, y)]
    assert len(list(rest.fit_steps(X, y, resume=states[0]))) == 2
    for name, array in whole.get_arrays().items():
        np.testing.assert_array_equal(array, rest.get_arrays()[name], err_msg=name)
    with pytest.raises(ValueError, match="CycleGAN needs images of both domains, and has 90 and 0"):
        model(schema=data.schema).fit(X, np.zeros(90, np.int64))
    with pytest.raises(ValueError, match="CycleGAN takes images of two domains"):
        model().fit(X, np.arange(90) % 3)
