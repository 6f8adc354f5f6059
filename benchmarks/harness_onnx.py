"""onnxruntime as a library to compare with: a workload is recorded as an ONNX model and run.

Takes: nothing. Gives: `OnnxRuntime`. Must not know: workloads, timing.

A workload's function is called once with `Recorded` stand-ins, whose operations become nodes of the
model. Weights that are fixed become initializers, which onnxruntime packs beforehand.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from harness_libraries import Function, Library, Unsupported, leaves_of, map_leaves


class Recorded:
    """A value of the model: its name and shape."""

    def __init__(self, model: Model, name: str, shape: tuple[int, ...]) -> None:
        self.model, self.name, self.shape = model, name, shape

    def __getattr__(self, name: str) -> Any:
        raise Unsupported(f"the recorder of ONNX models has no method {name}")

    def _with(self, op: str, other: Any, swapped: bool = False) -> Recorded:
        other = self.model.value(other)
        pair = [other, self] if swapped else [self, other]
        return self.model.add(op, pair, np.broadcast_shapes(self.shape, other.shape))

    def __add__(self, other: Any) -> Recorded:
        return self._with("Add", other)

    def __radd__(self, other: Any) -> Recorded:
        return self._with("Add", other, swapped=True)

    def __sub__(self, other: Any) -> Recorded:
        return self._with("Sub", other)

    def __mul__(self, other: Any) -> Recorded:
        return self._with("Mul", other)

    def __rmul__(self, other: Any) -> Recorded:
        return self._with("Mul", other, swapped=True)

    def __truediv__(self, other: Any) -> Recorded:
        return self._with("Div", other)

    def __matmul__(self, other: Any) -> Recorded:
        other = self.model.value(other)
        stack = np.broadcast_shapes(self.shape[:-2], other.shape[:-2])
        return self.model.add("MatMul", [self, other], (*stack, self.shape[-2], other.shape[-1]))


class Model:
    """An ONNX model in the making."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.inputs: list[Recorded] = []

    def input(self, array: Any) -> Recorded:
        self.inputs.append(Recorded(self, f"in{len(self.inputs)}", array.shape))
        return self.inputs[-1]

    def value(self, x: Any) -> Recorded:
        """A recorded value as it is, a number or an array as an initializer."""
        if isinstance(x, Recorded):
            return x
        array = np.asarray(x, np.float32)
        name = f"w{len(self.initializers)}"
        self.initializers.append(self.onnx.numpy_helper.from_array(array, name))
        return Recorded(self, name, array.shape)

    def add(self, op: str, inputs: Sequence[Any], shape: Sequence[int], **attrs: Any) -> Recorded:
        name = f"v{len(self.nodes)}"
        names = [x if isinstance(x, str) else x.name for x in inputs]
        self.nodes.append(self.onnx.helper.make_node(op, names, [name], **attrs))
        return Recorded(self, name, tuple(shape))

    def bytes(self, results: Sequence[Recorded]) -> bytes:
        helper, f32 = self.onnx.helper, self.onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes, "workload",
            [helper.make_tensor_value_info(v.name, f32, v.shape) for v in self.inputs],
            [helper.make_tensor_value_info(v.name, f32, v.shape) for v in results],
            self.initializers,
        )  # fmt: skip
        opsets = [helper.make_opsetid("", 20)]
        made: bytes = helper.make_model(graph, opset_imports=opsets).SerializeToString()
        return made


class Names:
    """NumPy's names, as far as models have them."""

    def __getattr__(self, name: str) -> Any:
        raise Unsupported(f"the recorder of ONNX models has no {name}")

    def exp(self, x: Recorded) -> Recorded:
        return x.model.add("Exp", [x], x.shape)

    def tanh(self, x: Recorded) -> Recorded:
        return x.model.add("Tanh", [x], x.shape)

    def sqrt(self, x: Recorded) -> Recorded:
        return x.model.add("Sqrt", [x], x.shape)


class OnnxRuntime(Library):
    """onnxruntime with its own optimisations."""

    name = "onnxruntime"

    def __init__(self) -> None:
        self.onnx = importlib.import_module("onnx")
        for part in ("helper", "numpy_helper"):
            importlib.import_module(f"onnx.{part}")
        self.runtime = importlib.import_module("onnxruntime")
        self.np = Names()
        self.version = str(self.runtime.__version__)

    def compile(self, function: Function) -> Function:
        return self.fix(function, [])

    def fix(self, function: Function, fixed: Sequence[Any]) -> Function:
        session: Any = None
        names: list[str] = []

        def call(*args: Any) -> Any:
            nonlocal session
            if session is None:
                model = Model(self.onnx)
                stand_ins = [map_leaves(model.input, a) for a in args]
                given = [map_leaves(model.value, a) for a in fixed]
                results = leaves_of(function(*stand_ins, *given))
                if not all(isinstance(r, Recorded) for r in results):
                    raise Unsupported("not a model")
                session = self._session(model.bytes(results))
                names.extend(v.name for v in model.inputs)
            return session.run(None, dict(zip(names, leaves_of(list(args)))))

        return call

    def _session(self, model: bytes) -> Any:
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        return self.runtime.InferenceSession(model, options, ["CPUExecutionProvider"])

    def erf(self, x: Any) -> Any:
        return x.model.add("Erf", [x], x.shape)

    def relu(self, x: Any) -> Any:
        return x.model.add("Relu", [x], x.shape)

    def leaky(self, x: Any) -> Any:
        return x.model.add("LeakyRelu", [x], x.shape, alpha=0.1)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        return x.model.add("Transpose", [x], [x.shape[a] for a in axes], perm=axes)

    def concat(self, parts: Any) -> Any:
        shape = (*parts[0].shape[:-1], sum(p.shape[-1] for p in parts))
        return parts[0].model.add("Concat", parts, shape, axis=-1)

    def _channels_first(self, x: Any) -> Any:
        return self.transpose(x, (0, 3, 1, 2))

    def doubled(self, x: Any) -> Any:
        x = self._channels_first(x)
        n, c, high, wide = x.shape
        scales = x.model.value(np.array([1, 1, 2, 2]))
        shape = (n, c, 2 * high, 2 * wide)
        attrs = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
        made = x.model.add("Resize", [x, "", scales], shape, nearest_mode="floor", **attrs)
        return self.transpose(made, (0, 2, 3, 1))

    def pool(self, x: Any, stride: int = 2) -> Any:
        x = self._channels_first(x)
        n, c, *sides = x.shape
        edge = int(stride == 1)
        shape = (n, c, *((side + edge - 2) // stride + 1 for side in sides))
        attrs = {"kernel_shape": (2, 2), "strides": (stride,) * 2, "pads": (0, 0, edge, edge)}
        return self.transpose(x.model.add("MaxPool", [x], shape, **attrs), (0, 2, 3, 1))

    def conv(
        self, x: Any, w: Any, padding: str = "VALID", stride: int = 1, groups: int = 1,
        layout: str = "NHWC",
    ) -> Any:  # fmt: skip
        kernels = x.model.value(w)
        if layout == "NHWC":
            x, kernels = self._channels_first(x), self.transpose(kernels, (3, 2, 0, 1))
        edges = [k // 2 if padding == "SAME" else 0 for k in kernels.shape[2:]]
        sides = [
            (n + 2 * e - k) // stride + 1 for n, e, k in zip(x.shape[2:], edges, kernels.shape[2:])
        ]
        attrs = {"kernel_shape": kernels.shape[2:], "strides": (stride,) * 2, "group": groups}
        shape = (x.shape[0], kernels.shape[0], *sides)
        made = x.model.add("Conv", [x, kernels], shape, pads=edges * 2, **attrs)
        return self.transpose(made, (0, 2, 3, 1)) if layout == "NHWC" else made
