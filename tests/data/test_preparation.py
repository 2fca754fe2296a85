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
    of = {seed: prepare("t", spec, desk.folder, seed=seed).splits["test"] for seed in (0, 1)}
    own = prepare("t", {**spec, "seed": 1}, desk.folder, seed=0).splits["test"]
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


def test_a_regression_is_split_without_classes(desk: Desk):
    desk.write("t.csv", "x,y\n" + "".join(f"{i},{i + 0.5}\n" for i in range(50)))
    found = desk.prepare(source="csv", path="t.csv", target="y")
    assert (found.schema.y.task, found.schema.classes, found.y.dtype) == ("regression", (), np.float64)
    assert [found.splits[part].shape for part in prepared.PARTS] == [(5, 32), (5, 8), (5, 10)]
    assert found.about["target"] == {"minimum": 0.5, "maximum": 49.5}
    classes = desk.prepare(source="csv", path="t.csv", target="x", task="regression")
    assert classes.schema.y.task == "regression"


@pytest.mark.parametrize("name", ["My data", "a-b", "", "Ä"])
def test_names_are_small_letters_digits_and_underscores(desk: Desk, name):
    with pytest.raises(DataError, match="small letters, digits and underscores only"):
        prepare(name, {"source": "embedded", "name": "animals"}, desk.folder)
