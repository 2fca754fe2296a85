"""Extractor of image features: a classifier fitted once for a data set, or Inception-v3, by which images are scored.

It is one instrument for all models and repeats, a convolutional network fitted on the training rows of the first
repeat and stopped early by its validation rows; test rows of later repeats may be among them, for all models alike. Of
two domains whose images have kinds, it learns the kinds from images of the second alone. The folder that stage
`extractor` writes also holds the fingerprint of that stage, so that scores are computed again wherever the network or
its code may have changed. A data set without images or classes has a folder without a network.

Who has weights of Inception-v3 names their file in params.yaml: all images are then scored in its features, those of
two domains excepted. The folder holds the hash of the file and not the weights.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from versus import manifest
from versus.arrays import Array, Labels
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Classes, Domains
from versus.evaluation.answers import in_batches
from versus.metrics.image_samples import ImageSample
from versus.models import find, persistence
from versus.settings import EXTRACTOR, INCEPTION, Inception

ARGUMENTS = {"epochs": 30, "channels": 16, "hidden": 64}
MOST_LEARNED = 10_000  # rows; more make features hardly better, and the fit much longer
_ABOUT, _NETWORK, _MADE_BY = "about.json", "network", "made_by.txt"
_NONE = "none.txt"


def suits(data: Prepared) -> bool:
    """Check that there are images, and classes to learn features from."""
    return isinstance(data.schema.x, Image) and isinstance(data.schema.y, Classes) and data.schema.n_classes > 1


def write(folder: Path, data: Prepared, made_by: str, seed: int, inception: Inception | None = None) -> None:
    """Fit the extractor of a data set and write its folder; one without a network where it does not suit.

    Args:
        folder: a new folder.
        data: the prepared data set; test rows of the first repeat are not looked at.
        made_by: fingerprint of the stage.
        seed: seed of the fit.
        inception: weights of the network that takes its place.

    Raises:
        ValueError: if the file of weights is missing or another one.
    """
    folder.mkdir(parents=True)
    facts: dict[str, Any] | None = None
    if inception is not None and isinstance(data.schema.x, Image) and not isinstance(data.schema.y, Domains):
        facts = _of_inception(data, inception)
    elif suits(data):
        facts = _fitted(folder, data, made_by, seed)
    if facts is None:
        (folder / _NONE).write_text("no images with classes\n", encoding="utf-8")
    else:
        (folder / _ABOUT).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        (folder / _MADE_BY).write_text(made_by, encoding="utf-8")
    manifest.write(folder)


def _fitted(folder: Path, data: Prepared, made_by: str, seed: int) -> dict[str, Any]:
    """Fit and write the network; returns the facts about it."""
    schema, learned, validation = _rows(data)
    kept = np.sort(np.random.default_rng(seed).permutation(len(learned[1]))[:MOST_LEARNED])
    learned = learned[0][kept], learned[1][kept]
    network = find(*EXTRACTOR)(**ARGUMENTS, random_state=seed, schema=schema)
    for _ in network.fit_steps(*learned, validation=validation):
        pass
    persistence.save(network, folder / _NETWORK, *EXTRACTOR[:2])
    recipe = hashlib.sha256(made_by.encode())
    for array in learned:
        recipe.update(np.ascontiguousarray(array).data)
    return {
        # Of what it was made from, so that it is the same on every machine; the weights may differ in their last bits.
        "name": f"cnn_{recipe.hexdigest()[:8]}",
        "sha256": manifest.digest(persistence.files(folder / _NETWORK)),
        "accuracy": float((network.predict(validation[0]) == validation[1]).mean()),
        "scale": float(np.sqrt(np.square(in_batches(network.encode, learned[0])).mean())) or 1.0,
    }


def _rows(data: Prepared) -> tuple[Schema, tuple[Array, Labels], tuple[Array, Labels]]:
    """Form of the images and classes to learn, and the rows to learn from and to stop by."""
    target, parts = data.schema.y, (data.take(0, "train"), data.take(0, "validation"))
    if not isinstance(target, Domains) or len(target.kinds) < 2:
        return data.schema, *parts
    learned, validation = ((X[of], target.kind(y[of])) for X, y in parts for of in [target.domain(y) == 1])
    return Schema(data.schema.x, Classes(target.kinds, "kind")), learned, validation


def _of_inception(data: Prepared, inception: Inception) -> dict[str, Any]:
    """Facts about the network, whose features stay in their unit: others score in the same."""
    pixels = data.take(0, "train")[0]
    low, high = (0, data.schema.levels - 1) if data.schema.levels else (float(pixels.min()), float(pixels.max()))
    found = {"low": low, "high": high}
    _inception(found, inception)
    return {"name": f"inception_{inception.sha256[:8].lower()}", "sha256": inception.sha256.lower(), **found}


def _inception(facts: Mapping[str, Any], inception: Inception | None) -> Any:
    if inception is None:
        raise ValueError("comparison.inception: images were scored with it, and params.yaml does not name it any more")
    network = import_module(INCEPTION)
    return network.read(Path(inception.path), inception.sha256, facts["low"], facts["high"])


@dataclass(frozen=True)
class Extractor:
    """Extractor in a folder, read on first use.

    Args:
        folder: what `write` wrote.
        inception: weights of the network, if `write` was given them.
    """

    folder: Path
    inception: Inception | None = None

    @property
    def exists(self) -> bool:
        """True where the data set has one."""
        return (self.folder / _ABOUT).is_file()

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Its name, a hash, the scale of its features and, where it was fitted, its accuracy on validation rows."""
        found: dict[str, Any] = json.loads((self.folder / _ABOUT).read_text(encoding="utf-8"))
        return found

    @property
    def suffix(self) -> str:
        """Suffix of the names of its scores, so that those of different extractors never share a column."""
        return f"_{self.facts['name']}"

    @property
    def is_fitted(self) -> bool:
        """True for a classifier of the data's own classes."""
        return "accuracy" in self.facts

    @cached_property
    def _network(self) -> Any:
        return persistence.load(self.folder / _NETWORK) if self.is_fitted else _inception(self.facts, self.inception)

    def probabilities(self, images: Array) -> Array:
        """Probabilities of the classes that it was fitted to, (n, *event) -> (n, K)."""
        return in_batches(self._network.predict_proba, images).astype(np.float64)

    def seen(self, images: Array) -> ImageSample:
        """Features and probabilities of images; of a fitted one, their mean square is 1 over the rows learned from."""
        if not self.is_fitted:
            return ImageSample(*self._network.seen(images))
        features = in_batches(self._network.encode, images).astype(np.float64) / self.facts["scale"]
        return ImageSample(features, self.probabilities(images))
