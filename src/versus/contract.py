"""Contract of the parts that packages bring, at a tiny size: what `versus.models.protocols` promises of each model.

A model answers in the promised shapes with finite numbers, fits twice to the same bits, is read back from its files as
it was, describes pixels as they are given, and does not depend on the unit or the origin of a column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array, Events, Ragged
from versus.data.preparation import prepare
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.data.specification import GENERATED
from versus.data.targets import Classes, Number, Tags, Trees
from versus.evaluation.answers import HeldOut, capabilities, density
from versus.evaluation.record import Record
from versus.evaluation.uses import USES
from versus.evaluation.uses.density import unspread
from versus.fitting.cell import build
from versus.fitting.repeats import parts_to_fit
from versus.metrics import table
from versus.metrics.metric import Metric, UndefinedMetricError
from versus.models import catalogue, find, persistence
from versus.models.arguments import arguments_of
from versus.models.protocols import FitsBySteps
from versus.settings import Cell, Training

ROWS, EPOCHS, DRAWN = 90, 3, 7
METHODS = ("predict", "predict_proba", "predict_marginals", "parse", "log_prob", "elbo", "ais_log_prob", "ais_elbo")
INTERVAL = 0.9
Answers = dict[str, Any]


class ContractError(ValueError):
    """Breach of the contract; the message names the method, what it gave and what is expected."""


def expect(kept: bool | np.bool_, otherwise: str) -> None:
    """Raise `ContractError` unless a promise is kept."""
    if not kept:
        raise ContractError(otherwise)


@contextmanager
def _asked(what: str) -> Iterator[None]:
    """Tell what was asked where an answer is refused or the model raises."""
    try:
        yield
    except ContractError:
        raise
    except Exception as error:
        error.add_note(what)
        raise


def few_rows(name: str, specification: Any, base: Path, seed: int) -> Prepared:
    """Prepare some rows of a data set, with one split."""
    content = specification.content if hasattr(specification, "content") else specification
    generated = getattr(content, "name", None) in GENERATED and content.source == "embedded"
    limits = {"limit": ROWS, "test_limit": ROWS if generated else None, "repeats": 1}
    content = content.model_copy(update=limits)
    few = specification.model_copy(update={"content": content}) if hasattr(specification, "content") else content
    return prepare(name, few, base, seed)


@dataclass(frozen=True)
class Trial:
    """A cell on a few rows of its data.

    Args:
        cell: the cell; of a model that trains by epochs, `EPOCHS` are enough.
        data: its data set, as `few_rows` prepares it.
        training: device and precision.
        seed: seed of the fits.
    """

    cell: Cell
    data: Prepared
    training: Training = Training()  # noqa: RUF009 - frozen
    seed: int = 0

    @property
    def X(self) -> Any:  # noqa: N802
        """Test rows (n, *event)."""
        return self.data.take(0, "test")[0]

    def fitted(self) -> Any:
        """Fit the model as `versus.fitting` does."""
        args = {k: min(v, EPOCHS) if k == "epochs" else v for k, v in self.cell.args.items()}
        model = build(replace(self.cell, args=args), self.training, self.seed, self.data.schema)
        parts = parts_to_fit(model)
        with _asked("fit"):
            if not isinstance(model, FitsBySteps):
                model.fit(*self.data.take(0, *parts))
                return model
            validation = None if "validation" in parts else self.data.take(0, "validation")
            for _ in model.fit_steps(*self.data.take(0, *parts), validation=validation):
                pass
        return model

    def check(self, folder: Path) -> Any:
        """Check answers, a second fit, and the model's files in an empty folder; return the fitted model.

        Raises:
            ContractError: naming the promise that is not kept.
        """
        model = self.fitted()
        answers = answers_of(model, self.X)
        expect(bool(answers), f"{self.cell.class_name} has none of {', '.join(METHODS)}, sample: nothing to measure")
        check_answers(answers, self.X, self.data.schema)
        if density(capabilities(model)):
            wrong = unspread(model, self.X, self.data.schema, 0)
            expect(wrong is None, str(wrong))
        again = answers_of(self.fitted(), self.X)
        persistence.save(model, folder / "model", self.cell.family, self.cell.module)
        loaded = answers_of(persistence.load(folder / "model"), self.X)
        for name, answer in answers.items():
            expect(_equal(answer, again[name]), f"{name} differs from one fit to the next: pass random_state on")
            expect(_equal(answer, loaded[name]), f"{name} differs after saving and loading: get_arrays lacks something")
        return model

    def moved(self) -> tuple[Trial, Array]:
        """Count each column of numbers from another origin and in another unit; return the trial and the units (D,)."""
        data, rng = self.data, np.random.default_rng(0)
        numeric = np.array(data.schema.cardinalities) == 0
        unit = np.where(numeric, 10.0 ** rng.integers(-9, 10, len(numeric)), 1.0)
        spread = np.where(numeric, np.nanstd(data.X, axis=0), 0.0)
        y = data.y
        if isinstance(data.schema.y, Number):
            y = Y_UNIT * (data.y + Y_ORIGIN * float(np.std(data.y)))
        return replace(self, data=replace(data, X=unit * (data.X + 1e4 * spread), y=y)), unit

    def check_units(self) -> None:
        """Check that a model of a table says the same, up to rounding, of columns in nanometres or gigabytes.

        Raises:
            ContractError: naming the answer that depends on the unit; of a density, the Jacobian may be missing.
        """
        other, unit = self.moved()
        before, after = answers_of(self.fitted(), self.X), answers_of(other.fitted(), other.X)
        check_answers(before, self.X, self.data.schema)
        bounded = "elbo" in before  # the draws of a bound depend on the rows
        for name in {"predict", "predict_proba", "predict_interval"} & set(before):
            if isinstance(self.data.schema.y, Number):
                scale = float(np.std(self.data.y))
                differences = np.abs(after[name] / Y_UNIT - Y_ORIGIN * scale - before[name]) / scale
            else:
                differences = np.abs(after[name] - before[name])
                # of 18 rows one may be tied
                expect(np.mean(differences > 0.5) < 0.1, f"{name} depends on the units of the columns")
            expect(np.median(differences) < (0.1 if bounded else 1e-3), f"{name} depends on the units of the columns")
        for name in {"log_prob", "elbo"} & set(before):
            difference = np.median(np.abs(after[name] + np.log(unit).sum() - before[name]))
            expect(
                difference < (1.0 if bounded else 0.01),
                f"{name} is off by {difference:.3g} nats where columns have other units: it is the density of the "
                "columns as they are given, the logarithm of each scale subtracted",
            )

    def check_scores(self, model: Any) -> None:
        """Check that the fitted model can be scored in every use, and that each score is within its metric's range.

        Raises:
            ContractError: naming the score.
        """
        record = Record()
        for use in USES:
            with _asked(use.WHAT):
                record.ask(use, model, HeldOut(self.data, 0), self.seed)
        for _, name, value in record.scores:
            metric = table.named(name)
            near = 1e-9 * max(1.0, abs(value))
            expect(metric.low - near <= value <= metric.high + near, f"{name} is {value}; {_range(metric)} is expected")


Y_UNIT, Y_ORIGIN = 1e-9, 30  # of a number to predict, the origin in standard deviations


def answers_of(model: Any, X: Events) -> Answers:
    """Ask each method that the model has about X."""
    answers: Answers = {}
    for name in (*METHODS, "encode"):
        if hasattr(model, name):
            with _asked(name):
                answers[name] = getattr(model, name)(X)
    if hasattr(model, "predict_interval"):
        with _asked("predict_interval"):
            answers["predict_interval"] = model.predict_interval(X, INTERVAL)
    if hasattr(model, "sample"):
        with _asked("sample"):
            drawn = model.sample(DRAWN, random_state=3)
        answers["sample"] = drawn[0] if isinstance(drawn, tuple) else drawn
    return answers


def check_answers(answers: Mapping[str, Any], X: Any, schema: Schema) -> None:
    """Check the shapes and values of a model's answers about X.

    Raises:
        ContractError: naming the method, what it gave and what is expected.
    """
    n = len(X)
    for name, answer in answers.items():
        expected = DRAWN if name == "sample" else n
        expect(hasattr(answer, "__len__"), f"{name} gives {type(answer).__name__}; an array is expected")
        expect(len(answer) == expected, f"{name} gives {len(answer)} answers where {expected} are expected")
        expect(np.isfinite(_values(answer)).all(), f"{name} gives values that are not finite")
    for name in {"log_prob", "elbo", "ais_log_prob", "ais_elbo"} & set(answers):
        expect(answers[name].shape == (n,), f"{name} has shape {answers[name].shape}; ({n},) is expected")
    if isinstance(schema.y, Classes) and "predict_proba" in answers:
        _check_probabilities("predict_proba", answers["predict_proba"], n, schema.n_classes, 1e-5)
        _check_codes(answers["predict"], schema.n_classes)
    if isinstance(schema.y, Tags) and isinstance(X, Ragged):
        tags, marginals = answers["predict"], answers["predict_marginals"]
        for name, found in (("predict", tags), ("predict_marginals", marginals)):
            expect(np.array_equal(found.starts, X.starts), f"{name} has other lengths than the sentences")
        _check_probabilities("predict_marginals", marginals.values, len(X.values), schema.n_classes, 1e-9)
        _check_codes(tags.values, schema.n_classes)
    if isinstance(schema.y, Trees) and "parse" in answers:
        _check_events("parse", partial(schema.y.check, X), answers["parse"])
    if "sample" in answers:
        _check_events("sample", schema.x.check, answers["sample"])
    if "predict_interval" in answers:
        low, high = answers["predict_interval"].T
        inside = (low <= answers["predict"]) & (answers["predict"] <= high)
        expect(inside.all(), "predict lies outside of predict_interval")


def _check_events(name: str, check: Callable[[Any], Any], found: Any) -> None:
    try:
        check(found)
    except ValueError as error:
        raise ContractError(f"{name}: {error}") from error


def _check_probabilities(name: str, found: Array, n: int, k: int, tolerance: float) -> None:
    expect(found.shape == (n, k), f"{name} has shape {found.shape}; ({n}, {k}) is expected")
    expect((found >= 0).all(), f"{name} gives probabilities below 0")
    off = float(np.abs(found.sum(axis=1) - 1).max())
    expect(off <= tolerance, f"{name}: rows sum to 1 with an error of {off:.2g}; at most {tolerance:g} is allowed")


def _check_codes(found: Array, k: int) -> None:
    odd = sorted(set(np.unique(found).tolist()) - set(range(k)))
    expect(not odd, f"predict gives {odd[:3]}; class codes are 0 to {k - 1}")


def check_arguments(family: str, module: str, name: str) -> None:
    """Check that params.yaml, which is checked without importing a class, sees its arguments and its task.

    Raises:
        ContractError: naming what is hidden.
    """
    model, read = find(family, module, name), catalogue.signatures(family, module)[name]
    seen = {argument.name: argument for argument in arguments_of(model)}
    expect(
        seen == read,
        f"{name} has the arguments {', '.join(seen)}, and its source shows {', '.join(read)}: a base is to be imported "
        "by `from … import Base`, and a class is a dataclass(eq=False, kw_only=True)",
    )
    has = {method for method in catalogue.TELLING if hasattr(model, method)}
    task = next((task for method, task in catalogue.TELLING.items() if method in has), None)
    told = catalogue.task(family, module, name)
    expect(told == task, f"{name} is for {task}, and its source says {told}: methods are to be written as methods")


def check_metric(metric: Metric) -> None:
    """Check the value of a metric of classes or numbers on answers that are right, and on some that are not.

    Raises:
        ContractError: where a value is outside of the range, or wrong answers score better.
    """
    y: Array
    if metric.use == "classification":
        y = np.arange(60) % 3
        right, wrong = 0.97 * np.eye(3)[y] + 0.01, 0.97 * np.eye(3)[(y + 1) % 3] + 0.01
    elif metric.use == "regression":
        y = np.random.default_rng(0).normal(size=60)
        right, wrong = y.copy(), -y
    else:
        return
    with _asked(f"metric {metric.name}"):
        try:
            good, bad = metric.score(y, right), metric.score(y, wrong)
        except UndefinedMetricError as error:
            raise ContractError(f"{metric.name} has no value on plain answers: {error}") from error
    for value in (good, bad):
        expect(metric.low <= value <= metric.high, f"{metric.name} is {value}; {_range(metric)} is expected")
    if metric.has_direction:
        better = good <= bad if metric.lower_is_better else good >= bad
        expect(
            better,
            f"{metric.name} is {good:.3g} where all answers are right and {bad:.3g} where all are wrong, and "
            f"{metric.better} is better",
        )


def check_source(name: str, specification: Any, base: Path, seed: int) -> None:
    """Check that a data set can be prepared, and is the same when it is prepared again.

    Raises:
        ContractError: where it is not the same.
        versus.data.errors.DataError: for a fault in the data.
    """
    one, other = (few_rows(name, specification, base, seed) for _ in range(2))
    same = one.schema == other.schema and _equal(one.X, other.X) and _equal(one.y, other.y)
    expect(same, f"{name} differs from one preparation to the next: draw from np.random.default_rng(a fixed seed)")


def is_table(data: Prepared) -> bool:
    """Check that `Trial.check_units` concerns a data set: a table with columns of numbers, of classes or a number."""
    with_numbers = isinstance(data.schema.x, Table) and 0 in data.schema.cardinalities
    return with_numbers and isinstance(data.schema.y, Classes | Number)


def _range(metric: Metric) -> str:
    return f"{metric.low:g} to {metric.high:g}"


def _values(answer: Any) -> Array:
    return answer.values if isinstance(answer, Ragged) else np.asarray(answer)


def _equal(found: Any, expected: Any) -> bool:
    alike = not isinstance(found, Ragged) or np.array_equal(found.starts, expected.starts)
    return alike and np.array_equal(_values(found), _values(expected), equal_nan=True)
