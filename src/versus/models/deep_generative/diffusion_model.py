"""Shared parts of diffusion models: drawing, estimates of the density, and restoration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array, Measure
from versus.data.spaces import Image, Table
from versus.models.arguments import Between, Count, NonNegative, SearchSpace, Share
from versus.models.deep_generative.denoisers import DenseDenoiser, UNet
from versus.models.deep_generative.diffusion_network import Diffusing, beside
from versus.models.deep_generative.diffusion_views import Pixels, Rows
from versus.models.deep_generative.snapshots import DrawsOnTheWay
from versus.models.deep_generative.variational_network import RowNoise
from versus.models.deep_model import DescendingModel, weighted_mean
from versus.models.events import columns_measure
from versus.numerics.denoising import (
    Ancestral,
    Denoiser,
    Heun,
    Langevin,
    Sampler,
    draw_events,
    evidence_bound,
    flow_log_density,
)
from versus.numerics.noise_levels import Cosine, Geometric, LinearBeta, Schedule, ends, flow_levels, ladder
from versus.training.batches import Batch
from versus.training.devices import cpu_threads

SCHEDULES: Mapping[str, Schedule] = {"linear": LinearBeta(), "cosine": Cosine(), "geometric": Geometric()}
SAMPLERS: Mapping[str, Sampler] = {
    "ddpm": Ancestral(1.0),
    "ddim": Ancestral(0.0),
    "heun": Heun(),
    "langevin": Langevin(),
}
AT_ONCE = 2048  # events through the network; bounds the memory of activations
RESTORED = 4  # draws, whose mean fills what is missing
IMPUTING = (Langevin(), Geometric(0.05, 5.0), 20)
EXACT_TRACE = 16  # coordinates up to which the trace of the flow's Jacobian is computed, and not estimated


def _is_continuous(model: Any) -> bool:
    """Check that all coordinates are numbers of the events: a flow has no density of categories."""
    return model.is_of_events and bool(model.measure == "continuous")


def _space(model: Any) -> Any:
    schema = getattr(model, "schema_", model.schema)
    return None if schema is None else schema.x


def _is_of_tables(model: Any) -> bool:
    return model.is_of_events and isinstance(_space(model), Table)


def _is_of_even_images(model: Any) -> bool:
    space = _space(model)
    return model.is_of_events and isinstance(space, Image) and not any(side % 2 for side in space.shape[:2])


@dataclass(eq=False, kw_only=True)
class DiffusionModel(DrawsOnTheWay, DescendingModel):
    """A diffusion of events, conditional on the class where ``_n_conditions`` is not 0."""

    is_of_events: ClassVar[bool] = True  # its coordinates are those of the events, not of codes

    network_: Diffusing = field(init=False, repr=False)

    search_space: ClassVar[SearchSpace] = {
        "hidden_layer_sizes": ([64, 64], [128, 128, 128], [256, 256, 256]),
        "learning_rate": Between(5e-4, 1e-2),
    }

    hidden_layer_sizes: Sequence[Count] = (128, 128, 128)
    channels: Count | None = 32
    schedule: Literal["linear", "cosine", "geometric"] = "cosine"
    prediction: Literal["v", "epsilon", "x0"] = "v"
    sampler: Literal["heun", "ddim", "ddpm", "langevin"] = "heun"
    sampling_steps: Count = 18
    bound_steps: Count = 1000
    evaluation_samples: Count = 16
    ode_steps: Count = 32
    blanked: Share = 0.1
    ema_decay: Share | None = 0.99
    weight_decay: NonNegative = 0.0
    patience: Count | None = None

    @property
    def measure(self) -> Measure:
        """Reference measure of the density: numbers, codes, or a mixture of these."""
        return columns_measure(getattr(self, "schema_", self.schema))

    @available_if(_is_continuous)  # type: ignore[untyped-decorator]
    def ode_log_prob(self, X: Array) -> Array:
        """Log-density of the probability flow's ends, (N, *event) -> (N,) nats, an estimate; numbers and pixels only.

        It is that of the model without classes. Up to `EXACT_TRACE` coordinates its error is that of the integration
        alone; beyond, the trace is estimated by one draw, which makes each value right on average.
        """
        if not self.schema_.x.complete(X).all():
            raise ValueError("the flow goes through complete rows, and X has missing values; `elbo` takes them")
        size, span = int(np.prod(self.network_.view.shape)), ends(self._schedule)
        signs = RowNoise(self.network_.view.keys(X), 1, size, self.random_state or 0)

        def density(*arrays: Tensor) -> Tensor:
            with torch.inference_mode(False), torch.no_grad():
                *events, drawn = (array.clone() for array in arrays)
                x, gained = self.network_.view.read(tuple(events), drawn)
                probe = None if size <= EXACT_TRACE else torch.where(drawn > 0, 1.0, -1.0).to(x).reshape(x.shape)
                found = flow_log_density(self._denoiser(None), x, span, self.ode_steps, probe)
                return torch.add(found.double(), gained)

        return self._apply(density, *self._events(X), signs, batch_rows=AT_ONCE // 4)

    @available_if(_is_of_tables)  # type: ignore[untyped-decorator]
    def impute(self, X: Array) -> Array:
        """Fill what is missing, NaN, by the mean of `RESTORED` draws given the rest, (N, D) -> (N, D).

        Langevin's walk moves what is missing, while what is known gets fresh noise of each level at each move: Song et
        al. (2021), appendix I.2.
        """
        x, generator = self._coordinates(X), torch.Generator().manual_seed(self.random_state or 0)
        known = ~torch.isnan(x)

        def denoiser(rows: slice, _: Tensor) -> Denoiser:
            def told(noisy: Tensor, level: Tensor) -> Tensor:
                noise = torch.randn(noisy.shape, generator=generator).to(noisy)
                given = torch.where(known[rows], x[rows] + beside(level, noisy) * noise, noisy)
                return torch.where(known[rows], x[rows], self._denoiser(None)(given, level))

            return told

        drawn = np.mean([self._drawn(denoiser, len(X), draw, IMPUTING) for draw in range(RESTORED)], axis=0)
        filled: Array = np.where(np.isnan(X), self.network_.view.to_raw(drawn), X)
        return filled

    @available_if(_is_of_even_images)  # type: ignore[untyped-decorator]
    def super_resolve(self, small: Array) -> Array:
        """Enlarge means of blocks of 2 × 2 pixels, (N, H / 2, W / 2[, colours]) -> (N, H, W[, colours]), not rounded.

        The mean of `RESTORED` draws whose denoised blocks are given these means at each step: Wang, Yu and Zhang,
        "Zero-shot image restoration using denoising diffusion null-space model" (2023).
        """
        view, free = self.network_.view, self._denoiser(None)
        levels = 0.0 if self.schema_.levels is None else 0.5  # the middle of a dequantised pixel's cell
        means = view((torch.from_numpy(np.asarray(small, np.float64)) + levels).to(view.mean), None)

        def denoiser(rows: slice, _: Tensor) -> Denoiser:
            def told(noisy: Tensor, level: Tensor) -> Tensor:
                clean = free(noisy, level)
                return clean + functional.interpolate(means[rows] - functional.avg_pool2d(clean, 2), scale_factor=2.0)

            return told

        drawn = np.mean([self._drawn(denoiser, len(small), draw) for draw in range(RESTORED)], axis=0)
        enlarged: Array = view.unscaled(drawn) - levels
        return enlarged

    # -- parts for the models ------------------------------------------------------------------------------------

    @property
    def _schedule(self) -> Schedule:
        return SCHEDULES[self.schedule]

    def _build(self) -> Diffusing:
        view, n_classes = self._view(), self._n_conditions()
        if isinstance(view, Pixels) and self.channels is not None:
            denoiser: nn.Module = UNet(view.shape, self.channels, n_classes)
        else:
            denoiser = DenseDenoiser(view.shape, self.hidden_layer_sizes, n_classes)
        return Diffusing(view, denoiser, self._schedule, self.prediction)

    def _view(self) -> Any:
        """Build what makes coordinates of events."""
        space = self.schema_.x
        if isinstance(space, Table):
            return Rows(self.preprocessor_, self.blanked)
        if isinstance(space, Image):
            return Pixels(space)
        raise ValueError(f"{type(self).__name__} takes tables and images, and these data are: {space.describe()}")

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        if isinstance(self.network_.view, Pixels):
            self.network_.view.learn(X)

    def _events(self, X: Array) -> tuple[Array, ...]:
        self.schema_.x.check(X)
        return self.network_.view.arrays(X)  # type: ignore[no-any-return]

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        rows, weights = self._apart(batch)
        events, classes = self._with_classes(rows, generator)
        return {"loss": weighted_mean(network(events, classes, generator), weights)}

    def _with_classes(self, rows: Batch, generator: torch.Generator) -> tuple[Batch, Tensor | None]:
        """Split a batch into events and one-hot classes (N, K), if the model knows classes."""
        return rows, None

    def _denoiser(self, classes: Tensor | None, guidance: float = 0.0) -> Denoiser:
        r"""Denoiser given classes (N, K), guided by :math:`(1 + w) D(x, y) - w D(x)` (Ho and Salimans 2022)."""
        network = self.network_
        if classes is None or not guidance:
            return lambda x, level: network.denoise(x, level, classes)
        both = torch.cat([classes, torch.zeros_like(classes)])

        def guided(x: Tensor, level: Tensor) -> Tensor:
            told, untold = network.denoise(torch.cat([x, x]), torch.cat([level, level]), both).chunk(2)
            return told + guidance * (told - untold)

        return guided

    def _bound(self, X: Array, classes: Sequence[Tensor | None]) -> Array:
        """Evidence lower bounds with each of some classes (K,), at the same noise, (N, *event) -> (N, len) nats."""
        view, draws, span = self.network_.view, self.evaluation_samples, ends(self._schedule)
        size = int(np.prod(view.shape)) + 1
        noise = RowNoise(view.keys(X), draws, size + view.n_noise, self.random_state or 0)

        def bounds(*arrays: Tensor) -> Tensor:
            *events, drawn = arrays
            x, gained = view.read(tuple(events), drawn[:, :, size:])
            told = (None if c is None else c.to(x).expand(len(drawn) * draws, -1) for c in classes)
            found = [
                evidence_bound(self._denoiser(c), x, drawn[:, :, :size], span, self.bound_steps, view.n_numbers)
                for c in told
            ]
            return torch.add(torch.stack(found, dim=1), gained[:, None]).double()

        return self._apply(bounds, *self._events(X), noise, batch_rows=max(1, AT_ONCE // draws))

    def _draw(self, n: int, labels: Array | None, random_state: int | None, guidance: float = 0.0) -> Array:
        """Draw ``n`` events in the raw space, of classes (n,) where given."""

        def denoiser(rows: slice, like: Tensor) -> Denoiser:
            if labels is None:
                return self._denoiser(None)
            classes = functional.one_hot(torch.from_numpy(labels[rows]), self._n_conditions())
            return self._denoiser(classes.to(like), guidance)

        return self.network_.view.to_raw(self._drawn(denoiser, n, random_state), random_state)  # type: ignore[no-any-return]

    def _drawn(
        self,
        denoiser: Callable[[slice, Tensor], Denoiser],
        n: int,
        random_state: int | None,
        way: tuple[Sampler, Schedule, int] | None = None,
    ) -> Array:
        """Draw coordinates of ``n`` events by the denoisers of slices of them, which are told type and device.

        ``way`` is a sampler, a schedule and a number of steps, where they are not those of the arguments.
        """
        network, generator = self.network_, torch.Generator()
        generator.manual_seed(int(np.random.default_rng(random_state).integers(2**62)))
        like, (sampler, schedule, steps) = next(network.parameters()), way or self._way()
        levels, parts = ladder(schedule, steps), []
        with torch.inference_mode(), cpu_threads(self._threads()):
            for start in range(0, max(1, n), AT_ONCE):
                rows = slice(start, min(n, start + AT_ONCE))
                shape = (rows.stop - start, *network.view.shape)

                def noise(shape: tuple[int, ...] = shape) -> Tensor:  # drawn on the CPU: the same on all devices
                    return torch.randn(shape, generator=generator).to(like)

                drawn = draw_events(sampler, denoiser(rows, like), levels, noise)
                parts.append(drawn.double().cpu().numpy())
        return np.concatenate(parts)

    def _way(self) -> tuple[Sampler, Schedule, int]:
        sampler = SAMPLERS[self.sampler]
        spaced = flow_levels(self._schedule) if isinstance(sampler, Heun) else self._schedule
        return sampler, spaced, self.sampling_steps

    def _coordinates(self, X: Array) -> Tensor:
        like = next(self.network_.parameters())
        arrays = (torch.from_numpy(np.array(a)) for a in self._events(X))
        return self.network_.view(*arrays, None).to(like)  # type: ignore[no-any-return]
