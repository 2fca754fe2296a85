"""Stage `compare`: all evaluations side by side, as a page, as Markdown and as tables."""

from __future__ import annotations

from pathlib import Path

from stages import entry
from versus import params as parameters
from versus import provenance, report
from versus.tracking import client
from versus.workspace import Workspace

CODE = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write reports/: report.html, report.md, comparison.csv, costs.csv, metrics.json and plots/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    report.build(
        workspace,
        list(parameters.cells(params)),
        provenance.describe(CODE, workspace.params, params.seed, params.training.model_dump()),
        params.comparison,
    )
    client.mirror_report(workspace)
    client.sync(workspace)


if __name__ == "__main__":
    entry.run(main, arguments=0)
