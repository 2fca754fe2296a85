"""Charts against all trees of short sentences, a textbook's probabilities, autograd, and very long sentences."""

import itertools
from functools import cache

import numpy as np
import pytest
import torch

from versus.arrays import Ragged
from versus.numerics.charts import Grammar
from versus.numerics.tree_rules import Rules, Scores

TAGS, NODES, PARTS = 2, 2, 1


def grammar(rng, chains=True):
    """Some binary rules over 5 symbols, unary ones to tags and, if asked for, among constituents; random weights."""
    k = TAGS + NODES + PARTS
    binary = np.array([rule for rule in itertools.product(range(TAGS, k), range(k), range(k)) if rng.random() < 0.3])
    among = [(TAGS, TAGS + 1), (TAGS + 1, TAGS)] if chains else []
    unary = np.array([(TAGS, 0), (TAGS + 1, 1), *among])
    root = np.where(np.arange(k) < TAGS, -np.inf, rng.normal(size=k))
    return Grammar(
        Rules(TAGS, k, binary, unary), root, rng.normal(size=len(binary)) - 1, rng.normal(size=len(unary)) - 4
    )


def scores(rng, lengths, spans=True):
    total, longest = sum(lengths), max(lengths)
    tags = Ragged.cut(rng.normal(size=(total, TAGS)), lengths)
    if not spans:
        return Scores(tags)
    return Scores(tags, *(rng.normal(size=(n, NODES)) for n in (total, total, longest + 1)))


def weights_of_all_trees(g, s, row, most_unary=7):
    """Yield log weight and used rules of each tree, with chains of unary rules up to a length."""
    first, n = s.tags.starts[row], int(s.tags.lengths[row])
    binary, unary = g.rules.binary.tolist(), g.rules.unary.tolist()

    def built(symbol, i, j):
        if j - i == 1:
            return [(s.tags.values[first + i, symbol], ())] if symbol < TAGS else []
        own, node, found = 0.0, symbol - TAGS, []
        if s.begin is not None and 0 <= node < NODES:
            own = s.begin[first + i, node] + s.end[first + j - 1, node] + s.length[j - i, node]
        for r, (parent, left, right) in enumerate(binary):
            for k in range(i + 1, j) if parent == symbol else ():
                for (a, used_a), (b, used_b) in itertools.product(whole(left, i, k), whole(right, k, j)):
                    found.append((own + g.binary[r] + a + b, (("b", r), *used_a, *used_b)))
        return found

    @cache
    def whole(symbol, i, j, steps=most_unary):
        found = built(symbol, i, j)
        for u, (parent, part) in enumerate(unary):
            if parent == symbol and steps:
                found += [(g.unary[u] + w, (("u", u), *used)) for w, used in whole(part, i, j, steps - 1)]
        return found

    for symbol in np.flatnonzero(np.isfinite(g.root)).tolist():
        yield from ((g.root[symbol] + w, (("r", symbol), *used)) for w, used in whole(symbol, 0, n))


@pytest.mark.parametrize(("chains", "spans"), [(False, True), (True, False)])
def test_sums_maxima_and_posteriors_are_those_of_all_trees(chains, spans):
    rng = np.random.default_rng(1)
    lengths = [2, 1] if chains else [3, 1, 4]
    g, s = grammar(rng, chains), scores(rng, lengths, spans)
    found, best = g.expectations(s), g.best(s)
    expected = {kind: np.zeros(size) for kind, size in (("b", len(g.binary)), ("u", len(g.unary)), ("r", len(g.root)))}
    for row in range(len(lengths)):
        log_w, used = zip(*weights_of_all_trees(g, s, row), strict=True)
        log_z = np.logaddexp.reduce(log_w)
        assert found.log_normaliser[row] == pytest.approx(log_z, abs=1e-7)
        assert best[1][row] == pytest.approx(max(log_w))
        assert len(best[0][row]) == len(used[np.argmax(log_w)]) - 1 + lengths[row]  # a node a rule, and the tags
        for w, uses in zip(log_w, used, strict=True):
            for kind, place in uses:
                expected[kind][place] += np.exp(w - log_z)
    np.testing.assert_allclose(found.binary, expected["b"], atol=1e-7)
    np.testing.assert_allclose(found.unary, expected["u"], atol=1e-6)
    np.testing.assert_allclose(found.root, expected["r"], atol=1e-7)
    np.testing.assert_allclose(np.add.reduceat(found.tags.sum(axis=1), s.tags.starts[:-1]), lengths)
    np.testing.assert_allclose(g.log_normaliser(s), found.log_normaliser)


def test_expectations_are_the_derivatives_of_log_z():
    """By central differences, of every weight there is."""
    rng = np.random.default_rng(2)
    g, s = grammar(rng), scores(rng, [3, 5, 2])
    found = g.expectations(s)
    own = (g.binary, g.unary, s.tags.values, s.begin, s.end, s.length)
    for array, expected in zip(
        own, (found.binary, found.unary, found.tags, found.begin, found.end, found.length), strict=True
    ):
        for place in rng.choice(array.size, 6):
            values = []
            for step in (1e-5, -1e-5):
                array.ravel()[place] += step
                values.append(Grammar(g.rules, g.root, g.binary, g.unary).log_normaliser(s).sum())
                array.ravel()[place] -= step
            slope = (values[0] - values[1]) / 2e-5
            assert expected.ravel()[place] == pytest.approx(slope, abs=1e-6)


def astronomers():
    """The grammar and the sentence of Manning and Schütze, *Foundations of Statistical NLP* (1999), chapter 11."""
    tags, nodes = ["P", "V", "NAME"], ["NP", "PP", "S", "VP"]
    names = [*tags, *nodes]
    at = names.index
    binary = {("S", "NP", "VP"): 1.0, ("PP", "P", "NP"): 1.0, ("VP", "V", "NP"): 0.7, ("VP", "VP", "PP"): 0.3,
              ("NP", "NP", "PP"): 0.4}  # fmt: skip
    rules = Rules(3, 7, np.array([[at(part) for part in rule] for rule in binary]), np.array([[at("NP"), at("NAME")]]))
    root = np.full(7, -np.inf)
    root[at("S")] = 0.0
    g = Grammar(rules, root, np.log([*binary.values()]), np.zeros(1))
    lexicon = {"astronomers": 0.1, "ears": 0.18, "saw": 0.04, "stars": 0.18, "telescopes": 0.1}
    sentence = ["astronomers", "saw", "stars", "with", "ears"]
    words = np.array([[float(w == "with"), float(w == "saw"), lexicon.get(w, 0.0)] for w in sentence])
    with np.errstate(divide="ignore"):
        return g, Scores(Ragged.cut(np.log(words), [5])), names


def test_the_textbooks_sentence_has_its_two_probabilities():
    """0.0009072 and 0.0006804, of which the first is the better tree; together 0.0015876."""
    g, s, names = astronomers()
    assert np.exp(g.log_normaliser(s)[0]) == pytest.approx(0.0015876)
    nodes, value = g.best(s)
    assert np.exp(value[0]) == pytest.approx(0.0009072)
    assert [names[symbol] for symbol in nodes.values[:, 0]] == [
        "S", "NP", "NAME", "VP", "V", "NP", "NP", "NAME", "PP", "P", "NP", "NAME",
    ]  # fmt: skip
    assert nodes.values[:, 1].tolist() == [5, 1, 0, 4, 0, 3, 1, 0, 2, 0, 1, 0]
    found = g.expectations(s)
    np.testing.assert_allclose(found.binary, [1, 1, 1, 0.0006804 / 0.0015876, 0.0009072 / 0.0015876])


def test_nltk_finds_the_same_tree():
    nltk = pytest.importorskip("nltk")
    theirs = nltk.PCFG.fromstring("""
        S -> NP VP [1.0]
        PP -> P NP [1.0]
        VP -> V NP [0.7] | VP PP [0.3]
        NP -> NP PP [0.4] | 'astronomers' [0.1] | 'ears' [0.18] | 'saw' [0.04] | 'stars' [0.18] | 'telescopes' [0.1]
        P -> 'with' [1.0]
        V -> 'saw' [1.0]
    """)
    (tree,) = nltk.ViterbiParser(theirs).parse(["astronomers", "saw", "stars", "with", "ears"])
    g, s, _ = astronomers()
    assert g.best(s)[1][0] == pytest.approx(np.log(tree.prob()))


def test_gradients_are_autograds():
    """The inside recursion of one short sentence, written out in torch."""
    rng = np.random.default_rng(4)
    g, s = grammar(rng, chains=False), scores(rng, [4], spans=False)
    binary = torch.tensor(g.binary, requires_grad=True)
    cells, k = {}, g.rules.n_symbols
    unary = torch.zeros(k, k, dtype=torch.float64)
    for (a, b), w in zip(g.rules.unary, g.unary, strict=True):
        unary[a, b] = np.exp(w)
    for w in range(1, 5):
        for i in range(5 - w):
            built = [torch.zeros((), dtype=torch.float64) for _ in range(k)]
            if w == 1:
                built[:TAGS] = [torch.tensor(v).exp() for v in s.tags.values[i]]
            for r, (a, b, c) in enumerate(g.rules.binary) if w > 1 else ():
                for d in range(1, w):
                    built[a] = built[a] + binary[r].exp() * cells[i, d][b] * cells[i + d, w - d][c]
            built = torch.stack(built)
            cells[i, w] = built + unary @ built
    log_z = (torch.tensor(np.exp(g.root)) * cells[0, 4]).sum().log()
    log_z.backward()
    found = g.expectations(s)
    assert found.log_normaliser[0] == pytest.approx(log_z.item())
    np.testing.assert_allclose(found.binary, binary.grad.numpy(), atol=1e-12)


def test_hundreds_of_tokens_do_not_underflow():
    """A → A A | tag: the sum over all C(n - 1) trees is known, Catalan's number."""
    n = 250
    rules = Rules(1, 2, np.array([[1, 1, 1]]), np.array([[1, 0]]))
    g = Grammar(rules, np.array([-np.inf, 0.0]), np.full(1, -20.0), np.full(1, -30.0))
    s = Scores(Ragged.cut(np.full((n, 1), -10.0), [n]))
    log_catalan = sum(np.log(n - 1 + i) - np.log(i) for i in range(2, n))
    expected = log_catalan - 20.0 * (n - 1) - 40.0 * n
    found = g.expectations(s)
    assert found.log_normaliser[0] == pytest.approx(expected)
    np.testing.assert_allclose([found.binary[0], found.unary[0]], [n - 1, n])
    assert g.best(s)[1][0] == pytest.approx(-20.0 * (n - 1) - 40.0 * n)


def test_what_has_no_tree_or_no_sum_is_refused():
    rng = np.random.default_rng(0)
    rules = Rules(1, 3, np.array([[1, 0, 0]]), np.array([[1, 2], [2, 1]]))
    root = np.array([-np.inf, 0.0, 0.0])
    s = Scores(Ragged.cut(rng.normal(size=(3, 1)), [2, 1]))
    small = Grammar(rules, root, np.zeros(1), np.log([0.5, 0.5]))
    assert np.isfinite(small.log_normaliser(s)).tolist() == [True, False]
    assert [len(tree) for tree in small.best(s)[0]] == [3, 0]
    with pytest.raises(ValueError, match="sentence 1 has no tree"):
        small.expectations(s)
    large = Grammar(rules, root, np.zeros(1), np.log([2.0, 0.5]))
    with pytest.raises(ValueError, match="add up to infinity"):
        large.log_normaliser(s)
    with pytest.raises(ValueError, match="cycle of unary rules weighs more than 1"):
        Grammar(rules, root, np.zeros(1), np.log([3.0, 0.5])).best(s)
    with pytest.raises(ValueError, match="sentence 0 is empty"):
        small.log_normaliser(Scores(Ragged.cut(np.zeros((1, 1)), [0, 1])))


def test_draws_are_as_frequent_as_probable():
    """Of a grammar of probabilities, so that every sentence's share of many draws is known."""
    rules = Rules(2, 3, np.array([[2, 2, 0], [2, 0, 1]]), np.array([[2, 0], [2, 1]]))
    g = Grammar(rules, np.array([-np.inf, -np.inf, 0.0]), np.log([0.3, 0.2]), np.log([0.4, 0.1]))
    drawn = g.draw(5_000, np.random.default_rng(0))
    words = [tuple(tree[tree[:, 1] == 0, 0].tolist()) for tree in drawn]
    for sentence in ((0,), (1,), (0, 1), (1, 0), (0, 0), (0, 1, 0)):
        with np.errstate(divide="ignore"):
            p = np.exp(g.log_normaliser(Scores(Ragged.cut(np.log(np.eye(2)[list(sentence)]), [len(sentence)]))))[0]
        assert words.count(sentence) / len(words) == pytest.approx(p, abs=4 * np.sqrt(p / len(words)))
    widths = [int(tree[0, 1]) for tree in drawn]
    assert widths == [len(sentence) for sentence in words]
