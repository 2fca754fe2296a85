"""Sums over products of tables, dependence trees and the search for a graph, against enumeration."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln, logsumexp
from sklearn.metrics import mutual_info_score

from versus.numerics.dependence import conditional_information, mutual_information, pair_counts, spanning_tree
from versus.numerics.elimination import Factor, TreeWidthError, draw, elimination_order, log_sums
from versus.numerics.network_search import HillClimbing, bdeu, bic, family_counts, topological_order
from versus.numerics.quantile_bins import QuantileBins

SIZES = (2, 3, 2, 4, 2)
SCOPES = ((0, 1), (1, 2), (0, 2), (2, 3), (3,), (1, 3, 4))


def random_factors(rng):
    return [Factor(s, 3 * rng.normal(size=tuple(SIZES[v] for v in s))) for s in SCOPES]


def whole_table(factors):
    table = np.zeros(SIZES)
    for f in factors:
        shape = [SIZES[v] if v in f.variables else 1 for v in range(len(SIZES))]
        table = table + f.log_table.reshape(shape)
    return table


def test_sums_over_any_missing_variables_are_those_of_the_whole_table():
    rng = np.random.default_rng(0)
    factors = random_factors(rng)
    table = whole_table(factors)
    codes = np.stack([rng.integers(size, size=64) for size in SIZES], axis=1).astype(float)
    codes[np.array(list(product([True, False], repeat=5)) * 2)] = np.nan  # every pattern of gaps
    expected = [logsumexp(table[tuple(slice(None) if np.isnan(c) else int(c) for c in row)]) for row in codes]
    np.testing.assert_allclose(log_sums(factors, codes, SIZES), expected, rtol=1e-12)
    few = slice(0, 64, 8)  # so few patterns are summed one by one
    np.testing.assert_allclose(log_sums(factors, codes[few], SIZES), expected[few], rtol=1e-12)


def test_the_burglary_network_gives_the_published_answer():
    """Russell and Norvig, *Artificial Intelligence*: P(burglary | John calls, Mary calls) = 0.284."""
    alarm = np.array([[0.001, 0.29], [0.94, 0.95]])  # by burglary, earthquake
    calls = [np.array([[1 - p, p] for p in of_alarm]) for of_alarm in ((0.05, 0.90), (0.01, 0.70))]
    tables = [(0,), [0.999, 0.001]], [(1,), [0.998, 0.002]], [(0, 1, 2), np.stack([1 - alarm, alarm], axis=-1)]
    factors = [Factor(scope, np.log(t)) for scope, t in (*tables, [(2, 3), calls[0]], [(2, 4), calls[1]])]
    no, yes = np.exp(log_sums(factors, np.array([[b, np.nan, np.nan, 1, 1] for b in (0.0, 1.0)]), [2] * 5))
    assert yes / (no + yes) == pytest.approx(0.284, abs=5e-4)


def test_pgmpy_finds_the_same_tree_and_the_same_posteriors():
    estimators = pytest.importorskip("pgmpy.estimators")
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.inference import VariableElimination
    from pgmpy.models import DiscreteBayesianNetwork

    sizes, names, rng = (2, 3, 2, 4), list("abcd"), np.random.default_rng(6)
    scopes = ((0,), (0, 1), (0, 1, 2), (1, 2, 3))  # each column last, after its parents
    tables = [rng.dirichlet(np.ones(sizes[s[-1]]), size=[sizes[v] for v in s[:-1]]) for s in scopes]
    factors = [Factor(s, np.log(table)) for s, table in zip(scopes, tables, strict=True)]
    theirs = DiscreteBayesianNetwork([(names[p], names[s[-1]]) for s in scopes for p in s[:-1]])
    for (*own, d), table in zip(scopes, tables, strict=True):
        given = {"evidence": [names[p] for p in own], "evidence_card": [sizes[p] for p in own]} if own else {}
        theirs.add_cpds(TabularCPD(names[d], sizes[d], table.reshape(-1, sizes[d]).T, **given))
    engine = VariableElimination(theirs)
    for shown in ({3: 2}, {0: 1, 3: 0}, {2: 1}, {1: 2, 2: 0, 3: 3}):
        asked = next(v for v in range(4) if v not in shown)
        rows = np.full((sizes[asked], 4), np.nan)
        rows[:, list(shown)], rows[:, asked] = list(shown.values()), np.arange(sizes[asked])
        found = np.exp(log_sums(factors, rows, sizes))
        expected = engine.query([names[asked]], {names[v]: code for v, code in shown.items()}, show_progress=False)
        np.testing.assert_allclose(found / found.sum(), expected.values, rtol=1e-10)

    codes = draw(factors, 400, sizes, rng)
    frame = pd.DataFrame(codes, columns=names)
    search = estimators.TreeSearch(frame, root_node="a", n_jobs=1)
    edges = search.estimate(estimator_type="chow-liu", show_progress=False).edges()
    tree = spanning_tree(mutual_information(pair_counts(codes.astype(float), sizes), sizes)[0])
    found = {frozenset((names[p], names[d])) for d, own in enumerate(tree) for p in own}
    assert found == {frozenset(edge) for edge in edges}
    assert len(found) == 3


def test_draws_have_the_frequencies_of_the_table():
    factors = random_factors(np.random.default_rng(1))
    table = whole_table(factors)
    p = np.exp(table - logsumexp(table)).ravel()
    rows = draw(factors, 20_000, SIZES, np.random.default_rng(2))
    found = np.bincount(np.ravel_multi_index(tuple(rows.T), SIZES), minlength=p.size) / len(rows)
    assert np.abs(found - p).max() < 5 * np.sqrt(0.25 / len(rows))


def test_an_order_keeps_tables_as_small_as_the_graph_allows_and_refuses_where_it_cannot():
    chain = [(v, v + 1) for v in range(29)]
    assert elimination_order(chain, range(30), [4] * 30)[1] == 16
    dense = [Factor(pair, np.zeros((4, 4))) for pair in combinations(range(14), 2)]
    with pytest.raises(TreeWidthError, match=r"2\.68e\+08 cells"):
        log_sums(dense, np.full((1, 14), np.nan), [4] * 14)


def test_a_long_chain_does_not_underflow():
    step = np.log(np.array([[1e-200, 1.0], [1.0, 1e-200]]) / 2)
    chain = [Factor((v, v + 1), step) for v in range(200)]
    found = log_sums(chain, np.full((1, 201), np.nan), [2] * 201)
    np.testing.assert_allclose(found, np.log(2) - 200 * np.log(2))


@pytest.fixture(scope="module")
def columns():
    rng = np.random.default_rng(3)
    a = rng.integers(3, size=400)
    b = np.where(rng.random(400) < 0.7, a, rng.integers(3, size=400))
    c = np.where(rng.random(400) < 0.6, b % 2, rng.integers(2, size=400))
    d = (a + c + (rng.random(400) < 0.2)) % 4
    return np.stack([a, b, c, d], axis=1).astype(float), (3, 3, 2, 4)


def test_mutual_information_is_scikit_learns(columns):
    codes, sizes = columns
    information, rows = mutual_information(pair_counts(codes, sizes), sizes)
    assert (rows == len(codes)).all()
    for i, j in combinations(range(4), 2):
        np.testing.assert_allclose(information[i, j], mutual_info_score(codes[:, i], codes[:, j]), rtol=1e-5)
    gaps = codes.copy()
    gaps[:100, 0] = np.nan
    information, rows = mutual_information(pair_counts(gaps, sizes), sizes)
    assert rows[0, 1] == 300
    np.testing.assert_allclose(information[0, 1], mutual_info_score(codes[100:, 0], codes[100:, 1]), rtol=1e-5)


def test_the_tree_is_the_heaviest_of_all_trees():
    """Of five columns there are 125 trees (Cayley)."""
    rng = np.random.default_rng(4)
    for _ in range(5):
        weights = np.triu(rng.random((5, 5)), 1)
        weights += weights.T
        parents = spanning_tree(weights)
        found = sum(weights[d, p] for d, own in enumerate(parents) for p in own)
        trees = (edges for edges in combinations(list(combinations(range(5), 2)), 4) if connects(edges))
        totals = [sum(weights[e] for e in edges) for edges in trees]
        assert len(totals) == 125
        assert found == pytest.approx(max(totals))


def connects(edges):
    reached = {0}
    for _ in range(5):
        reached |= {v for e in edges if reached & set(e) for v in e}
    return len(reached) == 5


def test_information_given_the_class_is_the_mean_over_classes(columns):
    codes, sizes = columns
    y = codes[:, 3].astype(int)
    counts = [pair_counts(codes[y == k, :3], sizes[:3]) for k in range(4)]
    expected = sum((y == k).mean() * mutual_info_score(codes[y == k, 0], codes[y == k, 1]) for k in range(4))
    np.testing.assert_allclose(conditional_information(counts, sizes[:3])[0, 1], expected, rtol=1e-5)


@pytest.mark.parametrize("score", [bic, bdeu(4.0)], ids=["BIC", "BDeu"])
def test_no_graph_of_three_columns_has_a_higher_score_than_the_climb_finds(columns, score):
    codes, sizes = columns[0][:, :3], columns[1][:3]
    search = HillClimbing(codes, sizes, score, max_parents=2)
    empty = search.total
    topological_order(search.climb())
    possible = [[p for n in range(3) for p in combinations([o for o in range(3) if o != d], n)] for d in range(3)]
    best = -np.inf
    for graph in product(*possible):
        try:
            topological_order(graph)
        except ValueError:
            continue
        best = max(best, sum(score(family_counts(codes, sizes, d, own), len(codes)) for d, own in enumerate(graph)))
    assert empty < search.total
    assert search.total == pytest.approx(best)


def test_bdeu_of_a_single_column_is_the_dirichlet_multinomial():
    counts = np.array([[3.0, 1.0, 0.0]])
    a = np.full(3, 2.0)
    expected = gammaln(6) - gammaln(10) + (gammaln(a + counts[0]) - gammaln(a)).sum()
    assert bdeu(6.0)(counts, 4) == pytest.approx(expected)


def test_bins_make_a_density_that_integrates_to_one_and_draws_what_it_says():
    rng = np.random.default_rng(5)
    column = np.concatenate([rng.normal(size=300), [2.0] * 60, [np.nan] * 10])
    bins = QuantileBins.fit(column, 5)
    counts = np.bincount(bins.codes(column)[:-10].astype(int), minlength=bins.size)
    assert bins.size == 5
    assert counts.min() > 50
    p = counts / counts.sum()
    grid = np.linspace(-30, 30, 600_001)
    density = p[bins.codes(grid).astype(int)] * np.exp(bins.log_density(grid))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=1e-3)
    drawn = bins.draw(np.repeat(np.arange(5), 2000), rng)
    np.testing.assert_array_equal(bins.codes(drawn), np.repeat(np.arange(5), 2000))
    assert np.abs(drawn[-2000:] - bins.edges[-1]).mean() == pytest.approx(bins.tails[1], rel=0.1)
    assert bins.log_density(np.array([np.nan]))[0] == 0
    moved = QuantileBins.fit(1e-9 * column + 3e-8, 5)
    np.testing.assert_array_equal(moved.codes(1e-9 * column + 3e-8), bins.codes(column))
    constant = QuantileBins.fit(np.full(5, 7.0), 3)
    assert np.isfinite(constant.log_density(np.array([7.0, 6.9]))).all()
