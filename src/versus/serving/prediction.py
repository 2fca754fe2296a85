"""Fitted models in the user's terms: original column names, categories and class labels in, the same out.

For `versus predict` and `versus sample`, and for the models that MLflow serves (`versus.serving.frames` says what data
look like).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Labels, Ragged
from versus.data.columns import text_of
from versus.data.errors import DataError, unknown
from versus.data.schema import Schema
from versus.data.spaces import Image, Series, Tokens
from versus.data.targets import Classes, Number, Tags, Trees
from versus.models import persistence
from versus.models.events import draw
from versus.serving import sequences
from versus.serving.frames import Data, Unseen, category_reader, decode, encode
from versus.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

COVERAGE = 0.95
REPEAT = 0  # of the models of a cell, one for each split, the first answers


def load(workspace: Workspace, cell: str) -> Any:
    """Load the model of an evaluated cell.

    Raises:
        versus.models.persistence.PersistenceError: where it is missing or damaged.
    """
    return persistence.load(workspace.model(cell) / str(REPEAT))


def predict(model: Any, data: Data, unseen: Unseen = "error") -> pd.DataFrame:
    """Predict, one row for each row of the data.

    Args:
        model: fitted; knows the schema of its data.
        data: a table, images, or a table with a column ``text``.
        unseen: "missing" takes a category that the model does not know as a missing value.

    Returns:
        For classes ``prediction`` with the label, of the type that `labels` gives it, and ``probability_<label>`` for
        each; for a number ``prediction``, and ``lower`` and ``upper``, which hold it with probability 0.95, where the
        model has such an interval. For tagged sequences ``prediction``, the tags of all tokens joined by blanks; for
        trees the tree in brackets; for steps of sequences the tag of each row.

    Raises:
        DataError: where the data do not fit the model.
    """
    import pandas as pd

    schema: Schema = model.schema
    if isinstance(schema.x, Series):
        return pd.DataFrame({"prediction": sequences.tags_of_rows(model, data)}, dtype=object)
    model, X = sequences.encode(model, data) if isinstance(schema.x, Tokens) else (model, encode(data, schema, unseen))
    if isinstance(schema.y, Tags | Trees):
        return pd.DataFrame({"prediction": sequences.answers(model, X)}, dtype=object)
    if isinstance(schema.y, Number):
        columns: dict[str, Any] = {"prediction": model.predict(X)}
        if hasattr(model, "predict_interval"):
            columns["lower"], columns["upper"] = model.predict_interval(X, COVERAGE).T
        return pd.DataFrame(columns)
    if not hasattr(model, "predict_proba"):
        raise DataError(f"{type(model).__name__} is a density without classes: it samples, and predicts nothing")
    probabilities = np.asarray(model.predict_proba(X), dtype=np.float64)
    found = labels(schema.classes)[probabilities.argmax(axis=1)]
    named = {f"probability_{label}": p for label, p in zip(schema.classes, probabilities.T, strict=True)}
    return pd.DataFrame({"prediction": found, **named})


def labels(classes: Sequence[str]) -> NDArray[Any]:
    """Return the labels of classes, (K,), as pandas reads them from a file: int64, float64, bool, or text as object."""
    for kind, name in ((int, str), (float, repr)):
        with suppress(ValueError):
            if all(name(kind(text)) == text for text in classes):
                return np.array([kind(text) for text in classes])
    if {text.casefold() for text in classes} == {"false", "true"}:
        return np.array([text.casefold() == "true" for text in classes])
    return np.array(classes, dtype=object)


def sample(model: Any, n: int, label: Any = None, random_state: int | None = None) -> Data:
    """Draw new data from a generative model.

    Args:
        model: fitted; knows the schema of its data.
        n: number of rows or images.
        label: class to draw from; None for all, as frequent as in the data.
        random_state: seed; None for other draws each time.

    Returns:
        A table with the original columns, and the target where the model knows classes; or images (n, *event).

    Raises:
        DataError: for a model that draws nothing, or not by class, and for an unknown class.
    """
    schema: Schema = model.schema
    if not hasattr(model, "sample"):
        raise DataError(f"{type(model).__name__} models y given x, and draws no data; take a generative model")
    if n < 1:
        raise DataError(f"n is {n}; at least 1 is wanted")
    seed = int(np.random.default_rng().integers(2**31)) if random_state is None else random_state
    y = _classes(model, n, label, seed)
    try:
        drawn = draw(model, n, y, schema, seed)
    except ValueError as error:
        raise DataError(str(error)) from error
    if isinstance(schema.x, Image):
        return drawn
    table = sequences.decode(drawn, schema) if isinstance(drawn, Ragged) else decode(drawn, schema)
    return table if y is None else table.assign(**{schema.target: labels(schema.classes)[y]})


def _classes(model: Any, n: int, label: Any, seed: int) -> Labels | None:
    """Class of each row to draw, (n,): the one that is asked for, or one by the model's prior; None if it has none."""
    schema: Schema = model.schema
    if label is not None:
        code = category_reader(schema.classes)(text_of(label))
        if code is None:
            raise DataError(unknown("class", text_of(label), schema.classes))
        if isinstance(schema.y, Tags | Trees):
            raise DataError(f"the target is {schema.y.kind} and no class: none is drawn by {label!r} alone")
        return np.full(n, int(code))
    prior = np.exp(getattr(model, "log_prior_", ())) if isinstance(schema.y, Classes) else np.empty(0)
    if not len(prior):
        return None
    # Of another stream than the rows, which begins with the same seed.
    return np.random.default_rng((seed, 1)).choice(len(prior), n, p=prior / prior.sum())
