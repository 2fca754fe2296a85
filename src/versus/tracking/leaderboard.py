"""Saved view that shows the run table of a data set as its leaderboard.

MLflow's table shows no metric until somebody selects columns. A view saved with an experiment selects, sorts and
filters them; it is a tag of the experiment, written here as MLflow's pages write it (3.17).
"""

from __future__ import annotations

import json

from versus.metrics import table
from versus.tracking.run_log import CURRENT

NAME = "leaderboard"
TAG = f"mlflow.sharedViewState.{NAME}"
CHARACTER, MARGIN, NARROWEST = 7.5, 40.0, 150.0  # pixels: a column is as wide as its name

COSTS = ("cost/training_seconds", "cost/latency_ms_1_p50")


def view(task: str, primary: str) -> str:
    """Return the value of the experiment's tag: newest results of each cell, best first, scores and costs as columns.

    Args:
        task: "classification" or "regression".
        primary: the deciding score, in the first column, by which the table is sorted.
    """
    deciding = [metric.name for metric in table.deciding(task)]
    headline = [name for name in table.shown("headline") if name in deciding]
    scores = tuple(dict.fromkeys((primary, *headline)))
    interval = (f"interval/{scores[0]}_low", f"interval/{scores[0]}_high")
    names = {"family": "tags", **dict.fromkeys((*scores, *COSTS, *interval), "metrics")}
    widths = {f"{of}.`{name}`": max(NARROWEST, CHARACTER * len(name) + MARGIN) for name, of in names.items()}
    state = {
        "searchFilter": f"tags.`{CURRENT}` = 'yes'",
        "orderByKey": f"metrics.`{scores[0]}`",
        "orderByAsc": table.named(scores[0]).lower_is_better,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(widths),
        "columnOrder": list(widths),
        "columnWidths": widths,
    }
    # Times would change the tag without need.
    return json.dumps({"name": "Leaderboard", "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})


def link(experiment: str) -> str:
    """Return the address of the view of an experiment, without the part of the server."""
    return f"#/experiments/{experiment}/runs?viewStateShareKey={NAME}&workflowType=machine_learning"
