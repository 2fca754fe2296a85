"""Both sides together: the best model of each, pooled with equal weights, as an answer to "is it one or the other?".

Probabilities are pooled by their geometric mean (the logarithmic opinion pool: Genest and Zidek, "Combining Probability
Distributions", *Statistical Science* 1, 1986), predicted values by their mean. Nothing is fitted, so nothing is chosen
on test rows but the pair itself, as the verdict chooses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.metrics import table as metric_table
from versus.report.contrasts import Contrast
from versus.report.evaluation import Evaluation
from versus.statistics import Uncertain

LEAST = 1e-12  # probability: a model that gives 0 must not silence the other one


class _Pooled(Evaluation):
    """Evaluation whose predictions are those of two models together."""

    def __init__(self, of: Evaluation, folder: Path, scores: Mapping[str, Any], predictions: Any) -> None:
        super().__init__(of.cell, folder, of.facts, scores, {}, {})
        object.__setattr__(self, "predictions", predictions)


@dataclass(frozen=True)
class Both:
    """The pool of both models: its deciding score, and how much better it is than the better one of the two.

    ``gain`` is positive where the pool is better; its interval is paired over the same test rows.
    """

    evaluation: Evaluation
    gain: float
    low: float
    high: float


def both(contrast: Contrast) -> Both | None:
    """Pool the two models of a contrast; None where they have no predictions of classes or values."""
    dataset, metric = contrast.dataset, contrast.dataset.primary
    models = contrast.discriminative, contrast.generative
    answers = [model.predictions for model in models]
    if dataset.targets is None or any(of is None for of in answers):
        return None
    known = metric_table.named(metric)
    if known.use not in ("classification", "regression"):
        return None
    pooled = [pool(a, b, known.use) for a, b in zip(answers[0] or (), answers[1] or (), strict=True)]
    weights: Sequence[NDArray[np.float64] | None] = dataset.weights or [None] * len(pooled)
    parts = zip(dataset.targets, pooled, weights, strict=True)
    scores = {metric: np.array([known.score(y, p, weights=w) for y, p, w in parts])}
    name = f"{models[0].cell.name}+{models[1].cell.name}"
    found = _Pooled(contrast.use, models[0].folder / name, scores, pooled)
    apart = dataset.difference(found, contrast.use, metric)
    low, high = _ends(apart, dataset.comparison.confidence)
    gain = found.mean(metric) - contrast.use.mean(metric)
    return Both(found, -gain, -high, -low) if known.lower_is_better else Both(found, gain, low, high)


def pool(first: NDArray[Any], second: NDArray[Any], use: str) -> NDArray[np.float64]:
    """Combine probabilities (n, K) by their normalised geometric mean, or values (n,) by their mean."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    if use == "regression":
        return (a + b) / 2
    joint = np.sqrt(np.maximum(a, LEAST) * np.maximum(b, LEAST))
    normalised: NDArray[np.float64] = joint / joint.sum(axis=1, keepdims=True)
    return normalised


def _ends(apart: Uncertain | None, confidence: float) -> tuple[float, float]:
    return (float("nan"), float("nan")) if apart is None else apart.interval(confidence)
