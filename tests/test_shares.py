"""Dividing the cells among machines."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versus import params as parameters
from versus.pipeline import shares
from versus.pipeline.engine.remaining import Remaining
from versus.pipeline.shares import Share
from versus.report import files
from versus.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
SECONDS = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.floats(0.1, 1000), max_size=40)


@given(SECONDS, st.integers(1, 12))
def test_every_cell_is_in_exactly_one_share(seconds: dict[str, float], count: int) -> None:
    found = shares.divide(seconds, count)
    assert len(found) == count
    assert sorted(itertools.chain(*found)) == sorted(seconds)


@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=6), st.integers(1, 3))
def test_the_fullest_share_is_as_close_to_the_best_as_graham_proved(times: list[float], count: int) -> None:
    seconds = {f"cell{i}": time for i, time in enumerate(times)}
    fullest = max(sum(seconds[cell] for cell in share) for share in shares.divide(seconds, count))
    every = itertools.product(range(count), repeat=len(times))
    best = min(
        max(sum(t for t, of in zip(times, where, strict=True) if of == i) for i in range(count)) for where in every
    )
    assert fullest <= (4 / 3 - 1 / (3 * count)) * best + 1e-9


def test_the_order_of_the_cells_does_not_matter() -> None:
    seconds = {"a-x": 3.0, "b-x": 3.0, "c-x": 1.0, "d-x": 1.0, "e-x": 2.0}
    assert shares.divide(seconds, 2) == shares.divide(dict(reversed(seconds.items())), 2)
    assert shares.divide(seconds, 2) == [["a-x", "e-x"], ["b-x", "c-x", "d-x"]]


def test_what_a_run_still_takes_is_corrected_by_what_it_has_taken() -> None:
    left = Remaining({"a-x": 10.0, "a-y": 30.0}, slots=2)
    for kind in ("train_deep_generative", "evaluate_deep_generative"):
        for cell in ("a-x", "a-y"):
            left.add(f"{kind}@{cell}")
    whole = left.seconds(0.0)
    assert whole is not None
    assert whole > (10 + 30) / 2
    left.start("train_deep_generative@a-x", 0.0)
    assert left.seconds(5.0) == pytest.approx(whole - 5 / 2)
    left.end("train_deep_generative@a-x", 2 * 10.3)  # twice what was expected
    twice = left.seconds(20.6)
    assert twice == pytest.approx(2 * (whole - 10.3 / 2))
    left.end("evaluate_deep_generative@a-x", 21.0)  # was not stale after all
    left.end("evaluate_deep_generative@a-y", 21.0)
    left.start("train_deep_generative@a-y", 21.0)
    assert left.seconds(31.0) == pytest.approx(2 * 30.3 - 10)  # one stage is not shared among the slots
    assert Remaining({}, slots=2).seconds(0.0) is None


def test_long_cells_do_not_share_a_machine() -> None:
    assert shares.divide({"a-cnn": 300.0, "a-vae": 290.0, "a-x": 5.0, "a-y": 5.0}, 3)[:2] == [["a-cnn"], ["a-vae"]]


def test_the_committed_costs_balance_the_default_cells() -> None:
    params = parameters.read(ROOT / "params.yaml")
    cells = list(parameters.cells(params))
    times = shares.read_training_times(files.committed(ROOT / "reports/costs.csv") or "")
    assert len(times) > len(cells) / 2
    seconds = shares.expected_seconds(params, cells, times)
    found = [shares.cells_of(Workspace(ROOT), Share(i, 4)) for i in (1, 2, 3, 4)]
    assert sorted(cell.name for share in found for cell in share) == sorted(seconds)
    loads = [sum(seconds[cell.name] for cell in share) for share in found]
    # the last cell of the longest share went to it when no other was shorter
    assert max(loads) - min(loads) <= max(seconds.values())


def test_a_cell_without_a_time_counts_as_an_average_one() -> None:
    params = parameters.read(ROOT / "params.yaml")
    cells = list(parameters.cells(params))
    first, second, third = (cell.name for cell in cells[:3])
    seconds = shares.expected_seconds(params, cells, {first: 2.0, second: 4.0})
    assert seconds[third] == pytest.approx((seconds[first] + seconds[second]) / 2)


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "a/b", "1/3/3", "-1/3", "1.0/3"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2/3 is the second of three"):
        Share.parse(text)


def test_a_share_is_written_as_it_is_read() -> None:
    assert Share.parse("2/3") == Share(2, 3)
    assert str(Share(2, 3)) == "2/3"
