"""Cost of using a fitted model: prediction time, sampling time, size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from versus.arrays import Events
from versus.data.schema import Schema
from versus.evaluation.capabilities import capabilities, density
from versus.evaluation.uses.density import as_asked
from versus.metrics.speed import prediction_speed, samples_per_second
from versus.models import persistence


def write_cost(model: Any, saved: Path, X: Events, schema: Schema, seed: int, out: Path) -> None:
    """Measure one fitted model on test rows X (N, *event) and its files at ``saved``; write usage_cost.json.

    Latency is that of the model's main answer: probabilities, values, or log-densities if it gives neither.
    """
    has = capabilities(model)
    answer = next((name for name in ("predict_proba", "predict", density(has)) if name in has), None)
    cost: dict[str, Any] = {"latency_ms": None, "throughput_per_s": None, "samples_per_s": None}
    if answer is not None:
        rows = as_asked(model, X[:256], schema, seed) if answer == density(has) else X[:256]
        cost |= prediction_speed(getattr(model, answer), rows)
    if "sample" in has:
        cost["samples_per_s"] = samples_per_second(lambda n: model.sample(n, random_state=seed))
    cost["parameters"] = _parameters(model, saved)
    cost["bytes_on_disk"] = sum(file.stat().st_size for file in persistence.files(saved))
    out.write_text(json.dumps(cost, indent=1) + "\n", encoding="utf-8")


def _parameters(model: Any, saved: Path) -> int:
    """Number of parameters that the model reports, or else of the numbers that it stores."""
    if hasattr(model, "count_parameters"):
        return int(model.count_parameters())
    return persistence.count_numbers(saved)
