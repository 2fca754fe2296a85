import json

import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data import prepared
from versus.data.errors import DataError
from versus.data.preparation import prepare

TABLE = "a,b,y\n" + "".join(f"{i},{'pqr'[i % 3] if i % 7 else ''},{'uvw'[i % 3]}\n" for i in range(60))


def test_what_is_written_is_what_is_read_and_the_same_bytes_each_time(desk: Desk):
    desk.write("t.csv", TABLE)
    spec = {"source": "csv", "path": "t.csv", "target": "y", "limit": 30}
    for name in ("one", "two"):
        prepared.write(desk.folder / name, desk.prepare(**spec))
    for path in sorted((desk.folder / "one").iterdir()):
        assert path.read_bytes() == (desk.folder / "two" / path.name).read_bytes()
    found, again = desk.prepare(**spec), prepared.read(desk.folder / "one")
    np.testing.assert_array_equal(found.X, again.X)
    np.testing.assert_array_equal(found.y, again.y)
    assert found.schema == again.schema
    assert json.loads(json.dumps(found.about)) == again.about


def test_the_seed_of_params_counts_unless_the_data_set_has_its_own(desk: Desk):
    desk.write("t.csv", TABLE)
    spec = {"source": "csv", "path": "t.csv", "target": "y"}
    of = {seed: prepare("t", spec, desk.folder, seed=seed).splits["test"].values for seed in (0, 1)}
    own = prepare("t", {**spec, "seed": 1}, desk.folder, seed=0).splits["test"].values
    np.testing.assert_array_equal(own, of[1])
    assert (of[0] != of[1]).any()


def test_a_limit_keeps_rows_whole_in_order_and_classes_in_proportion(desk: Desk):
    desk.write("t.csv", TABLE)
    whole = desk.prepare(source="csv", path="t.csv", target="y")
    found = desk.prepare(source="csv", path="t.csv", target="y", limit=30)
    rows = found.X[:, 0].astype(int)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(found.X, whole.X[rows])
    np.testing.assert_array_equal(found.y, whole.y[rows])
    np.testing.assert_array_equal(np.bincount(found.y), [10, 10, 10])


def test_numbers_of_few_values_are_categories_unless_said_otherwise(desk: Desk):
    columns = {
        "flag": [i % 2 for i in range(200)],
        "dose": [(0.5, 2.0)[i % 2] for i in range(200)],
        "rank": [i * i % 10 for i in range(200)],
        "age": [20 + i * 7 % 50 for i in range(200)],  # whole numbers of many values
        "half": [i % 5 / 2 for i in range(200)],  # few values, in another unit
        "eleven": [i % 11 for i in range(200)],
        "y": ["ab"[i // 3 % 2] for i in range(200)],
    }
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    spec = {"source": "csv", "path": "t.csv", "target": "y"}
    desk.write("t.csv", "\n".join(lines))
    found = desk.prepare(**spec)
    categories = {column.name: column.categories for column in found.schema.columns}
    assert categories["flag"] == ("0", "1")
    assert categories["dose"] == ("0.5", "2")
    assert categories["rank"] == ("0", "1", "4", "5", "6", "9")
    assert categories["half"] == ("0", "0.5", "1", "1.5", "2")
    assert [name for name, names in categories.items() if names is None] == ["age", "eleven"]
    np.testing.assert_array_equal(found.X[:, 2], np.searchsorted([0, 1, 4, 5, 6, 9], columns["rank"]))
    overruled = desk.prepare(**spec, numeric=["flag", "rank"], categorical=["eleven"])
    assert overruled.schema.cardinalities == (0, 2, 0, 0, 5, 11)
    np.testing.assert_array_equal(overruled.X[:, 2], columns["rank"])
    desk.write("t.csv", "\n".join(lines[:19]))  # fewer than ten rows a value
    assert desk.prepare(**spec).schema.cardinalities == (0,) * 6


def test_columns_that_may_be_pixels_are_judged_together(desk: Desk):
    pixels = np.random.default_rng(0).integers(0, 17, (200, 64))
    grey = np.where(np.arange(64) % 8 > 0, pixels, pixels % 3)  # at the margin few grey values occur
    for values, categories in ((grey, 0), (pixels > 8, 2)):
        np.savez(desk.folder / "t.npz", X=values.astype(float), y=np.arange(200) % 2)
        assert desk.prepare(source="npz", path="t.npz").schema.cardinalities == (categories,) * 64


def test_a_regression_is_split_without_classes(desk: Desk):
    desk.write("t.csv", "x,y\n" + "".join(f"{i},{i + 0.5}\n" for i in range(50)))
    found = desk.prepare(source="csv", path="t.csv", target="y")
    assert (found.schema.y.task, found.schema.classes, found.y.dtype) == ("regression", (), np.float64)
    assert [found.splits[part].lengths.tolist() for part in prepared.PARTS] == [[32] * 5, [8] * 5, [10] * 5]
    assert found.about["target"] == {"minimum": 0.5, "maximum": 49.5}
    classes = desk.prepare(source="csv", path="t.csv", target="x", task="regression")
    assert classes.schema.y.task == "regression"


@pytest.mark.parametrize("name", ["My data", "a-b", "", "Ä"])
def test_names_are_small_letters_digits_and_underscores(desk: Desk, name):
    with pytest.raises(DataError, match="small letters, digits and underscores only"):
        prepare(name, {"source": "embedded", "name": "animals"}, desk.folder)
