"""What all tests share."""

import os
import sys
from collections.abc import Iterator

import pytest


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
