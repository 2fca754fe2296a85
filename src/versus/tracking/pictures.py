"""Pictures of a run, drawn as in the report: confusion and reliability of a classifier, samples."""

from __future__ import annotations

from pathlib import Path

from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.report import evaluation
from versus.report.figures import samples
from versus.report.figures.classification import confusion_matrix, reliability_diagram
from versus.report.figures.figure import standalone
from versus.report.files import write_csv

MOST_SAMPLES = 100


def draw(folder: Path, schema: Schema, out: Path) -> None:
    """Draw the pictures of an evaluation into ``out``: confusion.svg, reliability.svg, samples.png or samples.csv."""
    found = evaluation.read(folder)
    if found is None:
        return
    confusion, reliability = confusion_matrix(found, schema.classes), reliability_diagram([found])
    if confusion is not None:
        (out / "confusion.svg").write_text(standalone(confusion.figure), encoding="utf-8")
    if reliability is not None:
        (out / "reliability.svg").write_text(standalone(reliability), encoding="utf-8")
    drawn, labels = found.samples, found.sample_labels
    if drawn is None or labels is None:
        return
    if isinstance(schema.x, Image):
        (out / "samples.png").write_bytes(samples.image_sheet(drawn, labels, schema, MOST_SAMPLES))
        return
    rows = (
        (*samples.values(drawn[i], schema, "{:.6g}".format), samples.label(labels[i], schema, repr))
        for i in range(min(MOST_SAMPLES, len(labels)))
    )
    write_csv(out / "samples.csv", (*samples.columns(schema), schema.target), rows)
