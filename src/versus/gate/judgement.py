"""Decision of the gate for one data set, and the judgement it rests on: basis, figures, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from versus.gate import checks
from versus.gate.checks import Check, Measured
from versus.metrics.metric import Metric
from versus.metrics.table import named
from versus.settings import Gate
from versus.statistics.bootstrap import Gain, paired_gain
from versus.tracking.answers import Registered

Basis = Literal["comparison", "new baseline"]


@dataclass(frozen=True)
class Judgement:
    """Result of judging a challenger, with the reasons.

    Args:
        basis: "comparison" with the champion; or "new baseline", where the champion predicted other test rows.
        metric: name of the deciding score.
        checks: all conditions that were checked, failed ones first.
        gain: the scores and their difference; None on a new baseline.
        margin: largest loss of score allowed, in its own unit; None on a new baseline.
        confidence: confidence level of the gain's interval; None on a new baseline.
    """

    basis: Basis
    metric: str
    checks: tuple[Check, ...]
    gain: Gain | None = None
    margin: float | None = None
    confidence: float | None = None

    @property
    def passed(self) -> bool:
        """True where all conditions hold."""
        return all(check.passed for check in self.checks)


def judge(
    challenger: Measured,
    champion: Measured,
    targets: NDArray[Any] | None,
    rows: NDArray[np.int64],
    classes: Sequence[str],
    metric: str,
    rules: Gate,
    random_state: int = 0,
) -> Judgement:
    """Judge a challenger by its predictions and the champion's.

    Args:
        challenger: the new model, measured on the present test rows.
        champion: the present model; where it was measured on other test rows, the scores are not compared.
        targets: (n,) true values of the test rows of all repeats; None where a row does not have exactly one.
        rows: (n,) identities of these rows, of one unit the same; a row may be in the test sets of several repeats.
        classes: K names; empty for a regression.
        metric: name of the deciding score.
        rules: the margins.
        random_state: seed of the bootstrap.

    Raises:
        ValueError: where predictions do not fit the test rows, or the metric has no value.
    """
    sound = [] if challenger.predictions is None else [checks.soundness(challenger.predictions)]
    if not challenger.test_hash or challenger.test_hash != champion.test_hash:
        return Judgement("new baseline", metric, tuple(sound))
    if not all(check.passed for check in sound):
        return Judgement("comparison", metric, tuple(sound))
    deciding = named(metric)
    gain = _gain(deciding, challenger, champion, targets, rows, rules, random_state)
    margin = rules.margin * (abs(gain.champion) if deciding.in_unit_of_target else 1.0)
    found = [_deciding_score(deciding, gain, margin, rules.confidence), *sound]
    new, old = challenger.predictions, champion.predictions
    if challenger.task == "classification" and new is not None and old is not None and targets is not None:
        found += checks.class_recalls(new, old, targets, classes, rules.class_margin)
        found.append(checks.calibration(new, old, targets, rules.calibration_margin))
    found.sort(key=lambda check: check.passed)
    return Judgement("comparison", metric, tuple(found), gain, margin, rules.confidence)


def _gain(
    metric: Metric,
    challenger: Measured,
    champion: Measured,
    targets: NDArray[Any] | None,
    rows: NDArray[np.int64],
    rules: Gate,
    random_state: int,
) -> Gain:
    if challenger.predictions is not None and targets is not None:
        _expect_fit(champion.predictions, challenger.predictions, targets, challenger.cell)
    try:
        return paired_gain(
            challenger.scorers(metric.name, targets),
            champion.scorers(metric.name, targets),
            np.split(rows, np.cumsum(challenger.sizes)[:-1]),
            lower_is_better=metric.lower_is_better,
            confidence=rules.confidence,
            resamples=rules.resamples,
            random_state=random_state,
        )
    except ValueError as error:
        raise ValueError(f"{metric.name}: {error}") from None


def _expect_fit(old: NDArray[Any] | None, new: NDArray[Any], targets: NDArray[Any], cell: str) -> None:
    if len(new) != len(targets):
        raise ValueError(f"{cell} has answers of shape {new.shape} for test rows of shape {targets.shape}")
    if old is None or old.shape != new.shape or not checks.soundness(old).passed:
        found = None if old is None else old.shape
        raise ValueError(f"the champion's answers, {found}, are damaged: finite ones of shape {new.shape} are expected")


def _deciding_score(metric: Metric, gain: Gain, margin: float, confidence: float) -> Check:
    interval = f"{100 * confidence:g} % interval {_signed(gain.low)} to {_signed(gain.high)}"
    scores = f"{metric.name} {gain.challenger:.4g}, the champion's {gain.champion:.4g}"
    text = f"{scores}: gain {_signed(gain.value)} ({interval}), which must lie above {_signed(-margin)}"
    return Check("deciding score", gain.low > -margin, text)


def _signed(value: float) -> str:
    return f"{value:+.4g}" if value else "0"


Outcome = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True)
class Decision:
    """Outcome for one data set, in words and figures.

    Args:
        dataset: the data set.
        outcome: "undecided" where the challenger could not be judged.
        summary: the reason, in one sentence.
        challenger, champion: the models compared; None where there is none, or it is unknown.
        judgement: the figures; None where no comparison was needed.
        promoted: True where the challenger was made the champion.
    """

    dataset: str
    outcome: Outcome
    summary: str
    challenger: Registered | None = None
    champion: Registered | None = None
    judgement: Judgement | None = None
    promoted: bool = False

    @property
    def may_promote(self) -> bool:
        """True where the challenger passed, is not yet the champion, and was not rolled back by a user."""
        if self.outcome != "pass" or self.challenger is None:
            return False
        return self.challenger != self.champion and not self.challenger.rolled_back
