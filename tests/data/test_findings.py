"""Findings: each code on data that have the fault, and none on honest data."""

import numpy as np
import pytest

from tests.data.conftest import Desk
from versus import manifest
from versus.data import findings, prepared
from versus.data.findings import examine
from versus.data.prepared import Prepared


def codes(data: Prepared) -> dict[str, str]:
    return {finding.code: finding.where for finding in examine(data).shown}


def table(desk: Desk, header: str, rows, **spec) -> Prepared:
    desk.write("t.csv", f"{header}\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    return desk.prepare(source="csv", path="t.csv", target="y", **spec)


@pytest.mark.parametrize("name", ["synthetic", "moons", "animals", "wine", "breast_cancer"])
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


def test_numbers_of_no_width_in_a_class_and_beyond_single_precision(desk: Desk):
    values = np.random.default_rng(0).normal(size=60).round(3)
    rows = [(v, 0 if i % 2 else v, f"{v * 1e300:g}", "pq"[i % 2]) for i, v in enumerate(values)]
    assert codes(table(desk, "a,b,c,y", rows)) == {"constant-in-class": "column 'b'", "beyond-range": "column 'c'"}


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
