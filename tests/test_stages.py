"""Stage scripts, as `python -m stages.…` starts them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
