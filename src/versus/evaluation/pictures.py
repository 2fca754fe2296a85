"""Pictures of a model's codes: images rebuilt and denoised, ways between two images, single codes that vary.

All are of the first repeat's test images, the first of each class in turn, and the same for all models.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from versus.arrays import Array, Labels
from versus.data.images import KNOWN_TRANSLATIONS
from versus.data.prepared import Prepared
from versus.data.spaces import Image
from versus.data.targets import Domains
from versus.evaluation.uses.denoising import pixel_range, with_noise

SHOWN, STEPS = 10, 9  # images, and places on a way between two of them or along a code
MOST_CODES, REACH = 8, 2.0  # codes that vary, and how far, in standard deviations on each side
CODED = 500  # test images that say how much a code varies


def pictures(model: Any, data: Prepared, seed: int) -> dict[str, Array]:
    """Draw what the model's methods allow, as stored images; empty for other events, or a model that rebuilds none.

    Returns:
        "rebuilt" and "denoised" (2, n, *event), each given and then found; "interpolations" (pairs, S, *event) from
        one image to another; "traversals" (codes, S, *event), each along the code that varies most of those left.
        Of two domains "translated" (2 or 3, n, *event): given, found and, where known, true.
    """
    if isinstance(data.schema.y, Domains) and hasattr(model, "translate"):
        return {"translated": _translated(model, data, data.schema.y)}
    if not isinstance(data.schema.x, Image) or not hasattr(model, "reconstruct"):
        return {}
    (X, y), learned = data.take(0, "test"), data.take(0, "train")[0]
    shown = np.asarray(X[first_of_each(y)])
    noisy = with_noise(shown, data.schema, pixel_range(learned, data.schema), np.random.default_rng(seed))
    found = {
        "rebuilt": np.stack([shown, model.reconstruct(shown)]),
        "denoised": np.stack([noisy, model.reconstruct(noisy)]),
    }
    if hasattr(model, "encode"):
        codes = model.encode(shown)
        found["interpolations"] = _decoded(model, between(codes))
        found["traversals"] = _decoded(model, along(codes[0], model.encode(np.asarray(X[:CODED]))))
    half = 0.5 if data.schema.levels else 0.0  # storing cuts off
    return {name: data.schema.x.stored(images + half) for name, images in found.items()}


def _translated(model: Any, data: Prepared, target: Domains) -> Array:
    """Translate images of the first domain, the first of each kind in turn."""
    X, y = data.take(0, "test")
    rows = np.flatnonzero(target.domain(y) == 0)
    shown = np.asarray(X[rows[first_of_each(target.kind(y[rows]))]])
    truth = [KNOWN_TRANSLATIONS[target.known](shown)] if target.known else []
    return np.stack([shown, model.translate(shown, 1), *truth])


def first_of_each(y: Labels) -> Labels:
    """Rows to show: the first of each class in turn, then the second, (n,) -> (at most `SHOWN`,)."""
    order = np.argsort(y, kind="stable")
    labels = np.asarray(y)[order]
    turn = np.arange(len(labels)) - np.searchsorted(labels, labels)  # its place among those of its class
    return np.asarray(order[np.lexsort((labels, turn))][:SHOWN], dtype=np.int64)


def between(codes: Array) -> Array:
    """Straight ways from each second code to the next, (n, L) -> (n // 2, S, L)."""
    pairs, t = len(codes) // 2, np.linspace(0, 1, STEPS)[:, None]
    return np.asarray((1 - t) * codes[: 2 * pairs : 2, None] + t * codes[1 : 2 * pairs : 2, None])


def along(code: Array, others: Array) -> Array:
    """Vary one entry at a time of a code, those first that vary most in others: (L,), (n, L) -> (codes, S, L)."""
    deviations = others.std(axis=0)
    chosen = np.argsort(-deviations, kind="stable")[:MOST_CODES]
    found = np.tile(code, (len(chosen), STEPS, 1))
    t = np.linspace(-REACH, REACH, STEPS)
    found[np.arange(len(chosen)), :, chosen] = others.mean(axis=0)[chosen, None] + deviations[chosen, None] * t
    return found


def _decoded(model: Any, codes: Array) -> Array:
    images = model.decode(codes.reshape(-1, codes.shape[-1]))
    return np.asarray(images.reshape(*codes.shape[:2], *images.shape[1:]))
