"""Table of metrics: those defined here and of packages in use; which of them decide, and scores of models by them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from versus import plugins
from versus.arrays import Array
from versus.metrics.definitions import METRICS
from versus.metrics.metric import INF, Metric
from versus.statistics.bootstrap import Scorer, scorer_of_rows, weighted_scorers

# Task -> the uses whose metrics may decide which model is best; the first one with a direction is the default.
DECIDING = {
    "classification": ("classification",),
    "regression": ("regression", "intervals", "target_density"),
    "tagging": ("tagging", "spans"),
    "parsing": ("parsing",),
    "density": ("language", "characters", "words", "density", "bound"),
}
# Task -> the two scores that each verdict shows side by side: of the decision, and of the whole predicted distribution.
SIDE_BY_SIDE = {
    "classification": ("accuracy_score", "brier_score"),
    "regression": ("root_mean_squared_error", "mean_target_log_likelihood"),
    "tagging": ("token_accuracy", "tag_log_loss"),
    "parsing": ("bracket_f1", "exact_match"),
}
# Their names tell the measure where it is unusual.
DENSITIES = (
    "density",
    "bound",
    "importance_bound",
    "pixel_density",
    "pixel_bound",
    "ais_density",
    "ais_bound",
    "ode_density",
    "pseudo_density",
)
SUFFIXED = (*DENSITIES, "image_samples")  # those of images tell by which extractor they were scored


def metrics() -> tuple[Metric, ...]:
    """Return all metrics: those of this table, and those of the packages that params.yaml names."""
    return (*METRICS, *(metric for module in plugins.having("metrics") for metric in plugins.imported(module).METRICS))


def check_brought() -> None:
    """Check the metrics of packages in use.

    Raises:
        versus.plugins.PluginError: for a module without METRICS, a name or a label that is taken, or answers that no
            use gives.
    """
    taken = {word for metric in METRICS for word in (metric.name, metric.label)}
    for module in plugins.having("metrics"):
        found = getattr(plugins.imported(module), "METRICS", None)
        if not isinstance(found, list | tuple) or not all(isinstance(metric, Metric) for metric in found):
            raise plugins.PluginError(f"{module} needs METRICS, a tuple of versus.metrics.metric.Metric")
        for metric in found:
            if fault := _fault(metric, taken):
                raise plugins.PluginError(f"{module}: {metric.name!r}: {fault}")
            taken |= {metric.name, metric.label}


def _fault(metric: Metric, taken: Collection[str]) -> str | None:
    twice = [word for word in (metric.name, metric.label) if word in taken]
    if twice:
        return f"another metric is called {twice[0]!r}"
    uses = dict.fromkeys(known.use for known in METRICS)
    if metric.use not in uses:
        return f"use is {metric.use!r}; accepted: {', '.join(uses)}"
    if sum(way is not None for way in (metric.rows, metric.weighted, metric.value)) != 1:
        return "wants one of rows, weighted and value"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", metric.name):
        return "a name has small letters, digits and underscores only"
    return None if metric.low < metric.high else f"low is {metric.low} and high {metric.high}; low must be the smaller"


def named(name: str) -> Metric:
    """Return the metric of a name in scores.csv, with any suffix for the measure or the extractor.

    Raises:
        KeyError: if no metric has this name; the message gives it.
    """
    for metric in metrics():
        if metric.name == name:
            return metric
    of_measures = [m for m in metrics() if m.use in SUFFIXED and name.startswith(m.name + "_")]
    if of_measures:
        return max(of_measures, key=lambda metric: len(metric.name))
    raise KeyError(f"{name!r} is no metric; metrics are {', '.join(m.name for m in metrics())}")


def known(metric: str) -> Metric:
    """Return the metric with a name in scores.csv; one derived from the name alone where the table does not have it."""
    try:
        return named(metric)
    except KeyError:
        return Metric(metric, metric.replace("_", " "), "", "", "higher", -INF, INF, "")


def label(metric: str) -> str:
    """Return the metric's name for readers."""
    return known(metric).label


def lower_is_better(metric: str) -> bool:
    """Tell if a smaller value is better."""
    return known(metric).lower_is_better


def is_share(metric: str) -> bool:
    """Tell if the score is a share of rows, or lies within 0 … 1 like one."""
    return known(metric).is_share


def of_use(use: str) -> list[Metric]:
    """Return the metrics that score the same answers."""
    return [metric for metric in metrics() if metric.use == use]


def shown(place: str) -> list[str]:
    """Return the names of the metrics in a table of the report, in the order of its columns."""
    return [metric.name for metric in metrics() if metric.shown == place]


def deciding(task: str) -> list[Metric]:
    """Return the metrics that can decide which model of a task is best."""
    return [metric for metric in metrics() if metric.use in DECIDING[task] and metric.has_direction]


def primary(chosen: Mapping[str, str], task: str, dataset: str = "") -> str:
    """Return the name of the score that decides: the one chosen for the data set or its task, or the task's first.

    Raises:
        ValueError: if it cannot decide this task, which params.yaml does not always tell.
    """
    accepted = [metric.name for metric in deciding(task)]
    found = chosen.get(dataset) or chosen.get(task) or accepted[0]
    if found not in accepted:
        raise ValueError(f"comparison.primary: {found!r} cannot decide; of {task} models {', '.join(accepted)} can")
    return found


def beside(primary: str, task: str) -> str | None:
    """Return the name of the score that stands beside the deciding one; None for a task without."""
    return next((name for name in reversed(SIDE_BY_SIDE.get(task, ())) if name != primary), None)


def scorers(
    name: str,
    predictions: Sequence[Array] | None,
    targets: Sequence[Array] | None,
    rows: Mapping[str, Sequence[Array]],
    weights: Sequence[Array] | None = None,
) -> list[Scorer] | None:
    """Return a score of each repeat as a function of the count of each test row; None if the data do not give it.

    Args:
        name: name of the metric in scores.csv.
        predictions: of each repeat (n, K) probabilities or (n,) values, None if the model makes no such predictions.
        targets: of each repeat (n,) true targets, None if there is not one per row.
        rows: name -> of each repeat (n, M), contributions of each row to scores of other answers.
        weights: of each repeat (n,); None where all rows count alike.
    """
    known = _scored(name, rows)
    if known is None:
        return None
    if name in rows:
        return weighted_scorers((scorer_of_rows(of_repeat, known.statistic) for of_repeat in rows[name]), weights)
    if predictions is None or targets is None or known.use not in ("classification", "regression"):
        return None
    found = (known.scorer(y, p.astype(np.float64)) for y, p in zip(targets, predictions, strict=True))
    return weighted_scorers(found, weights)


def row_scores(
    name: str,
    predictions: Sequence[Array] | None,
    targets: Sequence[Array] | None,
    rows: Mapping[str, Sequence[Array]],
    weights: Sequence[Array] | None = None,
) -> list[Array] | None:
    """Return of each repeat a score of each row, (n,), whose mean is the score; None where rows have none.

    Args:
        name, predictions, targets, rows, weights: as for `scorers`.
    """
    known = _scored(name, rows)
    if known is None or known.rows is None:
        return None
    given: Sequence[Array] | None = rows.get(name)
    if (
        given is None
        and predictions is not None
        and targets is not None
        and known.use in ("classification", "regression")
    ):
        given = [known.rows(y, p.astype(np.float64)) for y, p in zip(targets, predictions, strict=True)]
    of_rows: Sequence[Array | None] = weights or [None] * len(given or ())
    found = [known.row_scores(*of) for of in zip(given or (), of_rows, strict=True)] if given else []
    return [of for of in found if of is not None] if found and all(of is not None for of in found) else None


def _scored(name: str, rows: Mapping[str, Sequence[Array]]) -> Metric | None:
    return next((m for m in metrics() if m.name == name), None) or (named(name) if name in rows else None)
