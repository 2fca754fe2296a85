"""The pipeline from Python: compare models on a DataFrame, and read what a project has found.

`compare` makes the same folders as the command line: a workspace with params.yaml, data, models and reports, in which
``versus repro`` runs what has changed, and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ruamel.yaml import YAML

from versus import params as parameters
from versus.arrays import Ragged
from versus.data import prepared
from versus.data.errors import DataError, unknown
from versus.data.inspect.inspection import Proposal, inspect
from versus.data.preparation import parse
from versus.data.prepared import Part
from versus.data.spaces import Image
from versus.data.targets import Classes
from versus.metrics import table
from versus.models import catalogue, find
from versus.models.fit_times import Size, steps_of
from versus.models.suggestions import Suggestion, suggest
from versus.plugins import use
from versus.serving import frames, prediction, sequences
from versus.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "versus-runs"
OVERHEAD = 3.0  # seconds that a cell takes besides its fits


@dataclass(frozen=True)
class Fitted:
    """A cell's fitted model, in the terms of its data: original columns, categories and labels.

    Args:
        cell: name of the cell.
        model: the model itself, which takes and gives codes.
    """

    cell: str
    model: Any = field(repr=False)

    def predict(self, data: Any, unseen: frames.Unseen = "error") -> pd.DataFrame:
        """Predict each row of a frame: the prediction, with probabilities of classes or the ends of an interval.

        Raises:
            DataError: where the data do not fit the model.
        """
        return prediction.predict(self.model, data, unseen)

    def sample(self, n: int, label: Any = None, random_state: int | None = None) -> Any:
        """Draw ``n`` rows of P(x, y), or of one class; a frame, or images (n, *event).

        Raises:
            DataError: for a model of P(y|x), or an unknown class.
        """
        return prediction.sample(self.model, n, label, random_state)


@dataclass(frozen=True)
class Report:
    """What a project has found, as DataFrames; shown as HTML in a notebook.

    Args:
        folder: the project, or a workspace of `compare` or ``versus run``.
    """

    folder: Path

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """One row a data set, with the best model of each side, their difference with its interval, and the outcome."""
        return self._table("verdicts")

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row for each cell and metric, with mean and interval."""
        return self._table("comparison")

    @cached_property
    def costs(self) -> pd.DataFrame:
        """One row for each cell and cost, times and memory."""
        return self._table("costs")

    @cached_property
    def crossings(self) -> pd.DataFrame:
        """One row for each experiment, score and pair, with the rows at which one side overtakes the other."""
        return self._table("crossings")

    @property
    def page(self) -> Path:
        """The page with all of it, for a browser."""
        return (self.folder / "reports" / "report.html").resolve()

    def best(self, metric: str | None = None) -> pd.DataFrame:
        """Return the cells of each data set by one metric, the best first; by default that of its verdict.

        Raises:
            ValueError: if no cell has the metric.
        """
        deciding = dict(zip(self.verdicts["dataset"], self.verdicts["score"], strict=True))
        scores = self.scores
        wanted = scores["metric"] == (scores["dataset"].map(deciding) if metric is None else metric)
        if metric is not None and not wanted.any():
            raise ValueError(unknown("metric", metric, sorted(set(scores["metric"]))))
        found = scores[wanted][["dataset", "model", "family", "metric", "mean", "low", "high"]]
        sign = np.array([1.0 if table.lower_is_better(name) else -1.0 for name in found["metric"]])
        order = sign * found["mean"]
        return found.assign(order=order).sort_values(["dataset", "order"]).drop(columns="order").reset_index(drop=True)

    def load(self, cell: str) -> Fitted:
        """Load a cell's fitted model; see `load`."""
        return load(cell, self.folder)

    def dataset(self, name: str) -> Data:
        """Return one data set; see `dataset`."""
        return dataset(name, self.folder)

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        path = self.folder / "reports" / f"{name}.csv"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; run `versus repro` in {self.folder.resolve()} first")
        return pd.read_csv(path)

    def _repr_html_(self) -> str:
        rows = [
            f"<p><b>{escape(str(row.dataset))}</b>: {escape(str(row.outcome))}; use "
            f"<code>{escape(str(row.use))}</code> (best of each side: {escape(str(row.discriminative))}, "
            f"{escape(str(row.generative))}).</p>"
            for row in self.verdicts.itertuples()
        ]
        link = f'<p><a href="{escape(self.page.as_uri())}">The whole report</a></p>'
        return "".join(rows) + self.best().to_html(index=False, float_format="{:.3f}".format) + link


@dataclass(frozen=True)
class Data:
    """A prepared data set in the terms of its file.

    Args:
        name: its name.
        prepared: its arrays and splits.
    """

    name: str
    prepared: prepared.Prepared = field(repr=False)

    def part(self, part: Part = "train", repeat: int = 0) -> Any:
        """Return the rows of a part in one repeat: a frame with the target, or images (n, *event) and labels (n,).

        Raises:
            ValueError: for an unknown part or repeat.
        """
        if part not in self.prepared.splits:
            raise ValueError(unknown("part", part, self.prepared.splits))
        if not 0 <= repeat < self.prepared.repeats:
            raise ValueError(f"unknown repeat {repeat!r}; there are 0 to {self.prepared.repeats - 1}")
        X, y = self.prepared.take(repeat, part)
        schema = self.prepared.schema
        labels = prediction.labels(schema.classes)[y] if isinstance(schema.y, Classes) else y
        if isinstance(schema.x, Image):
            return X, labels
        rows = sequences.decode(X, schema) if isinstance(X, Ragged) else frames.decode(X, schema)
        return rows if isinstance(y, Ragged) or not schema.target else rows.assign(**{schema.target: labels})


def compare(
    frame: pd.DataFrame,
    target: str,
    models: Sequence[str] | None = None,
    minutes: float | None = None,
    name: str = "data",
    folder: str | Path = FOLDER,
    plugins: Sequence[str] = (),
    **given: Any,
) -> Report:
    """Compare models of P(y|x) with models of P(x, y) on a table.

    Args:
        frame: one row for each example; columns of numbers, texts, categories or dates.
        target: column to predict: classes, or numbers for a regression.
        models: names of models that ``versus add`` suggests, or of classes that ``versus models`` lists; by default
            what suits the data and its size, and the models of the packages in ``plugins``.
        minutes: about how long it may take; models that would take longer are left out, and a cell that does counts as
            failed. By default there is no limit.
        name: name of the data set, in small letters, digits and underscores.
        folder: where the workspace ``<folder>/<name>`` is made; a second call with the same name runs what has changed.
        plugins: packages of yours with models and metrics, as under ``plugins`` of params.yaml.
        given: keys of a data set's line in params.yaml, such as ``group``, ``time``, ``weight``, ``drop``, ``folds``.

    Returns:
        The verdict, the scores, and the models.

    Raises:
        DataError: if the table cannot be learnt.
        ValueError: for an unknown model or package, or if nothing fits into the time.
        RuntimeError: if the run fails; its output says why.
    """
    use(plugins, Path())
    workspace = Path(folder).resolve() / name
    workspace.mkdir(parents=True, exist_ok=True)
    file = workspace / "data.parquet"
    if target not in frame.columns:
        raise DataError(unknown("column", target, map(str, frame.columns)))
    frame.reset_index(drop=True).to_parquet(file, index=False)
    proposal = inspect(file, target, workspace, name, **given)
    cells = _chosen(proposal, models, minutes)
    limit = None if minutes is None else 60 * minutes
    tree: dict[str, Any] = {"seed": 0, "plugins": list(plugins), "training": {"time_limit": limit}}
    tree["files"] = {name: proposal.entry}
    for cell, suggestion in cells.items():
        line = {"data": name, "module": suggestion.module, "class": suggestion.class_name, "args": suggestion.args}
        tree.setdefault(suggestion.family, {})[cell] = line
    with tempfile.TemporaryDirectory() as temporary:
        params = Path(temporary) / f"{name}.yaml"
        YAML(typ="safe").dump(tree, params)
        _run([str(params), "--into", str(workspace), "--data", str(workspace)])
    return Report(workspace)


def results(folder: str | Path = ".") -> Report:
    """Read what a project or workspace has found."""
    return Report(Path(folder))


def load(cell: str, folder: str | Path = ".") -> Fitted:
    """Load the fitted model of a cell, such as "iris-gaussian_tied".

    Raises:
        versus.params.ParamsError: for a cell that params.yaml does not have; similar ones are named.
        versus.models.persistence.PersistenceError: where the model is missing or damaged.
    """
    workspace = Workspace(Path(folder))
    parameters.cell(parameters.read(workspace.params), cell)
    return Fitted(cell, prediction.load(workspace, cell))


def dataset(name: str, folder: str | Path = ".") -> Data:
    """Return a data set that a project has prepared.

    Raises:
        versus.params.ParamsError: for a data set that params.yaml does not have; similar ones are named.
        FileNotFoundError: where it has not.
    """
    workspace = Workspace(Path(folder))
    if workspace.params.is_file():
        parameters.dataset(parameters.read(workspace.params), name)
    return Data(name, prepared.read(workspace.prepared(name)))


def model(name: str, **arguments: Any) -> Any:
    """Make a model of a class that ``versus models`` lists, such as ``model("GaussianClassifier", shrinkage="auto")``.

    Raises:
        ValueError: for an unknown name or argument.
    """
    known = catalogue.classes()
    if name not in known:
        raise ValueError(unknown("model", name, known))
    return find(*known[name], name.rpartition(".")[2])(**arguments)


def _chosen(proposal: Proposal, models: Sequence[str] | None, minutes: float | None) -> dict[str, Suggestion]:
    """Return the cells to run, by name."""
    schema, found = proposal.dataset.schema, proposal.dataset.X
    size = Size.of(schema, len(found), steps_of(found))
    suggested, _ = suggest(schema, len(found), steps_of(found), complete=proposal.is_complete)
    if models is None:
        models = [*(s.model for s in suggested), *_brought(schema.y.task)]
    wanted = [_named(model, suggested, schema.y.task) for model in models]
    if minutes is not None:
        spec = parse(proposal.entry)
        repeats = spec.repeats or (1 if proposal.dataset.n_test else spec.folds)
        left = 60 * minutes
        kept = []
        for suggestion in sorted(wanted, key=lambda s: s.cost(size)):
            left -= OVERHEAD + repeats * suggestion.cost(size)
            if left < 0:
                break
            kept.append(suggestion)
        wanted = [suggestion for suggestion in wanted if suggestion in kept]
    if not wanted:
        raise ValueError(f"minutes={minutes}: no model fits into that time; give it more, or fewer rows")
    return {f"{proposal.name}-{suggestion.model}": suggestion for suggestion in wanted}


def _named(model: str, suggested: Sequence[Suggestion], task: str) -> Suggestion:
    """Return the model of a name: one that is suggested, or a class with its default arguments."""
    for suggestion in suggested:
        if model in (suggestion.model, suggestion.class_name):
            return suggestion
    known = catalogue.classes()
    if model not in known:
        raise ValueError(unknown("model", model, [*(s.model for s in suggested), *known]))
    family, module = known[model]
    class_name = model.rpartition(".")[2]  # a package's class of a name that Versus has, too, is called mine.Name
    unfit = catalogue.unfit(family, module, class_name, task)
    if unfit is not None:
        raise ValueError(unfit)
    named = model.lower().replace(".", "_")
    return Suggestion(family, named, module, class_name, {}, lambda schema: True, lambda size: 0.0)


def _brought(task: str) -> Iterator[str]:
    """Yield the classes of the packages in use that are for a task and need no argument."""
    for name, (family, module) in catalogue.classes().items():
        class_name = name.rpartition(".")[2]
        wrong = catalogue.problem(family, module, class_name, {}) or catalogue.unfit(family, module, class_name, task)
        if "." in module and wrong is None:
            yield name


def _run(arguments: list[str]) -> None:
    """Run ``versus run`` in a process of its own, whose lines are printed as they come.

    Raises:
        RuntimeError: if it fails.
    """
    command = [sys.executable, "-m", "versus", "run", *arguments]
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line)
                print(line, end="", flush=True)
        except KeyboardInterrupt:
            process.terminate()
            with suppress(KeyboardInterrupt):
                process.wait()
            raise
    if process.returncode:
        raise RuntimeError(f"the run failed:\n{''.join(lines[-20:])}")
