r"""A semi-supervised autoencoder over the codes of another autoencoder: the models M1 and M2, one on the other.

.. math:: p(x, z_1, z_2, y) = p(y)\,p(z_2)\,p(z_1 \mid y, z_2)\,p(x \mid z_1)

M1, an autoencoder of all events, is trained first; M2 then learns from its codes, drawn from q(z_1 | x) afresh in each
epoch, with the classes that are known.
Kingma, Rezende, Mohamed & Welling, "Semi-supervised learning with deep generative models" (2014), section 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from torch import nn

from versus.arrays import Array, Labels, Step
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.models.arguments import Count, NonNegative, Share
from versus.models.checks import restored_schema
from versus.models.deep_generative.event_views import DrawnCodes
from versus.models.deep_generative.semi_supervised_vae import SemiSupervisedVAE
from versus.models.deep_generative.vae import VAE
from versus.models.deep_model import DeepModel, one_after_the_other
from versus.training.processes import Processes
from versus.training.state import under, with_prefix

__all__ = ["StackedVAE"]

PARTS = ("first", "second")


@dataclass(eq=False, kw_only=True)
class CodesVAE(SemiSupervisedVAE):
    """A `SemiSupervisedVAE` of codes (N, L), which are given by means and deviations, (N, 2L)."""

    # Codes that cost nothing at first would carry all of an event, and nothing would be left for the class to tell.
    warmup: ClassVar[float] = 0.0

    def _features(self, schema: Schema) -> tuple[nn.Module, int]:
        return nn.Identity(), schema.n_features // 2

    def _table_view(self, schema: Schema) -> tuple[DrawnCodes, tuple[int, ...]]:
        return DrawnCodes(), (0,) * (schema.n_features // 2)


@dataclass(eq=False, kw_only=True)
class StackedVAE(DeepModel):
    """A `SemiSupervisedVAE` of the codes of a `VAE`; rows of class -1 have none. It classifies, and draws by class.

    Args, besides those of `DeepModel`, which both have:
        n_codes: size of a code of the first autoencoder.
        autoencoder_epochs: passes of its training; ``epochs`` are the second's.
        autoencoder_layer_sizes: its dense layers, and with ``channels`` its convolutions of images; None has none.
        likelihood: its p(x | z), as `VAE` takes it.
        n_latent, hidden_layer_sizes, classification_weight, labelled_share: of the second, as `SemiSupervisedVAE`
            takes them.
        patience: epochs of the second without a lower validation loss after which training stops; None trains all.
    """

    no_density: ClassVar[str] = "models codes of events"
    holds_out_validation: ClassVar[bool] = True
    takes_unlabelled: ClassVar[bool] = True

    n_codes: Count = 50
    autoencoder_epochs: Count = 30
    autoencoder_layer_sizes: Sequence[Count] = (256, 256)
    channels: Count | None = None
    likelihood: Literal["gaussian", "bernoulli", "dynamic_bernoulli", "logistic"] = "gaussian"
    n_latent: Count = 16
    hidden_layer_sizes: Sequence[Count] = (128,)
    classification_weight: NonNegative = 1.0
    labelled_share: Share = 0.2
    patience: Count | None = None

    def fit_steps(
        self,
        X: Array,
        y: Array | None = None,
        validation: tuple[Array, ...] | None = None,
        resume: Mapping[str, Array] | None = None,
    ) -> Iterator[Step]:
        """Train the first autoencoder, then the second; see `DeepModel.fit_steps`."""
        self._make(self.schema or Schema.of(X, y))

        def second(state: Mapping[str, Array] | None) -> Iterator[Step]:
            coded = None if validation is None else (self.first_.posterior(validation[0]), *validation[1:])
            return self.second_.fit_steps(self.first_.posterior(X), y, coded, state)

        first = partial(self.first_.fit_steps, X, None, None)
        both = (("first", first), ("second", second))
        for step in one_after_the_other(*both, self.autoencoder_epochs, resume, kept=self.first_):
            self.seconds_ = step.seconds
            yield step
        self.device_, self.precision_ = self.second_.device_, self.second_.precision_

    def encode(self, X: Array) -> Array:
        """Codes of the first autoencoder, (N, *event) -> (N, codes)."""
        return self.first_.encode(X)

    def predict_log_proba(self, X: Array) -> Array:
        """Log q(y | x) of the second's classifier, (N, *event) -> (N, K) nats."""
        return self.second_.predict_log_proba(self.first_.posterior(X))

    def predict_proba(self, X: Array) -> Array:
        """Probabilities of the classes, (N, *event) -> (N, K)."""
        return self.second_.predict_proba(self.first_.posterior(X))

    def predict(self, X: Array) -> Labels:
        """The most probable class, (N, *event) -> (N,)."""
        return self.second_.predict(self.first_.posterior(X))

    def sample(self, n: int, y: Labels | None = None, random_state: int | None = None) -> Array:
        """Draw ``n`` events, (n, *event) in the raw space, of the classes ``y`` (n,), or of classes drawn from p(y)."""
        codes = self.second_.sample(n, y, random_state)
        return self.first_.emitted(codes.astype(np.float32), random_state)

    def get_arrays(self) -> dict[str, Array]:
        """The learned state as flat named arrays; `set_arrays` takes them back."""
        return with_prefix("first", self.first_.get_arrays()) | with_prefix("second", self.second_.get_arrays())

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Restore a learned state, on this machine's device.

        Raises:
            ValueError: if the model was made without a schema, or an array is missing, unknown or of another shape.
        """
        self._make(restored_schema(self.schema))
        unknown = [name for name in arrays if name.split(".")[0] not in PARTS]
        if unknown:
            raise ValueError(f"array {unknown[0]!r} is unknown; those of {' and '.join(PARTS)} belong there")
        self.first_.set_arrays(under("first", arrays))
        self.second_.set_arrays(under("second", arrays))
        self.device_, self.precision_ = self.second_.device_, self.second_.precision_

    def count_parameters(self) -> int:
        """Number of trained parameters of both."""
        return self.first_.count_parameters() + self.second_.count_parameters()

    def processes(self) -> Processes:
        """Processes that train the networks together, one for each device."""
        return self.first_.processes()

    def _make(self, schema: Schema) -> None:
        """Make both models, unfitted; the second takes means and deviations of codes for a table."""
        own = self.arguments()
        shared = {
            name: own[name]
            for name in ("batch_size", "learning_rate", "device", "precision", "threads", "random_state")
        }
        self.schema_ = schema
        self.first_ = VAE(
            n_latent=self.n_codes,
            hidden_layer_sizes=self.autoencoder_layer_sizes,
            channels=self.channels,
            likelihood=self.likelihood,
            epochs=self.autoencoder_epochs,
            patience=None,
            schema=schema,
            **shared,
        )
        taken = ("n_latent", "hidden_layer_sizes", "classification_weight", "labelled_share", "epochs", "patience")
        codes = Table(tuple(Column(f"{part}{d}") for part in ("mean", "deviation") for d in range(self.n_codes)))
        self.second_ = CodesVAE(
            **{name: own[name] for name in (*taken, "ema_decay")}, schema=Schema(codes, schema.y), **shared
        )
