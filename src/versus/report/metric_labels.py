"""How the page calls the scores, which way they point, and the range that they cannot leave."""

from __future__ import annotations

from math import inf

from versus.metrics import table

LABELS = {
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced accuracy",
    "precision_score": "precision",
    "recall_score": "recall",
    "f1_score": "F1",
    "log_loss": "log loss",
    "brier_score": "Brier score",
    "expected_calibration_error": "calibration error (ECE)",
    "roc_auc": "ROC AUC",
    "root_mean_squared_error": "RMSE",
    "mean_absolute_error": "MAE",
    "r2_score": "R²",
    "interval_coverage": "coverage",
    "mean_target_log_likelihood": "mean log p(y|x), nats",
    "mean_log_likelihood": "mean log-likelihood, nats",
    "bits_per_dimension": "bits per dimension",
    "mean_elbo": "mean ELBO, nats",
    "bits_per_dimension_bound": "bits per dimension, upper bound",
    "mean_pseudo_log_likelihood": "mean pseudo log-likelihood, nats",
    "c2st_accuracy": "two-sample test accuracy",
    "tstr_balanced_accuracy": "train on synthetic, test on real",
    "tstr_ratio": "relative to training on real",
}


def known(metric: str) -> table.Metric | None:
    """What the table of metrics says of a name in scores.csv; None for one that it does not have."""
    try:
        return table.named(metric)
    except KeyError:
        return None


def plain(metric: str) -> str:
    """The metric without the suffix that says what a density is a density of."""
    found = known(metric)
    return found.name if found is not None else metric


def label(metric: str) -> str:
    """The metric's name, to be read."""
    return LABELS.get(plain(metric), metric.replace("_", " "))


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value is the better one."""
    found = known(metric)
    return found is not None and found.better == "lower"


def distance_from_best(metric: str, value: float) -> float:
    """What to sort by so that the best comes first, be it the highest, the lowest or the nearest to a nominal value."""
    found = known(metric)
    if found is not None and found.better == "nominal" and found.nominal is not None:
        return abs(value - found.nominal)
    return value if lower_is_better(metric) else -value


def is_share(metric: str) -> bool:
    """Whether the score is a share of rows, or else lies within 0 … 1 like one."""
    return limits(metric) == (0.0, 1.0)


def limits(metric: str) -> tuple[float, float]:
    """The range that a mean of the metric cannot leave."""
    found = known(metric)
    return (found.low, found.high) if found is not None else (-inf, inf)
