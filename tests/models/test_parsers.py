"""Parsers of one chart: derivations and back, counts, enumeration, gradients, EM, draws, and how well they parse."""

import numpy as np
import pytest

from tests.models.small_text import bracketed
from versus.arrays import Ragged
from versus.fitting.tuning import validation_loss
from versus.metrics import parsing
from versus.models.classical_generative.pcfg import PCFG
from versus.models.discriminative.baseline import RightBranching
from versus.models.discriminative.span_scorer import Objective, SpanScorer
from versus.models.tree_grammar import TreeGrammar, binarised, usual_root
from versus.numerics.tree_rules import Scores

FEW = {"max_iter": 12, "C": 10.0}


@pytest.fixture(scope="module")
def bank():
    return bracketed(160)


@pytest.fixture(scope="module")
def pcfg(bank):
    X, y, schema = bank
    return PCFG(schema=schema).fit(X[:120], y[:120])


@pytest.fixture(scope="module")
def scorer(bank):
    X, y, schema = bank
    return SpanScorer(schema=schema, **FEW).fit(X[:120], y[:120])


@pytest.mark.parametrize(("horizontal", "vertical"), [(0, 1), (1, 2), (9, 3)])
def test_derivations_give_back_the_trees(bank, horizontal, vertical):
    _, y, schema = bank
    derivations = binarised(y, schema.y.names, horizontal, vertical)
    grammar = TreeGrammar.learn(derivations)
    coded = grammar.coded(derivations)
    again = grammar.trees(coded, {name: k for k, name in enumerate(schema.y.names)}, usual_root(y))
    np.testing.assert_array_equal(again.values, y.values)
    np.testing.assert_array_equal(again.starts, y.starts)
    uses = grammar.uses(coded)
    assert min(uses.binary.min(), uses.unary.min()) >= 0
    assert (uses.binary_rows.max(), len(uses.roots)) == (len(y) - 1, len(y))


def test_a_long_constituent_remembers_as_many_parts_as_asked():
    tree = np.array([[0, 4], [1, 0], [2, 0], [3, 0], [4, 0]])
    symbols = [[s for s, _ in binarised(Ragged.of([tree]), tuple("Sabcd"), h, 1)[0]] for h in (0, 1, 2)]
    assert [s.replace("\t", "/") for s in symbols[0]] == [
        "node/S/", "tag/a", "part/S//", "tag/b", "part/S//", "tag/c", "tag/d",
    ]  # fmt: skip
    assert [[s for s in each if s.startswith("part")] for each in symbols[1:]] == [
        ["part\tS\t\ta", "part\tS\t\tb"], ["part\tS\t\ta", "part\tS\t\ta b"],
    ]  # fmt: skip


def test_counts_are_relative_frequencies_and_sentences_outside_of_the_grammar_have_trees(bank, pcfg):
    X, y, schema = bank
    rules = pcfg.grammar_.rules
    totals = np.bincount(rules.parent, np.exp(pcfg.weights_.binary), len(pcfg.grammar_.symbols))
    totals += np.bincount(rules.unary[:, 0], np.exp(pcfg.weights_.unary), len(pcfg.grammar_.symbols))
    np.testing.assert_allclose(totals[rules.n_tags :], 1)
    assert np.exp(pcfg.weights_.root).sum() == pytest.approx(1)
    odd = Ragged.of([[0], [0] * 6, [schema.x.vocabulary.index("unseen")] * 2], np.int32)
    for model in (pcfg, RightBranching(schema=schema).fit(X, y)):
        schema.y.check(odd, model.parse(odd))
    assert np.isfinite(pcfg.log_prob(odd)).all()


def test_p_of_x_sums_over_all_its_trees_and_p_of_the_best_tree_is_no_more(bank, pcfg):
    X = bank[0]
    best = pcfg.parse(X[:30])
    log_p = pcfg.log_prob_target(X[:30], best)
    assert (log_p <= 1e-9).all()
    assert (log_p > np.log(0.02)).all()
    _, value = pcfg.weights_.best(Scores(Ragged(pcfg.log_emission_[X[:30].values], X[:30].starts)))
    np.testing.assert_allclose(pcfg.log_prob(X[:30]) + log_p, value)


def test_the_gradient_is_that_of_the_penalised_likelihood(bank):
    X, y, schema = bank
    X, y = X[:5], y[:5]
    model = SpanScorer(schema=schema, max_iter=1).fit(X, y)
    coded = model.grammar_.coded(binarised(y, schema.y.names, 1, 1))
    objective = Objective(model.grammar_, model.features_.window(X), X, coded, 2.0)
    rng = np.random.default_rng(0)
    at = 0.3 * rng.normal(size=objective.size)
    gradient = objective(at)[1]
    for place in rng.choice(objective.size, 8, replace=False):
        step = np.eye(1, objective.size, place)[0] * 1e-5
        slope = (objective(at + step)[0] - objective(at - step)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-5)


def test_the_scorers_loss_is_that_of_its_trees_and_falls(bank, scorer):
    X, y, _ = bank
    weights = (scorer.weights_, scorer.rule_weights_, scorer.length_weights_)
    penalty = sum(float((w**2).sum()) for w in weights) / (2 * scorer.C)
    assert scorer.loss_[-1] == pytest.approx(penalty - scorer.log_prob_target(X[:120], y[:120]).sum())
    assert (np.diff(scorer.loss_) < 0).all()


def test_em_never_decreases_the_likelihood_and_probabilities_stay_such(bank):
    X, y, schema = bank
    model = PCFG(schema=schema, max_iter=6, horizontal=0).fit(X[:60], y[:60])
    assert (np.diff([*model.trace_, model.log_prob(X[:60]).mean()]) > -1e-9).all()
    assert model.trace_[-1] > model.trace_[0] + 0.01
    totals = np.bincount(model.grammar_.rules.parent, model.binary_counts_, len(model.grammar_.symbols))
    assert np.isfinite(totals).all()


def test_draws_are_as_frequent_as_probable(bank, pcfg):
    schema = bank[2]
    X, y = pcfg.sample_trees(1500, random_state=0)
    schema.y.check(X, y)
    sentences = [tuple(x.tolist()) for x in X]
    often = sorted(set(sentences), key=sentences.count)[-5:]
    p = np.exp(pcfg.log_prob(Ragged.of(often, np.int32)))
    shares = np.array([sentences.count(sentence) for sentence in often]) / len(sentences)
    np.testing.assert_allclose(shares, p, atol=4 * np.sqrt(p.max() / len(sentences)))
    np.testing.assert_array_equal(pcfg.sample(1500, random_state=0).values, X.values)
    with pytest.raises(ValueError, match="sample takes no y"):
        pcfg.sample(1, y=np.zeros(1))


def test_all_beat_the_baseline_and_classes_tell_the_tags_of_unknown_words(bank, pcfg, scorer):
    X, y, schema = bank
    learned, tested = (X[:120], y[:120]), (X[120:], y[120:])
    alike = PCFG(schema=schema, rare_count=0).fit(*learned)
    models = [RightBranching(schema=schema).fit(*learned), alike, pcfg, scorer]
    answers = [(tested[1], model.parse(tested[0]), schema.y.names) for model in models]
    found = [parsing.f1(parsing.matched_brackets(*answer).mean(axis=0)) for answer in answers]
    tags = [np.divide(*parsing.right_tags(*answer).sum(axis=0)) for answer in answers]
    assert found[0] < 0.7 < 0.9 < min(found[1:])
    assert tags[0] < tags[1] <= tags[2]
    assert min(tags[2:]) > 0.97


def test_trials_are_scored_by_the_brackets_that_they_miss(bank, pcfg):
    X, y, schema = bank
    assert validation_loss(pcfg, X[:120], pcfg.parse(X[:120]), 0) == 0.0
    counts = parsing.matched_brackets(y[120:], pcfg.parse(X[120:]), schema.y.names)
    missed = 1 - 2 * counts[:, 0].sum() / counts[:, 1:].sum()
    assert validation_loss(pcfg, X[120:], y[120:], 0) == pytest.approx(missed)
    assert missed > 0


@pytest.mark.parametrize("kind", [PCFG, SpanScorer, RightBranching])
def test_what_is_no_tree_or_no_schema_is_refused(bank, kind):
    X, y, schema = bank
    with pytest.raises(ValueError, match=f"{kind.__name__}.fit needs y, a tree over each sentence, and the schema"):
        kind().fit(X, y)
    with pytest.raises(ValueError, match=f"{kind.__name__}.fit: 3 sentences have 2 trees"):
        kind(schema=schema).fit(X[:3], y[:2])
    with pytest.raises(ValueError, match="1 of them empty"):
        kind(schema=schema).fit(Ragged.of([[0], []], np.int32), y[:2])
