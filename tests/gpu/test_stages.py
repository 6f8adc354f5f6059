"""GPU programs as text: every stage is valid MLIR, reads back, and its PTX assembles."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

from lazir.compiler.codegen.ptx import emit_ptx_ir
from lazir.compiler.graph import Builder, Graph
from lazir.compiler.mlir.parser import parse_module
from lazir.compiler.mlir.printer import print_module
from lazir.compiler.mlir.verify import verify
from lazir.compiler.opdef import OPS
from lazir.compiler.ops.source import scalar_like
from lazir.compiler.pipeline import GPU_STAGES, STAGES, Compilation, stages
from lazir.compiler.schedule.gpu_program import GpuUnsupportedError
from lazir.compiler.target import named_target
from lazir.compiler.types import f32, i64, tensor
from tests.gpu.programs import PROGRAMS
from tests.upstream import mlir_opt

ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90a", "sm_100")


def compiled(name: str, target: str = "sm_90a") -> Compilation:
    return Compilation(PROGRAMS[name](), named_target(target))


def assembler() -> pathlib.Path | None:
    """ptxas from the nvidia-cuda-nvcc package, or None."""
    spec = importlib.util.find_spec("nvidia")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    found = [p for root in roots for p in sorted(pathlib.Path(root).glob("cu*/bin/ptxas"))]
    return found[-1] if found else None


@pytest.mark.parametrize("name", PROGRAMS)
def test_upstream_takes_the_loops(name: str) -> None:
    mlir_opt(print_module(compiled(name).loops))


@pytest.mark.parametrize("name", PROGRAMS)
def test_loops_read_back_and_go_on_to_the_same_code(name: str) -> None:
    compilation = compiled(name)
    verify(compilation.loops)
    text = print_module(compilation.loops)
    read = parse_module(text)
    assert print_module(read) == text
    assert emit_ptx_ir(read, compilation.target) == compilation.llvm


@pytest.mark.parametrize("target", ARCHITECTURES)
def test_ptx_assembles(target: str, tmp_path: pathlib.Path) -> None:
    """All programs as one module, the numbers of their kernels made distinct."""
    tool = assembler()
    if tool is None:
        pytest.skip("ptxas is not installed: pip install 'lazir[ptx]' (Linux)")
    head, bodies = "", []
    for number, name in enumerate(PROGRAMS):
        text = compiled(name, target).ptx
        at = text.index(".address_size 64")
        head, body = text[:at] + ".address_size 64\n", text[at + len(".address_size 64") :]
        body = re.sub(r"\bk(\d+_)", rf"p{number}k\1", body)
        bodies.append(body.replace("$L__", f"$L{number}__"))
    source = tmp_path / "all.ptx"
    source.write_text(head + "".join(bodies))
    command = [tool, f"-arch={target}", "-v", source, "-o", tmp_path / "all.cubin"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    spills = re.findall(r"(\d+) bytes spill stores", done.stderr)
    assert len(spills) >= len(PROGRAMS) and not any(map(int, spills))


@pytest.mark.parametrize("name", ["special", "layer_norm", "everything"])
def test_same_text_in_a_fresh_process(name: str) -> None:
    script = (
        "from tests.gpu.test_stages import compiled; import sys; "
        f"c = compiled({name!r}); sys.stdout.write(c.llvm + c.ptx)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        cwd=pathlib.Path(__file__).parents[2],
    )  # fmt: skip
    compilation = compiled(name)
    assert done.stdout == compilation.llvm + compilation.ptx, done.stderr


def test_one_warp_a_row() -> None:
    """The shape of the loops: a warp for a short row, a block and shared memory for a long one."""
    short, long = (print_module(compiled(n).loops) for n in ("softmax_40", "softmax_700"))
    assert "known_block_size = array<i32: 128, 1, 1>" in short and "workgroup" not in short
    assert short.count("gpu.shuffle xor") == 2 * 5 and "gpu.barrier" not in short
    assert "known_block_size = array<i32: 256, 1, 1>" in long and "workgroup" in long
    assert long.count("gpu.shuffle xor") == 2 * (5 + 3) and long.count("gpu.barrier") == 2
    parts = print_module(compiled("everything").loops)
    assert re.findall(r"gpu\.launch_func @kernels::@(\w+)", parts) == [
        "k0_sum_sqrt_parts", "k0_sum_sqrt"
    ]  # fmt: skip


def test_names_of_stages() -> None:
    gpu, cpu = named_target("sm_80"), named_target("x86-64-v3")
    assert stages(gpu) == GPU_STAGES and GPU_STAGES[-1] == "ptx"
    assert stages(cpu) == STAGES and STAGES[-1] == "asm"
    with pytest.raises(ValueError, match="its last stage is ptx"):
        assert Compilation(PROGRAMS["one"](), gpu).asm
    with pytest.raises(ValueError, match="its last stage is asm"):
        assert Compilation(PROGRAMS["one"](), cpu).ptx
    with pytest.raises(GpuUnsupportedError, match="can be printed"):
        assert Compilation(PROGRAMS["one"](), gpu).program


# -- what is not taken yet -------------------------------------------------------------------------
def product() -> Graph:
    b = Builder(name="product")
    x, y = b.param(tensor(f32, 8, 9)), b.param(tensor(f32, 9, 7))
    axes = {"lhs_contracting": (1,), "rhs_contracting": (0,), "lhs_batch": (), "rhs_batch": ()}
    return b.graph([OPS["dot_general"](b, x, y, **axes)])


def update() -> Graph:
    b = Builder(name="update")
    x, y = b.param(tensor(f32, 8)), b.param(tensor(f32, 2))
    at = b.param(tensor(i64))
    return b.graph([OPS["dynamic_update_slice"](b, x, y, at)])


def loop() -> Graph:
    b, c, d = (Builder(name="loop") for _ in range(3))
    x = c.param(tensor(i64))
    cond = c.graph([OPS["less"](c, x, scalar_like(c, 9, x))])
    x = d.param(tensor(i64))
    body = d.graph([OPS["add"](d, x, scalar_like(d, 1, x))])
    x = b.param(tensor(i64))
    node = OPS["while"].node(b, (x,), {"cond": cond, "body": body, "n_const": 0})
    return b.graph([node.result])


@pytest.mark.parametrize(
    "build, what",
    [
        (product, r"kernel @k0_dot_general of kind contract in product"),
        (update, r"kernel @k0_dynamic_update_slice of kind scatter in update"),
        (loop, r"operation while in loop"),
    ],
)
def test_what_is_not_taken_is_named(build, what: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GpuUnsupportedError, match=f"{what}: the GPU back end does not take it yet"):
        assert Compilation(build(), named_target("sm_90a")).loops
