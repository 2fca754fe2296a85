"""Ranks of the models across data sets."""

from __future__ import annotations

from typing import Any

from versus.report import formatting
from versus.report.across import WinRates, wins
from versus.report.figures.figure import Figure
from versus.report.figures.plot import Scale, Tick
from versus.report.ranking import Ranking, ranking
from versus.report.results import Results
from versus.report.section import Content, escaped, table
from versus.settings import Cell

NAME, TITLE = "ranks", "Ranks across data sets"
WIDTH, LEFT, RIGHT, AXIS = 600, 170, 430, 64


def content(results: Results) -> dict[str, Any]:
    """Return the ranking and its diagram, where there is one."""
    found = ranking(results.datasets, results.comparison.confidence)
    won = None if found is None else wins(results.datasets, found.metric)
    return {
        "ranking": found,
        "wins": won,
        "win_rows": [] if won is None else _win_rows(won),
        "figures": [] if found is None else [critical_difference_diagram(found)],
    }


def _win_rows(won: WinRates) -> list[tuple[Cell, list[tuple[float | None, str]]]]:
    """Return for each model its share against each other one, and that in words: ``0.75 of 4``."""
    rows: list[tuple[Cell, list[tuple[float | None, str]]]] = []
    for cell, rates, met in zip(won.models, won.rates, won.met, strict=True):
        pairs = ((float(rate), f"{rate:.2f} of {n}") for rate, n in zip(rates, met, strict=True))
        rows.append((cell, [(rate, text) if rate == rate else (None, formatting.NONE) for rate, text in pairs]))
    return rows


def critical_difference_diagram(ranking: Ranking) -> Figure:
    """Draw mean ranks on a line, best on the left, bars over models not clearly different (Demšar 2006, figure 1)."""
    k = len(ranking.models)
    x = Scale(1, k, LEFT, RIGHT)
    bars = 10 * len(ranking.groups)
    ranks = ranking.test.mean_ranks
    left = (k + 1) // 2
    labels = [
        {
            "x": x(float(ranks[i])),
            # Best outermost on the left, worst outermost on the right, so that no two label lines cross.
            "y": AXIS + 26 + bars + 19 * (i if i < left else k - 1 - i),
            "end": LEFT - 12 if i < left else RIGHT + 12,
            "anchor": "end" if i < left else "start",
            "text_x": LEFT - 18 if i < left else RIGHT + 18,
            "kind": cell.group,
            "name": cell.model,
            "short": formatting.shorten(cell.model, 22),
            "rank": f"{ranks[i]:.2f}",
        }
        for i, cell in enumerate(ranking.models)
    ]
    return Figure(
        template="critical_difference.svg",
        title=f"Mean ranks over {len(ranking.datasets)} data sets, and Nemenyi's critical difference",
        description=", ".join(f"{label['name']} {label['rank']}" for label in labels),
        width=WIDTH,
        height=AXIS + 26 + bars + 19 * left + 6,
        parts={
            "labels": labels,
            "ticks": [Tick(x(float(r)), str(r)) for r in range(1, k + 1)],
            "axis": AXIS,
            "left": LEFT,
            "right": RIGHT,
            "difference_end": x(min(1 + ranking.difference, k)),
            "difference": f"critical difference {ranking.difference:.2f}",
            "difference_exceeds": 1 + ranking.difference > k,
            "bars": [
                {
                    "x1": x(float(ranks[group[0]])) - 4,
                    "x2": x(float(ranks[group[-1]])) + 4,
                    "y": AXIS + 14 + 10 * i,
                    "title": "no clear difference: " + ", ".join(ranking.models[m].model for m in group),
                }
                for i, group in enumerate(ranking.groups)
            ],
        },
    )


def markdown(content: Content) -> list[str]:
    """Return the tests in a sentence, and the mean ranks."""
    found = content["ranking"]
    if found is None:
        return ["Ranks need at least two models that ran on the same two data sets.", ""]
    warning = "Too few data sets to conclude much. " if found.is_weak else ""
    test = found.test
    sentence = (
        f"{warning}{len(found.datasets)} data sets, {len(found.models)} models; "
        f"Friedman χ² = {formatting.score(test.chi_square, 2)}, F = {formatting.score(test.f_statistic, 2)}, "
        f"p {escaped(formatting.p_value(test.p_value))}; "
        f"Nemenyi's critical difference {formatting.score(found.difference, 2)}."
    )
    rows = (
        [escaped(cell.model), cell.group_name, f"{rank:.2f}"]
        for cell, rank in zip(found.models, test.mean_ranks, strict=True)
    )
    return [sentence, "", *table(["model", "family", "mean rank"], rows), *_win_table(content)]


def _win_table(content: Content) -> list[str]:
    if content["wins"] is None:
        return []
    header = ["beats", *(escaped(cell.model) for cell in content["wins"].models)]
    rows = ([escaped(cell.model), *(text for _, text in shares)] for cell, shares in content["win_rows"])
    lead = "Share of the data sets on which the model of the row beats that of the column; a tie counts half."
    return [lead, "", *table(header, rows)]
