"""Versus: generative versus discriminative models, measured.

import versus
report = versus.compare(frame, target="species")  # a verdict, scores as DataFrames, fitted models
report.load("data-naive_bayes").predict(frame)
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# For people, in a notebook; the pipeline imports none of it, and pays for none.
_PUBLIC = {
    **dict.fromkeys(("compare", "results", "load", "dataset", "model"), "versus.notebook"),
    **dict.fromkeys(("Classifier", "Regressor"), "versus.estimators"),
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'versus' has no attribute {name!r}; it has {', '.join(_PUBLIC)}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
