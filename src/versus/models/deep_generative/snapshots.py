"""Images and texts that a model draws while it is trained, always from the same noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.metaestimators import available_if

from versus.arrays import Array
from versus.data.spaces import Image
from versus.models.deep_model import DeepModel
from versus.models.events import draw
from versus.training.loop import Training

SEED = 0


def _draws_images(model: Any) -> bool:
    schema = getattr(model, "schema_", model.schema)
    return model.draws_on_the_way and schema is not None and isinstance(schema.x, Image)


class DrawsOnTheWay(DeepModel):
    """Base of a network that draws events by ``sample``, which may be asked before the training has ended."""

    draws_on_the_way: ClassVar[bool] = True
    sample: ClassVar[Callable[..., Any]]

    @available_if(_draws_images)  # type: ignore[untyped-decorator]
    def snapshot(self, n: int) -> Array:
        """Draw ``n`` images (n, *event) by the weights of a training that has not ended, of classes in turn."""
        classes = np.arange(n, dtype=np.int64) % self._n_conditions() if self._n_conditions() else None
        with self._looked_at():
            images: Array = draw(self, n, classes, self.schema_, SEED)
        return images

    @contextmanager
    def _looked_at(self) -> Iterator[None]:
        """Let the network draw while the block runs, by the averaged weights where there are any."""
        self.network_.eval()
        with nullcontext() if self._average is None else self._average.lent():
            yield

    def _n_conditions(self) -> int:
        """Number of classes that the network is told, 0 where it knows none."""
        return 0

    def _start(
        self, X: Array, y: Array | None, validation: tuple[Array, ...] | None, weights: Array | None
    ) -> Training:
        training = super()._start(X, y, validation, weights)
        self._average = training.average
        return training

    def _finish(self, X: Array, y: Array | None) -> None:
        self._average = None  # the network has the weights to keep
        super()._finish(X, y)
