"""Confusion matrices: squares where the classes are few, a picture where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from versus.report import formatting
from versus.report.evaluation import Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.pixels import data_uri

SQUARES_UP_TO = 16
TOP, RIGHT = 30, 8


@dataclass(frozen=True)
class Confusion:
    """The picture, and the commonest mistakes as (true class, predicted class, count)."""

    figure: Figure
    mistakes: tuple[tuple[str, str, int], ...]


def confusion_matrix(evaluation: Evaluation, classes: Sequence[str]) -> Confusion | None:
    """Rows are the truth, columns the prediction, shades the share of the row; None where there is nothing to show."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for true, predicted, count in evaluation.confusion:
        counts[true, predicted] = count
    if counts.sum() == 0:
        return None
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    few = len(classes) <= SQUARES_UP_TO
    figure = _squares(counts, shares, classes) if few else _picture(shares, len(classes))
    figure = Figure(
        template=figure.template,
        title=f"{evaluation.cell.model}: confusion matrix",
        description=f"{formatting.percent(np.trace(counts) / counts.sum())} of the test rows of all repeats are right",
        width=figure.width,
        height=figure.height,
        parts=figure.parts,
    )
    return Confusion(figure, _mistakes(counts, classes))


def _squares(counts: NDArray[np.int64], shares: NDArray[np.float64], classes: Sequence[str]) -> Figure:
    k = len(classes)
    side = max(22, min(54, 300 // k))
    longest = max(len(formatting.shorten(c, 14)) for c in classes)
    left = 26 + 7 * longest
    foot = 8 + 7 * longest if longest * 7 > side else 18
    squares = [
        {
            "x": left + j * side,
            "y": TOP + i * side,
            "share": f"{shares[i, j]:.3f}",
            "dark": shares[i, j] > 0.5,
            "diagonal": i == j,
            "count": int(counts[i, j]),
            "text": _compact(int(counts[i, j])) if counts[i, j] else "",
            "title": f"{classes[i]} taken for {classes[j]}: {counts[i, j]} ({formatting.percent(float(shares[i, j]))})",
        }
        for i in range(k)
        for j in range(k)
    ]
    labels = [{"at": (i + 0.5) * side, "name": formatting.shorten(c, 14)} for i, c in enumerate(classes)]
    return Figure(
        template="confusion.svg",
        title="",
        description="",
        width=left + k * side + RIGHT,
        height=TOP + k * side + foot + 18,
        parts={
            "squares": squares,
            "labels": labels,
            "left": left,
            "top": TOP,
            "side": side,
            "length": k * side,
            "slanted": longest * 7 > side,
            "foot": foot,
            "image": None,
        },
    )


def _compact(count: int) -> str:
    """At most four characters, to fit a small square."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}k" if count < 99_950 else f"{count // 1000}k"


def _picture(shares: NDArray[np.float64], k: int) -> Figure:
    shade = np.zeros((k, k, 4), dtype=np.uint8)
    wrong = ~np.eye(k, dtype=bool)
    shade[..., :3] = (37, 99, 175)
    shade[wrong, :3] = (200, 80, 20)
    # The square root lets rare mistakes be seen; a share of 0 stays clear.
    shade[..., 3] = np.round(255 * np.sqrt(shares))
    return Figure(
        template="confusion.svg",
        title="",
        description="",
        width=340,
        height=350,
        parts={
            "squares": [],
            "labels": [],
            "left": 30,
            "top": TOP,
            "side": 1,
            "length": 300,
            "slanted": False,
            "foot": 4,
            "image": data_uri(shade),
        },
    )


def _mistakes(counts: NDArray[np.int64], classes: Sequence[str], most: int = 3) -> tuple[tuple[str, str, int], ...]:
    wrong = counts * (1 - np.eye(len(classes), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [np.unravel_index(flat, wrong.shape) for flat in order]
    return tuple((classes[int(i)], classes[int(j)], int(wrong[i, j])) for i, j in pairs if wrong[i, j])
