"""Pictures and tables of an evaluation, as files that MLflow's pages show among a run's artifacts."""

from __future__ import annotations

from pathlib import Path

from versus.data.schema import Schema
from versus.data.spaces import Image, Tokens

MOST_SAMPLES = 100  # in a picture


def draw(folder: Path, schema: Schema, out: Path) -> None:
    """Draw an evaluation as files: svg of confusion, reliability, graphs; png of filters, codes, samples; text; csv."""
    from versus.report import evaluation  # drawing takes libraries that most stages do without
    from versus.report.figures import samples
    from versus.report.figures.classification import confusion_matrix, reliability_diagram
    from versus.report.figures.figure import standalone
    from versus.report.figures.pixels import png
    from versus.report.files import write_csv
    from versus.report.sections import progression
    from versus.report.sections.codes import picture
    from versus.report.sections.learned import filter_sheet, graphs, texts

    found = evaluation.read(folder)
    if found is None:
        return
    confusion, reliability = confusion_matrix(found, schema.classes), reliability_diagram([found])
    if confusion is not None:
        (out / "confusion.svg").write_text(standalone(confusion.figure), encoding="utf-8")
    if reliability is not None:
        (out / "reliability.svg").write_text(standalone(reliability), encoding="utf-8")
    for i, figure in enumerate(graphs(found)[0]):
        (out / f"graph_{i}.svg").write_text(standalone(figure), encoding="utf-8")
    if learned := texts(found):
        (out / "learned.txt").write_text(learned, encoding="utf-8")
    if steps := found.facts.get("transitions"):
        shares = ((name, *map(repr, values)) for name, values in zip(steps["from"], steps["values"], strict=True))
        write_csv(out / "transitions.csv", ("from", *steps["to"]), shares)
    if found.filters is not None and isinstance(schema.x, Image):
        (out / "filters.png").write_bytes(png(filter_sheet(found.filters), scale=4))
    for name, images in found.pictures.items() if isinstance(schema.x, Image) else ():
        (out / f"{name}.png").write_bytes(png(picture(images, schema.levels), scale=4))
    if found.progression and isinstance(schema.x, Image):
        (out / "progression.png").write_bytes(png(progression.rows(found, schema.levels)[1], scale=4))
    if found.progression and isinstance(schema.x, Tokens):
        told = [f"--- after epoch {epoch}\n{text}\n" for epoch, text in progression.lines(found, schema.x)]
        (out / "progression.txt").write_text("\n".join(told), encoding="utf-8")
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
