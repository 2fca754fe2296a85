"""Curves of scores by training-set size, the comparison of both sides at each size, and where they cross."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

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


def compare(
    cells: Sequence[Cell],
    courses: Mapping[str, Sequence[Course]],
    sizes: Sequence[int],
    metrics: Sequence[Metric],
    data: Prepared,
    confidence: float,
    seed: int,
) -> dict[str, Any]:
    """Return curves with intervals, differences of both sides and their crossings, as plain JSON types.

    Args:
        cells: the cells of both sides.
        courses: cell -> scores of each repeat.
        sizes: (S,) ascending.
        metrics: the scores.
        data: the data set, for the units of its test rows.
        confidence: of all intervals.
        seed: seed of the bootstrap.
    """
    test = [data.splits["test"][repeat] for repeat in range(data.repeats)]
    draws = courses[cells[0].name][0].seconds.shape[1]
    units = [rows if data.units is None else data.units[rows] for rows in test]
    bootstrap = CurveBootstrap(units, draws, random_state=seed)
    curves = {
        (cell.name, m.name): bootstrap.curve([course.rows[m.name] for course in courses[cell.name]])
        for cell, m in product(cells, metrics)
    }
    return {
        "cells": [cell.name for cell in cells],
        "sizes": list(sizes),
        "orders": draws * data.repeats,
        "confidence": confidence,
        "curves": [{"cell": c, "score": score, **_ends(of, confidence)} for (c, score), of in curves.items()],
        "pairs": list(_pairs(cells, metrics, sizes, curves, confidence)),
        "skipped": sorted({(c, size, why) for c, of in courses.items() for o in of for size, why in o.skipped.items()}),
    }


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
