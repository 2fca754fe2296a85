import argparse
import gzip
import io
import struct
import zipfile

import h5py
import numpy as np
import pytest

from tests.data.conftest import Desk
from versus import params as parameters
from versus.commands import add
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.preparation import prepare
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table, Tokens
from versus.data.targets import Classes, Domains, Nothing, Number, Tags
from versus.models.catalogue import problem
from versus.models.fit_times import Size
from versus.models.suggestions import suggest, suggested_for


def rows(n: int = 60) -> str:
    return "".join(f"{i},{'pqr'[i % 3]},{i % 7 / 4},{'yes' if i % 2 else 'no'}\n" for i in range(n))


def test_a_csv_with_a_header(desk: Desk):
    path = desk.write("data/My Bank.csv", "id,kind,size,answer\n" + rows())
    found = inspect(path, target="answer", base=desk.folder)
    assert found.name == "my_bank"
    named = {"source": "csv", "path": "data/My Bank.csv"}
    assert found.entry == {**named, "task": "classification", "target": "answer", "drop": ["id"]}
    text = found.describe()
    assert "60 rows" in text
    assert "answer: 2 classes: no (30), yes (30)" in text
    assert "kind  3 categories" in text
    assert "size  numbers from 0 to 1.5" in text
    prepare(found.name, found.entry, desk.folder)


@pytest.mark.parametrize(
    ("name", "content", "entry"),
    [
        ("t.csv", rows(), {"source": "csv", "header": False, "target": "c3", "drop": ["c0"]}),
        ("idx.csv", "a,b,c,class\n" + rows(), {"source": "csv", "target": "class"}),
        ("t.data", rows().replace(",", ";"), {"source": "csv", "delimiter": ";", "header": False, "target": "c3"}),
        ("t.txt", "a,b,c,class\n" + rows(), {"source": "csv", "target": "class"}),
        ("t.tsv", ("Class,a,b\n" + "u,2,3\nv,4,5\n" * 9).replace(",", "\t"), {"source": "tsv", "target": "Class"}),
        ("t.csv", ("é,b,y\n" + "1,2,p\n3,4,q\n" * 8).encode("latin-1"), {"encoding": "cp1252", "target": "y"}),
        ("t.csv.gz", gzip.compress(rows().encode(), mtime=0), {"source": "csv", "header": False, "target": "c3"}),
        ("t.trn", "  1.5  7\tp\n 22.25 18   q\n" * 9, {"delimiter": " ", "header": False, "target": "c2"}),
        ("wines", rows(), {"header": False, "target": "c3"}),
        ("t.csv", "a,b,y\n" + "1,2,p,\n3,,q,\n" * 9, {"loose": True, "target": "y"}),
        ("t.csv", "a, b, y\n" + '1, "u, v", p\n3, "w", q\n' * 9, {"loose": True, "target": "y"}),
        ("t.csv", ("a,b,y\n" + "1,é,p\n3,ü,q\n" * 9).encode("utf-16"), {"encoding": "utf-16", "target": "y"}),
        ("t.csv", ("город,цена,y\n" + "Москва,12,да\nКазань,15,нет\n" * 10).encode("cp1251"), {"encoding": "cp1251"}),
        ("t.csv", ("a,b,y\n" + "1,2,p\n3,4,q\n" * 9).encode("utf-16-le"), {"encoding": "utf-16-le", "target": "y"}),
        ("t.csv", "sep=;\r\n" + "a;b;y\r\n" + "1;2;p\r\n3;4;q\r\n" * 9, {"delimiter": ";", "preamble": True}),
        ("t.tsv", "".join(f'ab\t"{i} or\ncd\t{i}" of\n' for i in range(20)), {"quote": False, "target": "c0"}),
        ("t.data", "".join(f'{i / 4}   {i}.  70\t"a {"bc"[i % 2]}"\n' for i in range(20)), {"delimiter": " "}),
        ("t.csv", ("a,b,y\n" + "1,2,p\n3,4,q\n" * 9).encode("utf-32"), {"encoding": "utf-32", "target": "y"}),
        ("my_idx_table", "a,b,y\n" + "1,2,p\n3,4,q\n" * 9, {"source": "csv", "target": "y"}),
    ],
    ids=range(19),
)
def test_dialect_header_and_target_are_guessed(desk: Desk, name, content, entry):
    found = inspect(desk.write(name, content), base=desk.folder)
    assert entry.items() <= found.entry.items()
    prepare(found.name, found.entry, desk.folder)


@pytest.mark.parametrize(
    ("content", "target", "header"),
    [
        ("2021,2022,left\n" + "0.1,0.2,0\n0.3,0.4,1\n" * 6, "left", True),  # the target settles it
        ("a,male,died\n" + "0.1,male,died\n0.2,female,lived\n" * 6, None, True),  # a word above numbers does, too
        ("sex,male,end\n" + "f,male,died\nm,female,lived\n" * 6, None, True),  # one value that comes again does not
        ("year,2021,end\n" + "f,0.5,died\nm,0.2,lived\n" * 6, None, True),  # nor does one number
        ("a;b\n" + "".join(f"{i * i},5;{i},75\n" for i in range(12)), None, True),  # figures of any notation
        ("".join(f"{i * i},5;{i},75\n" for i in range(12)), None, False),
        ("f,male,died\n" + "m,female,lived\nf,male,died\n" * 6, None, False),
        ("1,0.5,died\n" + "2,0.2,lived\n3,0.5,died\n" * 6, None, False),
        ("?,0.5,died\n" + "2,0.2,lived\n3,0.5,died\n" * 6, None, False),
        ("land,2019,2020\n" + "at,0.5,died\nch,0.2,lived\n" * 6, None, True),  # a number above repeated words
        ("0,1,2,3\n" + "".join(f"{i / 4},{i},{i * i},{i % 2}\n" for i in range(12)), None, True),  # as pandas names
        ("2019,2020,2021,land\n" + "0.5,7,1.5,at\n0.2,8,2.5,ch\n" * 6, None, True),
        ("1,2,3,4\n" + "0,1,2,3\n1,2,3,4\n5,6,7,8\n" * 4, None, False),  # where other rows count up as well
        ("k,5,died\n" + "f,0.5,died\nm,0.2,lived\n" * 6, "c2", False),  # called as where there is no header
    ],
)
def test_a_header_is_told_from_data(desk: Desk, content, target, header):
    path = desk.write("t.csv", content)
    found = inspect(path, target, desk.folder)
    assert found.entry.get("header", True) == header
    assert any("--header" in note for note in found.notes) != header
    prepare("t", found.entry, desk.folder)


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_tables_that_r_writes_with_row_names(desk: Desk, separator):
    lines = ['"len","y"', *(f'"{i + 1}",{i % 7}.5,"{"pq"[i % 2]}"' for i in range(30))]
    path = desk.write("t.txt", "\n".join(lines).replace(",", separator))
    found = inspect(path, "y", desk.folder)
    assert found.entry["drop"] == ["c0"]
    data = prepare("t", found.entry, desk.folder)
    np.testing.assert_array_equal(data.X[:, 0], [i % 7 + 0.5 for i in range(30)])
    assert data.schema.classes == ("p", "q")
    if separator == ",":
        with pytest.raises(DataError, match=r"its rows have 3 fields and its header 2, as R writes .* `loose: true`"):
            desk.prepare(source="csv", path="t.txt", target="y")


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_every_line_end_is_read(desk: Desk, end):
    path = desk.write("t.csv", end.join(["a;y", *["1;p", "2;q"] * 5, ""]))
    found = inspect(path, "y", desk.folder)
    assert found.entry["delimiter"] == ";"
    np.testing.assert_array_equal(prepare("t", found.entry, desk.folder).X[:, 0], [1, 2] * 5)


@pytest.mark.parametrize("end", ["\r", "\n"])
def test_the_sample_of_a_long_file_ends_with_a_line(desk: Desk, end):
    path = desk.write("t.csv", end.join(["a,y", *["é" * 999 + ",p", "ü" * 999 + ",q"] * 600, ""]))
    found = inspect(path, "y", desk.folder)
    assert "encoding" not in found.entry
    assert found.dataset.summary()["rows"] == 1200


@pytest.mark.parametrize("length", [140_000, 5_000_000])
def test_a_long_field_is_read(desk: Desk, length):
    path = desk.write("t.csv", "t,y\n" + "u,p\nv,q\n" * 4 + "x" * length + ",p\n")
    found = inspect(path, "y", desk.folder)
    assert [len(word) for word in found.dataset.schema.columns[0].categories or ()] == [1, 1, length]
    with pytest.raises(DataError, match=r"t.csv, line 11: has 1 fields where 2 are expected"):
        inspect(desk.write("t.csv", path.read_text() + "w\n"), "y", desk.folder)


@pytest.mark.parametrize(
    ("above", "delimiter", "skipped"),
    [
        ("# made in March\n# sizes, in metres\n", ",", True),
        ("Sizes of plants, measured\n\n", ";", True),
        ("%a remark\r\n", "\t", True),
        ("#", ",", False),  # of the first name
        ("", ",", False),
    ],
)
def test_lines_above_the_table_are_skipped(desk: Desk, above, delimiter, skipped):
    table = "".join(f"{'pqr'[i % 3]},{i % 7 / 4},{'yes' if i % 2 else 'no'}\n" for i in range(60))
    text = above + ("kind,size,answer\n" + table).replace(",", delimiter)
    found = inspect(desk.write("data/plants.csv", text), target="answer", base=desk.folder)
    assert found.entry.get("preamble", False) is skipped
    assert any("above the table" in note for note in found.notes) is skipped
    data = prepare(found.name, found.entry, desk.folder)
    assert len(data.y) == 60
    bad = desk.write("data/bad.csv", text + "p\n")
    with pytest.raises(DataError, match=f"line {text.count(chr(10)) + 1}: has 1 fields where 3"):
        prepare("bad", {**found.entry, "path": "data/bad.csv"}, desk.folder)
    assert bad.exists()


def test_who_says_whether_there_is_a_header_is_believed(desk: Desk):
    path = desk.write("t.csv", "1,2,0\n" + "4,5,0\n6,8,1\n" * 6)
    assert inspect(path, "0", desk.folder, header=True).dataset.summary()["rows"] == 12
    found = inspect(path, "c2", desk.folder, header=False)
    assert (found.entry["header"], found.dataset.summary()["rows"]) == (False, 13)
    assert not any("--header" in note for note in found.notes)


def test_a_test_file_beside_it_and_labels_with_a_dot(desk: Desk):
    path = desk.write("raw/adult-train.csv", rows())
    desk.write("raw/adult-test.csv", rows(10).replace("yes", "yes.").replace("no", "no."))
    found = inspect(path, base=desk.folder)
    assert found.name == "adult"
    names = {"path": "raw", "file": "adult-train.csv", "test_path": "adult-test.csv"}
    assert names.items() <= found.entry.items()
    assert found.entry["label_map"] == {"yes.": "yes", "no.": "no"}
    assert prepare("adult", found.entry, desk.folder).about["test_rows"] == 10


TRAIN = "id,x,kind,y\n" + "".join(f"{i},{i % 7},{'uv'[i % 2]},{'ab'[i // 2 % 2]}\n" for i in range(40))


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("id,x,kind\n40,5,u\n41,6,v\n", "test.csv beside it has no 'y', so it is no test set; `predict` takes it"),
        ("id,x,kind,y\n40,5,u,\n41,6,v,\n", "test.csv beside it has no 'y', so it is no test set"),
        ("id,kind,y\n40,u,a\n", "test.csv beside it has other columns and is left aside: it has no 'x'"),
        ("id,x,kind,z,y\n40,1,u,2,a\n", "it has 'z' besides"),
    ],
)
def test_a_file_that_is_no_test_set_is_left_aside(desk: Desk, test, said):
    desk.write("test.csv", test)
    found = inspect(desk.write("train.csv", TRAIN), "y", desk.folder)
    assert any(said in note for note in found.notes)
    assert "test_path" not in found.entry
    assert found.dataset.summary()["rows"] == 40


@pytest.mark.parametrize("target", ["y", None])
def test_columns_of_a_test_file_are_matched_by_name(desk: Desk, target):
    desk.write("raw/test.csv", "y,kind,x,id\na,u,5.5,40\nb,v,6,41\n")
    found = inspect(desk.write("raw/train.csv", TRAIN), target, desk.folder)
    assert found.entry["test_path"] == "test.csv"
    loaded = prepare("t", found.entry, desk.folder)
    assert [column.name for column in loaded.schema.columns] == ["x", "kind"]
    np.testing.assert_array_equal(loaded.X[40:], [[5.5, 0], [6, 1]])
    np.testing.assert_array_equal(loaded.y[40:], [0, 1])


def test_texts_among_numbers_are_proposed_as_missing(desk: Desk):
    path = desk.write("t.csv", "x,y\n" + "".join(f"{i / 8},{'ab'[i % 2]}\n" for i in range(50)) + "none,a\n-,b\n")
    found = inspect(path, "y", desk.folder)
    assert found.entry["missing"][-2:] == ["-", "none"]
    assert np.isnan(prepare("t", found.entry, desk.folder).X[50:, 0]).all()


def test_columns_of_few_values_are_said(desk: Desk):
    path = desk.write("t.csv", "x,flag,y\n" + "".join(f"{i / 8},{i % 2},{'ab'[i // 2 % 2]}\n" for i in range(60)))
    found = inspect(path, "y", desk.folder)
    assert "flag  2 categories" in found.describe()
    assert any("`numeric: [flag]`" in note for note in found.notes)


def added(desk: Desk, *options: str, params: str = "") -> parameters.Params:
    """What params.yaml holds after ``versus add``."""
    path = desk.write("params.yaml", f"seed: 0\n{params}files: {{}}\n")
    parser = argparse.ArgumentParser()
    add.arguments(parser)
    add.run(parser.parse_args([*options, "--params", str(path)]))
    return parameters.read(path)


@pytest.mark.parametrize(("rare", "asked", "primary"), [(3, "", True), (40, "", False), (3, "log_loss", False)])
def test_another_score_than_accuracy_is_proposed_where_a_class_is_rare(desk: Desk, rare, asked, primary, capsys):
    path = desk.write("d.csv", "x,y\n" + "".join(f"{i * 7 % 90 / 8},{'ab'[i < rare]}\n" for i in range(100)))
    chosen = f"comparison: {{primary: {{classification: {asked}}}}}\n" if asked else ""
    found = added(desk, str(path), "--target", "y", params=chosen).comparison.primary
    assert (found.get("d") == "balanced_accuracy_score") == primary
    assert ("always to answer 'a' is right in 97.0%" in capsys.readouterr().out) == (rare < 5)


def test_what_an_option_says_is_not_guessed(desk: Desk):
    rows = "".join(f"{i};k{i};{i % 7},5;{i * 7 % 30};{'é' if i % 2 else 'e'}\n" for i in range(60))
    path = desk.write("raw/d.csv", ("id;key;x;y;z\n" + rows).encode("latin-1"))
    desk.write("raw/late.csv", ("id;key;x;y;z\n" + rows).encode("latin-1"))
    options = ("--target y --test {}/raw/late.csv --encoding cp1252 --delimiter ; --decimal , --task classification "
               "--categorical key --drop x --set limit=50 seed=3")  # fmt: skip
    found = added(desk, str(path), *options.format(desk.folder).split()).files["d"]
    assert found.model_dump(exclude_defaults=True) == {
        "source": "csv",
        "path": "raw",
        "file": "d.csv",
        "test_path": "late.csv",
        "task": "classification",
        "target": "y",
        "encoding": "cp1252",
        "delimiter": ";",
        "decimal": ",",
        "categorical": ["key"],
        "drop": ["x", "id"],
        "limit": 50,
        "seed": 3,
    }
    for wrong, message in (
        ("--set limit", "wants KEY=VALUE"),
        ("--set limits=3", "limits: Extra"),
        ("--task x", "task"),
    ):
        with pytest.raises(ValueError, match=message):
            added(desk, str(path), *wrong.split())


@pytest.mark.parametrize(
    ("name", "values", "dropped"),
    [
        ("order", lambda i: 500 + i * 17 % 60, True),  # counts the rows, in another order
        ("customerID", lambda i: 10**6 + i * i * 31, True),  # all different, and called so
        ("height", lambda i: 10**6 + i * i * 31, False),
        ("id", lambda i: i // 2, False),  # groups
    ],
)
def test_numbers_that_name_the_rows_are_dropped(desk: Desk, name, values, dropped):
    rows = "".join(f"{values(i)},{i * 7 % 30 / 4},{'ab'[i % 2]}\n" for i in range(60))
    found = inspect(desk.write("t.csv", f"{name},x,y\n{rows}"), "y", desk.folder)
    assert (found.entry.get("drop") == [name]) == dropped


def test_rows_in_sequences_are_recognised(desk: Desk):
    rows = "".join(f"{i // 6},{i / 4},{i % 2},{'no' if i % 3 else 'yes'}\n" for i in range(120))
    desk.write("t.csv", "seq_id,size,flag,y\n" + rows)
    proposal = inspect(desk.folder / "t.csv", base=desk.folder)
    assert proposal.entry == {"source": "csv", "path": "t.csv", "target": "y", "sequence": "seq_id"}
    assert "sequences of 120 steps, 6 to 6 in each" in proposal.describe()
    assert "rows of one 'seq_id' are taken for the steps" in proposal.describe()
    assert len(prepare("t", proposal.entry, desk.folder).X) == 20
    names = {s.class_name for s in suggest(proposal.dataset.schema, 20)[0]}
    assert {"GaussianHiddenMarkovModel", "GaussianHMM", "ConditionalRandomField", "MostFrequentTag"} <= names
    assert "HiddenMarkovModel" not in names
    alone = inspect(desk.folder / "t.csv", base=desk.folder, task="classification")
    assert "sequence" not in alone.entry
    named = inspect(desk.folder / "t.csv", "y", desk.folder, sequence="flag")
    assert named.dataset.schema.x.sequence == "flag"


def test_na_can_be_a_class(desk: Desk):
    path = desk.write(
        "t.csv", "x,y\n" + "".join(f"{'NA' if i % 9 else i},{('NA', 'AF', 'EU')[i % 3]}\n" for i in range(60))
    )
    found = inspect(path, "y", desk.folder)
    assert (found.dataset.schema.classes, found.dataset.schema.columns[0].categories) == (("AF", "EU", "NA"), None)
    assert any("`label_map: {NA: null}`" in note for note in found.notes)


def columns(n: int, **categories: int) -> Table:
    names = {name: tuple(map(str, range(size))) for name, size in categories.items()}
    return Table((*(Column(f"x{d}") for d in range(n)), *(Column(*pair) for pair in names.items())))


@pytest.mark.parametrize(
    ("space", "answer", "rows", "kinds", "left_out"),
    [
        (columns(4), Classes(("a", "b")), 1000, {"gaussian": "full", "gaussian_mixture": "full"}, set()),
        (columns(30), Classes(("a", "b")), 120, {"gaussian": "full", "gaussian_mixture": "diag"}, set()),
        (columns(5000), Classes(("a", "b")), 60, {"gaussian": "diag", "gaussian_mixture": "diag"}, set()),
        (columns(5, c=4311), Classes(("a", "b")), 20_000, {}, {"rbf_svm", "boosting"}),
        (columns(10), Classes(tuple(map(str, range(200)))), 10_000, {"gaussian": "full"}, {"boosting"}),
        (columns(30, c=2, d=9), Classes(("a", "b")), 400, {"gaussian": "full", "gaussian_mixture": "full"}, set()),
        (columns(7, sex=3), Number(), 4000, {"gaussian_mixture": "full"}, set()),
        (columns(200), Number(), 300, {"gaussian_mixture": "tied"}, set()),
        (columns(10), Classes(("a", "b")), 1_000_000, {"gaussian": "full"}, {"rbf_svm", "cvae", "mlp"}),
    ],
)
def test_what_is_proposed_suits_the_size(space, answer, rows, kinds, left_out):
    chosen, others = suggest(Schema(space, answer), rows)
    found = {s.model: s.args["covariance_type"] for s in chosen if "covariance_type" in s.args}
    assert kinds.items() <= found.items()
    assert left_out <= {s.model for s in others}
    if not left_out:  # both sides of the comparison, whatever the kinds of columns
        assert {"boosting"} | kinds.keys() <= {s.model for s in chosen}
    size = Size.of(Schema(space, answer), rows)
    assert sum(s.cost(size) for s in chosen) < 1200
    assert max(s.bytes(size) for s in chosen) < 5e9


@pytest.mark.parametrize(
    ("schema", "rows", "proposed", "too_long"),
    [
        (Schema(columns(4), Classes(("a", "b"))), 1000, {"cvae", "flow", "diffusion"}, set()),
        (Schema(Image((8, 8), 17), Classes(("a", "b"))), 1797, {"cvae", "flow", "diffusion", "dcgan"}, set()),
        (Schema(Image((28, 28), 256), Classes(("a", "b"))), 60_000, set(), {"cvae", "flow", "diffusion", "dcgan"}),
        (Schema(Tokens(tuple("abc")), Nothing()), 300, {"lstm", "transformer"}, set()),
        (Schema(Tokens(tuple("abc")), Nothing()), 10**6, set(), {"lstm", "transformer"}),
        (Schema(Tokens(("a", "b")), Tags(("N", "V"))), 2000, {"crf", "lstm_crf"}, set()),
        (Schema(Image((8, 8), 17), Domains.joined(("a", "b"))), 500, {"cyclegan"}, set()),
    ],
)
def test_deep_models_are_proposed_where_they_suit_and_their_time_is_little(schema, rows, proposed, too_long):
    chosen, left_out = suggest(schema, rows)
    assert proposed <= {s.model for s in chosen}
    assert too_long <= {s.model for s in left_out}
    assert {s.model for s in chosen} - {s.model for s in suggest(schema, rows, complete=False)[0]} <= {"flow"}
    assert sum(s.cost(Size.of(schema, rows)) for s in chosen) < 300
    for suggestion in chosen:
        assert problem(suggestion.family, suggestion.module, suggestion.class_name, suggestion.args) is None
        assert suggested_for(suggestion.class_name)


def test_quantities_are_regressions_and_rare_classes_left_out(desk: Desk):
    path = desk.write("t.csv", "x,y\n" + "".join(f"{i / 8},{i * 7 % 90}\n" for i in range(90)))
    assert inspect(path, "y", desk.folder).entry["task"] == "regression"
    path = desk.write("t.csv", "x,y\n" + "".join(f"{i / 8},{'ab'[i % 2]}\n" for i in range(90)) + "1,c\n")
    found = inspect(path, "y", desk.folder)
    assert found.entry["label_map"] == {"c": None}
    assert "'c' has 1 members" in found.describe()
    prepare("t", found.entry, desk.folder)


def test_arrays_are_found_by_name_and_shape(desk: Desk):
    images = np.arange(20 * 16, dtype=np.uint8).reshape(20, 4, 4)
    labels = np.arange(20) % 2
    np.savez(desk.folder / "m.npz", x_train=images, y_train=labels, x_test=images[:6], y_test=labels[:6])
    found = inspect(desk.folder / "m.npz", base=desk.folder)
    assert found.entry["test_y"] == "y_test"
    assert "images of 4×4 pixels, 256 levels" in found.describe()
    with h5py.File(desk.folder / "u.h5", "w") as file:
        for part, n in (("train", 20), ("test", 6)):
            file[f"{part}/data"], file[f"{part}/target"] = images[:n], labels[:n]
    found = inspect(desk.folder / "u.h5", base=desk.folder)
    assert (found.entry["x"], found.entry["test_y"]) == ("train/data", "test/target")
    (desk.folder / "raw").mkdir()
    np.save(desk.folder / "raw/X_train.npy", images)
    np.save(desk.folder / "raw/y_train.npy", labels)
    found = inspect(desk.folder / "raw/X_train.npy", target="y_train.npy", base=desk.folder)
    named = {"source": "npy", "path": "raw", "file": "X_train.npy", "labels": "y_train.npy"}
    assert found.entry == {**named, "task": "classification"}
    with pytest.raises(DataError, match=r"X_train\.npy and the files that go with it: put them into a folder"):
        inspect(desk.folder / "raw/X_train.npy", target="y_train.npy", base=desk.folder / "raw")
    np.savez(desk.folder / "n.npz", first=labels, second=labels)
    with pytest.raises(DataError, match=r"n.npz: has the arrays 'first', 'second'; say in params.yaml"):
        inspect(desk.folder / "n.npz")


def test_idx_files_alone_and_in_a_folder(desk: Desk):
    for part, n in (("train", 12), ("t10k", 6)):
        head = struct.pack(">4B3I", 0, 0, 8, 3, n, 2, 2)
        desk.write(f"tiny/{part}-images-idx3-ubyte", head + bytes(range(n * 4)))
        desk.write(f"tiny/{part}-labels-idx1-ubyte", struct.pack(">4BI", 0, 0, 8, 1, n) + bytes([0, 1] * (n // 2)))
    found = inspect(desk.folder / "tiny", base=desk.folder)
    assert (found.name, found.entry) == ("tiny", {"source": "idx", "path": "tiny"})
    found = inspect(desk.folder / "tiny/train-images-idx3-ubyte", base=desk.folder)
    assert found.name == "tiny"
    assert found.entry["test_labels"] == "t10k-labels-idx1-ubyte"
    prepare("tiny", found.entry, desk.folder)


def test_a_file_elsewhere_gets_its_whole_path(desk: Desk):
    path = desk.write("t.csv", "x,y\n" + "1,a\n2,b\n" * 6)
    (desk.folder / "project").mkdir()
    found = inspect(path, "y", base=desk.folder / "project")
    assert found.entry["path"] == str(path.resolve())


def test_an_archive_holds_what_describes_its_table_too(desk: Desk):
    with zipfile.ZipFile(desk.folder / "wine.zip", "w") as archive:
        archive.writestr("Readme", "about wine")
        archive.writestr("wine.names", "1. Title")
        archive.writestr("wine/wine.csv", "a,y\n" + "1,p\n2,q\n" * 9)
    found = inspect(desk.folder / "wine.zip", "y", desk.folder)
    assert found.entry["path"] == "wine.zip"
    assert len(prepare("t", found.entry, desk.folder).y) == 18


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Customer No", [100 + 37 * i * i for i in range(40)]),
        ("tweet", [10**17 + 10**15 * i for i in range(40)]),
    ],
)
def test_whole_numbers_that_name_rows_are_dropped(desk: Desk, name, values):
    path = desk.write("t.csv", f"x,{name},y\n" + "".join(f"{i % 7},{v},{'pq'[i % 2]}\n" for i, v in enumerate(values)))
    assert inspect(path, "y", desk.folder).entry["drop"] == [name]


def test_what_cannot_be_read_is_named(desk: Desk):
    path = desk.write("t.csv", "x,y\n" + "1,a\n2,b\n" * 6)
    with pytest.raises(DataError, match=r"t.csv: target: unknown column 'why'; there are 'x', 'y'"):
        inspect(path, "why", desk.folder)
    with pytest.raises(DataError, match=r"none.csv: there is no such file or folder"):
        inspect(desk.folder / "none.csv")
    with pytest.raises(DataError, match=r"t.docx: unknown kind of file; known are .csv"):
        inspect(desk.write("t.docx", "x"))
    for content, said in (
        ("<!DOCTYPE html>\n<html><body>Not found</body></html>\n", "is a page of HTML"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "is a pointer of git-lfs"),
        ("a,y\n" + "r1,1,p\nr2,2,q\n" * 9, "its rows have 3 fields and its header 2, as R writes"),  # no names of rows
        (2 * ("a,y\n" + "1,p\n2,q\n" * 9), r"row 19 \(line 20\): repeats the header of u.csv"),
    ):
        with pytest.raises(DataError, match=said):
            inspect(desk.write("u.csv", content), "y")
    with pytest.raises(DataError, match=r"t.csv: group and time say two different ways to split; give one of them$"):
        inspect(path, "y", group="x", time="x")


def test_columns_that_may_mean_something_else_are_named(desk: Desk):
    def notes(name, values):
        lines = (f"{value},{i * 37 % 100 / 7},{'ab'[i % 2]}\n" for i, value in enumerate(values))
        return inspect(desk.write("t.csv", f"{name},x,y\n" + "".join(lines)), "y").notes

    for name, values, said in (
        ("patient_id", [i // 5 for i in range(100)], "`--group patient_id`"),
        ("userID", [f"u{i // 5}" for i in range(100)], "`--group userID`"),
        ("zip", [10115 + i % 30 * 977 for i in range(100)], "`--categorical zip`"),
        (
            "rate",
            [f"{i}.5%" if i % 2 else f"{i / 100}" for i in range(60)],
            "no numbers in one notation: its 60 texts",
        ),
        ("continent", ["EU", "NA", "AS"] * 20, "is missing in 20 rows; if NA"),
        ("ticked", ["x", ""] * 30, "'ticked' is 'x' or missing in 30 rows: if empty means no"),
        (
            "shop",
            ["north", "-", "south", "None"] * 15,
            "has the categories '-', 'None': if they mean that none is known",
        ),
        ("large", [str(2**53 + i) for i in range(60)], "'large' holds codes, for some begin with 0 or are too large"),
        ("fee", [*(f"{i}" for i in range(400, 430)), *(f"{i / 1000}" for i in range(1001, 1301, 10))], "point parts"),
        ("paid", ["yes", "0", "no"] * 20, "values '0', 'no' may mean one thing"),
        ("sex", ["male", "Male", "female"] * 20, "values 'male', 'Male' are spelled nearly alike"),
    ):
        assert [said in note for note in notes(name, values)] == [True], name
    for name, values in (
        ("identity", [i // 5 for i in range(100)]),
        ("age", [["10-19", "20-29", "30+"][i % 3] for i in range(60)]),
        ("code", ["A1", "B2", "B3"] * 20),
    ):
        assert notes(name, values) == (), name


def test_classes_that_are_spelled_nearly_alike_are_named(desk: Desk):
    path = desk.write(
        "t.csv", "a,y\n" + "".join(f"{i * 37 % 100 / 7},{('Yes', 'yes', 'no')[i % 3]}\n" for i in range(60))
    )
    (note,) = [note for note in inspect(path, "y").notes if "nearly alike" in note]
    assert "'Yes', 'yes'" in note
    assert "--set 'label_map={yes: Yes}'" in note


def npz(**arrays: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


RNG = np.random.default_rng(0)
WORDS = ["a", "slow", "story", "of", "love", "and", "war", "that", "nobody", "will", "see", "again"]
TEXTS = [" ".join(RNG.choice(WORDS, 6 + i % 4)) + f" n{i}" for i in range(60)]
OF_CLASSES = {"prior", "logistic_regression"}
OF_TABLES = OF_CLASSES | {"rbf_svm", "random_forest", "boosting", "mlp"}
BAYES = {"multinomial_naive_bayes", "bernoulli_naive_bayes", "complement_naive_bayes"}
FILES = {
    "votes.csv": ("a,b,c,y\n" + "".join(f"{'uv'[i % 2]},{'pqr'[i % 3]},{'st'[i % 5 % 2]},{'mn'[i % 7 % 2]}\n"
                                        for i in range(60)),
                  OF_TABLES, {"marginals", "naive_bayes", "tan", "hill_climbing", "markov_random_field", "cvae",
                              "flow", "diffusion"}),
    "bits.npz": (npz(X=RNG.integers(0, 2, (40, 4, 4), dtype=np.uint8), y=np.arange(40) % 2),
                 OF_TABLES | {"cnn"},
                 {"marginals", "bernoulli_naive_bayes", "rbm", "deep_belief", "deep_boltzmann", "cvae", "diffusion",
                  "dcgan"}),
    "reviews.csv": ("text,y\n" + "".join(f"{text},{'mn'[i % 2]}\n" for i, text in enumerate(TEXTS)),
                    OF_CLASSES | {"linear_svm", "nb_svm", "lstm"},
                    BAYES | {"markov_chain", "lda", "lda_classifier", "lstm_generator"}),
    "tagged.conll": ("\n".join("".join(f"w{i * j % 11} {'NV'[j % 2]}\n" for j in range(5)) for i in range(40)),
                     {"most_frequent", "token_logistic", "crf", "lstm_crf"}, {"hidden_markov", "hidden_markov_em"}),
    "steps.csv": ("seq_id,size,flow,y\n" + "".join(f"{i // 6},{i * 7 % 50 / 4},{i * 3 % 40 / 8},{'mn'[i % 4 // 2]}\n"
                                                   for i in range(240)),
                  {"most_frequent", "token_logistic", "crf"},
                  {"hidden_markov", "hidden_markov_mixture", "hidden_markov_em"}),
    "bank.mrg": ("".join(f"(S (NP (NN d{i})) (VP (VBZ s{i % 7}) (NP (NN t{i % 5}))))\n" for i in range(40)),
                 {"right_branching", "span_scorer"}, {"pcfg"}),
    "story.txt": ("\n".join(" ".join(TEXTS[: 1 + i % 3]) for i in range(200)),
                  set(), {"unigrams", "markov_chain_2", "markov_chain_5", "lstm", "transformer"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_gets_the_models_of_both_sides(desk: Desk, name, capsys):
    """The cells are read back from params.yaml, so that their modules, classes and arguments are ones that exist."""
    content, discriminative, generative = FILES[name]
    found = added(desk, str(desk.write(name, content)), *(["--experiment"] if name != "story.txt" else []))
    (data,) = found.files
    curves = {"votes.csv": ["logistic_regression", "naive_bayes", "cvae"], "bank.mrg": ["span_scorer", "pcfg"],
              "tagged.conll": ["token_logistic", "hidden_markov"]}  # fmt: skip
    for model in curves.get(name, []):
        assert f"{data}-{model}" in found.experiments[f"{data}_size"].cells
    sides: dict[bool, set[str]] = {True: set(), False: set()}
    for cell in parameters.cells(found):
        sides[cell.family == "discriminative"].add(cell.model)
    assert sides == {True: discriminative, False: generative}
    said = capsys.readouterr().out
    if name == "bits.npz":
        assert found.files[data].levels == 2
        assert found.deep_generative["bits-cvae"].args == {"likelihood": "bernoulli"}
        assert "images of 4×4 pixels, 2 levels" in said
        assert "all pixels are 0 or 1" in said


def test_what_texts_take_grows_with_their_tokens_and_not_with_the_vocabulary():
    reviews = Schema(Tokens(tuple(f"w{i:05}" for i in range(30_000))), Classes(("a", "b")))
    short, long = ({s.model for s in suggest(reviews, 10_000, tokens)[0]} for tokens in (80_000, 2_000_000))
    assert {"nb_svm", "multinomial_naive_bayes"} <= short & long
    assert "lstm" in short - long
