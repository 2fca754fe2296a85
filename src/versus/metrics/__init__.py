"""Scores: pure functions of arrays (`versus.metrics.table` lists them) and what a fit or a prediction costs."""
