"""Models and kernels that run on a GPU, read from the catalogue, with data, sizes and a peer for each.

A class is in as soon as its constructor takes a ``device``. Imports torch, numpy, scipy and scikit-learn; flows zuko.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits, make_blobs, make_friedman1
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from versus.arrays import FAMILIES, Array, Ragged
from versus.data.schema import Schema
from versus.metrics.samples import c2st_accuracy
from versus.models import catalogue, find
from versus.training.updates import Descent

BATCH, N_COMPONENTS, STEPS = 256, 8, 10


@dataclass(frozen=True)
class Data:
    """Rows to fit and to score: X (N, *event) or Ragged, y (N,) or Ragged."""

    name: str
    X: Any
    y: Any
    unseen: tuple[Any, Any]

    @property
    def schema(self) -> Schema:
        """Schema of the rows."""
        return Schema.of(self.X, self.y)

    def first(self, rows: int) -> Data:
        """Keep the first rows only."""
        return Data(self.name, self.X[:rows], self.y[:rows], tuple(part[:rows] for part in self.unseen))

    @property
    def two_domains(self) -> Data:
        """The same rows in two classes, as domains to translate between."""
        return Data(f"{self.name}, two domains", self.X, self.y % 2, (self.unseen[0], self.unseen[1] % 2))


def _split(name: str, X: Any, y: Any) -> Data:
    cut = len(X) * 4 // 5
    return Data(name, X[:cut], y[:cut], (X[cut:], y[cut:]))


@cache
def all_data(rows: int) -> tuple[Data, Data, Data]:
    """Images with classes, a table with classes, and a table with a number to predict; each of ``rows`` rows."""
    X, y = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).integers(len(X), size=rows)
    images = X.reshape(-1, 8, 8).astype(np.uint8)[chosen].repeat(4, axis=1).repeat(4, axis=2)  # 32 × 32 pixels
    blobs, classes = make_blobs(rows, 20, centers=5, cluster_std=6.0, random_state=0)
    table, target = make_friedman1(rows, 20, noise=1.0, random_state=0)
    return _split("digits", images, y[chosen]), _split("blobs", blobs, classes), _split("friedman", table, target)


@cache
def all_texts(rows: int) -> tuple[Data, Data]:
    """Documents of a chain of words for each of four classes; and the same with a tag a word, the word before it."""
    rng = np.random.default_rng(0)
    followers, y = rng.integers(200, size=(4, 200, 3)), rng.integers(4, size=rows)
    lengths = rng.integers(5, 60, rows)
    words = np.zeros((rows, 60), np.int32)
    for t in range(1, 60):
        words[:, t] = followers[y, words[:, t - 1], rng.integers(3, size=rows)]
    inside = np.arange(60) < lengths[:, None]
    X, tags = Ragged.cut(words[inside], lengths), Ragged.cut(np.roll(words, 1, axis=1)[inside] % 8, lengths)
    return _split("chains", X, y), _split("tagged chains", X, Ragged(tags.values.astype(np.int64), tags.starts))


@cache
def tagged_rows(rows: int) -> Data:
    """Sequences of rows of ten numbers, around the mean of their tag; tags stay for ten rows on average."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 60, rows)
    tags = (np.cumsum(rng.random(lengths.sum()) < 0.1) % 5).astype(np.int64)
    X = rng.standard_normal((5, 10))[tags] + rng.standard_normal((len(tags), 10))
    return _split("tagged rows", Ragged.cut(X, lengths), Ragged.cut(tags, lengths))


@dataclass(frozen=True)
class Subject:
    """A class of the catalogue that takes a device."""

    family: str
    module: str
    name: str

    @property
    def made(self) -> type[Any]:
        """The class."""
        return find(self.family, self.module, self.name)

    @property
    def is_installed(self) -> bool:
        """True where the libraries are there that a fit of the class imports."""
        return all(find_spec(name.partition(".")[0]) for name in getattr(self.made, "late_imports", ()))

    @property
    def is_deep(self) -> bool:
        """True for a network trained by steps, False for a kernel in the terms that numpy and torch share."""
        return hasattr(self.made, "fit_steps")

    def model(self, schema: Schema, device: str, precision: str = "32-true", epochs: int = 4) -> Any:
        """Build the unfitted model."""
        accepted = inspect.signature(self.made).parameters
        wanted = {"device": device, "precision": precision, "epochs": epochs, "batch_size": BATCH, "patience": None}
        wanted |= {
            "n_components": N_COMPONENTS,
            "max_iter": STEPS,
            "tol": 0.0,
            "random_state": 0,
            "schema": schema,
            "ais_steps": 100,
            "kind": "coupling",
        }
        return self.made(**{name: value for name, value in wanted.items() if name in accepted})

    def data(self, rows: int) -> Data:
        """The first data set that the class takes; images before tables for networks.

        Raises:
            ValueError: if it takes none: this file then needs another.
        """
        images, table, numbers = all_data(rows)
        documents, tagged = all_texts(rows)
        if hasattr(self.made, "predict_marginals"):
            return tagged if self.is_deep else tagged_rows(rows)
        if hasattr(self.made, "predict") and not hasattr(self.made, "predict_proba"):
            return numbers
        if not self.is_deep:
            return table
        for data in (images, images.two_domains, table, documents):
            few = data.first(40)
            try:
                self.model(few.schema, "cpu", epochs=1).fit(few.X, few.y)
            except ValueError:
                continue
            return data
        raise ValueError(f"{self.name} takes none of the data of benchmarks/gpu_subjects.py; add some that it takes")

    def peer(self, data: Data, device: str, epochs: int) -> tuple[str, Callable[[], object]]:
        """Name and work of the peer: a plain torch loop on the same device, or scikit-learn."""
        if self.is_deep:
            return "plain torch loop", lambda: plain_loop(self.model(data.schema, device, epochs=epochs), data)
        return PEERS[self.name](data)


def _mixtures(data: Data) -> tuple[str, Callable[[], object]]:
    def fit(rows: Array) -> object:
        mixture = GaussianMixture(N_COMPONENTS, max_iter=STEPS, tol=0.0, random_state=0, init_params="k-means++")
        return mixture.fit(rows)

    X, y = (part.values if isinstance(part, Ragged) else part for part in (data.X, data.y))
    parts = [X[y == k] for k in range(data.schema.n_classes)]
    return "sklearn GaussianMixture", lambda: [fit(rows) for rows in parts or [np.column_stack([data.X, data.y])]]


def _kernels(data: Data) -> tuple[str, Callable[[], object]]:
    parts = [KernelDensity(bandwidth=2.0).fit(data.X[data.y == k]) for k in range(data.schema.n_classes)]
    return "sklearn KernelDensity", lambda: [part.score_samples(data.unseen[0]) for part in parts]


PEERS: Mapping[str, Callable[[Data], tuple[str, Callable[[], object]]]] = {
    "GaussianHiddenMarkovModel": _mixtures,
    "GaussianMixtureClassifier": _mixtures,
    "GaussianMixtureRegression": _mixtures,
    "KernelDensityClassifier": _kernels,
}


MADE_OF_OTHERS = {"StackedVAE"}  # which are measured


def subjects() -> list[Subject]:
    """Every class of the catalogue that takes a device."""
    every = ((f, m, name, args) for f in FAMILIES for m in catalogue.modules(f) for name, args in _signatures(f, m))
    return [
        Subject(family, module, name)
        for family, module, name, args in every
        if "device" in args and name not in MADE_OF_OTHERS
    ]


def _signatures(family: str, module: str) -> list[tuple[str, Mapping[str, object]]]:
    return list(catalogue.signatures(family, module).items())


def answers(model: Any, X: Any) -> dict[str, Array]:
    """What the model says of rows: probabilities, predictions where it has none, densities, bounds; or rebuilt rows."""
    first = (name for name in ("predict_marginals", "predict_proba", "predict") if hasattr(model, name))
    names = [*list(first)[:1], *(name for name in ("log_prob", "elbo") if hasattr(model, name))]
    having = names or ["reconstruct"] * hasattr(model, "reconstruct")
    found = {name: getattr(model, name)(X) for name in having}
    if hasattr(model, "translate"):
        found["translate"] = model.translate(X, 1)
    return {name: np.asarray(a.values if isinstance(a, Ragged) else a, np.float64) for name, a in found.items()}


def quality(model: Any, data: Data) -> tuple[str, float]:
    """Name and value of one score on unseen rows, lower is better: log loss, error, bits, or a two-sample test."""
    X, y = data.unseen
    found = answers(model, X)
    for name in {"predict_marginals", "predict_proba"} & found.keys():
        labels = y.values if isinstance(y, Ragged) else y
        return "log loss", float(-np.log(np.maximum(found[name][np.arange(len(labels)), labels], 1e-12)).mean())
    if "predict" in found:
        return "RMSE", float(np.sqrt(np.square(found["predict"] - y).mean()))
    if "translate" in found:
        back = model.translate(found["translate"].astype(X.dtype), 0)
        return "RMSE, there and back", float(np.sqrt(np.square(back.astype(np.float64) - X).mean()))
    if "reconstruct" in found:
        return "RMSE", float(np.sqrt(np.square(found["reconstruct"] - X).mean()))
    if found:
        name, values = next(iter(found.items()))
        return f"−{name}/dimension", float(-values.mean() / data.schema.n_features)
    return "c2st_accuracy", c2st_accuracy(X, model.sample(len(X), random_state=0), data.schema, seed=0)


def largest_difference(left: Mapping[str, Array], right: Mapping[str, Array]) -> float:
    """Largest difference between equally named arrays, relative to the largest value of each, which counts as ≥ 1."""
    assert left.keys() == right.keys()
    pairs = [(np.asarray(left[name], np.float64), np.asarray(right[name], np.float64)) for name in left]
    return max(float(np.abs(a - b).max(initial=0) / max(1.0, np.abs(b).max(initial=0))) for a, b in pairs)


def plain_loop(model: Any, data: Data) -> None:
    """Train the model's network as a loop written by hand would: no schedule, seeds, history, checks or averages."""
    training = model._start(data.X, data.y, None, None)
    rows = [torch.as_tensor(np.array(array), device=training.device) for array in training.rows.arrays]
    noise, update = torch.Generator(training.device), training.update
    training.network.train()
    if isinstance(update, Descent):
        players = {"loss": training.network}
    else:
        players = {"critic_loss": update.network["critic"], "generator_loss": update.network["generator"]}
    optimizers = {loss: torch.optim.AdamW(p.parameters(), lr=1e-3, fused=True) for loss, p in players.items()}
    for _ in range(model.epochs):
        order = torch.randperm(len(rows[0]), device=training.device)
        for index in order.split(model.batch_size):
            batch = tuple(part[index] for part in rows)
            for loss_name, optimizer in optimizers.items():
                if isinstance(update, Descent):
                    loss = update.objective(training.network, batch, noise, 1.0)["loss"]
                else:
                    real, fake = update.show(update.network["generator"], batch, noise)
                    critic = update.network["critic"]
                    losses = update.loss
                    seen = loss_name == "critic_loss"
                    loss = losses.critic(critic, real, fake, noise) if seen else losses.generator(critic, fake)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(players[loss_name].parameters(), 100.0)
                optimizer.step()
    if training.device.type == "cuda":
        torch.cuda.synchronize()
