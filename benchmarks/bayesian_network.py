"""Bayesian networks compared with pgmpy: ``python -m benchmarks.bayesian_network``.

50,000 rows of 20 categorical columns, drawn from a random network of up to two parents a column. Both find the Chow–Liu
tree of the rows, and the distribution of one column of the network given a random half of the others, in rows that each
have a pattern of gaps of their own. Trees and distributions must agree.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.side_by_side import compare, report
from versus.arrays import Array
from versus.numerics.dependence import mutual_information, pair_counts, spanning_tree
from versus.numerics.elimination import Factor, choose, log_sums

TREE, INFERENCE = "Chow–Liu tree", "exact inference"
TARGETS = {TREE: 20.0, INFERENCE: 20.0}
Network = list[tuple[tuple[int, ...], Array]]  # of each column, its parents and its table (…, C)


def random_network(sizes: list[int], rng: np.random.Generator) -> Network:
    """Give each column up to two parents among the four before it."""
    found = []
    for d, size in enumerate(sizes):
        near = np.arange(max(d - 4, 0), d)
        parents = tuple(sorted(rng.choice(near, size=min(2, d), replace=False).tolist()))
        found.append((parents, rng.dirichlet(np.full(size, 0.5), size=[sizes[p] for p in parents]) * 0.9 + 0.1 / size))
    return found


def draw(network: Network, n: int, rng: np.random.Generator) -> Array:
    codes = np.zeros((n, len(network)), dtype=np.int64)
    for d, (parents, table) in enumerate(network):
        codes[:, d] = choose(np.broadcast_to(table[tuple(codes[:, p] for p in parents)], (n, table.shape[-1])), rng)
    return codes.astype(float)


def posteriors(factors: list[Factor], rows: Array, sizes: list[int]) -> Array:
    """Distribution of the last column given what the other columns of each row show, (n, D) -> (n, C)."""
    asked = np.repeat(rows[:, None], sizes[-1], axis=1)
    asked[:, :, -1] = np.arange(sizes[-1])
    joint = log_sums(factors, asked.reshape(-1, len(sizes)), sizes).reshape(len(rows), -1)
    weights = np.exp(joint - joint.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="5,000 × 10, 20 queries, one pair")
    options = parser.parse_args()
    import pandas as pd
    from pgmpy.estimators import TreeSearch
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.inference import VariableElimination
    from pgmpy.models import DiscreteBayesianNetwork

    rng = np.random.default_rng(0)
    n, n_columns, queries, pairs = (5_000, 10, 20, 1) if options.quick else (50_000, 20, 200, options.pairs)
    sizes = rng.integers(2, 5, n_columns).tolist()
    network = random_network(sizes, rng)
    codes = draw(network, n, rng)
    names = [f"c{d:02}" for d in range(n_columns)]
    frame = pd.DataFrame(codes.astype(int), columns=names)
    ours = lambda: spanning_tree(mutual_information(pair_counts(codes, sizes), sizes)[0])  # noqa: E731
    search = TreeSearch(frame, root_node=names[0], n_jobs=1)
    theirs = lambda: search.estimate(estimator_type="chow-liu", show_progress=False)  # noqa: E731
    tree = compare(TREE, "pgmpy", ours, theirs, pairs)
    expected = {frozenset(edge) for edge in theirs().edges()}
    found = {frozenset((names[p], names[d])) for d, own in enumerate(ours()) for p in own}

    model = DiscreteBayesianNetwork([(names[p], names[d]) for d, (own, _) in enumerate(network) for p in own])
    model.add_nodes_from(names)
    for d, (own, table) in enumerate(network):
        given = [names[p] for p in own]
        by_parents = table.reshape(-1, sizes[d]).T
        model.add_cpds(TabularCPD(names[d], sizes[d], by_parents, given or None, [sizes[p] for p in own] or None))
    rows = draw(network, queries, rng)
    rows[rng.random(rows.shape) < 0.5] = np.nan
    rows[:, -1] = np.nan
    scopes = [(*own, d) for d, (own, _) in enumerate(network)]
    factors = [Factor(scope, np.log(table)) for scope, (_, table) in zip(scopes, network, strict=True)]
    engine = VariableElimination(model)

    def ask() -> Array:
        given = [{names[d]: int(v) for d, v in enumerate(row) if not np.isnan(v)} for row in rows]
        return np.array([engine.query([names[-1]], evidence, show_progress=False).values for evidence in given])

    inference = compare(INFERENCE, "pgmpy", lambda: posteriors(factors, rows, sizes), ask, pairs)
    difference = float(np.abs(posteriors(factors, rows, sizes) - ask()).max())
    parity = {"different edges of the trees": float(len(found ^ expected)), "largest difference": difference}
    report("bayesian_network", [tree, inference], parity, {} if options.quick else TARGETS)
    if found != expected or difference > 1e-9:
        raise SystemExit("the two do not agree")


if __name__ == "__main__":
    main()
