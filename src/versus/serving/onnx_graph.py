"""A fitted model as one ONNX file that takes the original columns: preprocessing, model and labels.

Linear maps are written as they are, trees of scikit-learn by skl2onnx, networks by torch. The file is kept only if ONNX
Runtime answers the test rows as the model does. Inputs are the columns by name, each (N, 1): numbers as float64 (NaN if
missing), and categories as texts, of which unknown ones count as missing; or images ``X`` (N, *event). Outputs are
``probabilities`` (N, K) and ``label`` (N,), or ``prediction`` (N,).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data import prepared
from versus.data.schema import Schema
from versus.data.spaces import Image, Table
from versus.data.targets import Classes, Number
from versus.models import persistence
from versus.models.preprocessing import Flattened, StandardisedTarget
from versus.serving.frames import decode
from versus.serving.onnx_builder import ML, OPSET, OPSET_ML, ExportError, Graph, described, images, preprocessed, stored

NEAR = 1e-4  # of a probability, or of the target's standard deviation: single precision
NEEDED = "needs onnx, onnxruntime, skl2onnx and onnxscript: `pip install 'versus[onnx]'`"


def write(saved: Path, data_folder: Path, out: Path) -> None:
    """Export a saved model.

    Args:
        saved: where `versus.models.persistence.save` wrote the model.
        data_folder: the prepared data set, whose first test rows the file must answer as the model does.
        out: the file to write.

    Raises:
        ExportError: for a model that cannot be exported, or a file that answers differently.
    """
    model = persistence.load(saved)
    reason = reason_against(model)
    if reason is not None:
        raise ExportError(f"{type(model).__name__} cannot be exported as ONNX: {reason}")
    try:
        import onnx

        exported = build(model)
    except ImportError as error:
        raise ExportError(f"export {NEEDED} ({error})") from error
    aside = out.with_name(f".{out.name}.partial")
    onnx.save(exported, aside)
    try:
        check(aside, model, prepared.read(data_folder).take(0, "test")[0])
    except ExportError:
        aside.unlink()
        raise
    aside.replace(out)


def reason_against(model: Any) -> str | None:
    """Give the reason why a model cannot be exported; None if it can."""
    schema: Schema = model.schema
    if not isinstance(schema.x, Table | Image):
        return f"the data are {schema.x.describe()}, and tables and images are exported"
    if not isinstance(schema.y, Classes | Number):
        return "it predicts neither classes nor numbers"
    if isinstance(getattr(model, "preprocessor_", None), Flattened) and schema.has_categorical:
        return "its trees split sets of categories, which skl2onnx does not convert"
    if _body_of(model) is None:
        return "linear models, trees of scikit-learn and networks are exported; its formulas are code of Versus"
    return None


def build(model: Any) -> Any:
    """Build the ONNX model of a fitted model that can be exported."""
    from onnx import checker, helper

    schema: Schema = model.schema
    graph, body = Graph(), _body_of(model)
    assert body is not None
    found = body(graph, model)
    if isinstance(schema.y, Number):
        outputs = [described("prediction", np.float64)]
        graph.add("Reshape", found, graph.constant(np.array([-1])), called="prediction")
    else:
        names = graph.constant(np.array(schema.classes, dtype=object))
        graph.add("Identity", found, called="probabilities")
        graph.add("Gather", names, graph.add("ArgMax", found, axis=1, keepdims=0), called="label")
        outputs = [described("probabilities", np.float64, schema.n_classes), described("label", object)]
    whole = helper.make_graph(graph.nodes, type(model).__name__, graph.inputs, outputs, graph.constants)
    versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, OPSET_ML)]
    exported = helper.make_model(whole, opset_imports=versions, producer_name="versus", ir_version=8)
    checker.check_model(exported)
    return exported


def _body_of(model: Any) -> Any:
    """Return the function that writes a model's formulas; None where there is none.

    It adds them to a graph, and gives the name of the probabilities (N, K) or the predictions.
    """
    if hasattr(model, "coefficients_") and not hasattr(model, "log_prior_"):
        return _linear
    if hasattr(model, "estimator_") and not hasattr(model, "temperature_"):
        return _boosted if hasattr(model.estimator_, "n_trees_per_iteration_") else _trees
    if hasattr(model, "network_"):
        from versus.models.softmax_network import SoftmaxNetwork

        is_regressor = isinstance(model, StandardisedTarget) and not hasattr(model, "sample")
        return _network if isinstance(model, SoftmaxNetwork) or is_regressor else None
    return None


def _linear(graph: Graph, model: Any) -> str:
    Z = graph.cast(preprocessed(graph, model), np.float64)
    product = graph.add("MatMul", Z, graph.constant(model.coefficients_))
    scores = graph.add("Add", product, graph.constant(model.intercept_))
    if isinstance(model.schema.y, Number):
        return scores
    tempered = graph.add("Div", scores, graph.constant(np.float64(model.temperature_)))
    return _softmax(graph, tempered, model.present_, model)


def _softmax(graph: Graph, scores: str, present: Array, model: Any) -> str:
    """Turn scores of the classes seen in training into probabilities of all."""
    if len(present) == 2:  # one margin is the logit of the second class
        scores = graph.add("MatMul", scores, graph.constant(np.array([[-0.5, 0.5]])))
    return _over_all_classes(graph, graph.add("Softmax", scores, axis=1), present, model.schema)


def _trees(graph: Graph, model: Any) -> str:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    Z, estimator = preprocessed(graph, model), model.estimator_
    kind = FloatTensorType if model.dtype is np.float32 else DoubleTensorType
    answers_classes = isinstance(model.schema.y, Classes)
    try:
        converted = convert_sklearn(
            estimator,
            initial_types=[("Z", kind([None, model.preprocessor_.n_columns]))],
            options={id(estimator): {"zipmap": False}} if answers_classes else None,
            target_opset={"": OPSET, ML: OPSET_ML},
        )
    except (RuntimeError, NotImplementedError, ValueError) as error:
        why = str(error).partition("\n")[0][:200]
        raise ExportError(f"skl2onnx does not convert {type(estimator).__name__}: {why}") from error
    answered = graph.cast(graph.splice(converted, Z, place=int(answers_classes)), np.float64)
    if answers_classes:
        return _over_all_classes(graph, answered, estimator.classes_, model.schema)
    return _in_raw_units(graph, answered, model)


def _boosted(graph: Graph, model: Any) -> str:
    """Write the trees of scikit-learn's histogram boosting, which skl2onnx 1.20 does not convert."""
    from onnx import numpy_helper

    estimator, k = model.estimator_, model.estimator_.n_trees_per_iteration_
    trees = [tree.nodes for stage in estimator._predictors for tree in stage]
    nodes = np.concatenate(trees)
    tree = np.repeat(np.arange(len(trees)), [len(own) for own in trees])
    node = np.concatenate([np.arange(len(own)) for own in trees])
    leaf = nodes["is_leaf"] != 0
    whole = {
        "nodes_treeids": tree,
        "nodes_nodeids": node,
        "nodes_featureids": np.where(leaf, 0, nodes["feature_idx"]),
        "nodes_truenodeids": np.where(leaf, 0, nodes["left"]),
        "nodes_falsenodeids": np.where(leaf, 0, nodes["right"]),
        "nodes_missing_value_tracks_true": nodes["missing_go_to_left"],
        "target_treeids": tree[leaf],
        "target_nodeids": node[leaf],
        "target_ids": tree[leaf] % k,
    }
    reals = {
        "nodes_values": np.where(leaf, 0.0, nodes["num_threshold"]),
        "target_weights": nodes["value"][leaf],
        "base_values": np.ravel(estimator._baseline_prediction),
    }
    tensors = {
        f"{name}_as_tensor": numpy_helper.from_array(values.astype(np.float64)) for name, values in reals.items()
    }
    attributes: dict[str, Any] = {name: [int(value) for value in values] for name, values in whole.items()}
    modes = ["LEAF" if end else "BRANCH_LEQ" for end in leaf]
    attributes |= tensors | {"n_targets": k, "nodes_modes": modes}
    found = graph.add("TreeEnsembleRegressor", preprocessed(graph, model), domain=ML, **attributes)
    scores = graph.cast(found, np.float64)
    if isinstance(model.schema.y, Number):
        return _in_raw_units(graph, scores, model)
    return _softmax(graph, scores, estimator.classes_, model)


def _network(graph: Graph, model: Any) -> str:
    import torch

    schema = model.schema
    Z = images(graph, schema) if isinstance(schema.x, Image) else preprocessed(graph, model)
    shape = schema.shape if isinstance(schema.x, Image) else (model.preprocessor_.n_columns,)
    kind = stored(schema) if isinstance(schema.x, Image) else model.preprocessor_.dtype
    network = model.network_.to("cpu").eval()
    example = torch.from_numpy(np.zeros((2, *shape), kind))
    with _without_torchs_warnings():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("rows")},),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    scores = graph.cast(graph.splice(program.model_proto, Z), np.float64)
    if isinstance(schema.y, Classes):
        return graph.add("Softmax", scores, axis=1)
    return _in_raw_units(graph, scores, model)


@contextmanager
def _without_torchs_warnings() -> Iterator[None]:
    """Keep to itself what torch says of packages that it lacks, and of its own deprecated calls."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _in_raw_units(graph: Graph, values: str, model: Any) -> str:
    """Turn deviations of a `StandardisedTarget` into its unit."""
    mean, deviation = map(graph.constant, np.asarray(model.target_, np.float64))
    return graph.add("Add", graph.add("Mul", values, deviation), mean)


def _over_all_classes(graph: Graph, probabilities: str, present: Array, schema: Schema) -> str:
    """Give a column of zeros to each class that training has not seen."""
    if len(present) == schema.n_classes:
        return probabilities
    return graph.add("MatMul", probabilities, graph.constant(np.eye(schema.n_classes)[present]))


def fed(X: Any, schema: Schema) -> dict[str, Array]:
    """Return rows as the inputs of the exported file."""
    if isinstance(schema.x, Image):
        return {"X": np.asarray(X).astype(stored(schema))}
    frame = decode(np.asarray(X), schema)
    texts = {c.name: np.array([v or "" for v in frame[c.name]], dtype=object) for c in schema.columns if c.categories}
    numbers = {c.name: frame[c.name].to_numpy(np.float64) for c in schema.columns if not c.categories}
    return {name: values[:, None] for name, values in (texts | numbers).items()}


def check(path: Path, model: Any, X: Any) -> None:
    """Compare the answers of a file with the model's, on rows X (N, *event).

    Raises:
        ExportError: where they differ by more than `NEAR`, in number and unit.
    """
    import onnxruntime

    schema: Schema = model.schema
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    answers = dict(zip(names, session.run(names, fed(X, schema)), strict=True))
    if isinstance(schema.y, Number):
        expected, found = model.predict(X), answers["prediction"]
        unit = float(np.std(expected)) or 1.0
    else:
        expected, found, unit = model.predict_proba(X), answers["probabilities"], 1.0
        sure = np.diff(np.sort(expected, axis=1)[:, -2:], axis=1)[:, 0] > 2 * NEAR
        labels = np.array(schema.classes, dtype=object)[expected.argmax(axis=1)]
        if (answers["label"] != labels)[sure].any():
            raise ExportError("ONNX Runtime answers other labels than the model; the file is not kept")
    off = np.abs(found - expected).reshape(len(found), -1).max(axis=1) / unit
    if off.max() > NEAR:
        raise ExportError(
            f"ONNX Runtime answers {np.mean(off > NEAR):.0%} of {len(off)} test rows differently from the model, by up "
            f"to {off.max():.2g}{' standard deviations' if isinstance(schema.y, Number) else ''}; the file is not kept"
        )
