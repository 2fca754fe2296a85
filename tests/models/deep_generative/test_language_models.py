"""LSTM and transformer: probabilities sum to one, draws are as frequent as probable, states replace what was read."""

from itertools import islice, product

import numpy as np
import pytest
import torch

from tests.models.small_text import documents
from versus.arrays import Ragged
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Classes, Nothing
from versus.models import persistence
from versus.models.classical_generative.baseline import Unigrams
from versus.models.deep_generative import language_network
from versus.models.deep_generative.lstm import LSTM, ConditionalLSTM
from versus.models.deep_generative.transformer import ConditionalTransformer, Transformer
from versus.serving.sequences import with_vocabulary

SIZE = 6  # tokens; the last two are in no training text, the fourth in one alone
SCHEMA = Schema(Tokens(tuple("abcdef")), Nothing())
SMALL = {"device": "cpu", "random_state": 0, "embedding_size": 16, "window": 12, "epochs": 6, "batch_size": 8}
SMALL["learning_rate"] = 0.01
EVERY = Ragged.of(list(product(range(SIZE), repeat=3)), np.int32)


def texts(n=100, seed=0):
    """After a comes b, after b mostly c, after c anything: what a chain would know, and the third after a is c."""
    rng = np.random.default_rng(seed)
    found = []
    for length in rng.integers(2, 20, n):
        x = [0]
        while len(x) < length:
            x.append({0: 1, 1: 2 if rng.random() < 0.9 else 0}.get(x[-1], int(rng.integers(3))))
        found.append(x)
    found[0][1] = 3
    return Ragged.of(found, np.int32)


X = texts()


@pytest.fixture(scope="module", params=["lstm", "transformer"])
def fitted(request):
    made = {"lstm": lambda: LSTM(hidden=24, schema=SCHEMA, **SMALL)}
    made["transformer"] = lambda: Transformer(n_layers=2, n_heads=2, context=8, schema=SCHEMA, **SMALL)
    return made[request.param]().fit(X), made[request.param]


def test_probabilities_sum_to_one_and_are_the_product_of_the_steps(fitted):
    model, _ = fitted
    log_p = model.log_prob(EVERY)
    assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-5)
    for x in ((), (0,), (4, 3), (0, 1, 2)):
        shorter, longer = Ragged.of([x], np.int32), Ragged.of([(*x, w) for w in range(SIZE)], np.int32)
        steps = model.log_prob(longer) - model.log_prob(shorter)
        assert np.exp(steps).sum() == pytest.approx(1.0, abs=1e-5)
        np.testing.assert_allclose(steps[4], steps[5], atol=1e-5)  # tokens that training has not
    assert model.log_prob(Ragged.of([()], np.int32))[0] == 0


def test_what_was_read_is_not_read_again(fitted, monkeypatch):
    """A state stands for the tokens before it: in chunks, token by token and at once, also beyond the window."""
    model, _ = fitted
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, model.n_codes - 1, (3, 30)))
    with torch.inference_mode():
        at_once, state, found = model.network_(codes), None, []
        for piece in codes.split([1, 1, 5, 1, 12, 10], dim=1):
            scores, state = model.network_.follow(piece, None, state)
            found.append(scores)
        state = model.network_.follow(codes[:, :9], None, None)[1]  # two texts may go on from one state
        both = [model.network_.follow(codes[:, at : at + 3], None, state)[0] for at in (9, 20, 9)]
    np.testing.assert_allclose(torch.cat(found, dim=1), at_once, atol=2e-5)
    np.testing.assert_allclose(both[0], at_once[:, 9:12], atol=2e-5)
    np.testing.assert_allclose(both[2], both[0], atol=1e-6)
    whole = model.log_prob(X)
    monkeypatch.setattr(language_network, "CHUNK", 7)
    np.testing.assert_allclose(model.log_prob(X), whole, atol=1e-4)


def test_a_transformer_sees_as_far_as_its_layers_reach():
    trunk = Transformer(n_layers=2, n_heads=2, context=4, schema=SCHEMA, **SMALL).fit(X).network_.trunk
    x = torch.randn(1, 20, 16, generator=torch.Generator().manual_seed(0), requires_grad=True)
    (slope,) = torch.autograd.grad(trunk(x, None)[0][0, 12].sum(), x)
    seen = slope.abs().sum(dim=2)[0] > 0
    assert seen.nonzero().ravel().tolist() == list(range(12 - 2 * 3, 13))


def test_texts_are_drawn_as_often_as_they_are_probable(fitted):
    model, _ = fitted
    drawn = model.sample(3000, random_state=0)
    assert abs(drawn.lengths.mean() - X.lengths.mean()) < 0.5
    first = drawn.values[drawn.starts[:-1]] * SIZE + drawn.values[drawn.starts[:-1] + 1]
    expected = np.exp(model.log_prob(Ragged.of(list(product(range(SIZE), repeat=2)), np.int32)))
    np.testing.assert_allclose(np.bincount(first, minlength=SIZE**2) / 3000, expected, atol=0.03)
    np.testing.assert_array_equal(drawn.values, model.sample(3000, random_state=0).values)


def test_temperature_and_the_number_of_candidates_sharpen_draws():
    model = LSTM(hidden=24, schema=SCHEMA, **SMALL).fit(X)
    at_one = np.exp(model.log_prob(Ragged.of([[2, w] for w in range(SIZE)], np.int32)))
    at_one /= at_one.sum()

    def drawn(**options):
        found = [model.continue_(np.array([2]), 1, random_state=seed, **options)[0] for seed in range(300)]
        return np.bincount(found, minlength=SIZE) / 300

    np.testing.assert_allclose(drawn(), at_one, atol=0.1)
    np.testing.assert_allclose(drawn(temperature=0.5), at_one**2 / (at_one**2).sum(), atol=0.1)
    best = np.argsort(-at_one)[:2]
    assert set(np.flatnonzero(drawn(top_k=2))) == set(best)
    greedy = model.continue_(np.array([2]), 12, temperature=0)
    for t in range(12):
        options = Ragged.of([[2, *greedy[:t], w] for w in range(SIZE)], np.int32)
        assert greedy[t] == model.log_prob(options).argmax()
    assert np.array_equal(model.continue_(np.array([2]), 12, top_k=1, random_state=5), greedy)
    with pytest.raises(ValueError, match="temperature=-1"):
        model.continue_(np.array([2]), 1, -1)


def test_what_follows_is_learned(fitted):
    model, _ = fitted
    new = texts(seed=1)
    chance = Unigrams(schema=SCHEMA).fit(X).log_prob(new).sum() / len(new.values)
    assert model.log_prob(new).sum() / len(new.values) > chance + 0.25


def test_a_resumed_fit_and_a_saved_model_have_the_same_bits(fitted, tmp_path):
    model, make = fitted
    halves = make()
    state = list(islice(make().fit_steps(X), 3))[-1].state()
    for _ in halves.fit_steps(X, resume=state):
        pass
    np.testing.assert_array_equal(halves.log_prob(X), model.log_prob(X))
    persistence.save(model, tmp_path / "m", "deep_generative", type(model).__name__.lower())
    loaded = persistence.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.log_prob(X), model.log_prob(X))
    np.testing.assert_array_equal(loaded.sample(9, random_state=1).values, model.sample(9, random_state=1).values)
    longer = with_vocabulary(loaded, tuple("abcdefg"))
    assert np.exp(longer.log_prob(Ragged.of([[w] for w in range(7)], np.int32))).sum() == pytest.approx(1, abs=1e-5)


def test_rows_to_train_on_hold_each_token_once():
    """Each row is told the token before it, and the next row continues it."""
    model = LSTM(schema=SCHEMA, **{**SMALL, "epochs": 1, "window": 5}).fit(X)
    begun, (rows, sequence) = model.begun(X), model.pieces(X)
    asked = rows[:, 1:][rows[:, 1:] >= 0]
    np.testing.assert_array_equal(asked, model.coded(X).values)
    np.testing.assert_array_equal(np.bincount(sequence), -(-X.lengths // 5))
    np.testing.assert_array_equal(rows[:, 0][np.diff(sequence, prepend=-1) > 0], begun.values[begun.starts[:-1]])


@pytest.mark.parametrize(("made", "options"), [(ConditionalLSTM, {}), (ConditionalTransformer, {"n_heads": 2})])
def test_classes_are_told_by_the_rule_of_bayes(made, options):
    """Words are the same in both classes; their order is not."""
    X, y, schema = documents(240)
    turned = Ragged.of([np.sort(x)[::-1] if k else np.sort(x) for x, k in zip(X, y, strict=True)], np.int32)
    few = {**SMALL, "epochs": 12, "learning_rate": 5e-3, "batch_size": 16}
    model = made(schema=schema, **options, **few).fit(turned[:200], y[:200])
    longer = turned[200:][turned[200:].lengths > 2], y[200:][turned[200:].lengths > 2]
    assert (model.predict(longer[0]) == longer[1]).mean() > 0.8
    joint = model.log_joint(turned)
    np.testing.assert_allclose(np.logaddexp(*joint.T), model.log_prob(turned))
    drawn = model.sample(40, y=np.ones(40, np.int64), random_state=0)
    assert (model.predict(drawn[drawn.lengths > 3]) == 1).mean() > 0.7
    with pytest.raises(ValueError, match="needs classes"):
        made(schema=Schema(schema.x, Nothing()), **options, **few).fit(X)


def test_three_words_of_two_classes_sum_to_one():
    schema = Schema(SCHEMA.x, Classes(("left", "right")))
    model = ConditionalLSTM(schema=schema, **{**SMALL, "epochs": 2}).fit(X, np.arange(len(X)) % 2)
    assert np.exp(model.log_joint(EVERY)).sum() == pytest.approx(1.0, abs=1e-5)


def test_a_row_of_weight_two_counts_as_two():
    few = {**SMALL, "epochs": 1, "batch_size": 500, "dropout": 0.0, "min_df": 1, "schema": SCHEMA}
    weights = 1 + (np.arange(len(X)) % 3 == 0)
    weighted, twice = (
        LSTM(**few).fit(X, sample_weight=weights),
        LSTM(**few).fit(X[np.repeat(np.arange(len(X)), weights)]),
    )
    np.testing.assert_allclose(weighted.log_prob(X), twice.log_prob(X), rtol=1e-4)
    assert np.abs(weighted.log_prob(X) - LSTM(**few).fit(X).log_prob(X)).max() > 0.01
