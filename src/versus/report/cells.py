"""What is to be compared, and how the comparison judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

FAMILY_NAMES = {
    "discriminative": "discriminative",
    "classical_generative": "classical generative",
    "deep_generative": "deep generative",
}
GENERATIVE = ("classical_generative", "deep_generative")


class Configured(Protocol):
    """A cell as params.yaml has it; `versus.params.Cell` is one."""

    @property
    def name(self) -> str:
        """``<dataset>-<model>``."""

    @property
    def dataset(self) -> str:
        """The data set."""

    @property
    def family(self) -> str:
        """The folder of the model."""

    @property
    def module(self) -> str:
        """The file of the model."""

    @property
    def class_name(self) -> str:
        """The model's class."""

    @property
    def args(self) -> Mapping[str, Any]:
        """Its arguments."""


@dataclass(frozen=True)
class Cell:
    """One data set and one model.

    Args:
        name: ``<dataset>-<model>``.
        dataset: the data set.
        family: "discriminative", "classical_generative" or "deep_generative".
        module: the model's module within its family.
        class_name: the model's class.
        args: its arguments, as params.yaml gives them.
        missing: why there is no evaluation of it, None where there is one.
    """

    name: str
    dataset: str
    family: str
    module: str
    class_name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    missing: str | None = None

    @classmethod
    def of(cls, found: Configured, missing: str | None) -> Cell:
        """The cell of the params, with the reason why its evaluation is missing."""
        return cls(found.name, found.dataset, found.family, found.module, found.class_name, found.args, missing)

    @property
    def model(self) -> str:
        """The part of the name after the data set."""
        return self.name.removeprefix(f"{self.dataset}-")

    @property
    def is_baseline(self) -> bool:
        """Whether it is one of the trivial models that every table holds for scale."""
        return self.module in ("baseline", "baselines")

    @property
    def is_generative(self) -> bool:
        """Whether it models P(x, y)."""
        return self.family in GENERATIVE

    @property
    def kind(self) -> str:
        """How the page marks it: its family, or "baseline"."""
        return "baseline" if self.is_baseline else self.family

    @property
    def kind_name(self) -> str:
        """The same, to be read."""
        return "baseline" if self.is_baseline else FAMILY_NAMES.get(self.family, self.family)


class DecidingScores(Protocol):
    """The score that decides which model is best, for each task."""

    @property
    def classification(self) -> str:
        """Of classifiers."""

    @property
    def regression(self) -> str:
        """Of regressors."""


class Judging(Protocol):
    """How the comparison judges; `versus.params.Comparison` says so for a params file, `Options` for anything else."""

    @property
    def primary(self) -> DecidingScores:
        """The deciding scores."""

    @property
    def confidence(self) -> float:
        """Of every interval and test, 0 … 1."""

    @property
    def rope(self) -> float:
        """Two scores that differ by no more than this are practically equal.

        In the score's own unit for classifiers (0.01 is one percentage point of accuracy) and for R²; for RMSE and MAE
        in standard deviations of the target.
        """


@dataclass(frozen=True)
class Primary:
    """The usual deciding scores."""

    classification: str = "accuracy_score"
    regression: str = "root_mean_squared_error"


@dataclass(frozen=True)
class Options:
    """The usual way to judge; see `Judging` for what each field means."""

    primary: Primary = Primary()
    confidence: float = 0.95
    rope: float = 0.01
