"""The semi-supervised autoencoder: rows without a class tell where the classes lie."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from versus.arrays import Ragged
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.experiments import few_labels
from versus.experiments.fits import Task
from versus.models.deep_generative.semi_supervised_vae import SemiSupervisedVAE
from versus.models.protocols import takes_unlabelled
from versus.settings import Cell

RNG = np.random.default_rng(0)
SIDES = RNG.integers(0, 2, 400)
BLOBS = RNG.normal(size=(400, 2)) * [0.4, 1.0] + 4 * np.stack([SIDES, 0 * SIDES], axis=1)
SCHEMA = Schema(Table((Column("a"), Column("b"))), Classes(("u", "v")))
FEW = {"n_latent": 2, "hidden_layer_sizes": (16,), "epochs": 3, "device": "cpu", "random_state": 0, "schema": SCHEMA}
LABELS = np.full(400, -1)
SECOND = BLOBS[:, 1]  # tells nothing of the class, but differs most between these two rows
NAMED = [np.where(SIDES == 0, SECOND, np.inf).argmin(), np.where(SIDES == 1, SECOND, -np.inf).argmax()]
LABELS[NAMED] = SIDES[NAMED]


def test_two_labels_name_two_blobs():
    assert (LABELS >= 0).sum() == 2
    model = SemiSupervisedVAE(**FEW | {"epochs": 40, "batch_size": 50, "learning_rate": 0.01})
    assert takes_unlabelled(model)
    model.fit(BLOBS, LABELS)
    assert (model.predict(BLOBS) == SIDES).mean() > 0.98
    scaled = BLOBS / BLOBS.std(axis=0)
    nearest = np.square(scaled[:, None] - scaled[NAMED]).sum(axis=2).argmin(axis=1)
    assert (nearest == SIDES).mean() < 0.8  # from two rows alone the second value seems to tell more
    drawn = model.sample(100, np.repeat([0, 1], 50), random_state=0)
    assert drawn[50:, 0].mean() - drawn[:50, 0].mean() > 2.5


def test_the_bound_of_a_row_without_a_class_is_the_mixture_of_the_bounds_with_one():
    model = SemiSupervisedVAE(**FEW | {"precision": "64-true"}).fit(BLOBS, LABELS)
    rows = tuple(torch.from_numpy(part[:30]) for part in model._events(BLOBS))
    network = model.semi_supervised_

    def terms(labels):
        with torch.no_grad():
            network.encoder.log_variance.weight.zero_()
            network.encoder.log_variance.bias.fill_(-40.0)  # no chance left in the code
            return network(rows, labels, torch.Generator().manual_seed(0))

    of_class = np.stack([terms(torch.full((30,), k))[2].numpy() for k in (0, 1)], axis=1)
    *_, bound, log_q = terms(torch.full((30,), -1))
    q = log_q.exp().numpy()
    np.testing.assert_allclose(bound.numpy(), (q * (of_class - np.log(q))).sum(axis=1), rtol=1e-6)
    mixed = torch.tensor([0, -1, 1] * 10)
    found = terms(mixed)[2].numpy()
    expected = np.where(mixed == -1, bound, of_class[np.arange(30), mixed.clamp(min=0)])
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # rows stay in their order
    log_joint = np.logaddexp(*of_class.T)
    assert (bound.numpy() <= log_joint + 1e-9).all()


def test_an_epoch_repeats_the_few_labelled_rows_and_counts_them_once():
    model = SemiSupervisedVAE(**FEW | {"labelled_share": 0.25}).fit(BLOBS, LABELS)
    *_, labels, counts, asked = model._weighted_rows(BLOBS, LABELS)
    assert (labels >= 0).mean() == pytest.approx(0.25, abs=0.01)
    assert counts.mean() == pytest.approx(1.0)
    assert counts[labels >= 0].sum() / counts.sum() == pytest.approx(2 / 400)
    assert asked.mean() == pytest.approx(1.0)
    assert (asked[labels < 0] == 0).all()
    *_, counts, asked = model._weighted_rows(BLOBS, SIDES)
    assert (counts == 1).all()
    assert (asked == 1).all()


def test_batches_may_have_no_row_with_a_class():
    X, y = load_digits(return_X_y=True)
    images, labels = X[:41].reshape(-1, 8, 8), np.where(np.arange(41) < 3, y[:41] % 3, -1)
    model = SemiSupervisedVAE(**FEW | {"schema": None, "batch_size": 2, "epochs": 1, "channels": 4})
    model.fit(images, labels)
    assert np.isfinite(model.elbo(images)).all()


def test_images_and_tables_resume_and_are_restored_with_the_same_bits():
    X, y = load_digits(return_X_y=True)
    images, schema = (
        X[:120].reshape(-1, 8, 8).astype(np.uint8),
        Schema.of(X[:120].reshape(-1, 8, 8).astype(np.uint8), y),
    )
    y = np.where(np.arange(120) % 3, y[:120], -1)
    of_images = [(images, y, {"schema": schema, "channels": channels}) for channels in (4, None)]
    for events, labels, arguments in ((BLOBS, LABELS, {}), *of_images):
        whole, rest, restored = (SemiSupervisedVAE(**FEW | arguments) for _ in range(3))
        first, *_ = [step.state() for step in whole.fit_steps(events, labels)]
        list(rest.fit_steps(events, labels, resume=first))
        restored.set_arrays(whole.get_arrays())
        for other in (rest, restored):
            np.testing.assert_array_equal(other.predict_proba(events), whole.predict_proba(events))
            np.testing.assert_array_equal(other.elbo(events), whole.elbo(events))
    with pytest.raises(ValueError, match="-1 where unknown, and one row at least has one"):
        SemiSupervisedVAE(**FEW).fit(BLOBS, np.full(400, -1))


def test_the_experiment_gives_it_the_rows_without_labels():
    splits = {
        "train": Ragged.of([np.arange(300)]),
        "validation": Ragged.of([[]], np.int64),
        "test": Ragged.of([np.arange(300, 400)]),
    }
    data = Prepared(BLOBS, SIDES, SCHEMA, splits, {})
    cell = Cell("set-m2", "set", "deep_generative", "semi_supervised_vae", "SemiSupervisedVAE", {})
    rows = np.array([int(np.flatnonzero(SIDES[:300] == k)[0]) for k in (0, 1)])
    task = Task(
        data, 0, np.sort(rows), 0, lambda cell: SemiSupervisedVAE(**FEW | {"epochs": 30, "learning_rate": 0.01})
    )
    taught = few_labels._with_unlabelled(cell)(task)
    assert (taught.predict(BLOBS[300:]) == SIDES[300:]).mean() > 0.97
