"""Commands of the command line that need no run: models, status, remove, completion, and names mistyped."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import versus
from versus import __version__
from versus import params as parameters
from versus.__main__ import COMMANDS, main
from versus.commands.repro import stage_names, stages_of
from versus.data.errors import unknown
from versus.models import catalogue
from versus.pipeline import verification
from versus.pipeline.fingerprint import fingerprints
from versus.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the params of this project, and its fingerprints as after a run."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "data/fingerprints").mkdir(parents=True)
    for name, text in fingerprints(parameters.read(tmp_path / "params.yaml")):
        (tmp_path / "data/fingerprints" / f"{name}.txt").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_models_shows_each_class_and_the_arguments_of_one(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    _, said, _ = call(capsys, "models")
    for cell in parameters.cells(parameters.read(project / "params.yaml")):
        assert cell.class_name in said
    assert "tagging" in next(line for line in said.splitlines() if "HiddenMarkovModel" in line)
    assert "documents" in next(line for line in said.splitlines() if "MultinomialNaiveBayes" in line)
    assert "images" in next(line for line in said.splitlines() if "ConvolutionalClassifier" in line)
    _, said, _ = call(capsys, "models", "MLPClassifier")
    assert "marked; images are scaled" in said  # on one line, as two lines of the source are one paragraph
    row = next(line for line in said.splitlines() if line.startswith("hidden_layer_sizes"))
    assert "list of int from 1 up" in row
    default = catalogue.signatures("discriminative", "perceptron")["MLPClassifier"]["hidden_layer_sizes"].default
    assert default in row
    assert "Offers: probabilities" in said
    code, _, error = call(capsys, "models", "GausianClassifier")
    assert code == 1
    assert "did you mean" in error
    assert "GaussianClassifier" in error


def test_status_names_the_cells_that_an_edit_reaches(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert "Neither params nor code" in call(capsys, "status")[1]
    finished = "".join(
        f"- path: {name}\n  hash: md5\n  md5: {hashlib.md5((project / name).read_bytes()).hexdigest()}\n"
        for name in (f"data/fingerprints/{kept.name}" for kept in project.glob("data/fingerprints/*"))
    )
    lock = project / "dvc.lock"
    lock.write_text(finished, encoding="utf-8")
    assert "Neither params nor code" in call(capsys, "status")[1]
    lock.write_text(finished.replace("train-iris-mlp.txt", "train-iris-gone.txt"), encoding="utf-8")
    assert "unfinished: 'train-iris-mlp'" in call(capsys, "status")[1].splitlines()  # as after an interrupt
    lock.unlink()
    params = project / "params.yaml"
    params.write_text(
        params.read_text(encoding="utf-8").replace(
            "Classifier, args: {n_components: 6}", "Classifier, args: {n_components: 7}"
        ),
        encoding="utf-8",
    )
    (project / "data/fingerprints/prepare-iris.txt").unlink()
    mlp = project / "data/fingerprints/evaluate-wine-mlp.txt"  # as if a file had been another then
    mlp.write_text(mlp.read_text(encoding="utf-8") + "abc  src/versus/gone.py\n", encoding="utf-8")
    said = call(capsys, "status")[1].splitlines()
    assert "params.yaml: 'train-moons-gaussian_mixture', 'evaluate-moons-gaussian_mixture', 'compare'" in said
    assert "new: 'prepare-iris'" in said
    assert "src/versus/gone.py: 'evaluate-wine-mlp'" in said
    cells = list(parameters.cells(parameters.read(params)))
    fitted = 1 + sum(cell.dataset == "iris" for cell in cells)
    assert f"To run: {fitted} of {len(cells)} cells are fitted, {fitted + 1} scored, and compared." in said


def test_remove_takes_out_a_cell_or_a_data_set_and_what_needs_it(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    path = project / "params.yaml"
    before, lines = parameters.read(path), path.read_text(encoding="utf-8").splitlines()
    assert "removed discriminative: iris-mlp" in call(capsys, "remove", "iris-mlp")[1]
    kept = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "iris-mlp" not in line] == kept  # with every comment
    call(capsys, "remove", "breast_cancer", "wine-prior")
    after = parameters.read(path)
    assert "breast_cancer" not in after.datasets
    assert not any(c.dataset == "breast_cancer" or c.name == "wine-prior" for c in parameters.cells(after))
    assert {e for e, asked in before.experiments.items() if asked.data == "breast_cancer"}.isdisjoint(after.experiments)
    assert len(before.datasets) == len(after.datasets) + 1
    for name, meant in (("wine-mpl", "'wine-mlp'"), ("moonz", "'moons'")):
        code, _, error = call(capsys, "remove", name)
        assert code == 1
        assert error.partition("did you mean ")[2].startswith(meant)


def test_remove_drops_the_stages_from_the_lock_file(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    shutil.copy(ROOT / "dvc.lock", project)
    path, lock = project / "params.yaml", project / "dvc.lock"
    text = path.read_text(encoding="utf-8").replace("comparison:\n", "comparison:\n  slices: {adults: [age]}\n", 1)
    text = text.replace("files: {}", "files:\n  adults: {source: csv, path: a.csv, target: y}")
    path.write_text(text, encoding="utf-8")
    with lock.open("a", encoding="utf-8") as file:
        for stage in ("train_deep_generative@moons-gone", "prepare_files@adults", "mine@moons", "mine"):
            file.write(f"  {stage}:\n    cmd: echo\n")
    before = lock.read_text(encoding="utf-8")
    assert call(capsys, "remove", "iris", "wine-mlp", "adults")[0] == 0
    stages = verification.read_lock(project)
    known = {f"{kind}@{name}" for kind, names in stage_names(parameters.read(path)).items() for name in names}
    assert {stage for stage in stages if "@" in stage} - known == {"mine@moons"}  # a kind of stage of the user's own
    for gone in ("@iris\n", "@iris-", "@wine-mlp", "@moons-gone", "@adults"):
        assert gone not in lock.read_text(encoding="utf-8").replace(":\n", "\n")
    kept = set(lock.read_text(encoding="utf-8").splitlines())
    assert kept <= set(before.splitlines())
    assert {"mine", "fingerprint", "compare", "prepare@wine", "evaluate_discriminative@wine-prior"} <= stages.keys()
    lock.write_text(before[:-10], encoding="utf-8")
    assert call(capsys, "remove", "wine-prior")[0] == 0
    assert lock.read_text(encoding="utf-8") == before[:-10]


def test_any_cell_gets_a_learning_curve_without_a_line_of_yaml(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    path = project / "params.yaml"
    before, text = parameters.read(path), path.read_text(encoding="utf-8")
    assert "iris-mlp" in call(capsys, "add", "iris-mlp", "--experiment", "--dry-run")[1]
    assert path.read_text(encoding="utf-8") == text
    for name in ("iris-mlp", "iris-mlp", "iris-cvae", "diabetes", "breast_cancer-mlp"):
        assert call(capsys, "add", name, "--experiment")[0] == 0
    kept = set(path.read_text(encoding="utf-8").splitlines())
    assert [line for line in text.splitlines() if line not in kept and "breast_cancer_size" not in line] == []
    found = parameters.read(path).experiments
    assert found["iris_size"].cells == ("iris-mlp", "iris-cvae")
    assert found["diabetes_size"].cells == ("diabetes-ridge", "diabetes-gaussian", "diabetes-vae")
    assert found["breast_cancer_size"].cells == (*before.experiments["breast_cancer_size"].cells, "breast_cancer-mlp")
    for name, said in (("digits-vae", "of 'digits-vae' none predicts"), ("iris-mpl", "'iris-mlp'")):
        code, _, error = call(capsys, "add", name, "--experiment")
        assert code == 1
        assert said in error


def test_names_mistyped_anywhere_get_suggestions(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    cases = [[command, "iris-mpl"] for command in ("sample", "card", "export")]
    cases += [["predict", "iris-mpl", "rows.csv"], ["repro", "iris-mpl"], ["repro", "evaluate_discriminative@iris-mpl"]]
    for words in cases:
        code, _, error = call(capsys, *words)
        assert code == 1
        assert "iris-mlp'" in error.partition("did you mean")[2], words
    with pytest.raises(parameters.ParamsError, match="did you mean 'iris'"):
        versus.dataset("irsi")
    for command in ("rollback", "gate"):
        code, _, error = call(capsys, command, "irs")
        assert code == (2 if command == "gate" else 1)
        assert "'iris'" in error.partition("did you mean")[2]
    code, _, error = call(capsys, "statu")
    assert code == 2
    assert "unknown command 'statu'; did you mean 'status'?" in error
    code, _, error = call(capsys, "export", "iris-mlp", "--onto", "x")
    assert code == 2
    assert error.startswith("usage: versus export")
    found = stages_of(Workspace(project), ["--force", "iris-mlp", "wine", "train_discriminative"])
    assert found == ["--force", "evaluate_discriminative@iris-mlp", "prepare@wine", "train_discriminative"]


def test_similar_names_come_by_likeness_and_not_by_order() -> None:
    known = ["digits-rbf_svm", "wine-knn", "Wine-MLP", "wine-mlp"]
    said = unknown("cell", "wine-mpl", known)
    assert said == "unknown cell 'wine-mpl'; did you mean 'Wine-MLP', 'wine-mlp', 'wine-knn'?"
    assert unknown("cell", "xyz", ["a", "b"]) == "unknown cell 'xyz'; there are 'a', 'b'"


def test_version_and_completion(capsys: pytest.CaptureFixture[str]) -> None:
    assert __version__ in call(capsys, "--version")[1]
    _, script, _ = call(capsys, "--print-completion", "bash")
    assert all(command in script for command in COMMANDS)
    assert "--target" in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    _, script, _ = call(capsys, "--print-completion", "zsh")
    assert script.startswith("#compdef versus")
    assert all(command in script for command in COMMANDS)
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n"], input=script, text=True, check=True)


def test_a_command_whose_reader_has_gone_ends_without_a_word() -> None:
    for words in (["--help"], ["models"]):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "versus", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": ""}
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment, check=False)
        os.close(writer)
        assert done.returncode
        assert done.stderr == b""
