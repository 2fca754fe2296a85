"""A small pipeline in a clone of its own: three data sets, one cell or two of each family."""

import compileall
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]

PARAMS = """\
seed: 0
plugins: []
training: {device: cpu, precision: auto}
comparison: {confidence: 0.95}
datasets:
  iris: {source: embedded, name: iris, repeats: 2, folds: 2}
  moons: {source: embedded, name: moons, rows: 200, repeats: 2}
files: {}
discriminative:
  iris-logistic_regression: {data: iris, module: linear, class: LogisticRegression, args: {C: 1.0}}
  iris-prior: {data: iris, module: baseline, class: PriorBaseline}
  moons-logistic_regression: {data: moons, module: linear, class: LogisticRegression}
classical_generative:
  iris-gaussian: {data: iris, module: gaussian, class: GaussianClassifier}
deep_generative:
  moons-cvae: {data: moons, module: vae, class: ConditionalVAE, args: {n_latent: 2, epochs: 5}}
"""


@dataclass
class Project:
    """A clone, and if its results go to MLflow, which takes a third of the time of a small run."""

    folder: Path
    tracked: bool = False

    @property
    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {k: v for k, v in os.environ.items() if not k.startswith(("VERSUS_", "MLFLOW_", "GIT_"))}
        tracking = {} if self.tracked else {"VERSUS_TRACKING": "off"}
        return {**own, **tracking, "PATH": path, "PYTHONPATH": str(self.folder / "src")}

    def call(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
        return done

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.call(sys.executable, "-m", "dvc", *arguments, check=check)

    def versus(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.call(sys.executable, "-m", "versus", *arguments, check=check)

    def repro(self, *arguments: str) -> set[str]:
        """Reproduce; the names of the stages that ran."""
        return ran(self.versus("repro", *arguments))

    def plain_repro(self, *arguments: str) -> set[str]:
        """Reproduce as DVC does it by itself; the names of the stages that ran."""
        return ran(self.dvc("repro", *arguments))

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert before in text, f"{name} has no {before!r}"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def copy(self, folder: Path) -> "Project":
        """A copy of everything: the cache and what was made, too."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
        return Project(folder)


def ran(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The stages that a repro said it ran."""
    return set(re.findall(r"Running stage '([^']+)'", done.stdout))


@cache
def bytecode() -> TemporaryDirectory[str]:
    """Code of this checkout, compiled once for all clones."""
    made = TemporaryDirectory()
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, Path(made.name, name), ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(made.name, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return made


def bring_bytecode(folder: Path) -> None:
    """Put it beside a clone's sources; Python compares their hashes with it, not their times, and so sees an edit."""

    def others(_: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(name).suffix not in ("", ".pyc")]

    shutil.copytree(bytecode().name, folder, dirs_exist_ok=True, ignore=others)


def clone(folder: Path) -> Project:
    """The working tree as git would commit it, in a repository of its own, with the small params."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if name.startswith(("reports/", "dvc.lock", "tests/")) or not (ROOT / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
    bring_bytecode(folder)
    project = Project(folder)
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "start"],
    ):
        project.call("git", *command)
    return project


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """A clone after its first repro, one for all processes that run tests; tests that change it work on a copy.

    The file ``made`` beside it has what that repro warned of.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "reproduced"
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            done = replace(clone(folder / "first"), tracked=True).versus("repro")
            (folder / "made").write_text(done.stderr, encoding="utf-8")
    return Project(folder / "first")


@pytest.fixture
def project(reproduced: Project, tmp_path: Path) -> Project:
    """A copy of the reproduced clone, for a test to change."""
    return reproduced.copy(tmp_path / "copy")
