"""Extractor of image features: a classifier fitted once for a data set, by which generated images are scored.

It is one instrument for all models and repeats, a convolutional network fitted on the training rows of the first
repeat and stopped early by its validation rows; test rows of later repeats may be among them, for all models alike. The
folder that stage `extractor` writes also holds the fingerprint of that stage, so that scores are computed again
wherever the network or its code may have changed. A data set without images or classes has a folder without a network.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from versus import manifest
from versus.arrays import Array, Labels
from versus.data.prepared import Prepared
from versus.data.spaces import Image
from versus.data.targets import Classes
from versus.evaluation.answers import in_batches
from versus.metrics.image_samples import ImageSample
from versus.models import find, persistence
from versus.settings import EXTRACTOR

ARGUMENTS = {"epochs": 30, "channels": 16, "hidden": 64}
MOST_LEARNED = 10_000  # rows; more make features hardly better, and the fit much longer
_ABOUT, _NETWORK, _MADE_BY = "about.json", "network", "made_by.txt"
_NONE = "none.txt"


def suits(data: Prepared) -> bool:
    """Check that there are images, and classes to learn features from."""
    return isinstance(data.schema.x, Image) and isinstance(data.schema.y, Classes) and data.schema.n_classes > 1


def write(folder: Path, data: Prepared, made_by: str, seed: int) -> None:
    """Fit the extractor of a data set and write its folder; one without a network where it does not suit.

    Args:
        folder: a new folder.
        data: the prepared data set; test rows of the first repeat are not looked at.
        made_by: fingerprint of the stage.
        seed: seed of the fit.
    """
    folder.mkdir(parents=True)
    if suits(data):
        X, y = data.take(0, "train")
        kept = np.sort(np.random.default_rng(seed).permutation(len(y))[:MOST_LEARNED])
        _write_network(folder, data, (X[kept], y[kept]), made_by, seed)
        (folder / _MADE_BY).write_text(made_by, encoding="utf-8")
    else:
        (folder / _NONE).write_text("no images with classes\n", encoding="utf-8")
    manifest.write(folder)


def _write_network(folder: Path, data: Prepared, learned: tuple[Array, Labels], made_by: str, seed: int) -> None:
    network = find(*EXTRACTOR)(**ARGUMENTS, random_state=seed, schema=data.schema)
    validation = data.take(0, "validation")
    for _ in network.fit_steps(*learned, validation=validation):
        pass
    persistence.save(network, folder / _NETWORK, *EXTRACTOR[:2])
    recipe = hashlib.sha256(made_by.encode())
    for array in learned:
        recipe.update(np.ascontiguousarray(array).data)
    facts = {
        # Of what it was made from, so that it is the same on every machine; the weights may differ in their last bits.
        "name": f"cnn_{recipe.hexdigest()[:8]}",
        "sha256": manifest.digest(persistence.files(folder / _NETWORK)),
        "accuracy": float((network.predict(validation[0]) == validation[1]).mean()),
        "scale": float(np.sqrt(np.square(in_batches(network.encode, learned[0])).mean())) or 1.0,
    }
    (folder / _ABOUT).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Extractor:
    """Extractor in a folder, read on first use.

    Args:
        folder: what `write` wrote.
    """

    folder: Path

    @property
    def exists(self) -> bool:
        """True where the data set has one."""
        return (self.folder / _ABOUT).is_file()

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Its name, the hash of its files, its accuracy on validation rows, and the scale of its features."""
        found: dict[str, Any] = json.loads((self.folder / _ABOUT).read_text(encoding="utf-8"))
        return found

    @property
    def suffix(self) -> str:
        """Suffix of the names of its scores, so that those of different extractors never share a column."""
        return f"_{self.facts['name']}"

    @cached_property
    def _network(self) -> Any:
        return persistence.load(self.folder / _NETWORK)

    def seen(self, images: Array) -> ImageSample:
        """Features, whose mean square is 1 over the rows that it learned from, and probabilities of images."""
        features = in_batches(self._network.encode, images).astype(np.float64) / self.facts["scale"]
        return ImageSample(features, in_batches(self._network.predict_proba, images).astype(np.float64))
