"""Models of one class on data of their own, fitted together as one batched network (`versus.training.together`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from versus.arrays import Array, Step
from versus.training.batches import Batch, generator_for, seed_for, seeded
from versus.training.devices import cpu_threads
from versus.training.loop import Training
from versus.training.together import Together
from versus.training.updates import Descent

MOST_BYTES = 2**28  # of the rows of all models; larger data are worth a training each
MOST_WEIGHTS = 100_000  # of a network; larger ones fill a core alone
TOLERANCE = {"32-true": 1e-3, "64-true": 1e-6, "bf16-mixed": 5e-2}  # of a batch's loss, relative

Rows = tuple[Array, Array | None, tuple[Array, ...] | None, Array | None]  # X, y, validation, weights


class Repeats:
    """Started models whose networks are trained together.

    Args:
        places: of the models among those that were offered.
        models: with their networks built.
        rows: what each was started with.
        trainings: of the models.
    """

    def __init__(
        self, places: Sequence[int], models: Sequence[Any], rows: Sequence[Rows], trainings: Sequence[Training]
    ) -> None:
        self.places, self.models, self.rows = list(places), list(models), list(rows)
        self.training = Together(trainings)

    def fit_steps(self, resume: Mapping[str, Array] | None = None) -> Iterator[Step]:
        """Train all, yielding after each epoch, with losses named ``<loss>.<place in the group>``; fits all models.

        Raises:
            TrainingDiverged: if one of them diverges.
        """
        for step in self.training.steps(resume):
            for model in self.models:
                model.seconds_ = step.seconds
            yield step
        for model, (X, y, *_) in zip(self.models, self.rows, strict=True):
            model._finish(X, y)


def groups(models: Sequence[Any], rows: Sequence[Rows]) -> list[Repeats]:
    """Start models and group those that can be trained together.

    They are small, of equal shapes, and their batched network has the losses of each network alone: a forward pass that
    branches on its data or changes its buffers has no batched network, a loss that depends on what a model keeps
    outside of the network has another.

    Returns:
        Groups of two and more; models in none of them are to be fitted alone.
    """
    trainings = [model._start(*own) for model, own in zip(models, rows, strict=True)]
    alike: dict[Any, list[int]] = {}
    for place, training in enumerate(trainings):
        if _is_small(training, len(trainings)):
            alike.setdefault(_shapes(training), []).append(place)
    found = []
    for places in alike.values():
        own = [trainings[place] for place in places]
        if len(own) > 1 and _agree(own):
            found.append(Repeats(places, [models[p] for p in places], [rows[p] for p in places], own))
    return found


def _is_small(training: Training, number: int) -> bool:
    update = training.update
    weights = sum(parameter.numel() for parameter in training.network.parameters())
    held = sum(array.nbytes for rows in _parts(training) for array in rows)
    plain = type(update) is Descent and update.accumulate_gradients == 1 and not update.phases
    return plain and weights <= MOST_WEIGHTS and number * held <= MOST_BYTES


def _parts(training: Training) -> list[tuple[Array, ...]]:
    return [rows.arrays for rows in (training.rows, training.validation) if rows is not None]


def _shapes(training: Training) -> Any:
    rows = tuple((array.shape, array.dtype.str) for part in _parts(training) for array in part)
    named = (*training.network.named_parameters(), *training.network.named_buffers())
    return rows, tuple((name, tuple(tensor.shape), tensor.dtype, tensor.requires_grad) for name, tensor in named)


def _agree(trainings: Sequence[Training]) -> bool:
    """Compare the losses of a first batch with those of each network alone; False where it cannot be batched."""
    first = trainings[0]
    rows = [tuple(array[: first.batch_size] for array in training.rows.arrays) for training in trainings]
    batches = [tuple(torch.from_numpy(np.array(a)).to(first.device) for a in arrays) for arrays in rows]
    with cpu_threads(first.threads), torch.no_grad():
        alone = [_loss_alone(training, batch) for training, batch in zip(trainings, batches, strict=True)]
        try:
            together = Together(trainings)
            batch = tuple(torch.stack(parts) for parts in zip(*batches, strict=True))
            drawn = together.mapped.drawn(batch, cache(lambda purpose: together.generators(purpose, 0)), True)
            found = together.losses(batch, drawn, 1.0, True)["loss"]
        except (RuntimeError, ValueError, TypeError):  # what torch.func raises for what it cannot map
            return False
    tolerance = TOLERANCE[first.precision]
    return bool(torch.allclose(found.double(), torch.stack(alone).double(), rtol=tolerance, atol=tolerance))


def _loss_alone(training: Training, batch: Batch) -> Tensor:
    update = training.update
    assert isinstance(update, Descent)
    training.network.train()
    with seeded(seed_for(training.seed, "dropout", 0), training.device):
        noise = generator_for(training.seed, "noise", 0, training.device)
        return update.objective(update.called, batch, noise, 1.0)["loss"]
