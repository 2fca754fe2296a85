"""Score against cost on each data set."""

from __future__ import annotations

from typing import Any

from versus.report import costs
from versus.report.figures.trade_off import trade_off
from versus.report.results import Results

NAME, TITLE = "trade-off", "Score against cost"


def content(results: Results) -> dict[str, Any]:
    """Training time and the time of a prediction, where a cell has both a score and such a cost."""
    found = []
    for dataset in results.datasets:
        drawn = (
            trade_off(dataset, costs.training_seconds, "training", "s"),
            trade_off(dataset, costs.latency, "inference", "ms"),
        )
        found.append((dataset.name, [t for t in drawn if t is not None]))
    return {"datasets": [(name, drawn) for name, drawn in found if drawn]}
