import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from versus.metrics import cost
from versus.metrics.cost import PeakMemory

MIB = 2**20


def fill(mib):
    return np.ones(mib * MIB, dtype=np.uint8)


@pytest.fixture(params=["kernel", "thread"])
def way(request, monkeypatch):
    """The kernel's high-water mark, and the thread that stands in where there is none."""
    if request.param == "thread":
        monkeypatch.setattr(cost, "_reset_high_water_mark", lambda: False)
    elif not cost._reset_high_water_mark():
        pytest.skip("this kernel does not let the high-water mark be reset")


@pytest.mark.usefixtures("way")
def test_sees_memory_that_was_given_back_within():
    with PeakMemory() as memory:
        held = fill(200)
        time.sleep(0.05)
        del held
    assert 195 * MIB < memory.peak_rss_bytes - memory.rss_before_bytes < 260 * MIB


@pytest.mark.usefixtures("way")
def test_does_not_see_what_was_held_before():
    held = fill(200)
    del held
    with PeakMemory() as memory:
        small = fill(10)
        time.sleep(0.05)
        del small
    assert memory.peak_rss_bytes - memory.rss_before_bytes < 60 * MIB


def test_resident_set_agrees_with_psutil():
    with PeakMemory() as memory:
        pass
    assert memory.rss_before_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)


def test_seconds_also_of_a_fit_that_fails():
    memory = PeakMemory()

    def fail():
        with memory:
            time.sleep(0.05)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert 0.05 <= memory.as_json()["seconds"] < 1.0


def test_neither_torch_nor_scikit_learn_is_imported_for_it():
    code = (
        "import sys\nfrom versus.metrics.cost import PeakMemory\n"
        "with PeakMemory() as m: pass\nassert m.cuda_peak_bytes is None\n"
        "assert not {'torch', 'sklearn', 'psutil'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": ":".join(sys.path)})
