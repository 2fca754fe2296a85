"""Files of DVC's that are damaged are named and mended; whole ones are left alone."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from versus.__main__ import main
from versus.pipeline import recovery, verification

LOCK = """\
schema: '2.0'
stages:
  fingerprint:
    cmd: python -m stages.fingerprint
    outs:
    - path: data/fingerprints
      hash: md5
      md5: 0123456789abcdef0123456789abcdef.dir
      size: 10
      nfiles: 2
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dvc.lock").write_text(LOCK)
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".dvc" / "tmp" / "rwlock").write_text("{}")
    return tmp_path


def test_whole_files_are_left_alone(root: Path) -> None:
    assert list(recovery.mend(root)) == []
    assert (root / "dvc.lock").read_text() == LOCK


@pytest.mark.parametrize("kept", [0, 5, 20, 40, 110, len(LOCK) - 12])
def test_a_cut_off_lock_is_restored_from_the_copy(root: Path, kept: int) -> None:
    recovery.keep_lock(root)
    (root / "dvc.lock").write_text(LOCK[:kept])
    done = list(recovery.mend(root))
    assert (root / "dvc.lock").read_text() == LOCK
    assert "restored" in done[0]


def test_a_lock_that_dvc_is_rewriting_is_left_to_it(root: Path) -> None:
    recovery.keep_lock(root)
    (root / "dvc.lock").write_text(LOCK[:40])
    written = LOCK + "# newer\n"
    writer = threading.Timer(recovery.REWRITE / 4, (root / "dvc.lock").write_text, [written])
    writer.start()
    assert list(recovery.mend(root)) == []
    writer.join()
    assert (root / "dvc.lock").read_text() == written


def test_without_a_copy_a_cut_off_lock_is_removed(root: Path) -> None:
    (root / "dvc.lock").write_text(LOCK[:20])
    assert "removed" in next(iter(recovery.mend(root)))
    assert not (root / "dvc.lock").exists()


@pytest.mark.parametrize("text", ["", '{"write": {"rea', "[]", '{"write": {"models/a": {"pid": "x", "cmd": ""}}}'])
def test_an_rwlock_that_dvc_cannot_read_is_removed(root: Path, text: str) -> None:
    (root / ".dvc" / "tmp" / "rwlock").write_text(text)
    assert list(recovery.mend(root)) == [".dvc/tmp/rwlock was cut off; removed"]


@pytest.mark.parametrize("name", [*recovery.FOLDERS, *recovery.FILES])
def test_what_is_of_the_wrong_kind_is_removed(root: Path, name: str) -> None:
    path = root / name
    if name in recovery.FOLDERS:
        if path.is_dir():
            (path / "rwlock").unlink()
            path.rmdir()
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    else:
        path.unlink(missing_ok=True)
        (path / "a").mkdir(parents=True)
    assert recovery.of_wrong_kind(root) == [path]
    recovery.remove_of_wrong_kind(path)
    assert recovery.of_wrong_kind(root) == []


def test_a_folder_in_place_of_the_lock_makes_way_for_the_copy(root: Path) -> None:
    recovery.keep_lock(root)
    (root / "dvc.lock").unlink()
    (root / "dvc.lock" / "a").mkdir(parents=True)
    assert "restored" in next(iter(recovery.mend(root)))
    assert (root / "dvc.lock").read_text() == LOCK


def test_dvc_works_in_a_folder_without_git(root: Path) -> None:
    (root / ".git").rmdir()
    assert "no git repository" in next(iter(recovery.mend(root)))
    assert list(recovery.mend(root)) == []


@pytest.mark.parametrize("config", [b"[core", b"\xff", b"[core]\nunknown = 1\n"])
def test_a_config_that_dvc_cannot_read_is_named(root: Path, config: bytes) -> None:
    (root / ".dvc" / "config").write_bytes(config)
    with pytest.raises(ValueError, match=r"\.dvc.config is no configuration that DVC can read"):
        verification.cache_folder(root)
    with pytest.raises(ValueError, match=r"\.dvc.config is no configuration that DVC can read.*doctor"):
        list(recovery.mend(root))


@pytest.fixture
def made(root: Path) -> Path:
    """A project with two stages whose outputs are in dvc.lock and in the cache, and one that is in dvc.lock alone."""
    listed = ""
    for stage in ("a", "b", "removed"):
        listed += f"  {stage}:\n    cmd: make {stage}\n    outs:\n    - path: out/{stage}\n      hash: md5\n"
        (root / "out" / stage).mkdir(parents=True)
        (root / "out" / stage / "x.txt").write_text(stage)
        entries = [{"md5": _keep(root, root / "out" / stage / "x.txt"), "relpath": "x.txt"}]
        (root / "listing").write_text(json.dumps(entries))
        listed += f"      md5: {_keep(root, root / 'listing', '.dir')}.dir\n"
    (root / "dvc.lock").write_text(f"schema: '2.0'\nstages:\n{listed}")
    stages = "".join(f"  {stage}: {{cmd: make {stage}, outs: [out/{stage}]}}\n" for stage in ("a", "b"))
    (root / "dvc.yaml").write_text(f"stages:\n{stages}")
    return root


def _keep(root: Path, path: Path, suffix: str = "") -> str:
    md5 = verification.md5_of(path)
    stored = verification.object_path(verification.cache_folder(root), md5 + suffix)
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_bytes(path.read_bytes())
    return md5


def verify(root: Path, *options: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--workspace", str(root), *options])
    return int(ended.value.code or 0)


def test_what_a_removed_stage_made_is_not_missed(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "out/removed/x.txt").unlink()
    stored = verification.object_path(verification.cache_folder(made), _keep(made, made / "out/a/x.txt"))
    assert verify(made) == 0
    (made / "out/a/x.txt").write_text("other")
    stored.write_text("other, too")
    assert verify(made) == 1
    assert verify(made, "--fix") == 0
    assert "Removed 2 damaged files" in capsys.readouterr().out
    assert not (made / "out/a/x.txt").exists()
    assert not stored.exists()


def test_what_is_missing_is_left_to_dvc(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (*(made / ".dvc/cache/files").rglob("*.dir"), *(made / "out/a").iterdir(), *made.glob("out/a")):
        path.unlink() if path.is_file() else path.rmdir()
    assert verify(made, "--fix") == 0
    assert "1 are missing" in capsys.readouterr().out
    (made / "out/a").write_text("a file")
    assert verify(made, "--fix") == 0
    assert not (made / "out/a").exists()


@pytest.mark.parametrize("kept", [(), ("schema: '2.0'",), ("schema: '2.0'", "stages: {}"), range(9)])
def test_a_cut_off_lock_is_not_whole(made: Path, kept: Sequence[str | int]) -> None:
    """Cut at the end of a line, too: what a stage made stays behind."""
    lines = (made / "dvc.lock").read_text().splitlines()
    text = "".join(f"{lines[line] if isinstance(line, int) else line}\n" for line in kept)
    (made / "dvc.lock").write_text(text)
    assert verify(made) == 1
    assert {damage.place for damage in verification.verify(made)} == {"lock"}


def test_a_stage_that_has_not_run_is_named(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (made / "dvc.yaml").open("a") as file:
        file.write("  new: {cmd: make new, outs: [out/new]}\n")
    assert verify(made) == 0
    assert "does not name 1 stage of dvc.yaml (new" in capsys.readouterr().out
