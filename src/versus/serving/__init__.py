"""Fitted models in the user's terms: frames in, predictions and samples out; and the package that MLflow serves."""
