"""Sample arguments for public functions: by the name of a parameter, or of a function.

Takes: a function. Gives: argument lists to try, tensors in them as `X` (a shape; the element type
is chosen later). Must not know: what is found out with them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import lazir as lz
from lazir import lax
from lazir.scipy import stats


class X(NamedTuple):
    """A tensor whose element type is varied."""

    shape: tuple[int, ...]


class Call(NamedTuple):
    """Arguments by position and by name."""

    args: list[Any]
    options: dict[str, Any]


SHAPES = [(3, 3), (3,), (4, 4), (4,), (2, 4, 4), (1, 2, 4, 4), (1, 2, 4, 4, 4), ()]
"""Tried in turn for all tensors of a call."""

SQUARES = [(2, 2, 2, 2), *SHAPES]
KEY = np.zeros((), np.uint64)
I2 = np.array([0, 1])
TENSORS = set(
    [
        "self",
        "a",
        "a1",
        "a2",
        "A",
        "ar",
        "ar1",
        "ar2",
        "anchor",
        "arr",
        "array",
        "ary",
        "b",
        "choices",
        "data",
        "element",
        "elems",
        "f",
        "fill_value",
        "fp",
        "input",
        "input1",
        "input2",
        "item",
        "key_",
        "lhs",
        "logits",
        "m",
        "mask_values",
        "max",
        "min",
        "n",
        "negative",
        "on_false",
        "on_true",
        "operand",
        "operand_",
        "other",
        "p",
        "positive",
        "q",
        "query",
        "rest",
        "rhs",
        "sample",
        "seq_of_zeros",
        "source",
        "src",
        "start",
        "stop",
        "target",
        "test_elements",
        "u",
        "update",
        "v",
        "val",
        "value",
        "values",
        "vals",
        "var",
        "weight",
        "x",
        "x1",
        "x2",
        "xp",
        "y",
        "z",
        "filt",
        "dst",
        "init_value",
        "padding_value",
        "keys",
        "cases",
        "initial_guess",
        "end",
        "tensor1",
        "tensor2",
        "bins",
        "xs",
        "init_val",
        "lower",
        "upper",
    ]
)
"""Parameters that are tensors unless a sample below says otherwise."""

PLAIN: dict[str, Any] = {
    "N": 3, "M": 3, "axis": 0, "axis1": 0, "axis2": 1, "axes": (0,), "dim": 0, "dims": (0, 1),
    "dimension": 0, "dimensions": (0,), "deg": 1, "dtype": "float32", "new_dtype": "float32",
    "shape": (3, 3), "new_shape": (9,), "new_sizes": (9,), "sizes": (3, 3), "size": 3,
    "index": 0, "indices": I2, "ind": I2, "obj": 1, "indices_or_sections": 2, "kernel_size": 2,
    "window_strides": (1, 1), "strides": (1, 1), "padding": "SAME", "output_size": 2, "k": 2,
    "kth": 1, "repeats": 2, "reps": (2, 2), "shift": 1, "shifts": 1, "source": 0,
    "destination": 1, "pad": (1, 1), "pad_width": 1, "condition": np.array([True, False, True]),
    "mask": np.array([True, False, True]), "pred": np.array(True), "key": KEY, "seed": 0,
    "rank": 5, "num_groups": 1, "norm_type": 2.0, "upscale_factor": 1, "downscale_factor": 1,
    "threshold": 0.5, "start_dimension": 0, "start_index": 0, "limit_index": 2, "slice_size": 2,
    "start_indices": (0, 0), "slice_sizes": (2, 2), "limit_indices": (2, 2), "permutation": (1, 0),
    "exponent_bits": 5, "mantissa_bits": 5, "d": 2, "message": "no", "chunks": 2, "split_size": 2,
    "exponent": 2, "length": 2, "device": "cpu", "num_features": 2, "in_channels": 2,
    "out_channels": 2, "hidden_size": 3, "input_size": 3, "in_features": 3, "out_features": 2,
    "in1_features": 3, "in2_features": 3, "normalized_shape": 3, "num_channels": 2,
    "num_embeddings": 5, "embedding_dim": 3, "embed_dim": 4, "num_heads": 2, "d_model": 4,
    "nhead": 2, "unflattened_size": (1, 3), "data": X((3, 3)), "probs": 0.5, "mode": True,
}  # fmt: skip
"""Values of parameters that are no tensors, by name."""


def add(x: Any, y: Any) -> Any:
    """A function of two, where one is asked for."""
    return x + y


def twice(x: Any) -> Any:
    """A function of one."""
    return x + x


V, M = X((3,)), X((3, 3))
SCATTER = lax.ScatterDimensionNumbers((1,), (0,), (0,))
BY_NAME: dict[str, list[Any]] = {
    "lazir.check": [np.array(True), "must hold"],
    "lazir.cond": [np.array(True), twice, twice, M],
    "lazir.fori_loop": [0, 3, lambda i, x: x + x, M],
    "lazir.map": [twice, M],
    "lazir.scan": [lambda c, x: (c + x, c), V, M],
    "lazir.switch": [0, [twice, twice], M],
    "lazir.while_loop": [lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1]), (0, M)],
    "lazir.where": [np.array([True, False, True]), M, M],
    "lazir.numpy.arange": [3],
    "lazir.numpy.unpackbits": [np.array([1, 2], np.uint8)],
    "lazir.lax.reduce_precision": [M, 8, 7],
    "lazir.numpy.apply_along_axis": [twice, 0, M],
    "lazir.numpy.apply_over_axes": [lz.numpy.sum, M, (0,)],
    "lazir.numpy.broadcast_to": [V, (3, 3)],
    "lazir.numpy.choose": [I2, [X((2,)), X((2,))]],
    "lazir.numpy.digitize": [M, V],
    "lazir.numpy.dsplit": [X((2, 2, 2)), 2],
    "lazir.numpy.einsum": ["ij,jk->ik", M, M],
    "lazir.numpy.full": [(2, 2), X(())],
    "lazir.numpy.hsplit": [X((4, 4)), 2],
    "lazir.numpy.ix_": [V, V],
    "lazir.numpy.meshgrid": [V, V],
    "lazir.numpy.piecewise": [V, [np.array([True, False, True])], [1, 2]],
    "lazir.numpy.put_along_axis": [M, np.zeros((3, 1), int), X((3, 1)), 1],
    "lazir.numpy.reshape": [M, (9,)],
    "lazir.numpy.select": [[np.array([True, False, True])], [V]],
    "lazir.numpy.split": [X((4, 4)), 2],
    "lazir.numpy.vsplit": [X((4, 4)), 2],
    "lazir.numpy.array_split": [X((4, 4)), 2],
    "lazir.numpy.take_along_axis": [M, np.zeros((3, 1), int), 1],
    "lazir.numpy.unravel_index": [I2, (2, 2)],
    "lazir.numpy.ravel_multi_index": [(I2, I2), (2, 2)],
    "lazir.numpy.percentile": [V, 50.0],
    "lazir.numpy.nanpercentile": [V, 50.0],
    "lazir.numpy.quantile": [V, 0.5],
    "lazir.numpy.nanquantile": [V, 0.5],
    "lazir.numpy.polyfit": [V, V, 1],
    "lazir.numpy.broadcast_arrays": [V, M],
    "lazir.numpy.atleast_1d": [V],
    "lazir.numpy.moveaxis": [M, 0, 1],
    "lazir.numpy.interp": [V, V, V],
    "lazir.numpy.gradient": [V],
    "lazir.numpy.kaiser": [3, 1.0],
    "lazir.numpy.fromfunction": [add, (2, 2)],
    "lazir.numpy.concatenate": [[M, M]],
    "lazir.numpy.delete": [V, 1],
    "lazir.numpy.insert": [V, 1, X(())],
    "lazir.numpy.putmask": [V, np.array([True, False, True]), V],
    "lazir.numpy.copyto": [V, V],
    "lazir.numpy.fill_diagonal": [M, X(())],
    "lazir.linalg.matrix_power": [M, 2],
    "lazir.linalg.multi_dot": [[M, M]],
    "lazir.linalg.tensorsolve": [M, V],
    "lazir.linalg.tensorinv": [X((2, 2, 2, 2))],
    "lazir.linalg.solve_triangular": [M, V],
    "lazir.linalg.lstsq": [M, V],
    "lazir.lax.associative_scan": [add, M],
    "lazir.lax.broadcast": [V, (2,)],
    "lazir.lax.broadcast_in_dim": [V, (2, 3), (1,)],
    "lazir.lax.expand_dims": [V, (0,)],
    "lazir.lax.squeeze": [X((1, 3)), (0,)],
    "lazir.lax.split": [X((4, 4)), (2, 2)],
    "lazir.lax.concatenate": [[M, M], 0],
    "lazir.lax.stack": [[M, M]],
    "lazir.lax.conv_transpose": [X((1, 4, 4, 2)), X((2, 2, 2, 2)), (1, 1), "SAME"],
    "lazir.lax.custom_root": [lambda x: x - x, V, lambda f, x: x, lambda g, y: y],
    "lazir.lax.custom_linear_solve": [twice, V, lambda mv, b: b],
    "lazir.lax.dot_general": [M, M, (((1,), (0,)), ((), ()))],
    "lazir.lax.batch_matmul": [X((2, 3, 3)), X((2, 3, 3))],
    "lazir.lax.gather": [M, np.array([[0]]), lax.GatherDimensionNumbers((1,), (0,), (0,)), (1, 3)],
    "lazir.lax.dynamic_update_slice": [M, X((2, 2)), (0, 0)],
    "lazir.lax.dynamic_update_slice_in_dim": [V, X((2,)), 0, 0],
    "lazir.lax.dynamic_update_index_in_dim": [M, V, 0, 0],
    "lazir.lax.integer_pow": [V, 3],
    "lazir.lax.pad": [V, X(()), [(1, 1, 0)]],
    "lazir.lax.reduce": [M, X(()), lax.add, (0,)],
    "lazir.lax.reduce_window": [M, 0, lax.add, (2, 2)],
    "lazir.lax.select": [np.array(True), M, M],
    "lazir.lax.select_n": [np.array(True), M, M],
    "lazir.lax.clamp": [X(()), M, X(())],
    "lazir.lax.reshape": [M, (9,)],
    "lazir.lax.broadcasted_iota": ["int32", (2, 3), 1],
    "lazir.special.factorial": [V],
    "lazir.ops.segment_max": [V, np.array([0, 1, 1]), 2],
    "lazir.ops.segment_min": [V, np.array([0, 1, 1]), 2],
    "lazir.ops.segment_prod": [V, np.array([0, 1, 1]), 2],
    "lazir.ops.segment_sum": [V, np.array([0, 1, 1]), 2],
    "lazir.flatten_util.ravel_pytree": [[V, M]],
    "lazir.scipy.signal.convolve": [V, V],
    "lazir.scipy.signal.convolve2d": [M, M],
    "lazir.scipy.signal.correlate": [V, V],
    "lazir.scipy.signal.correlate2d": [M, M],
    "lazir.scipy.signal.fftconvolve": [V, V],
    "lazir.scipy.ndimage.map_coordinates": [V, [V], 1],
    "lazir.scipy.sparse.linalg.bicgstab": [M, V],
    "lazir.scipy.sparse.linalg.cg": [M, V],
    "lazir.scipy.sparse.linalg.gmres": [M, V],
    "lazir.scipy.integrate.odeint": [lambda y, t: -y, V, np.array([0.0, 1.0])],
    "lazir.scipy.stats.dirichlet": [V, V],
    "lazir.scipy.stats.multinomial": [V, 3, V],
    "lazir.scipy.stats.multivariate_normal": [V, V, M],
    **{
        f"lazir.scipy.stats.{name}": [V, *[0.5] * len(getattr(stats, name).shapes)]
        for name in stats.__all__
        if hasattr(getattr(stats, name), "shapes")
    },
    "lazir.special.polygamma": [1, V],
    "lazir.special.multigammaln": [V, 2],
    "lazir.random.categorical": [KEY, V],
    "lazir.random.choice": [KEY, V],
    "lazir.random.fold_in": [KEY, 1],
    "lazir.random.randint": [KEY, (3,), 0, 9],
    "lazir.random.truncated_normal": [KEY, -1.0, 1.0],
    "lazir.random.permutation": [KEY, V],
    "lazir.random.double_sided_maxwell": [KEY, V, V],
    "lazir.random.key_data": [KEY],
    "lazir.random.ball": [KEY, 3],
    "lazir.random.beta": [KEY, V, V],
    "lazir.random.binomial": [KEY, 9, V],
    "lazir.random.chisquare": [KEY, V],
    "lazir.random.clone": [KEY],
    "lazir.random.dirichlet": [KEY, V],
    "lazir.random.f": [KEY, V, V],
    "lazir.random.gamma": [KEY, V],
    "lazir.random.generalized_normal": [KEY, X(())],
    "lazir.random.key_impl": [KEY],
    "lazir.random.loggamma": [KEY, V],
    "lazir.random.multinomial": [KEY, 9, V],
    "lazir.random.multivariate_normal": [KEY, V, M],
    "lazir.random.orthogonal": [KEY, 3],
    "lazir.random.poisson": [KEY, V],
    "lazir.random.t": [KEY, V],
    "lazir.random.rayleigh": [KEY, V],
    "lazir.random.triangular": [KEY, V, V, V],
    "lazir.random.wald": [KEY, V],
    "lazir.random.weibull_min": [KEY, V, V],
    "lazir.random.wrap_key_data": [np.zeros((3, 2), np.uint32)],
    "lazir.nn.functional.embedding": [I2, M],
    "lazir.nn.functional.one_hot": [I2, 3],
    "lazir.nn.functional.prelu": [M, X((1,))],
    "lazir.nn.functional.cross_entropy": [M, np.array([0, 1, 2])],
    "lazir.nn.functional.nll_loss": [M, np.array([0, 1, 2])],
    "lazir.nn.functional.multi_margin_loss": [M, np.array([0, 1, 2])],
    "lazir.nn.functional.cosine_embedding_loss": [M, M, np.array([1, 1, -1])],
    "lazir.nn.one_hot": [I2, 3],
    "lazir.nn.functional.batch_norm": [X((2, 3)), V, V],
    "lazir.nn.functional.conv_transpose1d": [X((1, 2, 4)), X((2, 2, 2))],
    "lazir.nn.functional.conv_transpose2d": [X((1, 2, 4, 4)), X((2, 2, 2, 2))],
    "lazir.nn.functional.conv_transpose3d": [X((1, 2, 4, 4, 4)), X((2, 2, 2, 2, 2))],
    "lazir.nn.functional.threshold": [M, 0.5, 0.0],
    "lazir.nn.functional.bilinear": [X((2, 3)), X((2, 3)), X((4, 3, 3))],
    "lazir.nn.functional.fold": [X((1, 8, 4)), (3, 3), (2, 2)],
    "lazir.nn.functional.unfold": [X((1, 2, 4, 4)), (2, 2)],
    "lazir.nn.functional.interpolate": [X((1, 2, 4)), 8],
    "lazir.nn.functional.multi_head_attention": [
        X((1, 3, 4)), X((1, 3, 4)), X((1, 3, 4)), 2, (X((4, 4)), X((4, 4)), X((4, 4))), None,
        X((4, 4)),
    ],
    "lazir.nn.functional.ctc_loss": [X((4, 2, 3)), np.array([[1, 2], [1, 0]]), (4, 4), (2, 1)],
    "lazir.nn.functional.embedding_bag": [np.array([[0, 1]]), M],
    "lazir.nn.functional.grid_sample": [X((1, 2, 4, 4)), X((1, 3, 3, 2))],
    "lazir.nn.functional.affine_grid": [X((1, 2, 3)), (1, 1, 2, 2)],
    "lazir.nn.functional.max_unpool1d": [X((1, 2, 2)), np.array([[[0, 2], [1, 3]]]), 2],
    "lazir.nn.functional.max_unpool2d": [X((1, 1, 1, 1)), np.zeros((1, 1, 1, 1), int), 2],
    "lazir.nn.functional.max_unpool3d": [X((1, 1, 1, 1, 1)), np.zeros((1, 1, 1, 1, 1), int), 2],
    "lazir.nn.functional.multilabel_margin_loss": [M, np.array([[0, -1, 0]] * 3)],
    "lazir.nn.functional.channel_shuffle": [X((1, 4, 2)), 2],
    "lazir.nn.functional.scaled_dot_product_attention": [X((2, 3, 4)), X((2, 3, 4)), X((2, 3, 4))],
    "lazir.Tensor.astype": [M, "float32"],
    "lazir.Tensor.choose": [I2, [X((2,)), X((2,))]],
    "lazir.Tensor.expand": [X((1, 3)), 2, 3],
    "lazir.Tensor.flip": [M, 0],
    "lazir.Tensor.gather": [M, 0, np.zeros((1, 3), int)],
    "lazir.Tensor.masked_fill": [M, np.array([True, False, True]), 0],
    "lazir.Tensor.movedim": [M, 0, 1],
    "lazir.Tensor.narrow": [M, 0, 0, 2],
    "lazir.Tensor.permute": [M, 1, 0],
    "lazir.Tensor.repeat": [M, 2],
    "lazir.Tensor.reshape": [M, 9],
    "lazir.Tensor.to": [M, "float32"],
    "lazir.Tensor.transpose": [M, 0, 1],
    "lazir.Tensor.unflatten": [M, 0, (3, 1)],
    "lazir.Tensor.view": [M, 9],
    "lazir.Tensor.where": [M, np.array([True, False, True]), M],
    "lazir.Tensor.index_select": [M, 0, I2],
    "lazir.Tensor.searchsorted": [V, V],
    "lazir.Tensor.partition": [M, 1],
    "lazir.Tensor.bmm": [X((2, 3, 3)), X((2, 3, 3))],
}  # fmt: skip
"""Whole argument lists, where the names of parameters do not say enough."""
BY_NAME |= {
    f"lazir.lax.{n}": [M, np.array([[0]]), X((1, 3)), SCATTER]
    for n in dir(lax)
    if n.startswith("scatter")
}


KEYED = {f"lazir.nn.functional.{n}" for n in ("dropout", "dropout1d", "dropout2d", "dropout3d")}
KEYED |= {f"lazir.nn.functional.{n}" for n in ("gumbel_softmax", "alpha_dropout", "rrelu")}
KEYED |= {"lazir.nn.functional.feature_alpha_dropout"}
"""Functions that draw random numbers: while tracing, from a key alone."""
BY_NAME |= {name: [X((2, 3, 3))] for name in KEYED}
BY_NAME["lazir.nn.functional.dropout2d"] = [X((2, 3, 3, 3))]
BY_NAME["lazir.nn.functional.dropout3d"] = [X((2, 3, 3, 3, 3))]


def named(path: str) -> Any:
    """What a full name stands for."""
    found: Any = lz
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


SAME = {id(named(path)): path for path in BY_NAME}
"""The name above of a function, whichever of its names is asked for."""


def calls(name: str, function: Any) -> Iterator[Call]:
    """Calls to try of the function with this full name; none where its parameters are unknown."""
    name = name if name in BY_NAME else SAME.get(id(function), name)
    if name in BY_NAME:
        yield Call(BY_NAME[name], {"key": KEY} if name in KEYED else {})
        return
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    for shape in SHAPES:
        made = _arguments(needed, X(shape))
        if made is None:
            return
        yield made
        if not any(isinstance(a, X) for a in made.args):
            return


def _arguments(needed: Sequence[inspect.Parameter], sample: X) -> Call | None:
    args: list[Any] = []
    options: dict[str, Any] = {}
    for p in needed:
        value: Any
        if p.kind is p.VAR_POSITIONAL:
            args += [sample] if p.name in ("arys", "arrays", "xi", "operands") else []
            continue
        if p.name in ("tup", "arrays", "tensors") or (p.name == "operands"):
            value = [sample, sample]
        elif p.name in PLAIN and not (p.name == "source" and len(needed) == 2):
            value = PLAIN[p.name]
        elif p.name in TENSORS:
            value = 3 if p.annotation in ("int", int) else sample
        else:
            return None
        if p.kind is p.KEYWORD_ONLY:
            options[p.name] = value
        else:
            args.append(value)
    return Call(args, options)
