"""Evaluation of the fitted models of one cell on test data, by `evaluate`."""

from versus.evaluation.evaluate import evaluate

__all__ = ["evaluate"]
