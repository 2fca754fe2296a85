"""Comparison of challengers from this workspace with champions from the model registry, data set by data set."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from versus import params as parameters
from versus import report
from versus.data import prepared
from versus.evaluation.record import hash_test_rows
from versus.gate.checks import read_measured
from versus.gate.judgement import Decision, Judgement, judge
from versus.metrics.table import primary
from versus.params import Params
from versus.tracking import champions, client
from versus.tracking.answers import Registered, Registration, Standing
from versus.workspace import Workspace

OFF = "tracking is off (VERSUS_TRACKING), and the champions are in MLflow's model registry; run it with tracking on"


class Contest:
    """Judge the best cells of a workspace, and promote them.

    Args:
        workspace: the workspace with the evaluations.
        params: the cells to compare, and the rules of judgement.
        datasets: names of the data sets to judge.
    """

    def __init__(self, workspace: Workspace, params: Params, datasets: Sequence[str]) -> None:
        self._workspace = workspace
        self._params = params
        self._datasets = datasets

    def decisions(self) -> list[Decision]:
        """Return a decision for each data set; registers its best cell as the challenger.

        Raises:
            ValueError: where an evaluation's file is damaged.
        """
        cells = [c for c in parameters.cells(self._params) if c.dataset in self._datasets]
        best = report.best_cells(self._workspace, cells, self._params.comparison)
        if not client.is_on():
            return [Decision(dataset, "undecided", OFF) for dataset in self._datasets]
        registration = Registration()
        if best:
            confidence = self._params.comparison.confidence
            candidates = [cell for cell in cells if cell.name in best.values()]
            registration = champions.register(self._workspace, candidates, confidence, to_the_end=True)
        found = []
        for dataset in self._datasets:
            if dataset not in best:
                found.append(self._without_challenger(dataset))
            elif dataset in registration.standings:
                found.append(self._decision(dataset, registration.standings[dataset]))
            else:
                reason = registration.failed.get(dataset) or f"{registration.reason}; is the tracking server up?"
                found.append(Decision(dataset, "undecided", f"{best[dataset]} could not be registered: {reason}"))
        return found

    def _without_challenger(self, dataset: str) -> Decision:
        cells = [c.name for c in parameters.cells(self._params) if c.dataset == dataset]
        evaluated = [c for c in cells if (self._workspace.evaluation(c) / "evaluation.json").is_file()]
        missing = [c for c in cells if c not in evaluated]
        if missing:
            some = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more cells" if len(missing) > 3 else "")
            return Decision(dataset, "undecided", f"{some} not evaluated; run `dvc repro` first")
        return Decision(dataset, "pass", "nothing to judge: no cell predicts but baselines")

    def _decision(self, dataset: str, standing: Standing) -> Decision:
        challenger, champion = standing.challenger, standing.champion
        if challenger is None or champion is None:
            return Decision(
                dataset, "undecided", "its aliases were removed from MLflow's registry meanwhile; run it again"
            )
        if challenger == champion:
            first = standing.previous is None
            note = "is the first champion: there is none to compare it with" if first else "is the champion: unchanged"
            return Decision(dataset, "pass", f"{challenger} {note}", challenger, champion)
        if challenger.rolled_back:
            stays = f"{challenger} was rolled back and stays so: {champion} is the champion"
            advice = f"`python -m versus rollback {dataset}` takes that back"
            return Decision(dataset, "pass", f"{stays}; {advice}", challenger, champion)
        try:
            found = self._judge(dataset, challenger, champion)
        except (ValueError, OSError) as error:
            return Decision(dataset, "undecided", str(error), challenger, champion)
        return Decision(dataset, "pass" if found.passed else "fail", _summary(found), challenger, champion, found)

    def _judge(self, dataset: str, challenger: Registered, champion: Registered) -> Judgement:
        data = prepared.read(self._workspace.prepared(dataset))
        new = read_measured(self._workspace.evaluation(challenger.cell))
        if new.test_hash != hash_test_rows(data):
            stale = f"{challenger.cell} was not evaluated on the test rows that data/prepared/{dataset} has now"
            raise ValueError(f"{stale}; run `dvc repro` first")
        with tempfile.TemporaryDirectory(dir=self._workspace.private) as scratch:
            outcome = champions.fetch_evaluation(self._workspace, champion, Path(scratch))
            if not outcome.ok:
                raise ValueError(f"the champion's evaluation could not be read: {outcome.reason}")
            old = read_measured(Path(scratch))
        rows = np.concatenate([data.rows(repeat, "test") for repeat in range(data.repeats)])
        metric = primary(self._params.comparison.primary, data.schema.y.task, dataset)
        rules, seed = self._params.gate, self._params.seed
        targets = data.y[rows] if isinstance(data.y, np.ndarray) else None
        identities = rows if data.units is None else data.units[rows]
        return judge(new, old, targets, identities, data.schema.classes, metric, rules, seed)

    def promote(self, decision: Decision) -> Decision:
        """Make the challenger of a decision the champion; "undecided" where that failed."""
        assert decision.challenger is not None
        assert decision.champion is not None
        versions = decision.challenger.version, decision.champion.version
        done = champions.promote(self._workspace, decision.dataset, *versions)
        if not done.ok:
            summary = f"passed, but could not be promoted: {done.reason}"
            return replace(decision, outcome="undecided", summary=summary)
        return replace(decision, promoted=True)


def _summary(judgement: Judgement) -> str:
    failed = [check.text for check in judgement.checks if not check.passed]
    if failed:
        return "; ".join(failed)
    if judgement.basis == "new baseline":
        return "new baseline: the test rows are not those that the champion was measured on, so nothing can be compared"
    return judgement.checks[0].text
