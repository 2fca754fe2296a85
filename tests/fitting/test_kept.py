"""More repeats fit only what is new, and end with the bytes of a clean training; any change fits all anew."""

import json
from pathlib import Path

import pytest

from stages import evaluate, fingerprint, prepare, train
from versus import manifest
from versus.fitting import cell as fitting
from versus.workspace import Workspace

CELLS = {"iris-mlp": "MLPClassifier", "iris-random_forest": "RandomForest"}
PARAMS = """\
training: {device: cpu}
datasets:
  iris: {source: embedded, name: iris, repeats: 5}
discriminative:
  iris-mlp: {data: iris, module: perceptron, class: MLPClassifier, args: {epochs: 3}}
  iris-random_forest: {data: iris, module: trees, class: RandomForest, args: {n_estimators: 5}}
"""
TEN = PARAMS.replace("repeats: 5", "repeats: 10")


@pytest.fixture
def trained(monkeypatch):
    """Train and evaluate all cells in a folder by some params; return the number of fits of each."""
    monkeypatch.setenv("VERSUS_TRACKING", "off")
    built = []

    def count(cell, *rest):
        built.append(cell.name)
        return build(cell, *rest)

    build = fitting.build
    monkeypatch.setattr(fitting, "build", count)

    def run(folder, params, *cells):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        Path("params.yaml").write_text(params)
        fingerprint.main()
        prepare.main("iris")
        built.clear()
        for name in cells or CELLS:
            train.main("discriminative", name)
            evaluate.main(name)
        return [built.count(name) for name in cells or CELLS]

    return run


def results(folder):
    """Hash of each file of models and evaluations, measured costs aside."""
    found = (p for place in ("models", "reports/evaluations") for p in (folder / place).rglob("*") if p.is_file())
    kept = (p for p in found if "cost" not in p.name and p.name != manifest.NAME)
    return {str(p.relative_to(folder)): manifest.sha256(p) for p in kept}


def test_five_more_repeats_are_five_more_fits_and_the_results_are_those_of_ten(tmp_path, trained):
    assert trained(tmp_path / "grown", PARAMS) == [5, 5]
    assert trained(tmp_path / "grown", TEN) == [10, 5]  # networks that are trained together are one fit
    costs = json.loads(Workspace().training_cost("iris-mlp").read_text())["repeats"]
    assert [(cost["together"], cost["seconds"]) for cost in costs] == [(10, costs[0]["seconds"])] * 10
    assert trained(tmp_path / "clean", TEN) == [10, 10]
    assert results(tmp_path / "grown") == results(tmp_path / "clean")
    assert len([name for name in results(tmp_path / "grown") if name.startswith("models/iris-mlp/")]) >= 11
    assert trained(tmp_path / "grown", PARAMS) == [5, 0]  # fewer repeats are known, too
    assert not Workspace(tmp_path / "grown").unfinished("iris-mlp").exists()
    pytest.importorskip("codecarbon", reason="needs codecarbon: pip install -e .[energy]")
    asked = PARAMS.replace("device: cpu", "device: cpu, energy: true")
    assert trained(tmp_path / "grown", asked) == [5, 5]  # fits that are known have not been measured
    for name in CELLS:
        costs = json.loads(Workspace().training_cost(name).read_text())["repeats"]
        assert all(cost["energy_wh"] >= 0 and cost["energy_by"] in ("RAPL", "TDP") for cost in costs)


def test_other_arguments_data_or_no_change_at_all_fit_anew(tmp_path, trained):
    folder, cell = tmp_path / "changed", "iris-random_forest"
    assert trained(folder, PARAMS, cell) == [5]
    assert trained(folder, PARAMS, cell) == [5]  # run again without a change: whoever forces that wants new fits
    assert trained(folder, TEN.replace("n_estimators: 5", "n_estimators: 6"), cell) == [10]
    assert trained(folder, PARAMS.replace("repeats: 5", "repeats: 5, limit: 100"), cell) == [5]
    assert trained(folder, "seed: 1\n" + PARAMS, cell) == [5]
