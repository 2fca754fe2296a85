"""Tell rows of the data from novel ones: by density, by the largest probability of a class, by what is badly rebuilt.

A novel row has the values of real rows column by column, each column from another row; a novel image has its upper half
from one image and its lower half from another: every part is ordinary, their combination is not. All models judge the
same rows. The largest probability is the usual signal of a model of P(y|x) (Hendrycks and Gimpel, "A Baseline for
Detecting Misclassified and Out-of-Distribution Examples", ICLR 2017), the error of what is rebuilt that of an
autoencoder (Japkowicz, Myers and Gluck, "A Novelty Detection Approach to Classification", IJCAI 1995).

Where the data set brings images of other things, these are judged, too. A density often finds simple images of other
things more probable than its own (Nalisnick et al., "Do Deep Generative Models Know What They Don't Know?", ICLR 2019);
so it also judges against how simple an image is: log p(x) plus the nats into which a compressor brings x, a likelihood
ratio with the compressor as the other model (Serrà et al., "Input Complexity and Out-of-Distribution Detection with
Likelihood-Based Generative Models", ICLR 2020).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.schema import Schema
from versus.data.spaces import Image, Table
from versus.evaluation.answers import Answers, HeldOut, capabilities, density, in_batches
from versus.evaluation.uses.density import as_asked
from versus.models.preprocessing import Preprocessor

WHAT = "novelty"


def concerns(schema: Schema) -> bool:
    """Check that events have two parts or more to combine."""
    return isinstance(schema.x, Table | Image) and schema.n_features > 1


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if the model has neither a density, nor probabilities, nor rebuilt events; None if it has one."""
    has = capabilities(model)
    if density(has) is not None or {"predict_proba", "reconstruct"} & set(has):
        return None
    return f"{type(model).__name__} has neither a density nor probabilities of classes, and rebuilds no events"


def answers(model: Any, held_out: HeldOut, seed: int) -> Iterator[Answers]:
    """Yield scores of real rows (n,) and of as many novel ones (n,), higher for what looks familiar."""
    X, schema = np.asarray(held_out.X), held_out.schema
    novel = shuffled(X, np.random.default_rng(seed)) if isinstance(schema.x, Table) else spliced(X, seed)
    has = capabilities(model)
    if density(has) is not None:
        yield Answers("novelty", tuple(familiarity(model, as_asked(model, rows, schema, seed)) for rows in (X, novel)))
    elif "predict_proba" in has:
        yield Answers("novelty", (familiarity(model, X), familiarity(model, novel)))
    if "reconstruct" in has:
        yield Answers("novelty_by_error", tuple(-reconstruction_errors(model, rows, X, schema) for rows in (X, novel)))
    if held_out.data.novel is not None:
        yield from of_other_things(model, X, np.asarray(held_out.data.novel), schema, seed)


def of_other_things(model: Any, X: Array, others: Array, schema: Schema, seed: int) -> Iterator[Answers]:
    """Yield scores of images (n, H, W[, C]) and of images of other things, each signal that the model has."""
    has, pairs = capabilities(model), (X, others)
    if density(has) is not None:
        found = [familiarity(model, as_asked(model, rows, schema, seed)) for rows in pairs]
        yield Answers("others", tuple(found))
        ratios = [of + compressed(rows) for of, rows in zip(found, pairs, strict=True)]
        yield Answers("others_by_complexity", tuple(ratios))
    elif "predict_proba" in has:
        yield Answers("others", tuple(familiarity(model, rows) for rows in pairs))
    if "reconstruct" in has:
        yield Answers("others_by_error", tuple(-reconstruction_errors(model, rows, X, schema) for rows in pairs))


def compressed(X: Array) -> Array:
    """Nats that each image takes, compressed, (n, H, W[, C]) integers -> (n,).

    As in a PNG, the pixels as they are or what they add to those before or above them, whichever is shorter.
    """
    stored = np.asarray(X).astype(np.uint8 if np.max(X) < 256 else np.uint16)
    ways = [stored, *(np.diff(stored, axis=axis, prepend=0) for axis in (1, 2))]
    shortest = [min(len(zlib.compress(way[i].tobytes(), 9)) for way in ways) for i in range(len(stored))]
    return 8 * math.log(2) * np.array(shortest, dtype=np.float64)


def shuffled(X: Array, rng: np.random.Generator) -> Array:
    """Take each column from other rows, (n, D) -> (n, D)."""
    return np.stack([rng.permutation(column) for column in X.T], axis=1)


def spliced(X: Array, seed: int) -> Array:
    """Take the lower half of each image from another one, (n, H, W[, C]) -> (n, H, W[, C])."""
    other = np.random.default_rng(seed).permutation(len(X))
    rows = X.shape[1] // 2
    return np.concatenate([X[other][:, :rows], X[np.roll(other, 1)][:, rows:]], axis=1)


def familiarity(model: Any, X: Array) -> Array:
    """Log-density or its bound in nats, or else the largest probability, (n, D) -> (n,); what is NaN is least so."""
    method = density(capabilities(model))
    found = in_batches(getattr(model, method or "predict_proba"), X)
    found = found.max(axis=1) if method is None else found
    return np.nan_to_num(np.asarray(found, dtype=np.float64), nan=-np.inf)


def reconstruction_errors(model: Any, X: Array, known: Array, schema: Schema) -> Array:
    """Mean squared difference of events from what is rebuilt, (n, *event) -> (n,), in units of the known ones.

    Missing values have no error.
    """
    rebuilt = in_batches(model.reconstruct, X)
    if not isinstance(schema.x, Image):
        rebuilt = np.where(np.isnan(X), X, rebuilt)
    units = Preprocessor(schema).fit(known)
    found: Array = np.square(units.transform(X) - units.transform(rebuilt)).mean(axis=1)
    return found
