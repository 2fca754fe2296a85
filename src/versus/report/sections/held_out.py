"""A class that no model saw: how well each cell tells its rows from those of the classes that it learned."""

from __future__ import annotations

from typing import Any

from versus.report import formatting
from versus.report.results import Results
from versus.report.section import Content, escaped, table
from versus.settings import Cell

NAME, TITLE = "held_out", "Rows of a class that was not there"


def content(results: Results) -> dict[str, Any] | None:
    """Return a table of each experiment that leaves classes out; None without one."""
    cells = {cell.name: cell for cell in results.cells}
    shown = [
        {
            "name": name,
            **found,
            "rows": [_row(row, cells[row["cell"]]) for row in found["rows"] if row["cell"] in cells],
        }
        for name, found in results.experiments.items()
        if found["kind"] == "held_out_class"
    ]
    return {"experiments": shown} if shown else None


def _row(row: dict[str, Any], cell: Cell) -> dict[str, Any]:
    apart, low, high = row["from_best"]
    behind = f"{formatting.signed(apart)} ({formatting.span(low, high)})" if apart or low or high else "best"
    return {
        "cell": cell,
        "signal": row["signal"],
        "area": f"{formatting.score(row['value'])} ({formatting.span(*row['interval'])})",
        "key": row["value"],
        "apart": behind,
        "by_class": [formatting.NONE if area is None else formatting.score(area) for area in row["by_class"]],
    }


def markdown(content: Content) -> list[str]:
    """Return the tables."""
    blocks = []
    for experiment in content["experiments"]:
        blocks += [f"### {escaped(experiment['name'])}", "", f"{escaped(experiment['dataset'])}: AUROC.", ""]
        header = ["model", "family", "told by", "AUROC", "from the best", *map(escaped, experiment["classes"])]
        rows = (
            [escaped(r["cell"].model), r["cell"].group_name, r["signal"], r["area"], r["apart"], *r["by_class"]]
            for r in experiment["rows"]
        )
        blocks += table(header, rows)
    return blocks
