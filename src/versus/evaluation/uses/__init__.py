"""Uses of models, one module each: the reason against a use, and the model's answers on unseen rows."""

from __future__ import annotations

from versus.evaluation.answers import Use
from versus.evaluation.uses import (
    denoising,
    density,
    features,
    generation,
    imputation,
    intervals,
    language,
    missing,
    novelty,
    parsing,
    prediction,
    shifts,
    super_resolution,
    tagging,
    target_density,
    topics,
    transfer,
    translation,
)

USES: tuple[Use, ...] = (
    prediction,
    tagging,
    parsing,
    intervals,
    target_density,
    language,
    density,
    topics,
    generation,
    transfer,
    missing,
    imputation,
    novelty,
    shifts,
    denoising,
    super_resolution,
    translation,
    features,
)
ANSWERS: tuple[Use, ...] = (
    prediction,
    tagging,
    parsing,
    intervals,
    target_density,
    language,
    density,
)  # those whose scores may decide
