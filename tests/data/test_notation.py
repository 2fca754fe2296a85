import numpy as np
import pandas as pd
import pytest

from tests.data.conftest import Desk
from versus.data.columns import Words
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.notation import Notation
from versus.data.preparation import prepare
from versus.serving import frames

GERMAN = Notation(",", ".", ("€", "%"))


@pytest.mark.parametrize(
    ("notation", "text", "value"),
    [
        (GERMAN, "-1.234.567,5 €", (-1234567.5, "€")),
        (GERMAN, "€ 12,50", (12.5, "€")),
        (GERMAN, ",5%", (0.5, "%")),
        (GERMAN, "\u22121,5e-3", (-0.0015, "")),
        (GERMAN, "1.5", None),  # a group has three digits
        (GERMAN, "0.123", None),  # and the first does not begin with 0
        (GERMAN, "007", None),
        (GERMAN, "1,2,3", None),
        (GERMAN, "$5", None),
        (GERMAN, "€", None),
        (Notation(".", ",", ("$",)), "-$1,234.5", (-1234.5, "$")),
        (Notation(".", ",", ("$",)), "$-12", (-12, "$")),
        (Notation(".", ","), "1,23", None),
        (Notation(".", ","), "12,34,567.5", (1234567.5, "")),  # lakhs and crores
        (Notation(".", ","), "12,34,56", None),
        (Notation(",", " "), "12\u00a0345,6", (12345.6, "")),
        (Notation(".", "'"), "1\u2019000", (1000, "")),
        (Notation(), "1,5", None),
        (Notation(), "(12.5)", (-12.5, "")),
        (GERMAN, "(1.234,5 €)", (-1234.5, "€")),
        (Notation(), "(-12.5)", None),
        (Notation(), "-1.5D-03", (-0.0015, "")),
        (Notation(), "1D5", None),  # a code; Fortran writes the sign
    ],
)
def test_a_number_is_read_as_it_is_written(notation: Notation, text, value):
    assert notation.parse(text) == value


def column(values: list[str], delimiter: str = ";") -> str:
    return f"x{delimiter}c{delimiter}y\n" + "".join(
        f'"{value}"{delimiter}{"rgb"[i % 3]}{delimiter}{"pq"[i % 2]}\n' for i, value in enumerate(values)
    )


def test_brackets_are_signs_where_some_numbers_have_none():
    codes = np.arange(3)
    assert Notation().read(Words("x", codes, ("(2)", "3", "(4.5)"))).values.tolist() == [-2, 3, -4.5]
    assert Notation().read(Words("x", codes, ("(2)", "(3)", "(4.5)"))) is None


NUMBERS = np.arange(1, 61) * 123.25


@pytest.mark.parametrize(
    ("written", "delimiter", "options"),
    [
        ([f"{v}".replace(".", ",") for v in NUMBERS], ";", {"decimal": ","}),
        ([f"{v}".replace(".", ",") for v in NUMBERS], "\t", {"decimal": ","}),
        ([f"{v:,}" for v in NUMBERS], ",", {"thousands": ","}),
        ([f"{v:,}".translate(str.maketrans(",.", ".,")) for v in NUMBERS], ";", {"decimal": ",", "thousands": "."}),
        ([f"{v:,}".replace(",", "\u00a0") for v in NUMBERS], ",", {"thousands": " "}),
        ([f"{v}%" for v in NUMBERS], ",", {"symbols": ["%"]}),
        ([f"${v:,}" for v in NUMBERS], ",", {"thousands": ",", "symbols": ["$"]}),
        ([f"{v} kg".replace(".", ",") for v in NUMBERS], ";", {"decimal": ",", "symbols": ["kg"]}),
    ],
)
def test_the_notation_is_proposed_and_read(desk: Desk, written, delimiter, options):
    found = inspect(desk.write("t.csv", column(written, delimiter)), "y", desk.folder)
    assert {key: found.entry[key] for key in ("decimal", "thousands", "symbols") if key in found.entry} == options
    assert any("'x' is read as numbers" in note for note in found.notes)
    np.testing.assert_allclose(prepare("t", found.entry, desk.folder).X[:, 0], NUMBERS, rtol=1e-15)


def test_amounts_of_accountants_have_a_currency_in_their_brackets(desk: Desk):
    amounts = NUMBERS - 3000
    written = [f"(${-v:,})" if v < 0 else f"${v:,}" for v in amounts]
    found = inspect(desk.write("t.csv", column(written, ",")), "y", desk.folder)
    np.testing.assert_allclose(prepare("t", found.entry, desk.folder).X[:, 0], amounts, rtol=1e-15)


def test_decimal_points_are_not_doubted_where_the_decimal_mark_is_known(desk: Desk):
    path = desk.write("t.csv", column([f"{i + 1},{i:03}" for i in range(60)]))
    found = inspect(path, "y", desk.folder, decimal=",")
    assert not any("part thousands" in note for note in found.notes)
    path = desk.write("t.csv", column([f"{i + 1}.{i:03}" for i in range(60)], ","))
    assert any("part thousands" in note for note in inspect(path, "y", desk.folder).notes)


def test_a_division_by_zero_is_missing(desk: Desk):
    found = inspect(desk.write("t.csv", column([*(f"{i}.5" for i in range(60)), "#DIV/0!"])), "y", desk.folder)
    assert found.entry["missing"][-1] == "#DIV/0!"
    np.testing.assert_array_equal(found.dataset.X[:, 0], [*(np.arange(60) + 0.5), np.nan])


@pytest.mark.parametrize(
    ("delimiter", "decimal", "first"), [(",", None, 1234), (",", ",", 1.234), (";", None, 1.234), (";", ".", 1234)]
)
def test_three_digits_behind_a_comma_can_be_either(desk: Desk, delimiter, decimal, first):
    path = desk.write("t.csv", column([f"{1234 + 2 * i:,}" for i in range(60)], delimiter))
    assert inspect(path, "y", desk.folder, decimal=decimal).dataset.X[0, 0] == first


def test_a_point_parts_thousands_where_another_column_has_decimal_commas(desk: Desk):
    rows = "".join(f"{1200 + 20 * i:,}".replace(",", ".") + f";{i * i},5;{'pq'[i % 2]}\n" for i in range(40))
    found = inspect(desk.write("t.csv", "big;small;y\n" + rows), "y", desk.folder)
    assert (found.entry["decimal"], found.entry["thousands"]) == (",", ".")
    loaded = prepare("t", found.entry, desk.folder)
    np.testing.assert_array_equal(loaded.X, [[1200 + 20 * i, i * i + 0.5] for i in range(40)])


def test_decimal_commas_are_no_separators(desk: Desk):
    path = desk.write("t.csv", "".join(f"{i * i},5;{i % 5},25;{'pq'[i % 2]}\n" for i in range(40)))
    found = inspect(path, base=desk.folder)
    assert (found.entry["delimiter"], found.entry["header"], found.entry["decimal"]) == (";", False, ",")
    np.testing.assert_array_equal(found.dataset.X[:, 1], np.arange(40) % 5 + 0.25)


def test_words_for_missing_stand_among_numbers_of_any_notation(desk: Desk):
    found = inspect(desk.write("t.csv", column([*(f"{i},5" for i in range(60)), "none", "-"])), "y", desk.folder)
    assert found.entry["missing"][-2:] == ["-", "none"]
    np.testing.assert_array_equal(found.dataset.X[:, 0], [*(np.arange(60) + 0.5), np.nan, np.nan])


def test_what_has_digits_is_neither_missing_nor_an_identifier(desk: Desk):
    path = desk.write("t.csv", column([*(f"{i}" for i in range(0, 120, 2)), "1.2.3"]))
    with pytest.raises(DataError, match=r"row 61 \(line 62\): column 'x' holds '1.2.3', and numbers in most rows"):
        inspect(path, "y", desk.folder)
    mixed = [f"{i}{'kg' if i % 2 else 'lb'}" for i in range(60)]
    found = inspect(desk.write("t.csv", column(mixed)), "y", desk.folder)
    assert len(found.dataset.schema.columns[0].categories or ()) == 60
    assert "drop" not in found.entry
    found = inspect(desk.write("t.csv", column([f"P{i:03}" for i in range(60)])), "y", desk.folder)
    assert found.entry["drop"] == ["x"]  # a code


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_whole_numbers_that_doubles_cannot_tell_apart_are_codes(desk: Desk, form):
    codes = [2**53 + i % 3 for i in range(60)]  # 2**53 + 1 is no double
    far = [2**60 + 2**20 * i for i in range(60)]  # moments in nanoseconds, say: each is one
    frame = pd.DataFrame({"code": codes, "far": far, "zero": -0.0, "y": ["p", "p", "q", "q"] * 15})
    path = desk.folder / f"t.{form}"
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    found = inspect(path, "y", desk.folder, numeric=["far"])
    code, number, _ = found.dataset.schema.columns
    assert "zero  numbers from 0 to 0" in found.describe()
    assert any("'zero': is '0' in all rows" in line for line in found.findings().lines())
    assert (code.categories, number.categories) == (tuple(str(2**53 + i) for i in range(3)), None)
    np.testing.assert_array_equal(frames.encode(frame, found.dataset.schema), found.dataset.X)
    quantities = inspect(path, "y", desk.folder, numeric=["code", "far"]).dataset.schema.columns
    assert [column.categories for column in quantities] == [None, None, None]


def test_a_target_with_decimal_commas_is_a_regression(desk: Desk):
    path = desk.write("t.csv", "x;y\n" + "".join(f"{i * i};{i},5\n" for i in range(30)))
    found = inspect(path, "y", desk.folder)
    np.testing.assert_array_equal(found.dataset.y, np.arange(30) + 0.5)


def test_texts_of_a_parquet_file_are_read_so_too(desk: Desk):
    frame = pd.DataFrame({"x": [f"{i * i},5" for i in range(40)], "c": ["a", "b"] * 20, "y": ["p", "p", "q", "q"] * 10})
    frame.to_parquet(desk.folder / "t.parquet")
    found = inspect(desk.folder / "t.parquet", "y", desk.folder)
    assert found.entry["decimal"] == ","
    np.testing.assert_array_equal(prepare("t", found.entry, desk.folder).X[:, 0], np.arange(40) ** 2 + 0.5)


def test_one_sign_cannot_mean_two_things(desk: Desk):
    desk.write("t.csv", column(["1,5"] * 6))
    with pytest.raises(ValueError, match="decimal and thousands are both ','; they must differ"):
        desk.prepare(source="csv", path="t.csv", target="y", decimal=",", thousands=",")


def test_a_million_in_groups_says_how_the_points_of_its_column_and_of_others_are_read(desk: Desk):
    """1.234 beside 1.000.000 is more than a thousand; in a column of its own, it may be either."""
    sales = [150, 1234, 12_500, 1_000_000, 2_750_300]
    grouped = [[f"{n:,}".replace(",", ".") for n in (sales[i % 5] + i, 12_500 + 7 * i)] for i in range(60)]
    lines = (f"{a},{b},{i / 8 - 3},{'pq'[i % 2]}\n" for i, (a, b) in enumerate(grouped))
    found = inspect(desk.write("t.csv", "sales,b,x,y\n" + "".join(lines)), "y", desk.folder)
    np.testing.assert_array_equal(found.dataset.X[:, 0], [sales[i % 5] + i for i in range(60)])
    np.testing.assert_array_equal(found.dataset.X[:, 1], [12_500 + 7 * i for i in range(60)])
    np.testing.assert_array_equal(found.dataset.X[:, 2], np.arange(60) / 8 - 3)
    of_sales, of_b = found.notes
    assert of_sales.startswith("'sales' is read as numbers, '1.000.003' as 1000003, and so '1.235' as 1235, not 1.235;")
    assert of_b.startswith("b: points are taken to part thousands, as in other columns;")


@pytest.mark.parametrize("target", ["y", "sales"])
def test_points_that_all_may_part_thousands_are_doubted(desk: Desk, target):
    sales = [12_345 + 1001 * i for i in range(60)]
    rows = (f"{n:,}".replace(",", ".") + f",{n / 1000 - 40:.3f},{n / 100},{'pq'[n % 2]}\n" for n in sales)
    path = desk.write("t.csv", "sales,below,two,y\n" + "".join(rows))
    found = inspect(path, target, desk.folder)
    (doubt,) = [note for note in found.notes if "thousands" in note]
    assert doubt.startswith("'sales': all numbers have three decimals, such as 12.345, and are read as written;")
    decided = inspect(path, target, desk.folder, decimal=",")
    place = [column.name for column in decided.dataset.schema.columns].index("below")
    np.testing.assert_allclose(decided.dataset.X[:, place], np.array(sales) / 1000 - 40)  # 0.5 is no group
    read = decided.dataset.y if target == "sales" else decided.dataset.X[:, 0]
    np.testing.assert_array_equal(read, sales)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_target_of_more_digits_than_doubles_hold(desk: Desk, form):
    """Classes stay apart, as codes do; a regression says what is lost."""
    numbers = [2**53 + i for i in range(60)]
    frame = pd.DataFrame({"x": np.arange(60) / 8, "far": numbers, "code": [2**53 + i % 3 for i in range(60)]})
    path = desk.folder / f"t.{form}"
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    classes = inspect(path, "code", desk.folder, drop=["far"]).dataset
    assert classes.schema.classes == tuple(str(2**53 + i) for i in range(3))
    np.testing.assert_array_equal(classes.y, np.arange(60) % 3)
    found = inspect(path, "far", desk.folder, drop=["code"])
    assert found.entry["task"] == "regression"
    np.testing.assert_array_equal(found.dataset.y, np.array(numbers, np.float64))
    assert "warning: the target 'far' has whole numbers up to 9.01e+15, which double precision rounds, here to " in (
        found.describe()
    )
    frame.assign(far=np.arange(60) + 2**52).to_csv(desk.folder / "exact.csv", index=False)
    assert "rounds" not in inspect(desk.folder / "exact.csv", "far", desk.folder, drop=["code"]).describe()
