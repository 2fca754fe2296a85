"""Graph of ONNX nodes that is built node by node, and what stands at its beginning: columns, images, preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.models.preprocessing import Flattened

OPSET, OPSET_ML = 18, 3
ML = "ai.onnx.ml"


class ExportError(ValueError):
    """Error for a model that cannot be exported; the message gives the reason."""


@dataclass
class Graph:
    """Nodes, constants and inputs of a graph that is built."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)

    def add(self, operator: str, *inputs: str, domain: str = "", called: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        from onnx import helper

        name = called or f"versus.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        name = f"versus.constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def input(self, name: str, dtype: Any, *shape: int) -> str:
        """Add an input of N rows; return its name."""
        self.inputs.append(described(name, dtype, *shape))
        return name

    def cast(self, value: str, dtype: Any) -> str:
        """Convert a value to a NumPy type; return the name of the result."""
        from onnx import helper

        node = helper.make_node("Cast", [value], [f"versus.{len(self.nodes)}"], to=type_of(dtype))
        self.nodes.append(node)
        return str(node.output[0])

    def splice(self, model: Any, source: str, place: int = 0) -> str:
        """Add the graph of another model, fed by ``source``; return the name of its output at ``place``."""
        from onnx import compose

        versions = {entry.domain: entry.version for entry in model.opset_import}
        if versions.get("", OPSET) != OPSET or versions.get(ML, OPSET_ML) > OPSET_ML or model.functions:
            raise ExportError(f"the converter wrote operators {versions}; {OPSET} and {OPSET_ML} are expected")
        other = compose.add_prefix(model, "model.").graph
        self.add("Identity", source, called=other.input[0].name)
        self.nodes += other.node
        self.constants += other.initializer
        return str(other.output[place].name)


def type_of(dtype: Any) -> int:
    """Return ONNX's code of a NumPy type; of texts for object."""
    from onnx import TensorProto, helper

    return int(TensorProto.STRING if dtype is object else helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def described(name: str, dtype: Any, *shape: int) -> Any:
    """Describe an input or an output of N rows."""
    from onnx import helper

    return helper.make_tensor_value_info(name, type_of(dtype), ["rows", *shape])


def preprocessed(graph: Graph, model: Any) -> str:
    """Write the preprocessing of raw columns or images: a matrix (N, F) of the model's type."""
    preprocessor, schema = model.preprocessor_, model.schema
    if isinstance(schema.x, Image):
        pixels = graph.cast(graph.add("Flatten", images(graph, schema), axis=1), preprocessor.dtype)
        centre, scale = (graph.constant(preprocessor.dtype(a)) for a in (preprocessor.centre_, preprocessor.scale_))
        return graph.add("Div", graph.add("Sub", pixels, centre), scale)
    inputs = {d: graph.input(c.name, object if c.categories else np.float64, 1) for d, c in enumerate(schema.columns)}
    if isinstance(preprocessor, Flattened):
        return graph.add("Concat", *inputs.values(), axis=1)
    blocks = []
    if len(preprocessor.numeric):
        numbers = graph.add("Concat", *(inputs[d] for d in preprocessor.numeric), axis=1)
        absent = graph.add("IsNaN", numbers)
        fill, centre, scale = map(graph.constant, (preprocessor.fill_, preprocessor.centre_, preprocessor.scale_))
        centred = graph.add("Sub", graph.add("Where", absent, fill, numbers), centre)
        blocks.append(graph.add("Div", centred, scale))
        if len(preprocessor.can_miss_):
            shown = graph.add("Gather", absent, graph.constant(preprocessor.can_miss_), axis=1)
            blocks.append(graph.cast(shown, np.float64))
    for d in preprocessor.categorical:
        names = schema.columns[d].categories
        hot = graph.add("OneHotEncoder", inputs[d], domain=ML, cats_strings=list(names), zeros=1)
        flat = graph.add("Reshape", hot, graph.constant(np.array([-1, len(names)])))
        blocks.append(graph.cast(flat, np.float64))
    return graph.cast(graph.add("Concat", *blocks, axis=1), preprocessor.dtype)


def images(graph: Graph, schema: Schema) -> str:
    """Add the input of images; return its name."""
    return graph.input("X", stored(schema), *schema.shape)


def stored(schema: Schema) -> type[np.generic]:
    """Type of pixels."""
    return np.uint8 if schema.levels is not None and schema.levels <= 256 else np.float64
