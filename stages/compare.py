"""Stage `compare`: compare all evaluations, as a page, as Markdown and as tables."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path

from stages import entry
from versus import params as parameters
from versus import provenance, report
from versus.fitting import failure
from versus.serving.code import CODE
from versus.tracking import champions, client, record
from versus.workspace import Workspace


def check_complete(missing: list[str]) -> None:
    """Check that none is missing: DVC evaluates before it compares, so another repro is rewriting a missing one."""
    if missing and not os.environ.get("VERSUS_PARTIAL"):
        raise FileNotFoundError(
            f"no evaluation of {', '.join(missing)}; if another repro is at work here, run again when it has ended. "
            "VERSUS_PARTIAL=1 reports what is there, and names the rest"
        )


def main() -> None:
    """Write reports/: report.html, report.md, tables, metrics/ and plots/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    cells = list(parameters.cells(params))
    source = provenance.describe(CODE, workspace.params, params.seed, asdict(params.training))
    evaluated = [cell for cell in cells if workspace.evaluation(cell.name).is_dir()]
    check_complete([cell.name for cell in cells if cell not in evaluated])
    # Not a run id, which would differ from run to run, but the query that finds the run in MLflow's search field.
    failed = {c.name: why for c in evaluated if (why := failure.read(workspace.evaluation(c.name))) is not None}
    runs = (cell for cell in evaluated if cell.name not in failed)
    source["runs"] = {c.name: f"tags.`versus.fingerprint` = '{record.fingerprint(workspace, c)}'" for c in runs}
    report.build(workspace, cells, source, params.comparison, params.experiments, report.as_committed(workspace))
    client.sync(workspace, cells, params.comparison)
    for cell, why in failed.items():
        print(f"{cell}: {why.where} failed: {why.reason}", file=sys.stderr)
    if len(evaluated) == len(cells):  # the best cell is known only when all are evaluated
        best = report.best_cells(workspace, cells, params.comparison).values()
        champions.register(workspace, [c for c in cells if c.name in best], params.comparison)


if __name__ == "__main__":
    entry.run(main, arguments=0)
