"""Translate images of the first of two domains to the second, beside the same images left as they are.

Where the true translation is known, as of digits to their outlines, the error is the distance from it. Where images
have kinds, as digits of two data sets have, the classifier of stage `extractor`, which learned from images of the
second domain alone, names the kinds of translations (Hoffman et al., "CyCADA: cycle-consistent adversarial domain
adaptation", 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.data.images import KNOWN_TRANSLATIONS
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Domains
from versus.evaluation.answers import Answers, EvaluationError, HeldOut, in_batches
from versus.evaluation.uses.denoising import pixel_range

WHAT = "translation"
MOST_IMAGES = 10_000  # test images of a domain


def concerns(schema: Schema) -> bool:
    """Check that there are images of two domains."""
    return isinstance(schema.x, Image) and isinstance(schema.y, Domains)


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model does not translate, as most; None if it does."""
    return None if hasattr(model, "translate") else f"{type(model).__name__} translates no images"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield true images of the second domain with translations and untranslated ones; and the kinds named of both.

    Raises:
        EvaluationError: if the model gives images of another shape, or what is not finite.
    """
    target = held_out.schema.y
    assert isinstance(target, Domains)
    given, kinds = _tested(held_out, target, 0)
    found = in_batches(lambda images: model.translate(images, 1), given)
    if found.shape != given.shape or not np.isfinite(found).all():
        raise EvaluationError(f"repeat {held_out.repeat}: translate gives shape {found.shape} or infinite values")
    if target.known:
        truth, span = KNOWN_TRANSLATIONS[target.known](given), pixel_range(given, held_out.schema)
        yield Answers("translated", (truth, found, span))
        yield Answers("untranslated", (truth, given, span))
    if len(target.kinds) > 1 and held_out.extractor is not None:
        named = held_out.extractor.probabilities
        own, of_own = _tested(held_out, target, 1)
        yield Answers("translated_kinds", (kinds, named(found)))
        yield Answers("untranslated_kinds", (kinds, named(given)))
        yield Answers("own_kinds", (of_own, named(own)))


def _tested(held_out: HeldOut, target: Domains, domain: int) -> tuple[Array, Labels]:
    """Test images of a domain, at most `MOST_IMAGES`, and their kinds."""
    rows = np.flatnonzero(target.domain(held_out.y) == domain)[:MOST_IMAGES]
    return np.asarray(held_out.X[rows]), target.kind(held_out.y[rows])
