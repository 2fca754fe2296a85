"""Inception-v3 with weights from a file: features and classes of images, for scores that others can compare with.

Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception architecture for computer vision" (2016), up to
the mean of its last maps (2048 features, "pool3") and its classes; names of tensors as in torchvision. Weights of the
1008 classes of TensorFlow's network, by which FID is published (Heusel et al. 2017; ported by pytorch-fid and
torch-fidelity), have means that leave out what lies beyond the border, and a maximum in the last block; weights of 1000
classes are torchvision's. Grey images become colour images, sizes 299 × 299 (bilinear), pixels -1 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from versus.arrays import Array
from versus.manifest import sha256
from versus.training.devices import resolve_device

SIDE, EPSILON, N_FEATURES = 299, 1e-3, 2048
N_TRUNK = 21_785_568  # numbers in convolutions and the scales and shifts of their normalisation
TENSORFLOW, TORCHVISION = 1008, 1000  # classes
STATISTICS = ("running_mean", "running_var")
SMALLEST = 75  # pixels a side that leave one for the last block
BATCH_ROWS = 16  # a batch of them takes 300 MB


class InceptionV3:
    """Fixed network for images of pixels from ``low`` to ``high``.

    Args:
        weights: name -> tensor, of a state dict in torchvision's names, with or without the auxiliary classifier.
        low, high: range of the pixels.

    Raises:
        ValueError: naming a tensor that is missing, unknown or of another shape.
    """

    def __init__(self, weights: Mapping[str, Tensor], low: float = 0.0, high: float = 255.0) -> None:
        self._device = resolve_device("auto")
        kept = (name for name in weights if not name.startswith("AuxLogits.") and "num_batches_tracked" not in name)
        self._weights = {name: weights[name].to(self._device, torch.float32) for name in kept}
        self._used: set[str] = set()
        self.low, self.high = low, high
        self._check()

    def seen(self, images: Array) -> tuple[Array, Array]:
        """Features and probabilities of the classes, (N, H, W[, 3]) -> (N, 2048), (N, 1000 or 1008), float64."""
        found = []
        with torch.inference_mode():
            for start in range(0, len(images), BATCH_ROWS):
                features = self._features(self._scaled(images[start : start + BATCH_ROWS]))
                scores = functional.linear(features, self._of("fc.weight"), self._of("fc.bias"))
                found.append((features.double().cpu().numpy(), scores.double().softmax(dim=1).cpu().numpy()))
        of_features, of_classes = zip(*found, strict=True)
        return np.concatenate(of_features), np.concatenate(of_classes)

    def _scaled(self, images: Array) -> Tensor:
        x = torch.from_numpy(np.asarray(images, dtype=np.float32)).to(self._device)
        x = x[..., None] if x.ndim == 3 else x
        x = x.expand(*x.shape[:3], 3).permute(0, 3, 1, 2)
        x = functional.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False)
        return 2 * (x - self.low) / (self.high - self.low) - 1

    def _of(self, name: str) -> Tensor:
        if name not in self._weights:
            raise ValueError(f"holds no tensor {name!r}; Inception-v3 has one")
        self._used.add(name)
        return self._weights[name]

    def _check(self) -> None:
        """Run a small image through the network: all tensors are there, fit each other, and no other is left."""
        classes = len(self._of("fc.weight"))
        if classes not in (TENSORFLOW, TORCHVISION):
            raise ValueError(f"has {classes} classes; Inception-v3 has {TENSORFLOW} or {TORCHVISION}")
        self._as_tensorflow = classes == TENSORFLOW
        try:
            with torch.inference_mode():
                features = self._features(torch.zeros(1, 3, SMALLEST, SMALLEST, device=self._device))
                functional.linear(features, self._of("fc.weight"), self._of("fc.bias"))
        except RuntimeError as error:
            raise ValueError(f"holds tensors of other shapes than Inception-v3: {error}") from error
        size = sum(
            w.numel() for n, w in self._weights.items() if not n.startswith("fc.") and not n.endswith(STATISTICS)
        )
        if left := sorted(self._weights.keys() - self._used):
            raise ValueError(f"holds the tensor {left[0]!r}, which Inception-v3 has not (and {len(left) - 1} others)")
        if size != N_TRUNK:
            raise ValueError(f"holds {size:,} numbers below its classes; Inception-v3 has {N_TRUNK:,}")

    def _unit(self, x: Tensor, name: str, stride: int = 1, *, same: bool = True) -> Tensor:
        """Convolution, normalisation by fixed moments, rectifier; without padding where it strides."""
        kernel = self._of(f"{name}.conv.weight")
        padding = (kernel.shape[2] // 2, kernel.shape[3] // 2) if same and stride == 1 else 0
        x = functional.conv2d(x, kernel, stride=stride, padding=padding)
        mean, variance, scale, shift = (self._of(f"{name}.bn.{of}") for of in (*STATISTICS, "weight", "bias"))
        return functional.batch_norm(x, mean, variance, scale, shift, eps=EPSILON).relu_()

    def _chain(self, x: Tensor, name: str, *parts: str, stride: int = 1) -> Tensor:
        """Units one after the other, the last of them with a stride."""
        for part in parts[:-1]:
            x = self._unit(x, f"{name}_{part}")
        return self._unit(x, f"{name}_{parts[-1]}", stride)

    def _pooled(self, x: Tensor, name: str, *, largest: bool = False) -> Tensor:
        if largest:
            x = functional.max_pool2d(x, 3, 1, 1)
        else:
            x = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=not self._as_tensorflow)
        return self._unit(x, f"{name}.branch_pool")

    def _features(self, x: Tensor) -> Tensor:
        """Scaled images (N, 3, H, W) -> (N, 2048)."""
        x = self._unit(x, "Conv2d_1a_3x3", 2)
        x = self._unit(self._unit(x, "Conv2d_2a_3x3", same=False), "Conv2d_2b_3x3")
        x = self._unit(functional.max_pool2d(x, 3, 2), "Conv2d_3b_1x1")
        x = functional.max_pool2d(self._unit(x, "Conv2d_4a_3x3", same=False), 3, 2)
        for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            x = self._wide(x, block, ("5x5", "1", "2"), ("3x3dbl", "1", "2", "3"))
        x = self._halving(x, "Mixed_6a", ("3x3",), ("3x3dbl", "1", "2", "3"))
        for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            x = self._wide(x, block, ("7x7", "1", "2", "3"), ("7x7dbl", "1", "2", "3", "4", "5"))
        x = self._halving(x, "Mixed_7a", ("3x3", "1", "2"), ("7x7x3", "1", "2", "3", "4"))
        x = self._forked(x, "Mixed_7b", largest=False)
        return self._forked(x, "Mixed_7c", largest=self._as_tensorflow).mean(dim=(2, 3))

    def _wide(self, x: Tensor, name: str, *branches: tuple[str, ...]) -> Tensor:
        chains = [self._chain(x, f"{name}.branch{branch}", *parts) for branch, *parts in branches]
        return torch.cat([self._unit(x, f"{name}.branch1x1"), *chains, self._pooled(x, name)], dim=1)

    def _halving(self, x: Tensor, name: str, *branches: tuple[str, ...]) -> Tensor:
        chains = [
            self._chain(x, f"{name}.branch{branch}", *parts, stride=2)
            if parts
            else self._unit(x, f"{name}.branch{branch}", 2)
            for branch, *parts in branches
        ]
        return torch.cat([*chains, functional.max_pool2d(x, 3, 2)], dim=1)

    def _forked(self, x: Tensor, name: str, *, largest: bool) -> Tensor:
        first = self._unit(x, f"{name}.branch3x3_1")
        second = self._chain(x, f"{name}.branch3x3dbl", "1", "2")
        forks = [self._unit(first, f"{name}.branch3x3_2{side}") for side in "ab"]
        forks += [self._unit(second, f"{name}.branch3x3dbl_3{side}") for side in "ab"]
        return torch.cat([self._unit(x, f"{name}.branch1x1"), *forks, self._pooled(x, name, largest=largest)], dim=1)


def read(path: Path, expected: str, low: float, high: float) -> InceptionV3:
    """Read the network from a safetensors file or a state dict of torch, which runs no code of the file.

    Raises:
        ValueError: if the file is missing, is not of the expected SHA-256, or holds anything but these weights.
    """
    if not path.is_file():
        raise ValueError(f"comparison.inception: there is no file {path.resolve()}; give the path of the weights")
    if (found := sha256(path)) != expected.lower():
        raise ValueError(f"comparison.inception: {path} has the SHA-256 {found}, and sha256 says {expected}")
    try:
        return InceptionV3(_tensors(path), low, high)
    except ValueError as error:
        raise ValueError(f"comparison.inception: {path} {error}") from None


def _tensors(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"is no safetensors file: {error}") from None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for what it refuses to read
        raise ValueError(f"is no state dict of tensors alone: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ValueError("is no state dict: name -> tensor")
    return found
