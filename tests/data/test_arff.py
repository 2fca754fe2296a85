import gzip
import re

import numpy as np
import pytest
import scipy.io.arff

from tests.data.conftest import Desk
from versus.data.columns import Numbers, Words
from versus.data.errors import DataError, listed
from versus.data.inspect.inspection import inspect
from versus.data.sources import arff

HEADER = """% a comment
@RELATION 'small one'
@ATTRIBUTE 'the size' REAL
@attribute colour {red, 'dark blue', "o'green"}
@attribute legs INTEGER [0,9]
@attribute class {b,a}

@DATA
"""
FILE = (
    HEADER + "1.5,red,4,a\r\n% between\n\n2,'dark blue',?,b\n?,?,2,a\n1e3, \"o'green\" , 0,b\n-1,red,4,a\n0,red,2,b\n"
)


def test_columns_are_what_they_are_declared(desk: Desk):
    desk.write("t.arff", FILE)
    found = desk.prepare(source="arff", path="t.arff", target="class")
    assert [(c.name, c.categories) for c in found.schema.columns] == [
        ("the size", None),
        ("colour", ("dark blue", "o'green", "red")),
        ("legs", None),
    ]
    nan = np.nan
    np.testing.assert_array_equal(found.X[:, 0], [1.5, 2, nan, 1000, -1, 0])
    np.testing.assert_array_equal(found.X[:, 1], [2, 0, nan, 1, 2, 2])
    np.testing.assert_array_equal(found.X[:, 2], [4, nan, 2, 0, 4, 2])
    assert found.schema.classes == ("a", "b")


@pytest.mark.parametrize(
    ("declared", "values", "attribute"),
    [
        ("integer[1,5]", "3", arff.Attribute("k", True)),
        ("REAL (0,1]", "0.5", arff.Attribute("k", True)),
        ("numeric % in metres", "2", arff.Attribute("k", True)),
        ("string %{a,b}", "text", arff.Attribute("k", False)),
        ('date "yyyy-MM-dd"', "2021-03-04", arff.Attribute("k", False)),
        ("{-1,1} %{<=50K, >50K}", "-1", arff.Attribute("k", False, frozenset({"-1", "1"}))),
        ("{ a , b }% no {", "b", arff.Attribute("k", False, frozenset("ab"))),
        ("{'a}%b', c}", "'a}%b'", arff.Attribute("k", False, frozenset({"a}%b", "c"}))),
        ("{o'green, it's} % isn't", "it's", arff.Attribute("k", False, frozenset({"o'green", "it's"}))),
    ],
)
def test_declarations_in_every_dialect(desk: Desk, declared, values, attribute):
    path = desk.write("t.arff.gz", gzip.compress(f"@relation r\n@attribute k {declared}\n@data\n{values}\n".encode()))
    (column,) = arff.parse({"t.arff.gz": path}).columns
    assert isinstance(column, Numbers) == attribute.numeric
    if attribute.values is not None:
        desk.write("u.arff", f"@attribute k {declared}\n@data\nnone of them\n")
        with pytest.raises(DataError, match=re.escape(f"declared are {listed(sorted(attribute.values))}")):
            arff.parse({"u.arff": desk.folder / "u.arff"})


def test_a_gzipped_file_that_is_cut_off_is_named(desk: Desk):
    path = desk.write("t.arff.gz", gzip.compress(FILE.encode())[:-12])
    with pytest.raises(DataError, match=r"t.arff.gz: cannot be read to its end"):
        arff.parse({"t.arff.gz": path})


def test_it_reads_what_scipy_reads(desk: Desk):
    # scipy mixes up quotes of two kinds in a column, so here there is one
    content = "@relation r\n@attribute n real\n@attribute c {x,y}\n@attribute 'q r' {'a b','c'}\n@data\n"
    path = desk.write("t.arff", content + "1.5,x,'a b'\n?,y,'c'\n% no\n-2e3,?,?\n")
    data, meta = scipy.io.arff.loadarff(path)
    raw = arff.parse({"t.arff": path})
    assert [column.name for column in raw.columns] == meta.names()
    for column in raw.columns:
        if isinstance(column, Numbers):
            np.testing.assert_array_equal(column.values, data[column.name])
        else:
            texts = [column.words[code].encode() if code >= 0 else b"?" for code in column.codes]
            assert texts == list(data[column.name])


def test_texts_escapes_and_quoted_question_marks(desk: Desk):
    path = desk.write(
        "t.arff", "@attribute t string\n@attribute n numeric\n@data\n'it\\'s, so',1\n'?',2\n?,NaN\nbare's,4\n"
    )
    text, numbers = arff.parse({"t.arff": path}).columns
    assert isinstance(text, Words)
    assert [text.words[code] if code >= 0 else None for code in text.codes] == ["it's, so", "?", None, "bare's"]
    np.testing.assert_array_equal(numbers.missing, [False, False, True, False])


BAD = [
    (HEADER + "1,red,4\n", r"t.arff, line 9: has 3 values where 4 columns are declared"),
    (HEADER + "1,red,4,a,a\n", r"t.arff, line 9: has 5 values where 4 columns are declared"),
    (HEADER + "1,pink,4,a\n", r"line 9: column 'colour' holds 'pink'; declared are 'dark blue', \"o'green\", 'red'"),
    (HEADER + "tall,red,4,a\n", r"line 9: column 'the size' is declared numeric and holds 'tall'"),
    (HEADER + "{0 1, 4 a}\n", r"line 9: names the column 4; 4 are declared, from 0"),
    (HEADER + "{0 1, a}\n", r"line 9: '\{0 1, a\}' is no sparse row"),
    (HEADER + "{0 1, 3 a\n", r"line 9: '\{0 1, 3 a' is no sparse row"),
    (HEADER + "1,'red,4,a\n", r"line 9: cannot be split into values at .* is a quote left open"),
    (HEADER, r"t.arff: holds no rows below @data"),
    ("@relation x\n@attribute a real\n", r"t.arff: has no @data line"),
    ("a,b\n1,2\n", r"t.arff, line 1: 'a,b' is neither @relation, @attribute nor @data"),
    ("@data\n1\n", r"t.arff: declares no columns"),
    ("@attribute a real\n@attribute a real\n@data\n1,2\n", r"the column 'a' is declared 2 times"),
    ("@attribute a relational\n@data\n1\n", r"line 1: column 'a' has the type 'relational'"),
    ("@attribute\n@data\n1\n", r"line 1: '@attribute' is no declaration"),
    (HEADER.encode() + b"1,r\xe9d,4,a\n", r"t.arff, line 9: byte \d+ \(0xe9\) is not utf-8"),
]


@pytest.mark.parametrize(("content", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_bad_input_is_named(desk: Desk, content, message):
    desk.write("t.arff", content)
    with pytest.raises(DataError, match=message):
        desk.prepare(source="arff", path="t.arff", target="class")


@pytest.mark.parametrize(
    "rows",
    [
        "{0 1.5, 3 a}\n{1 'dark blue' , 2 4}\n{ }\n{0 ?, 1 \"o'green\"}\n",
        "1.5 red 0 a\n0 'dark blue' 4  b\n0\tred\t0\tb\n? \"o'green\" 0 b\n",
        "1.5,red,0,a, {2}\n0,'dark blue',4,b,{0.5}\n{} , {3}\n?,\"o'green\",0,b\n",
    ],
    ids=["sparse", "blanks and tabs", "weights"],
)
def test_other_rows_that_weka_reads(desk: Desk, rows):
    """Weka's manual: a value that a sparse row leaves out is 0, or the first that is declared; blanks separate, too."""
    desk.write("t.arff", HEADER + rows)
    found = arff.parse({"t.arff": desk.folder / "t.arff"})
    size, colour, legs, label = found.columns
    np.testing.assert_array_equal(size.values, [1.5, 0, 0, np.nan])
    assert [colour.words[code] for code in colour.codes] == ["red", "dark blue", "red", "o'green"]
    np.testing.assert_array_equal(legs.values, [0, 4, 0, 0])
    assert [label.words[code] for code in label.codes] == ["a", "b", "b", "b"]


def test_an_encoding_is_detected_and_named(desk: Desk):
    content = HEADER.replace("red", "röt") + "1,röt,4,a\n2,'dark blue',4,b\n3,röt,4,a\n" * 9 + "1,röt,2,b\n" * 9
    desk.write("t.arff", content.encode("latin-1"))
    proposal = inspect(desk.folder / "t.arff", "class", desk.folder)
    assert proposal.entry["encoding"] == "cp1252"
    assert proposal.dataset.schema.columns[1].categories == ("dark blue", "röt")
    assert any("taken for cp1252" in note for note in proposal.notes)


def test_an_official_test_set_and_where_its_faults_are(desk: Desk):
    desk.write("t.arff", FILE)
    desk.write("u.arff", HEADER + "\n1,red,4,a\ninf,red,4,b\n")
    spec = {"source": "arff", "path": "t.arff", "test_path": "u.arff", "target": "class"}
    with pytest.raises(DataError, match=r"u.arff, row 2 \(line 11\): column 'the size' is infinite"):
        desk.prepare(**spec)
    found = desk.prepare(**spec, drop=["the size"])
    np.testing.assert_array_equal(found.splits["test"][0], [6, 7])
    desk.write("u.arff", FILE.replace("legs", "wings"))
    with pytest.raises(DataError, match=r"u.arff: has the columns .*'wings'.*; t.arff has"):
        desk.prepare(**spec)


def test_columns_of_two_files_are_matched_by_name(desk: Desk):
    first = desk.write("a.arff", "@attribute n real\n@attribute c {x,y}\n@data\n1,x\n")
    second = desk.write("b.arff", "@attribute c {y,x}\n@attribute n real\n@data\ny,2\n")
    numbers, words = arff.parse({"a.arff": first, "b.arff": second}).columns
    assert isinstance(numbers, Numbers)
    assert isinstance(words, Words)
    np.testing.assert_array_equal(numbers.values, [1, 2])
    assert [words.words[code] for code in words.codes] == ["x", "y"]
