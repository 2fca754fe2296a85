"""Images of two domains from two sources of images, in one data set: scaled to one size, joined without pairs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from versus.data.columns import Words, as_words
from versus.data.errors import DataError
from versus.data.file_specification import DomainPair
from versus.data.images import RawImages, resized
from versus.data.prepared import Dataset
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Domains


def joined(parts: Mapping[str, object], specification: DomainPair) -> Dataset:
    """Join the images of both domains; kinds are the classes of the images where both domains have the same ones.

    Args:
        parts: name of each domain -> its images, as read.
        specification: entry in params.yaml.

    Raises:
        DataError: if a source holds no images, sizes or levels differ, or one domain alone has an official test set.
    """
    images = {name: _images(name, raw, specification) for name, raw in parts.items()}
    shapes = {name: (raw.pixels.shape[1:], raw.levels) for name, raw in images.items()}
    if len(set(shapes.values())) > 1:
        told = "; ".join(f"{name}: {shape} of {levels} levels" for name, (shape, levels) in shapes.items())
        raise DataError(f"the domains have images of different forms, {told}; `resize: [height, width]` makes one size")
    tested = [raw.n_test for raw in images.values()]
    if 0 in tested and any(tested):
        sizes = " and ".join(map(str, tested))
        raise DataError(f"the official test sets hold {sizes} images; give one to both, or neither")
    labels = [as_words(raw.labels) for raw in images.values()]
    for raw, of in zip(images.values(), labels, strict=True):
        if of.missing.any():
            raise DataError(f"{raw.locate(int(of.missing.argmax()))}: the image has no class; take it out")
    target = Domains.joined(tuple(images), _kinds(labels))
    y = [k * len(target.kinds) + (of.codes if target.kinds != ("",) else 0 * of.codes) for k, of in enumerate(labels)]
    order = _order([(len(of.codes), n_test) for of, n_test in zip(labels, tested, strict=True)])
    pixels = np.concatenate([raw.pixels for raw in images.values()])[order]
    (shape, levels), *_ = shapes.values()
    warnings = [f"{name}: {warning}" for name, raw in images.items() for warning in raw.warnings]
    return Dataset(pixels, np.concatenate(y)[order], Schema(Image(shape, levels), target), sum(tested), warnings)


def _images(name: str, raw: object, specification: DomainPair) -> RawImages:
    if not isinstance(raw, RawImages):
        raise DataError(f"of.{name}: holds a table; with `shape: [height, width]` its rows are images")
    if specification.resize is None:
        return raw
    pixels = resized(raw.pixels, specification.resize, raw.file)
    return RawImages(raw.file, pixels, raw.levels, raw.labels, raw.n_test, raw.locate, raw.warnings)


def _kinds(labels: list[Words]) -> tuple[str, ...]:
    """Classes that both domains have; a single empty name where they differ, or there is only one."""
    first, second = (of.words for of in labels)
    return first if first == second and len(first) > 1 else ("",)


def _order(sizes: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Rows of (all, tested) sizes one after the other, reordered so that those of all test sets come last."""
    is_tested = np.concatenate([np.arange(n) >= n - n_test for n, n_test in sizes])
    return np.argsort(is_tested, kind="stable").astype(np.int64)
