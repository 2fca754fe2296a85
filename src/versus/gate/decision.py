"""What the gate says of one data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from versus.gate.judgement import Judgement
from versus.tracking.answers import Registered

Outcome = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True)
class Decision:
    """The outcome for one data set, in words and figures.

    Args:
        dataset: the data set.
        outcome: "undecided" where the challenger could not be judged.
        summary: one sentence: why.
        challenger, champion: who was compared; None where there is none, or it could not be found out.
        judgement: the figures; None where nothing had to be compared.
        promoted: whether the challenger was made the champion.
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
        """Whether the challenger passed, is not the champion already, and was not rolled back by somebody."""
        if self.outcome != "pass" or self.challenger is None:
            return False
        return self.challenger != self.champion and not self.challenger.rolled_back
