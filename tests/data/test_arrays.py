import h5py
import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 2
PIXELS = RNG.integers(0, 256, size=(40, 4, 5), dtype=np.uint8)


def test_npz_of_a_table(desk: Desk):
    np.savez(desk.folder / "t.npz", X=X.astype(np.float32), y=Y.astype(np.uint8))
    found = desk.prepare(source="npz", path="t.npz")
    np.testing.assert_array_equal(found.X, X.astype(np.float32).astype(np.float64))
    np.testing.assert_array_equal(found.y, Y)
    assert [column.name for column in found.schema.columns] == ["x0", "x1", "x2"]
    assert (found.X.dtype, found.y.dtype) == (np.float64, np.int64)


def test_npz_of_images_with_named_classes_and_a_test_set(desk: Desk):
    labels = np.array(["cat", "dog"])[Y][:, None]
    np.savez_compressed(desk.folder / "t.npz", x_train=PIXELS, y_train=labels, x_test=PIXELS[:6], y_test=labels[:6])
    spec = {"x": "x_train", "y": "y_train", "test_x": "x_test", "test_y": "y_test"}
    found = desk.prepare(source="npz", path="t.npz", **spec)
    assert (found.schema.x.form, found.schema.shape, found.schema.levels) == ("image", (4, 5), 256)
    assert found.schema.classes == ("cat", "dog")
    assert found.X.dtype == np.uint8
    np.testing.assert_array_equal(found.X, np.concatenate([PIXELS, PIXELS[:6]]))
    np.testing.assert_array_equal(found.splits["test"][0], np.arange(40, 46))


def test_npz_of_texts_truth_values_and_overrides(desk: Desk):
    texts = np.array([["a", "1"], ["b", "2"]] * 20)
    np.savez(desk.folder / "t.npz", X=texts, y=Y == 1)
    found = desk.prepare(source="npz", path="t.npz", numeric=["x1"])
    assert [column.categories for column in found.schema.columns] == [("a", "b"), None]
    assert found.schema.classes == ("false", "true")


def test_npy_stays_a_view_of_the_file_until_written(desk: Desk):
    np.save(desk.folder / "x.npy", PIXELS)
    np.save(desk.folder / "y.npy", Y)
    found = desk.prepare(source="npy", path="x.npy", labels="y.npy")
    assert isinstance(found.X, np.memmap)
    np.testing.assert_array_equal(found.X, PIXELS)


def test_h5_of_images_in_rows(desk: Desk):
    with h5py.File(desk.folder / "t.h5", "w") as file:
        file["train/data"] = PIXELS.reshape(40, 20) / np.float32(255)
        file["train/target"] = np.array(["n", "p"])[Y].astype("O")
        file["test/data"] = PIXELS[:4].reshape(4, 20) / np.float32(255)
        file["test/target"] = np.array(["n", "p"])[Y[:4]].astype("O")
    spec = {"x": "train/data", "y": "train/target", "test_x": "test/data", "test_y": "test/target"}
    found = desk.prepare(source="h5", path="t.h5", shape=[4, 5], **spec)
    np.testing.assert_array_equal(found.X, np.concatenate([PIXELS, PIXELS[:4]]))
    assert found.schema.classes == ("n", "p")
    with pytest.raises(DataError, match=r"t.h5: examples of the shape \(20,\) are no images of shape \[4, 4\]"):
        desk.prepare(source="h5", path="t.h5", shape=[4, 4], **spec)
    with pytest.raises(DataError, match=r"t.h5: unknown array 'train/dat'; did you mean 'train/data'"):
        desk.prepare(source="h5", path="t.h5", **{**spec, "x": "train/dat"})


@pytest.mark.parametrize(
    ("stored", "options", "expected", "levels"),
    [
        (PIXELS.astype(np.int64), {}, PIXELS, 256),
        (PIXELS.astype(np.float64), {}, PIXELS, 256),
        (PIXELS // 16, {"levels": 17}, PIXELS // 16, 17),
        (PIXELS.astype(np.int32) * 4, {}, PIXELS.astype(np.int32) * 4, None),
        (PIXELS[..., None], {}, PIXELS, 256),
        (PIXELS[:, None], {}, PIXELS, 256),
        (np.stack([PIXELS] * 3, axis=3), {}, np.stack([PIXELS] * 3, axis=3), 256),
        (np.stack([PIXELS] * 3, axis=1), {}, np.stack([PIXELS] * 3, axis=3), 256),
        (PIXELS / 255, {"levels": 16}, np.rint(PIXELS / 17.0), 16),
        (PIXELS > 127, {"levels": 2}, PIXELS > 127, 2),
    ],
)
def test_pixels_of_every_kind_become_integers(desk: Desk, stored, options, expected, levels):
    np.savez(desk.folder / "t.npz", X=stored, y=Y)
    found = desk.prepare(source="npz", path="t.npz", **options)
    np.testing.assert_array_equal(found.X, expected)
    assert found.schema.levels == (levels or int(stored.max()) + 1)
    assert found.X.dtype == (np.uint8 if found.schema.levels <= 256 else np.uint16)


BAD = [
    ({"X": X, "z": Y}, {}, r"t.npz: unknown array 'y'; there are 'X', 'z'"),
    ({"X": X, "y": Y[:-1]}, {}, r"t.npz: there are 40 examples and 39 targets"),
    ({"X": X, "y": np.eye(2)[Y]}, {}, r"t.npz: the targets have the shape \(40, 2\); wants \(N,\)"),
    ({"X": X.astype(object), "y": Y}, {}, r"t.npz: cannot be read: .*Python objects"),
    ({"X": X.astype(complex), "y": Y}, {}, r"t.npz: column x0 is of type complex128"),
    ({"X": X[:, 0], "y": Y}, {}, r"t.npz: the examples have the shapes \[\(40,\)\]"),
    ({"X": X[:0], "y": Y[:0]}, {}, r"t.npz: holds no examples"),
    ({"X": np.where(X > 2, np.inf, X), "y": Y}, {}, r"t.npz, row \d+: column 'x\d' is infinite"),
    ({"X": PIXELS.astype(int) - 9, "y": Y}, {}, r"t.npz: a pixel is -\d; pixels are from 0 upwards"),
    ({"X": PIXELS, "y": Y}, {"levels": 16}, r"t.npz: a pixel is 25\d; with levels: 16"),
    ({"X": PIXELS / 100, "y": Y}, {}, r"t.npz: pixels are fractions up to 2.5"),
    ({"X": PIXELS / 300, "y": Y}, {}, r"not bytes over 255; say `levels: 256`"),
    ({"X": np.where(PIXELS == 9, np.nan, PIXELS), "y": Y}, {}, r"a pixel is nan"),
    ({"X": PIXELS[:, None, None], "y": Y}, {}, r"has the shape \(40, 1, 1, 4, 5\); images are"),
]


@pytest.mark.parametrize(("arrays", "options", "message"), BAD, ids=[message[:40] for *_, message in BAD])
def test_bad_arrays_are_named(desk: Desk, arrays, options, message):
    np.savez(desk.folder / "t.npz", **arrays)
    with pytest.raises(DataError, match=message):
        desk.prepare(source="npz", path="t.npz", **options)


def test_damaged_files_are_named(desk: Desk):
    np.savez_compressed(desk.folder / "t.npz", X=X, y=Y)
    whole = (desk.folder / "t.npz").read_bytes()
    for content in (whole[:200], b"no archive", whole[:60] + bytes(200) + whole[260:]):
        desk.write("t.npz", content)
        with pytest.raises(DataError, match=r"t.npz: cannot be read"):
            desk.prepare(source="npz", path="t.npz")
    desk.write("t.h5", b"no archive")
    with pytest.raises(DataError, match=r"t.h5: cannot be read"):
        desk.prepare(source="h5", path="t.h5")
    np.save(desk.folder / "one.npz", X)
    (desk.folder / "one.npz.npy").rename(desk.folder / "one.npz")
    with pytest.raises(DataError, match=r"one.npz: holds one array without a name"):
        desk.prepare(source="npz", path="one.npz")
