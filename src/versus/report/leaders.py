"""Which values of a table may be marked as best: only those that a test sets apart.

The model with the best mean is compared with every other one, Holm-adjusted. Those that are not shown to be worse are
level with it; where it stands alone, it is the best.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from versus.report.dataset import Dataset
from versus.statistics.holm import holm

Mark = Literal["best", "level"]


def leaders(dataset: Dataset, metric: str) -> dict[str, Mark]:
    """Cell name -> its mark, for the cells that lead in a metric; none where the differences cannot be judged."""
    scored = [e for e in dataset.evaluations if np.isfinite(e.mean(metric))]
    if len(scored) < 2:
        return {}
    top, *others = dataset.ordered(scored, metric)
    differences = [dataset.difference(top, other, metric) for other in others]
    if any(d is None for d in differences):
        return {}
    p = holm([d.p_value() for d in differences if d is not None])
    alpha = 1 - dataset.options.confidence
    level = [other.cell.name for other, adjusted in zip(others, p, strict=True) if adjusted >= alpha]
    if not level:
        return {top.cell.name: "best"}
    return dict.fromkeys([top.cell.name, *level], "level")
