import numpy as np
import pytest

from versus.models.pixel_scaling import moments


def test_moments_of_chunks_are_those_of_the_whole(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, size=(9000, 2, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", X)
    mean, deviation = moments(np.load(tmp_path / "x.npy", mmap_mode="r"))
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(deviation, X.std(axis=0), rtol=1e-12)


def test_moments_survive_a_large_offset():
    X = 1e9 + np.random.default_rng(0).normal(size=(5000, 1))
    assert moments(X)[1] == pytest.approx(X.std(axis=0), rel=1e-6)
