"""Bidirectional LSTMs: the chain's sums are those of the kernel, padding changes nothing, order and spelling tell."""

from itertools import islice

import numpy as np
import pytest
import torch

from tests.models.small_text import coded, documents, sentences
from versus.arrays import Ragged
from versus.models import persistence
from versus.models.discriminative.recurrent import BidirectionalLSTM, BidirectionalLSTMClassifier
from versus.models.discriminative.recurrent_tagger import BidirectionalLSTMTagger, ChainLayer
from versus.models.token_networks import padded
from versus.serving.sequences import with_vocabulary

SMALL = {"device": "cpu", "random_state": 0, "embedding_size": 16, "hidden": 12}


@pytest.fixture(scope="module")
def tagger():
    X, y, schema = sentences(160)
    return BidirectionalLSTMTagger(epochs=8, batch_size=8, schema=schema, **SMALL).fit(X[:120], y[:120]), X, y


def test_the_layers_sums_are_those_of_the_kernel():
    """Of the log normaliser, the weight of a path, and, as autograd's gradient, the marginals."""
    rng, lengths = np.random.default_rng(0), np.array([4, 1, 6])
    scores = Ragged.cut(rng.normal(size=(11, 3)), lengths)
    tags = Ragged.cut(rng.integers(0, 3, 11), lengths)
    layer = ChainLayer(3).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(0))
    rows = torch.zeros(3, 6, 3, dtype=torch.float64)
    inside = torch.from_numpy(np.arange(6) < lengths[:, None])
    rows[inside] = torch.from_numpy(scores.values)
    rows.requires_grad_()
    found = layer.log_normaliser(rows, torch.from_numpy(lengths))
    posterior = layer.arrays().posterior(scores)
    np.testing.assert_allclose(found.detach(), posterior.log_normaliser)
    weights = layer.log_weight(rows, torch.from_numpy(padded(tags, 6)).long(), torch.from_numpy(lengths))
    np.testing.assert_allclose(weights.detach(), layer.arrays().log_weight(scores, tags))
    found.sum().backward()
    np.testing.assert_allclose(rows.grad[inside], posterior.marginals.values, atol=1e-12)
    np.testing.assert_allclose(layer.transition.grad, posterior.transitions, atol=1e-12)


def test_each_direction_reads_a_sequence_as_if_it_stood_alone():
    layers = BidirectionalLSTM(5, 4, 2, 0.0)
    x = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([7, 3, 5])
    with torch.no_grad():
        together = layers(x, lengths)
        for i, n in enumerate(lengths):
            alone = layers(x[i : i + 1, :n], n[None])
            np.testing.assert_allclose(together[i, :n], alone[0], atol=1e-6)
        seen = layers(x.roll(1, dims=2), lengths)[0, 0] != together[0, 0]
    assert seen.all()


def test_tags_are_told_by_their_neighbours_and_new_words_by_their_spelling(tagger):
    model, X, y = tagger
    assert (model.predict(X[120:]).values == y[120:].values).mean() > 0.97
    fish = coded(model.schema_, "the fish fish .")
    assert model.predict(fish).values.tolist() == [0, 1, 2, 3]
    new = coded(model.schema_, "the writer writes .")
    assert model.predict(new).values.tolist() == [0, 1, 2, 3]


def test_tags_of_a_sentence_sum_to_one_and_the_best_are_predicted(tagger):
    model, *_ = tagger
    asked = coded(model.schema_, "the fish fish")
    every = np.array(np.meshgrid(*[range(4)] * 3, indexing="ij")).reshape(3, -1).T
    p = np.exp(model.log_prob_target(asked[np.zeros(64, int)], Ragged.of(every)))
    assert p.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(model.predict(asked).values, every[p.argmax()])
    marginals = model.predict_marginals(asked)
    np.testing.assert_allclose(marginals[0][1], [p[every[:, 1] == k].sum() for k in range(4)])


def test_a_saved_tagger_answers_the_same_bits_also_under_a_longer_vocabulary(tagger, tmp_path):
    model, X, y = tagger
    persistence.save(model, tmp_path / "m", "discriminative", "recurrent_tagger")
    loaded = persistence.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.log_prob_target(X, y), model.log_prob_target(X, y))
    longer = with_vocabulary(loaded, (*model.schema_.x.vocabulary, "zworker"))
    assert longer.predict(coded(longer.schema, "the zworker reads .")).values.tolist() == [0, 1, 2, 3]


def test_a_class_is_told_by_the_order_of_words_and_a_resumed_fit_has_the_same_bits(tmp_path):
    X, y, schema = documents(300)
    turned = Ragged.of([np.sort(x)[::-1] if k else np.sort(x) for x, k in zip(X, y, strict=True)], np.int32)

    def new():
        return BidirectionalLSTMClassifier(epochs=12, batch_size=16, dropout=0.1, schema=schema, **SMALL)

    model, rest = new().fit(turned[:240], y[:240]), new()
    longer = turned[240:][turned[240:].lengths > 2], y[240:][turned[240:].lengths > 2]
    assert (model.predict(longer[0]) == longer[1]).mean() > 0.85
    state = list(islice(new().fit_steps(turned[:240], y[:240]), 5))[-1].state()
    for _ in rest.fit_steps(turned[:240], y[:240], resume=state):
        pass
    persistence.save(model, tmp_path / "m", "discriminative", "recurrent")
    for other in (rest, persistence.load(tmp_path / "m")):
        np.testing.assert_array_equal(other.predict_proba(turned), model.predict_proba(turned))
    apart = np.concatenate([model.predict_proba(turned[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(apart, model.predict_proba(turned[:20]), atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(Ragged.of([[]], np.int32)).sum(), 1, atol=1e-6)


def test_mixed_precision_changes_little():
    """Also on a CPU without LSTMs in bfloat16, and where products of sparse matrices have no gradient in it."""
    X, y, schema = sentences(40)
    single, mixed = (
        BidirectionalLSTMTagger(epochs=2, dropout=0.0, precision=precision, schema=schema, **SMALL).fit(X, y)
        for precision in ("32-true", "bf16-mixed")
    )
    np.testing.assert_allclose(mixed.predict_marginals(X).values, single.predict_marginals(X).values, atol=0.05)
