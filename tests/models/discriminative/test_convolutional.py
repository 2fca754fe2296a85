import numpy as np
import pytest
import torch

from versus.data.schema import Schema
from versus.models.deep_generative.vae import VAE
from versus.models.discriminative.convolutional import ConvolutionalClassifier, augmented

RNG = np.random.default_rng(0)
FEW = {"channels": 4, "hidden": 8, "batch_size": 16, "device": "cpu", "random_state": 0}


def bars(n, seed):
    """Noisy 8×8 images with a vertical or a horizontal bar anywhere: no single pixel tells which."""
    rng = np.random.default_rng(seed)
    images, labels = rng.integers(0, 60, size=(n, 8, 8), dtype=np.uint8), rng.integers(0, 2, size=n)
    for image, label, place in zip(images, labels, rng.integers(0, 8, size=n), strict=True):
        image[(slice(None), place) if label else place] += 90
    return images, labels.astype(np.int64)


@pytest.mark.parametrize("trunk", ["pooling", "strides"])
def test_bars_are_told_apart_wherever_they_are(trunk):
    model = ConvolutionalClassifier(epochs=12, trunk=trunk, **FEW | {"channels": 8, "hidden": 32})
    list(model.fit_steps(*bars(400, 0), bars(100, 1)))
    images, labels = bars(200, 2)
    probabilities = model.predict_proba(images)
    assert probabilities.shape == (200, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert (model.predict(images) == labels).mean() > 0.95


@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (6, 6, 3), (28, 28)])
def test_any_size_and_colours(shape):
    images = RNG.integers(0, 256, size=(20, *shape), dtype=np.uint8)
    model = ConvolutionalClassifier(epochs=1, **FEW).fit(images, np.arange(20) % 3)
    assert model.predict_proba(images[:4]).shape == (4, 3)
    colours = shape[2] if len(shape) == 3 else 1
    flat = 8 * int(np.ceil(shape[0] / 4)) * int(np.ceil(shape[1] / 4))
    assert model.count_parameters() == (9 * colours * 4 + 4) + (9 * 4 * 8 + 8) + (flat * 8 + 8) + (8 * 3 + 3)


def test_strides_are_the_layers_of_a_vae_of_the_same_channels():
    images = RNG.integers(0, 256, size=(20, 9, 6), dtype=np.uint8)
    partner = ConvolutionalClassifier(epochs=1, trunk="strides", **FEW).fit(images, np.arange(20) % 3)
    trunk = (
        VAE(epochs=1, channels=4, device="cpu", random_state=0).fit(images).network_.get_submodule("encoder.features")
    )
    found = [(type(layer), [tuple(w.shape) for w in layer.parameters()]) for layer in list(partner.network_)[1:6]]
    assert found == [(type(layer), [tuple(w.shape) for w in layer.parameters()]) for layer in trunk]


@pytest.mark.parametrize("threads", [1, 2])
def test_resuming_after_any_epoch_and_restoring_give_the_same_bits(threads):
    images, labels = bars(60, 0)
    arguments = FEW | {"epochs": 4, "threads": threads, "schema": Schema.of(images, labels), "shift": 1, "flip": True}
    whole = ConvolutionalClassifier(**arguments)
    states = [s.state() for s in whole.fit_steps(images, labels, bars(20, 1))]
    expected = whole.predict_proba(images)
    for state in states:
        rest = ConvolutionalClassifier(**arguments)
        list(rest.fit_steps(images, labels, bars(20, 1), resume=state))
        assert np.array_equal(rest.predict_proba(images), expected)
    restored = ConvolutionalClassifier(**arguments)
    restored.set_arrays(whole.get_arrays())
    assert np.array_equal(restored.predict_proba(images), expected)


@pytest.mark.parametrize("colours", [(), (3,)])
def test_images_are_moved_and_mirrored_whole(colours):
    image = torch.arange(1, 1 + int(np.prod((4, 5, *colours))), dtype=torch.float32).reshape(4, 5, *colours)
    framed = {}
    for mirrored, like in ((False, image), (True, image.flip(1))):
        room = torch.zeros(8, 9, *colours)
        room[2:6, 2:7] = like
        framed |= {(mirrored, i, j): room[i : i + 4, j : j + 5] for i in range(5) for j in range(5)}
    generator = torch.Generator().manual_seed(0)
    seen = augmented(image.expand(2000, *image.shape), 2, True, generator)
    counts = [int((seen == one).flatten(1).all(1).sum()) for one in framed.values()]
    assert sum(counts) == 2000  # nothing else
    assert min(counts) > 15  # all 50 are drawn, 40 times each on average: fewer than 16 of one in 10⁻⁵ of cases
    assert torch.equal(augmented(image[None], None, False, generator), image[None])


def test_bytes_and_floats_of_the_same_pixels_are_the_same():
    images, labels = bars(40, 0)
    model = ConvolutionalClassifier(epochs=1, **FEW).fit(images, labels)
    assert np.array_equal(model.predict_proba(images), model.predict_proba(images.astype(np.float64)))


def test_every_parameter_gets_a_gradient():
    images, labels = bars(40, 0)
    model = ConvolutionalClassifier(epochs=1, **FEW).fit(images, labels)
    batch = torch.from_numpy(images), torch.from_numpy(labels)
    model.network_.zero_grad()
    model._losses(model.network_, batch, None, 1.0)["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.network_.parameters())


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="takes images, and the data are a table"):
        ConvolutionalClassifier(**FEW).fit(RNG.normal(size=(10, 4)), np.arange(10) % 2)
    images, labels = bars(10, 0)
    model = ConvolutionalClassifier(epochs=1, **FEW).fit(images, labels)
    with pytest.raises(ValueError, match=r"shape \(8, 7\); the model was fitted on shape \(8, 8\)"):
        model.predict(images[:, :, :7])
