"""Decision of the gate for one data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from versus.gate.judgement import Judgement
from versus.tracking.answers import Registered

Outcome = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True)
class Decision:
    """Outcome for one data set, in words and figures.

    Args:
        dataset: the data set.
        outcome: "undecided" where the challenger could not be judged.
        summary: the reason, in one sentence.
        challenger, champion: the models compared; None where there is none, or it is unknown.
        judgement: the figures; None where no comparison was needed.
        promoted: True where the challenger was made the champion.
    """

    dataset: str
    outcome: Outcome
    summary: str
    challenger: Registered | None = None
    champion: Registered | None = None
    judgement: Judgement | None = None
    promoted: bool = False

    @property
    def may_promote(self) -> bool:
        """True where the challenger passed, is not yet the champion, and was not rolled back by a user."""
        if self.outcome != "pass" or self.challenger is None:
            return False
        return self.challenger != self.champion and not self.challenger.rolled_back
