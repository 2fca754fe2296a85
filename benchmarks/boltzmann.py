"""Restricted Boltzmann machine compared with scikit-learn's: ``python -m benchmarks.boltzmann``.

60,000 × 784 bits, 256 hidden units, batches of 100, one epoch. Both are then scored by the same annealed importance
sampling; ours may not be worse.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gaussian_naive_bayes import read_idx
from benchmarks.side_by_side import compare, report
from versus.arrays import Array
from versus.numerics.boltzmann import BoltzmannMachine, annealed_log_normaliser, log_odds
from versus.training.batches import generator_for

EPOCH, HIDDEN, BATCH = "BernoulliRBM, one epoch", 256, 100
TARGETS = {EPOCH: 15.0}


def bits(folder: Path | None, n: int, width: int) -> Array:
    """Read MNIST-like images as bits, or draw rows from 40 prototypes, a tenth of their bits turned."""
    if folder is not None:
        return (read_idx(next(folder.glob("train-images*"))).reshape(-1, 784) > 127)[:n].astype(np.float32)
    rng = np.random.default_rng(0)
    prototypes = rng.random((40, width)) < 0.3
    return (prototypes[rng.integers(40, size=n)] ^ (rng.random((n, width)) < 0.1)).astype(np.float32)


def train(X: Array, learning_rate: float) -> BoltzmannMachine:
    """Train one epoch by PCD with the kernel of the models, by Adam, the rate falling by half a cosine."""
    torch.manual_seed(0)
    machine, rows = BoltzmannMachine(X.shape[1], HIDDEN, 0, BATCH), torch.from_numpy(X)
    generator = generator_for(0, "train")
    machine.start(rows.mean(dim=0), generator)
    optimizer = torch.optim.Adam(machine.parameters(), lr=learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, -(-len(X) // BATCH))
    for places in torch.randperm(len(X), generator=generator).split(BATCH):
        optimizer.zero_grad(set_to_none=True)
        machine.contrast(rows[places], 1, True, generator).backward()
        optimizer.step()
        schedule.step()
    return machine


def log_likelihood(machine: BoltzmannMachine, X: Array, steps: int) -> float:
    """Mean log-likelihood of rows, log Z by annealing; nats."""
    rows = torch.from_numpy(X[:5000])
    z, _ = annealed_log_normaliser(machine, log_odds(rows.mean(dim=0), 0), generator_for(1, "ais"), 100, steps)
    with torch.no_grad():
        return float(-machine.free_energy(rows).mean() - z)


def as_machine(theirs: Any) -> BoltzmannMachine:
    machine = BoltzmannMachine(theirs.components_.shape[1], HIDDEN)
    weight, visible, hidden = (
        torch.from_numpy(np.array(found, np.float32))
        for found in (theirs.components_.T, theirs.intercept_visible_, theirs.intercept_hidden_)
    )
    machine.weight.data.copy_(weight)
    machine.set_biases(visible, hidden)
    return machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of a train-images idx file, gzipped or not")
    parser.add_argument("--pairs", type=int, default=3, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="6,000 × 196, one pair")
    options = parser.parse_args()
    from sklearn.neural_network import BernoulliRBM

    X = bits(options.data, *((6_000, 196) if options.quick else (60_000, 784)))
    pairs = 1 if options.quick else options.pairs
    theirs = BernoulliRBM(HIDDEN, learning_rate=0.1, batch_size=BATCH, n_iter=1, random_state=0)
    epoch = compare(EPOCH, "scikit-learn", lambda: train(X, 3e-3), lambda: theirs.fit(X), pairs)
    steps = 300 if options.quick else 1000
    ours, other = log_likelihood(train(X, 3e-3), X, steps), log_likelihood(as_machine(theirs), X, steps)
    parity = {"mean log-likelihood by annealing, nats": ours, "of scikit-learn": other}
    report("boltzmann", [epoch], parity, {} if options.quick else TARGETS)
    if ours < other:
        raise SystemExit("ours is worse")


if __name__ == "__main__":
    main()
