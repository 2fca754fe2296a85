"""Base of torch models: fitting by steps, keeping and restoring weights, applying the network in batches.

A model defines its network, its batches and their losses; the rest follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from versus.arrays import Array, Step
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.models.arguments import Count, Model, NonNegative, Positive, Share
from versus.models.preprocessing import Preprocessor
from versus.models.repeats import Repeats, Rows, groups
from versus.training.batches import Batch, fresh_seed, seed_for, seeded
from versus.training.devices import cpu_threads, parameter_dtype, resolve_device, resolve_precision, threads_for
from versus.training.loop import Training
from versus.training.processes import Processes, connected
from versus.training.state import load_network, network_arrays, under, with_prefix
from versus.training.updates import Descent, Update


@dataclass(eq=False, kw_only=True)
class DeepModel(Model):
    """A network with the methods that train, keep and apply it.

    Learned: ``schema_``, ``network_``, for tables ``preprocessor_``; and how it was fitted: ``device_``,
    ``precision_`` and ``seconds_`` (in epochs, those before a resume too).

    Args:
        epochs: passes through the data, at most.
        batch_size: events per step.
        learning_rate: base learning rate of AdamW.
        device: "auto", "cpu", "cuda" or "cuda:<number>".
        precision: "auto", "32-true", "bf16-mixed" or "64-true".
        threads: CPU threads, on any machine (see `threads_for`); None chooses by the size of the events.
        random_state: seed of initialisation, shuffling and noise.
        ema_decay: share of the average of the weights that a step keeps; the average is then what is validated and
            kept (`MovingAverage`). None keeps the weights themselves.
    """

    late_imports: ClassVar[tuple[str, ...]] = ("torch._dynamo",)  # by torch.optim, when the first optimizer is made
    holds_out_validation: ClassVar[bool] = False
    takes_devices: ClassVar[bool] = True  # several, in processes that share each batch

    epochs: Count = 100
    batch_size: Count = 64
    learning_rate: Positive = 5e-3
    device: str = "auto"
    precision: str = "auto"
    threads: Count | None = None
    random_state: int | None = None
    ema_decay: Share | None = None

    # -- what a model defines ------------------------------------------------------------------------------------

    def _build(self) -> nn.Module:
        """Build a freshly initialised network, from the arguments, ``schema_`` and, for tables, ``preprocessor_``."""
        raise NotImplementedError

    def _learn_statistics(self, X: Array, y: Array | None, weights: Array | None) -> None:
        """Set the buffers of ``network_`` that are computed from the training data and not trained."""

    def _rows(self, X: Array, y: Array | None) -> tuple[Array, ...]:
        """The arrays that training batches are cut from."""
        raise NotImplementedError

    def _update(self) -> Update:
        """Update of ``network_`` by a batch."""
        raise NotImplementedError

    def _keeping(self) -> dict[str, Any]:
        """Arguments of `Training` that say when to stop and which weights to keep."""
        return {"ema_decay": self.ema_decay}

    def _finish(self, X: Array, y: Array | None) -> None:
        """Learn what takes the trained network, such as a normaliser; called when the training has ended."""

    # -- what follows --------------------------------------------------------------------------------------------

    def fit(self, X: Array, y: Array | None = None) -> Self:
        """Train all epochs on X (N, *event) and y (N,); for early stopping see `fit_steps`."""
        for _ in self.fit_steps(X, y):
            pass
        return self

    def fit_steps(
        self,
        X: Array,
        y: Array | None = None,
        validation: tuple[Array, ...] | None = None,
        resume: Mapping[str, Array] | None = None,
    ) -> Iterator[Step]:
        """Train, yielding a `Step` after each epoch.

        Args:
            X: (N, *event).
            y: (N,).
            validation: held-out ``(X, y)``; training stops when its loss has not fallen for ``patience`` epochs, and
                the weights of its best epoch are kept. Only for models that hold rows out.
            resume: ``Step.state()`` of an earlier run with the same arguments and data: resumes from there and, on
                the CPU, ends with the same bits.

        Raises:
            TrainingDiverged: if the loss becomes NaN or infinite.
            ValueError: naming an argument that is out of range.
        """
        return self._steps(X, y, validation, resume, None)

    def _steps(
        self,
        X: Array,
        y: Array | None,
        validation: tuple[Array, ...] | None,
        resume: Mapping[str, Array] | None,
        weights: Array | None,
    ) -> Iterator[Step]:
        if validation is not None and not self.holds_out_validation:
            raise ValueError(f"{type(self).__name__} has no loss to stop early by; validation must be None")
        training = self._start(X, y, validation, weights)
        for step in training.steps(resume):
            self.seconds_ = step.seconds
            yield step
        self._finish(X, y)

    def _start(
        self, X: Array, y: Array | None, validation: tuple[Array, ...] | None, weights: Array | None
    ) -> Training:
        self._weighted = weights is not None
        seed = fresh_seed(self.random_state)
        self.schema_ = self.schema or Schema.of(X, y)
        if isinstance(self.schema_.x, Table):
            self.preprocessor_ = self._fitted_preprocessor(X, y, weights)
        with seeded(seed_for(seed, "initialise"), torch.device("cpu")):
            self.network_ = self._build()
        self._learn_statistics(X, y, weights)
        training = Training(
            self._update(),
            self._weighted_rows(X, y, weights),
            None if validation is None else self._weighted_rows(*validation),
            epochs=self.epochs,
            batch_size=self.batch_size,
            random_state=seed,
            device=self.device,
            precision=self._precision(),
            threads=self._threads(),
            **self._keeping(),
        )
        self.device_, self.precision_ = str(training.device), training.precision
        return training

    def _weighted_rows(self, X: Array, y: Array | None, weights: Array | None = None) -> tuple[Array, ...]:
        """`_rows`, and after them the weights (N,) where there are any."""
        return (*self._rows(X, y), *(() if weights is None else (weights.astype(np.float32),)))

    def get_arrays(self) -> dict[str, Array]:
        """The learned state as flat named arrays; `set_arrays` takes them back."""
        arrays = with_prefix("network", network_arrays(self.network_))
        if isinstance(self.schema_.x, Table):
            arrays |= with_prefix("preprocessing", self.preprocessor_.get_arrays())
        return arrays

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Restore a learned state, on this machine's device.

        Raises:
            ValueError: if the model was made without a schema, or an array is missing, unknown or of another shape.
        """
        if self.schema is None:
            raise ValueError("schema is None; a model that takes over arrays must be built with their schema")
        self.schema_ = self.schema
        device = resolve_device(self.device)
        precision = resolve_precision(self._precision(), device)
        if isinstance(self.schema_.x, Table):
            self.preprocessor_ = self._new_preprocessor().set_arrays(under("preprocessing", arrays))
        network = self._build().to(device, parameter_dtype(precision))
        load_network(network, under("network", arrays))
        self.network_ = network.eval()
        self.device_, self.precision_ = str(device), precision

    def count_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in self.network_.parameters() if p.requires_grad)

    def processes(self) -> Processes:
        """Processes that train the network together, one for each device."""
        return connected(resolve_device(self.device).type)

    def _precision(self) -> str:
        """Precision to train and apply the network in."""
        return self.precision

    def _threads(self) -> int:
        return threads_for(self.threads, self.schema_.n_features)

    def _new_preprocessor(self) -> Preprocessor:
        double = parameter_dtype(self.precision) is torch.float64
        return Preprocessor(self._events_schema, dtype=np.float64 if double else np.float32)

    def _fitted_preprocessor(self, X: Array, y: Array | None, weights: Array | None) -> Preprocessor:
        return self._new_preprocessor().fit(X, weights)

    @property
    def _events_schema(self) -> Schema:
        """Form of the events that the network takes: those of the data, unless the target is one of their columns."""
        return self.schema_

    def _encoded(self, X: Array) -> Array:
        """Tables as the network takes them, (N, D) -> (N, F); images as they are, to be scaled in the network."""
        if isinstance(self.schema_.x, Table):
            return self.preprocessor_.transform(X)
        self.schema_.x.check(X)
        return X

    def _outputs(self, X: Array) -> Array:
        """Outputs of the network, (N, *event) -> (N, outputs), float64."""
        return self._apply(lambda x: self.network_(x).double(), self._encoded(X))

    def _apply(self, function: Callable[..., Tensor], *rows: Any, batch_rows: int = 512) -> Array:
        """Apply ``function`` of the network over batches of rows, without gradients, joined along the first axis."""
        parameter = next(self.network_.parameters())
        parts = []
        with torch.inference_mode(), cpu_threads(self._threads()):
            for start in range(0, max(1, len(rows[0])), batch_rows):
                batch = [torch.from_numpy(np.array(a[start : start + batch_rows])).to(parameter.device) for a in rows]
                batch = [t.to(parameter.dtype) if t.is_floating_point() else t for t in batch]
                parts.append(function(*batch).cpu().numpy())
        return np.concatenate(parts)


@dataclass(eq=False, kw_only=True)
class DescendingModel(DeepModel):
    """A network trained by descent on losses, which stops early by those of held-out rows.

    Args:
        weight_decay: decoupled weight decay.
        patience: epochs without a lower validation loss after which training stops; None trains all.
        accumulate_gradients: parts in which a batch goes through the network, one after the other. Their gradients add
            up to that of the batch, and activations take the memory of one part.
    """

    holds_out_validation: ClassVar[bool] = True

    weight_decay: NonNegative = 1e-2
    patience: Count | None = 15
    accumulate_gradients: Count = 1

    def fit(self, X: Array, y: Array | None = None, sample_weight: Array | None = None) -> Self:
        """Train all epochs on X (N, *event), y (N,) and weights (N,), if any; for early stopping see `fit_steps`."""
        for _ in self.fit_steps(X, y, sample_weight=sample_weight):
            pass
        return self

    def fit_steps(
        self,
        X: Array,
        y: Array | None = None,
        validation: tuple[Array, ...] | None = None,
        resume: Mapping[str, Array] | None = None,
        sample_weight: Array | None = None,
    ) -> Iterator[Step]:
        """Train as `DeepModel.fit_steps` does; weights (N,), of held-out rows a third array, multiply the losses."""
        return self._steps(X, y, validation, resume, sample_weight)

    @staticmethod
    def fit_together(models: Sequence[DeepModel], rows: Sequence[Rows]) -> list[Repeats]:
        """Group models of this class, each with rows of its own, that one batched network can train at once."""
        return groups(models, rows)

    def _losses(
        self, network: nn.Module, batch: Batch, generator: torch.Generator, progress: float
    ) -> Mapping[str, Tensor]:
        """Mean losses of a batch (see `versus.training.updates.Objective`)."""
        raise NotImplementedError

    def _apart(self, batch: Batch) -> tuple[Batch, Tensor | None]:
        """Split a batch into its rows and their weights (N,), if there are any."""
        return (batch[:-1], batch[-1]) if self._weighted else (batch, None)

    def _update(self) -> Update:
        return Descent(
            self.network_,
            self._losses,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            max_gradient_norm=self._max_gradient_norm(),
            accumulate_gradients=self.accumulate_gradients,
        )

    def _max_gradient_norm(self) -> float:
        return 1.0

    def _keeping(self) -> dict[str, Any]:
        return super()._keeping() | {"patience": self.patience}


def weighted_mean(losses: Tensor, weights: Tensor | None) -> Tensor:
    """Mean of losses (N,), each multiplied by its weight (N,) where there are any."""
    return losses.mean() if weights is None else (losses * weights.to(losses)).mean()


Start = Callable[[Mapping[str, Array] | None], Iterator[Step]]  # of a training, from a state where there is one


def one_after_the_other(
    first: tuple[str, Start],
    second: tuple[str, Start],
    epochs: int,
    resume: Mapping[str, Array] | None,
    kept: DeepModel | None = None,
) -> Iterator[Step]:
    """Two trainings as one fit; a state is that of the training that it was taken in, under its name.

    Args:
        first, second: names of the trainings, and what starts them.
        epochs: those of the first; the second's count on from there.
        resume: state of an earlier run.
        kept: model that the first trains and the second needs: states of the second bring it along.
    """
    states = {name: under(name, resume or {}) for name, _ in (first, second)}
    seconds = 0.0
    if resume is None or not states[second[0]]:
        for step in first[1](states[first[0]] or None):
            seconds = step.seconds
            yield _as_part(first[0], step, 0, 0.0, {})
    else:
        seconds = float(resume["seconds_before"])
        if kept is not None:
            kept.set_arrays(under("learned", resume))
    learned = {} if kept is None else with_prefix("learned", kept.get_arrays())
    for step in second[1](states[second[0]] or None):
        yield _as_part(second[0], step, epochs, seconds, learned)


def _as_part(name: str, step: Step, epochs: int, seconds: float, learned: Mapping[str, Array]) -> Step:
    """A step of one training as one of a whole fit, after ``epochs`` and ``seconds`` of another."""

    def state() -> dict[str, Array]:
        return {**with_prefix(name, step.state()), **learned, "seconds_before": np.asarray(seconds)}

    losses = {f"{name}_{loss}": value for loss, value in step.losses.items()}
    return Step(epochs + step.step, losses, seconds + step.seconds, state)
