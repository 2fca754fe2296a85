"""What the publisher does when it is asked about the model registry."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from versus.tracking import destination, registry
from versus.tracking.mirror import Mirror
from versus.tracking.outages import is_outage
from versus.tracking.standing import Registered


def serve(mirror: Mirror, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer with the ``standings`` that result, by data set.

    Raises:
        ValueError, OSError, mlflow.exceptions.MlflowException: where the request cannot be fulfilled.
    """
    match request["do"]:
        case "register":
            return _register(mirror, request["cells"])
        case "promote":
            dataset = request["dataset"]
            found = registry.promote(mirror, dataset, request["version"], request["champion"])
            return {"standings": {dataset: asdict(found)}}
        case "roll_back":
            return {"standings": {request["dataset"]: asdict(registry.roll_back(mirror, request["dataset"]))}}
        case "fetch":
            registry.fetch_evaluation(mirror, Registered(**request["version"]), Path(request["folder"]))
            return {}
    raise ValueError(f"unknown request {request['do']!r}")


def _register(mirror: Mirror, cells: Mapping[str, str]) -> dict[str, Any]:
    """Data set after data set; one that fails does not hold up the others, unless the store itself fails."""
    standings, failed = {}, {}
    for dataset, cell in cells.items():
        try:
            standings[dataset] = asdict(registry.challenge(mirror, dataset, cell))
        except Exception as error:
            if is_outage(error):
                raise
            traceback.print_exc()
            failed[dataset] = destination.redact(" ".join(f"{type(error).__name__}: {error}".split()))
    return {"standings": standings, "failed": failed}
