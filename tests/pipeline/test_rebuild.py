"""A repro rebuilds exactly what changed."""

import csv
import io
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.pipeline.conftest import Project, clone

pytestmark = pytest.mark.slow


def cells_in(project: Project) -> set[str]:
    return {row["cell"] for row in csv.DictReader(io.StringIO(project.read("reports/comparison.csv")))}


def test_a_fresh_repro_makes_every_output(reproduced: Project) -> None:
    for name in ("report.html", "report.md", "comparison.csv", "costs.csv", "inputs.csv"):
        assert (reproduced.folder / "reports" / name).stat().st_size > 0
    assert cells_in(reproduced) == {
        "iris-logistic_regression",
        "iris-prior",
        "iris-gaussian",
        "moons-logistic_regression",
        "moons-cvae",
    }
    registry = MlflowClient(f"sqlite:///{reproduced.folder}/mlflow.db")
    champions = {model.name for model in registry.search_registered_models() if "champion" in model.aliases}
    assert champions == {"iris", "moons"}
    said = (reproduced.folder.parent / "made").read_text(encoding="utf-8")
    assert "registry" not in said  # no warning of its gaps
    assert "Warning" not in said  # nor of libraries


def stages_of(family: str, *cells: str) -> set[str]:
    return {f"{stage}_{family}@{cell}" for stage in ("train", "evaluate") for cell in cells}


def test_an_edit_reruns_what_it_reaches_and_nothing_else(project: Project) -> None:
    linear = project.folder / "src/versus/models/discriminative/linear.py"
    assert project.repro() == set()

    # A reworded docstring and a comment.
    project.edit("src/versus/workspace.py", '    """Folder with a', '    """The folder with a')
    linear.write_text(linear.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert project.repro() == {"fingerprint"}

    # A hyperparameter, a cell taken out, a data set added, and a file of one's own.
    rows = [f"{i % 37}.5,{i % 29}.5,{'yes' if i % 37 > 18 else 'no'}" for i in range(120)]
    (project.folder / "own.csv").write_text("a,b,answer\n" + "\n".join(rows) + "\n")
    project.edit("params.yaml", "args: {C: 1.0}", "args: {C: 0.01}")
    project.edit("params.yaml", "  iris-prior: {data: iris, module: baseline, class: PriorBaseline}\n", "")
    own = "files:\n  own: {source: csv, path: own.csv, target: answer, repeats: 2, folds: 2}"
    project.edit("params.yaml", "files: {}", f"  wine: {{source: embedded, name: wine, repeats: 2, folds: 2}}\n{own}")
    gaussians = [
        f"  {d}-gaussian: {{data: {d}, module: gaussian, class: GaussianClassifier}}\n" for d in ("wine", "own")
    ]
    project.edit("params.yaml", "deep_generative:\n", f"{''.join(gaussians)}deep_generative:\n")
    added = {"prepare@wine", "prepare_files@own", "extractor@wine", "extractor_files@own"} | stages_of(
        "classical_generative", "wine-gaussian", "own-gaussian"
    )
    changed = stages_of("discriminative", "iris-logistic_regression")
    assert project.repro() == {"fingerprint", "compare"} | added | changed
    assert cells_in(project) >= {"wine-gaussian", "own-gaussian"}
    assert "iris-prior" not in cells_in(project)
    assert "iris-prior" not in project.read("reports/report.html")
    assert project.repro() == set()

    # A model's file, and more rows in the file of one's own.
    linear.write_text(linear.read_text(encoding="utf-8") + "\nEDITED = True\n", encoding="utf-8")
    with (project.folder / "own.csv").open("a") as file:
        file.write("1.5,1.5,yes\n" * 10)
    edited = stages_of("discriminative", "iris-logistic_regression", "moons-logistic_regression")
    grown = {"prepare_files@own", "extractor_files@own"} | stages_of("classical_generative", "own-gaussian")
    assert project.repro() - {"fingerprint", "compare"} == edited | grown
    assert project.repro() == set()


def test_two_clones_agree_in_every_bit_one_by_one_and_side_by_side(reproduced: Project, tmp_path: Path) -> None:
    """A cell of each family; that the comparisons of the same scores agree, the tests of the engine show."""
    other = clone(tmp_path / "other")
    cells = {
        "iris-logistic_regression": "discriminative",
        "iris-gaussian": "classical_generative",
        "moons-cvae": "deep_generative",
    }
    other.plain_repro(*(f"evaluate_{family}@{cell}" for cell, family in cells.items()))
    for cell in cells:
        name = f"reports/evaluations/{cell}/scores.csv"
        assert other.read(name) == reproduced.read(name)
