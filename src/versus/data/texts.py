"""Texts in the form stored for models: token codes with one class each, one tag per token, a tree, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from versus.arrays import Array, Ragged
from versus.data.columns import RawColumn, in_order
from versus.data.errors import DataError
from versus.data.prepared import Dataset
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.target_column import check_counts, encode_target
from versus.data.targets import Nothing, Tags, Target, Trees
from versus.data.trees import Treebank


@dataclass(frozen=True)
class RawTexts:
    """Tokens of documents or sentences, the official test set last.

    Args:
        file: its name in messages.
        tokens: the tokens of each of the N texts.
        labels: a column of N classes or numbers; or the tags of each text's tokens; or the N trees; None where the N
            texts are windows of a stream, one after the other.
        space: tokenization of the texts; its vocabulary is built from all of them.
        n_test: size of the official test set, the last of the N texts.
        locate: index of a text, from 0 -> its place for the reader, such as file and line.
        warnings: problems noticed while reading.
        about: facts given by the source: description, licence, citation.
    """

    file: str
    tokens: Sequence[Sequence[str]]
    labels: RawColumn | Sequence[Sequence[str]] | Treebank | None
    space: Tokens
    n_test: int = 0
    locate: Callable[[int], str] = field(default=lambda row: f"text {row + 1}")
    warnings: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)


def transcribe(raw: RawTexts, specification: Any) -> Dataset:
    """Encode texts for models, as codes into the sorted vocabulary of all rows.

    Raises:
        DataError: if the labels cannot be learnt, or no text has a token.
    """
    vocabulary, X = _coded(raw.tokens, np.int32)
    if not vocabulary:
        raise DataError(f"{raw.file}: has no words in {len(raw.tokens)} texts; wants some")
    warnings = [*raw.warnings, *_empty(raw)]
    y: Array | Ragged
    target: Target
    if raw.labels is None:
        y, target = np.zeros(len(X), np.int64), Nothing()
    elif isinstance(raw.labels, Treebank):
        names, y = raw.labels.coded()
        target = Trees(names)
    elif isinstance(raw.labels, Sequence):
        names, y = _coded(raw.labels, np.int64)
        target = Tags(names)
    else:
        y, target = encode_target(raw.labels, specification, raw.file, raw.locate)
        warnings += check_counts(y, target, raw.labels, raw.n_test, raw.file)
    schema = Schema(replace(raw.space, vocabulary=vocabulary), target)
    return Dataset(X, y, schema, raw.n_test, warnings, raw.about, is_stream=raw.labels is None)


def _coded(sequences: Sequence[Sequence[str]], dtype: type[Any]) -> tuple[tuple[str, ...], Ragged]:
    """Return the names in fixed order, and the sequences as their codes."""
    names = in_order({name for sequence in sequences for name in sequence})
    codes = {name: code for code, name in enumerate(names)}
    values = np.fromiter((codes[name] for sequence in sequences for name in sequence), dtype)
    return tuple(names), Ragged(values, starts_of(map(len, sequences)))


def starts_of(lengths: Iterable[int]) -> Array:
    """Compute the start of each of N concatenated sequences and the end of the last one, (N + 1,) int64."""
    return np.concatenate([[0], np.cumsum([*lengths], dtype=np.int64)]).astype(np.int64)


def _empty(raw: RawTexts) -> list[str]:
    empty = [row for row, tokens in enumerate(raw.tokens) if not tokens]
    if not empty:
        return []
    return [f"{len(empty)} of {len(raw.tokens)} texts have no words, such as {raw.locate(empty[0])}"]
