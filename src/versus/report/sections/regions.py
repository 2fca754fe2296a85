"""Two-dimensional data: each model's decision regions and density, with test rows on top."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.pixels import data_uri
from versus.report.figures.plot import Line, Mark, Scale, path, plot
from versus.report.files import read_array

NAME, TITLE = "regions", "Decision regions"
MOST_POINTS = 250
MOST_PICTURES = 8  # of 20 kB each
SMOOTHING = 2.0  # points of the grid, the standard deviation of the kernel
PALETTE = (
    (37, 99, 175),
    (200, 80, 20),
    (20, 130, 95),
    (150, 60, 150),
    (130, 110, 20),
    (60, 60, 60),
    (0, 140, 170),
    (190, 40, 80),
)


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return a picture for each of the best models that were evaluated on a grid, best first."""
    ordered = dataset.ordered(list(dataset.evaluations), dataset.primary)
    pictures = ((e.cell, figure) for e in ordered if (figure := decision_regions(dataset, e)) is not None)
    drawn = list(islice(pictures, MOST_PICTURES))
    has_contours = any(figure.parts["lines"] for _, figure in drawn)
    has_bounds = any(e.facts.get("bound") for e in ordered)
    more = sum((e.folder / "grid.npy").is_file() for e in ordered) - len(drawn)
    return {"regions": drawn, "more": more, "has_contours": has_contours, "has_bounds": has_bounds} if drawn else None


def decision_regions(dataset: DatasetResults, evaluation: Evaluation) -> Figure | None:
    """Draw regions and density contours of the first repeat; None where the evaluation has no grid."""
    axes = read_array(evaluation.folder / "grid.npy")  # (2, G)
    probabilities = read_array(evaluation.folder / "grid_probabilities.npy")  # (G, G, K): first axis runs along y
    if axes is None or probabilities is None:
        return None
    log_density = read_array(evaluation.folder / "grid_log_prob.npy")  # (G, G)
    if log_density is not None and evaluation.facts.get("bound"):
        log_density = gaussian_filter(log_density, SMOOTHING, mode="nearest")  # a bound is a noisy estimate
    x = Scale(float(axes[0, 0]), float(axes[0, -1]), 44, 330)
    y = Scale(float(axes[1, 0]), float(axes[1, -1]), 296, 10)
    first, second = (column.name for column in dataset.prepared.schema.columns)
    return plot(
        f"{evaluation.cell.model}: decision regions" + (" and density" if log_density is not None else ""),
        "Shades are the class that is predicted, points the test rows of the first repeat by their class",
        ((first, x), (second, y)),
        _contours(axes, log_density, x, y) if log_density is not None else [],
        _points(dataset, x, y),
        data_uri(np.flipud(_shades(probabilities))),
    )


def _shades(probabilities: NDArray[Any]) -> NDArray[np.uint8]:
    """Colour each point by its most probable class, fainter where less certain: (G, G, K) -> (G, G, 4)."""
    k = probabilities.shape[2]
    colours = np.array([PALETTE[c % len(PALETTE)] for c in range(k)], dtype=np.uint8)
    surest = probabilities.max(axis=2)
    opacity = 30 + 90 * (surest - 1 / k) / (1 - 1 / k)
    return np.concatenate(
        [colours[probabilities.argmax(axis=2)], np.round(opacity)[..., None].astype(np.uint8)], axis=2
    )


def _contours(axes: NDArray[Any], log_density: NDArray[Any], x: Scale, y: Scale) -> list[Line]:
    """Lines of equal density that enclose 50, 80 and 95 % of the mass on the grid."""
    from contourpy import LineType, contour_generator

    density = np.exp(log_density - log_density.max())
    ordered = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(ordered) / ordered.sum()
    generator = contour_generator(x=axes[0], y=axes[1], z=density, line_type=LineType.Separate)
    found = []
    for share in (0.5, 0.8, 0.95):
        level = float(ordered[min(int(np.searchsorted(mass, share)), len(ordered) - 1)])
        title = f"densest region with {share:.0%} of the mass"
        # contourpy's return type depends on `line_type`; with Separate it is a list of (points, 2) arrays
        lines: list[NDArray[Any]] = generator.lines(level)  # type: ignore[assignment]
        found += [Line(path([(x(a), y(b)) for a, b in line]), "contour", title) for line in lines]
    return found


def _points(dataset: DatasetResults, x: Scale, y: Scale) -> list[Mark]:
    rows = dataset.tested.by_repeat[0][:MOST_POINTS]
    classes = dataset.prepared.schema.classes
    points = zip(np.asarray(dataset.prepared.X[rows], dtype=np.float64), dataset.prepared.y[rows], strict=True)
    return [Mark(x(a), y(b), f"c{label % 8}", classes[label]) for (a, b), label in points if np.isfinite((a, b)).all()]
