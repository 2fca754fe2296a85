"""Texts for a fitted model: a table with a column ``text``; in and out as words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from versus.arrays import Events, Ragged
from versus.data.errors import DataError, listed
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Tags

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
    if isinstance(model.schema.y, Tags) and not all(sequences):
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
    """Decode token codes as texts, words joined by blanks."""
    import pandas as pd

    assert isinstance(schema.x, Tokens)
    return pd.DataFrame({TEXT: [schema.x.text(sequence) for sequence in X]}, dtype=object)


def tags(model: Any, X: Events) -> Sequence[str]:
    """The tag of each token of each sequence, joined by blanks."""
    return [" ".join(model.schema.classes[code] for code in sequence) for sequence in model.predict(X)]
