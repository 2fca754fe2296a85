"""From evaluation files to a page: every number traces to a file that a stage wrote; nothing is typed in.

`build` reads ``data/prepared`` and ``reports/evaluations``, asks `versus.statistics`, and writes the report.
"""

from __future__ import annotations

from versus.report.best_cells import best_cells
from versus.report.build import build
from versus.report.cells import Cell, Options

__all__ = ["Cell", "Options", "best_cells", "build"]
