"""The experiment on training-set size: nested fair sets, the compared fits at full size, resume, failures, words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages import evaluate, experiment, fingerprint, train
from versus import params as parameters
from versus.data import prepared
from versus.experiments import fits, training_size
from versus.experiments.curves import Course
from versus.experiments.fits import Entrant, Fits
from versus.models.discriminative.neighbours import KNearestNeighbours
from versus.params import ParamsError
from versus.report import results
from versus.report.section import shown
from versus.report.sections import crossing
from versus.workspace import Workspace

PARAMS = """\
training: {device: cpu}
datasets:
  iris: {source: embedded, name: iris}
discriminative:
  iris-logistic_regression: {data: iris, module: linear, class: LogisticRegression}
  iris-mlp: {data: iris, module: perceptron, class: MLPClassifier, args: {epochs: 3}}
  iris-knn: {data: iris, module: neighbours, class: KNearestNeighbours, args: {n_neighbors: 25}}
classical_generative:
  iris-naive_bayes: {data: iris, module: naive_bayes, class: MixedNaiveBayes}
experiments:
  size: {data: iris, cells: [iris-logistic_regression, iris-mlp, iris-naive_bayes], sizes: [10, 30, 120], draws: 1}
"""


@pytest.fixture
def workspace(prepared_workspace: Callable[[str, str], Workspace]) -> Workspace:
    return prepared_workspace(PARAMS, "iris")


def of(workspace: Workspace) -> dict:
    return json.loads(workspace.experiment_result("size").read_text())


def test_every_prefix_of_an_order_is_stratified_and_has_every_class() -> None:
    y = np.repeat([0, 1, 2], [300, 90, 10])
    rows = np.arange(5, 400)
    ordered = fits.order(y, rows, 3, np.random.default_rng(0))
    assert sorted(ordered) == rows.tolist()
    assert set(y[ordered[:3]]) == {0, 1, 2}
    for m in (40, 100, 200):
        expected = m * np.bincount(y[rows]) / len(rows)
        assert np.abs(np.bincount(y[ordered[:m]], minlength=3) - expected).max() <= 2


def test_with_all_rows_the_scores_are_those_of_the_compared_fits(workspace: Workspace) -> None:
    experiment.main("size")
    found = of(workspace)
    assert found["sizes"] == [10, 30, 120]
    for family, cell in [
        ("discriminative", "iris-logistic_regression"),
        ("discriminative", "iris-mlp"),
        ("classical_generative", "iris-naive_bayes"),
    ]:
        train.main(family, cell)
        evaluate.main(cell)
        scores = (workspace.evaluation(cell) / "scores.csv").read_text().splitlines()
        for metric in ("accuracy_score", "log_loss"):
            mean = np.mean([float(line.split(",")[2]) for line in scores if f",{metric}," in line])
            (curve,) = [c for c in found["curves"] if (c["cell"], c["score"]) == (cell, metric)]
            assert curve["value"][-1] == pytest.approx(mean, abs=1e-6)
            assert all(
                low <= value <= high
                for low, value, high in zip(*(curve[k] for k in ("low", "value", "high")), strict=True)
            )


def test_one_cell_alone_has_a_learning_curve(workspace: Workspace) -> None:
    Path("params.yaml").write_text(PARAMS.replace(", iris-mlp, iris-naive_bayes]", "]"))
    fingerprint.main()
    experiment.main("size")
    found = of(workspace)
    assert (found["pairs"], {curve["cell"] for curve in found["curves"]}) == ([], {"iris-logistic_regression"})
    params = parameters.read(Path("params.yaml"))
    (section,) = shown([crossing], results.read(workspace, list(parameters.cells(params)), {}, None, ["size"]))
    accuracy = next(curve["value"] for curve in found["curves"] if curve["score"] == "accuracy_score")
    said = f"logistic_regression: {accuracy[0]:.3f} with 10 rows, {accuracy[-1]:.3f} with 120."
    assert said in "\n".join(section.markdown).replace("\\", "")


def test_a_killed_experiment_goes_on_and_ends_as_if_it_had_not_been(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment.main("size")
    expected = workspace.experiment_result("size").read_bytes()
    shutil.rmtree(workspace.experiment("size"))
    course, made = Fits.course, []

    def killed_after_four(self: Fits, entrant: Entrant, repeat: int) -> Course:
        made.append(repeat)
        if len(made) == 5:
            raise KeyboardInterrupt
        return course(self, entrant, repeat)

    monkeypatch.setattr(Fits, "course", killed_after_four)
    with pytest.raises(KeyboardInterrupt):
        experiment.main("size")
    experiment.main("size")
    assert len(made) == 4 + 1 + (3 * prepared.read(workspace.prepared("iris")).repeats - 4)
    assert workspace.experiment_result("size").read_bytes() == expected
    assert not workspace.unfinished("experiment-size").exists()


def test_a_size_that_a_model_cannot_take_is_left_out_with_its_reason(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = KNearestNeighbours.fit

    def picky(self: KNearestNeighbours, X: np.ndarray, y: np.ndarray) -> KNearestNeighbours:
        if len(X) < 25:
            raise ValueError(f"{len(X)} rows for 25 neighbours")
        return fit(self, X, y)

    monkeypatch.setattr(KNearestNeighbours, "fit", picky)
    Path("params.yaml").write_text(PARAMS.replace("iris-mlp, iris", "iris-knn, iris"))
    fingerprint.main()
    experiment.main("size")
    found = of(workspace)
    (skipped,) = found["skipped"]
    assert skipped[:2] == ["iris-knn", 10]
    assert "25" in skipped[2]
    (curve,) = [c for c in found["curves"] if (c["cell"], c["score"]) == ("iris-knn", "accuracy_score")]
    assert curve["value"][0] is None
    assert curve["value"][1] is not None
    content = crossing.content(
        results.read(workspace, parameters.cells(parameters.read(workspace.params)), experiments=["size"])
    )
    assert content is not None
    assert content["experiments"][0]["skipped"][0].startswith("iris-knn at 10 rows: ")


@pytest.mark.parametrize(
    ("first", "at", "low", "high", "words"),
    [
        (-1, 61.8, 40.2, 113, "g is ahead below about 62 rows (40 to 110), d above."),
        (1, 61.8, 0, None, "d is ahead below about 62 rows (fewer than 10 to more than 200), g above."),
        (-1, 61.8, 0.0, 113, "g may be ahead below about 62 rows (fewer than 10 to 110), d above."),
    ],
)
def test_a_crossing_in_words(first: int, at: float, low: float, high: float | None, words: str) -> None:
    ends = {"value": [-1.0, 1.0], "low": [-1.0, 1.0], "high": [-1.0, 1.0]}
    pair = {"score": "accuracy_score", "discriminative": "x-d", "generative": "x-g", "sizes": [10, 200]}
    pair |= {"difference": ends, "crossing": {"first": first, "at": at, "low": low, "high": high}}
    (found,) = crossing.pairs("size", {"dataset": "x", "pairs": [pair]})
    expected = f"By accuracy, {words}" if high or low else "By accuracy, no clear crossing"
    assert found.words.startswith(expected)


def test_curves_that_no_size_tells_apart_are_called_so() -> None:
    ends = {"value": [0.1, 0.0], "low": [-0.1, -0.2], "high": [0.3, 0.2]}
    pair = {"score": "accuracy_score", "discriminative": "x-d", "generative": "x-g", "sizes": [4, 7]}
    (found,) = crossing.pairs("size", {"dataset": "x", "pairs": [pair | {"difference": ends, "crossing": None}]})
    assert found.words == "By accuracy, no clear difference at any of 2 sizes from 4 to 7 rows."


def test_the_page_draws_a_picture_for_each_score(workspace: Workspace) -> None:
    experiment.main("size")
    read = results.read(workspace, parameters.cells(parameters.read(workspace.params)), experiments=["size"])
    (section,) = shown([crossing], read)
    (only,) = section.content["experiments"]
    assert [figure.title for figure in only["pictures"]] == [
        "size: accuracy by rows to learn from",
        "size: log loss by rows to learn from",
    ]
    assert len(only["pairs"]) == 4
    assert "logistic\\_regression" in "\n".join(section.markdown) or "logistic_regression" in "\n".join(
        section.markdown
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("size: {data: iris, cells: [iris-mlp, iris-other]}", "'iris-other' is no cell of data set 'iris'"),
        ("size: {kind: few_labels, data: iris, cells: [iris-mlp, iris-knn]}", "wants cells of both sides"),
        ("size: {data: iris, cells: []}", "size.cells"),
    ],
)
def test_a_faulty_experiment_is_refused_with_its_line(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS[: PARAMS.index("  size:")] + f"  {line}\n")
    with pytest.raises(ParamsError, match=fault) as error:
        parameters.read(path)
    assert f"{path}:11" in str(error.value)


def test_a_size_beyond_the_rows_is_refused(workspace: Workspace) -> None:
    data = prepared.read(workspace.prepared("iris"))
    with pytest.raises(ValueError, match="500 is more than the 120 rows of iris"):
        training_size.sizes_of(data, (10, 500), "iris")
    assert training_size.sizes_of(data, "auto", "iris") == [8, 15, 30, 60, 120]
