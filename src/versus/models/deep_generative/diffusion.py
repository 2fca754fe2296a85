r"""Diffusion models, plain and conditional on the class.

.. math:: q(x_s \mid x) = N(x, s^2 I), \qquad \min_\theta \mathbb{E}_{s, \varepsilon}\, w(s)\,
    \|x - D_\theta(x + s \varepsilon, s, y)\|^2

Which model it is its arguments say. Ho, Jain and Abbeel, "Denoising diffusion probabilistic models" (2020):
``schedule="linear", prediction="epsilon", sampler="ddpm"``. Song, Meng and Ermon, "Denoising diffusion implicit models"
(2021): ``sampler="ddim"``. Song and Ermon, "Generative modeling by estimating gradients of the data distribution"
(2019): ``schedule="geometric", prediction="epsilon", sampler="langevin"``. Song et al., "Score-based generative
modeling through stochastic differential equations" (2021), and Karras et al., "Elucidating the design space of
diffusion-based generative models" (2022): ``sampler="heun"``. Classes: Ho and Salimans, "Classifier-free diffusion
guidance" (2022); Li et al., "Your diffusion model is secretly a zero-shot classifier" (2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from versus.arrays import Array, Labels
from versus.models.arguments import NonNegative, Share
from versus.models.deep_generative.conditional_density import ConditionalBound
from versus.models.deep_generative.diffusion_model import DiffusionModel
from versus.training.batches import Batch

__all__ = ["ConditionalDiffusion", "Diffusion"]


class Diffusion(DiffusionModel):
    """A diffusion of events without classes: it has a bound, an estimate of the density, and samples.

    Tables: a dense network over standardised numbers and categories at the corners ±1. Images: a U-Net over dequantised
    pixels. The bound of a row with missing values is that of its others; `impute` draws them.

    Args, besides those of `DescendingModel`:
        hidden_layer_sizes: widths of the dense layers.
        channels: feature maps of the U-Net; None takes the dense network on images, too.
        schedule: levels that are learned at: "linear" and "cosine" preserve the variance, "geometric" explodes it.
        prediction: what the network is asked for: "epsilon", the noise; "x0", the event; "v", a mixture of both.
        sampler: "ddpm", "ddim", "heun" (the probability flow, by steps of second order), or "langevin".
        sampling_steps: levels that a sampler passes through; Heun calls the network twice at each, Langevin five times.
        bound_steps: steps of the ancestral sampler whose bound is reported.
        evaluation_samples: steps, drawn for each event, that stand for all of them in the estimate of the bound.
        ode_steps: steps of the integration behind `ode_log_prob`.
        blanked: share of the training rows of tables of which half of the columns are left out, so that they may be
            missing in rows that are asked about.
        ema_decay: share of the averaged weights that a step keeps; None keeps the weights themselves.
    """

    def elbo(self, X: Array) -> Array:
        """Evidence lower bound of log p(x) in the raw space, (N, *event) -> (N,) nats; see `evidence_bound`.

        Images dequantised, or integers, which stand for their middle. An event's estimate does not depend on the
        events beside it.
        """
        bound: Array = self._bound(X, [None])[:, 0]
        return bound

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events, (n, *event) in the raw space.

        Raises:
            ValueError: if ``y`` is given: this model has no classes.
        """
        if y is not None:
            raise ValueError("y was given, and Diffusion knows no classes; ConditionalDiffusion samples by class")
        return self._draw(n, None, random_state)

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._events(X)


@dataclass(eq=False, kw_only=True)
class ConditionalDiffusion(ConditionalBound, DiffusionModel):
    """One diffusion conditional on the class: a joint density of events and classes, and so a classifier.

    In training the class is withheld now and then, so that the network learns p(x), too. Takes the arguments of
    `Diffusion`.

    Args:
        guidance: w of classifier-free guidance in `sample`: 0 draws from p(x | y), more makes the classes plainer.
        label_dropout: share of the training events whose class is withheld.
    """

    guidance: NonNegative = 0.0
    label_dropout: Share = 0.1

    def log_joint(self, X: Array) -> Array:
        """Evidence lower bound of log p(x, y) for every class, at the same noise, (N, *event) -> (N, K) nats."""
        classes = torch.eye(self._n_conditions())
        joint: Array = self._bound(X, list(classes[:, None])) + self.log_prior_
        return joint

    def _draw(self, n: int, labels: Array | None, random_state: int | None, guidance: float | None = None) -> Array:
        drawn: Array = super()._draw(n, labels, random_state, self.guidance if guidance is None else guidance)
        return drawn

    def _with_classes(self, rows: Batch, generator: torch.Generator) -> tuple[Batch, Tensor | None]:
        *events, labels = rows
        told = torch.rand(labels.shape, generator=generator, device=labels.device) >= self.label_dropout
        return tuple(events), functional.one_hot(labels, self._n_conditions()) * told[:, None]
