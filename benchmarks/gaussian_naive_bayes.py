"""Gaussian naive Bayes compared with scikit-learn's: ``python -m benchmarks.gaussian_naive_bayes``.

60,000 × 784 in float32 and 10 classes. Both take the rows unchanged and learn the same means and variances; the
predictions must agree.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import compare, report
from versus.data.schema import Schema
from versus.models.classical_generative.naive_bayes import GaussianNaiveBayes

FIT, PREDICT = "GaussianNB, fit", "GaussianNB, predict"
TARGETS = {FIT: 12.0, PREDICT: 30.0}


def synthetic(n: int, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of ten classes whose means differ slightly in every column."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, n)
    means = rng.normal(128, 6, (10, n_columns)).astype(np.float32)
    spreads = rng.uniform(30, 80, (10, n_columns)).astype(np.float32)
    X = rng.standard_normal((n, n_columns), dtype=np.float32)
    for start in range(0, n, 4096):
        block = slice(start, start + 4096)
        X[block] = means[y[block]] + spreads[y[block]] * X[block]
    return X, y


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes, gzipped or not."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the training part of an MNIST-like folder as float32, pixels spread over [x, x + 1) as in the pipeline."""
    files = {kind: next(folder.glob(f"train-{kind}*")) for kind in ("images", "labels")}
    pixels = read_idx(files["images"]).reshape(-1, 784)
    spread = np.random.default_rng(0).random(pixels.shape, dtype=np.float32)
    return pixels + spread, read_idx(files["labels"]).astype(np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of train-images and train-labels idx files, gzipped or not")
    parser.add_argument("--pairs", type=int, default=9, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="6,000 × 196, three pairs: is everything in order?")
    options = parser.parse_args()
    from sklearn.naive_bayes import GaussianNB

    size = (6_000, 196) if options.quick else (60_000, 784)
    X, y = images(options.data) if options.data else synthetic(*size)
    pairs = 3 if options.quick else options.pairs
    ours = GaussianNaiveBayes(schema=Schema.of(X, y))
    theirs = GaussianNB()
    fit = compare(FIT, "scikit-learn", lambda: ours.fit(X, y), lambda: theirs.fit(X, y), pairs)
    predict = compare(PREDICT, "scikit-learn", lambda: ours.predict(X), lambda: theirs.predict(X), pairs)
    parity = {
        "share of equal predictions": float((ours.predict(X) == theirs.predict(X)).mean()),
        "largest difference of means, in deviations": float(
            (np.abs(ours.means_ - theirs.theta_) / np.sqrt(ours.variances_)).max()
        ),
        "largest relative difference of variances": float((np.abs(theirs.var_ / ours.variances_ - 1)).max()),
    }
    report("gaussian_naive_bayes", [fit, predict], parity, {} if options.quick else TARGETS)
    share, means, variances = parity.values()
    if share < 0.9999 or means > 1e-4 or variances > 1e-3:
        raise SystemExit("the two do not agree")


if __name__ == "__main__":
    main()
