"""The list of metrics, as data: what each is called, computes, needs, and which direction is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from versus.metrics import calibration, classification, density, regression, samples

# What the evaluation hands to the function.
Needs = Literal[
    "probabilities",  # labels (N,), probabilities (N, K)
    "values",  # targets (N,), predictions (N,)
    "intervals",  # targets (N,), intervals (N, 2)
    "target_log_prob",  # log p(y | x) (N,)
    "log_prob",  # log p(x) (N,)
    "elbo",  # bound of log p(x) (N,)
    "pixels_log_prob",  # log p(x) (N,) of images, D
    "pixels_elbo",  # bound of log p(x) (N,) of images, D
    "samples",  # real and generated events, schema, seed
    "transfer",  # accuracies on real test rows after training on generated rows, on real rows
]
INF = float("inf")


@dataclass(frozen=True)
class Metric:
    """One score.

    Args:
        name: as in scores.csv; a density's gets the suffix of its measure where that is not "continuous".
        label: as it is read.
        function: arrays -> float.
        needs: what the function is given, hence what a model must offer to be scored.
        unit: of the value.
        better: "higher", "lower", or "nominal": the closer to ``nominal``.
        low: the least it can be.
        high: the most it can be.
        reference: where it is defined.
        nominal: the value to be met where ``better`` is "nominal".
    """

    name: str
    label: str
    function: Callable[..., Any]
    needs: Needs
    unit: str
    better: Literal["higher", "lower", "nominal"]
    low: float
    high: float
    reference: str
    nominal: float | None = None


_SKLEARN = "scikit-learn user guide, 3.4 Metrics and scoring"
_THEIS = "Theis, van den Oord and Bethge 2016"

METRICS: tuple[Metric, ...] = (
    Metric(
        "accuracy_score", "accuracy", classification.accuracy_score, "probabilities", "share", "higher", 0, 1, _SKLEARN
    ),
    Metric(
        "balanced_accuracy_score",
        "balanced accuracy",
        classification.balanced_accuracy_score,
        "probabilities",
        "share",
        "higher",
        0,
        1,
        "Brodersen, Ong, Stephan and Buhmann 2010",
    ),
    Metric(
        "precision_score",
        "precision",
        classification.precision_score,
        "probabilities",
        "share",
        "higher",
        0,
        1,
        _SKLEARN,
    ),
    Metric("recall_score", "recall", classification.recall_score, "probabilities", "share", "higher", 0, 1, _SKLEARN),
    Metric("f1_score", "F1", classification.f1_score, "probabilities", "share", "higher", 0, 1, _SKLEARN),
    Metric("log_loss", "log loss", classification.log_loss, "probabilities", "nats", "lower", 0, INF, _SKLEARN),
    Metric("brier_score", "Brier score", classification.brier_score, "probabilities", "", "lower", 0, 2, "Brier 1950"),
    Metric(
        "expected_calibration_error",
        "calibration error (ECE)",
        calibration.expected_calibration_error,
        "probabilities",
        "share",
        "lower",
        0,
        1,
        "Guo, Pleiss, Sun and Weinberger 2017",
    ),
    Metric("roc_auc", "ROC AUC", classification.roc_auc, "probabilities", "share", "higher", 0, 1, "Fawcett 2006"),
    Metric(
        "root_mean_squared_error",
        "RMSE",
        regression.root_mean_squared_error,
        "values",
        "of the target",
        "lower",
        0,
        INF,
        _SKLEARN,
    ),
    Metric(
        "mean_absolute_error",
        "MAE",
        regression.mean_absolute_error,
        "values",
        "of the target",
        "lower",
        0,
        INF,
        _SKLEARN,
    ),
    Metric("r2_score", "R²", regression.r2_score, "values", "share", "higher", -INF, 1, _SKLEARN),
    Metric(
        "interval_coverage",
        "coverage",
        regression.interval_coverage,
        "intervals",
        "share",
        "nominal",
        0,
        1,
        "Gneiting and Raftery 2007",
        nominal=regression.COVERAGE,
    ),
    Metric(
        "mean_target_log_likelihood",
        "mean log p(y|x), nats",
        regression.mean_target_log_likelihood,
        "target_log_prob",
        "nats",
        "higher",
        -INF,
        INF,
        "Gneiting and Raftery 2007",
    ),
    Metric(
        "mean_log_likelihood",
        "mean log-likelihood, nats",
        density.mean_log_likelihood,
        "log_prob",
        "nats",
        "higher",
        -INF,
        INF,
        _THEIS,
    ),
    Metric(
        "mean_elbo",
        "mean ELBO, nats",
        density.mean_log_likelihood,
        "elbo",
        "nats",
        "higher",
        -INF,
        INF,
        "Kingma and Welling 2014",
    ),
    Metric(
        "bits_per_dimension",
        "bits per dimension",
        density.bits_per_dimension,
        "pixels_log_prob",
        "bits",
        "lower",
        -INF,
        INF,
        _THEIS,
    ),
    Metric(
        "bits_per_dimension_bound",
        "bits per dimension, upper bound",
        density.bits_per_dimension,
        "pixels_elbo",
        "bits",
        "lower",
        -INF,
        INF,
        _THEIS,
    ),
    Metric(
        "c2st_accuracy",
        "two-sample test accuracy",
        samples.c2st_accuracy,
        "samples",
        "share",
        "nominal",
        0,
        1,
        "Lopez-Paz and Oquab 2017",
        nominal=0.5,
    ),
    Metric(
        "tstr_balanced_accuracy",
        "train on synthetic, test on real",
        samples.tstr_balanced_accuracy,
        "transfer",
        "share",
        "higher",
        0,
        1,
        "Esteban, Hyland and Rätsch 2017",
    ),
    Metric(
        "tstr_ratio",
        "relative to training on real",
        samples.tstr_ratio,
        "transfer",
        "",
        "higher",
        0,
        INF,
        "Esteban, Hyland and Rätsch 2017",
    ),
)


def named(name: str) -> Metric:
    """The metric behind a name in scores.csv, whatever measure its suffix tells.

    Raises:
        KeyError: naming a name that is no metric's.
    """
    for metric in sorted(METRICS, key=lambda m: -len(m.name)):
        if name == metric.name or (metric.needs in _OF_DENSITIES and name.startswith(metric.name + "_")):
            return metric
    raise KeyError(f"{name!r} is no metric; metrics are {', '.join(m.name for m in METRICS)}")


def needing(needs: Needs) -> list[Metric]:
    """The metrics that are computed from the same arrays."""
    return [metric for metric in METRICS if metric.needs == needs]


_OF_DENSITIES = ("log_prob", "elbo", "pixels_log_prob", "pixels_elbo")
