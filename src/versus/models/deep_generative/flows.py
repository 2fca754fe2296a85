r"""Normalizing flows: a normal seen through an invertible network.

.. math:: \log p(u \mid y) = \log N\bigl(f(u; y); 0, I\bigr)
          + \log \Bigl| \det \frac{\partial f(u; y)}{\partial u} \Bigr|

f is made of affine couplings (Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017), of affine
autoregressive maps (Papamakarios, Pavlakou and Murray, "Masked autoregressive flow for density estimation", 2017) or of
autoregressive splines (Durkan and others, "Neural spline flows", 2019), all from zuko. The density is exact, and with
classes it classifies by Bayes' rule. `versus.models.deep_generative.flow_network` says what becomes of categories and
pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Labels, Measure
from versus.data.schema import Schema
from versus.data.spaces import Image, Table
from versus.models.arguments import Between, Count, NonNegative, Positive, SearchSpace
from versus.models.deep_generative.conditional_density import ConditionalDensity
from versus.models.deep_generative.flow_network import FlowNetwork, Pixels
from versus.models.deep_generative.snapshots import DrawsOnTheWay
from versus.models.deep_model import DescendingModel, weighted_mean
from versus.models.events import columns_measure, stored_events
from versus.training.batches import Batch
from versus.training.devices import cpu_threads, resolve_device, resolve_precision

__all__ = ["ConditionalFlow", "Flow"]

FIRST_SCALE = 0.01  # of the weights that give the parameters of a transform, before training
FLOWS = {"coupling": "NICE", "autoregressive": "MAF", "spline": "NSF"}  # zuko's names


@dataclass(eq=False, kw_only=True)
class _FlowModel(DrawsOnTheWay, DescendingModel):
    late_imports: ClassVar[tuple[str, ...]] = (*DescendingModel.late_imports, "zuko")
    network_: FlowNetwork = field(init=False, repr=False)

    search_space: ClassVar[SearchSpace] = {
        "n_transforms": (2, 4, 8),
        "hidden_layer_sizes": ([32, 32], [64, 64], [128, 128]),
        "learning_rate": Between(5e-4, 1e-2),
    }

    kind: Literal["coupling", "autoregressive", "spline"] = "spline"
    n_transforms: Count = 3
    hidden_layer_sizes: Sequence[Count] = (64, 64)
    bins: Count = 8
    noise: NonNegative = 0.03
    epochs: Count = 60
    batch_size: Count = 128
    learning_rate: Positive = 3e-3
    weight_decay: NonNegative = 1e-4
    patience: Count | None = 10

    @property
    def measure(self) -> Measure:
        """Reference measure of the density: numbers, codes, or a mixture of these."""
        schema: Schema | None = getattr(self, "schema_", self.schema)
        return columns_measure(schema)

    def _precision(self) -> str:
        """Return the precision: sums of logarithms of small slopes need more than bfloat16."""
        found = resolve_precision(self.precision, resolve_device(self.device))
        return "32-true" if found == "bf16-mixed" else found

    def _build(self) -> nn.Module:
        schema = self.schema_
        if not isinstance(schema.x, Table | Image):
            raise ValueError(f"{type(self).__name__} takes tables and images, and the data are {schema.x.describe()}")
        sizes = [size for size in schema.cardinalities if size]
        numbers = schema.n_features - len(sizes)
        if self.kind == "coupling" and numbers == 1:
            raise ValueError("kind='coupling' needs two numeric columns, and there is one; 'spline' takes it")
        pixels = Pixels(schema.shape, schema.levels) if isinstance(schema.x, Image) else None
        build = self._new_flow
        return FlowNetwork(
            numbers, sizes, self._n_conditions(), pixels, self.noise, build, tuple(self.hidden_layer_sizes)
        )

    def _new_flow(self, numbers: int, context: int) -> nn.Module:
        from zuko import flows

        options = {"bins": self.bins} if self.kind == "spline" else {}
        hidden = tuple(self.hidden_layer_sizes)
        new = getattr(flows, FLOWS[self.kind])
        flow: nn.Module = new(numbers, context, transforms=self.n_transforms, hidden_features=hidden, **options)
        self._calm(flow)
        return flow

    @staticmethod
    @torch.no_grad()
    def _calm(flow: nn.Module) -> None:
        """Let every transform begin close to where all its parameters are 0, so that rare values stay small.

        Kingma and Dhariwal, "Glow: generative flow with invertible 1x1 convolutions" (2018), section 3.3.
        """
        for module in flow.modules():
            hyper = getattr(module, "hyper", None)
            if isinstance(hyper, nn.Sequential):
                for parameter in hyper[-1].parameters():
                    parameter.mul_(FIRST_SCALE)

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        if self.network_.pixels is not None:
            self.network_.pixels.learn(X)

    def _events(self, X: Array) -> Array:
        if isinstance(self.schema_.x, Table) and np.isnan(X).any():
            raise ValueError(f"{type(self).__name__} takes no missing values, and X has some; a VAE sums over them")
        return self._encoded(X)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return (self._events(X),)

    def _max_gradient_norm(self) -> float:
        return float(self.schema_.n_features)  # the loss is a sum over features

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        (events, *label), weights = self._apart(batch)
        return {"loss": -weighted_mean(network(events, label[0] if label else None, generator), weights)}

    def _log_probs(self, X: Array, label: int | None = None) -> Array:
        """Log p(x | y) in the raw space, (N, *event) -> (N,) nats."""
        network, events = self.network_, self._events(X)
        labels = () if label is None else (np.full(len(X), label),)
        found = self._apply(lambda x, k=None: network(x, k, None).double(), events, *labels)
        unit = np.log(self.preprocessor_.scale_).sum() if isinstance(self.schema_.x, Table) else 0.0
        return found - unit

    @torch.no_grad()
    def _draw(self, n: int, labels: Array | None, rng: np.random.Generator) -> Array:
        """Draw ``n`` events in the raw space."""
        with cpu_threads(self._threads()):
            label = None if labels is None else torch.from_numpy(labels).to(next(self.network_.parameters()).device)
            drawn = self.network_.draw(n, label, rng).double().cpu().numpy()
        if isinstance(self.schema_.x, Image):
            return stored_events(drawn, self.schema_)
        p, raw = self.preprocessor_, np.empty((n, self.schema_.n_features))
        raw[:, p.numeric] = drawn[:, : len(p.numeric)] * p.scale_ + p.centre_
        first = len(p.numeric)
        for d in p.categorical:
            size = self.schema_.cardinalities[d]
            raw[:, d] = drawn[:, first : first + size].argmax(axis=1)
            first += size
        return raw


@dataclass(eq=False, kw_only=True)
class Flow(_FlowModel):
    """A normalizing flow of events without classes: tables of any columns, or images; no missing values.

    Args, besides those of `DescendingModel`:
        kind: "coupling" (affine couplings, RealNVP), "autoregressive" (MAF) or "spline" (autoregressive NSF).
        n_transforms: number of transforms.
        hidden_layer_sizes: widths of the hidden layers of each transform.
        bins: number of bins of a spline.
        noise: deviation of the noise that numbers of tables have in training, in standard deviations.
    """

    def log_prob(self, X: Array) -> Array:
        """Log p(x) in the raw space; of pixels, dequantised or integers, which stand for their middle: (N,) nats."""
        return self._log_probs(X)

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events (n, *event) in the raw space; ValueError if ``y`` is given: there are no classes."""
        if y is not None:
            raise ValueError("y was given, and Flow knows no classes; ConditionalFlow samples by class")
        return self._draw(n, None, np.random.default_rng(random_state))


@dataclass(eq=False, kw_only=True)
class ConditionalFlow(ConditionalDensity, _FlowModel):
    """One flow of the events of all classes, told the class, and so a generative classifier; arguments as `Flow`."""

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._events(X), self._class_codes(X, y)
