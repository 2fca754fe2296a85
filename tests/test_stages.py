"""Stage scripts, as `python -m stages.…` starts them, and how they and the commands end."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from versus.__main__ import main
from versus.models import model_files
from versus.pipeline import ending

ROOT = Path(__file__).resolve().parents[1]
COUNT = """
import stages.{stage}, numpy
from threadpoolctl import threadpool_info
assert threadpool_info(), "no BLAS is loaded"
assert {{library["num_threads"] for library in threadpool_info()}} == {{1}}
"""


@pytest.mark.parametrize("stage", ["prepare", "train_discriminative", "evaluate", "compare"])
def test_a_stage_computes_with_one_thread_whatever_the_machine_has(stage: str) -> None:
    settings = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    subprocess.run([sys.executable, "-c", COUNT.format(stage=stage)], cwd=ROOT, env=settings, check=True)


def test_stage_scripts_are_short() -> None:
    """What is longer belongs into the library."""
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "stages").glob("*.py")}
    assert max(lengths.values()) <= 50, lengths


def test_an_interrupt_has_no_traceback_from_the_first_import_on() -> None:
    for module in ("stages.entry", "versus.__main__"):
        script = f"import {module}; raise KeyboardInterrupt"
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("interrupted")
    wrapped = ValueError("the file that I was writing is cut off")
    wrapped.__context__ = KeyboardInterrupt()
    assert (ending.sentence(wrapped) or "").startswith("interrupted")
    assert ending.code(wrapped) == ending.INTERRUPTED


def test_a_full_disk_is_told_in_one_sentence_whoever_met_it() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "models/a")
    library = RuntimeError("1 file failed")
    assert ending.sentence(library) is None
    library.__cause__ = full
    for error in (full, library, OSError("800 requested and 0 written"), RuntimeError("database or disk is full")):
        assert "make room" in (ending.sentence(error) or "")
    assert ending.sentence(ValueError("https://me:word@host is down")) == "https://***@host is down"


def test_arrays_that_cannot_be_written_are_no_fault_of_the_model(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written"):
        model_files.write_arrays({"a": np.zeros(3)}, tmp_path / "missing" / "a.safetensors")


def test_a_command_that_is_interrupted_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("versus.commands.verify.run", interrupted)
    with pytest.raises(SystemExit) as ended:
        main(["verify"])
    assert ended.value.code == ending.INTERRUPTED
    assert capsys.readouterr().err.startswith("versus verify: interrupted")
