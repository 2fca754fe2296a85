import bz2
import gzip
import lzma
import zipfile
from io import BytesIO

import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data.columns import Words
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.schema import Schema
from versus.data.sources import delimited
from versus.data.spaces import Column, Image, Series
from versus.data.table_specification import Csv
from versus.data.targets import Tags

ROWS = "".join(f"{i},{'ab'[i % 2]},{i / 4},{'yes' if i % 3 else 'no'}\n" for i in range(30))
TABLE = "id,letter,size,answer\n" + ROWS


def zipped(files: dict[str, str]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        for name, text in files.items():
            content.writestr(name, text)
    return out.getvalue()


def test_columns_are_told_apart_and_targets_coded(desk: Desk):
    desk.write("t.csv", TABLE)
    found = desk.prepare(source="csv", path="t.csv", target="answer", drop=["id"])
    assert [(c.name, c.categories) for c in found.schema.columns] == [("letter", ("a", "b")), ("size", None)]
    np.testing.assert_array_equal(found.X, np.column_stack([np.arange(30) % 2, np.arange(30) / 4]))
    assert found.schema.classes == ("no", "yes")
    np.testing.assert_array_equal(found.y, np.arange(30) % 3 > 0)
    assert found.about["files"][0]["path"] == "t.csv"
    assert found.about["classes"] == {"no": 10, "yes": 20}


def test_rows_of_one_id_are_steps_of_a_sequence(desk: Desk):
    """Also where the rows of two sequences alternate, and where the test file has the same ids."""
    rows = "".join(f"{'uv'[i % 2]}{i // 10},{i / 4},{i % 2},{'rest' if i % 3 else 'run'}\n" for i in range(60))
    desk.write("t.csv", "seq,size,flag,state\n" + rows)
    desk.write("new.csv", "seq,size,flag,state\nu0,1,0,run\nv0,2,1,rest\nu0,3,0,run\n")
    entry = {"source": "csv", "path": "t.csv", "test_path": "new.csv", "target": "state", "sequence": "seq"}
    found = desk.prepare(**entry)
    assert found.schema.x == Series((Column("size"), Column("flag")), "seq")
    assert found.schema.y == Tags(("rest", "run"), "state")
    np.testing.assert_array_equal(found.X.lengths, [5] * 12 + [2, 1])
    np.testing.assert_array_equal(found.X[1], [[i / 4, 1] for i in (1, 3, 5, 7, 9)])
    np.testing.assert_array_equal(found.y[1], [0, 1, 0, 0, 1])
    np.testing.assert_array_equal(found.X[12], [[1, 0], [3, 0]])
    assert found.sizes("test") == [2]
    assert Schema.from_json(found.schema.to_json()) == found.schema
    for column, value, said in (
        ("size", "", r"t.csv, row 3 \(line 4\): column 'size' has no value"),
        ("size", "wide", "column 'size' holds words"),
        ("seq", "", r"t.csv, row 3 \(line 4\): sequence: column 'seq' has no value"),
    ):
        lines = ("seq,size,flag,state\n" + rows).splitlines()
        fields = dict(zip(lines[0].split(","), lines[3].split(","), strict=True)) | {column: value}
        asked = {key: value for key, value in entry.items() if key != "test_path"} | {
            "categorical": ["size"][: value == "wide"]
        }
        desk.write("t.csv", "\n".join([*lines[:3], ",".join(fields.values()), *lines[4:]]))
        with pytest.raises(DataError, match=said):
            desk.prepare(**asked)
    with pytest.raises(ValueError, match="weight does not go with it"):
        desk.prepare(**entry, weight="size")


def test_missing_values_stay_missing_in_numbers_and_categories(desk: Desk):
    desk.write("t.csv", "n,c,y\n" + "1,a,p\n ?,?,q\n,NA,p\n+2.5e1, b ,q\n-,a,p\n3,b,q\n")
    found = desk.prepare(source="csv", path="t.csv", target="y", missing=["?", "NA", "-"], repeats=1)
    np.testing.assert_array_equal(found.X[:, 0], [1, np.nan, np.nan, 25, np.nan, 3])
    np.testing.assert_array_equal(found.X[:, 1], [0, np.nan, np.nan, 1, 0, 1])
    assert [c["missing"] for c in found.about["columns"]] == [3, 2]


def test_categorical_and_numeric_overrule_what_is_detected(desk: Desk):
    desk.write("t.csv", "legs,y\n" + "10,p\n4,q\n2,p\n4,q\n2,p\n10,q\n")
    found = desk.prepare(source="csv", path="t.csv", target="y", categorical=["legs"])
    assert found.schema.columns[0].categories == ("2", "4", "10")
    np.testing.assert_array_equal(found.X[:, 0], [2, 1, 0, 1, 0, 2])
    desk.write("u.csv", "legs,y\n" + "ten,p\n4,q\n2,p\n4,q\n2,p\n10,q\n")
    with pytest.raises(DataError, match=r"u.csv, row 1 \(line 2\): column 'legs' holds 'ten'"):
        desk.prepare(source="csv", path="u.csv", target="y", numeric=["legs"])


def test_codes_with_leading_zeros_are_texts(desk: Desk):
    rows = "".join(f"{('007', '7', '12')[i % 3]},{i}.50,0{i % 2}\n" for i in range(30))
    desk.write("t.csv", "code,price,y\n" + rows)
    found = desk.prepare(source="csv", path="t.csv", target="y")
    assert [column.categories for column in found.schema.columns] == [("007", "7", "12"), None]
    assert found.schema.classes == ("00", "01")
    as_numbers = desk.prepare(source="csv", path="t.csv", target="y", numeric=["code"])
    np.testing.assert_array_equal(as_numbers.X[:3, 0], [7, 7, 12])


@pytest.mark.parametrize(
    ("name", "content", "spec"),
    [
        ("t.tsv", TABLE.replace(",", "\t").encode(), {"source": "tsv"}),
        ("t.csv.gz", gzip.compress(TABLE.encode(), mtime=0), {"source": "csv"}),
        ("t.csv.bz2", bz2.compress(TABLE.encode()), {"source": "csv"}),
        ("t.csv.xz", lzma.compress(TABLE.encode()), {"source": "csv"}),
        ("t.zip", zipped({"deep/t.csv": TABLE, "__MACOSX/._t.csv": "?"}), {"source": "csv"}),
        ("t.csv", TABLE.replace(",", ";").encode(), {"source": "csv", "delimiter": ";"}),
        ("t.csv", TABLE.replace("\n", "\r\n").encode("utf-16"), {"source": "csv", "encoding": "utf-16"}),
        ("t.csv", b"\xef\xbb\xbf\n" + TABLE.encode(), {"source": "csv"}),
    ],
)
def test_every_dialect_reads_the_same(desk: Desk, name, content, spec):
    desk.write("plain.csv", TABLE)
    plain = desk.prepare(source="csv", path="plain.csv", target="answer")
    desk.write(name, content)
    found = desk.prepare(path=name, target="answer", **spec)
    np.testing.assert_array_equal(found.X, plain.X)
    assert found.schema == plain.schema


def test_numbers_and_texts_are_told_apart_across_blocks(desk: Desk, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK", 1 << 16)
    rows = [f"{i}.50,{i},{'x' if i == 25_000 else i},{i % 3},{'ab'[i % 2]}" for i in range(30_000)]
    desk.write("t.csv", "a,b,late,c,y\n" + "\n".join(rows) + "\n")
    found = desk.prepare(source="csv", path="t.csv", target="y", categorical=["late"])
    np.testing.assert_array_equal(found.X[:, 0], np.arange(30_000) + 0.5)
    words = found.schema.columns[2].categories or ()
    assert [words[int(code)] for code in found.X[24_998:25_002, 2]] == ["24998", "24999", "x", "25001"]
    raw = delimited.load(Csv(source="csv", path="t.csv", target="y"), desk.folder)
    late = delimited.named(raw, "late")
    assert isinstance(late, Words)
    assert [late.words[code] for code in late.codes[24_999:25_001]] == ["24999", "x"]


def test_a_file_of_an_archive_is_named_by_its_path(desk: Desk):
    files = {"adult.data": TABLE, "adult.names": "About", "adult.test": TABLE.replace("0", "1")}
    path = desk.write("raw/adult.zip", zipped(files))
    with pytest.raises(DataError, match=r"adult.zip: holds 'adult.data'.*say which, as in adult.zip/adult.data"):
        inspect(path, "answer", desk.folder)
    found = inspect(path / "adult.data", "answer", desk.folder)
    assert {"path": "raw/adult.zip", "file": "adult.data"}.items() <= found.entry.items()
    data = desk.prepare(**found.entry)
    assert data.about["files"][0]["path"] == "adult.data"
    np.testing.assert_array_equal(data.y, np.arange(30) % 3 > 0)
    with pytest.raises(DataError, match=r"none.csv: there is no such file"):
        inspect(path / "none.csv", "answer", desk.folder)


def test_a_file_without_header_and_its_official_test_set(desk: Desk):
    desk.write("a-train.csv", "1, x, <=50K\n2, y, >50K\n3, x, <=50K\n4, y, >50K\n5, x, <=50K\n6, x, >50K\n")
    desk.write("a-test.csv", "7, z, >50K.\n8, x, <=50K.\n")
    spec = {"source": "csv", "path": "a-train.csv", "test_path": "a-test.csv", "target": "c2", "header": False}
    found = desk.prepare(**spec, label_map={"<=50K.": "<=50K", ">50K.": ">50K"})
    assert found.repeats == 1
    np.testing.assert_array_equal(found.splits["test"][0], [6, 7])
    np.testing.assert_array_equal(found.X[:, 0], np.arange(1, 9))
    assert found.schema.columns[1].categories == ("x", "y", "z")  # z occurs in the test file only
    np.testing.assert_array_equal(found.y[6:], [1, 0])
    assert np.shares_memory(found.take(0, "test")[0], found.X)
    assert np.shares_memory(found.take(0, "train", "validation")[0], found.X)
    with pytest.raises(DataError, match=r"'<=50K.', '>50K.' .*test set only.*label_map"):
        desk.prepare(**spec)


def test_labels_can_be_merged_and_left_out(desk: Desk):
    desk.write("t.csv", "x,y\n" + "".join(f"{i},{'abcd'[i % 4]}\n" for i in range(40)))
    found = desk.prepare(source="csv", path="t.csv", target="y", label_map={"b": "a", "d": None})
    assert found.about["classes"] == {"a": 20, "c": 10}
    np.testing.assert_array_equal(found.X[:, 0], [i for i in range(40) if i % 4 != 3])
    with pytest.raises(DataError, match=r"label_map: unknown class 'z'; there are 'a', 'b', 'c', 'd'"):
        desk.prepare(source="csv", path="t.csv", target="y", label_map={"z": "a"})


def test_text_with_line_breaks_is_one_value_and_noted(desk: Desk):
    desk.write("t.csv", "t,y\n" + '"one\ntwo",a\nthree,b\n' * 3)
    found = desk.prepare(source="csv", path="t.csv", target="y")
    assert found.schema.columns[0].categories == ("one\ntwo", "three")
    assert any("quote: false" in warning for warning in found.about["warnings"])


BAD = [
    ("", {}, "t.csv: is empty"),
    ("x,y\n", {}, "t.csv: holds no rows below its header"),
    ("x,y\n1,a\n\n2,b\n3\n", {}, r"t.csv, line 5: has 1 fields where 2 are expected: '3'"),
    ("x,y\n1,a,7\n", {}, r"t.csv, line 2: has 3 fields where 2 are expected"),
    ("x,x,y\n1,2,a\n", {}, r"t.csv, line 1: the column name 'x' stands at columns 1, 2"),
    (b"x,y\n1,a\n2,\xe9\n", {}, r"t.csv, line 3: byte 10 \(0xe9\) is not utf-8.*encoding: latin-1"),
    (b"\xe9,y\n1,a\n", {}, r"t.csv, line 1: byte 0 \(0xe9\) is not utf-8"),
    ("x,y\n1,a\n", {"encoding": "latin-9000"}, r"unknown encoding 'latin-9000'; try utf-8 or latin-1"),
    (gzip.compress(b"x,y\n1,a\n" * 999, mtime=0)[:-20], {}, "t.csv: cannot be read to its end"),
    ("x,clas\n1,a\n", {"target": "class"}, r"t.csv: target: unknown column 'class'; did you mean 'clas'\?"),
    ("5.1,3.5,a\n4.9,3,a\n", {"target": "c2"}, r"unknown column 'c2'; there are '5.1', '3.5', 'a'.*header: false"),
    ("x,y\n1,a\n2,a\n", {}, r"t.csv: the target 'y' has 'a' only; wants two classes or more"),
    ("x,y\n1,a\n2,?\n3,b\n", {}, r"t.csv, row 2 \(line 3\): the target 'y' has no value here, and in 1 of 3 rows"),
    (
        "x,y\n1,a\n2,b\ninf,a\n" + "3,b\n4,a\n5,b\n",
        {},
        r"row 3 \(line 4\): column 'x' is infinite here, and of such a size in 1 rows",
    ),
    ("x,y\n" + "1,a\n2,b\n" * 3 + "3,c\n", {}, r"needs at least 3 members, one each for .* 'c' has 1\. "),
    ("x,y\n" + "".join(f"{i},{i}\n" for i in range(30)), {}, r"if it is a quantity, say `task: regression`"),
    ("x,y\n1,a\n", {"drop": ["z"]}, r"t.csv: drop: unknown column 'z'"),
    ("x,y\n1,a\n2,b\n" * 3, {"drop": ["y"]}, r"drop: 'y' is the target"),
    ("y\n" + "a\nb\n" * 3, {}, r"no column is left beside the target 'y'"),
    ("x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30)) + "none,a\n", {}, r"row 31 .*'none'.*`missing`"),
    ("x,y\n1,1.5\n2,huge\n", {"task": "regression"}, r"row 2 \(line 3\): the target 'y' is 'huge'; .* a number"),
    ("x,y\n1,2.5\n2,2.5\n", {}, r"the target 'y' is 2.5 in every row"),
    (
        "x,y\n1,a\n2,b\n-1e200,a\n" + "3,b\n4,a\n5,b\n",
        {},
        r"row 3 \(line 4\): column 'x' is -1e\+200 here.*up to 1e\+150",
    ),
    ("x,y\n1,2.5\n2,inf\n", {"task": "regression"}, r"row 2 \(line 3\): the target 'y' is inf;"),
    ("x,y\n1,2.5\n2,3.5\n", {"limit": 2}, r"2 rows are too few"),
    ("x,y\n1,2.5\n2,3.5\n", {"test_limit": 2}, r"test_limit is for data with an official test set"),
]


@pytest.mark.parametrize(("content", "spec", "message"), BAD, ids=[message[:40] for _, _, message in BAD])
def test_bad_input_is_named(desk: Desk, content, spec, message):
    desk.write("t.csv", content)
    with pytest.raises(DataError, match=message):
        desk.prepare(**{"source": "csv", "path": "t.csv", "target": "y", **spec})


def test_a_missing_file_names_what_lies_beside(desk: Desk):
    desk.write("adult-train.csv", TABLE)
    with pytest.raises(DataError, match=r"adult.csv: there is no such file; the folder has adult-train.csv"):
        desk.prepare(source="csv", path="adult.csv", target="y")
    with pytest.raises(DataError, match="no folder"):
        desk.prepare(source="csv", path="nowhere/adult.csv", target="y")
    with pytest.raises(DataError, match="is a folder; wants a file"):
        desk.prepare(source="csv", path=".", target="y")


def test_empty_columns_are_left_out(desk: Desk):
    desk.write("t.csv", "a,d,y\n" + "".join(f"{i * i},,{'pq'[i % 2]}\n" for i in range(8)))
    found = desk.prepare(source="csv", path="t.csv", target="y")
    assert found.about["warnings"] == ["column 'd' has no values; left out"]
    assert [column.name for column in found.schema.columns] == ["a"]


def test_a_test_file_with_other_columns_is_refused(desk: Desk):
    desk.write("t.csv", TABLE)
    desk.write("u.csv", "id,size,answer\n1,2,yes\n")
    with pytest.raises(DataError, match=r"u.csv: has the columns 'id', 'size', 'answer'; t.csv has 'id', 'letter'"):
        desk.prepare(source="csv", path="t.csv", test_path="u.csv", target="answer")


def test_a_fault_in_the_test_file_is_found_there(desk: Desk):
    desk.write("t.csv", "x,y\n" + "1,a\n2,b\n" * 3)
    desk.write("u.csv", "x,y\n1,a\n\n-inf,b\n")
    with pytest.raises(DataError, match=r"u.csv, row 2 \(line 4\): column 'x' is infinite"):
        desk.prepare(source="csv", path="t.csv", test_path="u.csv", target="y")


def test_columns_of_pixels_become_images(desk: Desk):
    rows = "".join(f"{i % 2},{i % 17},0,3,16\n" for i in range(20))
    desk.write("t.csv", "label,a,b,c,d\n" + rows)
    found = desk.prepare(source="csv", path="t.csv", target="label", shape=[2, 2], levels=17)
    assert isinstance(found.schema.x, Image)
    assert found.schema.levels == 17
    assert found.X.dtype == np.uint8
    np.testing.assert_array_equal(found.X[5], [[5, 0], [3, 16]])
    with pytest.raises(DataError, match=r"4 columns make no images of shape \[3, 2\]"):
        desk.prepare(source="csv", path="t.csv", target="label", shape=[3, 2])
