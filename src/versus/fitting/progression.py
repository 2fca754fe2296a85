"""What a model draws while it is trained, at fixed noise: after the first epoch, and every k-th one after it.

It is kept as files while the fit is unfinished, so that a resumed fit shows what it drew before, and together in
``progression.npz`` beside the models: ``epochs`` (E,) and ``images`` (E, n, *event), or of a language model ``texts``
(E, n, tokens). A model that draws on the way has ``snapshot(n)``.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array, Step
from versus.data.spaces import Image

NAME = "progression.npz"
MOST_SHOWN, IMAGES, TEXTS = 8, 20, 2  # epochs besides the first, and images or texts of each
Show = Callable[[int, Array, int | None], None]  # epoch, images (n, *event), their levels


class Progression:
    """Snapshots of one fit.

    Args:
        model: with ``snapshot`` and ``epochs``.
        folder: where they are kept until the fit is complete.
        show: called with each one as it is drawn.
    """

    def __init__(self, model: Any, folder: Path, show: Show | None) -> None:
        self.model, self.folder, self.show = model, folder, show
        self.every = math.ceil(model.epochs / MOST_SHOWN)

    def see(self, step: Step) -> None:
        """Draw and keep images, if it is the turn of this epoch."""
        if step.step != 1 and step.step % self.every and step.step != self.model.epochs:
            return
        drawn = self.model.snapshot(IMAGES if self.of_images else TEXTS)
        self.folder.mkdir(exist_ok=True)
        aside = self.folder / f".{step.step}.npy"
        np.save(aside, drawn, allow_pickle=False)
        aside.replace(self.folder / f"{step.step}.npy")
        if self.show is not None and self.of_images:
            self.show(step.step, drawn, self.model.schema_.levels)

    @property
    def of_images(self) -> bool:
        """True if the model draws images, False if texts."""
        return isinstance(self.model.schema_.x, Image)

    def gather(self, to: Path) -> None:
        """Write all of them into one file in the folder ``to``, and remove their own."""
        found = sorted((int(path.stem), path) for path in self.folder.glob("[0-9]*.npy"))
        if found:
            drawn = np.stack([np.load(path, allow_pickle=False) for _, path in found])
            arrays: dict[str, Any] = {"epochs": np.array([epoch for epoch, _ in found])}
            arrays["images" if self.of_images else "texts"] = drawn
            np.savez_compressed(to / NAME, **arrays)
        shutil.rmtree(self.folder, ignore_errors=True)
