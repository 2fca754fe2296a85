"""What all tests share."""

import compileall
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from versus.workspace import Workspace

# Tests start hundreds of processes; without bytecode each would compile the package anew, a second or two.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_sessionstart() -> None:
    """Compile the package once: a project of its own that runs this code sees bytecode appear as a change of it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        compileall.compile_dir(Path(__file__).parent.parent / "src", quiet=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files of slow tests: a worker takes a whole file, and a long one that begins last runs alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="module")
def own_module_path() -> Iterator[None]:
    """MLflow puts the code of each model that it loads on ``sys.path``; later tests must not find it there."""
    kept = sys.path.copy()
    yield
    sys.path[:] = kept


FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,900",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that notes what it requests and logs; skips where there is none."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs a browser: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install -e .[dev]")
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        found = webdriver.Chrome(service=Service(driver), options=options)
        try:
            yield found
        finally:
            found.quit()


@pytest.fixture
def device() -> str:
    """The device of a test marked ``cuda``: VERSUS_TEST_DEVICE, or a GPU; skips where there is none."""
    import torch

    wanted = os.environ.get("VERSUS_TEST_DEVICE", "cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return wanted


@pytest.fixture
def prepared_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Workspace]:
    """Make the current folder a workspace of a params.yaml, with one data set prepared and without tracking."""
    from stages import fingerprint, prepare

    def made(params: str, dataset: str) -> Workspace:
        Path("params.yaml").write_text(params)
        fingerprint.main()
        prepare.main(dataset)
        return Workspace(Path())

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VERSUS_TRACKING", "off")
    return made
