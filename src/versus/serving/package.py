"""A fitted model as a folder that MLflow loads and serves: files, code, signature, example, requirements."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec
from mlflow.types import Schema as MlflowSchema
from mlflow.types.schema import AnyType, TensorSpec

from versus.data import dates, prepared
from versus.data.schema import Schema
from versus.data.spaces import Image, Series, Table, Tokens
from versus.data.targets import Number, Tags, Trees
from versus.models import persistence
from versus.serving import code, sequences
from versus.serving.frames import decode
from versus.serving.prediction import labels
from versus.serving.served_model import NAME

LOADER = "versus.serving.served_model"
LABELS = {"i": DataType.long, "f": DataType.double, "b": DataType.boolean, "O": DataType.string}
EXAMPLES = 3
PARAMS = (("sample", DataType.long, 0), ("label", DataType.string, ""), ("random_state", DataType.long, -1))


def write(saved: Path, data_folder: Path, out: Path) -> None:
    """Package a saved model.

    Args:
        saved: where `versus.models.persistence.save` wrote the model.
        data_folder: the prepared data set, whose first test rows are the input example.
        out: the folder to write; must not exist.

    Raises:
        versus.models.persistence.PersistenceError: where the model is missing or damaged.
    """
    model = persistence.load(saved)
    schema: Schema = model.schema
    modules = (LOADER, type(model).__module__)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        persistence.copy(saved, folder / NAME)
        own = code.copy_modules(modules, Path(scratch) / "code")
        mlflow.pyfunc.save_model(
            out,
            loader_module=LOADER.replace("versus", own.name, 1),
            data_path=str(folder),
            code_paths=[str(own)],
            signature=signature(model),
            input_example=_example(data_folder, schema),
            pip_requirements=[f"mlflow=={mlflow.__version__}", *code.pinned_libraries(modules)],
            metadata={"class": type(model).__name__, "task": schema.y.task, "columns": _columns(schema)},
        )


def signature(model: Any) -> ModelSignature:
    """Signature of the model's inputs and outputs, in MLflow's terms.

    Columns are of any type: MLflow would refuse whole numbers where it knows of fractions, and the model's own check
    names row, column and value.
    """
    schema: Schema = model.schema
    if isinstance(schema.x, Image):
        stored = np.uint8 if schema.levels is not None and schema.levels <= 256 else np.float64
        inputs = MlflowSchema([TensorSpec(np.dtype(stored), (-1, *schema.shape))])
    elif isinstance(schema.x, Tokens):
        inputs = MlflowSchema([ColSpec(DataType.string, sequences.TEXT)])
    else:
        anything = AnyType()  # type: ignore[no-untyped-call]
        calendar = _calendar(schema)  # a date, or its parts
        names = [*calendar, *(column.name for column in schema.columns)]
        either = {*calendar, *(part for parts in calendar.values() for part in parts)}
        names += [schema.x.sequence] if isinstance(schema.x, Series) else []
        inputs = MlflowSchema([ColSpec(anything, name, required=name not in either) for name in names])
    found = ModelSignature(inputs, _outputs(model, schema))
    if hasattr(model, "sample"):
        found.params = ParamSchema([ParamSpec(*param) for param in PARAMS])
    return found


def _calendar(schema: Schema) -> dict[str, list[str]]:
    reading = schema.x.reading if isinstance(schema.x, Table | Series) else {}
    return {name: dates.part_names(name, form) for name, form in reading.get("dates", {}).items()}


def _outputs(model: Any, schema: Schema) -> MlflowSchema | None:
    if isinstance(schema.y, Number):
        names = ["prediction", *(("lower", "upper") if hasattr(model, "predict_interval") else ())]
        return MlflowSchema([ColSpec(DataType.double, name) for name in names])
    if isinstance(schema.y, Tags | Trees):
        return MlflowSchema([ColSpec(DataType.string, "prediction")])
    if not hasattr(model, "predict_proba"):
        return None
    probabilities = [ColSpec(DataType.double, f"probability_{label}") for label in schema.classes]
    label = LABELS[labels(schema.classes).dtype.kind]
    return MlflowSchema([ColSpec(label, "prediction"), *probabilities])


def _example(folder: Path, schema: Schema) -> Any:
    X, _ = prepared.read(folder).take(0, "test")
    if isinstance(schema.x, Tokens | Series):
        return sequences.decode(X[:EXAMPLES], schema)
    first = np.array(X[:EXAMPLES])
    return first if isinstance(schema.x, Image) else decode(first, schema)


def _columns(schema: Schema) -> dict[str, Any]:
    """Values of each column: "number", or the names of its categories."""
    return {c.name: "number" if c.categories is None else list(c.categories) for c in schema.columns}
