"""Images drawn while a model is trained: of all families that draw, without a trace in the training."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Image, Tokens
from versus.data.targets import Classes, Nothing
from versus.models.deep_generative.diffusion import ConditionalDiffusion, Diffusion
from versus.models.deep_generative.flows import ConditionalFlow
from versus.models.deep_generative.gan import GAN
from versus.models.deep_generative.latent_diffusion import LatentDiffusion
from versus.models.deep_generative.lstm import LSTM
from versus.models.deep_generative.semi_supervised_vae import SemiSupervisedVAE
from versus.models.deep_generative.vae import VAE, ConditionalVAE

X, Y = (part[:120] for part in (load_digits().images.astype(np.uint8), load_digits().target))
SCHEMA = Schema(Image((8, 8), 17), Classes(tuple("0123456789")))
DENSE = {"channels": None, "hidden_layer_sizes": (16,)}
KINDS = {
    "vae": (VAE, {"channels": 4, "hidden_layer_sizes": (8,), "ema_decay": 0.9}),
    "conditional vae": (ConditionalVAE, DENSE),
    "semi-supervised vae": (SemiSupervisedVAE, DENSE),
    "diffusion": (Diffusion, {"channels": 4, "sampling_steps": 3}),
    "conditional diffusion": (ConditionalDiffusion, DENSE | {"sampling_steps": 3, "guidance": 0.5}),
    "flow": (ConditionalFlow, {"kind": "coupling", "n_transforms": 2, "hidden_layer_sizes": (16,)}),
    "gan": (GAN, {"hidden_layer_sizes": (16,)}),
}


def made(name):
    kind, arguments = KINDS[name]
    return kind(**arguments, epochs=3, batch_size=40, random_state=0, device="cpu", schema=SCHEMA)


@pytest.mark.parametrize("name", KINDS)
def test_looking_at_a_training_leaves_it_as_it_was(name):
    looked_at, alone = made(name), made(name)
    assert hasattr(looked_at, "snapshot")
    drawn = []
    for _ in looked_at.fit_steps(X, Y, (X[:40], Y[:40]) if looked_at.holds_out_validation else None):
        drawn.append(looked_at.snapshot(12))
        np.testing.assert_array_equal(drawn[-1], looked_at.snapshot(12))  # the same noise
    for _ in alone.fit_steps(X, Y, (X[:40], Y[:40]) if alone.holds_out_validation else None):
        pass
    for part, array in alone.get_arrays().items():
        np.testing.assert_array_equal(looked_at.get_arrays()[part], array, err_msg=part)
    shown = looked_at.snapshot(12)  # and now, by the weights that are kept
    np.testing.assert_array_equal(shown, alone.snapshot(12))
    again = made(name)
    again.set_arrays(looked_at.get_arrays())
    classes = np.arange(12) % 10 if hasattr(again, "predict") else None
    np.testing.assert_array_equal(shown, again.schema.x.stored(again.sample(12, classes, random_state=0)))
    assert {(images.shape, images.dtype.str) for images in drawn} == {((12, 8, 8), "|u1")}
    assert all(images.max() <= 16 for images in drawn)
    assert (drawn[0] != drawn[-1]).any()


def test_texts_begin_the_same_way_each_time_and_leave_the_training_as_it_was():
    text, schema = Ragged.of([np.arange(30) % 3] * 12, np.int32), Schema(Tokens(("a", "b", "c")), Nothing())
    looked_at, alone = (
        LSTM(hidden=8, epochs=12, batch_size=4, learning_rate=0.03, ema_decay=0.5, random_state=0, schema=schema)
        for _ in range(2)
    )
    drawn = [looked_at.snapshot(2) for _ in looked_at.fit_steps(text)]
    alone.fit(text)
    for part, array in alone.get_arrays().items():
        np.testing.assert_array_equal(looked_at.get_arrays()[part], array, err_msg=part)
    np.testing.assert_array_equal(drawn[-1], looked_at.snapshot(2))
    right = [(np.diff(codes, axis=1) % 3 == 1).mean() for codes in (drawn[0], drawn[-1])]  # c follows b, and so on
    assert drawn[0].shape == (2, 120)
    assert right[0] + 0.2 < right[1] > 0.9


def test_rows_of_a_table_are_not_shown_and_codes_are_not_drawn_on_the_way():
    assert not hasattr(VAE(epochs=1, device="cpu").fit(np.random.default_rng(0).normal(size=(40, 2))), "snapshot")
    assert not hasattr(LatentDiffusion(schema=SCHEMA), "snapshot")


def test_classes_are_drawn_in_turn():
    """Bright images of one class, dark ones of the other."""
    bright = np.arange(200) % 2
    images = (bright[:, None, None] * 12 + np.random.default_rng(0).integers(0, 5, (200, 8, 8))).astype(np.uint8)
    schema = Schema(Image((8, 8), 17), Classes(("dark", "bright")))
    model = ConditionalVAE(epochs=40, learning_rate=0.02, **DENSE, random_state=0, device="cpu", schema=schema)
    for _ in model.fit_steps(images, bright):
        drawn = model.snapshot(20)
    means = drawn.reshape(20, -1).mean(axis=1)
    assert means[::2].max() < means[1::2].min()
