"""Columns from batches of texts: what is a number becomes one batch by batch, so that few texts are held at a time.

Numbers are recognized here and not by Arrow's readers, so that texts such as ``?`` can appear among numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data.columns import EXACT, Numbers, RawColumn, Words, as_numbers, merged
from versus.data.table_specification import WrittenTable

_CODE = re.compile(r"[+-]?0[0-9]")  # 007 is not 7


class TextColumns:
    """Columns that grow by batches of texts.

    A column is kept as numbers until a batch holds something else. Its first batch is then already converted, and its
    texts must be given again: `unfinished` names such columns.

    Args:
        names: names of the columns, in the order of the batches.
        specification: what means "no value", notation, and the columns that are said to be numbers or categories.
        as_texts: True to keep all columns as texts until they are complete.
    """

    def __init__(self, names: Sequence[str], specification: WrittenTable, as_texts: bool = False) -> None:
        self.names = tuple(names)
        self._specification = specification
        self._values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names if not as_texts}
        self._texts: dict[str, list[Any]] = {name: [] for name in names if as_texts}
        self.unfinished: list[str] = []
        self.rows = 0

    def add(self, columns: Iterable[Any]) -> None:
        """Append a batch: an Arrow array of texts for each column, of equal length."""
        length = 0
        for name, found in zip(self.names, columns, strict=True):
            length = len(found)
            if name in self.unfinished:
                continue
            texts = self._trimmed(name, found)
            if name in self._values and (values := self._numbers(name, texts)) is not None:
                self._values[name].append(values)
            elif self._values.pop(name, []):
                self.unfinished.append(name)
            else:
                self._texts.setdefault(name, []).append(texts.dictionary_encode())
        self.rows += length

    def _trimmed(self, name: str, found: Any) -> Any:
        """Trim texts, and take those that mean "no value" out."""
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = pc.utf8_trim_whitespace(found)
        a_class = name in self._specification.categorical and name == self._specification.target
        missing = ["", *(() if a_class else self._specification.missing)]  # "NA" can be a class
        return pc.if_else(
            pc.is_in(texts, value_set=pa.array(missing, pa.string())), pa.scalar(None, pa.string()), texts
        )

    def _numbers(self, name: str, texts: Any) -> NDArray[np.float64] | None:
        """Convert texts to numbers; None where they are not all plain ones."""
        import pyarrow as pa
        import pyarrow.compute as pc

        said = self._specification
        if name in said.categorical or said.thousands == ".":  # then 1.234 is no plain number
            return None
        if name not in said.numeric and pc.any(pc.match_substring_regex(texts, f"^{_CODE.pattern}")).as_py():
            return None
        try:
            values = pc.cast(texts, pa.float64())
        except pa.ArrowInvalid:
            return None  # some text is no number to Arrow; one the file may well mean as such (+1) still can be
        found = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
        large = self._may_be_codes(name) and (np.abs(found) > EXACT).any()
        return None if large and merged(texts.drop_null().unique().to_pylist()) else found

    def _may_be_codes(self, name: str) -> bool:
        return name not in self._specification.numeric

    def column(self, name: str) -> RawColumn:
        """Build a complete column: Numbers if every text present is a number and may be one, else Words."""
        import pyarrow as pa

        if name in self._values:
            return Numbers(name, np.concatenate(self._values[name]))
        encoded = pa.chunked_array(self._texts[name]).unify_dictionaries().combine_chunks()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        column = Words(name, codes, tuple(encoded.dictionary.to_pylist()))
        said = self._specification
        if name in said.categorical or (name not in said.numeric and any(map(_CODE.match, column.words))):
            return column
        if self._may_be_codes(name) and merged(column.words):
            return column
        return said.notation.read(column) or as_numbers(column) or column
