"""Bayesian networks: distributions over tiny tables, enumerated, and the structures that they must find."""

from itertools import product

import numpy as np
import pytest

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.models.classical_generative.bayesian_network import (
    ChowLiuTree,
    HillClimbingNetwork,
    TreeAugmentedNaiveBayes,
)
from versus.numerics.network_search import family_counts

SIZES = (2, 3, 2, 2)
MODELS = [ChowLiuTree, TreeAugmentedNaiveBayes, HillClimbingNetwork]
ALL_ROWS = np.array(list(product(*map(range, SIZES))), dtype=float)


def schema_of(sizes):
    columns = [Column(f"c{d}", tuple(f"v{v}" for v in range(size))) for d, size in enumerate(sizes)]
    return Schema(Table(tuple(columns)), Classes(("a", "b")))


RAISED = np.array([[0.05, 0.95], [0.6, 0.3]])  # P(c2 = 1 | c0, class)


def dependent_columns(n=4000):
    """c1 follows c0, c2 depends on c0 and the class, and c3 is free of everything."""
    rng = np.random.default_rng(0)
    y, c0, c3 = rng.integers(2, size=(3, n))
    c1 = np.where(rng.random(n) < 0.8, 2 * c0, rng.integers(3, size=n))
    return np.stack([c0, c1, rng.random(n) < RAISED[c0, y], c3], axis=1).astype(float), y


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: m.__name__)
def fitted(request):
    X, y = dependent_columns()
    return request.param(schema=schema_of(SIZES)).fit(X, y), X, y


def test_probabilities_of_all_rows_sum_to_one_and_gaps_are_summed_out(fitted):
    model, *_ = fitted
    joint = np.exp(model.log_joint(ALL_ROWS))
    np.testing.assert_allclose(joint.sum(axis=0), np.exp(model.log_prior_))
    for hidden in product([False, True], repeat=4):
        row = np.where(hidden, np.nan, ALL_ROWS[11])
        agree = ((ALL_ROWS[11] == ALL_ROWS) | np.array(hidden)).all(axis=1)
        np.testing.assert_allclose(np.exp(model.log_joint(row[None]))[0], joint[agree].sum(axis=0))


def test_samples_have_the_frequencies_that_log_prob_says(fitted):
    model, *_ = fitted
    drawn = model.sample(20_000, random_state=0)
    counts = np.bincount(np.ravel_multi_index(tuple(drawn.astype(int).T), SIZES), minlength=len(ALL_ROWS))
    expected = np.exp(model.log_prob(ALL_ROWS))
    assert (np.abs(counts / len(drawn) - expected) < 5 * np.sqrt(expected / len(drawn)) + 1e-4).all()


def test_what_naive_bayes_cannot_see_is_seen(fitted):
    """Given c0, c2 tells the class 95 or 65 times of 100; alone, 67 times."""
    model, X, y = fitted
    assert (model.predict(X) == y).mean() == pytest.approx(0.8, abs=0.02)
    of_c1, of_c2 = entropy([0.8 + 0.2 / 3, 0.2 / 3, 0.2 / 3]), (entropy([0.5, 0.5]) + entropy([0.45, 0.55])) / 2
    assert model.log_prob(X).mean() == pytest.approx(-(2 * np.log(2) + of_c1 + of_c2), abs=0.03)


def entropy(p):
    return float(-(np.array(p) * np.log(p)).sum())


def test_the_tables_are_friedmans(fitted):
    model, X, y = fitted
    k, d = 1, 1
    (parent,) = model.parents_[k][d] or (None,)
    rows = X if not model.of_class_[d] else X[y == k]
    prior = (np.bincount(rows[:, d].astype(int), minlength=3) + 1) / (len(rows) + 3)
    within = rows if parent is None else rows[rows[:, parent] == 0]
    expected = (np.bincount(within[:, d].astype(int), minlength=3) + 5 * prior) / (len(within) + 5)
    found = np.exp(model.tables_[k][d]).reshape(-1, 3)[0]
    np.testing.assert_allclose(found, expected)


def test_the_climb_finds_the_arcs_and_what_the_class_has_a_part_in():
    X, y = dependent_columns()
    model = HillClimbingNetwork(schema=schema_of(SIZES)).fit(X, y)
    (graph,) = model.graphs()
    assert graph.nodes == ("c0", "c1", "c2", "c3", "target")
    skeleton = {frozenset(graph.nodes[end] for end in arc) for arc in graph.arcs}
    assert skeleton == {frozenset(pair) for pair in (("c0", "c1"), ("c0", "c2"), ("c2", "target"))}
    assert all(graph.nodes[child] != "target" for _, child in graph.arcs)
    assert not any("c3" in pair for pair in skeleton)


def test_each_class_may_have_its_own_tree():
    rng = np.random.default_rng(1)
    y, first, *noise = rng.integers(2, size=(4, 800))
    second, third = np.where(rng.random((2, 800)) < 0.8, -1, noise)
    middle = np.where(second < 0, first, second)
    last = np.where(third < 0, middle, third)
    X = np.column_stack([first, np.where(y == 0, middle, last), np.where(y == 0, last, middle)]).astype(float)
    trees = ChowLiuTree(schema=schema_of((2, 2, 2))).fit(X, y).graphs()
    assert [tree.title for tree in trees] == ["a", "b"]
    assert trees[0].arcs == ((0, 1), (1, 2))
    assert set(trees[1].arcs) == {(0, 2), (2, 1)}


def test_numbers_are_cut_into_bins_and_their_likelihood_is_a_density():
    rng = np.random.default_rng(2)
    y = rng.integers(2, size=500)
    x = rng.normal(2 * y, 1)
    X = np.column_stack([x, x + rng.normal(0, 0.5, 500)])
    model = TreeAugmentedNaiveBayes(n_bins=8).fit(X, y)
    assert model.measure == "continuous"
    axis = np.linspace(-14, 16, 301)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    assert np.exp(model.log_prob(grid)).sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=0.02)
    with pytest.raises(ValueError, match="takes tables"):
        TreeAugmentedNaiveBayes(schema=Schema(Image((2, 1), 2), Classes(("a", "b")))).fit(np.zeros((4, 2, 1)), y[:4])


def test_where_the_truth_is_naive_bayes_the_climb_finds_it():
    rng = np.random.default_rng(3)
    y = rng.integers(2, size=2000)
    X = (y[:, None] ^ (rng.random((2000, 3)) < 0.2)).astype(float)
    (graph,) = HillClimbingNetwork(schema=schema_of((2, 2, 2))).fit(X, y).graphs()
    assert {(graph.nodes[a], graph.nodes[b]) for a, b in graph.arcs} == {("target", f"c{d}") for d in range(3)}


WEATHER = """
sunny hot high false no|sunny hot high true no|overcast hot high false yes|rainy mild high false yes
rainy cool normal false yes|rainy cool normal true no|overcast cool normal true yes|sunny mild high false no
sunny cool normal false yes|rainy mild normal false yes|sunny mild normal true yes|overcast mild high true yes
overcast hot normal false yes|rainy mild high true no
"""


def test_the_augmented_network_of_the_weather_is_the_textbooks():
    """Witten and Frank, *Data Mining* (2005), section 6.7: the graph, and 0.0025 and 0.0077 by half a row more a cell.

    The text says windy = true and takes the numbers of false.
    """
    names = ("outlook", "temperature", "humidity", "windy")
    rows = [row.split() for line in WEATHER.split("\n") for row in line.split("|") if row]
    values = [sorted({row[d] for row in rows}) for d in range(5)]
    codes = np.array([[values[d].index(row[d]) for d in range(5)] for row in rows])
    columns = tuple(Column(name, tuple(found)) for name, found in zip(names, values, strict=False))
    X, y = codes[:, :4].astype(float), codes[:, 4]
    model = TreeAugmentedNaiveBayes(schema=Schema(Table(columns), Classes(("no", "yes")))).fit(X, y)
    (graph,) = model.graphs()
    arcs = {(graph.nodes[parent], graph.nodes[child]) for parent, child in graph.arcs}
    assert arcs == {("outlook", "temperature"), ("outlook", "windy"), ("temperature", "humidity")}
    sizes, asked = [len(found) for found in values], ["rainy", "cool", "high", "false"]
    x = np.array([values[d].index(value) for d, value in enumerate(asked)])
    joint = []
    for k in (0, 1):
        p = (np.sum(y == k) + 0.5) / 15
        for d, parents in enumerate(model.parents_[k]):
            counts = family_counts(X[y == k], sizes, d, parents)
            of_parents = counts[int(x[list(parents)].sum())] if parents else counts[0]
            p *= (of_parents[x[d]] + 0.5) / (of_parents.sum() + 0.5 * sizes[d])
        joint.append(p)
    np.testing.assert_allclose(joint, [0.0025, 0.0077], atol=5e-5)
    np.testing.assert_allclose(joint / np.sum(joint), [0.245, 0.755], atol=3e-3)
