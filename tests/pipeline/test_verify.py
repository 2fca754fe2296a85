"""Damage in outputs and in DVC's cache is named, and mended by removing it."""

import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project
from versus.pipeline import verification

pytestmark = pytest.mark.slow


def flip_a_byte(path: Path) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_an_undamaged_project_is_whole(project: Project) -> None:
    assert list(verification.verify(project.folder)) == []


def test_a_damaged_output_is_named(project: Project) -> None:
    path = project.folder / "reports/evaluations/iris-gaussian/scores.csv"
    path.unlink()  # a link into the cache, perhaps
    path.write_text("repeat,metric,value\n")
    found = list(verification.verify(project.folder))
    assert [d.path for d in found if d.place == "output"] == [path]


def test_a_damaged_cache_object_is_named_and_not_used(project: Project) -> None:
    cell = "iris-logistic_regression"
    scores = project.folder / f"reports/evaluations/{cell}/scores.csv"
    stored = verification.object_path(verification.cache_folder(project.folder), verification.md5_of(scores))
    whole = project.read("reports/comparison.csv")
    flip_a_byte(stored)
    done = project.call(sys.executable, "-m", "versus", "verify", "--fix", check=False)
    assert stored.name in done.stdout
    project.repro()
    assert list(verification.verify(project.folder)) == []
    assert project.read("reports/comparison.csv") == whole
