"""Stage `experiment`: fit some cells on ever more rows, and find where one side overtakes the other."""

from __future__ import annotations

from pathlib import Path

from stages import entry
from versus import params as parameters
from versus.experiments import training_size
from versus.workspace import Workspace


def main(name: str) -> None:
    """Write reports/evaluations/experiments/<name>/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    asked = params.experiments[name]
    cells = [cell for cell in parameters.cells(params) if cell.name in asked.cells]
    training_size.run(workspace, name, asked, cells, params.training, params.comparison, params.seed)


if __name__ == "__main__":
    entry.run(main, arguments=1)
