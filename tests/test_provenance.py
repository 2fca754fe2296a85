import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from versus import provenance


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    found = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def commit(folder: Path) -> tuple[str, bool] | None:
    found = provenance.describe_code(folder)
    return None if found["commit"] is None else (found["commit"], found["dirty"])


def test_the_commit_and_whether_the_code_differs_from_it(tmp_path: Path) -> None:
    assert commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) is None  # nothing is committed yet
    for name in ("code.py", "dvc.lock", "reports/report.md", "runs/fashion/dvc.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    (tmp_path / ".gitignore").write_text("/data/")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit(tmp_path) == (head, False)
    for name in ("dvc.lock", "reports/report.md", "reports/new.csv", "runs/fashion/dvc.lock"):
        (tmp_path / name).write_text("2")  # what a repro rewrites
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ignored").write_text("")
    assert commit(tmp_path) == (head, False)
    assert commit(tmp_path / "runs" / "fashion") == (head, False)
    (tmp_path / "model.py").write_text("")
    assert commit(tmp_path / "runs" / "fashion") == (head, True)  # a new file, seen from a workspace within


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names a kernel of this kind of processor")
def test_the_kernels_of_linear_algebra_are_named() -> None:
    """OpenBLAS can be told to take others, which changes the last bits of scores."""
    script = "from versus import provenance; print(provenance.describe_hardware()['blas'])"
    environment = {**os.environ, "OPENBLAS_CORETYPE": "Sandybridge"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "openblas Sandybridge\n"
