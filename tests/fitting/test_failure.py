"""A cell that fails leaves its reason in place of its results, in both stages; faults of the machine stop the run."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch._dynamo  # a limit that expires amid its import leaves half a module in this process

from stages import evaluate, fingerprint, train
from versus import manifest
from versus import params as parameters
from versus.fitting import failure, steps
from versus.fitting.failure import Failure, TimeLimitExceeded, time_limit
from versus.workspace import Workspace

PARAMS = """\
training: {device: cpu}
datasets:
  iris: {source: embedded, name: iris, repeats: 2, folds: 2}
discriminative:
  iris-bad: {data: iris, module: neighbours, class: KNearestNeighbours, args: {p: 0}}
  iris-long:
    {data: iris, module: perceptron, class: MLPClassifier, args: {epochs: 100000, patience: null}, time_limit: 0.3}
  iris-wild: {data: iris, module: perceptron, class: MLPClassifier, args: {epochs: 3, learning_rate: 1.0e+30}}
  iris-prior: {data: iris, module: baseline, class: PriorBaseline}
deep_generative:
  iris-game:
    data: iris
    module: gan
    class: GAN
    args: {epochs: 60, batch_size: 32, penalty: 0, learning_rate: 0.3, hidden_layer_sizes: [64, 64, 64]}
"""


@pytest.fixture
def workspace(prepared_workspace: Callable[[str, str], Workspace]) -> Workspace:
    return prepared_workspace(PARAMS, "iris")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("iris-bad", "The 'p' parameter of KNeighborsClassifier must be a float"),
        ("iris-long", "it took longer than its time_limit of 0.3 s"),
        ("iris-wild", "TrainingDiverged"),
        ("iris-game", "TrainingCollapsed: training collapsed: for 10 epochs"),
    ],
)
def test_a_cell_that_fails_leaves_its_reason_in_both_stages(
    workspace: Workspace, cell: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    train.main("deep_generative" if cell == "iris-game" else "discriminative", cell)
    folder = workspace.model(cell)
    assert {path.name for path in folder.iterdir()} == {failure.NAME, manifest.NAME}
    found = json.loads((folder / failure.NAME).read_text())
    assert reason in found["reason"]
    assert found["where"] == "training"
    assert cell == "iris-game" or found["repeat"] == 0  # a game may go well with one seed
    assert not workspace.unfinished(cell).exists()
    kept = {path.name for path in workspace.failed(cell).glob("*")}
    if cell != "iris-long":  # which got as far as the machine let it
        assert kept == (
            {f"{found['repeat']}.checkpoint"} if cell == "iris-game" else set()
        )  # the others have no good epoch
    evaluate.main(cell)
    assert [path.name for path in workspace.evaluation(cell).iterdir()] == [failure.NAME]
    assert failure.read(workspace.evaluation(cell)) == Failure(**found)


def test_an_evaluation_that_fails_leaves_its_reason(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    train.main("discriminative", "iris-prior")

    def run_out(*_: object, **__: object) -> None:
        raise MemoryError("too many rows")

    monkeypatch.setattr(evaluate.evaluation, "evaluate", run_out)
    evaluate.main("iris-prior")
    expected = Failure("MemoryError: too many rows", "evaluation")
    assert failure.read(workspace.evaluation("iris-prior")) == expected


def test_a_damaged_model_stops_the_run(workspace: Workspace) -> None:
    train.main("discriminative", "iris-prior")
    path = workspace.model("iris-prior") / "0.json"
    path.write_text(path.read_text()[:20])
    with pytest.raises(ValueError, match=r"0\.json"):
        evaluate.main("iris-prior")
    assert not workspace.evaluation("iris-prior").exists()


def test_a_full_disk_is_no_result() -> None:
    def write() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        failure.attempt(write, "training", None)


def test_a_limit_that_ends_a_block_without_gradients_leaves_them_on() -> None:
    def work() -> None:
        torch.set_grad_enabled(False)  # as within torch.no_grad, before its block has begun
        time.sleep(5)

    with pytest.raises(TimeLimitExceeded), time_limit(0.05):
        work()
    assert torch.is_grad_enabled()


def test_the_limit_comes_again_where_a_library_swallows_it() -> None:
    def stubborn() -> None:
        with time_limit(0.05):
            try:
                time.sleep(5)
            except TimeLimitExceeded:
                time.sleep(5)

    began = time.monotonic()
    with pytest.raises(TimeLimitExceeded):
        stubborn()
    assert time.monotonic() - began < 3
    time.sleep(0.1)  # nothing rings afterwards


def test_a_limit_reruns_the_cells_that_it_holds_for(workspace: Workspace) -> None:
    before = {path.name: path.read_text() for path in Path("data/fingerprints").iterdir()}
    Path("params.yaml").write_text(PARAMS.replace("class: PriorBaseline}", "class: PriorBaseline, time_limit: 9}"))
    fingerprint.main()
    changed = {name for name, text in before.items() if Path("data/fingerprints", name).read_text() != text}
    assert changed == {"train-iris-prior.txt", "evaluate-iris-prior.txt", "compare.txt"}
    limits = {cell.name: cell.time_limit for cell in parameters.cells(parameters.read(workspace.params))}
    assert (limits["iris-prior"], limits["iris-long"], limits["iris-bad"]) == (9.0, 0.3, None)
