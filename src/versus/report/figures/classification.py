"""Confusion matrices, reliability diagrams, ROC and precision-recall curves of classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.report import formatting
from versus.report.evaluation import Bin, Evaluation
from versus.report.figures.figure import Figure
from versus.report.figures.pixels import data_uri
from versus.report.figures.plot import Line, Mark, Scale, path, plot

SQUARES_UP_TO = 16  # classes; for more, a picture with a pixel for each pair
MOST_PIXELS = 300  # a side; of more classes, each pixel is a block of pairs
TOP, RIGHT, LONGEST = 30, 8, 14


@dataclass(frozen=True)
class Confusion:
    """The picture, and the most common mistakes as (true class, predicted class, count)."""

    figure: Figure
    mistakes: tuple[tuple[str, str, int], ...]


def confusion_matrix(evaluation: Evaluation, classes: Sequence[str]) -> Confusion | None:
    """Draw true classes as rows, predictions as columns, shares of the row as shades; None without counts."""
    found = evaluation.confusion
    if not sum(count for *_, count in found):
        return None
    block = -(-len(classes) // MOST_PIXELS)
    counts = np.zeros((-(-len(classes) // block),) * 2, dtype=np.int64)
    for true, predicted, count in found:
        counts[true // block, predicted // block] += count
    right = sum(count for true, predicted, count in found if true == predicted) / counts.sum()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    width, height, parts = _squares(counts, shares, classes) if len(classes) <= SQUARES_UP_TO else _picture(shares)
    figure = Figure(
        template="confusion.svg",
        title=f"{evaluation.cell.model}: confusion matrix",
        description=f"{formatting.percent(right)} of the test rows of all repeats are right",
        width=width,
        height=height,
        parts={"top": TOP, "squares": [], "labels": [], "slanted": False, "image": None, **parts},
    )
    return Confusion(figure, _mistakes(found, classes))


def _squares(
    counts: NDArray[np.int64], shares: NDArray[np.float64], classes: Sequence[str]
) -> tuple[int, int, Mapping[str, Any]]:
    k = len(classes)
    side = max(22, min(54, 300 // k))
    names = [formatting.shorten(c, LONGEST) for c in classes]
    longest = 7 * max(map(len, names))
    left, foot = 26 + longest, 8 + longest if longest > side else 18
    squares = [
        {
            "x": left + j * side,
            "y": TOP + i * side,
            "share": f"{shares[i, j]:.3f}",
            "dark": shares[i, j] > 0.5,
            "diagonal": i == j,
            "text": _compact(int(counts[i, j])) if counts[i, j] else "",
            "title": f"{classes[i]} taken for {classes[j]}: {counts[i, j]} ({formatting.percent(float(shares[i, j]))})",
        }
        for i, j in np.ndindex(k, k)
    ]
    labels = [{"at": (i + 0.5) * side, "name": name} for i, name in enumerate(names)]
    parts = {"squares": squares, "labels": labels, "left": left, "side": side, "length": k * side}
    return left + k * side + RIGHT, TOP + k * side + foot + 18, {**parts, "slanted": longest > side}


def _compact(count: int) -> str:
    """Format a count in at most four characters, to fit a small square."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}k" if count < 99_950 else f"{count // 1000}k"


def _picture(shares: NDArray[np.float64]) -> tuple[int, int, Mapping[str, Any]]:
    shade = np.zeros((*shares.shape, 4), dtype=np.uint8)
    shade[..., :3] = (200, 80, 20)
    shade[np.eye(len(shares), dtype=bool), :3] = (37, 99, 175)
    # The square root makes rare mistakes visible; a share of 0 stays transparent.
    shade[..., 3] = np.round(255 * np.sqrt(shares))
    return 340, 350, {"left": 30, "side": 1, "length": 300, "image": data_uri(shade)}


def _mistakes(
    counts: Sequence[tuple[int, int, int]], classes: Sequence[str], most: int = 3
) -> tuple[tuple[str, str, int], ...]:
    wrong = sorted((-count, true, predicted) for true, predicted, count in counts if true != predicted and count)
    return tuple((classes[true], classes[predicted], -count) for count, true, predicted in wrong[:most])


def reliability_diagram(evaluations: Sequence[Evaluation]) -> Figure | None:
    """Draw confidence against accuracy with its interval, a colour for each family; None without probabilities."""
    shown = [e for e in evaluations if e.reliability]
    if not shown:
        return None
    least = min(0.8, *(min(b.confidence, b.low) for e in shown for b in e.reliability))
    start = floor(10 * least) / 10
    x, y = Scale(start, 1, 46, 308), Scale(start, 1, 276, 10)
    lines, marks = [Line(path([(x(start), y(start)), (x(1), y(1))]), "diagonal", "right as often as it says")], []
    for e in shown:
        points = [(x(b.confidence), y(b.accuracy)) for b in e.reliability]
        lines.append(Line(path(points), f"line k {e.cell.group}", e.cell.model))
        for b, (at, right) in zip(e.reliability, points, strict=True):
            said = _hover(e.cell.model, b)
            lines.append(Line(path([(at, y(b.low)), (at, y(b.high))]), f"line k faint {e.cell.group}", said))
            marks.append(Mark(at, right, e.cell.group, said))
    description = "Accuracy against confidence for " + ", ".join(e.cell.model for e in shown)
    return plot("Reliability diagram", description, (("confidence", x), ("share that is right", y)), lines, marks)


def _hover(model: str, b: Bin) -> str:
    sure, right = formatting.percent(b.confidence), formatting.percent(b.accuracy)
    span = formatting.fixed_span(100 * b.low, 100 * b.high, 1)
    return f"{model}: {sure} sure, {right} right ({span}), {formatting.count(b.rows)} rows"


def curves(evaluations: Sequence[Evaluation]) -> list[Figure]:
    """Draw the ROC and the precision-recall curves, a colour for each family; empty where no model has them."""
    shown = [e for e in evaluations if e.curves]
    if not shown:
        return []
    x, y = Scale(0, 1, 46, 308), Scale(0, 1, 276, 10)
    guess = shown[0].curves[0][3]
    roc = [Line(path([(x(0), y(0)), (x(1), y(1))]), "diagonal", "guessing")]
    precision = [Line(path([(x(0), y(guess)), (x(1), y(guess))]), "diagonal", "guessing")]
    for e in shown:
        style = f"line k {e.cell.group}"
        area, average = (formatting.score(e.mean(name)) for name in ("roc_auc", "average_precision_score"))
        hits = [(x(0), y(0)), *((x(place), y(rate)) for place, rate, _, _ in e.curves)]
        roc.append(Line(path(hits), style, f"{e.cell.model}: area {area}"))
        found = [(x(place), y(share)) for place, _, share, _ in e.curves]
        precision.append(Line(path(found), style, f"{e.cell.model}: average precision {average}"))
    return [
        plot(title, "; ".join(line.title for line in lines), ((across, x), (up, y)), lines)
        for title, across, up, lines in (
            ("ROC curve", "false positive rate", "true positive rate", roc),
            ("Precision-recall curve", "recall", "precision", precision),
        )
    ]
