r"""Variational autoencoders, plain and conditional on the class.

.. math:: p(x) = \int p(x \mid z)\,p(z)\,dz, \qquad
    p(x, y) = p(y) \int p(x \mid z, y)\,p(z)\,dz, \qquad p(z) = N(0, I)

Kingma & Welling, "Auto-encoding variational Bayes" (2014); Higgins et al., "beta-VAE" (2017); Burda et al., "Importance
weighted autoencoders" (2016); Sohn et al., "Learning structured output representation using deep conditional generative
models" (2015). The integrals are known through the
evidence lower bound (`versus.models.deep_generative.variational_network`), and so are the conditional model's classes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from versus.arrays import Array, Labels
from versus.models.deep_generative.conditional_density import ConditionalBound
from versus.models.deep_generative.variational_model import VariationalModel

__all__ = ["VAE", "ConditionalVAE"]


class VAE(VariationalModel):
    """A density of events without classes: it scores, samples, encodes and decodes, and does not classify.

    Tables: dense networks; Gaussians for numeric columns, softmax for categorical ones, missing values marginalised.
    Images: convolutional networks and a likelihood of the pixels that is chosen.

    Args, besides those of `DescendingModel`:
        n_latent: L, the size of a code.
        hidden_layer_sizes: widths of the dense layers, from the events to the code; the decoder has them in reverse.
        channels: feature maps of the convolutions on images (twice as many in the middle); None has dense layers alone.
        likelihood: "gaussian"; or for images of whole levels "bernoulli" (cut at half the levels), "dynamic_bernoulli"
            (drawn black or white afresh by each pixel's share of the highest level) or "logistic" (of the levels).
        beta: weight of the KL term in training; the bound that is reported always has 1.
        n_importance_samples: codes of an event in training; above 1, the importance-weighted bound is trained on.
        evaluation_samples: codes over which the bound's expectation is estimated.
    """

    def elbo(self, X: Array) -> Array:
        """Evidence lower bound of log p(x) in the raw space (of what is observed, where values are missing).

        Args:
            X: (N, *event); images of a Gaussian model dequantised, or integers, which stand for their middle.

        Returns:
            (N,) nats. An event's estimate does not depend on the events beside it.
        """
        network = self.network_
        return self._over_events(lambda h, t, noise: network.elbo(h, t, None, noise), X, self.evaluation_samples)

    def importance_log_prob(self, X: Array, n_samples: int = 64) -> Array:
        """The importance-weighted bound, (N, *event) -> (N,) nats; rises to log p(x) as ``n_samples`` grows."""
        network = self.network_
        return self._over_events(lambda h, t, noise: network.importance_bound(h, t, None, noise), X, n_samples)

    def encode(self, X: Array) -> Array:
        """The mean of q(z | x), (N, *event) -> (N, L)."""
        encoder = self.network_.encoder
        return self._over_events(lambda h, t, noise: encoder.posterior(h, None)[0], X, 1)

    def posterior(self, X: Array) -> Array:
        """Means of q(z | x) beside its deviations, (N, *event) -> (N, 2L)."""
        return self._apply(lambda *rows: self.network_.posterior(rows).double(), *self._events(X))

    def decode(self, Z: Array) -> Array:
        """Decode codes, (N, L) -> (N, *event): means of numbers and pixels, most probable categories."""
        parameters = self._decoded(Z, None)
        return self.network_.view.to_raw(self.network_.likelihood.mode(parameters).numpy())

    def reconstruct(self, X: Array) -> Array:
        """Decode the codes of events, (N, *event) -> (N, *event)."""
        return self.decode(self.encode(X))

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events, (n, *event) in the raw space; binarised images have only their lowest and highest level.

        Raises:
            ValueError: if ``y`` is given: this model has no classes.
        """
        if y is not None:
            raise ValueError("y was given, and VAE knows no classes; ConditionalVAE samples by class")
        return self._draw(n, None, random_state)

    def emitted(self, Z: Array, random_state: int | None = None) -> Array:
        """Draw an event of each code, (N, L) -> (N, *event) in the raw space; `decode` gives means."""
        return self._emitted(Z, None, np.random.default_rng(random_state))

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        return self._events(X)


class ConditionalVAE(ConditionalBound, VariationalModel):
    """One autoencoder conditional on the class: a joint density of events and classes, and so a classifier.

    Encoder and decoder read the class beside the features or the code; the Gaussians' deviations are each class's own.
    Takes the arguments of `VAE`.
    """

    def log_joint(self, X: Array) -> Array:
        """Evidence lower bound of log p(x, y) for every class, (N, *event) -> (N, K) nats."""
        network, n_classes = self.network_, self.schema_.n_classes

        def joint(features: Tensor, target: Tensor, noise: Tensor) -> Tensor:
            labels = torch.arange(n_classes, device=noise.device)[:, None].expand(-1, len(noise))
            bounds = [network.elbo(features, target, label, noise) for label in labels]
            joint_bounds: Tensor = torch.stack(bounds, dim=1) + network.get_buffer("log_prior")
            return joint_bounds

        return self._over_events(joint, X, self.evaluation_samples)

    def _expected(self, features: Tensor, target: Tensor, noise: Tensor) -> Tensor:
        labels = torch.arange(self.schema_.n_classes, device=noise.device)[:, None].expand(-1, len(noise))
        prior = self.network_.get_buffer("log_prior").to(noise)
        found: Tensor = self.network_.expected(features, target, list(labels), prior, noise)
        return found
