"""Score by the number of rows to learn from: the size at which one side overtakes the other, in words and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.figures.size_curves import size_curves
from versus.report.results import Results
from versus.report.section import Content, escaped, table

NAME, TITLE = "crossing", "How many rows each side needs"


@dataclass(frozen=True)
class Pair:
    """Comparison of a discriminative and a generative cell at all sizes, by one score.

    Args:
        experiment, dataset, score: their names.
        discriminative, generative: names of the models.
        crossing: size at which the side ahead at last overtakes, with the ends of its interval; None without one.
        words: the result in a sentence.
        rows: size, difference and its ends, as text.
    """

    experiment: str
    dataset: str
    score: str
    discriminative: str
    generative: str
    crossing: tuple[float, float, float] | None
    words: str
    rows: list[list[str]]


def content(results: Results) -> dict[str, Any] | None:
    """Return the pairs and pictures of each experiment; None without experiments."""
    cells = {cell.name: cell for cell in results.cells}
    shown = [
        {
            "name": name,
            "about": _about(found),
            "pairs": list(pairs(name, found)),
            "alone": "" if found["pairs"] else _told(name, found, found["curves"][0]["score"]),
            "pictures": list(size_curves(name, found, cells, partial(_told, name, found))),
            "skipped": [f"{cell} at {size} rows: {why}" for cell, size, why in found["skipped"]],
        }
        for name, found in results.experiments.items()
        if found["kind"] == "training_size"
    ]
    if not shown:
        return None
    return {"experiments": shown, "figures": [figure for e in shown for figure in e["pictures"][:1]]}


def _told(name: str, found: Mapping[str, Any], score: str) -> str:
    """Say who is ahead where; of cells of one side, what each scores at both ends."""
    ends = (curve for curve in found["curves"] if curve["score"] == score)
    alone = (
        f"{curve['cell'].split('-', 1)[1]}: {formatting.score(curve['value'][0])} with {found['sizes'][0]} rows, "
        f"{formatting.score(curve['value'][-1])} with {found['sizes'][-1]}"
        for curve in ends
    )
    return "; ".join(pair.words for pair in pairs(name, found) if pair.score == score) or "; ".join(alone)


def _about(found: Mapping[str, Any]) -> str:
    sizes = found["sizes"]
    return (
        f"{found['dataset']}: {len(sizes)} sizes from {sizes[0]} to {sizes[-1]} rows, {found['orders']} random orders "
        "of the rows, in which smaller training sets lie within larger ones"
    )


def pairs(name: str, found: Mapping[str, Any]) -> Iterator[Pair]:
    """Yield each pair of both sides, by each score."""
    for pair in found["pairs"]:
        first, second = (pair[side].split("-", 1)[1] for side in ("discriminative", "generative"))
        crossing = None
        if pair["crossing"] is not None:
            at, low, high = (pair["crossing"][key] for key in ("at", "low", "high"))
            crossing = (at, low, inf if high is None else high)
        words = _words(pair, first, second, crossing)
        yield Pair(name, found["dataset"], pair["score"], first, second, crossing, words, _rows(pair))


def _words(pair: Mapping[str, Any], first: str, second: str, crossing: tuple[float, float, float] | None) -> str:
    sizes, apart = pair["sizes"], pair["difference"]
    label = metric_table.label(pair["score"])
    if crossing is None:
        clear = sum(low > 0 or high < 0 for low, high in zip(apart["low"], apart["high"], strict=True))
        if not clear:
            return f"By {label}, no clear difference at any of {len(sizes)} sizes from {sizes[0]} to {sizes[-1]} rows."
        ahead = first if apart["value"][-1] > 0 else second
        return (
            f"By {label}, {ahead} is ahead at all sizes from {sizes[0]} to {sizes[-1]} rows, "
            f"clearly at {clear} of {len(sizes)}."
        )
    early, late = (first, second) if pair["crossing"]["first"] > 0 else (second, first)
    at, low, high = crossing
    if low < sizes[0] and high > sizes[-1]:
        return (
            f"By {label}, no clear crossing: the sizes from {sizes[0]} to {sizes[-1]} rows do not tell where it lies."
        )
    begin = f"fewer than {sizes[0]}" if low < sizes[0] else formatting.estimate(low)
    end = f"more than {sizes[-1]}" if high > sizes[-1] else formatting.estimate(high)
    is_ahead = "may be ahead" if low < sizes[0] else "is ahead"
    below = f"{early} {is_ahead} below about {formatting.estimate(at)} rows ({begin} to {end})"
    return f"By {label}, {below}, {late} {'may be ' if high > sizes[-1] else ''}above."


def _rows(pair: Mapping[str, Any]) -> list[list[str]]:
    apart = pair["difference"]
    return [
        [str(size), formatting.signed(value), f"{formatting.signed(low)} to {formatting.signed(high)}"]
        for size, value, low, high in zip(pair["sizes"], apart["value"], apart["low"], apart["high"], strict=True)
    ]


def markdown(content: Content) -> list[str]:
    """Return the sentences of each experiment, and the differences by the deciding score."""
    blocks = []
    for experiment in content["experiments"]:
        blocks += [f"### {escaped(experiment['name'])}", "", f"{escaped(experiment['about'])}.", ""]
        blocks += [f"- {escaped(pair.words)}" for pair in experiment["pairs"]] + [""]
        blocks += [f"{escaped(experiment['alone'])}.", ""] if experiment["alone"] else []
        for pair in experiment["pairs"][:1]:
            title = f"{pair.discriminative} minus {pair.generative}, {metric_table.label(pair.score)}"
            blocks += table(["rows", escaped(title), "interval"], pair.rows)
    return blocks
