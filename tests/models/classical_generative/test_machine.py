"""Sums over slabs are the same bits on any number of cores."""

import numpy as np
import pytest

from versus.models.classical_generative.mixture import GaussianMixture
from versus.numerics import machine
from versus.numerics.class_moments import class_moments


@pytest.mark.parametrize(("rows", "slab"), [(0, 5), (1, 5), (5, 5), (6, 5), (1000, 7)])
def test_every_row_is_in_one_slab_and_slabs_are_in_order(rows, slab):
    found = list(machine.map_slabs(lambda s: np.arange(rows)[s], rows, slab))
    np.testing.assert_array_equal(np.concatenate([np.zeros(0, int), *found]), np.arange(rows))
    assert all(0 < len(part) <= slab for part in found)


def test_a_failure_in_a_thread_is_raised():
    def fail(slab):
        raise ValueError(f"rows from {slab.start}")

    with pytest.raises(ValueError, match="rows from"):
        machine.map_slabs(fail, 100, 10)


def on_threads(monkeypatch, threads, work):
    controller, _ = machine._blas()
    with monkeypatch.context() as patch:
        patch.setattr(machine, "_blas", lambda: (controller, threads))
        return work()


def test_the_number_of_threads_does_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60_000, 20)).astype(np.float32), rng.integers(0, 3, 60_000)

    def moments():
        return class_moments(X, y, 3)

    def mixture():
        return GaussianMixture(3, max_iter=3, tol=0, random_state=0).fit(X.astype(np.float64)).mixture_

    for work, names in ((moments, ("means", "variances")), (mixture, ("weights", "means", "covariances"))):
        one, three = on_threads(monkeypatch, 1, work), on_threads(monkeypatch, 3, work)
        for name in names:
            np.testing.assert_array_equal(getattr(one, name), getattr(three, name))
