"""A team retrains on several machines by the steps of retrain.yml: git, a DVC remote and an MLflow server are real."""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline import machines
from tests.pipeline.machines import Machine
from tests.pipeline.test_verify import flip_a_byte
from tests.tracking.servers import MlflowServer
from versus.pipeline import verification

pytestmark = pytest.mark.slow

CELLS = {"iris-prior", "iris-gaussian", "own-prior", "own-tree"}
PROPOSAL = "Commit to the branch"


@dataclass
class Team:
    """What the machines share."""

    folder: Path
    settings: dict[str, str]

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    def machine(self, name: str, *, set_up: bool = True) -> Machine:
        return machines.start(self.origin, self.folder / name, self.settings, set_up=set_up)

    def alias(self, name: str, dataset: str = "own") -> str:
        """The cell and the version that an alias of the registry points to."""
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            found = MlflowClient(self.settings["MLFLOW_TRACKING_URI"]).get_model_version_by_alias(dataset, name)
        except MlflowException:
            return ""
        return f"{found.tags['cell']} {found.version}"


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """An empty DVC remote, an empty MLflow server, and a repository that nothing was trained in."""
    machines.found_origin(tmp_path)
    (tmp_path / "remote").mkdir()
    server = MlflowServer(tmp_path, f"sqlite:///{tmp_path / 'mlflow.db'}")
    server.start()
    own = {"MLFLOW_TRACKING_URI": server.uri, "DVC_REMOTE_URL": str(tmp_path / "remote")}
    yield Team(tmp_path, machines.empty_settings() | own)
    server.kill()


def keep(machine: Machine) -> None:
    """Check what was reproduced, pass it on, and log it."""
    machine.step("report", "Verify")
    machine.step("report", "Push")
    machine.step("report", "Bring MLflow up to date")


def judge(machine: Machine) -> tuple[int, str]:
    """Judge what was reproduced; the gate's exit code and page."""
    done = machine.step("report", "Gate", check=False)
    machine.step("report", "Summarise")
    machine.step("report", "Collect the changes")
    page = (machine.private / "retraining" / "gate.md").read_text(encoding="utf-8")
    assert page.strip() in (machine.private / "STEP_SUMMARY").read_text(encoding="utf-8")
    return done.returncode, page


def propose_and_merge(team: Team, machine: Machine) -> None:
    """The last job: a branch with the results, on a machine that has but the patch; then somebody merges it."""
    writer = team.machine(f"{machine.folder.name}-proposal", set_up=False)
    (writer.private / "retraining").symlink_to(machine.private / "retraining")
    writer.step("propose", PROPOSAL)
    changed = writer.call("git", "show", "--name-only", "--format=", "origin/retraining").stdout.split()
    assert "dvc.lock" in changed
    assert all(name == "dvc.lock" or name.startswith("reports/") for name in changed)
    writer.call("git", "push", "-q", "origin", "retraining:main")


def test_a_team_retrains(team: Team) -> None:
    # The first time, two machines share the cells, and what is best becomes the champion, with a note.
    first = share_and_gather(team)
    keep(first)
    code, page = judge(first)
    assert code == 0, page
    assert "first champion" in page
    assert team.alias("champion").startswith("own-tree")
    propose_and_merge(team, first)

    # Nothing has changed: a machine that has nothing restores everything, runs nothing, and proposes nothing.
    began = time.monotonic()
    again = team.machine("again")
    assert again.stages("report", "Reproduce") == set()
    took = time.monotonic() - began
    print(f"\nretrained with unchanged data in {took:.1f} s")
    assert took < 30 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # others may be at work on this machine
    assert judge(again)[0] == 0
    assert again.output("changed") == "false"

    # New rows: the stages of that data set run. Its test rows are others, so the gate takes a new baseline.
    with ThreadPoolExecutor() as beside:
        mended = beside.submit(damage_is_named_and_not_used, again)
        champion, tried = new_rows_are_a_new_baseline(team)
        mended.result()

    # A worse model: the gate fails, and the alias stays.
    tried.edit("params.yaml", "args: {max_depth: 1}", "args: {max_depth: 1, min_samples_leaf: 10000}")
    tried.step("report", "Reproduce")
    with ThreadPoolExecutor() as beside:
        computed = beside.submit(damage_in_the_remote_is_not_used, team, again)
        code, page = judge(tried)
        assert code == 1, page
        assert team.alias("champion") == champion
        verdicts = json.loads((tried.private / "retraining" / "gate.json").read_text(encoding="utf-8"))
        assert "own" in json.dumps(verdicts)

        # A better one: the alias moves, and the former champion is the previous one.
        tried.edit("params.yaml", "args: {max_depth: 1, min_samples_leaf: 10000}", "args: {max_depth: 4}")
        tried.step("report", "Reproduce")
        code, page = judge(tried)
        assert code == 0, page
        assert team.alias("champion") != champion
        assert team.alias("previous") == champion
        computed.result()


def new_rows_are_a_new_baseline(team: Team) -> tuple[str, Machine]:
    """A person adds rows, and a machine retrains; the champion, and a machine that starts from there."""
    person = team.machine("person", set_up=False)
    with (person.folder / "own.csv").open("a", encoding="utf-8") as file:
        file.write(machines.rows(600, 700))
    person.commit("new rows")
    grown = team.machine("grown")
    ran = grown.stages("report", "Reproduce")
    assert ran == {"prepare_files@own", "extractor_files@own", "compare"} | machines.stages_of("own-prior", "own-tree")
    keep(grown)
    code, page = judge(grown)
    assert (code, "new baseline" in page) == (0, True), page
    champion = team.alias("champion")
    assert champion.startswith("own-tree")
    propose_and_merge(team, grown)
    return champion, team.machine("tried")


def damage_is_named_and_not_used(machine: Machine) -> None:
    """In the cache of this machine: `verify` names the object, and what takes its place comes from the remote."""
    model, md5 = gaussian(machine)
    flip_a_byte(verification.object_path(verification.cache_folder(machine.folder), md5))
    done = machine.step("report", "Verify", check=False)
    assert done.returncode == 1
    assert md5[2:] in done.stdout
    machine.call(sys.executable, "-m", "versus", "verify", "--fix")
    assert machine.stages("report", "Reproduce") == set()
    machine.step("report", "Verify")
    assert verification.md5_of(model) == md5


def damage_in_the_remote_is_not_used(team: Team, whole: Machine) -> None:
    """Another machine computes again what it cannot have whole, and comes to the same."""
    _, md5 = gaussian(whole)
    flip_a_byte(team.folder / "remote" / "files" / "md5" / md5[:2] / md5[2:])
    other = team.machine("other")
    assert "train_classical_generative@iris-gaussian" in other.stages("report", "Reproduce")
    other.step("report", "Verify")
    assert gaussian(other)[1] == md5


def gaussian(machine: Machine) -> tuple[Path, str]:
    """A file of a fitted model, and its hash."""
    path = machine.folder / "models/iris-gaussian/0.safetensors"
    return path, verification.md5_of(path)


def share_and_gather(team: Team) -> Machine:
    """Two machines train, a third gathers: every cell is trained once, by one of the two."""
    plan = team.machine("plan", set_up=False)
    plan.step("plan", "Number the shares", SHARES="2")
    numbers = json.loads(plan.output("numbers"))
    assert numbers == [1, 2]

    def train(number: int) -> set[str]:
        machine = team.machine(f"share{number}")
        found = machine.stages("train", "Train the share", SHARE=f"{number}/{plan.output('count')}")
        machine.step("train", "Push the share")
        return found

    with ThreadPoolExecutor() as side_by_side:
        ran = list(side_by_side.map(train, numbers))
    trained = [stage for stages in ran for stage in stages if stage.startswith(("train", "evaluate"))]
    assert sorted(trained) == sorted(machines.stages_of(*CELLS))
    assert all(any(stage.startswith("train") for stage in stages) for stages in ran)
    assert "compare" not in set().union(*ran)

    gather = team.machine("gather")
    # No share needs the features of images of a data set without generative models.
    assert gather.stages("report", "Reproduce") == {"extractor_files@own", "compare"}
    assert set(re.findall(r"(?m)^([a-z_]+-[a-z_]+),", gather.read("reports/costs.csv"))) == CELLS
    for cell in CELLS:
        path = f"models/{cell}/training_cost.json"
        makers = team.folder.glob(f"share?/{path}")
        assert [maker.read_text(encoding="utf-8") for maker in makers] == [gather.read(path)]
    return gather
