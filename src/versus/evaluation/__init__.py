"""Everything that is measured of one cell's fitted models on test data; `evaluate` does it."""

from versus.evaluation.evaluate import evaluate

__all__ = ["evaluate"]
