"""Decision of the gate for one data set, and the judgement it rests on: basis, figures, result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from versus.gate import checks
from versus.gate.checks import Check
from versus.metrics.metric import Metric
from versus.metrics.table import named
from versus.report.dataset_results import DatasetResults
from versus.report.evaluation import Evaluation
from versus.settings import Gate
from versus.tracking.answers import Registered

Basis = Literal["comparison", "new baseline", "alone"]


@dataclass(frozen=True)
class Gain:
    """Scores of a challenger and of the champion, and the difference, which is the report's.

    Args:
        challenger, champion: means over the repeats, in the metric's own unit.
        value: amount by which the challenger is better; negative where it is worse, whichever direction is better.
        low, high: ends of the interval of ``value``.
        estimand: the quantity that ``value`` estimates, in words.
    """

    challenger: float
    champion: float
    value: float
    low: float
    high: float
    estimand: str


@dataclass(frozen=True)
class Judgement:
    """Result of judging a challenger, with the reasons.

    Args:
        basis: "comparison" with the champion; "new baseline", where the champion predicted other test rows; "alone",
            where the model itself is the champion.
        metric: name of the deciding score.
        checks: all conditions that were checked, failed ones first.
        gain: the scores and their difference; None without a comparison.
        margin: largest loss of score allowed, in its own unit; None without a comparison.
        confidence: confidence level of the gain's interval; None without a comparison.
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


def judge(dataset: DatasetResults, challenger: Evaluation, champion: Evaluation | None, rules: Gate) -> Judgement:
    """Judge a challenger by its answers and the champion's.

    The difference is not corrected for the choice of the challenger among several models, as the report's verdict is:
    the champion was chosen in the same way.

    Args:
        dataset: the data set, with the evaluations of its baselines.
        challenger: the new model, evaluated on the present test rows.
        champion: the present model; where it was evaluated on other test rows, the scores are not compared. None where
            it is the same model.
        rules: the margins.

    Raises:
        ValueError: where answers do not fit the test rows, or nothing says how sure a difference is.
    """
    metric, new = named(dataset.primary), checks.answers(challenger)
    sound = [] if new is None else [checks.soundness(new)]
    hashes = [e.facts.get("test_hash", "") for e in (challenger, champion) if e is not None]
    basis: Basis = "alone" if champion is None else "comparison" if hashes[0] == hashes[1] != "" else "new baseline"
    if not all(check.passed for check in sound):
        return Judgement(basis, metric.name, tuple(sound))
    targets = None if dataset.targets is None else np.concatenate(dataset.targets)
    if new is not None and targets is not None and len(new) != len(targets):
        name, expected = challenger.cell.name, targets.shape
        raise ValueError(f"{name} has answers of shape {new.shape} for test rows of shape {expected}")
    found = [*sound, *checks.beats_baseline(dataset, challenger)]
    if champion is None or basis != "comparison":
        return Judgement(basis, metric.name, _failed_first(found))
    old = checks.answers(champion)
    if new is not None:
        _expect_fit(old, new)
    gain = gain_of(dataset, challenger, champion, rules.confidence)
    margin = rules.margin * (abs(gain.champion) if metric.in_unit_of_target else 1.0)
    same = new is not None and old is not None and np.array_equal(new, old)
    found.insert(0, _deciding_score(metric, gain, margin, rules.confidence, same))
    if dataset.task == "classification" and new is not None and old is not None and targets is not None:
        weights = None if dataset.weights is None else np.concatenate(dataset.weights)
        classes = dataset.prepared.schema.classes
        found += checks.class_recalls(new, old, targets, classes, rules.class_margin, weights)
        found.append(checks.calibration(new, old, targets, rules.calibration_margin, weights))
    return Judgement(basis, metric.name, _failed_first(found), gain, margin, rules.confidence)


def gain_of(dataset: DatasetResults, challenger: Evaluation, champion: Evaluation, confidence: float) -> Gain:
    """Return the report's difference of the deciding score, signed so that more is better.

    Raises:
        ValueError: where nothing says how sure it is.
    """
    metric = named(dataset.primary)
    apart = dataset.difference(challenger, champion, metric.name)
    if apart is None:
        raise ValueError(f"{metric.name}: nothing says how sure the difference from {champion.cell.name} is")
    low, high = apart.interval(confidence)
    value, low, high = (-apart.mean, -high, -low) if metric.lower_is_better else (apart.mean, low, high)
    return Gain(challenger.mean(metric.name), champion.mean(metric.name), value, low, high, apart.estimand)


def _failed_first(found: list[Check]) -> tuple[Check, ...]:
    return tuple(sorted(found, key=lambda check: check.passed))


def _expect_fit(old: NDArray[Any] | None, new: NDArray[Any]) -> None:
    if old is None or old.shape != new.shape or not checks.soundness(old).passed:
        found = None if old is None else old.shape
        raise ValueError(f"the champion's answers, {found}, are damaged: finite ones of shape {new.shape} are expected")


def _deciding_score(metric: Metric, gain: Gain, margin: float, confidence: float, same: bool) -> Check:
    interval = f"{100 * confidence:g} % interval {_signed(gain.low)} to {_signed(gain.high)}, {gain.estimand}"
    scores = f"{metric.name} {gain.challenger:.4g}, the champion's {gain.champion:.4g}"
    text = f"{scores}: gain {_signed(gain.value)} ({interval}), which must lie above {_signed(-margin)}"
    if same and margin > 0:  # the interval allows for rows that were not seen, on which two other models may differ
        return Check("deciding score", True, f"{text}, or every answer be the same, as here")
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
    warnings: tuple[str, ...] = ()

    @property
    def may_promote(self) -> bool:
        """True where the challenger passed, is not yet the champion, and was not rolled back by a user."""
        if self.outcome != "pass" or self.challenger is None:
            return False
        return self.challenger != self.champion and not self.challenger.rolled_back
