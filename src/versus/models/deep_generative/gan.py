"""A generative adversarial network of dense layers, for tables and small images; see `AdversarialModel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from versus.data.spaces import Image, Table
from versus.models.arguments import Count
from versus.models.deep_generative.adversarial_model import AdversarialModel
from versus.models.deep_generative.autoencoder_networks import DenseNetwork
from versus.models.deep_generative.game_views import PixelView, TableView

__all__ = ["GAN"]


class DenseCritic(DenseNetwork):
    """Dense layers that score events, (N, F), (N,) -> (N, 1), and whose last activations are features."""

    def features(self, x: Tensor) -> Tensor:
        """Last activations, (N, F) -> (N, width), of a critic without classes."""
        activations: Tensor = self.body(x)
        return activations


@dataclass(eq=False, kw_only=True)
class GAN(AdversarialModel):
    """A generator of events and the critic that it was trained against, both dense networks.

    Numeric columns are standardised, categorical ones one-hot, pixels scaled to [-1, 1]; missing values are refused.

    Args, besides those of `AdversarialModel`:
        hidden_layer_sizes: widths of the dense layers of generator and critic.
    """

    hidden_layer_sizes: Sequence[Count] = (64, 64)

    def _players(self, n_classes: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        schema = self.schema_
        view: TableView | PixelView
        if isinstance(schema.x, Table):
            view = TableView(self.preprocessor_, schema)
        elif isinstance(schema.x, Image):
            view = PixelView(schema, flat=True)
        else:
            raise ValueError(f"GAN takes tables and images, and these data are: {schema.x.describe()}")
        hidden = self.hidden_layer_sizes
        generator = DenseNetwork(self.n_latent, hidden, view.n_values, n_classes)
        return generator, DenseCritic(view.n_values, hidden, 1, n_classes), view
