"""Two processes that share each batch train as one does, and one of them writes what a stage writes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages import fingerprint, train
from versus.models import persistence
from versus.params import ParamsError
from versus.workspace import Workspace

# The last batch of an epoch has one row, which one of the processes goes without.
PARAMS = """\
training: {device: cpu, devices: 2}
datasets:
  iris: {source: embedded, name: iris, repeats: 2, folds: 2, limit: 100}
discriminative:
  iris-mlp:
    {data: iris, module: perceptron, class: MLPClassifier, args: {epochs: 4, batch_size: 13, dropout: 0.0}}
  iris-prior: {data: iris, module: baseline, class: PriorBaseline}
"""


@pytest.fixture
def workspace(prepared_workspace: Callable[[str, str], Workspace]) -> Workspace:
    return prepared_workspace(PARAMS, "iris")


def curves(workspace: Workspace, devices: int) -> tuple[pd.DataFrame, list[np.ndarray], dict]:
    Path("params.yaml").write_text(PARAMS.replace("devices: 2", f"devices: {devices}"))
    fingerprint.main()
    train.main("discriminative", "iris-mlp")
    folder = workspace.model("iris-mlp")
    weights = [array for r in range(2) for array in persistence.load(folder / str(r)).get_arrays().values()]
    cost = json.loads((folder / "training_cost.json").read_text())["repeats"][0]
    return pd.read_csv(folder / "history.csv"), weights, cost


def test_two_processes_have_the_curves_of_one(workspace: Workspace) -> None:
    rows = len(np.load(workspace.prepared("iris") / "train.values.npy")) // 2
    assert rows % 13 == 1  # or the test would not show the batch of one row
    (history, weights, cost), (alone, expected, _) = curves(workspace, 2), curves(workspace, 1)
    assert history[["repeat", "step", "name"]].equals(alone[["repeat", "step", "name"]])
    np.testing.assert_allclose(history["value"], alone["value"], rtol=1e-4)
    for found, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-3)
    assert cost["devices"] == 2
    assert not workspace.unfinished("iris-mlp").exists()
    train.main("discriminative", "iris-prior")  # a model without a network has nothing to share
    assert (workspace.model("iris-prior") / "history.csv").is_file()


def test_two_processes_take_no_tuning(workspace: Workspace) -> None:
    Path("params.yaml").write_text(PARAMS + "tuning: {trials: 2}\n")
    with pytest.raises((ValueError, ParamsError), match=r"devices=2 takes no tuning"):
        train.main("discriminative", "iris-mlp")
