"""Pictures of the models, drawn from what a run has left in ``reports/evaluations`` by the report's own figures.

Git does not track those folders: where they are missing nothing is drawn, and the pages say how to make them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from versus.data.spaces import Image
from versus.report import results
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.report.figures.classification import confusion_matrix
from versus.report.figures.figure import standalone
from versus.report.figures.pixels import png
from versus.report.figures.plot import Mark, plot, scale
from versus.report.figures.samples import image_sheet
from versus.report.sections import codes, learned
from versus.report.sections.curves import learning_curves
from versus.report.sections.regions import decision_regions
from versus.settings import Cell
from versus.workspace import Workspace

FIRST = ("moons", "digits")  # data sets that show most of a model
DRAWN, WIDEST, MOST_POINTS = 100, 320, 400  # images on a sheet, pixels of a sheet, points of a plot


class Picture(NamedTuple):
    """A picture of a cell: its file and what it shows."""

    cell: Cell
    file: Path
    caption: str


def draw(folder: Path, cells: Iterable[Cell], into: Path) -> list[Picture]:
    """Draw what the evaluations of a project have of each cell, those on moons and digits first."""
    found = results.read(Workspace(folder), cells)
    drawn = []
    for dataset in sorted(found.datasets, key=lambda d: FIRST.index(d.name) if d.name in FIRST else len(FIRST)):
        for evaluation in dataset.evaluations:
            for name, data, caption in _pictures(dataset, evaluation):
                into.mkdir(parents=True, exist_ok=True)
                file = into / f"{evaluation.cell.name}-{name}"
                file.write_bytes(data)
                drawn.append(Picture(evaluation.cell, file, f"{caption} ({dataset.name})"))
    return drawn


def _pictures(dataset: DatasetResults, evaluation: Evaluation) -> Iterator[tuple[str, bytes, str]]:
    """Yield (file, content, caption) of what is most telling of a model; its learning curves where nothing else is."""
    found = [*_own(dataset, evaluation), *_answers(dataset, evaluation)]
    if not found and (curves := learning_curves(evaluation)) is not None:
        found = [("curves.svg", standalone(curves[0]).encode(), "Losses by epoch, a line for each repeat")]
    yield from found


def _own(dataset: DatasetResults, evaluation: Evaluation) -> Iterator[tuple[str, bytes, str]]:
    """Pictures of the model itself: its regions, what it draws, what it has learned."""
    schema = dataset.prepared.schema
    regions = decision_regions(dataset, evaluation)
    if regions is not None:
        said = "Shades are predicted classes, points are test rows"
        said += ", lines enclose 50, 80 and 95 % of the density" if regions.parts["lines"] else ""
        yield "regions.svg", standalone(regions).encode(), said
    if isinstance(schema.x, Image):
        if evaluation.samples is not None:
            sheet = image_sheet(evaluation.samples, evaluation.sample_labels, schema, DRAWN)
            yield "samples.png", sheet, "Images that it drew"
        for name in ("rebuilt", "traversals", "translated"):
            if name in evaluation.pictures:
                pixels = codes.picture(evaluation.pictures[name], schema.levels)
                yield f"{name}.png", png(pixels, max(1, WIDEST // pixels.shape[1])), codes.CAPTIONS[name].capitalize()
        if evaluation.filters is not None:
            pixels = learned.filter_sheet(evaluation.filters)
            yield "filters.png", png(pixels, max(1, WIDEST // pixels.shape[1])), "Weights of its hidden units"
    for figure in learned.graphs(evaluation)[0][:1]:
        yield "graph.svg", standalone(figure).encode(), figure.title


def _answers(dataset: DatasetResults, evaluation: Evaluation) -> Iterator[tuple[str, bytes, str]]:
    """Pictures of its answers: the classes that it takes for each other, or predicted values against true ones."""
    if dataset.task == "classification" and dataset.name != "moons":
        confusion = confusion_matrix(evaluation, dataset.prepared.schema.classes)
        if confusion is not None:
            yield (
                "confusion.svg",
                standalone(confusion.figure).encode(),
                "True classes in rows, predicted ones in columns",
            )
    if dataset.task == "regression" and evaluation.predictions is not None and dataset.targets is not None:
        true, found = dataset.targets[0][:MOST_POINTS], evaluation.predictions[0][:MOST_POINTS]
        both = np.concatenate([true, found]).tolist()
        x, y = scale(both, 62, 348), scale(both, 296, 10)
        marks = [Mark(x(t), y(p), evaluation.cell.group, f"{p:g} for {t:g}") for t, p in zip(true, found, strict=True)]
        said = "Predicted values against true ones"
        figure = plot(f"{evaluation.cell.model}: {said.lower()}", said, (("true", x), ("predicted", y)), (), marks)
        yield "values.svg", standalone(figure).encode(), f"{said}, test rows of the first repeat"


def draw_sides(rows: Sequence[tuple[str, float, float]], label: str, file: Path) -> None:
    """Draw a score of the best model of each side, (data set, discriminative, generative), a line for each data set."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": file.name, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(6.4, 0.36 * len(rows) + 1), layout="constrained")
        axes = figure.subplots()
        for i, (_, *ends) in enumerate(rows):
            axes.plot(ends, [i, i], color="0.75", zorder=1)
        names, first, second = zip(*rows, strict=True)
        sides = ("discriminative", first, "#2563af", "o"), ("generative", second, "#c85014", "s")
        for name, values, colour, mark in sides:
            axes.scatter(values, range(len(rows)), color=colour, marker=mark, label=f"best {name} model", zorder=2)
        axes.set_yticks(range(len(rows)), names)
        axes.invert_yaxis()
        axes.set_xlabel(label)
        figure.legend(loc="outside upper center", ncols=2, frameon=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, metadata={"Date": None}, facecolor="white")
