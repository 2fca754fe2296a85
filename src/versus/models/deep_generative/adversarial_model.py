r"""Shared parts of generative adversarial networks: the game, drawing from it, and the critic's features.

.. math:: \min_G \max_D\; \mathbb{E}_{x} \log \sigma(D(x)) + \mathbb{E}_{z} \log(1 - \sigma(D(G(z)))), \qquad
    z \sim N(0, I)

Goodfellow et al., "Generative adversarial nets" (2014), with the loss that they recommend for G, or others of
`versus.training.adversarial_losses`; with classes, Mirza & Osindero, "Conditional generative adversarial nets" (2014).
It draws events and gives no density; a linear probe may ask what its critic has learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import Tensor, nn

from versus.arrays import Array, Labels
from versus.models.arguments import Count, NonNegative, Share
from versus.models.bayes import class_log_prior
from versus.models.checks import classification_data
from versus.models.deep_generative.snapshots import DrawsOnTheWay
from versus.training import adversarial_losses
from versus.training.batches import Batch
from versus.training.updates import Adversarial, Shown


def _judges_events_alone(model: AdversarialModel) -> bool:
    return not model.conditional


@dataclass(eq=False, kw_only=True)
class AdversarialModel(DrawsOnTheWay):
    """A generator of events and the critic that it is trained against.

    The game has no loss that falls when samples get better: training runs all its epochs on all labelled rows, and the
    weights that are kept are averages over the last steps.

    Args, besides those of `DeepModel`:
        n_latent: L, the size of the noise that an event is made of.
        conditional: True gives both networks the class; samples can then be drawn by class.
        loss: what the players minimise.
        penalty: weight of the loss's penalty on the critic's slope; None takes 0.1 (of the squared slope at real
            events), 10 for "wasserstein" (of the slope's distance from 1), 0 for "hinge" and "least_squares".
        spectral_norm: True keeps the slope of each layer of the critic at 1.
        critic_turns: updates of the critic per update of the generator.
        ema_decay: share of the averaged weights that a step keeps; None keeps the last step's weights.
    """

    n_latent: Count = 2
    conditional: bool = False
    loss: Literal["non_saturating", "wasserstein", "hinge", "least_squares"] = "non_saturating"
    penalty: NonNegative | None = None
    spectral_norm: bool = False
    critic_turns: Count = 1
    ema_decay: Share | None = 0.99
    batch_size: Count = 128

    def _players(self, n_classes: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        """Build the generator (noise, class) -> outputs, the critic (events, class) -> (N, 1), and their view."""
        raise NotImplementedError

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events (n, *event); of the classes ``y`` (n,), or of classes drawn from p(y), where conditional.

        Raises:
            ValueError: if ``y`` is given to a model without classes, or is not of length n.
        """
        name, rng = type(self).__name__, np.random.default_rng(random_state)
        if y is not None and not self.conditional:
            raise ValueError(
                f"y was given, and this {name} knows no classes; {name}(conditional=True) samples by class"
            )
        noise = rng.standard_normal((n, self.n_latent), np.float32)
        generator, view = (self.network_.get_submodule(part) for part in ("generator", "view"))
        if not self.conditional:
            return self._raw(view, self._apply(generator, noise), rng)
        if y is None:
            prior = np.exp(self.log_prior_)
            y = rng.choice(len(prior), n, p=prior / prior.sum())
        if len(y) != n:
            raise ValueError(f"y has {len(y)} classes for n={n} events; one for each is needed")
        return self._raw(view, self._apply(generator, noise, np.asarray(y, dtype=np.int64)), rng)

    @staticmethod
    def _raw(view: Any, outputs: Array, rng: np.random.Generator) -> Array:
        raw: Array = view.to_raw(outputs, rng)
        return raw

    @available_if(_judges_events_alone)  # type: ignore[untyped-decorator]
    def encode(self, X: Array) -> Array:
        """Last activations of the critic, (N, *event) -> (N, width); absent where the critic asks for the class."""
        critic: Any = self.network_.get_submodule("critic")
        view: Any = self.network_.get_submodule("view")
        return self._apply(lambda x: critic.features(view.real(x)).double(), self._encoded(X))

    @property
    def log_prior_(self) -> Array:
        """Log probability of each class (K,), nats; empty where the model is not conditional."""
        prior: Array = self.network_.get_buffer("log_prior").double().cpu().numpy()
        return prior

    def _n_conditions(self) -> int:
        return self.schema_.n_classes if self.conditional else 0

    def _build(self) -> nn.Module:
        n_classes = self._n_conditions()
        if self.conditional and not n_classes:
            raise ValueError("conditional=True needs classes, and the data have none")
        generator, critic, view = self._players(n_classes)
        if self.spectral_norm:
            adversarial_losses.with_spectral_norm(critic)
        network = nn.ModuleDict({"generator": generator, "critic": critic, "view": view})
        network.register_buffer("log_prior", torch.zeros(n_classes))
        return network

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        view: Any = self.network_.get_submodule("view")
        view.learn(X)
        if self.conditional:
            _, labels = classification_data(type(self).__name__, self.schema_, X, y)
            prior = class_log_prior(labels, self.schema_.n_classes)
            self.network_.get_buffer("log_prior").copy_(torch.from_numpy(prior))

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        if not self.schema_.x.complete(X).all():
            name = type(self).__name__
            raise ValueError(f"{name} takes no missing values, and X has some; a VAE is trained on what is observed")
        if not self.conditional:
            return (self._encoded(X),)
        return self._encoded(X), classification_data(type(self).__name__, self.schema_, X, y)[1]

    def _update(self) -> Adversarial:
        loss = adversarial_losses.named(self.loss, self.penalty)
        return Adversarial(
            self.network_, self._show, loss, learning_rate=self.learning_rate, critic_turns=self.critic_turns
        )

    def _show(self, generator: nn.Module, batch: Batch, noise: torch.Generator) -> tuple[Shown, Shown]:
        """A batch, and as many drawn events of the same classes."""
        x, *label = batch
        view: Any = self.network_.get_submodule("view")
        real: Tensor = view.real(x)
        z = torch.randn((len(x), self.n_latent), generator=noise, dtype=real.dtype, device=x.device)
        return (real, *label), (view.drawn(generator(z, *label), noise), *label)
