"""Anomalies told from normal rows by density, beside scikit-learn: `python -m benchmarks.anomaly FILE…`.

Takes npz files with ``X`` (N, D) and ``y`` (N,), 1 for an anomaly, as ADBench has them (Han and others, "ADBench:
Anomaly Detection Benchmark", NeurIPS 2022). Each model learns from half of the normal rows, at most `MOST_ROWS`, and
scores the others (as many at most) and all anomalies; the area under the ROC curve is a mean over random halves.
Columns are standardised by the rows to learn from, for all alike. Peers: isolation forest and local outlier factor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.evaluation.uses.novelty import familiarity
from versus.models.classical_generative.gaussian import GaussianClassifier
from versus.models.classical_generative.kernel_density import KernelDensity
from versus.models.classical_generative.mixture import GaussianMixture
from versus.models.classical_generative.naive_bayes import GaussianNaiveBayes
from versus.models.deep_generative.vae import VAE
from versus.training.divergence import TrainingDiverged

MOST_ROWS = 2000
Score = Callable[[Array], Array]  # rows (n, D) -> (n,), higher for what looks normal


def ours(model: Any, X: Array) -> Score:
    """Fit a density to rows of one class."""
    model.fit(X, np.zeros(len(X), np.int64))
    return lambda rows: familiarity(model, rows)


def scorers(X: Array, seed: int) -> Iterator[tuple[str, Callable[[], Score]]]:
    """Yield the name of each detector, and its fit to normal rows X (N, D)."""
    schema = Schema(Table(tuple(Column(f"x{d}") for d in range(X.shape[1]))), Classes(("normal",)))
    yield "naive Bayes", lambda: ours(GaussianNaiveBayes(schema=schema), X)
    yield "Gaussian", lambda: ours(GaussianClassifier(schema=schema), X)
    yield "mixture, 8", lambda: ours(GaussianMixture(n_components=8, schema=schema, random_state=seed), X)
    yield "kernels", lambda: ours(KernelDensity(schema=schema, random_state=seed), X)
    yield "VAE", lambda: ours(VAE(schema=schema, n_latent=4, epochs=30, device="cpu", random_state=seed), X)
    yield "isolation forest", lambda: IsolationForest(random_state=seed).fit(X).score_samples
    yield "local outlier factor", lambda: LocalOutlierFactor(novelty=True).fit(X).score_samples


def halves(path: Path, seed: int) -> tuple[Array, Array, Array]:
    """Rows to learn from, and rows to score with 1 where one is normal."""
    with np.load(path, allow_pickle=False) as file:
        X, y = file["X"].astype(np.float64), file["y"]
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
    learned, others = normal[: len(normal) // 2][:MOST_ROWS], normal[len(normal) // 2 :][:MOST_ROWS]
    asked = np.concatenate([others, np.flatnonzero(y == 1)])
    centre, spread = X[learned].mean(axis=0), X[learned].std(axis=0)
    X = (X - centre) / np.where(spread > 0, spread, 1.0)
    return X[learned], X[asked], 1 - y[asked]


def main() -> None:
    """Print a table: a row for each file, mean area and seconds of a fit for each detector."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--halves", type=int, default=3, help="random halves of the normal rows")
    options = parser.parse_args()
    names = [name for name, _ in scorers(np.zeros((1, 1)), 0)]
    print(f"| data | learned × columns | anomalies | {' | '.join(names)} |")
    print("|---" * (3 + len(names)) + "|")
    for path in options.files:
        areas: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for seed in range(options.halves):
            X, asked, is_normal = halves(path, seed)
            for name, fit in scorers(X, seed):
                began = time.perf_counter()
                try:
                    area = roc_auc_score(is_normal, fit()(asked))
                except TrainingDiverged:
                    area = np.nan
                areas[name].append((area, time.perf_counter() - began))
        about = f"{path.stem} | {X.shape[0]} × {X.shape[1]} | {int((1 - is_normal).sum())}"
        print(f"| {about} | {' | '.join(told(areas))} |", flush=True)


def told(areas: dict[str, list[tuple[float, float]]]) -> Iterator[str]:
    """Yield the text of each detector: mean area and its deviation over halves, seconds; the best is bold."""
    means = {name: np.mean(of, axis=0) for name, of in areas.items()}
    best = np.nanmax([area for area, _ in means.values()])
    for name, (area, seconds) in means.items():
        mark = "**" if area == best else ""
        spread = np.std([a for a, _ in areas[name]])
        yield "diverged" if np.isnan(area) else f"{mark}{area:.3f}{mark} ± {spread:.3f}, {seconds:.1f} s"


if __name__ == "__main__":
    main()
