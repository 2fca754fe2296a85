import json

import pytest

from versus.tracking import experiments


@pytest.mark.parametrize(("task", "primary", "ascending"), [
    ("classification", "accuracy_score", False),
    ("classification", "log_loss", True),
    ("regression", "root_mean_squared_error", True),
])  # fmt: skip
def test_the_view_shows_the_newest_results_best_first(task: str, primary: str, ascending: bool) -> None:
    saved = json.loads(experiments.leaderboard(task, primary))
    state = json.loads(saved["state"])  # MLflow keeps JSON within JSON
    assert saved["name"] == "Leaderboard"
    assert (state["orderByKey"], state["orderByAsc"]) == (f"metrics.`{primary}`", ascending)
    assert state["searchFilter"] == "tags.`versus.current` = 'yes'"
    first = ["tags.`family`", f"metrics.`{primary}`", f"tags.`interval.{primary}`"]
    assert state["selectedColumns"][:3] == first
    assert len(set(state["selectedColumns"])) == len(state["selectedColumns"])
    assert set(state["columnWidths"]) == set(state["columnOrder"]) == set(state["selectedColumns"])
