"""From evaluation files to a page: every number traces to a file that a stage wrote; nothing is typed in.

`results` reads ``data/prepared`` and ``reports/evaluations`` and asks `versus.statistics`; each of `sections` makes its
part of the page and of report.md of them; `build` writes both.
"""

from __future__ import annotations

from versus.report.build import best_cells, build

__all__ = ["best_cells", "build"]
