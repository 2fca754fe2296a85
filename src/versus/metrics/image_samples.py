r"""Scores of generated images in the features of a classifier, which stands in for Inception-v3 on small images.

.. math:: \mathrm{FID} = \|\mu - \mu'\|^2 + \operatorname{tr}\bigl(\Sigma + \Sigma' - 2 (\Sigma \Sigma')^{1/2}\bigr)

Heusel et al., "GANs trained by a two time-scale update rule" (2017); Binkowski et al., "Demystifying MMD GANs" (2018);
Salimans et al., "Improved techniques for training GANs" (2016); Kynkäänniemi et al., "Improved precision and recall
metric" (2019); Naeem et al., "Reliable fidelity and diversity metrics" (2020). All depend on the features and on the
number of images: a score says something beside the scores of as many real images in the same features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from versus.arrays import Array
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.samples import NEAREST_BLOCK, nearest_distances

MANIFOLD_NEIGHBOURS = 3  # of precision and recall, as in the paper
COVERAGE_NEIGHBOURS = 5  # of density and coverage, as in theirs
COVERED = 0.1  # share of a class among generated images, relative to its share of real ones, from which it counts


@dataclass(frozen=True)
class ImageSample:
    """Images as an extractor sees them.

    Args:
        features: (n, F).
        probabilities: (n, K), of the extractor's classes.
    """

    features: Array
    probabilities: Array

    @cached_property
    def shares(self) -> Array:
        """Share of the images that the extractor takes for each class, (K,)."""
        found: Array = np.bincount(self.probabilities.argmax(axis=1), minlength=self.probabilities.shape[1])
        return found / len(self.probabilities)

    def radii(self, neighbour: int) -> Array:
        """Distance of each image to its ``neighbour``-th nearest other one, (n,).

        Raises:
            UndefinedMetricError: if there are too few images.
        """
        if len(self.features) <= neighbour:
            raise UndefinedMetricError(f"{len(self.features)} images have no {neighbour}-th neighbour")
        return nearest_distances(self.features, self.features, neighbour + 1)  # the nearest is the image itself


def fid(real: ImageSample, generated: ImageSample) -> float:
    """Fréchet distance of two Gaussians with the moments of the features; 0: the same moments.

    The trace of the root is the nuclear norm of R R'ᵀ with Σ = RᵀR, which needs no root of a singular matrix.
    """
    means, roots = zip(*(_moments(sample.features) for sample in (real, generated)), strict=True)
    trace = np.square(roots[0]).sum() + np.square(roots[1]).sum()
    crossed = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    return max(float(np.square(means[0] - means[1]).sum() + trace - 2 * crossed), 0.0)


def _moments(features: Array) -> tuple[Array, Array]:
    """Mean (F,) and a root R of the covariance, RᵀR, (r, F)."""
    if len(features) < 2:
        raise UndefinedMetricError(f"{len(features)} images have no covariance; 2 are needed")
    mean = features.mean(axis=0)
    return mean, np.linalg.qr(features - mean, mode="r") / np.sqrt(len(features) - 1)


def kid(real: ImageSample, generated: ImageSample) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (xᵀy / F + 1)³; below 0 by chance where equal."""
    x, y = real.features, generated.features
    if min(len(x), len(y)) < 2:
        raise UndefinedMetricError(f"{min(len(x), len(y))} images have no pairs; 2 are needed")
    within = sum(_pairs(z) for z in (x, y))
    return float(within - 2 * _kernel(x, y).mean())


def _pairs(x: Array) -> float:
    """Mean of the kernel over pairs of different rows."""
    kernel, n = _kernel(x, x), len(x)
    return float((kernel.sum() - kernel.trace()) / (n * (n - 1)))


def _kernel(x: Array, y: Array) -> Array:
    kernel: Array = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel


def inception_score(real: ImageSample, generated: ImageSample) -> float:
    """Exponential of the mean divergence of p(y|x) from p(y) over generated images, 1 to K; real ones do not count."""
    p = np.clip(generated.probabilities, 1e-16, 1.0)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(axis=0)))).sum(axis=1).mean()))


def precision(real: ImageSample, generated: ImageSample) -> float:
    """Share of generated images within the manifold of real ones: a ball about each, to its third neighbour."""
    return _share_within(generated.features, real)


def recall(real: ImageSample, generated: ImageSample) -> float:
    """Share of real images within the manifold of generated ones."""
    return _share_within(real.features, generated)


def _share_within(asked: Array, sample: ImageSample) -> float:
    return float(_within(asked, sample, MANIFOLD_NEIGHBOURS).any(axis=1).mean())


def _within(asked: Array, sample: ImageSample, neighbours: int) -> Array:
    """Mask (n, m): image n lies in the ball about image m of the sample, whose border counts."""
    radii, found = sample.radii(neighbours), np.empty((len(asked), len(sample.features)), bool)
    squares = np.square(sample.features).sum(axis=1)
    for start in range(0, len(asked), NEAREST_BLOCK):
        rows = asked[start : start + NEAREST_BLOCK]
        apart = np.square(rows).sum(axis=1)[:, None] + squares - 2 * rows @ sample.features.T
        found[start : start + len(rows)] = apart <= np.square(radii) * (1 + 1e-9) + 1e-12
    return found


def density(real: ImageSample, generated: ImageSample) -> float:
    """Mean number of real balls around a generated image, divided by k = 5; about 1 where the densities are equal."""
    return float(_within(generated.features, real, COVERAGE_NEIGHBOURS).sum() / _balls(generated))


def _balls(generated: ImageSample) -> int:
    return COVERAGE_NEIGHBOURS * len(generated.features)


def coverage(real: ImageSample, generated: ImageSample) -> float:
    """Share of real images whose ball, to the fifth neighbour, holds a generated one."""
    return float(_within(generated.features, real, COVERAGE_NEIGHBOURS).any(axis=0).mean())


def modes_covered(real: ImageSample, generated: ImageSample) -> float:
    """Share of the classes among real images that generated ones have at a tenth of their share or more."""
    there = real.shares > 0
    return float((generated.shares >= COVERED * real.shares)[there].mean())


def mode_entropy(real: ImageSample, generated: ImageSample) -> float:
    """Entropy of the classes of generated images, divided by that of real ones; 1: as varied, 0: a single class.

    Raises:
        UndefinedMetricError: if the real images are all of one class.
    """
    entropies = [-(s.shares * np.log(np.where(s.shares > 0, s.shares, 1.0))).sum() for s in (real, generated)]
    if entropies[0] == 0:
        raise UndefinedMetricError("the real images are all of one class")
    return float(entropies[1] / entropies[0])
