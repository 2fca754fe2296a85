"""The workflows of GitHub Actions are valid, and give nobody more than is needed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
SERVER, FOLDER = "https://mlflow.example.org", "/mnt/dvc"


def read(path: Path) -> dict[str, Any]:
    tree: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return tree


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        yield from ((f"{path.name} {name}", job) for name, job in read(path)["jobs"].items())


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for where, job in jobs():
        yield from ((where, step) for step in job["steps"])
    for path in ACTIONS:
        yield from ((path.parent.name, step) for step in read(path)["runs"]["steps"])


def check(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_they_fit_the_published_schemas() -> None:
    assert {path.name for path in WORKFLOWS} == {"ci.yml", "retrain.yml"}
    for schema, files in (("vendor.github-workflows", WORKFLOWS), ("vendor.github-actions", ACTIONS)):
        done = check(schema, *files)
        assert done.returncode == 0, done.stdout


def test_the_schema_would_find_a_misspelt_key(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("timeout-minutes", "timeout-minuts"))
    assert check("vendor.github-workflows", broken).returncode == 1


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    lines = [line for path in [*WORKFLOWS, *ACTIONS] for line in path.read_text(encoding="utf-8").splitlines()]
    used = [line.split("uses:")[1].strip() for line in lines if "uses:" in line]
    foreign = [name for name in used if not name.startswith("./")]
    assert foreign
    for name in foreign:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", name)
    assert len(set(foreign)) == len({name.split("@")[0] for name in foreign})  # one version of each
    for name in set(used) - set(foreign):
        assert (ROOT / name / "action.yml").is_file()


def test_every_job_is_limited_in_time_and_in_rights() -> None:
    assert all(read(path)["permissions"] == {} and read(path)["concurrency"]["group"] for path in WORKFLOWS)
    for where, job in jobs():
        assert job["timeout-minutes"] <= 360, where
        writes = {right for right, level in job["permissions"].items() if level != "read"}
        assert writes == ({"contents", "pull-requests"} if where == "retrain.yml propose" else set()), where


def test_the_job_that_may_write_runs_none_of_our_code() -> None:
    for step in read(ROOT / ".github/workflows/retrain.yml")["jobs"]["propose"]["steps"]:
        assert not step.get("uses", "").startswith("./")
        assert not re.search(r"python|versus|dvc (?!.lock)|make|\.ci/", step.get("run", ""))


def test_the_jobs_that_train_and_that_gather_reach_the_same_servers() -> None:
    both = read(ROOT / ".github/workflows/retrain.yml")["jobs"]
    assert both["train"]["env"] == both["report"]["env"]


def test_no_expression_is_pasted_into_a_script_and_no_token_is_left_on_disk() -> None:
    for where, step in steps():
        assert "${{" not in step.get("run", ""), where
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, where


@pytest.mark.parametrize(
    ("uri", "remote", "named"),
    [
        (SERVER, FOLDER, []),
        ("", FOLDER, ["MLFLOW_TRACKING_URI is not set"]),
        ("sqlite:///mlflow.db", FOLDER, ["MLFLOW_TRACKING_URI names a file"]),
        (SERVER, "", ["There is no DVC remote"]),
        (SERVER, "https://dvc.example.org", ["DVC_REMOTE_URL is an http address"]),
        ("", "", ["MLFLOW_TRACKING_URI is not set", "There is no DVC remote"]),
    ],
)
def test_what_retraining_cannot_do_without_is_named(uri: str, remote: str, named: list[str], tmp_path: Path) -> None:
    script = tmp_path / ".ci" / "check-retraining"
    script.parent.mkdir()
    script.write_bytes((ROOT / ".ci" / "check-retraining").read_bytes())
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    environment = {"PATH": os.environ["PATH"], "MLFLOW_TRACKING_URI": uri, "DVC_REMOTE_URL": remote}
    done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == bool(named)
    assert [line.startswith("::error::") for line in done.stdout.splitlines()] == [True] * len(named)
    assert all(words in done.stdout for words in named)


def test_a_remote_that_the_repository_names_is_enough(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "check-retraining"
    script.write_bytes((ROOT / ".ci" / "check-retraining").read_bytes())
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    remote = store\n['remote \"store\"']\n    url = s3://b\n")
    environment = {"PATH": os.environ["PATH"], "MLFLOW_TRACKING_URI": SERVER}
    assert subprocess.run(["bash", script], env=environment, check=False).returncode == 0
