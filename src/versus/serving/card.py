"""Model card of a cell (Mitchell and others, "Model cards for model reporting", 2019): made from the files of its run.

It holds what the model is and predicts, its data, its arguments, its scores with the intervals of the report, its
limits as far as the data and the evaluation show them, and its provenance. Text from data is escaped.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

from versus import manifest, provenance
from versus.data import findings, prepared
from versus.data.prepared import Prepared
from versus.data.targets import Classes
from versus.metrics import table
from versus.models import find, persistence
from versus.models.model_files import skops_io
from versus.report import evaluation
from versus.report.section import escaped
from versus.serving.code import CODE
from versus.serving.prediction import REPEAT
from versus.settings import FAMILIES, Cell
from versus.workspace import Workspace

NAME = "README.md"
MOST_LISTED = 50  # columns, and 12 categories of each
_DIGITS = 4


def render(workspace: Workspace, cell: Cell, confidence: float = 0.95, fitted_on: str = "") -> str:
    """Write the card of an evaluated cell, as Markdown.

    Args:
        workspace: the workspace with the cell's files.
        cell: the cell.
        confidence: confidence of the report's intervals.
        fitted_on: what the model learned from, if it is not that of the first repeat (`versus.fitting.refit`).

    Raises:
        FileNotFoundError: if the cell is not evaluated.
        ValueError: if a file is damaged.
    """
    skops_io()  # before skops.card, which would take seconds to import it
    from skops.card import Card

    found = evaluation.read(workspace.evaluation(cell.name), cell)
    if found is None:
        raise FileNotFoundError(f"{cell.name} is not evaluated; `versus repro` evaluates it")
    data = prepared.read(workspace.prepared(cell.dataset))
    card = Card(None, template=None)
    card.add(**{cell.name: _about(cell, data)})
    card.add(**{f"{cell.name}/Intended use": _use(data)})
    card.add_table(description=_rows(data), **{f"{cell.name}/Data": _columns(data)})
    saved = workspace.model(cell.name) / str(REPEAT)
    card.add_table(
        description="Those that params.yaml gives, and the defaults of the others.",
        **{f"{cell.name}/Arguments": _arguments(saved)},
    )
    card.add_table(
        description=_tested(workspace, found, data, confidence, fitted_on),
        **{f"{cell.name}/Scores": _scores(workspace, found)},
    )
    card.add(**{f"{cell.name}/Limits": _limits(workspace, found)})
    card.add(**{f"{cell.name}/Provenance": _provenance(workspace, found, saved)})
    text = str(card.render()).strip() + "\n"
    return text.replace(f"\n## {cell.name}/", "\n## ")  # skops heads sections of tables by their whole path


def _about(cell: Cell, data: Prepared) -> str:
    model = find(cell.family, cell.module, cell.class_name)
    first = " ".join(cleandoc(model.__doc__ or "").split("\n\n")[0].split())
    side = "P(y|x)" if cell.family == "discriminative" else "P(x, y)"
    return (
        f"{cell.class_name}: {first}\n\nA {FAMILIES[cell.family]} model of {side}, for the data set {cell.dataset} "
        f"({escaped(data.schema.x.describe())})."
    )


def _use(data: Prepared) -> str:
    schema = data.schema
    target = escaped(schema.target or "no target")
    if isinstance(schema.y, Classes):
        what = f"It says which class of *{target}* an example is of, with probabilities: {_listed(schema.classes)}."
    else:
        what = f"Its target is *{target}* ({schema.y.task})."
    return (
        f"{what} It is for examples that come about as those of the data did. The scores below hold for such examples "
        "alone: they say nothing of other places, times or groups, nor of what an error costs, which who uses it must "
        "judge."
    )


def _rows(data: Prepared) -> str:
    parts = ", ".join(f"{len(data.rows(REPEAT, part))} in {part}" for part in prepared.PARTS)
    known = {key: data.about[key] for key in ("source", "licence", "citation", "url") if data.about.get(key)}
    told = "".join(f" {key.capitalize()}: {escaped(_plain(value))}." for key, value in known.items())
    return f"{data.about.get('rows', len(data.y))} examples; of the first split {parts}.{told}"


def _columns(data: Prepared) -> dict[str, list[str]]:
    columns = data.schema.columns
    shown = columns[:MOST_LISTED]
    names = [escaped(column.name) for column in shown]
    values = ["numbers" if c.categories is None else _listed(c.categories) for c in shown]
    if len(columns) > len(shown):
        names, values = [*names, f"and {len(columns) - len(shown)} more"], [*values, ""]
    if not columns:
        names, values = [escaped(data.schema.x.form)], [escaped(data.schema.x.describe())]
    return {"Column": names, "Values": values}


def _arguments(saved: Path) -> dict[str, list[str]]:
    given = persistence.arguments(saved) or {"none": ""}
    return {"Argument": list(given), "Value": [escaped(_plain(value)) for value in given.values()]}


def _tested(
    workspace: Workspace, found: evaluation.Evaluation, data: Prepared, confidence: float, fitted_on: str
) -> str:
    model = f"fitted on {fitted_on}" if fitted_on else "that of the first repeat"
    rows = _read(workspace.reports / "verdicts.csv", "dataset", found.cell.dataset)
    verdict = f" Of this data set the report says: {escaped(rows[0]['outcome'])}." if rows else ""
    return (
        f"Means over {data.repeats} repeats, each tested on {found.facts['n_test'][0]} examples that no model had "
        f"seen, with {confidence:.0%} intervals; the model here is {model}.{verdict}"
    )


def _scores(workspace: Workspace, found: evaluation.Evaluation) -> dict[str, list[str]]:
    reported = {row["metric"]: row for row in _read(workspace.reports / "comparison.csv", "cell", found.cell.name)}
    columns: dict[str, list[str]] = {"Score": [], "Mean": [], "Interval": []}
    for name in found.scores:
        ends = [reported.get(name, {}).get(end) for end in ("low", "high")]
        columns["Score"].append(escaped(table.label(name)))
        columns["Mean"].append(_number(found.mean(name)))
        columns["Interval"].append(" to ".join(_number(float(end)) for end in ends if end) or "none")
    return columns


def _limits(workspace: Workspace, found: evaluation.Evaluation) -> str:
    shown = findings.read(workspace.prepared(found.cell.dataset)).shown
    of_data = (f"**{f.code}**, {escaped(f'{f.where}: {f.what}. {f.why}. To do: {f.remedy}.')}" for f in shown)
    of_model = (
        f"{escaped(skip['what'])}: not measured, since {escaped(skip['reason'])}" for skip in found.facts["skipped"]
    )
    lines = [*of_data, *of_model]
    return _bullets(lines) if lines else "Nothing was found in the data, and every use was measured."


def _provenance(workspace: Workspace, found: evaluation.Evaluation, saved: Path) -> str:
    code = provenance.describe_code(CODE)
    commit = f"{code['commit']}{', with edits' if code['dirty'] else ''}" if code["commit"] else "not in git"
    facts: Mapping[str, Any] = {
        "code": commit,
        "model files": manifest.digest(persistence.files(saved))[:32],
        "data": manifest.sha256(workspace.prepared(found.cell.dataset) / manifest.NAME)[:32],
        "test rows": str(found.facts.get("test_hash", "unknown"))[:32],
        "libraries": ", ".join(f"{name} {version}" for name, version in provenance.describe_versions().items()),
    }
    return _bullets(f"{name}: {escaped(value)}" for name, value in facts.items())


def _read(path: Path, column: str, value: str) -> list[dict[str, str]]:
    """Rows of a table of the report with a value in a column; none where there is no report yet."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row[column] == value]


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _listed(names: Iterable[str], most: int = 12) -> str:
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(escaped(name) for name in every[:most]) + more


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}g}"
