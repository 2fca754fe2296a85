"""A registered model as MLflow loads it: MLflow imports this module from the code that was logged with the model.

It reads the model's own files (`versus.models.persistence`); no pickle is involved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from versus.models import persistence
from versus.serving import prediction

NAME = "model"  # of the saved model in the folder that MLflow copied


class ServedModel:
    """A fitted model behind MLflow's ``predict(data, params)``."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict for the data, or draw new data where ``params`` asks for some.

        Args:
            data: a table with the original columns, or images; ignored where samples are drawn.
            params: ``sample`` (number to draw; 0 to predict), ``label`` (their class; empty for all),
                ``random_state`` (seed; negative for other draws each time).

        Raises:
            DataError: where the data do not fit the model, or it does not draw what is asked for.
        """
        options = {"sample": 0, "label": "", "random_state": -1, **(params or {})}
        n, label, seed = int(options["sample"]), str(options["label"]), int(options["random_state"])
        if not n:
            return prediction.predict(self.model, data)
        return prediction.sample(self.model, n, label or None, None if seed < 0 else seed)


def _load_pyfunc(path: str) -> ServedModel:
    """Load the model in the folder ``path``; MLflow calls this."""
    return ServedModel(persistence.load(Path(path) / NAME))
