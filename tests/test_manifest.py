"""The list of a folder's contents: `sha256sum` agrees with it, and it changes with all that it stands for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from versus import manifest


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of two files, one of them deeper, and its list."""
    folder = tmp_path / "data" / "prepared" / "iris"
    (folder / "deeper").mkdir(parents=True)
    (folder / "X.npy").write_bytes(b"\0rows")
    (folder / "deeper" / "y.npy").write_bytes(b"\0answers")
    manifest.write(folder)
    return folder


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["sha256sum", "--check", "--strict", manifest.NAME]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_sha256sum_reads_the_list_and_finds_what_changed(data: Path) -> None:
    assert checked(data).stdout.splitlines() == ["X.npy: OK", "deeper/y.npy: OK"]
    (data / "X.npy").write_bytes(b"\0other rows")
    assert "X.npy: FAILED" in checked(data).stdout


def test_a_file_that_is_damaged_or_missing_is_named_whatever_its_time_stamp(data: Path) -> None:
    manifest.check(data)
    file = data / "X.npy"
    before = file.stat()
    file.write_bytes(b"\0rowz")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ValueError, match=r"X\.npy is damaged.*versus verify --fix"):
        manifest.check(data)
    file.unlink()
    with pytest.raises(ValueError, match=r"X\.npy is missing"):
        manifest.check(data)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_a_folder_made_elsewhere_names_what_it_was_built_on_from_where_it_will_stand(data: Path) -> None:
    place, aside = data.parents[2] / "models" / "iris-prior", data.parents[2] / "aside"
    aside.mkdir()
    (aside / "model.json").write_text("{}")
    manifest.write(aside, stands_in=place, built_on=data / manifest.NAME)
    place.parent.mkdir()
    aside.rename(place)
    assert checked(place).stdout.splitlines() == ["model.json: OK", f"../../data/prepared/iris/{manifest.NAME}: OK"]


def test_the_list_follows_names_and_contents_but_not_what_came_later(data: Path) -> None:
    first = (data / manifest.NAME).read_bytes()
    manifest.write(data)
    assert (data / manifest.NAME).read_bytes() == first  # it does not list itself
    (data / "X.npy").rename(data / "Z.npy")
    manifest.write(data)
    renamed = (data / manifest.NAME).read_bytes()
    (data / "Z.npy").write_bytes(b"\0other rows")
    assert (data / manifest.NAME).read_bytes() == renamed
    manifest.write(data)
    assert len({first, renamed, (data / manifest.NAME).read_bytes()}) == 3


def test_what_a_folder_was_built_on_changes_its_list(data: Path, tmp_path: Path) -> None:
    model = tmp_path / "models" / "iris-prior"
    model.mkdir(parents=True)
    (model / "model.json").write_text("{}")
    lists = set()
    for rows in (b"\0rows", b"\0other rows"):
        (data / "X.npy").write_bytes(rows)
        manifest.write(data)
        manifest.write(model, built_on=data / manifest.NAME)
        lists.add((model / manifest.NAME).read_bytes())
    assert len(lists) == 2
