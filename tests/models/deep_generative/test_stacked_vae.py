"""M1 and M2: few labelled images and many unlabelled ones, through the codes of an autoencoder of all."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes
from versus.models.deep_generative.event_views import DrawnCodes
from versus.models.deep_generative.stacked_vae import StackedVAE
from versus.models.protocols import takes_unlabelled

X, Y = load_digits(n_class=3, return_X_y=True)
X, Y = X[:300].reshape(-1, 8, 8).astype(np.uint8), Y[:300]
SCHEMA = Schema(Image((8, 8), 17), Classes(tuple("012")))
KNOWN = np.concatenate([np.flatnonzero(k == Y)[:2] for k in range(3)])  # two of each class
LABELS = np.full(len(Y), -1)
LABELS[KNOWN] = Y[KNOWN]
SMALL = {"n_codes": 4, "autoencoder_layer_sizes": (32,), "n_latent": 2, "hidden_layer_sizes": (16,), "batch_size": 50}
SMALL |= {"device": "cpu", "random_state": 0, "schema": SCHEMA}


@pytest.fixture(scope="module")
def fitted():
    model = StackedVAE(**SMALL, autoencoder_epochs=20, epochs=20, learning_rate=0.01)
    assert takes_unlabelled(model)
    return model.fit(X, LABELS)


def test_six_labels_and_the_codes_of_all_images_name_the_digits(fitted):
    accuracy = (fitted.predict(X) == Y).mean()
    nearest = np.square(X[:, None].astype(float) - X[KNOWN]).sum(axis=(2, 3)).argmin(axis=1)
    assert accuracy > max(0.9, (LABELS[KNOWN][nearest] == Y).mean())
    np.testing.assert_allclose(fitted.predict_proba(X).sum(axis=1), 1.0, rtol=1e-6)
    assert fitted.encode(X[:5]).shape == (5, 4)


def test_codes_are_drawn_in_training_and_their_means_stand_for_them_after():
    given = torch.tensor([[1.0, -2.0, 0.5, 0.0]]).expand(20_000, -1)  # means 1 and -2, deviations 0.5 and 0
    view = DrawnCodes()
    drawn, target = view(given, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(drawn.mean(dim=0), [1.0, -2.0], atol=0.02)
    np.testing.assert_allclose(drawn.std(dim=0), [0.5, 0.0], atol=0.02)
    assert target is drawn
    np.testing.assert_array_equal(view(given, None)[0], given[:, :2])


def test_what_is_drawn_of_a_class_looks_like_it(fitted):
    means = np.stack([X[k == Y].mean(axis=0) for k in range(3)])
    drawn = fitted.sample(90, np.arange(90) % 3, random_state=0)
    nearest = np.square(drawn[:, None] - means).sum(axis=(2, 3)).argmin(axis=1)
    assert (nearest == np.arange(90) % 3).mean() > 0.8
    with pytest.raises(ValueError, match="y has 2 classes for n=3 events"):
        fitted.sample(3, np.zeros(2, np.int64))


def test_a_fit_resumed_in_either_part_and_a_restored_one_have_the_same_bits():
    few = SMALL | {"autoencoder_epochs": 2, "epochs": 2}
    whole = StackedVAE(**few)
    steps = [(step.step, step.state()) for step in whole.fit_steps(X[:150], LABELS[:150], (X[150:], Y[150:]))]
    assert [number for number, _ in steps] == [1, 2, 3, 4]
    for done in (1, 2, 3):
        rest = StackedVAE(**few)
        list(rest.fit_steps(X[:150], LABELS[:150], (X[150:], Y[150:]), resume=steps[done - 1][1]))
        np.testing.assert_array_equal(rest.predict_proba(X), whole.predict_proba(X))
    restored = StackedVAE(**few)
    restored.set_arrays(whole.get_arrays())
    np.testing.assert_array_equal(restored.predict_proba(X), whole.predict_proba(X))
    np.testing.assert_array_equal(restored.sample(4, random_state=1), whole.sample(4, random_state=1))
    assert restored.count_parameters() == whole.count_parameters()
    with pytest.raises(ValueError, match=r"array 'third\.a' is unknown"):
        restored.set_arrays({"third.a": np.zeros(1)})
