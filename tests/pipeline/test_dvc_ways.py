"""DVC's own ways of looking and experimenting work on the pipeline, and so do workspaces."""

import json
import sys

import pytest

from tests.pipeline.conftest import PARAMS, Project

pytestmark = pytest.mark.slow


def test_metrics_and_plots_are_shown(project: Project) -> None:
    metrics = json.loads(project.dvc("metrics", "show", "--json").stdout)
    assert "iris" in json.dumps(metrics)
    project.dvc("plots", "show", "--out", "shown")
    page = (project.folder / "shown" / "index.html").read_text(encoding="utf-8")
    for title in ("learning", "confusion", "reliability"):
        assert title in page.lower()


def test_an_experiment_changes_a_parameter_and_its_metrics_differ(project: Project) -> None:
    commit = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "results")
    project.call("git", "add", "-A")
    project.call(*commit)
    project.dvc("exp", "run", "-S", "discriminative.iris-logistic_regression.args.C=0.0001", "-n", "weak")
    shown = project.dvc("exp", "show", "--csv").stdout
    assert "weak" in shown
    changed = json.loads(project.dvc("metrics", "diff", "--json").stdout)
    assert "logistic_regression" in json.dumps(changed)


def test_one_stage_can_be_reproduced_alone(project: Project) -> None:
    project.edit("params.yaml", "args: {C: 1.0}", "args: {C: 0.5}")
    cell = "iris-logistic_regression"
    assert project.repro(f"evaluate_discriminative@{cell}") == {
        "fingerprint",
        f"train_discriminative@{cell}",
        f"evaluate_discriminative@{cell}",
    }


def test_a_file_that_is_missing_is_named_with_what_may_be_meant(project: Project) -> None:
    (project.folder / "owner.csv").write_text("a,b\n1,2\n")
    project.edit("params.yaml", "files: {}", "files:\n  own: {source: csv, path: own.csv, target: b}")
    done = project.call(sys.executable, "-m", "versus", "repro", check=False)
    assert done.returncode
    assert "own: own.csv: there is no such file; the folder has owner.csv" in done.stderr
    done = project.call(sys.executable, "-m", "versus", "run", "params.yaml", "--data", "src", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("versus run: own: own.csv: there is no such file. It was looked for in")
    run = (sys.executable, "-m", "versus", "run", "params.yaml")
    done = project.call(*run, "-S", "files.own.path=on.csv", check=False)
    assert done.stderr.startswith("versus run: own: on.csv: there is no such file")
    assert not (project.folder / "runs").exists()
    project.call(*run, "-S", "files.own.path=owner.csv", "fingerprint")
    assert "path: ../../owner.csv" in Project(project.folder / "runs" / "params").read("params.yaml")


def test_another_params_file_runs_in_a_workspace_of_its_own(project: Project) -> None:
    project.tracked = True
    lock = project.read("dvc.lock")
    other = PARAMS.replace("repeats: 2", "repeats: 4").split("classical_generative:")[0]
    other = "".join(line for line in other.splitlines(keepends=True) if "iris" not in line)
    (project.folder / "other.yaml").write_text(other, encoding="utf-8")
    run = (sys.executable, "-m", "versus", "run", "other.yaml")
    for wrong, why in (
        ("datasets.iriss.repeats=4", "datasets.iriss: needs 'source'"),
        ("repeats", "wants KEY=VALUE"),
        ("seed.x=1", "wants KEY=VALUE"),
    ):
        assert why in project.call(*run, "-S", wrong, check=False).stderr
    change = ("-S", "discriminative.moons-logistic_regression.args.C=0.5")
    assert "The report:" in project.call(*run, *change).stdout
    workspace = Project(project.folder / "runs" / "other")
    assert "C: 0.5" in workspace.read("params.yaml")
    assert (workspace.folder / "dvc.lock").is_file()
    assert "moons-logistic_regression" in workspace.read("reports/comparison.csv")
    assert project.read("dvc.lock") == lock
    assert project.repro() == set()
    again = project.call(*run, *change)
    assert "Running stage" not in again.stdout
    judged = project.versus("gate", "--workspace", "runs/other", "moons", check=False)
    assert "against" in judged.stdout or "is the champion: unchanged" in judged.stdout  # and never "the first champion"
    assert not (workspace.folder / "mlflow.db").exists()
