"""Numbers of a run for the pages of the site, read from what git tracks of it: no page has a number that was typed.

`Numbers` reads params.yaml and ``reports/*.csv``, as ``versus.results`` does for people. Ranks leave baselines out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import versus
from versus import params as parameters
from versus.metrics import table
from versus.report import formatting
from versus.settings import Cell

SHOWN = ("headline", "scores", "density", "bound", "shifts", "codes", "samples", "images")  # tables of the report
FEWEST = 3  # models that a rank is told among


class Standing(NamedTuple):
    """A cell among those of its data set, by the score that decides there, as text.

    ``place`` counts from 1 among ``of`` models of both sides, ``side_place`` among ``side_of`` of the cell's own; the
    baselines are not counted, and a baseline has the place 0. ``behind`` is True where the interval of the difference
    from the best does not reach 0.
    """

    cell: Cell
    label: str
    score: str
    from_best: str
    behind: bool
    other: str
    place: int
    of: int
    side_place: int
    side_of: int
    costs: Sequence[str]


@dataclass(frozen=True)
class Numbers:
    """What a project's last run has found.

    Args:
        folder: the project.
    """

    folder: Path

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """The cells of params.yaml, by name."""
        return {cell.name: cell for cell in parameters.cells(parameters.read(self.folder / "params.yaml"))}

    @cached_property
    def report(self) -> Any:
        """The tables of the run."""
        return versus.results(self.folder)

    @cached_property
    def deciding(self) -> dict[str, str]:
        """Data set -> the score that decides there; without a verdict, the first of the report's first table."""
        verdicts = self.report.verdicts
        found = dict(zip(verdicts["dataset"], verdicts["score"], strict=True))
        for name in (name for name, score in found.items() if not isinstance(score, str)):
            measured = set(self.report.scores[self.report.scores["dataset"] == name]["metric"])
            found[name] = next(metric for metric in table.shown("headline") if metric in measured)
        return found

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """Scores of all cells but baselines that have a better end: with the place of each, in all and in its side."""
        scores = self.report.scores
        models = scores[scores["cell"].map(lambda name: name in self.cells and not self.cells[name].is_baseline)]
        ranked = models[models["metric"].map(_is_ranked) & models["mean"].notna()]
        lower = ranked["metric"].map(table.lower_is_better)
        signed = ranked["mean"].where(lower, -ranked["mean"]).round(9)
        side = ranked["family"].map(_side)
        keys = [ranked["dataset"], ranked["metric"]]
        whole, own = signed.groupby(keys), signed.groupby([*keys, side])
        return ranked.assign(
            side=side,
            place=whole.rank(method="min").astype(int),
            last=whole.rank(method="max").astype(int),
            of=whole.transform("count"),
            side_place=own.rank(method="min").astype(int),
            side_of=own.transform("count"),
        )

    def standing(self, cell: str) -> Standing | None:
        """Place of a cell by the deciding score of its data set; None where it has no such score, as samplers."""
        found = self.cells[cell]
        metric = self.deciding.get(found.dataset, "")
        row = _row(self.report.scores, cell, metric)
        if row is None:
            return None
        rank = _row(self.ranks, cell, metric)
        low, high = row["from_best_low"], row["from_best_high"]
        apart = f"{formatting.signed(row['from_best'])} ({formatting.span(low, high)})" if low == low else "best"
        places = (0, 0, 0, 0) if rank is None else tuple(rank[["place", "of", "side_place", "side_of"]])
        return Standing(
            found,
            table.label(metric),
            _with_interval(row),
            apart,
            bool(low > 0 or high < 0),
            self._best_other(found, metric),
            *places,
            self.costs(cell),
        )

    def _best_other(self, cell: Cell, metric: str) -> str:
        """The best model of the other side on the same data, with its score."""
        ranks = self.ranks
        others = (ranks["dataset"] == cell.dataset) & (ranks["metric"] == metric) & (ranks["side_place"] == 1)
        found = ranks[others & (ranks["side"] != _side(cell.family))]
        return formatting.NONE if found.empty else f"{found.iloc[0]['model']}, {_with_interval(found.iloc[0])}"

    def costs(self, cell: str) -> list[str]:
        """Time of a fit, time for one row, and memory of a fit, as text."""
        costs = self.report.costs
        known = costs[costs["cell"] == cell].set_index("quantity")["value"]
        return [
            formatting.duration(known["training_time"]) if "training_time" in known else formatting.NONE,
            f"{formatting.two_digits(known['latency_of_1'])} ms" if "latency_of_1" in known else formatting.NONE,
            f"{formatting.megabytes(known['memory_of_fit'])} MB" if "memory_of_fit" in known else formatting.NONE,
        ]

    def extremes(self, cell: str, best: bool) -> list[str]:
        """Labels of the scores by which a cell alone is the best, or the worst, of three models or more of its data."""
        ranks = self.ranks
        place = ranks["last"] == 1 if best else ranks["place"] == ranks["of"]
        found = ranks[(ranks["cell"] == cell) & (ranks["of"] >= FEWEST) & place]
        return list(dict.fromkeys(table.label(metric) for metric in found["metric"]))

    # For hand-written pages.

    def score(self, cell: str, metric: str = "") -> str:
        """A score of a cell with its interval; by default the one that decides on its data set."""
        row = _row(self.report.scores, cell, metric or self.deciding[self.cells[cell].dataset])
        if row is None:
            raise KeyError(f"reports/comparison.csv has no {metric or 'deciding score'} of {cell}")
        return _with_interval(row)

    def verdict(self, dataset: str) -> str:
        """The verdict on a data set, in a sentence."""
        row = self.report.verdicts.set_index("dataset").loc[dataset]
        apart = f"{formatting.signed(row['difference'])} ({formatting.span(row['low'], row['high'])})"
        score = table.label(row["score"])
        return f"{dataset}: {row['outcome']} ({row['discriminative']} − {row['generative']} in {score}: {apart})"

    def crossing(self, experiment: str, metric: str) -> list[str]:
        """What an experiment says about where its sides cross, the data set and a sentence for each pair."""
        rows = self.report.crossings
        found = rows[(rows["experiment"] == experiment) & (rows["score"] == metric)]
        return [f"`{row['dataset']}`: {row['words'][0].lower()}{row['words'][1:]}" for _, row in found.iterrows()]

    def sides(self, metric: str) -> list[tuple[str, float, float]]:
        """A score of the best model of each side, (data set, discriminative, generative), where both have it."""
        found = []
        for row in self.report.verdicts.itertuples():
            models = [_row(self.report.scores, f"{row.dataset}-{name}", metric) for name in row[4:6]]
            if all(model is not None for model in models):
                found.append((row.dataset, *(float(model["mean"]) for model in models)))
        return found

    def best(self, dataset: str) -> str:
        """Table of the models of a data set, the best first, as Markdown."""
        best = self.report.best()
        rows = best[best["dataset"] == dataset]
        lines = [f"| {row['model']} | {row['family']} | {_with_interval(row)} |" for _, row in rows.iterrows()]
        return "\n".join([f"| model | family | {table.label(self.deciding[dataset])} |", "|---|---|---|", *lines])


def _row(frame: pd.DataFrame, cell: str, metric: str) -> pd.Series[Any] | None:
    found = frame[(frame["cell"] == cell) & (frame["metric"] == metric) & frame["mean"].notna()]
    return None if found.empty else found.iloc[0]


def _with_interval(row: Any) -> str:
    span = formatting.span(row["low"], row["high"]) if row["low"] == row["low"] else ""
    return formatting.score(row["mean"]) + (f" ({span})" if span else "")


def _side(family: str) -> str:
    return "discriminative" if family == "discriminative" else "generative"


def _is_ranked(metric: str) -> bool:
    known = table.known(metric)
    return known.shown in SHOWN and known.has_direction
