"""Data: rings around each other, and a reader of lines such as ``1.5;2.5|in``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def rings(rows: int = 300, noise: float = 0.15, seed: int = 0) -> pd.DataFrame:
    """Draw points of two rings, the first within the second."""
    rng = np.random.default_rng(seed)
    ring = rng.integers(2, size=rows)
    angle, radius = rng.uniform(0, 2 * np.pi, rows), 1.0 + ring + noise * rng.standard_normal(rows)
    kind = np.where(rng.uniform(size=rows) < 0.2 + 0.6 * ring, "dotted", "plain")
    columns = {"x": radius * np.cos(angle), "y": radius * np.sin(angle), "kind": kind}
    return pd.DataFrame({**columns, "ring": np.where(ring, "outer", "inner")})


def piped(path: Path) -> pd.DataFrame:
    """Read a file of numbers that semicolons part, and a label after a bar."""
    lines = [line.partition("|") for line in path.read_text(encoding="utf-8").splitlines()]
    numbers = np.array([[float(number) for number in left.split(";")] for left, _, _ in lines])
    frame = pd.DataFrame(numbers, columns=[f"x{d}" for d in range(numbers.shape[1])])
    return frame.assign(label=[label for _, _, label in lines])
