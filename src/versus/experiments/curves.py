"""Curves of scores by training-set size, both sides compared at each size, where they cross, and what is gained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from versus.data.prepared import Prepared
from versus.metrics.metric import Metric
from versus.settings import Cell
from versus.statistics.crossing import CurveBootstrap, crossing, interval

Floats = NDArray[np.float64]
Curves = Mapping[tuple[str, str], Floats]  # cell, score -> (B + 1, S), the curve itself and its resamples


@dataclass(frozen=True)
class Course:
    """Scores of one cell in one repeat.

    Args:
        rows: metric -> (S, draws, n) score of each test row after each fit; NaN where a fit failed.
        seconds: (S, draws) of each fit.
        skipped: size -> why a fit failed.
    """

    rows: dict[str, NDArray[np.float32]]
    seconds: NDArray[np.float64]
    skipped: dict[int, str]


class Named(Protocol):
    """Entrant of an experiment (`versus.experiments.fits.Entrant`)."""

    @property
    def name(self) -> str:
        """Name of the curve."""

    @property
    def cell(self) -> Cell:
        """Cell that is fitted."""


def compare(
    entrants: Sequence[Named],
    gains: Sequence[tuple[str, str]],
    courses: Mapping[str, Sequence[Course]],
    sizes: Sequence[int],
    metrics: Sequence[Metric],
    data: Prepared,
    confidence: float,
    seed: int,
) -> dict[str, Any]:
    """Return curves with intervals, differences of both sides and their crossings, as plain JSON types.

    Args:
        entrants: what was fitted; those that are a cell as it is are compared by side.
        gains: names of entrants with and without what is added.
        courses: entrant -> scores of each repeat.
        sizes: (S,) ascending.
        metrics: the scores.
        data: the data set, for the units of its test rows.
        confidence: of all intervals.
        seed: seed of the bootstrap.
    """
    test = [data.splits["test"][repeat] for repeat in range(data.repeats)]
    draws = courses[entrants[0].name][0].seconds.shape[1]
    units = [rows if data.units is None else data.units[rows] for rows in test]
    bootstrap = CurveBootstrap(units, draws, random_state=seed)
    curves = {
        (entrant.name, m.name): bootstrap.curve([course.rows[m.name] for course in courses[entrant.name]])
        for entrant, m in product(entrants, metrics)
    }
    cells = [entrant.cell for entrant in entrants if entrant.name == entrant.cell.name]
    of_gains = list(_gains(gains, metrics, curves, confidence))
    return {
        "cells": {entrant.name: entrant.cell.name for entrant in entrants},
        "sizes": list(sizes),
        "orders": draws * data.repeats,
        "confidence": confidence,
        "curves": [{"cell": c, "score": score, **_ends(of, confidence)} for (c, score), of in curves.items()],
        "pairs": list(_pairs(cells, metrics, sizes, curves, confidence)),
        "gains": of_gains,
        "skipped": sorted({(c, size, why) for c, of in courses.items() for o in of for size, why in o.skipped.items()}),
    }


def _gains(
    gains: Sequence[tuple[str, str]], metrics: Sequence[Metric], curves: Curves, confidence: float
) -> Iterator[dict[str, Any]]:
    """Compare each entrant with what is added to the same one without, at each size; positive is better."""
    for metric, (more, without) in product(metrics, gains):
        apart = curves[more, metric.name] - curves[without, metric.name]
        found = _ends(-apart if metric.lower_is_better else apart, confidence)
        yield {"score": metric.name, "with": more, "without": without, "difference": found}


def costs(courses: Mapping[str, Sequence[Course]]) -> dict[str, Any]:
    """Return the median seconds of a fit, cell -> (S,)."""
    seconds = {cell: np.median([course.seconds for course in of], axis=(0, 2)).tolist() for cell, of in courses.items()}
    return {"median_seconds_of_a_fit": seconds}


def _ends(curve: NDArray[np.float64], confidence: float) -> dict[str, list[float | None]]:
    low, high = interval(curve[1:], confidence)
    return {"value": _numbers(curve[0]), "low": _numbers(low), "high": _numbers(high)}


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _pairs(
    cells: Sequence[Cell], metrics: Sequence[Metric], sizes: Sequence[int], curves: Curves, confidence: float
) -> Iterator[dict[str, Any]]:
    """Compare each discriminative cell with each generative one, where both have scores at two sizes or more."""
    first = [cell.name for cell in cells if cell.family == "discriminative"]
    second = [cell.name for cell in cells if cell.family != "discriminative"]
    for metric, one, other in product(metrics, first, second):
        apart = curves[one, metric.name] - curves[other, metric.name]
        apart = -apart if metric.lower_is_better else apart
        known = np.isfinite(apart[0])
        if known.sum() < 2:
            continue
        at = np.asarray(sizes)[known].tolist()
        found = crossing(at, apart[:, known], confidence)
        yield {
            "score": metric.name,
            "discriminative": one,
            "generative": other,
            "sizes": at,
            "difference": _ends(apart[:, known], confidence),  # positive where the discriminative one is better
            "crossing": None if found is None else {k: v if np.isfinite(v) else None for k, v in asdict(found).items()},
        }
