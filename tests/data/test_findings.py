"""Findings: each code on data that have the fault, and none on honest data."""

import numpy as np
import pandas as pd
import pytest

from docs import reference
from tests.data.conftest import Desk
from versus import manifest
from versus.data import findings, prepared
from versus.data.checks import examine
from versus.data.errors import DataError
from versus.data.prepared import Prepared
from versus.serving import frames


def codes(data: Prepared) -> dict[str, str]:
    return {finding.code: finding.where for finding in examine(data).shown}


def table(desk: Desk, header: str, rows, **spec) -> Prepared:
    desk.write("t.csv", f"{header}\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    return desk.prepare(source="csv", path="t.csv", target="y", **spec)


@pytest.mark.parametrize("name", ["synthetic", "moons", "animals", "iris", "wine", "breast_cancer", "docstrings"])
def test_honest_data_have_no_leaks(desk: Desk, name):
    assert not {code for code in codes(desk.prepare(source="embedded", name=name)) if code.startswith("leak")}


def test_constant_columns_and_names_of_rows(desk: Desk):
    order = np.random.default_rng(0).permutation(40)
    data = table(desk, "a,b,k,t,y", [(i + 100, 1, "k", f"n{i}", "pq"[i % 2]) for i in order])
    assert [(f.code, f.where) for f in examine(data).shown] == [
        ("identifier", "column 'a'"),
        ("constant", "column 'b'"),
        ("constant", "column 'k'"),
        ("identifier", "column 't'"),
    ]
    values = np.random.default_rng(0).normal(size=40)
    honest = table(desk, "a,y", [(round(1000 * v), "pq"[i % 2]) for i, v in enumerate(values)])
    assert codes(honest) == {}


def test_a_rare_class_is_found_with_the_trivial_score(desk: Desk):
    rows = [(i * 37 % 100 / 8, "no" if i % 25 else "yes") for i in range(200)]
    (found,) = [finding for finding in examine(table(desk, "a,y", rows)).shown if finding.code == "imbalance"]
    assert found.where == "class 'yes'"
    assert "8 of 200 rows; always to answer 'no' is right in 96.0%" in found.what
    even = table(desk, "a,y", [(i * 37 % 100 / 8, f"k{i % 40}") for i in range(200)])  # many classes, none of them rare
    assert "imbalance" not in codes(even)


def test_numbers_of_no_width_in_a_class(desk: Desk):
    values = np.random.default_rng(0).normal(size=60).round(3)
    rows = [(v, 0 if i % 2 else v, "pq"[i % 2]) for i, v in enumerate(values)]
    assert codes(table(desk, "a,b,y", rows)) == {
        "leak-target": "column 'b'",
        "constant-in-class": "column 'b'",
    }


def test_columns_twice_placeholders_and_a_row_of_sums(desk: Desk):
    rng = np.random.default_rng(0)
    rows = [(f"{v:.2f}", rng.integers(20, 90), rng.integers(1, 50), "pq"[i % 2]) for i, v in enumerate(rng.random(60))]
    assert codes(table(desk, "a,b,c,y", rows)) == {}
    assert codes(table(desk, "a,b,c,y", [(a, b, b, y) for a, b, _, y in rows])) == {"equal-columns": "columns 'b', 'c'"}
    unknown = [(a, -999 if i % 7 == 0 else b, c, y) for i, (a, b, c, y) in enumerate(rows)]
    (found,) = examine(table(desk, "a,b,c,y", unknown)).shown
    assert (found.code, found.where) == ("placeholder", "column 'b'")
    assert found.what.startswith("is -999 in 9 rows, and from 2")
    assert codes(table(desk, "a,b,c,y", unknown, missing=["-999"])) == {}
    sums = [f"{sum(float(row[0]) for row in rows):.2f}", *(sum(row[d] for row in rows) for d in (1, 2)), "p"]
    assert codes(table(desk, "a,b,c,y", [*rows, sums])) == {"summary-row": "last row"}
    sums[0] = 12.5  # an average
    assert codes(table(desk, "a,b,c,y", [*rows, sums])) == {"summary-row": "last row"}


@pytest.mark.parametrize(("unit", "per_second"), [("seconds", 1), ("milliseconds", 1000), ("nanoseconds", 10**9)])
@pytest.mark.parametrize("ordered", [True, False])
def test_time_stamps_are_no_quantity(desk: Desk, unit, per_second, ordered):
    rng = np.random.default_rng(0)
    stamps = 1_700_000_000 + np.cumsum(rng.integers(60, 3600, 80))
    stamps = stamps if ordered else rng.permutation(stamps)
    rows = [(int(t) * per_second, f"{rng.normal():.3f}", "pq"[i % 2]) for i, t in enumerate(stamps)]
    (found,) = examine(table(desk, "t,x,y", rows)).shown
    assert (found.code, found.where) == ("time-stamp", "column 't'")
    assert f"as {unit} since 1970 they are 2023-11-14 to 2023-11-1" in found.what
    decided = table(desk, "t,x,y", rows, dates={"t": f"{unit} since 1970"})
    assert codes(decided) == {}
    moments = stamps.astype("datetime64[s]")
    hours = (moments - moments.astype("datetime64[D]")) / np.timedelta64(1, "h")
    names = [column.name for column in decided.schema.columns]
    assert names == ["t_weekday", "t_hour", "x"]  # all are of one year and month
    np.testing.assert_allclose(decided.X[:, 1], hours, atol=1e-9)
    frame = pd.DataFrame({"t": [row[0] for row in rows], "x": [float(row[1]) for row in rows]})
    np.testing.assert_array_equal(frames.encode(frame, decided.schema), decided.X)
    money = [(900_000_000 + 20_000_000 * i, *row[1:]) for i, row in enumerate(rows)]  # begins before 2001
    assert codes(table(desk, "t,x,y", money)) == {}


def test_muted_findings_are_not_shown_and_change_nothing_that_fits_depend_on(desk: Desk):
    rows = [(i * i, 1, "pq"[i % 2]) for i in range(30)]
    data, muted = table(desk, "a,b,y", rows), table(desk, "a,b,y", rows, mute=["constant"])
    for name, given, mute in (("one", data, ()), ("two", muted, ("constant",))):
        prepared.write(desk.folder / name, given)
        findings.write(desk.folder / name, examine(given, mute))
    assert "b" in findings.read(desk.folder / "one").shown[0].where
    assert findings.read(desk.folder / "two") == findings.Findings((), ("constant",))
    one, two = ((desk.folder / name / manifest.NAME).read_text() for name in ("one", "two"))
    assert one == two
    with pytest.raises(ValueError, match=r"no finding has the code 'konstant'; there are .*'constant'"):
        table(desk, "a,b,y", rows, mute=["konstant"])


def test_copies_of_rows_stay_in_one_part_and_are_counted(desk: Desk):
    rng = np.random.default_rng(0)
    rows = [(f"{rng.normal():.3f}", f"{rng.normal():.3f}", rng.choice(["p", "q"])) for _ in range(60)]
    data = table(desk, "a,b,y", rows * 5)
    (found,) = examine(data).shown
    assert (found.code, found.what) == ("duplicates", "240 of 300 repeat another row; equal rows are kept in one part")
    for repeat in range(data.repeats):
        test, rest = data.X[data.rows(repeat, "test")], data.X[data.rows(repeat, "train", "validation")]
        assert not {tuple(row) for row in test} & {tuple(row) for row in rest}
    np.testing.assert_array_equal(np.bincount(data.units), [5] * 60)
    changed = [(*row[:2], "q" if i == 7 else row[2]) for i, row in enumerate([rows[0]] * 3 + rows * 2)]
    assert {"duplicates", "duplicates-disagree"} <= codes(
        table(desk, "a,b,y", [*changed, (*rows[0][:2], "r")] + [(i, i, "r") for i in range(5)])
    ).keys()


def test_rows_of_few_values_are_equal_by_chance(desk: Desk):
    rng = np.random.default_rng(0)
    data = table(desk, "a,b,c,y", [(*rng.integers(0, 4, 3), rng.choice(["p", "q"])) for _ in range(600)])
    assert data.units is None
    assert codes(data) == {}


def test_a_test_file_with_rows_and_groups_of_the_training_file(desk: Desk):
    rng = np.random.default_rng(0)
    rows = [(f"{rng.normal():.4f}", f"p{i // 4}", "uv"[i % 2]) for i in range(80)]
    new = [(f"{rng.normal():.4f}", f"p{30 + i}", "uv"[i % 2]) for i in range(10)]
    desk.write("test.csv", "a,who,y\n" + "".join(f"{','.join(row)}\n" for row in [*rows[:6], *new]))
    data = table(desk, "a,who,y", rows, test_path="test.csv", drop=["who"])
    found = {finding.code: finding.what for finding in examine(data).shown}
    assert found["leak-test-rows"] == "6 of 16 are equal to a row that models learn from"
    desk.write("test.csv", "a,who,y\n" + "".join(f"{','.join(row)}\n" for row in [("0.5", "p3", "u"), *new]))
    grouped = table(desk, "a,who,y", rows, test_path="test.csv", group="who")
    assert codes(grouped) == {"leak-groups": "test rows"}


def test_a_column_that_is_made_from_the_target(desk: Desk):
    rng = np.random.default_rng(0)
    y = rng.choice(["p", "q"], 400)
    flipped = np.where(rng.random(400) < 0.01, "p", y)
    numbers = rng.normal(size=400)
    filled = [f"{v:.2f}" if k == "p" else "" for v, k in zip(numbers, y, strict=True)]
    for column in (y, flipped, [{"p": 0.5, "q": 0.7}[k] + 0.01 * v for k, v in zip(y, numbers, strict=True)], filled):
        found = codes(table(desk, "a,leak,y", zip(numbers, column, y, strict=True)))
        assert found == {"leak-target": "column 'leak'"}
    prices = [(v, f"{1.19 * v**3:.4f}", v**3 + 0.5) for v in numbers]
    assert codes(table(desk, "a,b,y", prices)) == {"leak-target": "column 'b'"}


def test_strong_columns_are_no_leak(desk: Desk):
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    assert codes(table(desk, "a,y", [(v, "pq"[int(v + rng.normal() / 10 > 0)]) for v in x])) == {}
    assert codes(table(desk, "a,y", [(v, 3 * v + rng.normal() / 5) for v in x])) == {}


def test_groups_and_times_are_read_from_columns_that_are_no_features(desk: Desk):
    rng = np.random.default_rng(0)
    rows = [
        (rng.normal(), f"g{i % 12}" if i else "", f"2024-{1 + i % 12:02}-{1 + i % 28:02}", "pq"[i % 2])
        for i in range(120)
    ]
    grouped = table(desk, "a,who,day,y", rows, group="who", drop=["day"])
    assert [column.name for column in grouped.schema.columns] == ["a"]
    for repeat in range(5):
        parts = [{rows[i][1] for i in grouped.rows(repeat, part)} for part in prepared.PARTS]
        assert not any(one & other for one, other in [parts[:2], parts[1:], parts[::2]])
    timed = table(desk, "a,who,day,y", rows, time="day", drop=["who"])
    for repeat in range(5):
        days = [sorted(rows[i][2] for i in timed.rows(repeat, part)) for part in prepared.PARTS]
        assert days[0][-1] < days[1][0] <= days[1][-1] < days[2][0]
    with pytest.raises(DataError, match="time: column 'who' holds 'g0'; wants numbers, or dates"):
        table(desk, "a,who,day,y", [(1, "g0", "", "p"), *rows[1:]], time="who")
    with pytest.raises(ValueError, match="group and time say two different ways"):
        table(desk, "a,who,day,y", rows, time="day", group="who")
    with pytest.raises(DataError, match="group: unknown column 'whom'"):
        table(desk, "a,who,day,y", rows, group="whom")


def test_weights_are_no_feature_and_must_be_numbers_from_0_up(desk: Desk):
    rng = np.random.default_rng(0)
    rows = [(rng.normal(), 1 + i % 3, "pq"[i % 2]) for i in range(60)]
    data = table(desk, "a,w,y", rows, weight="w")
    assert [column.name for column in data.schema.columns] == ["a"]
    assert list(data.weights[:4]) == [0.5, 1, 1.5, 0.5]  # in units of the mean
    assert codes(data) == {"weights": "rows"}
    alike = table(desk, "a,w,y", [(a, 7, y) for a, _, y in rows], weight="w")
    none = table(desk, "a,w,y", rows, drop=["w"])
    assert alike.weights is None  # and so are all bytes: nothing else tells them apart
    assert np.array_equal(alike.X, none.X)
    assert all(np.array_equal(alike.splits[p].values, none.splits[p].values) for p in prepared.PARTS)
    for value, said in (("-1", "holds -1"), ("x", "holds 'x'"), ("", "holds no value"), ("inf", "holds inf")):
        with pytest.raises(DataError, match=f"line 2.*weight: column 'w' {said}.*number from 0 up"):
            table(desk, "a,w,y", [(1, value, "p"), *rows], weight="w")
    with pytest.raises(DataError, match="column 'w' is 0 in all rows"):
        table(desk, "a,w,y", [(a, 0, y) for a, _, y in rows], weight="w")
    with pytest.raises(DataError, match="all 38 rows of the train part weigh 0"):
        table(desk, "a,w,y", [(a, int(i == 3), y) for i, (a, _, y) in enumerate(rows)], weight="w")


def test_the_documentation_lists_every_code():
    listed = [line.split(" | ") for line in reference.findings().splitlines()[2:]]
    assert [(code.strip("| `"), what.strip(" |")) for code, what in listed] == list(findings.CODES.items())
