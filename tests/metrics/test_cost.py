import os
import socket
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from versus.metrics import cost
from versus.metrics.cost import PeakMemory, energy_of

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


def test_energy_is_measured_without_network_or_files_and_grows_with_the_work(tmp_path, monkeypatch):
    pytest.importorskip("codecarbon", reason="needs codecarbon: pip install -e .[energy]")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".codecarbon.config").write_text("[codecarbon]\nsave_to_api = true\nsave_to_file = true\n")
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: asked.append(host))
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    cost._tracker.cache_clear()
    found = []
    for work in (0.1, 1.0):
        with energy_of(True) as energy:
            began = time.process_time()
            while time.process_time() - began < work:
                sum(range(1000))
            assert energy == {}
        found.append(energy)
    little, much = (of["energy_wh"] for of in found)
    assert 0 < little < much < 1  # kilowatts for a second would be an error of units
    assert {of["energy_by"] for of in found} <= {"RAPL", "TDP"}
    with pytest.raises(KeyError), energy_of(True) as energy:
        {}["a fit that fails"]
    with energy_of(False) as energy:
        pass
    assert energy == {}
    assert asked == []
    assert os.listdir(tmp_path) == [".codecarbon.config"]


def test_energy_is_left_out_where_codecarbon_is_not_installed(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    cost._tracker.cache_clear()
    for _ in range(2):
        with energy_of(True) as energy:
            pass
        assert energy == {}
    assert capsys.readouterr().err.count("pip install 'versus[energy]'") == 1
    cost._tracker.cache_clear()
