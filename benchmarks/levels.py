"""Level, power and bias of the report's comparison, by simulation: `python -m benchmarks.levels [--draws N]`.

Each population is drawn anew for every data set. Two learners see one half of the features each. The halves are drawn
alike, so the true difference of the learners is exactly 0 whatever the learner; for power, one half carries a weaker
signal, chosen so that the true difference is close to the wanted one (measured on many fresh rows, and reported).

`--selection` gives one side six candidates and the other two, all alike: each sees features of its own. The difference
of the best of each side is measured on the tested rows, as the report does, and on fresh rows by the same fits: what
the first is more, on average, is the bias of picking and scoring on the same rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from versus.statistics.paired_rows import VARIANCE_FACTOR, paired_rows
from versus.statistics.selection import select

Floats = NDArray[np.float64]
Learner = Callable[[Floats, NDArray[np.int64], Floats], NDArray[np.int64]]  # training X, y, test X -> predicted

FOLDS = 5
SIDES = 6, 2  # candidates of each side, where the bias of picking the best is measured


@dataclass(frozen=True)
class Population:
    """Two classes; in each of two halves of ``d`` features the class shifts the mean of the first by ``signal``."""

    name: str
    n: int
    d: int
    signal: float
    learner: str
    share: float = 0.5  # of the second class
    noise: float = 0.0  # share of labels that are flipped

    def draw(self, rng: np.random.Generator, n: int, *strengths: float) -> tuple[Floats, NDArray[np.int64]]:
        """(n, P d) features and (n,) labels; the signal of each of the P parts is multiplied by its strength."""
        y = (rng.random(n) < self.share).astype(np.int64)
        X = rng.standard_normal((n, len(strengths) * self.d))
        for part, strength in enumerate(strengths):
            X[:, part * self.d] += strength * self.signal * y
        flipped = rng.random(n) < self.noise
        return X, np.where(flipped, 1 - y, y)


POPULATIONS = (
    Population("nearest mean, n 100", 100, 5, 1.5, "nearest_mean"),
    Population("nearest mean, n 500", 500, 5, 1.5, "nearest_mean"),
    Population("nearest mean, wide", 150, 40, 2.0, "nearest_mean"),
    Population("naive Bayes, n 300", 300, 8, 1.0, "naive_bayes"),
    Population("naive Bayes, 10 % of a class", 400, 5, 1.5, "naive_bayes", share=0.1),
    Population("naive Bayes, noisy labels", 500, 5, 2.0, "naive_bayes", noise=0.2),
    Population("1-NN, n 200", 200, 3, 1.5, "nearest_neighbour"),
    Population("1-NN, n 600", 600, 3, 2.0, "nearest_neighbour"),
    Population("tree, n 150", 150, 4, 1.5, "tree"),
    Population("tree, n 500", 500, 4, 1.5, "tree"),
    Population("tree, noisy labels", 300, 6, 2.0, "tree", noise=0.15),
    Population("logistic, wide", 120, 30, 2.0, "logistic"),
)


def nearest_mean(X: Floats, y: NDArray[np.int64], Z: Floats) -> NDArray[np.int64]:
    """Predict the class whose mean is nearest."""
    means = [X[y == k].mean(axis=0) for k in (0, 1)]
    return (np.square(Z - means[1]).sum(axis=1) < np.square(Z - means[0]).sum(axis=1)).astype(np.int64)


def naive_bayes(X: Floats, y: NDArray[np.int64], Z: Floats) -> NDArray[np.int64]:
    """Predict by Gaussian naive Bayes."""
    joint = []
    for k in (0, 1):
        own = X[y == k]
        mean, variance = own.mean(axis=0), own.var(axis=0) + 1e-9
        joint.append(-0.5 * (np.square(Z - mean) / variance + np.log(variance)).sum(axis=1) + np.log(len(own)))
    return (joint[1] > joint[0]).astype(np.int64)


def nearest_neighbour(X: Floats, y: NDArray[np.int64], Z: Floats) -> NDArray[np.int64]:
    """Predict the class of the nearest row."""
    return y[(np.square(X).sum(axis=1) - 2 * Z @ X.T).argmin(axis=1)]


def tree(X: Floats, y: NDArray[np.int64], Z: Floats) -> NDArray[np.int64]:
    """Predict by a full decision tree, the least stable of all."""
    from sklearn.tree import DecisionTreeClassifier

    return np.asarray(DecisionTreeClassifier(random_state=0).fit(X, y).predict(Z))


def logistic(X: Floats, y: NDArray[np.int64], Z: Floats) -> NDArray[np.int64]:
    """Predict by ridge-penalised logistic regression, a few Newton steps."""
    A, B = np.column_stack([X, np.ones(len(X))]), np.column_stack([Z, np.ones(len(Z))])
    w = np.zeros(A.shape[1])
    for _ in range(8):
        p = 1 / (1 + np.exp(-np.clip(A @ w, -30, 30)))
        gradient = A.T @ (p - y) + w
        w -= np.linalg.solve((A * (p * (1 - p))[:, None]).T @ A + np.eye(len(w)), gradient)
    return (B @ w > 0).astype(np.int64)


LEARNERS: dict[str, Learner] = {f.__name__: f for f in (nearest_mean, naive_bayes, nearest_neighbour, tree, logistic)}


def folds(y: NDArray[np.int64], rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """The test rows of each fold, stratified."""
    fold = np.empty(len(y), dtype=np.int64)
    for k in (0, 1):
        members = rng.permutation(np.flatnonzero(y == k))
        fold[members] = (np.arange(len(members)) + rng.integers(FOLDS)) % FOLDS
    return (fold == k for k in range(FOLDS))


def hits(
    population: Population, rng: np.random.Generator, *strengths: float, blocks: int = 1, fresh: int = 0
) -> tuple[Floats, Floats]:
    """(n, R, P): 1 where the learner that sees part p is right on a row in a block of folds, else 0.

    And (P,) the share of ``fresh`` rows on which the same fits are right.
    """
    X, y = population.draw(rng, population.n, *strengths)
    Z, t = population.draw(rng, fresh, *strengths)
    learner, d = LEARNERS[population.learner], population.d
    found, truth = np.zeros((population.n, blocks, len(strengths))), np.zeros(len(strengths))
    for block in range(blocks):
        for test in folds(y, rng):
            for p in range(len(strengths)):
                own = slice(p * d, (p + 1) * d)
                asked = np.concatenate([X[test, own], Z[:, own]])
                right = learner(X[~test, own], y[~test], asked) == np.concatenate([y[test], t])
                found[test, block, p] = right[: test.sum()]
                truth[p] += right[test.sum() :].sum() / max(1, fresh) / FOLDS / blocks
    return found, truth


def true_difference(population: Population, weaker: float, rng: np.random.Generator, draws: int = 60) -> float:
    """Mean difference of accuracies of fits on fresh training sets of the size that folds leave, on fresh rows."""
    learner, found = LEARNERS[population.learner], []
    for _ in range(draws):
        X, y = population.draw(rng, round(population.n * (1 - 1 / FOLDS)), 1.0, weaker)
        Z, t = population.draw(rng, 4000, 1.0, weaker)
        d = population.d
        found.append(np.mean(learner(X[:, :d], y, Z[:, :d]) == t) - np.mean(learner(X[:, d:], y, Z[:, d:]) == t))
    return float(np.mean(found))


def weaker_for(population: Population, wanted: float, rng: np.random.Generator) -> float:
    """How much weaker the second half must be for a wanted difference of accuracies; by bisection."""
    low, high = 0.0, 1.0
    for _ in range(7):
        middle = (low + high) / 2
        low, high = (middle, high) if true_difference(population, middle, rng, 20) > wanted else (low, middle)
    return (low + high) / 2


def rejections(population: Population, blocks: int, weaker: float, draws: int, seed: int) -> Floats:
    """(draws, blocks) 1 where the test of paired rows over so many blocks finds a difference at the 5 % level."""
    rng = np.random.default_rng(seed)
    found = np.zeros((draws, blocks))
    for draw in range(draws):
        of, _ = hits(population, rng, 1.0, weaker, blocks=blocks)
        apart = of[..., 0] - of[..., 1]
        found[draw] = [paired_rows(apart[:, : b + 1], resolution=1.0).p_value() < 0.05 for b in range(blocks)]
    return found


def after_selection(population: Population, draws: int, seed: int) -> Floats:
    """(draws, 3): bias of the difference of the best of both sides, that after correction, 1 where one is ahead."""
    rng = np.random.default_rng(seed)
    found = np.zeros((draws, 3))
    for draw in range(draws):
        of, truth = hits(population, rng, *[1.0] * sum(SIDES), fresh=1500)
        first, second = of[:, 0, : SIDES[0]], of[:, 0, SIDES[0] :]
        a, b = (int(np.round(side.mean(axis=0), 9).argmax()) for side in (first, second))
        apart = paired_rows((first[:, a] - second[:, b])[:, None], resolution=1.0)
        optimism = select(first, second, random_state=draw, spread=VARIANCE_FACTOR**0.5).optimism
        corrected = apart.shifted(-optimism, least=abs(optimism))
        real = truth[a] - truth[SIDES[0] + b]
        found[draw] = apart.mean - real, corrected.mean - real, corrected.p_value() < 0.05
    return found


def print_selection(draws: int) -> None:
    """Print one Markdown table: bias before and after the correction in points, and how often one side is ahead."""
    print(f"| population | n | bias of {SIDES[0]} against {SIDES[1]}, points | corrected | ahead |")
    print("|---|---|---|---|---|")
    whole = []
    for population in POPULATIONS:
        whole.append(after_selection(population, draws, 4) * [100, 100, 1])
        raw, corrected, level = whole[-1].mean(axis=0)
        print(f"| {population.name} | {population.n} | {raw:+.2f} | {corrected:+.2f} | {level:.3f} |", flush=True)
    raw, corrected, level = np.concatenate(whole).mean(axis=0)
    print(f"| mean | | {raw:+.2f} | {corrected:+.2f} | {level:.3f} |")
    error = np.sqrt(np.mean([of[:, 1].var() for of in whole]) / (draws * len(whole)))
    print(f"\nMonte Carlo error of the mean bias: {error:.2f} points; {draws} data sets each.")


def main() -> None:
    """Print one Markdown table: level and power for each population."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=600, help="data sets drawn for each figure")
    parser.add_argument("--power", type=float, default=0.03, help="true difference whose power is measured, as a share")
    parser.add_argument("--selection", action="store_true", help="measure the bias of picking the best of each side")
    options = parser.parse_args()
    if options.selection:
        return print_selection(options.draws)
    print(f"| population | n | level, 1 block | level, 2 blocks | power at {100 * options.power:g} points |")
    print("|---|---|---|---|---|")
    figures = []
    for population in POPULATIONS:
        levels = rejections(population, 2, 1.0, options.draws, 1).mean(axis=0)
        weaker = weaker_for(population, options.power, np.random.default_rng(2))
        figures.append([*levels, rejections(population, 1, weaker, options.draws // 2, 3).mean()])
        print(f"| {population.name} | {population.n} |", *(f" {v:.3f} |" for v in figures[-1]), sep="", flush=True)
    for name, function in (("mean", np.mean), ("largest", np.max)):
        print(f"| {name} | |", *(f" {value:.3f} |" for value in function(np.array(figures), axis=0)), sep="")
    error = np.sqrt(0.05 * 0.95 / options.draws)
    print(f"\nMonte Carlo error of a level: {error:.3f}; {options.draws} data sets each.")


if __name__ == "__main__":
    main()
