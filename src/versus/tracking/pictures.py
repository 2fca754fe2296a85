"""The pictures of a run: confusion and calibration of a classifier, samples of a generator.

matplotlib's Figure is used without pyplot: no global state, no display, and half the import. It is imported with this
module, that is, when the publisher starts, and not while the first cell waits.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from versus.data import spaces
from versus.data.schema import Schema

MOST_CLASSES_WITH_NUMBERS = 12
MOST_SAMPLES = 100
SAMPLE_PIXELS = 48  # about how large one sample is drawn


def draw(evaluation: Path, schema: Schema, out: Path) -> None:
    """Draw what an evaluation's files allow into ``out``: classification.png, samples.png or samples.csv."""
    if (evaluation / "confusion.csv").is_file():
        _draw_classification(evaluation, schema, out / "classification.png")
    if (evaluation / "samples.npy").is_file():
        samples = np.load(evaluation / "samples.npy", allow_pickle=False)
        labels = np.load(evaluation / "sample_labels.npy", allow_pickle=False)
        if isinstance(schema.x, spaces.Image):
            _draw_images(samples, labels, schema, out / "samples.png")
        else:
            _write_table(samples, labels, schema, out / "samples.csv")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _draw_classification(evaluation: Path, schema: Schema, out: Path) -> None:
    figure = Figure(figsize=(9, 4.2), dpi=80)
    confusion, reliability = figure.subplots(1, 2)
    _draw_confusion(confusion, evaluation / "confusion.csv", schema)
    if (evaluation / "reliability.csv").is_file():
        _draw_reliability(reliability, evaluation / "reliability.csv")
    figure.subplots_adjust(left=0.12, right=0.98, bottom=0.2, top=0.92, wspace=0.25)
    FigureCanvasAgg(figure).print_png(out)  # type: ignore[no-untyped-call]


def _draw_confusion(axes: Axes, path: Path, schema: Schema) -> None:
    counts = np.zeros((schema.n_classes, schema.n_classes))
    for row in _rows(path):
        counts[int(row["true"]), int(row["predicted"])] = float(row["count"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(title="Confusion (counts over all repeats)", xlabel="predicted", ylabel="true")
    if schema.n_classes > MOST_CLASSES_WITH_NUMBERS:
        return
    names = [name if len(name) <= 12 else name[:11] + "…" for name in schema.classes]
    places = range(schema.n_classes)
    # parse_math off: class names are the user's, a $ in them is a $
    axes.set_xticks(places, names, rotation=45, ha="right", parse_math=False)
    axes.set_yticks(places, names, parse_math=False)
    for true, predicted in np.argwhere(counts > 0):
        colour = "white" if shares[true, predicted] > 0.5 else "black"
        text = f"{counts[true, predicted]:.0f}"
        axes.text(predicted, true, text, ha="center", va="center", color=colour, fontsize=8)


def _draw_reliability(axes: Axes, path: Path) -> None:
    rows = [row for row in _rows(path) if float(row["count"]) > 0]
    confidence = [float(row["confidence"]) for row in rows]
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle=":")
    axes.plot(confidence, [float(row["accuracy"]) for row in rows], marker="o", markersize=4)
    axes.set(title="Reliability", xlabel="mean confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))


def _draw_images(samples: NDArray[Any], labels: NDArray[Any], schema: Schema, out: Path) -> None:
    """Samples sorted by class on one sheet, each pixel a square."""
    order = np.argsort(labels, kind="stable")[:: max(1, math.ceil(len(samples) / MOST_SAMPLES))]
    images = np.clip(samples[order].astype(float) / ((schema.levels or 2) - 1), 0, 1)  # (n, H, W[, C])
    columns = math.ceil(math.sqrt(len(images)))
    images = np.concatenate([images, np.ones((-len(images) % columns, *images.shape[1:]))])
    framed = np.pad(images, [(0, 0), (0, 1), (0, 1), *[(0, 0)] * (images.ndim - 3)], constant_values=1)
    height, width = framed.shape[1:3]
    grid = framed.reshape(-1, columns, *framed.shape[1:]).swapaxes(1, 2)
    sheet = (grid.reshape(-1, columns * width, *framed.shape[3:]).squeeze() * 255).astype(np.uint8)
    scale = max(1, SAMPLE_PIXELS // max(height, width))
    picture = Image.fromarray(sheet)
    picture.resize((sheet.shape[1] * scale, sheet.shape[0] * scale), Image.Resampling.NEAREST).save(out)


def _write_table(samples: NDArray[Any], labels: NDArray[Any], schema: Schema, out: Path) -> None:
    """Samples with the original column and class names."""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(column.name for column in schema.columns), schema.target])
        for values, label in zip(samples[:MOST_SAMPLES], labels, strict=False):
            row = [_original(value, c.categories) for value, c in zip(values, schema.columns, strict=True)]
            writer.writerow([*row, _class_or_value(label, schema)])


def _class_or_value(label: float, schema: Schema) -> str:
    """A class name, a regression value, or nothing for a generator that knows no classes (-1)."""
    if not schema.classes:
        return repr(float(label))
    return schema.classes[int(label)] if label >= 0 else ""


def _original(value: float, categories: tuple[str, ...] | None) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.6g}" if categories is None else categories[int(value)]
