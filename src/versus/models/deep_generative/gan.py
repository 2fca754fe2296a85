r"""A generative adversarial network for tables.

.. math:: \min_G \max_D\; \mathbb{E}_{x} \log \sigma(D(x)) + \mathbb{E}_{z} \log(1 - \sigma(D(G(z)))), \qquad
    z \sim N(0, I)

Goodfellow et al., "Generative adversarial nets" (2014), with the loss that they recommend for G (see
`versus.training.updates.NonSaturating`); with classes, Mirza & Osindero, "Conditional generative adversarial nets"
(2014). Categories are drawn by the Gumbel-max trick and have the gradient of its softmax: Jang, Gu and Poole,
"Categorical reparameterization with Gumbel-softmax" (2017). It draws events and gives no density.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from versus.arrays import Array, Labels
from versus.data.spaces import Table
from versus.models.arguments import Count, NonNegative, Share
from versus.models.bayes import class_log_prior
from versus.models.checks import classification_data
from versus.models.deep_generative.autoencoder_networks import DenseNetwork
from versus.models.deep_model import DeepModel
from versus.training.batches import Batch
from versus.training.updates import Adversarial, NonSaturating, Shown

__all__ = ["GAN"]


@dataclass(eq=False, kw_only=True)
class GAN(DeepModel):
    """A generator of events and the critic that it was trained against, both dense networks.

    Numeric columns are standardised, categorical ones one-hot; missing values and images are refused. The game has no
    loss that falls when samples get better: training runs all its epochs on all labelled rows, and the weights that are
    kept are averages over the last steps.

    Args, besides those of `DeepModel`:
        n_latent: L, the size of the noise that an event is made of.
        hidden_layer_sizes: widths of the dense layers of generator and critic.
        conditional: True gives both networks the class; samples can then be drawn by class.
        penalty: weight of the critic's squared slope at real events, which keeps the game from circling.
        critic_turns: updates of the critic per update of the generator.
    """

    n_latent: Count = 2
    hidden_layer_sizes: Sequence[Count] = (64, 64)
    conditional: bool = False
    penalty: NonNegative = 0.1
    critic_turns: Count = 1
    ema_decay: Share | None = 0.99
    batch_size: Count = 128

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` rows (n, D); of the classes ``y`` (n,), or of classes drawn from p(y), where conditional.

        Raises:
            ValueError: if ``y`` is given to a model without classes, or is not of length n.
        """
        rng = np.random.default_rng(random_state)
        if y is not None and not self.conditional:
            raise ValueError("y was given, and this GAN knows no classes; GAN(conditional=True) samples by class")
        noise = rng.standard_normal((n, self.n_latent), np.float32)
        if not self.conditional:
            return self._to_raw(self._apply(self.network_.get_submodule("generator"), noise), rng)
        if y is None:
            prior = np.exp(self.log_prior_)
            y = rng.choice(len(prior), n, p=prior / prior.sum())
        if len(y) != n:
            raise ValueError(f"y has {len(y)} classes for n={n} events; one for each is needed")
        labels = np.asarray(y, dtype=np.int64)
        return self._to_raw(self._apply(self.network_.get_submodule("generator"), noise, labels), rng)

    @property
    def log_prior_(self) -> Array:
        """Log probability of each class (K,), nats; empty where the model is not conditional."""
        prior: Array = self.network_.get_buffer("log_prior").double().cpu().numpy()
        return prior

    def _build(self) -> nn.Module:
        schema, n_classes = self.schema_, self.schema_.n_classes if self.conditional else 0
        if not isinstance(schema.x, Table):
            raise ValueError(f"GAN takes tables, and these data are: {schema.x.describe()}")
        if self.conditional and not n_classes:
            raise ValueError("conditional=True needs classes, and the data have none")
        width = self.preprocessor_.n_columns
        network = nn.ModuleDict(
            {
                "generator": DenseNetwork(self.n_latent, self.hidden_layer_sizes, width, n_classes),
                "critic": DenseNetwork(width, self.hidden_layer_sizes, 1, n_classes),
            }
        )
        network.register_buffer("log_prior", torch.zeros(n_classes))
        return network

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        if self.conditional:
            _, labels = classification_data("GAN", self.schema_, X, y)
            prior = class_log_prior(labels, self.schema_.n_classes)
            self.network_.get_buffer("log_prior").copy_(torch.from_numpy(prior))

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        if np.isnan(X).any():
            raise ValueError("GAN takes no missing values, and X has some; a VAE is trained on what is observed")
        if not self.conditional:
            return (self._encoded(X),)
        return self._encoded(X), classification_data("GAN", self.schema_, X, y)[1]

    def _update(self) -> Adversarial:
        loss = NonSaturating(self.penalty)
        return Adversarial(
            self.network_, self._show, loss, learning_rate=self.learning_rate, critic_turns=self.critic_turns
        )

    def _show(self, generator: nn.Module, batch: Batch, noise: torch.Generator) -> tuple[Shown, Shown]:
        """A batch, and as many drawn events of the same classes."""
        x, *label = batch
        z = torch.randn((len(x), self.n_latent), generator=noise, dtype=x.dtype, device=x.device)
        return (x, *label), (self._with_categories(generator(z, *label), noise), *label)

    def _blocks(self) -> tuple[int, list[int]]:
        """Number of numeric columns, which come first, and the widths of the one-hot blocks after them."""
        p = self.preprocessor_
        return len(p.numeric), [self.schema_.cardinalities[d] for d in p.categorical]

    def _with_categories(self, outputs: Tensor, noise: torch.Generator) -> Tensor:
        """Replace each block of scores (N, C) by a drawn category, one-hot: real events would be told by their 0 and 1.

        Gradients are those of the softmax of the scores with the same Gumbel noise.
        """
        n_numbers, sizes = self._blocks()
        if not sizes:
            return outputs
        parts = [outputs[:, :n_numbers]]
        for scores in torch.split(outputs[:, n_numbers:], sizes, dim=1):
            uniform = torch.rand(scores.shape, generator=noise, dtype=scores.dtype, device=scores.device)
            soft = (scores - torch.log(-torch.log(uniform.clamp(1e-9, 1 - 1e-7)))).softmax(dim=1)
            hard = functional.one_hot(soft.argmax(dim=1), scores.shape[1]).to(soft.dtype)
            parts.append(hard + soft - soft.detach())
        return torch.cat(parts, dim=1)

    def _to_raw(self, outputs: Array, rng: np.random.Generator) -> Array:
        """Numbers in their units, and a category drawn by each block of scores, (N, F) -> (N, D)."""
        p, (n_numbers, sizes) = self.preprocessor_, self._blocks()
        raw = np.empty((len(outputs), self.schema_.n_features))
        raw[:, p.numeric] = outputs[:, :n_numbers].astype(np.float64) * p.scale_ + p.centre_
        blocks = np.split(outputs[:, n_numbers:], np.cumsum(sizes)[:-1], axis=1) if sizes else []
        for d, scores in zip(p.categorical, blocks, strict=True):
            raw[:, d] = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
        return raw
