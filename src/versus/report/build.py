"""Write the report of a workspace: one self-contained HTML file, Markdown, and the files of its numbers.

The page loads and sends nothing: its policy allows only its own style and script.
"""

from __future__ import annotations

import re
import shutil
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from versus import manifest
from versus.metrics import table as metric_table
from versus.report import files, formatting, number_files, results
from versus.report.figures.figure import TEMPLATES, draw, environment, standalone
from versus.report.results import Results
from versus.report.section import Shown, render_markdown, shown
from versus.report.sections import SECTIONS
from versus.settings import FAMILIES, Cell, Comparison
from versus.workspace import Workspace

TABLES = ("verdicts.csv", "comparison.csv", "inputs.csv", "columns.csv")  # what a later report compares itself with


def as_committed(workspace: Workspace) -> dict[str, str]:
    """Return the `TABLES` of the report that git holds, as text by name."""
    kept = ((name, files.committed(workspace.reports / name)) for name in TABLES)
    return {name: text for name, text in kept if text is not None}


def build(
    workspace: Workspace,
    cells: Iterable[Cell],
    provenance: Mapping[str, Any] | None = None,
    comparison: Comparison | None = None,
    experiments: Iterable[str] = (),
    before: Mapping[str, str] | None = None,
) -> None:
    """Write ``reports/``: the report as HTML and Markdown, tables as CSV, metrics/, figures/ and plots/.

    Args:
        workspace: where the evaluations are.
        cells: every cell of the params. Other files in ``reports/evaluations`` are not read; a cell without an
            evaluation is listed with the reason.
        provenance: origin of the results, nested mappings, sequences and scalars; shown unchanged. The entry "runs"
            maps cells to the queries for their MLflow runs.
        comparison: the rules of judgement.
        experiments: names of the experiments of the params.
        before: the `TABLES` of the report that this one follows, as text by name; the page says what changed.

    Raises:
        ValueError: if an evaluation's file, or a prepared data set, is damaged.
    """
    found = results.read(workspace, cells, provenance, comparison, experiments, before)
    for dataset in found.datasets:
        manifest.check(workspace.prepared(dataset.name))
    sections = shown(SECTIONS, found)
    reports = workspace.reports
    reports.mkdir(parents=True, exist_ok=True)
    number_files.write_scores(reports / "comparison.csv", found.datasets)
    number_files.write_costs(reports / "costs.csv", found.datasets)
    number_files.write_verdicts(reports / "verdicts.csv", found.verdicts)
    number_files.write_crossings(reports / "crossings.csv", found.experiments)
    number_files.write_gains(reports / "gains.csv", found.experiments)
    number_files.write_slices(reports / "slices.csv", found.datasets)
    number_files.write_columns(reports / "columns.csv", found.datasets)
    number_files.write_metrics(reports / "metrics", found.datasets)
    found.inputs.write(reports / "inputs.csv")
    number_files.write_plot_files(reports / "plots", found.datasets)
    _write_pictures(reports / "figures", sections)
    (reports / "report.md").write_text(render_markdown(sections), encoding="utf-8")
    (reports / "report.html").write_text(render_page(found, sections), encoding="utf-8")


def best_cells(workspace: Workspace, cells: Iterable[Cell], comparison: Comparison | None = None) -> dict[str, str]:
    """Return data set -> its best cell, where all its cells are evaluated (`Results.best_cells`).

    Raises:
        ValueError: if an evaluation's file is damaged.
    """
    return results.read(workspace, cells, {}, comparison).best_cells()


def _write_pictures(folder: Path, sections: Iterable[Shown]) -> None:
    """Write the pictures that report.md shows, which depend on scores only."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pictures = {name: figure for section in sections for name, figure in section.pictures.items()}
    for name, figure in pictures.items():
        (folder / name).write_text(standalone(figure), encoding="utf-8")
    if not pictures:
        (folder / ".gitkeep").touch()  # git keeps no empty folder, and DVC warns of one


def render_page(results: Results, sections: Sequence[Shown]) -> str:
    """Render the page. Style and script are inline, and the page's policy allows them by their hashes only."""
    # These two files are our own and contain no data: they need no escaping, and escaping would break them.
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    script = Markup((TEMPLATES / "table.js").read_text(encoding="utf-8"))
    return (
        _with_filters(environment())
        .get_template("page.html")
        .render(
            results=results,
            sections=sections,
            style=style,
            script=script,
            style_hash=source_hash(style),
            script_hash=source_hash(script),
        )
    )


def _with_filters(made: Environment) -> Environment:
    made.filters |= {
        "score": formatting.score,
        "percent": formatting.percent,
        "p_value": formatting.p_value,
        "times": formatting.times,
        "breakable": breakable,
        "is_hash": lambda text: re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) is not None,
        "count": formatting.count,
        "estimate": formatting.estimate,
        "shorten": formatting.shorten,
        "label": metric_table.label,
        "lower_is_better": metric_table.lower_is_better,
    }
    made.globals |= {
        "span": formatting.span,
        "groups": {**FAMILIES, "baseline": "baseline"},
        "draw": lambda figure: draw(figure, made),
        "render": lambda section: _section(made, section),
    }
    return made


def _section(made: Environment, section: Shown) -> Markup:
    """Render a section's template, which is given only the section's content."""
    return Markup(made.get_template(f"sections/{section.name}.html").render(section.content))


def breakable(name: str) -> Markup:
    """Allow a line break after each underscore of a name; copied text does not change."""
    return Markup("_<wbr>").join(name.split("_"))


def source_hash(text: str) -> str:
    """Return the hash source by which a Content-Security-Policy allows an inline style or script."""
    return "sha256-" + b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")
