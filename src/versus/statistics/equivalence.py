"""Practical equality: the probability that a difference lies within a region too small to matter.

The region of practical equivalence (rope) is ``[-h, h]``. Benavoli, Corani, Demšar & Zaffalon, "Time for a change: a
tutorial for comparing multiple classifiers through Bayesian analysis", JMLR 18 (2017), section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Judgement = Literal["higher", "equal", "lower", "undecided"]


@dataclass(frozen=True)
class Rope:
    """Probabilities, which sum to 1, that a difference lies below ``-h``, within ``[-h, h]`` and above ``h``."""

    below: float
    within: float
    above: float


def judge(rope: Rope, p_value: float, mean: float, confidence: float = 0.95) -> Judgement:
    """Judge a difference of this mean: one is higher, both are practically equal, or it is undecided.

    "equal" where at least ``confidence`` of the probability lies within the rope, even if the difference is
    significant: a difference may be real and too small to matter. Else "higher" or "lower", by the sign of the mean,
    where the (multiplicity-adjusted) ``p_value`` is below ``1 - confidence``. Else "undecided".
    """
    if rope.within >= confidence:
        return "equal"
    if p_value < 1 - confidence:
        return "higher" if mean > 0 else "lower"
    return "undecided"
