"""Trees, dtypes, lax names, files, locations."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir import dtypes, tree
from lazir.signature import Reader


def test_trees_round_trip() -> None:
    pair = namedtuple("pair", "x y")

    @tree.register_dataclass(static=["name"])
    @dataclass
    class Box:
        content: Any
        name: str

    value = {"b": [1, (2, None)], "a": pair(3, Box(4, "k")), "c": OrderedDict(z=5, y=6)}
    leaves, structure = tree.flatten(value)
    assert leaves == [3, 4, 1, 2, 5, 6]
    again = tree.unflatten(structure, leaves)
    assert again == value
    assert tree.structure(again) == structure
    assert hash(tree.structure(again)) == hash(structure)
    assert tree.structure({"a": 1}) != tree.structure({"b": 1})
    assert tree.structure(Box(1, "u")) != tree.structure(Box(1, "v"))
    assert [p for p, _ in tree.named_leaves({"a": pair(1, [2])}, "t")] == [
        "t['a'].x", "t['a'].y[0]",
    ]  # fmt: skip
    assert str(structure).startswith("Structure({'a': pair(*, Box(*)), 'b': [*, (*, None)]")


def test_paths_and_keys() -> None:
    util = lz.tree_util

    @util.register_dataclass
    @dataclass
    class Box:
        name: str = field(metadata={"static": True})
        content: Any = None

    @util.register_pytree_with_keys_class
    class Row(list):
        def tree_flatten_with_keys(self) -> Any:
            return [(util.GetAttrKey(f"cell{k}"), x) for k, x in enumerate(self)], None

        @classmethod
        def tree_unflatten(cls, rest: Any, xs: Any) -> Any:
            return cls(xs)

    class Bare(list):
        pass

    util.register_pytree_node(Bare, lambda t: (tuple(t), None), lambda rest, xs: Bare(xs))
    value = {"b": [Box("k", 1)], "a": (Row([2, 3]), Bare([4]))}
    pairs, shape = util.tree_flatten_with_path(value)
    assert [util.keystr(path) for path, _ in pairs] == [
        "['a'][0].cell0", "['a'][0].cell1", "['a'][1][<flat index 0>]", "['b'][0].content",
    ]  # fmt: skip
    assert [x for _, x in pairs] == util.tree_leaves(value) == [2, 3, 4, 1]
    assert shape == util.tree_structure(value)
    assert pairs[0][0] == (util.DictKey("a"), util.SequenceKey(0), util.GetAttrKey("cell0"))
    assert util.keystr(pairs[3][0], simple=True, separator="/") == "b/0/content"
    last = util.tree_map_with_path(lambda path, x, y: (str(path[-1]), x + y), value, value)
    assert last["b"][0].content == (".content", 2) and last["b"][0].name == "k"
    whole = util.tree_leaves_with_path(value, is_leaf=lambda x: isinstance(x, list))
    assert [util.keystr(path) for path, _ in whole] == ["['a'][0]", "['a'][1]", "['b']"]


def test_trees_turned_inside_out() -> None:
    util = lz.tree_util
    outer, inner = tree.structure({"x": 0, "y": 0}), tree.structure((0, [0]))
    value = {"x": (1, [2]), "y": (3, [4])}
    wanted = ({"x": 1, "y": 3}, [{"x": 2, "y": 4}])
    assert util.tree_transpose(outer, inner, value) == wanted
    assert util.tree_transpose(outer, None, value) == wanted
    with pytest.raises(ValueError, match="expected"):
        util.tree_transpose(outer, inner, {"x": (1, [2]), "y": (3, 4)})
    assert util.tree_broadcast((1, 2), ([0, 0], {"a": 0})) == ([1, 1], {"a": 2})
    assert util.tree_all([True, (1, [2])]) and not util.tree_all([True, 0])
    pair = lambda x: isinstance(x, tuple)  # noqa: E731
    assert util.tree_reduce(lambda a, b: a + b, [(1,), (2,)], is_leaf=pair) == (1, 2)
    parts = util.treedef_children(util.tree_structure((1, [2, 3])))
    assert util.treedef_tuple(parts) == util.tree_structure((1, [2, 3]))
    assert util.treedef_is_leaf(parts[0]) and parts[1].num_leaves == 2
    assert parts[1].unflatten([5, 6]) == [5, 6] and parts[1].flatten_up_to([7, (8,)]) == [7, (8,)]


def test_functions_with_tensors_are_trees() -> None:
    def affine(a: Any, x: Any, b: Any = 0.0) -> Any:
        return a * x + b

    f = lz.tree_util.Partial(affine, np.float64(2.0), b=np.float64(1.0))
    assert tree.leaves(f) == [2.0, 1.0]
    calls = lz.compile(lambda g, x: g(x))
    assert calls(f, 3.0).item() == 7.0
    slopes = lz.grad(lambda g: g(3.0))(f)
    assert slopes.args[0].item() == 3.0 and slopes.keywords["b"].item() == 1.0


def test_tree_errors() -> None:
    @dataclass
    class Two:
        a: int
        b: int

    with pytest.raises(ValueError, match="has no field 'c'; it has a, b"):
        tree.register_dataclass(Two, ["a", "c"], ["b"])
    with pytest.raises(ValueError, match="each field is either data or meta"):
        tree.register_dataclass(Two, ["a"], [])
    with pytest.raises(TypeError, match="keys of a dict must be sortable, got int, str"):
        tree.flatten({1: 0, "a": 0})
    with pytest.raises(ValueError, match="2 leaves cannot be built from 1"):
        tree.unflatten(tree.structure((1, 2)), [1])
    with pytest.raises(ValueError, match="expected a list, got tuple"):
        tree.map(lambda a, b: a, [1], (1,))
    with pytest.raises(TypeError, match="not a dataclass"):
        tree.register_dataclass(int)


def test_arguments_are_flattened_alike_on_both_ways() -> None:
    for args in [(), (1,), (1, 2.0), ([1], 2), ({"a": 1}, None), (None,)]:
        assert tree.flatten_arguments(args) == tree.flatten(args)


def test_promotion_is_symmetric_and_reaches_both() -> None:
    names = ["i1", "i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64", "f16", "bf16", "f32",
             "f64", "complex<f32>", "complex<f64>"]  # fmt: skip
    kinds = [dtypes.as_dtype(n) for n in names]
    for a in kinds:
        assert dtypes.promote_types(a, a) is a
        for b in kinds:
            ab = dtypes.promote_types(a, b)
            assert ab is dtypes.promote_types(b, a)
            assert dtypes.promote_types(ab, b) is ab
    for a in kinds[:9]:
        for b in kinds[:9]:
            wanted = np.promote_types(a.numpy, b.numpy)
            assert dtypes.promote_types(a, b).numpy == wanted
    with pytest.raises(TypeError, match="no element type"):
        dtypes.as_dtype("quaternion")


def test_lax_slices() -> None:
    x = np.arange(12).reshape(3, 4)

    @lz.compile
    def f(x: Any, i: Any) -> Any:
        piece = lz.lax.dynamic_slice(x, (i, 1), (2, 2))
        return piece, lz.lax.dynamic_update_slice(x, piece * 0, (0, i))

    piece, changed = f(x, 5)
    assert piece.tolist() == [[5, 6], [9, 10]]
    assert changed.tolist() == [[0, 1, 0, 0], [4, 5, 0, 0], [8, 9, 10, 11]]
    assert lz.lax.dynamic_index_in_dim(x, -1 + 3, 1).tolist() == [[2], [6], [10]]


def test_files(tmp_path: Any) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {
        "a": lnp.arange(6).reshape(2, 3), "b": lz.Tensor([1.5, -2.0], "bf16"),
        "empty": lnp.zeros((0, 3)), "flag": lz.Tensor([True, False]), "scalar": lz.Tensor(2.5),
    }  # fmt: skip
    lz.save(tensors, path, {"made": "here"})
    again = lz.load(path)
    assert list(again) == list(tensors)
    for name, value in tensors.items():
        assert again[name].dtype is value.dtype
        assert again[name].tolist() == value.tolist()
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    data = path.read_bytes()
    path.write_bytes(data[:-3])
    with pytest.raises(ValueError, match="does not fit its place"):
        lz.load(path)
    path.write_bytes(b"\xff" * 40)
    with pytest.raises(ValueError, match="not a safetensors file"):
        lz.load(path)


def test_locations_have_columns() -> None:
    traced = lz.compile(lambda x: (x + 1) * lnp.sin(x)).trace(lz.spec(3))
    graph = traced.graph
    places = {node.op: graph.locs[node][0] for node in graph.nodes if node.op in ("add", "sin")}
    line = "    traced = lz.compile(lambda x: (x + 1) * lnp.sin(x)).trace(lz.spec(3))"
    assert places["add"].file == __file__
    assert places["add"].line == places["sin"].line
    assert line[places["add"].column - 1 :].startswith("x + 1")
    assert line[places["sin"].column - 1 :].startswith("lnp.sin(x)")


def test_same_text_after_other_traces() -> None:
    def f(x: Any, y: Any) -> Any:
        return lnp.where(x > y, x, y).sum(0)

    arguments = lz.spec((4, 3)), lz.spec(3)
    first = lz.compile(f).lower(*arguments).ir("graph")
    for k in range(3, 40):
        lz.compile(lambda x: x * x).trace(lz.spec(k))
    assert lz.compile(f).lower(*arguments).ir("graph") == first
    assert "func.func @f(%x: tensor<4x3xf32>, %y: tensor<3xf32>)" in first


def test_reader_finds_arguments_by_name_and_number() -> None:
    def f(a: Any, b: Any, *, c: Any = 1) -> Any:
        return a

    assert Reader(f, 1, (), (), ()).names == {"b"}
    assert Reader(f, (), "b", (), ()).numbers == {1}
    assert Reader(f, -1, (), (), ()).numbers == {1}
    assert Reader(f, (), ("c",), (), ()).names == {"c"}


def test_devices() -> None:
    x = lz.Tensor([1.0])
    assert x.to("cpu") is x and str(x.device) == "cpu"
    with pytest.raises(ValueError, match="unknown device"):
        lz.device_put(x, "tpu")
    assert x.to("float64").dtype is lz.float64
