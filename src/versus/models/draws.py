"""Events drawn from a fitted model, as the data hold them."""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.data.schema import Schema


def draw(model: Any, n: int, y: Labels | None, schema: Schema, seed: int) -> Array:
    """``n`` events (n, *event), of classes ``y`` where given, as the data hold them: pixels are whole numbers.

    Raises:
        ValueError: where the model draws another shape, or what is not finite.
    """
    drawn = np.asarray(model.sample(n, y=y, random_state=seed))
    if drawn.shape != (n, *schema.shape) or not np.isfinite(drawn).all():
        wanted = (n, *schema.shape)
        raise ValueError(f"sample({n}) gives shape {drawn.shape} or values that are not finite; {wanted} is due")
    stored: Array = schema.x.stored(drawn)
    return stored
