"""Fitted models in the user's terms: original column names, categories and class labels in, the same out.

For `versus predict` and `versus sample`, and for the models that MLflow serves (`versus.serving.frames` says what data
look like).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from versus.arrays import Ragged
from versus.data.errors import DataError, unknown
from versus.data.schema import Schema
from versus.data.spaces import Image, Tokens
from versus.data.targets import Number, Tags
from versus.models import persistence
from versus.models.events import draw
from versus.serving import texts
from versus.serving.frames import Data, Unseen, decode, encode
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
        For classes ``prediction`` with the label and ``probability_<label>`` for each; for a number ``prediction``,
        and ``lower`` and ``upper``, which hold it with probability 0.95, where the model has such an interval. For
        tagged sequences ``prediction``, the tags of all tokens joined by blanks.

    Raises:
        DataError: where the data do not fit the model.
    """
    import pandas as pd

    schema: Schema = model.schema
    model, X = texts.encode(model, data) if isinstance(schema.x, Tokens) else (model, encode(data, schema, unseen))
    if isinstance(schema.y, Tags):
        return pd.DataFrame({"prediction": texts.tags(model, X)}, dtype=object)
    if isinstance(schema.y, Number):
        columns: dict[str, Any] = {"prediction": model.predict(X)}
        if hasattr(model, "predict_interval"):
            columns["lower"], columns["upper"] = model.predict_interval(X, COVERAGE).T
        return pd.DataFrame(columns)
    if not hasattr(model, "predict_proba"):
        raise DataError(f"{type(model).__name__} is a density without classes: it samples, and predicts nothing")
    probabilities = np.asarray(model.predict_proba(X), dtype=np.float64)
    labels = np.array(schema.classes, dtype=object)[probabilities.argmax(axis=1)]
    named = {f"probability_{label}": p for label, p in zip(schema.classes, probabilities.T, strict=True)}
    return pd.DataFrame({"prediction": labels, **named})


def sample(model: Any, n: int, label: str | None = None, random_state: int | None = None) -> Data:
    """Draw new data from a generative model.

    Args:
        model: fitted; knows the schema of its data.
        n: number of rows or images.
        label: class to draw from; None for all, as frequent as in the data.
        random_state: seed; None for other draws each time.

    Returns:
        A table with the original columns, and the target where the class was given; or images (n, *event).

    Raises:
        DataError: for a model that draws nothing, or not by class, and for an unknown class.
    """
    schema: Schema = model.schema
    if not hasattr(model, "sample"):
        raise DataError(f"{type(model).__name__} models y given x, and draws no data; take a generative model")
    if n < 1:
        raise DataError(f"n is {n}; at least 1 is wanted")
    if label is not None and label not in schema.classes:
        raise DataError(unknown("class", label, schema.classes))
    if label is not None and isinstance(schema.y, Tags):
        raise DataError(f"sequences have a tag for each token and no class: none is drawn by {label!r} alone")
    y = None if label is None else np.full(n, schema.classes.index(label))
    seed = int(np.random.default_rng().integers(2**31)) if random_state is None else random_state
    try:
        drawn = draw(model, n, y, schema, seed)
    except ValueError as error:
        raise DataError(str(error)) from error
    if isinstance(schema.x, Image):
        return drawn
    table = texts.decode(drawn, schema) if isinstance(drawn, Ragged) else decode(drawn, schema)
    return table if label is None else table.assign(**{schema.target: label})
