"""Sequences for a fitted model: texts in a column ``text``, or a table with a row a step and a column of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from versus.arrays import Events, Ragged
from versus.data.errors import DataError, listed, unknown
from versus.data.schema import Schema
from versus.data.spaces import Series, Tokens
from versus.data.targets import Tags, Trees
from versus.serving import frames

if TYPE_CHECKING:
    import pandas as pd

TEXT = "text"


def encode(model: Any, data: pd.DataFrame) -> tuple[Any, Ragged]:
    """Encode texts as token codes, and return the model that knows these codes: unseen words get new ones.

    Raises:
        DataError: where the table has no column ``text``, or a sentence to be tagged has no words.
    """
    if TEXT not in data.columns:
        raise DataError(f"column {TEXT!r} is missing; the table has {listed([str(name) for name in data.columns])}")
    sequences = [model.schema.x.cut(str(text)) for text in data[TEXT]]
    if isinstance(model.schema.y, Tags | Trees) and not all(sequences):
        raise DataError(f"row {[len(s) > 0 for s in sequences].index(False) + 1} has no words; wants some to tag")
    codes = {word: code for code, word in enumerate(model.schema.x.vocabulary)}
    known = len(codes)
    values = [[codes.setdefault(word, len(codes)) for word in sequence] for sequence in sequences]
    if len(codes) > known:
        model = with_vocabulary(model, tuple(codes))
    return model, Ragged.of(values, np.int32)


def with_vocabulary(model: Any, vocabulary: tuple[str, ...]) -> Any:
    """Return a fitted model under a longer vocabulary, which begins with the one that it was fitted under."""
    schema = replace(model.schema, x=replace(model.schema.x, vocabulary=vocabulary))
    longer = type(model)(**model.arguments(), schema=schema)
    longer.set_arrays(model.get_arrays())
    if hasattr(model, "estimator_"):
        longer.estimator_ = model.estimator_
    return longer


def decode(X: Ragged, schema: Schema) -> pd.DataFrame:
    """Decode token codes as texts, words joined by blanks; rows of numbers as a table, numbered by sequence."""
    import pandas as pd

    if isinstance(schema.x, Series):
        ids = {schema.x.sequence: np.repeat(np.arange(len(X)), X.lengths)}
        return frames.decode(X.values, schema).assign(**ids)
    assert isinstance(schema.x, Tokens)
    return pd.DataFrame({TEXT: [schema.x.text(sequence) for sequence in X]}, dtype=object)


def answers(model: Any, X: Events) -> Sequence[str]:
    """The tags of each sequence, joined by blanks, or its tree in brackets."""
    found, space, target = (getattr(model, "parse", None) or model.predict)(X), model.schema.x, model.schema.y
    return [target.written(one, words=space.words(tokens)) for one, tokens in zip(found, X, strict=True)]


def tags_of_rows(model: Any, data: pd.DataFrame) -> Any:
    """The tag of each row of a table, (n,) text, in the table's order; rows of one id are steps of one sequence.

    Raises:
        DataError: where a column is missing, an id or a number is, or a value is no number.
    """
    schema: Schema = model.schema
    assert isinstance(schema.x, Series)
    if schema.x.sequence not in data.columns:
        known = [str(name) for name in data.columns]
        raise DataError(f"the ids of the sequences are missing; {unknown('column', schema.x.sequence, known)}")
    rows = frames.encode(data, schema)
    if np.isnan(rows).any():
        row, column = (int(place[0]) for place in np.nonzero(np.isnan(rows)))
        raise DataError(f"row {row + 1}, column {schema.columns[column].name!r} has no value; steps want all numbers")
    codes = np.unique([str(value) for value in data[schema.x.sequence]], return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    found = np.empty(len(rows), object)
    predicted = model.predict(Ragged.cut(rows[order], np.bincount(codes)))
    found[order] = np.array(schema.classes, object)[predicted.values]
    return found
