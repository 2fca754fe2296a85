"""Results for stages and commands: of logging a run, of a synchronisation, and of registering the best models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """Result of logging a cell's run to MLflow, with the reason if it is not there."""

    ok: bool
    reason: str = ""
    run_id: str | None = None


@dataclass
class Summary:
    """Result of a synchronisation: names of cells by outcome, with the reason if one could not be logged."""

    reason: str = ""
    mirrored: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True if MLflow has everything now."""
        return not self.reason and not self.failed

    def __str__(self) -> str:
        counts = f"{len(self.mirrored)} cells logged to MLflow, {len(self.already)} were there already"
        return counts + (f", {len(self.failed)} could not be logged" if self.failed else "")


CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"


@dataclass(frozen=True)
class Registered:
    """A version of a registered model: ``models:/<name>/<version>``.

    Args:
        name: name of the registered model.
        version: number of the version.
        cell: the cell that it was fitted as.
        run_id: the run that measured it.
        rolled_back: True if somebody took the alias ``champion`` away from it, so that no gate gives it back.
        fitted_on: what the model learned from, such as "all 150 rows"; the scores are of fits on fewer.
    """

    name: str
    version: str
    cell: str
    run_id: str
    rolled_back: bool = False
    fitted_on: str = ""

    @property
    def uri(self) -> str:
        """Address by which MLflow loads it."""
        return f"models:/{self.name}/{self.version}"

    def __str__(self) -> str:
        return f"{self.cell} (version {self.version})"


@dataclass(frozen=True)
class Standing:
    """Versions of one data set that the aliases point to; None for an alias that points to no version."""

    challenger: Registered | None
    champion: Registered | None
    previous: Registered | None


@dataclass(frozen=True)
class Registration:
    """Versions that the aliases point to now, by data set; and the data sets that failed, with the reason."""

    reason: str = ""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True if nothing failed."""
        return not self.reason and not self.failed
