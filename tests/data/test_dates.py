import json
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.data.conftest import Desk
from versus.data import dates
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.schema import Schema
from versus.models.classical_generative.naive_bayes import MixedNaiveBayes
from versus.serving import files, frames, package, prediction

START = datetime(2023, 11, 25, 23, tzinfo=UTC)
MOMENTS = [START + timedelta(days=3 * i, hours=5 * i) for i in range(60)]


def table(form: str, moments: list[datetime] = MOMENTS) -> str:
    rows = (f"{i / 8};{moment.strftime(form)};{'ab'[i // 3 % 2]}\n" for i, moment in enumerate(moments))
    return "x;when;y\n" + "".join(rows)


@pytest.mark.parametrize(
    ("words", "form"),
    [
        (("28. Dezember 2018", "1. März 2020", "15. August 2012", "3. Mai 2011"), "%d %B %Y"),
        (("28 déc. 2018", "1 mars 2020", "15 août 2012", "3 mai 2011"), "%d %b %Y"),
        (("28 de diciembre de 2018", "1 de marzo de 2020", "15 de agosto de 2012", "3 de mayo de 2011"), "%d %B %Y"),
        (("28-dic-2018", "1-mar-2020", "15-ago-2012", "3-mag-2011"), "%d-%b-%Y"),
        (("28 December 2018", "1 March 2020", "15 August 2012", "3 May 2011"), "%d %B %Y"),
    ],
)
def test_months_of_other_languages(words, form):
    assert dates.guess(words)[0] == form
    expected = ["2018-12-28", "2020-03-01", "2012-08-15", "2011-05-03"]
    np.testing.assert_array_equal(dates.read(words, form), np.array(expected, "datetime64[us]"))
    assert not dates.guess([*words, "28 Nonsense 2018"])
    for word, given in (("3.Mai.2011", "%d.%B.%Y"), ("3 de mayo de 2011", "%d de %B de %Y")):
        assert dates.read([word], given)[0] == np.datetime64("2011-05-03")


def test_the_parts_are_those_of_the_calendar():
    moments = np.array([moment.replace(tzinfo=None) for moment in MOMENTS], "datetime64[us]")
    found = {column.name: (column.categories, values) for column, values in dates.parts("when", moments)}
    expected = {
        "when_year": [m.year for m in MOMENTS],
        "when_month": [m.strftime("%B") for m in MOMENTS],
        "when_weekday": [m.strftime("%A") for m in MOMENTS],
        "when_hour": [m.hour for m in MOMENTS],
    }
    for name, (categories, values) in found.items():
        assert [categories[int(v)] if categories else v for v in values] == expected[name]


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("%Y-%m-%d", "ISO8601"),
        ("%Y-%m-%dT%H:%M:%SZ", "ISO8601"),
        ("%d.%m.%Y", "%d.%m.%Y"),
        ("%m/%d/%Y", "%m/%d/%Y"),
        ("%d/%m/%y", "%d/%m/%y"),
        ("%d-%b-%Y %H:%M", "%d-%b-%Y %H:%M"),
        ("%B %d, %Y", "%B %d, %Y"),
        ("%y/%m/%d", "%y/%m/%d"),
        ("%Y%m%d", "%Y%m%d"),
        ("%a, %d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S"),
        ("%G-W%V", "%G-W%V"),
        ("%b-%y", "%b-%y"),
        ("%Y-%m", "%Y-%m"),
        ("%m/%Y", "%m/%Y"),
        ("%b %Y", "%b %Y"),
        ("%H:%M", "%H:%M"),
        ("%H:%M:%S", "%H:%M:%S"),
        ("%I:%M %p", "%I:%M %p"),
    ],
)
def test_formats_are_recognised_and_their_parts_learnt_and_predicted(desk: Desk, form, named):
    path = desk.write("t.csv", table(form))
    found = inspect(path, "y", desk.folder)
    assert found.entry["dates"] == {"when": named}
    told = {"year": "%Y%y%G", "month": "%m%b%B%V", "weekday": "%d", "hour": "%H%I"}
    written = set(re.findall("%[A-Za-z]", form))
    names = ["x", *(f"when_{part}" for part, marks in told.items() if written & set(re.findall("%.", marks)))]
    assert any(f"{', '.join(names[1:])} stand for it" in note for note in found.notes)
    data = desk.prepare(**found.entry)
    assert [column.name for column in data.schema.columns] == names
    schema = Schema.from_json(json.loads(json.dumps(data.schema.to_json())))
    np.testing.assert_array_equal(frames.encode(files.read(path, schema), schema), data.X)
    new = pd.DataFrame({"x": [1.0, 2.0], "when": [datetime(2031, 7, 1, 13, 45), None]})  # a year and a month never seen
    X = frames.encode(new, schema)
    parts = {"when_year": 2031, "when_month": 6, "when_weekday": 1, "when_hour": 13.75}
    assert X[0, 1:].tolist() == [parts[name] for name in names[1:]]
    assert np.isnan(X[1, 1:]).all()
    with pytest.raises(DataError, match=rf"row 1, column 'when': 'soon' is no date written as {named}"):
        frames.encode(pd.DataFrame({"x": [1.0], "when": ["soon"]}), schema)
    with pytest.raises(DataError, match=r"columns 'when' are missing"):
        frames.encode(new[["x"]], schema)


def test_a_served_model_takes_dates_or_their_parts(desk: Desk):
    desk.write("t.csv", table("%Y-%m-%d %H:%M"))
    data = desk.prepare(source="csv", path="t.csv", delimiter=";", target="y", dates={"when": "ISO8601"})
    model = MixedNaiveBayes(schema=data.schema).fit(*data.take(0, "train", "validation"))
    asked = {spec.name: spec.required for spec in package.signature(model).inputs.inputs}
    assert asked == {"x": True, **dict.fromkeys(["when", *dates.part_names("when")], False)}
    rows = pd.DataFrame({"x": [1.0], "when": ["2024-02-05 04:00"]})
    parts = frames.decode(frames.encode(rows, data.schema), data.schema)
    assert parts.iloc[0].tolist() == [1, 2024, "February", "Monday", 4]
    pd.testing.assert_frame_equal(prediction.predict(model, rows), prediction.predict(model, parts))


def test_a_time_column_orders_the_split_in_its_format(desk: Desk):
    path = desk.write("t.csv", table("%d.%m.%Y", MOMENTS[::-1]))
    found = inspect(path, "y", desk.folder, time="when")
    assert (found.entry["time"], found.entry["dates"]) == ("when", {"when": "%d.%m.%Y"})
    data = desk.prepare(**found.entry, repeats=1)
    assert [column.name for column in data.schema.columns] == ["x"]
    np.testing.assert_array_equal(data.splits["test"][0], np.arange(12))  # the first rows are the latest


def test_what_does_not_vary_or_is_not_wanted_is_left_out(desk: Desk):
    rows = "".join(f"{i / 8},2024-05-01,2024-0{1 + i % 2}-0{1 + i % 7},{'ab'[i % 2]}\n" for i in range(60))
    path = desk.write("t.csv", "x,one,two,y\n" + rows)
    found = inspect(path, "y", desk.folder)
    assert any("all have one 'one_year', 'one_month', 'one_weekday', 'one_hour'" in note for note in found.notes)
    data = desk.prepare(**found.entry, drop=["two_month"])
    assert [column.name for column in data.schema.columns] == ["x", "two_weekday"]
    assert any("'one': all have one 'one_year'" in warning for warning in data.about["warnings"])


def test_day_and_month_that_could_be_either_are_said(desk: Desk):
    rows = "".join(f"{i / 8},0{1 + i % 9}/0{1 + i % 7}/2024,{'ab'[i % 2]}\n" for i in range(60))
    found = inspect(desk.write("t.csv", "x,when,y\n" + rows), "y", desk.folder)
    assert any("(or as %m/%d/%Y? say `--set" in note for note in found.notes)


HOURS = np.arange(60) * 0.75  # the longest takes 44 hours and a quarter


@pytest.mark.parametrize(
    ("form", "write"),
    [
        ("h:m:s", lambda h: f"{int(h)}:{int(h * 60 % 60):02}:00"),
        ("h:m:s", lambda h: str(timedelta(hours=h))),  # 1 day, 2:30:00
        ("h:m:s", lambda h: str(pd.Timedelta(hours=h))),  # 1 days 02:30:00
        ("h:m", lambda h: f"{int(h)}:{int(h * 60 % 60):02}"),
        ("h m s", lambda h: f"{int(h)}h {int(h * 60 % 60)}min" if h >= 1 else f"{h * 3600:g} s"),
        ("ISO8601 duration", lambda h: pd.Timedelta(hours=h).isoformat()),
    ],
)
def test_a_duration_is_its_number_of_hours(desk: Desk, form, write):
    rows = "".join(f"{i / 8};{write(h)};{'ab'[i % 2]}\n" for i, h in enumerate(HOURS))
    found = inspect(desk.write("t.csv", "x;took;y\n" + rows), "y", desk.folder)
    assert found.entry["dates"] == {"took": form}
    assert any("took_hours, their number of hours, stands for it" in note for note in found.notes)
    data = desk.prepare(**found.entry)
    np.testing.assert_allclose(data.X[:, 1], HOURS, rtol=1e-12)
    new = pd.DataFrame({"x": [1.0, 2.0], "took": pd.to_timedelta([100, None], unit="h")})
    np.testing.assert_array_equal(frames.encode(new, data.schema)[:, 1], [100, np.nan])
    with pytest.raises(DataError, match="row 1, column 'took': 'long' is no duration written as"):
        frames.encode(pd.DataFrame({"x": [1.0], "took": ["long"]}), data.schema)


def test_a_target_of_durations_is_a_quantity(desk: Desk):
    rows = "".join(f"{i / 8},{h:g}h {'30' if i % 2 else '0'}m\n" for i, h in enumerate(HOURS // 1))
    found = inspect(desk.write("t.csv", "x,took\n" + rows), "took", desk.folder)
    assert (found.entry["task"], found.entry["dates"]) == ("regression", {"took": "h m s"})
    short = "".join(f"{i},2:{i:02}:30\n" for i in range(60))  # each may be a time of day, too
    assert inspect(desk.write("s.csv", "x,took\n" + short), "took", desk.folder).dataset.y[6] == pytest.approx(
        2 + 6.5 / 60
    )
    data = desk.prepare(**found.entry)
    np.testing.assert_allclose(data.y, HOURS // 1 + np.arange(60) % 2 / 2)
    np.testing.assert_array_equal(frames.encode(pd.DataFrame({"x": [2.5]}), data.schema), [[2.5]])


def test_two_figures_are_hours_or_minutes_or_times_of_day():
    assert dates.guess(["12:30", "75:10"]) == ["h:m", "m:s"]
    assert dates.guess(["12:30", "5:10"]) == ["%H:%M"]
    read = dates.read(["75:10", "-0:30", "1:2"], "m:s")
    np.testing.assert_array_equal(dates.parts("lap", read, "m:s")[0][1], np.array([4510, -30, np.nan]) / 3600)


@pytest.mark.parametrize("form", ["%YQ%q", "%Y-Q%q", "%Y Q%q", "Q%q %Y", "Q%q/%Y", "%qQ%Y"])
def test_a_quarter_is_a_part_of_its_year(desk: Desk, form):
    written = [form.replace("%Y", str(2015 + i // 4 % 9)).replace("%q", str(1 + i % 4)) for i in range(60)]
    rows = "".join(f"{i / 8};{when};{'ab'[i % 3 > 0]}\n" for i, when in enumerate(written))
    found = inspect(desk.write("t.csv", "x;when;y\n" + rows), "y", desk.folder)
    assert found.entry["dates"] == {"when": form}
    data = desk.prepare(**found.entry)
    assert [(c.name, c.categories) for c in data.schema.columns[1:]] == [
        ("when_year", None),
        ("when_quarter", ("Q1", "Q2", "Q3", "Q4")),
    ]
    np.testing.assert_array_equal(data.X[:, 1:], [(2015 + i // 4 % 9, i % 4) for i in range(60)])
    ordered = desk.prepare(**found.entry | {"time": "when", "dates": {"when": form}, "repeats": 1})
    assert ordered.schema.columns[0].name == "x"


@pytest.mark.parametrize(
    "words",
    [
        *(["1.2.3", "10.0.4"], ["2024", "2025"], ["2024-13", "2024-01"], ["a-b", "2024-01-01"], []),
        *(["16:9", "4:3"], ["25:75", "30:70"], ["2023Q5"], ["Q1", "Q2"], ["5 kg", "3h"], ["P", "PT"], ["P001", "P002"]),
    ],
)
def test_versions_years_ratios_and_codes_are_no_dates(words):
    assert dates.guess(words) == []


def test_what_is_no_date_is_named(desk: Desk):
    desk.write("t.csv", table("%Y-%m-%d").replace("2024-02-04", "soon"))
    with pytest.raises(DataError, match=r"t.csv, row \d+ \(line \d+\): dates: column 'when' holds 'soon'; wants dates"):
        desk.prepare(source="csv", path="t.csv", delimiter=";", target="y", dates={"when": "ISO8601"})


def test_moments_of_parquet_are_dates(desk: Desk):
    clock = [moment.time() for moment in MOMENTS]
    frame = pd.DataFrame({"when": pd.to_datetime(MOMENTS), "clock": clock, "x": range(60), "y": ["a", "b", "b"] * 20})
    frame.to_parquet(desk.folder / "t.parquet")
    found = inspect(desk.folder / "t.parquet", "y", desk.folder)
    assert found.entry["dates"] == {"when": "ISO8601", "clock": "%H:%M:%S"}
    data = desk.prepare(**found.entry)
    np.testing.assert_array_equal(frames.encode(frame, data.schema), data.X)
