import json
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from tests.data.conftest import Desk
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.schema import Schema
from versus.serving import files, frames

ROWS = [
    {
        "size": i / 8 if i % 5 else None,
        "kind": "uv"[i % 2],
        "flag": i % 3 == 0,
        "code": f"{i % 4:03d}",
        "y": "ab"[i % 2],
    }
    for i in range(60)
]
EXPECTED = [[row["size"], "uv".index(row["kind"]), row["flag"], int(row["code"])] for row in ROWS]
EXPECTED = np.array(EXPECTED, dtype=float)


def checked(desk: Desk, name: str, **entry: str) -> None:
    """The file is proposed, prepared and read for a model, with the same values."""
    found = inspect(desk.folder / name, "y", desk.folder)
    known = {"path": name, "task": "classification", "target": "y", **entry}
    assert {key: value for key, value in found.entry.items() if key != "source"} == known
    data = desk.prepare(**found.entry)
    np.testing.assert_array_equal(data.X, EXPECTED)
    assert data.schema.classes == ("a", "b")
    assert data.schema.columns[2].categories == ("false", "true")
    assert data.schema.columns[3].categories == ("000", "001", "002", "003")
    schema = Schema.from_json(json.loads(json.dumps(data.schema.to_json())))
    np.testing.assert_array_equal(frames.encode(files.read(desk.folder / name, schema), schema), EXPECTED)


def test_json_of_lines_and_of_records(desk: Desk):
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    desk.write("a.jsonl", lines + "\n")
    desk.write("b.json", lines)
    desk.write("c.json", json.dumps(ROWS, indent=1))
    desk.write("d.json", json.dumps({"count": len(ROWS), "data": ROWS}, indent=1))
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    desk.write("e.json", json.dumps(columns))
    desk.write("f.json", json.dumps({name: dict(enumerate(cells)) for name, cells in columns.items()}))
    frame = pd.DataFrame(ROWS).astype({"size": object}).where(pd.DataFrame(ROWS).notna(), None)
    desk.write("g.json", json.dumps(frame.to_dict("split")))
    for name in ("a.jsonl", "b.json", "c.json", "d.json", "e.json", "f.json", "g.json"):
        checked(desk, name)


def test_a_title_above_the_table_of_a_sheet_is_skipped(desk: Desk):
    table = pd.DataFrame(ROWS)
    with pd.ExcelWriter(desk.folder / "t.xlsx") as book:
        title = pd.DataFrame([["Plants of 2020", None], [None, None], ["size in", "cm"]])
        title.to_excel(book, index=False, header=False)
        table.to_excel(book, index=False, startrow=4)
    found = inspect(desk.folder / "t.xlsx", "y", desk.folder)
    assert "the first 2 rows of t.xlsx that hold anything" in found.describe()
    np.testing.assert_array_equal(desk.prepare(**found.entry).X, EXPECTED)
    table.to_excel(desk.folder / "plain.xlsx", index=False)
    assert "skipped" not in inspect(desk.folder / "plain.xlsx", "y", desk.folder).describe()


def test_objects_within_become_columns(desk: Desk):
    nested = [{"at": {"x": row["size"] or 0, "kind": row["kind"]}, "y": row["y"]} for row in ROWS]
    desk.write("a.json", json.dumps(nested))
    found = desk.prepare(source="json", path="a.json", target="y")
    assert [column.name for column in found.schema.columns] == ["at.x", "at.kind"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"x": 1}\n{"x"\n', r"a.json, line 2: is not JSON"),
        ("[1, 2]", r"a.json: row 1 is no object; wants \[\{…\}"),
        ('[{"x": [1], "y": "a"}]', r"a.json, column 'x', row 1: holds .*1.*; wants a number, text"),
        ("", r"a.json: holds no rows"),
        (b'[{"x": "\xe9"}]', r"a.json: byte 8 is not utf-8"),
    ],
)
def test_json_that_is_no_table_is_named(desk: Desk, content, message):
    desk.write("a.json", content)
    with pytest.raises(DataError, match=message):
        desk.prepare(source="json", path="a.json", target="y")


def test_a_sheet_of_a_workbook(desk: Desk):
    pytest.importorskip("openpyxl")
    pd.DataFrame(ROWS).to_excel(desk.folder / "a.xlsx", index=False, sheet_name="data")
    checked(desk, "a.xlsx")
    with pd.ExcelWriter(desk.folder / "b.xlsx") as book:
        pd.DataFrame(ROWS).to_excel(book, index=False, sheet_name="data", startrow=2)
        pd.DataFrame({"when": [date(2024, 1, 31)]}).to_excel(book, index=False, sheet_name="notes")
    checked(desk, "b.xlsx", sheet="data")
    with pytest.raises(DataError, match=r"b.xlsx: unknown sheet 'date'; did you mean 'data'"):
        desk.prepare(source="xlsx", path="b.xlsx", target="y", sheet="date")
    desk.write("c.xlsx", b"PK")
    with pytest.raises(DataError, match=r"c.xlsx: is not a whole Excel workbook"):
        inspect(desk.folder / "c.xlsx", "y", desk.folder)


def test_without_openpyxl_the_remedy_is_named(desk: Desk, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    desk.write("a.xlsx", b"PK")
    with pytest.raises(DataError, match=r"a.xlsx: .*not installed: `python -m pip install openpyxl`"):
        inspect(desk.folder / "a.xlsx", "y", desk.folder)


def test_cells_that_are_moments_are_dates(desk: Desk):
    pytest.importorskip("openpyxl")
    rows = [{"when": datetime(2024, 1 + i % 6, 3, 4 * (i % 3)), "x": i / 8, "y": "ab"[i % 2]} for i in range(60)]
    pd.DataFrame(rows).to_excel(desk.folder / "a.xlsx", index=False)
    found = inspect(desk.folder / "a.xlsx", "y", desk.folder)
    assert found.entry["dates"] == {"when": "ISO8601"}
    np.testing.assert_array_equal(desk.prepare(**found.entry).X[:, 0], [i % 6 for i in range(60)])
