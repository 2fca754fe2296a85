"""Which versions of a data set's registered model the aliases point to; without mlflow, for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"


@dataclass(frozen=True)
class Registered:
    """A version of a registered model: ``models:/<name>/<version>``.

    Args:
        name: of the registered model.
        version: its number.
        cell: the cell that it was fitted as.
        run_id: the run that measured it.
        rolled_back: whether somebody took the alias ``champion`` away from it, so that no gate gives it back.
    """

    name: str
    version: str
    cell: str
    run_id: str
    rolled_back: bool = False

    def __str__(self) -> str:
        return f"{self.cell} (version {self.version})"


@dataclass(frozen=True)
class Standing:
    """The versions of one data set that the aliases point to; None where one points to none."""

    challenger: Registered | None
    champion: Registered | None
    previous: Registered | None

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Standing:
        """The inverse of `dataclasses.asdict`."""
        versions = (found[alias] for alias in (CHALLENGER, CHAMPION, PREVIOUS))
        return cls(*(None if version is None else Registered(**version) for version in versions))
