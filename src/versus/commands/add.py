"""``versus add``: add the user's own file as a data set with cells, or learning curves of cells."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from versus import params as parameters
from versus import params_editing
from versus.data.errors import listed, unknown
from versus.data.inspect.inspection import Proposal, inspect
from versus.data.preparation import parse
from versus.data.targets import Classes
from versus.metrics import table
from versus.models import catalogue
from versus.models.fit_times import Size, steps_of
from versus.models.suggestions import Suggestion, suggest
from versus.pipeline import shares
from versus.pipeline.doctor import dvc_files
from versus.settings import Cell

LONG = 1800  # seconds beyond which fewer rows are recommended
QUICK = 1.0  # seconds of a fit: of models that take less, the one that is listed first is taken

# Options that are keys of the data set's line in params.yaml: what is given is not guessed.
_TEXTS = (
    ("delimiter", "CHARACTER", "character between the values"),
    ("decimal", "CHARACTER", "decimal mark"),
    ("encoding", "NAME", "the encoding of the text"),
    ("task", "TASK", "classification or regression"),
    ("group", "COLUMN", "the rows of one group stay in one part"),
    ("time", "COLUMN", "the test rows are the latest"),
    ("weight", "COLUMN", "weight of each row, in fits and in scores"),
    ("sequence", "COLUMN", "the rows of one value are steps of a sequence, and the target is their tags"),
)
_COLUMNS = (
    ("categorical", "columns to read as categories"),
    ("numeric", "columns to read as numbers"),
    ("drop", "columns to leave out"),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    text = "a table, arrays, images or texts: a file or a folder of them (with --experiment also a data set or a cell)"
    parser.add_argument("path", type=Path, help=text)
    parser.add_argument(
        "--target", metavar="COLUMN", help="column to predict (default: guessed, and named in the output)"
    )
    parser.add_argument(
        "--header", action=argparse.BooleanOptionalAction, help="the first row names the columns, or does not"
    )
    for name, metavar, what in _TEXTS:
        parser.add_argument(f"--{name}", metavar=metavar, help=what)
    for name, what in _COLUMNS:
        parser.add_argument(f"--{name}", metavar="COLUMN", nargs="+", action="extend", help=what)
    parser.add_argument("--test", type=Path, metavar="FILE", help="official test set, a file in the same folder")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", nargs="+", action="extend", default=[], help="any key of the data set's line"
    )
    text = "add learning curves by rows: of the quickest cell of each family, or of the cell that is named"
    parser.add_argument("--experiment", action="store_true", help=text)
    parser.add_argument("--name", help="name of the data set (default: that of the file)")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="the file to add it to")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be added")


def run(options: argparse.Namespace) -> int:
    """Inspect the file, print the findings, and add it; params.yaml keeps its comments."""
    known = parameters.read(options.params)
    if options.experiment and (cells := _known_cells(known, options.path)):
        return _add_curves(options, cells)
    base = options.params.parent
    proposal = inspect(options.path, options.target, base, options.name, **_given(options))
    if proposal.name in known.datasets or proposal.name in known.files:
        raise ValueError(f"{options.params} has a data set {proposal.name!r} already; choose another with --name")
    print(proposal.describe())
    for line in proposal.findings(known.seed).lines():
        print(f"finding: {line}")
    schema, found = proposal.dataset.schema, proposal.dataset.X
    size = Size.of(schema, len(found), steps_of(found))
    suggestions, left_out = suggest(schema, len(found), steps_of(found), complete=proposal.is_complete)
    primary = _primary(proposal, known.comparison.primary)
    if primary is not None:
        print(f"note: {primary} decides which model is best (`primary` under `comparison`), for a class is rare")
    print("Cells: " + ", ".join(f"{proposal.name}-{s.model}" for s in suggestions))
    print(_estimate(suggestions, left_out, size, proposal))
    curves = []
    if options.experiment:
        ordered = sorted(suggestions, key=lambda s: max(s.cost(size), QUICK))
        named = ((f"{proposal.name}-{s.model}", s) for s in ordered)
        curves = _quickest(Cell(name, proposal.name, s.family, s.module, s.class_name, s.args) for name, s in named)
        print(_said_of(curves, proposal.name))
    if options.dry_run:
        return 0
    expect_no_plain_repro(base)
    write(options.params, proposal.name, proposal.entry, suggestions, primary, curves)
    print(f"Added to {options.params}; `dvc repro` runs them, and nothing else.")
    if not known.tuning.trials:
        print("Nothing is tuned; `tuning: {trials: 20}` tries 20 arguments for each cell, on validation rows.")
    if not is_tracked(base / proposal.entry["path"]):
        path = proposal.entry["path"]
        print(
            f"note: neither git nor DVC tracks {path}; `dvc exp run --queue` and `--temp` work in a copy of what is "
            f"tracked, and want `--copy-paths {path}`, or before them `git add {path}` or `dvc add {path}`"
        )
    return 0


def _known_cells(params: parameters.Params, asked: Path) -> list[Cell]:
    """Return the cells of params.yaml that a name stands for, its own or its data set's; none for that of a file.

    Raises:
        ValueError: where there is neither.
    """
    every = list(parameters.cells(params))
    found = [cell for cell in every if str(asked) in (cell.name, cell.dataset)]
    if not found and not asked.exists():
        names = dict.fromkeys([*(cell.name for cell in every), *(cell.dataset for cell in every)])
        raise ValueError(unknown("file, data set or cell", str(asked), names))
    return found


def _add_curves(options: argparse.Namespace, cells: list[Cell]) -> int:
    """Let one cell, or the quickest of each family, take part in the experiment of its data set."""
    costs = options.params.parent / "reports" / "costs.csv"
    seconds = shares.read_training_times(costs.read_text(encoding="utf-8")) if costs.is_file() else {}
    curves = _quickest(sorted(cells, key=lambda cell: max(seconds.get(cell.name, 0.0), QUICK)))
    print(_said_of(curves, cells[0].dataset))
    if not options.dry_run:
        expect_no_plain_repro(options.params.parent)
        with params_editing.edited(options.params) as tree:
            params_editing.add_learning_curves(tree, cells[0].dataset, curves)
        print(f"Added to {options.params}; `versus repro` runs it.")
    return 0


def _quickest(cells: Iterable[Cell]) -> list[str]:
    """Return the first cell of each family that predicts something, baselines aside.

    Raises:
        ValueError: where none does.
    """
    found: dict[str, str] = {}
    for cell in (every := list(cells)):
        if not cell.is_baseline and catalogue.task(cell.family, cell.module, cell.class_name) is not None:
            found.setdefault(cell.family, cell.name)
    if not found:
        names = listed((cell.name for cell in every), 3)
        raise ValueError(f"--experiment: learning curves are of predictions, and of {names} none predicts anything")
    return list(found.values())


def _said_of(curves: list[str], dataset: str) -> str:
    return f"Experiment {dataset}_size: {', '.join(curves)} on ever more rows, which takes about four times their fits."


def expect_no_plain_repro(root: Path) -> None:
    """Check that no plain `dvc repro` is at work, whose later stages would read the edited params.

    Raises:
        ValueError: naming the process; `versus repro` stands an edit.
    """
    for process in dvc_files.dvc_at_work(root):
        words = process.cmdline()
        if {"repro", "exp"} & set(words):
            raise ValueError(
                f"`{' '.join(words)}` (process {process.pid}) is at work here and would fail at its end if params.yaml "
                "changed now: run this again when it has ended. `versus repro` stands such edits"
            )


def is_tracked(path: Path) -> bool:
    """Tell if git or DVC tracks a file, or all of a folder's; True where there is no git."""
    if any(Path(f"{parent}.dvc").is_file() for parent in (path, *path.parents)):
        return True
    command = ["git", "ls-files", "--others", "--", str(path.resolve())]
    found = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    return bool(found.returncode) or not found.stdout.strip()


def _estimate(chosen: list[Suggestion], left_out: list[Suggestion], size: Size, proposal: Proposal) -> str:
    """Describe what the cells take, and what was left out for taking too long."""
    spec = parse(proposal.entry)
    repeats = spec.repeats or (1 if proposal.dataset.n_test else spec.folds)
    seconds = repeats * sum(s.cost(size) for s in chosen)
    memory = max(s.bytes(size) for s in chosen) / 2**30
    splits = f"{repeats} split{'s' if repeats != 1 else ''}"
    said = f"They take about {_duration(seconds)} on one core for {splits}, and up to {0.5 + memory:.1f} GiB."
    if left_out:
        each = ", ".join(f"{s.model} ({_duration(s.cost(size))} a fit)" for s in left_out)
        said += f" Not among them, for time or memory: {each}."
    if left_out or seconds > LONG:
        said += (
            " Fewer rows take less: `--set limit=5000`." if size.rows > 5000 else " Fewer columns take less: --drop."
        )
    return said


def _duration(seconds: float) -> str:
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 1):.0f} s"


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """Keys of the data set's line that the options set."""
    found = {name: getattr(options, name) for name in ("header", *(option[0] for option in (*_TEXTS, *_COLUMNS)))}
    if options.test is not None:
        if options.test.parent.resolve() != options.path.parent.resolve():
            raise ValueError(f"--test {options.test}: put it beside {options.path}; one folder is watched for changes")
        found["test_path"] = options.test.name
    for setting in options.set:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"--set {setting}: wants KEY=VALUE, such as --set limit=5000")
        try:
            found[key] = YAML(typ="safe").load(value)
        except YAMLError:  # a lone comma, say
            found[key] = value
    return {key: value for key, value in found.items() if value is not None}


def _primary(proposal: Proposal, chosen: Mapping[str, str]) -> str | None:
    """Return the score proposed to decide where a class is rare, unless the user chose one; else None."""
    dataset = proposal.dataset
    answer = dataset.schema.y
    if not isinstance(answer, Classes) or answer.rare(dataset.y) is None:
        return None
    usual = table.primary(chosen, answer.task, proposal.name) == table.primary({}, answer.task)
    return "balanced_accuracy_score" if usual else None


def write(
    path: Path,
    name: str,
    entry: dict[str, Any],
    suggestions: list[Suggestion],
    primary: str | None = None,
    curves: Sequence[str] = (),
) -> None:
    """Add a data set under ``files`` and its cells under their families.

    Args:
        path: of params.yaml.
        name, entry: the data set.
        suggestions: models of its cells.
        primary: its deciding score, if it is another than usual.
        curves: cells that get learning curves.

    Raises:
        ParamsError: where the result would not be valid; the file is then unchanged.
    """
    with params_editing.edited(path) as tree:
        params_editing.section(tree, "files")[name] = params_editing.on_one_line(entry)
        for s in suggestions:
            cell = {"data": name, "module": s.module, "class": s.class_name, **({"args": s.args} if s.args else {})}
            params_editing.section(tree, s.family)[f"{name}-{s.model}"] = params_editing.on_one_line(cell)
        if primary is not None:
            scores = params_editing.section(tree, "comparison").setdefault("primary", CommentedMap())
            scores[name] = primary
        if curves:
            params_editing.add_learning_curves(tree, name, curves)
