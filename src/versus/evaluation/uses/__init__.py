"""What models can be used for, one module each: why a model cannot, and what it answers on rows it has not seen."""

from __future__ import annotations

from versus.evaluation.answers import Use
from versus.evaluation.uses import density, generation, intervals, prediction, tagging, target_density, transfer

USES: tuple[Use, ...] = (prediction, tagging, intervals, target_density, density, generation, transfer)
