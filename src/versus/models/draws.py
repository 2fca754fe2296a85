"""Events drawn from a fitted model, as the data hold them."""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Labels, Ragged
from versus.data.schema import Schema


def draw(model: Any, n: int, y: Labels | None, schema: Schema, seed: int) -> Any:
    """``n`` events (n, *event), of classes ``y`` where given, as the data hold them: pixels are whole numbers.

    Raises:
        ValueError: where the model draws another shape, or what is not finite.
    """
    drawn = model.sample(n, y=y, random_state=seed)
    schema.x.check(drawn)
    values = drawn.values if isinstance(drawn, Ragged) else drawn
    if len(drawn) != n or not np.isfinite(values).all():
        raise ValueError(f"sample({n}) gives {len(drawn)} events or values that are not finite; {n} are expected")
    return schema.x.stored(drawn)
