"""Fit a cell: one model for each repeat, with progress, checkpoints and exact resume after a kill."""
