"""What runs on a GPU where there is one: the E-step of mixtures and the sums of kernel densities.

torch is imported only once a GPU has been decided on: its import costs more than most fits here.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.numerics.expectation_maximisation import Mixture, Moments
from versus.numerics.full import FullNormals, cholesky

# Below this, two CPU cores are done before torch is imported and CUDA has started.
_WORTHWHILE = 5e11  # floating-point operations
_CHUNK = 2**26  # numbers in the largest intermediate, 512 MB of float64
_GPU_FILES = ("/dev/nvidiactl", "/dev/dxg")  # Linux, and Linux inside Windows


def use_cuda(device: str, operations: float) -> bool:
    """Whether to compute on the GPU: "cuda" says so, "auto" where there is one and the work is worth its start.

    Args:
        device: "auto", "cpu" or "cuda".
        operations: floating-point operations that the work takes.

    Raises:
        ValueError: for another name, or "cuda" where there is no CUDA device.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device={device!r}; accepted are 'auto', 'cpu' and 'cuda'")
    if device == "cpu" or (device == "auto" and operations < _WORTHWHILE):
        return False
    if device == "auto" and not any(Path(file).exists() for file in _GPU_FILES):
        return False
    import torch

    if torch.cuda.is_available():
        return True
    if device == "auto":
        return False
    raise ValueError("device='cuda', but torch finds no CUDA device; use device='auto' or 'cpu'")


class DeviceMoments:
    """The E-step over rows (N, D), no NaN, that stay on a torch device from step to step."""

    def __init__(self, rows: Array, device: str = "cuda") -> None:
        import torch

        self.torch: Any = torch
        self.rows: Any = torch.from_numpy(np.ascontiguousarray(rows)).to(device)

    def __call__(self, mixture: Mixture) -> Moments:
        """The same sums as `expected_moments`."""
        expanded = mixture.expanded()
        normals = FullNormals(mixture.means, expanded)
        place = partial(self.torch.as_tensor, dtype=self.rows.dtype, device=self.rows.device)
        whitening = place(normals.whitening.reshape(-1, mixture.means.shape[1] + 1))
        constants = place(normals.constants + np.log(mixture.weights))
        n_components, n_columns = mixture.means.shape
        totals, first = np.zeros(n_components), np.zeros(mixture.means.shape)
        second, log_likelihood = np.zeros(expanded.shape), 0.0
        for rows in self.rows.split(max(1, _CHUNK // (n_components * n_columns))):
            z = self.torch.addmm(whitening[:, 0], rows, whitening[:, 1:].T).reshape(-1, n_components, n_columns)
            joint = constants - 0.5 * z.square().sum(dim=2)
            log_total = joint.logsumexp(dim=1)
            posterior = (joint - log_total[:, None]).exp()
            z = z.transpose(0, 1)  # (K, n, D)
            weighted = z * posterior.T[:, :, None]
            totals += _numpy(posterior.sum(dim=0))
            first += _numpy(weighted.sum(dim=1))
            second += _numpy(weighted.transpose(1, 2) @ z)
            log_likelihood += float(log_total.double().sum())
        # From whitened coordinates back to the columns' own.
        lower = cholesky(expanded)
        first = np.einsum("kij,kj->ki", lower, first)
        second = lower @ second @ lower.transpose(0, 2, 1)
        return Moments(totals, first, mixture.structure.select(second), log_likelihood)


def _numpy(tensor: Any) -> Array:
    """A tensor as float64 on the CPU."""
    return np.asarray(tensor.double().cpu().numpy())


def device_kernel_sums(queries: Array, points: Array, device: str = "cuda") -> Array:
    """`versus.numerics.kernel_sums.log_kernel_sums` on a torch device."""
    import torch

    centre = points.mean(axis=0)
    place = partial(torch.as_tensor, dtype=torch.float64, device=device)
    there = place(points - centre)
    half_norms = 0.5 * there.square().sum(dim=1)
    sums = []
    size = max(1, _CHUNK // len(points))
    for start in range(0, len(queries), size):
        rows = place(queries[start : start + size] - centre)
        exponent = torch.addmm(-half_norms, rows, there.T)
        sums.append(_numpy(exponent.logsumexp(dim=1) - 0.5 * rows.square().sum(dim=1)))
    return np.concatenate([np.zeros(0), *sums])
