"""What all tests share."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def own_module_path() -> Iterator[None]:
    """MLflow puts the code of each model that it loads on ``sys.path``; later tests must not find it there."""
    kept = sys.path.copy()
    yield
    sys.path[:] = kept
