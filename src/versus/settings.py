"""Settings of a comparison, as plain dataclasses; `versus.params` reads them from params.yaml and checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

# float16 is left out: it needs its loss scaled, and bfloat16 has its speed without that.
Precision = Literal["auto", "32-true", "bf16-mixed", "64-true"]

# Family -> as it is read. The folder below models/ says the family, and the family is the stage.
FAMILIES = {
    "discriminative": "discriminative",
    "classical_generative": "classical generative",
    "deep_generative": "deep generative",
}


class _Checked:
    """Unknown keys in params.yaml are faults."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Cell:
    """One data set and one model: one line of params.yaml, one training and one evaluation stage, one MLflow run.

    Args:
        name: ``<dataset>-<model>``.
        dataset: name of the data set.
        family: one of `FAMILIES`.
        module: file of the model's class, below the family's folder.
        class_name: the model's class.
        args: what it is constructed with.
        time_limit: seconds after which its training, or its evaluation, counts as failed; None for no limit.
    """

    name: str
    dataset: str
    family: str
    module: str
    class_name: str
    args: Mapping[str, Any]
    time_limit: float | None = None

    @property
    def model(self) -> str:
        """The part of the name after the data set."""
        return self.name.split("-", 1)[1]

    @property
    def is_baseline(self) -> bool:
        """One of the trivial models that every table holds for scale."""
        return self.module == "baseline"

    @property
    def group(self) -> str:
        """Its family, or "baseline": what tables and figures tell cells apart by."""
        return "baseline" if self.is_baseline else self.family

    @property
    def group_name(self) -> str:
        """The same, as it is read."""
        return FAMILIES.get(self.group, self.group)


@dataclass(frozen=True)
class Training(_Checked):
    """Where and how precisely models train, and how long they may take.

    Args:
        device: "auto" is CUDA where there is a GPU.
        precision: "auto" is bfloat16 on a GPU that has it.
        time_limit: seconds for the training of a cell, and as many for its evaluation, after which it counts as failed.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "auto"
    time_limit: Annotated[float, Gt(0)] | None = None


@dataclass(frozen=True)
class Comparison(_Checked):
    """How the comparison judges.

    Args:
        primary: task -> the score that decides which model is best; the first of the table of metrics where none is
            named (`versus.metrics.table.primary`).
        confidence: of every interval and test.
        rope: half the width of the region of practical equality, in the score's own unit; for a score in the unit of
            the target (RMSE, MAE) in standard deviations of the target.
    """

    primary: Mapping[str, str] = field(default_factory=dict)
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95
    rope: Annotated[float, Ge(0), Lt(0.5)] = 0.01


@dataclass(frozen=True)
class Gate(_Checked):
    """When a challenger may take the champion's place (`versus.gate`).

    Args:
        margin: how much worse the deciding score may be and still count as no worse; in the score's own unit, for a
            score in the unit of the target (RMSE, MAE) relative to the champion's. With 0, only a challenger that is
            shown to be better passes.
        class_margin: how much the recall of a class may fall.
        calibration_margin: how much the expected calibration error may rise.
        confidence: of the interval of the difference, two-sided.
        resamples: of the bootstrap.
    """

    margin: Annotated[float, Ge(0), Lt(1)] = 0.01
    class_margin: Annotated[float, Ge(0), Le(1)] = 0.05
    calibration_margin: Annotated[float, Ge(0), Le(1)] = 0.05
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95
    resamples: Annotated[int, Ge(100), Le(100_000)] = 2000
