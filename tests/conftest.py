"""What all tests share."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from versus.workspace import Workspace


@pytest.fixture(autouse=True, scope="module")
def own_module_path() -> Iterator[None]:
    """MLflow puts the code of each model that it loads on ``sys.path``; later tests must not find it there."""
    kept = sys.path.copy()
    yield
    sys.path[:] = kept


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
