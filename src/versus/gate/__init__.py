"""Decide if a newly trained best model, the challenger, may take the champion's place.

Both models predicted the same test rows. The challenger passes where the data rule out that it is worse by more than
the margins of params.yaml. `judge` is a pure function of the predictions; `contest` gets them, from this workspace and
from MLflow, and moves the aliases.
"""

from __future__ import annotations

from versus.gate.checks import Measured, read_measured
from versus.gate.judgement import Judgement, judge

__all__ = ["Judgement", "Measured", "judge", "read_measured"]
