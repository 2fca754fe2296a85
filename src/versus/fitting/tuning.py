"""Tuning: choose a cell's arguments by trials on validation rows, in each repeat anew.

Trial 0 has the arguments of params.yaml, the others draw from the search space beside the model's class; all repeats
try the same ones. A trial is fitted on the training part and scored on the validation part, so no test row is seen; the
arguments with the least loss are then fitted as those of an untuned cell are. The loss is -log p(y | x) of the true
classes or tags (nats), the squared error of numbers, 1 - F1 of the brackets of trees, and for densities that predict
nothing -log p(x) or its bound.
Bergstra and Bengio, "Random search for hyper-parameter optimization" (2012).

Each trial is a file in the workshop of the fit, so that a killed training resumes with the trials that are there.
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.spaces import Image
from versus.fitting import failure
from versus.metrics import parsing
from versus.models.arguments import Between
from versus.settings import Tuning

COLUMNS = ("repeat", "trial", "loss", "chosen", "arguments", "edges", "failed")
SCORED_BY = ("parse", "predict_marginals", "predict_proba", "predict", "log_prob", "elbo")

Fit = Callable[[Mapping[str, Any], Path], Any]  # arguments and a file for checkpoints -> the fitted model


@dataclass(frozen=True)
class Trial:
    """Arguments that were tried beside those of params.yaml, and their loss on validation rows.

    Args:
        arguments: what differs from the cell's own.
        edges: argument -> "lower" or "upper", where the value lies at that end of its range.
        loss: None where the fit failed, for the reason ``failed``.
        seconds: of the fit and the scoring.
    """

    arguments: Mapping[str, Any]
    edges: Mapping[str, str]
    loss: float | None
    seconds: float
    failed: str = ""


def candidates(model_class: type[Any], trials: int, seed: int) -> list[dict[str, Any]]:
    """List the arguments to try: none for the default, then draws; the default alone where there is nothing to tune."""
    space = model_class.search_space
    if not trials or not space or not any(hasattr(model_class, method) for method in SCORED_BY):
        return [{}]
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    if not any(isinstance(values, Between) for values in space.values()):
        trials = min(trials, len(ParameterGrid(space)))
    return [{}, *ParameterSampler(space, trials, random_state=seed)]


def choose(
    model_class: type[Any],
    tuning: Tuning,
    seed: int,
    folder: Path,
    fit: Fit,
    validation: tuple[Any, ...],
    seconds: float = np.inf,
) -> dict[str, Any]:
    """Run the trials of one repeat that have no file yet; return the arguments with the least loss.

    Args:
        model_class: class of the model.
        tuning: number of trials.
        seed: seed of the draws.
        folder: folder of the trials of this repeat.
        fit: fits a model with given arguments on the training part.
        validation: events, targets and weights, if any, of the validation part.
        seconds: no trial starts after so many seconds of trials; the default has always been tried before.
    """
    tried: list[Trial] = []
    given = candidates(model_class, tuning.trials, seed)
    for number, arguments in enumerate(given if len(given) > 1 else ()):
        if number and sum(trial.seconds for trial in tried) >= seconds:
            break
        path = folder / f"{number}.json"
        trial = _read(path) or _run(model_class, arguments, seed, path, fit, validation)
        tried.append(trial)
    return dict(tried[best(tried)].arguments) if tried else {}


def best(trials: Sequence[Trial]) -> int:
    """Return the number of the trial with the least loss, the first of equal ones; the default where all failed."""
    return min(range(len(trials)), key=lambda i: np.inf if (loss := trials[i].loss) is None else loss)


def _run(
    model_class: type[Any],
    arguments: Mapping[str, Any],
    seed: int,
    path: Path,
    fit: Fit,
    validation: tuple[Any, ...],
) -> Trial:
    began, found = time.perf_counter(), [np.nan]
    checkpoint = path.with_suffix(".checkpoint")

    def work() -> None:
        X, y, *weights = validation
        found[0] = validation_loss(fit(arguments, checkpoint), X, y, seed, *weights)
        if not np.isfinite(found[0]):
            raise FloatingPointError(f"its loss on the validation rows is {found[0]}")

    path.parent.mkdir(parents=True, exist_ok=True)
    faults = (*failure.FAULTS, failure.TimeLimitExceeded)  # the limit of the whole training, not of a trial
    failed = failure.attempt(work, "training", None, faults)
    space = model_class.search_space
    edges = {name: edge for name, value in arguments.items() if (edge := _edge(space[name], value))}
    loss = None if failed else found[0]
    trial = Trial(arguments, edges, loss, time.perf_counter() - began, failed.reason if failed else "")
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    aside.write_text(json.dumps(asdict(trial)), encoding="utf-8")
    aside.replace(path)
    checkpoint.unlink(missing_ok=True)
    return trial


def _edge(values: Between | Sequence[Any], value: Any) -> str:
    return values.edge(value) if isinstance(values, Between) else ""


def _read(path: Path) -> Trial | None:
    try:
        return Trial(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def validation_loss(model: Any, X: Any, y: Any, seed: int, weights: Array | None = None) -> float:
    """Mean loss of held-out rows X (N, *event) and y (N,) under a fitted model; less is better.

    Rows may have weights (N,).
    """
    if hasattr(model, "parse"):
        brackets = parsing.matched_brackets(y, model.parse(X), model.schema_.y.names)
        return 1.0 - float(parsing.f1(np.average(brackets, axis=0, weights=weights)))
    if hasattr(model, "predict_marginals"):
        return _log_loss(y.values, model.predict_marginals(X).values)
    if hasattr(model, "predict_proba"):
        return _log_loss(y, model.predict_proba(X), weights)
    if hasattr(model, "predict"):
        return float(np.average((np.asarray(model.predict(X), np.float64) - y) ** 2, weights=weights))
    space = model.schema_.x
    if isinstance(space, Image) and model.measure == "continuous":
        X = X + np.random.default_rng(seed).random(X.shape)
    log_p = model.log_prob(X) if hasattr(model, "log_prob") else model.elbo(X)
    return -float(np.average(log_p, weights=weights))


def _log_loss(y: Array, probabilities: Array, weights: Array | None = None) -> float:
    of_true = np.asarray(probabilities, np.float64)[np.arange(len(y)), y]
    losses = -np.log(np.clip(of_true, np.finfo(np.float64).eps, 1.0))
    return float(np.average(losses, weights=weights))


def collect(folder: Path) -> list[Trial]:
    """Read the trials of one repeat, in their order."""
    paths = sorted(folder.glob("*.json"), key=lambda path: int(path.stem))
    return [trial for path in paths if (trial := _read(path)) is not None]


def write_table(path: Path, repeats: Iterable[tuple[int, Sequence[Trial]]]) -> None:
    """Write trials.csv: a row for each trial, without the seconds, which differ from run to run."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for repeat, trials in repeats:
            for number, trial in enumerate(trials):
                loss = "" if trial.loss is None else repr(trial.loss)
                told = [json.dumps(dict(found), sort_keys=True) for found in (trial.arguments, trial.edges)]
                writer.writerow([repeat, number, loss, int(number == best(trials)), *told, trial.failed])
