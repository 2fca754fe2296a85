"""Models by family: the folder names the family and the stage, the file names the model.

Those of packages of a user's own are named with the package: ``mine.student_t`` (`versus.plugins`).
"""

from __future__ import annotations

import importlib
import re
from typing import Any

from versus import plugins
from versus.arrays import FAMILIES


def path_of(family: str, module: str) -> str:
    """Return the import name of a module of models.

    Raises:
        ValueError: for a module of a package that params.yaml does not name.
    """
    package, _, stem = module.rpartition(".")
    # A registered model's copy of this package has a name of its own.
    return f"{plugins.root(package) if package else __name__}.{family}.{stem}"


def find(family: str, module: str, name: str) -> type[Any]:
    """Return the model class ``name`` in ``versus/models/<family>/<module>.py``, or in that of a package in use.

    Only classes listed in that module's ``__all__`` can be found, so neither params.yaml nor a model file from
    elsewhere reaches any other code.

    Raises:
        ValueError: naming the unknown part and what would be accepted.
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; families are {', '.join(FAMILIES)}")
    if not re.fullmatch(r"([A-Za-z_]\w*\.)?[a-z][a-z0-9_]*", module, re.ASCII):
        raise ValueError(f"module {module!r} is not a name of small letters, digits and underscores")
    path = path_of(family, module)
    try:
        found = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        raise ValueError(f"unknown module {module!r}; there is no {path.replace('.', '/')}.py") from None
    offered = getattr(found, "__all__", ())
    if name not in offered:
        raise ValueError(f"unknown class {name!r}; {path.replace('.', '/')}.py offers {', '.join(offered) or 'none'}")
    model: type[Any] = getattr(found, name)
    return model
