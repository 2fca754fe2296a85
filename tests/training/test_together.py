"""Repeats that are trained together end as each does alone, but for rounding."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes, Number
from versus.fitting.steps import run_steps, run_together
from versus.models.deep_generative.vae import VAE, ConditionalVAE
from versus.models.deep_generative.vae_regression import VAERegression
from versus.models.discriminative.perceptron import MLPClassifier, MLPRegressor

REPEATS = 4
COLUMNS = (Column("a"), Column("b"), Column("c", ("p", "q", "r")))
FEW = {
    "hidden_layer_sizes": (8,),
    "epochs": 20,
    "patience": 1,
    "batch_size": 16,
    "learning_rate": 0.06,
    "device": "cpu",
}
MODELS = {
    "classifier": (MLPClassifier, {"dropout": 0.3, "class_weight": "balanced"}),
    "regressor": (MLPRegressor, {"dropout": 0.3, "ema_decay": 0.8}),
    "vae": (VAE, {"precision": "64-true"}),
    "conditional": (ConditionalVAE, {}),
    "regression": (VAERegression, {}),
}


def rows_of(repeat: int, numbers: bool, weighted: bool = False) -> tuple[Array, ...]:
    """Another data set for each repeat: X, y, held-out rows, weights."""
    rng = np.random.default_rng(repeat)
    X = np.column_stack([rng.normal(size=(52, 2)) * (1, 9), rng.integers(0, 3, 52)])
    y = X[:, 0] + rng.normal(size=52) if numbers else (X[:, 0] + 0.1 * X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 1)
    weights = rng.random(52) if weighted else None
    held_out = (X[40:], y[40:]) if weights is None else (X[40:], y[40:], weights[40:])
    return X[:40], y[:40], held_out, None if weights is None else weights[:40]


def made(name: str, weighted: bool = False):
    """The models of all repeats, and their rows."""
    kind, arguments = MODELS[name]
    numbers = name.startswith("regress")
    schema = Schema(Table(COLUMNS), Number("y") if numbers else Classes(("u", "v", "w")))
    models = [kind(**{**FEW, **arguments}, random_state=r, schema=schema) for r in range(REPEATS)]
    return models, [rows_of(r, numbers, weighted) for r in range(REPEATS)]


def answers(model, X: Array) -> Array:
    return np.asarray(model.elbo(X) if isinstance(model, VAE) else model.predict(X), np.float64)


@pytest.mark.parametrize(("name", "weighted"), [*((name, False) for name in MODELS), ("classifier", True)])
def test_each_repeat_ends_as_it_does_alone(name: str, weighted: bool) -> None:
    alone, rows = made(name, weighted)
    expected = [
        run_steps(model, X, y, held_out, sample_weight=weights)
        for model, (X, y, held_out, weights) in zip(alone, rows, strict=True)
    ]
    models, _ = made(name, weighted)
    (group,) = type(models[0]).fit_together(models, rows)
    assert group.places == list(range(REPEATS))
    histories = run_together(group)
    for one, other, found, wanted in zip(models, alone, histories, expected, strict=True):
        assert [row[:2] for row in found] == [row[:2] for row in wanted]  # stopped in the same epoch
        np.testing.assert_allclose([row[2] for row in found], [row[2] for row in wanted], rtol=2e-3, atol=2e-4)
        for array, theirs in zip(one.get_arrays().values(), other.get_arrays().values(), strict=True):
            np.testing.assert_allclose(array, theirs, rtol=1e-2, atol=2e-3)
        assert np.isfinite(answers(one, rows[0][0])).all()
        assert one.seconds_ > 0


def test_they_stop_one_by_one_and_a_resume_ends_with_the_same_bits() -> None:
    models, rows = made("classifier")
    (group,) = MLPClassifier.fit_together(models, rows)
    going_on, states = [], []
    for step in group.fit_steps():
        going_on.append(sum(name.startswith("validation_loss.") for name in step.losses))
        states.append(step.state())
    assert sorted(going_on, reverse=True) == going_on
    assert len(set(going_on)) > 1  # or the test would show nothing
    for state in states[1:-1:2]:
        resumed, _ = made("classifier")
        (again,) = MLPClassifier.fit_together(resumed, rows)
        list(again.fit_steps(state))
        for one, other in zip(models, resumed, strict=True):
            pairs = zip(one.get_arrays().values(), other.get_arrays().values(), strict=True)
            assert all(np.array_equal(mine, theirs) for mine, theirs in pairs)


class Branching(nn.Module):
    """A network that looks at its data."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x) if x.sum() > 0 else -self.network(x)


class BranchingClassifier(MLPClassifier):
    def _build(self) -> nn.Module:
        return Branching(super()._build())


class PrivateClassifier(MLPClassifier):
    """A classifier whose loss depends on what is not in its network."""

    def _losses(self, network, batch, generator, progress):
        return {"loss": super()._losses(network, batch, generator, progress)["loss"] * (1 + self.random_state)}


@pytest.mark.parametrize("kind", [BranchingClassifier, PrivateClassifier])
def test_networks_that_cannot_be_batched_are_left_alone(kind: type[MLPClassifier]) -> None:
    models, rows = made("classifier")
    assert kind.fit_together([kind(**model.arguments(), schema=model.schema) for model in models], rows) == []


def test_only_equal_shapes_are_trained_together() -> None:
    models, rows = made("classifier")
    X, y, held_out, _ = rows[1]
    rows[1] = (X[:-1], y[:-1], held_out, None)
    assert [group.places for group in MLPClassifier.fit_together(models, rows)] == [[0, 2, 3]]
    rows[3] = (rows[3][0][:-1], rows[3][1][:-1], rows[3][2], None)
    assert [group.places for group in MLPClassifier.fit_together(models, rows)] == [[0, 2], [1, 3]]


def test_one_that_diverges_is_told() -> None:
    models, rows = made("classifier")
    (group,) = MLPClassifier.fit_together(models, rows)
    group.training.rows[0][2, :, 0] = np.inf
    with pytest.raises(RuntimeError, match=r"diverged in epoch 1: the training loss"):
        list(itertools.islice(group.fit_steps(), 1))
