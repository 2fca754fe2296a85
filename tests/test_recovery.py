"""Files of DVC's that a kill cut off are mended; whole ones are left alone."""

import threading
from pathlib import Path

import pytest

from versus.pipeline import recovery

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
