import numpy as np
import pytest

from tests.report.made_workspace import Made, blobs, pictures
from versus.report import build
from versus.settings import Comparison
from versus.workspace import Workspace

PROVENANCE = {
    "commit": "0123abcd",
    "dirty": False,
    "seed": 0,
    "params": "seed: 0\ntraining: {}\n",
    "versions": {"numpy": "2.4"},
    "hardware": {"processor": "one", "gpu": None},
}
COMPARISON = Comparison(slices={"plain": ("x0",)})


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Four classification sets, one of them images and one with a fixed test set, and a regression; built."""
    found = Made(Workspace(tmp_path_factory.mktemp("workspace")))
    found.add_classification("blobs", *blobs())
    found.add_classification("plain", *blobs(2, 300, 3, 0.7, seed=1))
    found.add_classification("pictures", *pictures())
    found.add_classification("official", *blobs(3, 400, 4, 1.0, seed=2), repeats=1, fixed_test=True)
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 4))
    found.add_regression("amounts", X, X @ [3.0, 1.0, 0.5, 2.0] + rng.normal(size=200))
    build(found.workspace, found.cells, PROVENANCE, COMPARISON)
    return found
