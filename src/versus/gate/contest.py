"""Comparison of challengers from this workspace with champions from the model registry, data set by data set."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from versus import params as parameters
from versus.evaluation.record import hash_test_rows
from versus.gate.judgement import Decision, Judgement, judge
from versus.params import Params
from versus.report import drift, evaluation, results
from versus.report.dataset_results import DatasetResults
from versus.report.files import committed
from versus.tracking import champions, destination
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
        measured = results.read(self._workspace, cells, comparison=self._params.comparison)
        best = measured.best_cells()
        of = {found.name: found for found in measured.datasets}
        if not destination.is_on():
            return [Decision(dataset, "undecided", OFF) for dataset in self._datasets]
        registration = Registration()
        if best:
            candidates = [cell for cell in cells if cell.name in best.values()]
            registration = champions.register(self._workspace, candidates, self._params.comparison, to_the_end=True)
        found = []
        for dataset in self._datasets:
            if dataset not in best:
                found.append(self._without_challenger(dataset))
            elif dataset in registration.standings:
                found.append(self._decision(of[dataset], registration.standings[dataset]))
            else:
                reason = registration.failed.get(dataset) or f"{registration.reason}; is the tracking server up?"
                found.append(Decision(dataset, "undecided", f"{best[dataset]} could not be registered: {reason}"))
        before = drift.read(committed(self._workspace.reports / "columns.csv"))
        return [replace(v, warnings=self._warnings(of.get(v.dataset), before.get(v.dataset, {}))) for v in found]

    def _warnings(self, data: DatasetResults | None, before: Mapping[str, drift.Counts]) -> tuple[str, ...]:
        """Name columns that have drifted since the report in git; they decide nothing."""
        if data is None:
            return ()
        found = drift.drifted(data.name, data.prepared, before, self._params.gate.confidence)
        return tuple(f"drift since the last report: {column}" for column in found)

    def _without_challenger(self, dataset: str) -> Decision:
        cells = [c.name for c in parameters.cells(self._params) if c.dataset == dataset]
        evaluated = [c for c in cells if (self._workspace.evaluation(c) / "evaluation.json").is_file()]
        missing = [c for c in cells if c not in evaluated]
        if missing:
            some = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more cells" if len(missing) > 3 else "")
            return Decision(dataset, "undecided", f"{some} not evaluated; run `dvc repro` first")
        return Decision(dataset, "pass", "nothing to judge: no cell predicts but baselines")

    def _decision(self, data: DatasetResults, standing: Standing) -> Decision:
        challenger, champion = standing.challenger, standing.champion
        if challenger is None or champion is None:
            return Decision(
                data.name, "undecided", "its aliases were removed from MLflow's registry meanwhile; run it again"
            )
        if challenger != champion and challenger.rolled_back:
            stays = f"{challenger} was rolled back and stays so: {champion} is the champion"
            advice = f"`versus rollback {data.name}` takes that back"
            return Decision(data.name, "pass", f"{stays}; {advice}", challenger, champion)
        try:
            found = self._judge(data, challenger, champion)
        except (ValueError, OSError) as error:
            return Decision(data.name, "undecided", str(error), challenger, champion)
        summary = _summary(found, challenger, is_first=standing.previous is None)
        return Decision(data.name, "pass" if found.passed else "fail", summary, challenger, champion, found)

    def _judge(self, data: DatasetResults, challenger: Registered, champion: Registered) -> Judgement:
        new = next(found for found in data.evaluations if found.cell.name == challenger.cell)
        if new.facts.get("test_hash") != hash_test_rows(data.prepared):
            stale = f"{new.cell.name} was not evaluated on the test rows that data/prepared/{data.name} has now"
            raise ValueError(f"{stale}; run `dvc repro` first")
        if challenger == champion:
            return judge(data, new, None, self._params.gate)
        with tempfile.TemporaryDirectory(dir=self._workspace.private) as scratch:
            outcome = champions.fetch_evaluation(self._workspace, champion, Path(scratch))
            if not outcome.ok:
                raise ValueError(f"the champion's evaluation could not be read: {outcome.reason}")
            old = evaluation.read(Path(scratch))
            assert old is not None, "fetched without its evaluation.json"
            return judge(data, new, old, self._params.gate)

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


def _summary(judgement: Judgement, challenger: Registered, is_first: bool) -> str:
    failed = [check.text for check in judgement.checks if not check.passed]
    if judgement.basis == "alone":
        note = "is the first champion: there is none to compare it with" if is_first else "is the champion: unchanged"
        return "; ".join([f"{challenger} {note}", *failed])
    if failed:
        return "; ".join(failed)
    if judgement.basis == "new baseline":
        return "new baseline: the test rows are not those that the champion was measured on, so nothing can be compared"
    return judgement.checks[0].text
