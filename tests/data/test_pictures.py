from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.data.conftest import Desk
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.schema import Schema
from versus.data.sources import pictures
from versus.models import find
from versus.serving import files, frames, prediction

RNG = np.random.default_rng(0)
NETWORK = {"epochs": 20, "batch_size": 8}


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).save(out, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return out.getvalue()


def animals(desk: Desk, folder: str, n: int, size: tuple[int, ...] = (8, 6)) -> np.ndarray:
    """Write n bright cats and n dark dogs, and return their pixels in the order of the files."""
    found = RNG.integers(0, 100, (2, n, *size)).astype(np.uint8)
    found[0] += 100
    for label, of_class in zip(("cat", "dog"), found, strict=True):
        for i, pixels in enumerate(of_class):
            desk.write(f"{folder}/{label}/{i:03d}.png", encoded(pixels))
    return found.reshape(-1, *size)


@pytest.mark.parametrize("size", [(8, 6), (8, 6, 3)])
@pytest.mark.parametrize("parts", [("",), ("train", "test"), ("train", "val")])
def test_folders_of_classes_are_read_as_they_are(desk: Desk, size, parts):
    expected = np.concatenate([animals(desk, f"pets/{part}", 4 - k, size) for k, part in enumerate(parts)])
    desk.write("pets/.DS_Store", b"\0")
    found = inspect(desk.folder / "pets", base=desk.folder)
    named = {"file": parts[0], "test_path": parts[1]} if parts[0] else {}
    assert found.entry == {"source": "pictures", "path": "pets", **named}
    assert f"images of {'×'.join(map(str, size))} pixels, 256 levels" in found.describe()
    data = desk.prepare(**found.entry)
    np.testing.assert_array_equal(data.X, expected)
    assert data.schema.classes == ("cat", "dog")
    assert data.about["test_rows"] == (6 if parts[0] else 0)
    np.testing.assert_array_equal(data.y[:8], [0] * 4 + [1] * 4)


def test_pictures_of_several_sizes_are_scaled_when_it_is_said(desk: Desk):
    animals(desk, "pets", 4, (8, 6))
    desk.write("pets/dog/large.jpg", encoded(np.full((80, 60, 3), 9, np.uint8), "JPEG"))
    with pytest.raises(
        DataError, match=r"pets: the pictures have 2 sizes, such as 8×6 \(8\), 80×60 \(1\).*resize: \[8, 6\]"
    ):
        desk.prepare(source="pictures", path="pets")
    found = inspect(desk.folder / "pets", base=desk.folder)
    assert found.entry["resize"] == [8, 6]
    data = desk.prepare(**found.entry)
    assert data.X.shape == (9, 8, 6, 3)  # one in colour makes all of them so
    np.testing.assert_array_equal(data.X[8], np.full((8, 6, 3), 9))
    new = files.read(desk.folder / "pets/dog/large.jpg", Schema.from_json(data.schema.to_json()))
    np.testing.assert_array_equal(frames.encode(new, data.schema), data.X[8:])


def test_large_pictures_are_proposed_smaller(desk: Desk):
    animals(desk, "pets", 3, (100, 200))
    found = inspect(desk.folder / "pets", base=desk.folder)
    assert found.entry["resize"] == [32, 64]
    assert any("1 sizes, up to 100×200 pixels: all are scaled to 32×64" in note for note in found.notes)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("RGBA", (1, 1), (10, 10, 10, 0)), 255),  # transparent: white
        (Image.new("1", (1, 1), 1), 255),
        (Image.fromarray(np.full((1, 1), 258, np.uint16)), 1),
    ],
)
def test_transparency_and_other_depths(desk: Desk, picture, expected):
    picture.save(desk.folder / "a.png")
    assert pictures.decode(desk.folder / "a.png", False).tolist() == [[expected]]


def test_a_photograph_lies_upright(desk: Desk):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (4, 2)).save(desk.folder / "a.jpg", exif=exif)
    assert list(pictures.survey([desk.folder / "a.jpg"])[0]) == [(4, 2)]
    assert pictures.decode(desk.folder / "a.jpg", False).shape == (4, 2)


def test_what_is_no_picture_is_named(desk: Desk):
    animals(desk, "pets", 3)
    desk.write("pets/dog/bad.png", b"GIF89a")
    with pytest.raises(DataError, match=r"bad.png: cannot be read as a picture"):
        desk.prepare(source="pictures", path="pets")
    desk.write("none/a.csv", "x,y\n1,2\n")
    with pytest.raises(DataError, match=r"none: holds no pictures; wants a folder for each class"):
        desk.prepare(source="pictures", path="none")
    with pytest.raises(DataError, match=r"none: is no set of files.*name one of its files: 'none/a.csv'"):
        inspect(desk.folder / "none", base=desk.folder)


@pytest.mark.parametrize(
    ("family", "module", "name", "arguments"),
    [
        ("discriminative", "convolutional", "ConvolutionalClassifier", NETWORK | {"channels": 4, "hidden": 8}),
        ("classical_generative", "gaussian", "GaussianClassifier", {"covariance_type": "diag"}),
        ("deep_generative", "vae", "ConditionalVAE", NETWORK | {"hidden_layer_sizes": [16], "n_latent": 2}),
    ],
)
def test_models_learn_from_a_folder(desk: Desk, family, module, name, arguments):
    animals(desk, "pets", 20)
    data = desk.prepare(source="pictures", path="pets")
    model = find(family, module, name)(schema=data.schema, random_state=0, **arguments)
    model.fit(*data.take(0, "train", "validation"))
    found = prediction.predict(model, files.read(desk.folder / "pets/cat/000.png", data.schema))
    assert list(found["prediction"]) == ["cat"]
