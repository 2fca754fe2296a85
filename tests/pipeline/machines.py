"""The machines of a team: clones of one bare git repository that run the steps of retrain.yml as they stand there."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.pipeline.conftest import ROOT, Project, bring_bytecode, clone

WORKFLOW = ROOT / ".github" / "workflows" / "retrain.yml"
SET_UP = ROOT / ".github" / "actions" / "set-up" / "action.yml"
PERSON = ("-c", "user.name=t", "-c", "user.email=t@t")

PARAMS = """\
seed: 0
plugins: []
training: {device: cpu, precision: auto}
comparison: {confidence: 0.95}
datasets:
  iris: {source: embedded, name: iris, repeats: 2, folds: 2}
files:
  own: {source: csv, path: own.csv, target: answer, repeats: 2, folds: 2}
discriminative:
  iris-prior: {data: iris, module: baseline, class: PriorBaseline}
  own-prior: {data: own, module: baseline, class: PriorBaseline}
  own-tree: {data: own, module: trees, class: DecisionTree, args: {max_depth: 1}}
classical_generative:
  iris-gaussian: {data: iris, module: gaussian, class: GaussianClassifier}
deep_generative: {}
"""


def rows(first: int, last: int) -> str:
    """Lines of own.csv: a tree that splits once knows most answers, one that splits twice all."""
    numbers = ((7 * i % 13, 5 * i % 11) for i in range(first, last))
    return "".join(f"{a},{b},{'yes' if a > 4 and b > 2 else 'no'}\n" for a, b in numbers)


def found_origin(folder: Path) -> Path:
    """A bare repository with the working tree of this one, small params and a data set of its own."""
    seed = clone(folder / "seed")
    (seed.folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (seed.folder / "own.csv").write_text("a,b,answer\n" + rows(0, 600), encoding="utf-8")
    seed.call("git", "add", "-A")
    seed.call("git", *PERSON, "commit", "-qm", "data")
    seed.call("git", "branch", "-M", "main")
    seed.call("git", "clone", "-q", "--bare", ".", str(folder / "origin.git"))
    return folder / "origin.git"


def stages_of(*cells: str) -> set[str]:
    """The stages that train and evaluate these cells."""
    family = {"iris-gaussian": "classical_generative"}
    return {f"{stage}_{family.get(c, 'discriminative')}@{c}" for c in cells for stage in ("train", "evaluate")}


def script(path: Path, step: str, job: str = "") -> str:
    """The script of a step, by its name."""
    tree: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    steps = tree["jobs"][job]["steps"] if job else tree["runs"]["steps"]
    (found,) = [s["run"] for s in steps if s.get("name") == step]
    return str(found)


@dataclass
class Machine(Project):
    """A runner: a clone, the settings of the repository, and the files that GitHub gives to a step."""

    tracked: bool = True
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def private(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.runner")

    @property
    def environment(self) -> dict[str, str]:
        own = {**super().environment, **self.settings, "RUNNER_TEMP": str(self.private)}
        return own | {f"GITHUB_{name}": str(self.private / name) for name in ("OUTPUT", "STEP_SUMMARY", "PATH")}

    def run(self, text: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a script as GitHub does."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{text} failed:\n{done.stdout}\n{done.stderr}"
        return done

    def step(self, job: str, name: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a step of the workflow."""
        return self.run(script(WORKFLOW, name, job), check, **more)

    def stages(self, job: str, name: str, **more: str) -> set[str]:
        """Run a step of the workflow; the stages that DVC ran in it."""
        return set(re.findall(r"Running stage '([^']+)'", self.step(job, name, **more).stdout))

    def output(self, name: str) -> str:
        """What the steps so far gave to later jobs under this name."""
        lines = (self.private / "OUTPUT").read_text(encoding="utf-8").splitlines()
        return [line.split("=", 1)[1] for line in lines if line.startswith(f"{name}=")][-1]

    def commit(self, message: str) -> None:
        """Commit everything and push it to the main branch, as a person of the team."""
        self.call("git", "add", "-A")
        self.call("git", *PERSON, "commit", "-qm", message)
        self.call("git", "push", "-q", "origin", "HEAD:main")


def start(origin: Path, folder: Path, settings: dict[str, str], *, set_up: bool = True) -> Machine:
    """A fresh machine with the main branch, set up as the workflow does it; the packages are there already."""
    subprocess.run(["git", "clone", "-q", "--branch", "main", str(origin), str(folder)], check=True)
    bring_bytecode(folder)
    machine = Machine(folder, settings=settings)
    machine.private.mkdir()
    for name in ("Name the DVC remote", "Pick up new data") if set_up else ():
        machine.run(script(SET_UP, name))
    return machine


def empty_settings() -> dict[str, str]:
    """What a variable or a secret that is not set is to a step: an empty string."""
    tree = YAML(typ="safe").load(WORKFLOW.read_text(encoding="utf-8"))
    return dict.fromkeys([*tree["env"], *tree["jobs"]["report"]["env"]], "")
