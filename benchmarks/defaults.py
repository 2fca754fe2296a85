"""Regularisation chosen by held-out likelihood, against fixed rules: `python -m benchmarks.defaults FILE…`.

Takes files of tables with classes, such as `vehicle.arff`; of each, the numeric columns. The likelihood is that of the
features, log p(x), of rows held out by ten-fold cross-validation, in nats a row; the accuracy is shown beside it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf_shrinkage

from versus.arrays import Array, Labels
from versus.data.inspect.inspection import inspect
from versus.data.prepared import Dataset
from versus.data.spaces import Table
from versus.models.classical_generative.gaussian import GaussianClassifier
from versus.models.classical_generative.mixture import GaussianMixtureClassifier
from versus.numerics.held_out import folds

FOLDS = 10


@dataclass(eq=False)
class LedoitWolf(GaussianClassifier):
    """Ledoit and Wolf's estimate of the shrinkage, for each class, on columns of unit variance."""

    def _amounts(self, rows: Array, y: Labels, n_classes: int) -> Array:
        deviations = [rows[y == k].std(axis=0) for k in range(n_classes)]
        own = [rows[y == k] / np.where(d > 0, d, 1.0) for k, d in enumerate(deviations)]
        return np.array([ledoit_wolf_shrinkage(x) if len(x) > 1 else 1.0 for x in own])


def numeric_part(path: Path) -> Dataset:
    """Read a file and keep its numeric columns, and the rows without missing values in them."""
    found = inspect(path, None, path.parent).dataset
    numeric = np.array(found.schema.cardinalities) == 0
    X = found.X[:, numeric]
    whole = ~np.isnan(X).any(axis=1)
    columns = tuple(c for c in found.schema.columns if c.categories is None)
    return replace(found, X=X[whole], y=found.y[whole], schema=replace(found.schema, x=Table(columns)))


def held_out(model: Any, data: Dataset) -> tuple[float, float, float]:
    """Mean log p(x) of held-out rows (nats), accuracy, and seconds of a fit."""
    fold: NDArray[np.int64] = folds(data.y, FOLDS)
    log_p, right, seconds = [], [], 0.0
    for held in (fold == k for k in range(FOLDS)):
        began = time.perf_counter()
        fitted = type(model)(**model.arguments(), schema=data.schema).fit(data.X[~held], data.y[~held])
        seconds += time.perf_counter() - began
        log_p.append(fitted.log_prob(data.X[held]))
        right.append(fitted.predict(data.X[held]) == data.y[held])
    return float(np.concatenate(log_p).mean()), float(np.concatenate(right).mean()), seconds / FOLDS


def rules(n_columns: int) -> dict[str, Any]:
    """Models by name: of each pair the fixed rule, and the choice by held-out likelihood."""
    return {
        "Gaussian, Ledoit-Wolf": LedoitWolf(),
        "Gaussian, auto": GaussianClassifier(),
        "mixture, 2 + D": GaussianMixtureClassifier(pseudo_counts=2.0 + n_columns, random_state=0),
        "mixture, auto": GaussianMixtureClassifier(random_state=0),
    }


def main() -> None:
    """Print a table: a row for each file, likelihood, accuracy and seconds of a fit for each rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    files = parser.parse_args().files
    names = list(rules(1))
    print(f"| data | rows × columns | {' | '.join(names)} |")
    print("|---" * (2 + len(names)) + "|")
    for path in files:
        data = numeric_part(path)
        n, d = data.X.shape
        scores = (held_out(model, data) for model in rules(d).values())
        cells = " | ".join(f"{p:.2f}, {right:.3f}, {s:.2f} s" for p, right, s in scores)
        print(f"| {path.stem} | {n} × {d} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
