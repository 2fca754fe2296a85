"""Models by family: the folder names the family and the stage, the file names the model."""

from __future__ import annotations

import importlib
import re
from typing import Any

from versus.arrays import FAMILIES


def find(family: str, module: str, name: str) -> type[Any]:
    """Return the model class ``name`` in ``versus/models/<family>/<module>.py``.

    Only classes listed in that module's ``__all__`` can be found, so neither params.yaml nor a model file from
    elsewhere reaches any other code.

    Raises:
        ValueError: naming the unknown part and what would be accepted.
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; families are {', '.join(FAMILIES)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", module):
        raise ValueError(f"module {module!r} is not a name of small letters, digits and underscores")
    path = f"{__name__}.{family}.{module}"  # a registered model's copy of this package has a name of its own
    try:
        found = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        raise ValueError(f"unknown module {module!r}; there is no src/versus/models/{family}/{module}.py") from None
    if name not in found.__all__:
        raise ValueError(f"unknown class {name!r}; {family}/{module}.py offers {', '.join(found.__all__)}")
    model: type[Any] = getattr(found, name)
    return model
