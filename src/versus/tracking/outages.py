"""Whether the store is at fault rather than what was asked of it."""

from __future__ import annotations

CODES = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")


def is_outage(error: Exception) -> bool:
    """True where asking for something else would fail the same way: mlflow or its store cannot be reached."""
    if isinstance(error, ImportError):
        return True  # of mlflow
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in CODES
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
