"""Stage `experiment`: fit some cells in other ways than the comparison does, on the same test rows."""

from __future__ import annotations

from pathlib import Path

from stages import entry
from versus import params as parameters
from versus.experiments import augmentation, few_labels, held_out_class, label_shift, training_size
from versus.experiments.run import Job
from versus.workspace import Workspace

KINDS = {
    "training_size": training_size.run,
    "few_labels": few_labels.run,
    "augmentation": augmentation.run,
    "held_out_class": held_out_class.run,
    "label_shift": label_shift.run,
}


def main(name: str) -> None:
    """Write reports/evaluations/experiments/<name>/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    asked = params.experiments[name]
    cells = [cell for cell in parameters.cells(params) if cell.name in asked.cells]
    KINDS[asked.kind](Job(workspace, name, asked, cells, params.training, params.comparison, params.seed))


if __name__ == "__main__":
    entry.run(main, arguments=1)
