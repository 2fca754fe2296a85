"""The judgement of one challenger: against which basis it was judged, with which figures, and whether it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from versus.gate import checks
from versus.gate.checks import Check
from versus.gate.measured import Measured
from versus.gate.paired_bootstrap import Gain, paired_gain
from versus.metrics.table import Metric, named

Basis = Literal["comparison", "new baseline"]
IN_UNIT_OF_TARGET = "of the target"  # a metric's unit; a margin of 0.01 means nothing there unless it is relative


class Rules(Protocol):
    """When a challenger passes; `versus.params.Gate` says so for a params file, and what each of them means."""

    @property
    def margin(self) -> float:
        """Of the deciding score."""

    @property
    def class_margin(self) -> float:
        """Of the recall of a class."""

    @property
    def calibration_margin(self) -> float:
        """Of the expected calibration error."""

    @property
    def confidence(self) -> float:
        """Of the interval."""

    @property
    def resamples(self) -> int:
        """Of the bootstrap."""


@dataclass(frozen=True)
class Judgement:
    """Whether a challenger passes, and why.

    Args:
        basis: "comparison" with the champion; or "new baseline", where the champion answered other test rows.
        metric: name of the deciding score.
        checks: every condition that was looked at, failed ones first.
        gain: the scores and their difference; None on a new baseline.
        margin: how much worse the score may be, in its own unit; None on a new baseline.
        confidence: of the gain's interval.
    """

    basis: Basis
    metric: str
    checks: tuple[Check, ...]
    gain: Gain | None = None
    margin: float | None = None
    confidence: float | None = None

    @property
    def passed(self) -> bool:
        """Whether all conditions hold."""
        return all(check.passed for check in self.checks)


def judge(
    challenger: Measured,
    champion: Measured,
    targets: NDArray[Any],
    rows: NDArray[np.int64],
    classes: Sequence[str],
    metric: str,
    rules: Rules,
    random_state: int = 0,
) -> Judgement:
    """Judge a challenger by its answers and the champion's.

    Args:
        challenger: the new model, measured on the test rows at hand.
        champion: the present one; where it was measured on others, there is nothing to compare.
        targets: (R, n) the truth of the test rows.
        rows: (R, n) their identities; a row may stand in the test sets of several repeats.
        classes: K names; empty for a regression.
        metric: name of the deciding score.
        rules: the margins.
        random_state: seed of the bootstrap.

    Raises:
        ValueError: where the champion's answers do not fit the test rows that they claim, or the metric has no value.
    """
    sound = checks.soundness(challenger.predictions)
    if not challenger.test_hash or challenger.test_hash != champion.test_hash:
        return Judgement("new baseline", metric, (sound,))
    if not sound.passed:
        return Judgement("comparison", metric, (sound,))
    _expect_fit(champion, challenger, targets)
    deciding = named(metric)
    arrays = (challenger.predictions, champion.predictions, targets)
    gain = paired_gain(deciding, *arrays, rows, rules.confidence, rules.resamples, random_state)
    margin = rules.margin * (abs(gain.champion) if deciding.unit == IN_UNIT_OF_TARGET else 1.0)
    found = [_deciding_score(deciding, gain, margin, rules.confidence), sound]
    if challenger.task == "classification":
        found += checks.class_recalls(*arrays, classes, rules.class_margin)
        found.append(checks.calibration(*arrays, rules.calibration_margin))
    found.sort(key=lambda check: check.passed)
    return Judgement("comparison", metric, tuple(found), gain, margin, rules.confidence)


def _expect_fit(champion: Measured, challenger: Measured, targets: NDArray[Any]) -> None:
    due = challenger.predictions.shape
    if due[:2] != targets.shape:
        raise ValueError(f"{challenger.cell} has answers of shape {due} for test rows of shape {targets.shape}")
    if champion.predictions.shape != due or not checks.soundness(champion.predictions).passed:
        raise ValueError(
            f"the champion's answers, {champion.predictions.shape}, are damaged: finite ones of shape {due} are due"
        )


def _deciding_score(metric: Metric, gain: Gain, margin: float, confidence: float) -> Check:
    interval = f"{100 * confidence:g} % interval {_signed(gain.low)} to {_signed(gain.high)}"
    scores = f"{metric.name} {gain.challenger:.4g}, the champion's {gain.champion:.4g}"
    text = f"{scores}: gain {_signed(gain.value)} ({interval}), which must lie above {_signed(-margin)}"
    return Check("deciding score", gain.low > -margin, text)


def _signed(value: float) -> str:
    return f"{value:+.4g}" if value else "0"
