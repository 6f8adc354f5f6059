"""Exported programs: they compile as C99 and C++, need nothing, and give the same bits."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazir.compiler.ops
from lazir.compiler.codegen.machine import undefined_symbols
from lazir.compiler.export import PROVIDED, ExportError, export
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import scalar_like
from lazir.compiler.pipeline import Compilation
from lazir.compiler.target import host_target, named_target
from lazir.compiler.types import bf16, f32, i1, i64, tensor
from lazir.runtime.execute import LoadedProgram

assert lazir.compiler.ops, "fills the op table"
Array = np.ndarray[Any, Any]


def op(b: Builder, name: str, *values: Value, **attrs: Any) -> Value:
    return OPS[name](b, *values, **attrs)  # type: ignore[no-any-return]


def matmul(b: Builder, x: Value, y: Value) -> Value:
    axes = {"lhs_contracting": (1,), "rhs_contracting": (0,), "lhs_batch": (), "rhs_batch": ()}
    return op(b, "dot_general", x, y, **axes)


def spread(b: Builder, y: Value, shape: tuple[int, ...], axis: int) -> Value:
    return op(b, "broadcast", y, shape=shape, axes=(axis,))


def soft() -> Graph:
    """A map and rows: softmax of tanh(x) times a scale, and the sums of the rows."""
    b = Builder(name="soft max")
    x, scale = b.param(tensor(f32, 5, 33), "x"), b.param(tensor(f32, 33), "double")
    y = op(b, "mul", op(b, "tanh", x), spread(b, scale, x.shape, 1))
    top = spread(b, op(b, "reduce_max", y, axes=(1,)), x.shape, 0)
    e = op(b, "exp", op(b, "sub", y, top))
    total = op(b, "reduce_sum", e, axes=(1,))
    return b.graph([op(b, "div", e, spread(b, total, x.shape, 0)), total])


def layers(rows: int, *sizes: int) -> Graph:
    """Dense layers with tanh between; the weights are the last parameters."""
    b = Builder(name="layers")
    y = b.param(tensor(f32, rows, sizes[0]), "x")
    weights = [
        (b.param(tensor(f32, m, n), f"w{k}"), b.param(tensor(f32, n), f"b{k}"))
        for k, (m, n) in enumerate(itertools.pairwise(sizes))
    ]
    for w, bias in weights:
        shape = (rows, w.shape[1])
        y = op(b, "tanh", op(b, "add", matmul(b, y, w), spread(b, bias, shape, 1)))
    return b.graph([y])


def power() -> Graph:
    """i = 0; while i < n: x = x @ m; i += 1."""

    def inner(build: Callable[[Builder, list[Value]], Value | list[Value]]) -> Graph:
        b = Builder(name="inner")
        types = (tensor(i64), tensor(f32, 4, 4), tensor(i64), tensor(f32, 4, 4))
        made = build(b, [b.param(t) for t in types])
        return b.graph(made if isinstance(made, list) else [made])

    cond = inner(lambda b, v: op(b, "less", v[2], v[0]))
    body = inner(lambda b, v: [op(b, "add", v[2], scalar_like(b, 1, v[2])), matmul(b, v[3], v[1])])
    b = Builder(name="power")
    x, m = b.param(tensor(f32, 4, 4), "X"), b.param(tensor(f32, 4, 4), "x")
    n = b.param(tensor(i64), "n")
    operands = (n, m, scalar_like(b, 0, n), x)
    node = OPS["while"].node(b, operands, {"cond": cond, "body": body, "n_const": 2})
    return b.graph([node.results[1]])


def choice() -> Graph:
    """Bools and bf16 in and out."""
    b = Builder(name="choice")
    flag, x = b.param(tensor(i1, 40), "flag"), b.param(tensor(bf16, 40), "x")
    return b.graph([op(b, "select", flag, op(b, "neg", x), x), op(b, "bit_not", flag)])


def arguments(graph: Graph) -> list[Array]:
    rng = np.random.default_rng(7)
    made: list[Array] = []
    for t in graph.param_types:
        if t.dtype is i64:
            made.append(np.array(5))
        elif t.dtype is i1:
            made.append(rng.integers(0, 2, t.shape).astype(bool))
        elif t.dtype is bf16:
            made.append(rng.integers(0, 0x7F00, t.shape).astype(np.uint16))
        else:
            made.append((0.3 * rng.standard_normal(t.shape)).astype(t.dtype.numpy))
    return made


# -- a program around the header ------------------------------------------------------------------
def _main(name: str, header: str) -> str:
    """Reads all inputs from one file, calls the inline function, writes all outputs to another."""
    call = re.search(rf"static inline int {name}\((.*)\) {{", header)
    assert call is not None
    arrays = re.findall(r"(const )?(\w+) \*(\w+)", call.group(1))
    lines = ["#include <stdio.h>", f'#include "{name}.h"', "int main(int argc, char **argv) {"]
    lines.append('  FILE *from = fopen(argv[1], "rb"), *to = fopen(argv[2], "wb");')
    lines.append(f"  static char room[{name.upper()}_WORKSPACE_BYTES + LZ_WORKSPACE_ALIGNMENT];")
    lines.append("  void *workspace = room + (LZ_WORKSPACE_ALIGNMENT - (uintptr_t)room "
                 "% LZ_WORKSPACE_ALIGNMENT) % LZ_WORKSPACE_ALIGNMENT;")  # fmt: skip
    lines.append("  if (argc != 3 || from == NULL || to == NULL) return 9;")
    for constant, type, array in (a for a in arrays if a[2] != "workspace"):
        macro = f"{name}_{array}".upper()
        lines.append(f"  static {type} {array}[{macro}_ELEMENTS];")
        lines.append(f"  if (sizeof {array} != {macro}_BYTES) return 8;")
        if constant:
            read = f"fread({array}, 1, sizeof {array}, from)"
            lines.append(f"  if ({read} != sizeof {array}) return 7;")
    lines.append(f"  if ({name}({', '.join(a[2] for a in arrays)}) != LZ_OK) return 6;")
    for constant, _, array in (a for a in arrays if a[2] != "workspace"):
        if not constant:
            write = f"fwrite({array}, 1, sizeof {array}, to)"
            lines.append(f"  if ({write} != sizeof {array}) return 5;")
    return "\n".join([*lines, "  return fclose(to);", "}", ""])


COMPILERS = {
    "c": ("cc", "-std=c99", "-pedantic"),
    "cpp": ("c++", "-std=c++11"),
}


def build_and_run(
    folder: Path, name: str, inputs: Sequence[Array], outputs: Sequence[Array], language: str
) -> list[Array]:
    """Compile a program around the exported one, run it on `inputs`, read what it wrote."""
    compiler, *flags = COMPILERS[language]
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no C compiler {compiler} on this machine")
    source = folder / f"main.{language}"
    source.write_text(_main(name, (folder / f"{name}.h").read_text()))
    (folder / "in").write_bytes(b"".join(np.ascontiguousarray(a).tobytes() for a in inputs))
    strict = ["-Wall", "-Wextra", "-Werror", *flags]
    command = [compiler, *strict, str(source), str(folder / f"{name}.o"), "-o", str(folder / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    called = [str(folder / part) for part in ("run", "in", "out")]
    assert subprocess.run(called, check=False).returncode == 0
    data, results = (folder / "out").read_bytes(), []
    for a in outputs:
        results.append(np.frombuffer(data[: a.nbytes], a.dtype).reshape(a.shape))
        data = data[a.nbytes :]
    assert not data
    return results


CASES: dict[str, tuple[Callable[[], Graph], int]] = {
    "soft": (soft, 0),
    "layers": (lambda: layers(16, 70, 40, 10), 0),
    "bound": (lambda: layers(16, 70, 40, 10), 4),
    "power": (power, 0),
    "choice": (choice, 0),
}
"""Program and the number of inputs that are built in."""


@pytest.mark.parametrize("language", COMPILERS)
@pytest.mark.parametrize("name", CASES)
def test_same_bits_as_in_process(name: str, language: str, tmp_path: Path) -> None:
    build, bound = CASES[name]
    compilation = Compilation(build(), host_target())
    arrays = arguments(compilation.graph)
    free = len(arrays) - bound
    paths = export(compilation, tmp_path, name, arrays[free:])
    assert paths == [tmp_path / f"{name}.o", tmp_path / f"{name}.h"]
    wanted = LoadedProgram(compilation.program).call(arrays)
    found = build_and_run(tmp_path, name, arrays[:free], wanted, language)
    for one, other in zip(found, wanted, strict=True):
        assert one.tobytes() == other.tobytes()
    if name == "power":
        powered = arrays[0] @ np.linalg.matrix_power(arrays[1], 5)
        np.testing.assert_allclose(found[0], powered, rtol=1e-5, atol=1e-6)
    if name == "bound":
        x, w0, b0, w1, b1 = arrays
        layer = np.tanh(np.tanh(x @ w0 + b0) @ w1 + b1)
        np.testing.assert_allclose(found[0], layer, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_needed_from_outside(name: str, tmp_path: Path) -> None:
    build, bound = CASES[name]
    compilation = Compilation(build(), host_target())
    arrays = arguments(compilation.graph)
    path, _ = export(compilation, tmp_path, name, arrays[len(arrays) - bound :])
    assert undefined_symbols(path.read_bytes()) <= PROVIDED
    if shutil.which("nm") is None:
        pytest.skip("there is no nm on this machine")
    listed = subprocess.run(["nm", str(path)], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in listed.splitlines()]
    assert {n for kind, n in symbols if kind == "U"} <= PROVIDED
    assert [n for kind, n in symbols if kind.isupper() and kind != "U"] == [f"{name}_entry"]


@pytest.mark.parametrize("target", ["x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64-neon"])
def test_any_target(target: str, tmp_path: Path) -> None:
    compilation = Compilation(layers(4, 20, 10), named_target(target))
    weights = arguments(compilation.graph)[1:]
    path, header = export(compilation, tmp_path / "made" / "here", "net", weights)
    assert undefined_symbols(path.read_bytes()) <= PROVIDED
    assert "int32_t net_entry(void **in, void **out, void *workspace, lz_ctx *ctx);" in (
        header.read_text()
    )
    again = export(compilation, tmp_path, "net", weights)
    assert again[0].read_bytes() == path.read_bytes()
    assert again[1].read_text() == header.read_text()


@pytest.mark.parametrize("language", COMPILERS)
def test_what_is_given_away(language: str, tmp_path: Path) -> None:
    """The header says which buffers may be one; two are right as well."""
    compilation = Compilation(soft(), host_target(), donated=[0])
    assert compilation.program.aliases == ((0, 0),)
    arrays = arguments(compilation.graph)
    _, header = export(compilation, tmp_path, "soft")
    assert "[5][33]; may be in[0], which it then overwrites\n" in header.read_text()
    wanted = LoadedProgram(Compilation(soft(), host_target()).program).call(arrays)
    for one, other in zip(build_and_run(tmp_path, "soft", arrays, wanted, language), wanted):
        assert one.tobytes() == other.tobytes()
    export(Compilation(soft(), named_target("wasm32"), donated=[0]), tmp_path, "soft")


def test_webassembly(tmp_path: Path) -> None:
    path, _ = export(Compilation(soft(), named_target("wasm32")), tmp_path, "soft")
    assert path.read_bytes()[:4] == b"\0asm"


def test_header_names(tmp_path: Path) -> None:
    """Keywords and names that differ in case only get a tail; constants are not arguments."""
    _, header = export(Compilation(power(), host_target()), tmp_path, "power")
    text = header.read_text()
    assert "int power(const float *X, const float *x_1, const int64_t *n, float *out0" in text
    assert "#define POWER_X_ELEMENTS 16" in text and "#define POWER_X_1_BYTES 64" in text
    _, header = export(Compilation(soft(), host_target()), tmp_path, "soft")
    assert "const float *double_1" in header.read_text()


def test_misuse_is_explained(tmp_path: Path) -> None:
    compilation = Compilation(layers(4, 20, 10), host_target())
    for name in ("", "2d", "a-b", "while", "_x", "lz_ctx"):
        with pytest.raises(ExportError, match="cannot name a C function"):
            export(compilation, tmp_path, name)
    with pytest.raises(ExportError, match=r"constant for input 2 is float64\[10\]"):
        export(compilation, tmp_path, "net", [np.zeros(10)])
    with pytest.raises(ExportError, match="3 inputs, not 4"):
        export(compilation, tmp_path, "net", [np.zeros(10)] * 4)
    with pytest.raises(ExportError, match="sm_80 cannot be exported"):
        export(Compilation(soft(), named_target("sm_80")), tmp_path, "net")
    assert not list(tmp_path.iterdir())
