import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.conftest import Desk
from versus.data.errors import DataError


def write(desk: Desk, name: str, columns: dict) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    desk.write(name, sink.getvalue())


COLUMNS = {
    "i": pa.array([1, None, 3, 4, 5, 6], pa.int32()),
    "f": pa.array([0.5, 1.5, float("nan"), 2.5, 3.5, 4.5]),
    "b": [True, False, None, True, False, True],
    "s": ["x", " y ", "?", "", "x", "y"],
    "d": pa.array(["p", "q", None, "p", "q", "p"]).dictionary_encode(),
    "y": [0, 1, 0, 1, 0, 1],
}


def test_types_decide_what_a_column_is(desk: Desk):
    write(desk, "t.parquet", COLUMNS)
    found = desk.prepare(source="parquet", path="t.parquet", target="y")
    nan = np.nan
    assert [c.categories for c in found.schema.columns] == [None, None, ("false", "true"), ("x", "y"), ("p", "q")]
    np.testing.assert_array_equal(found.X[:, 0], [1, nan, 3, 4, 5, 6])
    np.testing.assert_array_equal(found.X[:, 1], [0.5, 1.5, nan, 2.5, 3.5, 4.5])
    np.testing.assert_array_equal(found.X[:, 2], [1, 0, nan, 1, 0, 1])
    np.testing.assert_array_equal(found.X[:, 3], [0, 1, nan, nan, 0, 1])
    np.testing.assert_array_equal(found.X[:, 4], [0, 1, nan, 0, 1, 0])
    assert found.schema.classes == ("0", "1")


def test_an_official_test_set_may_order_its_columns_otherwise(desk: Desk):
    write(desk, "t.parquet", COLUMNS)
    write(desk, "u.parquet", {name: COLUMNS[name] for name in reversed(COLUMNS)})
    found = desk.prepare(source="parquet", path="t.parquet", test_path="u.parquet", target="y")
    np.testing.assert_array_equal(found.X[:6], found.X[6:])
    np.testing.assert_array_equal(found.splits["test"][0], np.arange(6, 12))


def test_lists_must_be_dropped(desk: Desk):
    write(desk, "t.parquet", {**COLUMNS, "when": [[day] for day in range(1, 7)]})
    with pytest.raises(DataError, match=r"t.parquet: column 'when' is of type list.*drop: \[when\]"):
        desk.prepare(source="parquet", path="t.parquet", target="y")
    found = desk.prepare(source="parquet", path="t.parquet", target="y", drop=["when"])
    assert len(found.schema.columns) == 5


def test_bad_files_are_named(desk: Desk):
    write(desk, "t.parquet", COLUMNS)
    whole = (desk.folder / "t.parquet").read_bytes()
    desk.write("cut.parquet", whole[:-30])
    with pytest.raises(DataError, match=r"cut.parquet: is not a whole Parquet file"):
        desk.prepare(source="parquet", path="cut.parquet", target="y")
    write(desk, "empty.parquet", {"x": pa.array([], pa.int64()), "y": pa.array([], pa.string())})
    with pytest.raises(DataError, match=r"empty.parquet: holds no rows"):
        desk.prepare(source="parquet", path="empty.parquet", target="y")
    write(desk, "inf.parquet", {"x": [1.0, float("inf")] * 3, "y": [0, 1] * 3})
    with pytest.raises(
        DataError, match=r"inf.parquet, row 2: column 'x' is infinite here, and of such a size in 3 rows"
    ):
        desk.prepare(source="parquet", path="inf.parquet", target="y")
