import gzip
import struct

import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data import prepared
from versus.data.errors import DataError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, size=(30, 4, 5), dtype=np.uint8)
LABELS = (np.arange(30) % 3).astype(np.uint8)
TYPES = {np.dtype(np.uint8): 0x08, np.dtype(">i2"): 0x0B, np.dtype(">f4"): 0x0D}


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, TYPES[array.dtype], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def folder(desk: Desk, ending: str = "") -> None:
    pack = gzip.compress if ending else bytes
    desk.write(f"set/train-images-idx3-ubyte{ending}", pack(idx(PIXELS)))
    desk.write(f"set/train-labels-idx1-ubyte{ending}", pack(idx(LABELS)))
    desk.write(f"set/t10k-images-idx3-ubyte{ending}", pack(idx(PIXELS[:6])))
    desk.write(f"set/t10k-labels-idx1-ubyte{ending}", pack(idx(LABELS[:6])))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_folder_as_mnists(desk: Desk, ending):
    folder(desk, ending)
    found = desk.prepare(source="idx", path="set")
    np.testing.assert_array_equal(found.X, np.concatenate([PIXELS, PIXELS[:6]]))
    np.testing.assert_array_equal(found.y, np.concatenate([LABELS, LABELS[:6]]))
    assert found.X.dtype == np.uint8
    assert (found.schema.shape, found.schema.levels, found.schema.classes) == ((4, 5), 256, ("0", "1", "2"))
    np.testing.assert_array_equal(found.splits["test"][0], np.arange(30, 36))
    assert [file["path"] for file in found.about["files"]] == [
        f"set/{part}{ending}"
        for part in (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        )
    ]


def test_images_of_other_things_are_kept_apart(desk: Desk):
    folder(desk)
    desk.write("other/images", idx(PIXELS[:4] // 2))
    found = desk.prepare(source="idx", path=".", file="set", novel_path="other/images")
    prepared.write(desk.folder / "out", found)
    np.testing.assert_array_equal(prepared.read(desk.folder / "out").novel, PIXELS[:4] // 2)
    assert found.about["files"][-1]["path"] == "other/images"
    desk.write("other/images", idx(PIXELS[:4, :3]))
    with pytest.raises(DataError, match=r"novel_path: other/images: its 4 images are \(3, 5\), not \(4, 5\)"):
        desk.prepare(source="idx", path=".", file="set", novel_path="other/images")


def test_files_by_name_without_a_test_set(desk: Desk):
    desk.write("x", idx(PIXELS.astype(">i2")))
    desk.write("y", idx(LABELS))
    found = desk.prepare(source="idx", path="x", labels="y", label_map={"0": "shirt"})
    np.testing.assert_array_equal(found.X, PIXELS)
    assert found.schema.classes == ("1", "2", "shirt")
    assert found.repeats == 5


def test_limits_keep_the_classes_in_proportion_and_the_test_set_apart(desk: Desk):
    folder(desk)
    found = desk.prepare(source="idx", path="set", limit=12, test_limit=3)
    np.testing.assert_array_equal(np.bincount(found.y[:12]), [4, 4, 4])
    np.testing.assert_array_equal(np.bincount(found.y[12:]), [1, 1, 1])
    again = desk.prepare(source="idx", path="set", limit=12, test_limit=3)
    np.testing.assert_array_equal(found.X, again.X)


WHOLE, WHOLE_LABELS = idx(PIXELS), idx(LABELS)
BAD = [
    (WHOLE[:-7], WHOLE_LABELS, r"x: is cut off: it announces 600 bytes of values and has 593"),
    (gzip.compress(WHOLE, mtime=0)[:-30], WHOLE_LABELS, r"x: is cut off or damaged"),
    (gzip.compress(WHOLE[:-7], mtime=0), WHOLE_LABELS, r"x: is cut off: it announces 600 bytes of values and has 593"),
    (WHOLE[:9], WHOLE_LABELS, r"x: is cut off within its header, after 5 bytes"),
    (b"", WHOLE_LABELS, r"x: is cut off within its header, after 0 bytes"),
    (WHOLE + b"\0", WHOLE_LABELS, r"x: has more than the 600 bytes"),
    (b"\x89PNG" + WHOLE, WHOLE_LABELS, r"x: starts with 89 50 4e 47; an IDX file starts with 00 00"),
    (b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 28), WHOLE_LABELS, r"x: is cut off: it announces \d+ bytes"),
    (WHOLE_LABELS, WHOLE_LABELS, r"x: holds 1 dimensions; images have 3"),
    (WHOLE, WHOLE, r"y: holds 3 dimensions; labels have 1"),
    (WHOLE, idx(LABELS[:-1]), r"x holds 30 images and y 29 labels; they must pair"),
    (idx(PIXELS[:0]), idx(LABELS[:0]), r"x: holds no images"),
    (WHOLE, idx(LABELS * 0), r"the target 'target' has '0' only"),
]


@pytest.mark.parametrize(("images", "labels", "message"), BAD, ids=[message[:40] for *_, message in BAD])
def test_bad_files_are_named(desk: Desk, images, labels, message):
    desk.write("x", images)
    desk.write("y", labels)
    with pytest.raises(DataError, match=message):
        desk.prepare(source="idx", path="x", labels="y")


def test_files_that_are_not_there_are_named(desk: Desk):
    desk.write("x", WHOLE)
    with pytest.raises(DataError, match=r"x: say with `labels:` which file"):
        desk.prepare(source="idx", path="x")
    (desk.folder / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: the folder wants train-images-idx3-ubyte\[.gz\] and train-labels"):
        desk.prepare(source="idx", path="empty")


def test_test_images_of_another_size_are_refused(desk: Desk):
    folder(desk)
    desk.write("set/t10k-images-idx3-ubyte", idx(PIXELS[:6, :3]))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte: its images are \(3, 5\), not \(4, 5\)"):
        desk.prepare(source="idx", path="set")


def test_two_domains_are_scaled_to_one_size_and_joined_with_both_test_sets_last(desk: Desk):
    folder(desk)
    flat = RNG.integers(0, 256, (20, 9)).astype(np.float32) / 255
    for name, array in (("x", flat), ("y", np.arange(20) % 3), ("tx", flat[:4]), ("ty", np.arange(4) % 3)):
        np.save(desk.folder / "set" / f"{name}.npy", array)
    ours = {"source": "idx", "path": "set"}
    theirs = {"source": "npy", "path": "set/x.npy", "labels": "set/y.npy", "shape": [3, 3]}
    tested = {"test_path": "set/tx.npy", "test_labels": "set/ty.npy"}
    spec = {"source": "domains", "path": ".", "resize": [3, 3]}
    found = desk.prepare(**spec, of={"ours": ours, "theirs": theirs | tested})
    target = found.schema.y
    assert (target.domains, target.kinds, found.schema.shape) == (("ours", "theirs"), ("0", "1", "2"), (3, 3))
    assert target.names[3] == "theirs 0"
    np.testing.assert_array_equal(target.domain(found.y), [0] * 30 + [1] * 20 + [0] * 6 + [1] * 4)
    np.testing.assert_array_equal(target.kind(found.y)[:50], [*LABELS, *np.arange(20) % 3])
    np.testing.assert_array_equal(np.asarray(found.X[30:50]).reshape(20, 9), np.rint(flat * 255))
    assert abs(found.X[:30].mean() - PIXELS.mean()) < 5  # means over what shrinks
    np.testing.assert_array_equal(found.splits["test"][0], np.arange(50, 60))
    with pytest.raises(DataError, match="the official test sets hold 6 and 0 images"):
        desk.prepare(**spec, of={"ours": ours, "theirs": theirs})
    with pytest.raises(DataError, match=r"theirs: \(3, 3\) of 256 levels; `resize"):
        desk.prepare(source="domains", path=".", of={"ours": ours, "theirs": theirs | tested})
    with pytest.raises(DataError, match=r"of\.theirs: holds a table; with `shape"):
        desk.prepare(**spec, of={"ours": ours, "theirs": {**theirs, "shape": None}})
    with pytest.raises(ValueError, match=r"of\.ours: folds: say it outside"):
        desk.prepare(**spec, of={"ours": {**ours, "folds": 3}, "theirs": theirs})
