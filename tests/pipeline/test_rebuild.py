"""A repro rebuilds exactly what changed."""

import csv
import io
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project, clone

pytestmark = pytest.mark.slow


def cells_in(project: Project) -> set[str]:
    return {row["cell"] for row in csv.DictReader(io.StringIO(project.read("reports/comparison.csv")))}


def test_a_fresh_repro_makes_every_output(reproduced: Project) -> None:
    for name in ("report.html", "report.md", "comparison.csv", "costs.csv", "metrics.json"):
        assert (reproduced.folder / "reports" / name).stat().st_size > 0
    assert cells_in(reproduced) == {
        "iris-logistic_regression",
        "iris-prior",
        "iris-gaussian",
        "moons-logistic_regression",
        "moons-cvae",
    }


def test_a_second_repro_runs_nothing(project: Project) -> None:
    assert project.repro() == set()


def test_a_hyperparameter_reruns_its_cell_alone(project: Project) -> None:
    project.edit("params.yaml", "args: {C: 1.0}", "args: {C: 0.01}")
    cell = "iris-logistic_regression"
    assert project.repro() == {
        "fingerprint",
        f"train_discriminative@{cell}",
        f"evaluate_discriminative@{cell}",
        "compare",
    }


def test_a_model_file_reruns_its_cells_alone(project: Project) -> None:
    with (project.folder / "src/versus/models/discriminative/linear.py").open("a") as file:
        file.write("\nEDITED = True\n")
    ran = project.repro()
    cells = {"iris-logistic_regression", "moons-logistic_regression"}
    expected = {f"{stage}_discriminative@{cell}" for stage in ("train", "evaluate") for cell in cells}
    assert ran - {"fingerprint", "compare"} == expected
    assert project.repro() == set()


def test_a_reworded_docstring_or_comment_reruns_nothing(project: Project) -> None:
    project.edit("src/versus/workspace.py", '    """Folder with a', '    """The folder with a')
    with (project.folder / "src/versus/models/discriminative/linear.py").open("a") as file:
        file.write("\n# edited\n")
    assert project.repro() == {"fingerprint"}


def test_a_removed_cell_is_gone_from_the_report(project: Project) -> None:
    project.edit("params.yaml", "  iris-prior: {data: iris, module: baseline, class: PriorBaseline}\n", "")
    assert project.repro() == {"fingerprint", "compare"}
    assert "iris-prior" not in cells_in(project)
    assert "iris-prior" not in project.read("reports/report.html")


def test_an_added_data_set_runs_its_own_stages(project: Project) -> None:
    project.edit("params.yaml", "files: {}", "  wine: {source: embedded, name: wine, repeats: 2}\nfiles: {}")
    line = "  wine-gaussian: {data: wine, module: gaussian, class: GaussianClassifier}\n"
    project.edit("params.yaml", "deep_generative:\n", f"{line}deep_generative:\n")
    cell = "wine-gaussian"
    stages = {"prepare@wine", f"train_classical_generative@{cell}", f"evaluate_classical_generative@{cell}"}
    assert project.repro() == stages | {"fingerprint", "compare"}
    assert cell in cells_in(project)


def test_two_clones_agree_in_every_bit_one_by_one_and_side_by_side(reproduced: Project, tmp_path: Path) -> None:
    other = clone(tmp_path / "other")
    other.plain_repro()
    assert other.read("reports/comparison.csv") == reproduced.read("reports/comparison.csv")
    for cell in cells_in(reproduced):
        name = f"reports/evaluations/{cell}/scores.csv"
        assert other.read(name) == reproduced.read(name)


def test_a_file_of_ones_own_is_watched(project: Project) -> None:
    rows = [f"{i % 7},{i % 5},{'yes' if (i % 7) > 3 else 'no'}" for i in range(120)]
    (project.folder / "own.csv").write_text("a,b,answer\n" + "\n".join(rows) + "\n")
    project.edit("params.yaml", "files: {}", "files:\n  own: {source: csv, path: own.csv, target: answer, repeats: 2}")
    line = "  own-gaussian: {data: own, module: gaussian, class: GaussianClassifier}\n"
    project.edit("params.yaml", "deep_generative:\n", f"{line}deep_generative:\n")
    assert "prepare_files@own" in project.repro()
    assert project.repro() == set()
    with (project.folder / "own.csv").open("a") as file:
        file.write("1,1,yes\n" * 10)
    assert project.repro() == {
        "prepare_files@own",
        "train_classical_generative@own-gaussian",
        "evaluate_classical_generative@own-gaussian",
        "compare",
    }
