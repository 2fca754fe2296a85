"""Settings of a comparison, as plain dataclasses; `versus.params` reads them from params.yaml and checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len, Lt, MinLen

from versus.arrays import FAMILIES as FAMILIES
from versus.arrays import Precision as Precision

EXTRACTOR = ("discriminative", "convolutional", "ConvolutionalClassifier")  # by whose features images are scored
INCEPTION = "versus.models.discriminative.inception"  # or by those of this network, whose weights the user has


class _Checked:
    """Base of all settings: unknown keys in params.yaml are errors."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Cell:
    """Pair of a data set and a model: one line of params.yaml, one training and one evaluation stage, one MLflow run.

    Args:
        name: ``<dataset>-<model>``.
        dataset: name of the data set.
        family: one of `FAMILIES`.
        module: file of the model's class, below the family's folder.
        class_name: name of the model's class.
        args: constructor arguments of the model.
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
        """Part of the name after the data set."""
        return self.name.split("-", 1)[1]

    @property
    def is_baseline(self) -> bool:
        """True for a trivial model, which every table contains as a reference."""
        return self.module.rpartition(".")[2] == "baseline"

    @property
    def group(self) -> str:
        """Family of the cell, or "baseline", by which tables and figures group cells."""
        return "baseline" if self.is_baseline else self.family

    @property
    def group_name(self) -> str:
        """Group name for readers."""
        return FAMILIES.get(self.group, self.group)


@dataclass(frozen=True)
class Training(_Checked):
    """Training options: devices, precision and time limit.

    Args:
        device: "auto" is CUDA if there is a GPU.
        precision: "auto" is bfloat16 on a GPU that supports it.
        devices: GPUs of this machine (or, with ``device: cpu``, processes) that train each network together.
        time_limit: seconds for the training of a cell, and as many for its evaluation, after which it counts as failed.
        energy: measure the energy of each fit, too, if the extra ``energy`` is installed (`versus.metrics.cost`).
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "auto"
    devices: Annotated[int, Ge(1), Le(64)] = 1
    time_limit: Annotated[float, Gt(0)] | None = None
    energy: bool = False


@dataclass(frozen=True)
class Tuning(_Checked):
    """Budget of each cell for choosing its arguments (`versus.fitting.tuning`), the same for all.

    Args:
        trials: arguments that are tried beside those of params.yaml, in each repeat; 0 tunes nothing.
        seconds: no trial of a cell starts after so many seconds of trials, shared by its repeats. What was tried then
            depends on the machine, so a number of trials alone is what can be repeated.
    """

    trials: Annotated[int, Ge(0), Le(10_000)] = 0
    seconds: Annotated[float, Gt(0)] | None = None


@dataclass(frozen=True)
class Inception(_Checked):
    """Weights of Inception-v3, in whose features images are then scored, not in those of a classifier of their own.

    Args:
        path: a safetensors file or a state dict of torch, relative to params.yaml.
        sha256: of that file; scores are named after it.
    """

    path: str
    sha256: Annotated[str, Len(64, 64)]


@dataclass(frozen=True)
class Comparison(_Checked):
    """Options of the comparison.

    Args:
        primary: task, or data set that is an exception -> the score that decides which model is best; by default the
            first in the table of metrics (`versus.metrics.table.primary`).
        confidence: confidence level of every interval and test.
        rope: half the width of the region of practical equality, in the score's own unit; for a score in the unit of
            the target (RMSE, MAE) in standard deviations of the target.
        inception: weights of the network by whose features images are scored; by default a classifier fitted to each
            data set.
        slices: data set -> columns by whose values the test rows are scored in slices (`versus.report.slices`).
    """

    primary: Mapping[str, str] = field(default_factory=dict)
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95
    rope: Annotated[float, Ge(0), Lt(0.5)] = 0.01
    inception: Inception | None = None
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Sizes = Literal["auto"] | Annotated[tuple[Annotated[int, Ge(2)], ...], MinLen(2)]
Draws = Annotated[int, Ge(1), Le(1000)]


@dataclass(frozen=True)
class _Experiment(_Checked):
    """Experiment: other fits of cells of one data set than the compared ones (`versus.experiments`).

    Args:
        data: name of the data set.
        cells: names of the cells to fit, of both sides.
    """

    data: str
    cells: Annotated[tuple[str, ...], MinLen(2)]


@dataclass(frozen=True)
class TrainingSize(_Experiment):
    """Cells on ever more rows, and the size at which one side overtakes the other.

    Args:
        cells: names of the cells to fit; of one side, or one cell, for learning curves alone.
        sizes: numbers of rows to learn from; "auto" for all rows, halved again and again.
        draws: random orders of the rows in each repeat, each with a training set of every size.
    """

    cells: Annotated[tuple[str, ...], MinLen(1)]
    sizes: Sizes = "auto"
    draws: Draws = 2
    kind: Literal["training_size"] = "training_size"


@dataclass(frozen=True)
class FewLabels(_Experiment):
    """Cells on few labelled rows, with and without the other rows, whose labels are hidden.

    Args:
        labels: numbers of labelled rows; those that leave none unlabelled are left out.
        draws: random orders of the rows in each repeat.
    """

    labels: Annotated[tuple[Annotated[int, Ge(2)], ...], MinLen(1)] = (10, 100, 1000)
    draws: Draws = 2
    kind: Literal["few_labels"] = "few_labels"


@dataclass(frozen=True)
class Augmentation(_Experiment):
    """Discriminative cells with and without rows that generative ones draw.

    Args:
        sizes: numbers of real rows to learn from; "auto" for all rows, halved again and again.
        draws: random orders of the rows in each repeat.
        drawn: rows drawn for each real one.
    """

    sizes: Sizes = "auto"
    draws: Draws = 2
    drawn: Annotated[float, Gt(0), Le(1000)] = 1.0
    kind: Literal["augmentation"] = "augmentation"


@dataclass(frozen=True)
class HeldOutClass(_Experiment):
    """Cells that learn all classes but one, each in turn, and must tell rows of that one from rows of the others."""

    kind: Literal["held_out_class"] = "held_out_class"


@dataclass(frozen=True)
class LabelShift(_Experiment):
    """Cells where the classes have other frequencies at test time: as fitted, turned by Bayes' rule, and refitted."""

    kind: Literal["label_shift"] = "label_shift"


Experiment = TrainingSize | FewLabels | Augmentation | HeldOutClass | LabelShift


@dataclass(frozen=True)
class Gate(_Checked):
    """Conditions for a challenger to replace the champion (`versus.gate`).

    Args:
        margin: largest loss in the deciding score that still counts as no worse; in the score's own unit, for a
            score in the unit of the target (RMSE, MAE) relative to the champion's. With 0, only a challenger that is
            shown to be better passes.
        class_margin: largest allowed fall in the recall of a class.
        calibration_margin: largest allowed rise in the expected calibration error.
        confidence: confidence level of the two-sided interval of the difference.
        after_promotion: command that `versus gate --promote` runs after each promotion, without a shell, such as
            ``python deploy.py``; it finds the version in its environment (`versus.commands.gate`). Empty for none.
    """

    margin: Annotated[float, Ge(0), Lt(1)] = 0.01
    class_margin: Annotated[float, Ge(0), Le(1)] = 0.05
    calibration_margin: Annotated[float, Ge(0), Le(1)] = 0.05
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95
    after_promotion: str = ""
