"""Scores as pure functions of arrays (listed in `versus.metrics.table`), and costs of fits and predictions."""
