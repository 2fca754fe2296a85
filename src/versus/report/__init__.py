"""Report of the evaluation files: every number comes from a file that a stage wrote; none is typed by hand.

`results` reads ``data/prepared`` and ``reports/evaluations`` and uses `versus.statistics`; each of `sections` makes its
part of the page and of report.md from them; `build` writes both.
"""

from __future__ import annotations

from versus.report.build import as_committed, best_cells, build

__all__ = ["as_committed", "best_cells", "build"]
