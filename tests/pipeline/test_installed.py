"""The package without a checkout: a built wheel, a project of its own, and the notebook interface."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from versus.serving.code import CODE

MODELS = ["prior", "logistic_regression", "naive_bayes"]
NOTEBOOK = """
import sys
import pandas as pd
import versus
assert versus.__file__.startswith(sys.argv[1])
frame = pd.read_csv("plants.csv")
models = ["logistic_regression", "naive_bayes", "StudentT"]
report = versus.compare(frame, target="kind", models=models, repeats=1, minutes=5, plugins=["mine"])
assert "worst_recall" in set(report.scores["metric"])
assert type(report.load("data-studentt").model).__module__ == "mine.classical_generative.student_t"
try:
    versus.compare(frame, target="kind", models=["StudentT"])
except ValueError as error:
    print(error)
print(report.best().to_string())
print(report.load("data-naive_bayes").predict(frame.head(2))["prediction"].tolist())
print(len(report.load("data-naive_bayes").sample(4, random_state=0)))
print(report.dataset("data").part("test").columns.tolist())
print(report._repr_html_())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder of a built wheel, unpacked."""
    source, out = (tmp_path_factory.mktemp(name) for name in ("source", "wheel"))
    listed = subprocess.check_output(["git", "ls-files", "-coz", "--exclude-standard"], cwd=CODE, text=True).split("\0")
    wanted = (
        "src/",
        "stages/",
        "setup.py",
        "pyproject.toml",
        "dvc.yaml",
        "constraints",
        "README",
        "LICENSE",
        ".dvcignore",
    )
    for name in (name for name in listed if name.startswith(wanted) and (CODE / name).is_file()):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CODE / name, source / name)
    build = "from setuptools import build_meta; import sys; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(out)], cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        wheel.extractall(out)
    # As pip does: bytecode that appears while a stage runs would be a change of the code.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(out)], check=True)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with a small table."""
    made = tmp_path_factory.mktemp("mine")
    rng = np.random.default_rng(0)
    kind = np.array(["fern", "moss"] * 40)
    frame = pd.DataFrame({"height": rng.normal(3 * (kind == "fern"), 1).round(2), "kind": kind})
    frame.to_csv(made / "plants.csv", index=False)
    return made


def called(installed, folder, *command):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(installed), "PATH": path, "VERSUS_TRACKING": "off"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # into code that a stage depends on
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_project_of_an_installed_package(installed, folder):
    versus = [sys.executable, "-m", "versus"]
    assert "versus add FILE" in called(installed, folder, *versus, "init")
    called(installed, folder, *versus, "add", "plants.csv", "--target", "kind", "--set", "repeats=1")
    params = folder / "params.yaml"
    lines = params.read_text().splitlines()
    kept = [x for x in lines if not x.startswith("  plants-") or any(f"-{model}:" in x for model in MODELS)]
    params.write_text("\n".join(kept).replace("deep_generative:\n", "deep_generative: {}\n") + "\n")
    said = called(installed, folder, *versus, "repro")
    assert said.count("Running stage 'train_") == 3
    assert str(installed) not in (folder / "dvc.yaml").read_text() + (folder / "code.txt").read_text()
    assert (folder / "reports/report.html").is_file()
    again = called(installed, folder, sys.executable, "-m", "dvc", "repro")
    assert "Running stage" not in again
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@here"]
    called(installed, folder, "git", "add", ".")
    called(installed, folder, *git, "commit", "--quiet", "--message", "mine")
    argument = "discriminative.plants-logistic_regression.args.C=0.5"
    dvc = [sys.executable, "-m", "dvc"]
    assert called(installed, folder, *dvc, "params", "diff") == ""  # what the last commit has can be read
    said = called(installed, folder, *dvc, "exp", "run", "--temp", "-S", argument)
    assert said.count("Running stage 'train_") == 1
    assert "plants-logistic_regression" in called(installed, folder, *dvc, "metrics", "diff", "--all")
    changed = Path(installed) / "versus/models/discriminative/linear.py"
    text = changed.read_text()
    changed.write_text(text + "# read again\nPLAIN = 1\n")
    said = called(installed, folder, *versus, "repro")
    changed.write_text(text)
    assert said.count("Running stage 'train_") == 1  # the cell of that code
    with pytest.raises(AssertionError, match="this is a project"):
        called(installed, folder, *versus, "init")


@pytest.mark.slow
def test_a_notebook_compares_models_on_a_frame(installed, folder):
    shutil.copytree(CODE / "examples/mine", folder / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    said = called(installed, folder, sys.executable, "-c", NOTEBOOK, str(installed))
    assert "unknown model 'StudentT'" in said
    assert "naive_bayes" in said
    assert "['fern', 'moss']" in said
    assert "['height', 'kind']" in said
    assert "<b>data</b>" in said
    assert (folder / "versus-runs/data/reports/verdicts.csv").is_file()
