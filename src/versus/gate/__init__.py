"""Decide if a newly trained best model, the challenger, may take the champion's place.

Both models predicted the same test rows. The challenger passes where the data rule out that it is worse by more than
the margins of params.yaml, and where it is shown to beat the trivial baseline; a first champion must do the latter,
too. The difference and its interval are those of the report (`versus.report.dataset_results`). `judge` is a pure
function of the evaluations; `contest` gets them, from this workspace and from MLflow, and moves the aliases.
"""

from __future__ import annotations

from versus.gate.judgement import Judgement, judge

__all__ = ["Judgement", "judge"]
