"""A fitted model as files that run no code when they are read.

A model has a path without suffix. ``<path>.json`` names the class (one that `versus.models.find` can find), its
arguments, the schema of the data, and name, shape and type of each array; ``<path>.safetensors`` holds the arrays,
``<path>.skops`` a fitted scikit-learn estimator (`versus.models.model_files`). Equal models make equal bytes, so DVC
sees the same hash again. All models of a cell lie in one folder: DVC walks through every folder in every repro.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from versus import manifest
from versus.data.schema import Schema
from versus.models import catalogue, find, model_files
from versus.models.arguments import arguments_of

FORMAT = 3
DESCRIPTION, ARRAYS, ESTIMATOR = ".json", ".safetensors", ".skops"
_KEYS = {"format", "family", "module", "class", "arguments", "schema", "arrays", "files", "scikit_learn", "seal"}
_readable: set[type[Any]] = set()  # classes whose estimators can be read back
_LARGEST_DESCRIPTION = 64 * 2**20  # bytes; a schema of 100,000 columns takes a tenth of it


class PersistenceError(ValueError):
    """A model file that is missing, damaged, or not what it says; the message names it."""


def save(model: Any, path: Path, family: str, module: str) -> None:
    """Write a fitted model to the files of ``path``, whose folder is created where it is missing.

    ``family`` and ``module`` give the place of the class: ``versus/models/<family>/<module>.py``. The description is
    written last: without it there is no model.

    Raises:
        PersistenceError: where the model keeps an array that is not finite, an argument that JSON cannot hold, or an
            estimator that could not be read back.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = getattr(model, "schema_", None) or model.schema
    try:
        forms = model_files.write_arrays(model.get_arrays(), _file(path, ARRAYS))
    except ValueError as error:
        raise PersistenceError(f"{type(model).__name__} cannot be saved: {error}") from error
    about: dict[str, Any] = {
        "format": FORMAT,
        "family": family,
        "module": module,
        "class": type(model).__name__,
        "arguments": model.arguments(),
        "schema": None if schema is None else schema.to_json(),
        "arrays": forms,
        "files": {ARRAYS: _seal(_file(path, ARRAYS))},
        "scikit_learn": None,
    }
    if hasattr(model, "estimator_"):
        model_files.write_estimator(model.estimator_, _file(path, ESTIMATOR))
        if type(model) not in _readable:  # once a class: it takes as long as half a fit
            _check_readable(model, _file(path, ESTIMATOR))
            _readable.add(type(model))
        about["files"][ESTIMATOR] = _seal(_file(path, ESTIMATOR))
        about["scikit_learn"] = _scikit_learn_version()
    try:
        about["seal"] = _seal_of(about)
        text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PersistenceError(f"{type(model).__name__} cannot be saved: its arguments: {error}") from error
    _file(path, DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def _check_readable(model: Any, path: Path) -> None:
    """Raise PersistenceError, saying what the class lacks, where `load` would refuse the model's estimator."""
    name = type(model).__name__
    if missing := [method for method in ("new_estimator", "check_estimator") if not hasattr(model, method)]:
        raise PersistenceError(f"{name} has an estimator_ and no {', '.join(missing)}: let it inherit EstimatorModel")
    if untrusted := model_files.untrusted_types(path, getattr(model, "trusted_types", ())):
        raise PersistenceError(
            f"{name} cannot be saved: reading its estimator back builds types that the class does not name, and files "
            f"of models run no code that nobody named; if they are what the estimator is made of, add to {name}: "
            f"trusted_types = {(*getattr(model, 'trusted_types', ()), *untrusted)}"
        )
    try:
        model.check_estimator(model.estimator_)
    except NotImplementedError as error:
        raise PersistenceError(
            f"{name} cannot be saved: it does not define check_estimator(estimator), which raises ValueError where "
            "compiled code would read outside an estimator's arrays, and does nothing where there is no such code"
        ) from error


def load(path: Path) -> Any:
    """Read a model back from the files of ``path``; it predicts what the saved one predicted, bit for bit.

    Raises:
        PersistenceError: where a file is missing, changed or damaged, names a class that is not one of the models or
            is for another task than its schema, or holds other arrays than it says, or what is not finite.
    """
    about = _read_description(_file(path, DESCRIPTION))
    model = _build(about, _file(path, DESCRIPTION))
    for suffix, seal in about["files"].items():
        _check_seal(_file(path, suffix), seal)
    _take_over(model, about["arrays"], _file(path, ARRAYS))
    if ESTIMATOR in about["files"]:
        model.estimator_ = _read_estimator(model, _file(path, ESTIMATOR), about["scikit_learn"])
    if about["seal"] != _seal_of(about):  # last: what is wrong with a part says more
        description = _file(path, DESCRIPTION)
        mend = "`dvc checkout` or `dvc repro` brings it back"
        raise PersistenceError(f"{description} is damaged: it was changed after it was written; {mend}")
    return model


def files(path: Path) -> list[Path]:
    """List the files of a saved model."""
    return [file for suffix in (DESCRIPTION, ARRAYS, ESTIMATOR) if (file := _file(path, suffix)).is_file()]


def copy(path: Path, to: Path) -> None:
    """Copy the files of a saved model to those of another path, whose folder exists."""
    for file in files(path):
        shutil.copy2(file, _file(to, file.suffix))


def count_numbers(path: Path) -> int:
    """Number of values that a saved model keeps: the elements of its arrays and of its estimator's.

    Parameters for most; for nearest neighbours and kernel densities the training data, which is what they keep.
    """
    about = _read_description(_file(path, DESCRIPTION))
    total = sum(int(math.prod(form["shape"])) for form in about["arrays"].values())
    return total + (model_files.count_numbers(_file(path, ESTIMATOR)) if ESTIMATOR in about["files"] else 0)


def arguments(path: Path) -> dict[str, Any]:
    """Return the arguments of a saved model, by name.

    Raises:
        PersistenceError: where its description is missing or damaged.
    """
    return dict(_read_description(_file(path, DESCRIPTION))["arguments"])


def _file(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _seal(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": manifest.sha256(path)}


def _seal_of(about: Mapping[str, Any]) -> str:
    """Hash of all else in a description: a schema that was changed fits the arrays of some models."""
    rest = {key: value for key, value in about.items() if key != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _check_seal(path: Path, seal: Mapping[str, Any]) -> None:
    if not path.is_file():
        raise PersistenceError(f"{path} is missing; `dvc checkout` or `dvc repro` brings it back")
    size = path.stat().st_size
    if size != seal["bytes"]:
        raise PersistenceError(f"{path} is damaged: it has {size} bytes, {seal['bytes']} were written")
    if _seal(path) != seal:
        raise PersistenceError(f"{path} is damaged: its bytes are not those that were written")


def _read_description(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise PersistenceError(f"{path} is missing: no model was saved there")
    if path.stat().st_size > _LARGEST_DESCRIPTION:
        raise PersistenceError(f"{path} is damaged: {path.stat().st_size} bytes are too many for a description")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise PersistenceError(f"{path} is damaged: {error}") from error
    if not isinstance(about, dict) or about.keys() != _KEYS:
        raise PersistenceError(f"{path} is damaged: it must hold {', '.join(sorted(_KEYS))} and nothing else")
    if about["format"] != FORMAT:
        raise PersistenceError(f"{path} has format {about['format']!r}; this program reads format {FORMAT}")
    _check_listing(about, path)
    return about


def _check_listing(about: Mapping[str, Any], path: Path) -> None:
    """Check that the files and arrays in a description have the form that `save` gives them."""
    seals, arrays = about["files"], about["arrays"]
    if not isinstance(seals, dict) or not {ARRAYS} <= seals.keys() <= {ARRAYS, ESTIMATOR}:
        raise PersistenceError(f"{path} is damaged: files must be {ARRAYS} and, for some models, {ESTIMATOR}")
    for suffix, seal in seals.items():
        if not isinstance(seal, dict) or seal.keys() != {"bytes", "sha256"}:
            raise PersistenceError(f"{path} is damaged: {suffix} must have bytes and sha256")
    whole = isinstance(arrays, dict) and all(_is_form(form) for form in arrays.values())
    if not whole:
        raise PersistenceError(f"{path} is damaged: arrays must have shape and dtype")


def _is_form(form: Any) -> bool:
    if not isinstance(form, dict) or form.keys() != {"shape", "dtype"} or not isinstance(form["shape"], list):
        return False
    return all(isinstance(size, int) and size >= 0 for size in form["shape"])


def _build(about: Mapping[str, Any], path: Path) -> Any:
    """Build the unfitted model that a description names."""
    try:
        model_class = find(about["family"], about["module"], about["class"])
        given, names = dict(about["arguments"]), [a.name for a in arguments_of(model_class) if a.name != "schema"]
        if list(given) != names:
            raise ValueError(f"arguments {list(given)}; {about['class']} takes {names}")
        schema = None if about["schema"] is None else Schema.from_json(about["schema"])
        model = model_class(**given, schema=schema)
        task = next((task for method, task in catalogue.TELLING.items() if hasattr(model, method)), None)
        if schema is not None and task not in (schema.y.task, None):
            raise ValueError(f"{about['class']} is for {task}, and its schema for {schema.y.task}; train it again")
        if (ESTIMATOR in about["files"]) != hasattr(model, "trusted_types"):
            raise ValueError(f"{about['class']} and {ESTIMATOR} do not belong together")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PersistenceError(f"{path} is damaged: {error}") from error
    return model


def _take_over(model: Any, forms: Mapping[str, Any], path: Path) -> None:
    try:
        arrays = model_files.read_arrays(path, forms)
    except ValueError as error:
        raise PersistenceError(f"{path} is damaged: {error}") from error
    try:
        model.set_arrays(arrays)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        raise PersistenceError(f"{path} does not fit {type(model).__name__}: {error}") from error


def _scikit_learn_version() -> str:
    from sklearn import __version__

    return str(__version__)


def _read_estimator(model: Any, path: Path, version: Any) -> Any:
    running = _scikit_learn_version()
    if str(version).split(".")[:2] != running.split(".")[:2]:
        raise PersistenceError(f"{path} was written with scikit-learn {version}, this is {running}: train it again")
    fresh = model.new_estimator()
    try:
        estimator = model_files.read_estimator(path, model.trusted_types)
        if type(estimator) is not type(fresh):
            raise TypeError(f"it holds a {type(estimator).__name__}; {type(fresh).__name__} belongs there")
        # its arguments come from this program, not from the file
        plain = {k: v for k, v in fresh.get_params(deep=False).items() if v is None or np.isscalar(v)}
        estimator.set_params(**plain)
        model.check_estimator(estimator)
    except Exception as error:  # any error of the many readers behind skops on a damaged file
        raise PersistenceError(f"{path} is damaged: {error}") from error
    return estimator
