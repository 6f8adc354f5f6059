"""Calls of LAPACK as text: verified upstream, read back at every stage; no exports, no GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lazir.compiler.errors import LazirError, VerifyError
from lazir.compiler.explain import explain
from lazir.compiler.export import ExportError, export
from lazir.compiler.graph import Builder, Graph, Value
from lazir.compiler.opdef import OPS
from lazir.compiler.pipeline import Compilation
from lazir.compiler.reenter import READABLE
from lazir.compiler.target import host_target, named_target
from lazir.compiler.types import c64, c128, f32, f64, tensor
from lazir.runtime.execute import LoadedProgram
from lazir.runtime.program import Program
from tests.upstream import mlir_opt

pytest.importorskip("scipy")


def op(b: Builder, name: str, *xs: Value, **attrs: Any) -> tuple[Value, ...]:
    return OPS[name].many(b, *xs, **attrs)


def everything() -> Graph:
    """Every op, some twice, one inside of a loop, among other kernels."""
    b = Builder(name="library0_cholesky")  # a name that text must tell from those of calls
    a, y = b.param(tensor(f64, 2, 3, 3), "a"), b.param(tensor(f32, 4, 2), "y")
    (factor,) = op(b, "cholesky", a)
    (again,) = op(b, "cholesky", OPS["add"](b, a, a))
    (solved,) = op(b, "solve", a, factor, transpose=False)
    (turned,) = op(b, "solve", a, again, transpose=True)
    q, r = op(b, "qr", y, full_matrices=True)
    u, s, vt = op(b, "svd", y, full_matrices=False, compute_uv=True)
    (alone,) = op(b, "svd", y, full_matrices=False, compute_uv=False)
    values, vectors = op(b, "eigh", a, vectors=True)
    factors, pivots, permutation = op(b, "lu", y)
    c = Builder(name="body")
    x = c.param(tensor(f64, 2, 3, 3))
    n = c.param(tensor(f64))
    body = c.graph([*op(c, "qr", x, full_matrices=False)[:1], OPS["add"](c, n, n)])
    d = Builder(name="cond")
    x, n = d.param(tensor(f64, 2, 3, 3)), d.param(tensor(f64))
    limit = OPS["reduce_sum"](d, x, axes=(0, 1, 2))
    test = d.graph([OPS["less"](d, n, OPS["abs"](d, limit))])
    attrs = {"cond": test, "body": body, "n_const": 0}
    start = OPS["reduce_max"](b, s, axes=(0,))
    start = OPS["convert"](b, start, dtype=f64)
    loop = op(b, "while", a, start, **attrs)
    results = [factor, solved, turned, q, r, u, s, vt, alone, values, vectors, factors, pivots,
               permutation, *loop]  # fmt: skip
    return b.graph(results)


def arrays() -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(2, 3, 3))
    return [a @ np.swapaxes(a, -1, -2) + np.eye(3), rng.normal(size=(4, 2)).astype(np.float32)]


def test_every_stage_goes_on_alike() -> None:
    first = Compilation(everything(), host_target())
    wanted = LoadedProgram(first.program).call(arrays())
    for stage in READABLE:
        text = first.text(stage)
        again = Compilation.from_text(text, stage, first.target)
        assert again.text(stage) == text, stage
        assert again.llvm == first.llvm, stage
        assert again.program.imports == first.program.imports
        for a, b in zip(LoadedProgram(again.program).call(arrays()), wanted, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("stage", ["kernels", "loops"])
def test_upstream_verifies(stage: str) -> None:
    mlir_opt(Compilation(everything(), host_target()).text(stage))


def of_complex() -> Graph:
    """Complex matrices, which the stages behind `split` have as pairs."""
    b = Builder(name="of_complex")
    a, y = b.param(tensor(c128, 2, 3, 3), "a"), b.param(tensor(c64, 4, 2), "y")
    (factor,) = op(b, "cholesky", a)
    (solved,) = op(b, "solve", a, factor, transpose=True)
    eigen = op(b, "eig", a, vectors=True)
    symmetric = op(b, "eigh", a, vectors=True)
    singular = op(b, "svd", y, full_matrices=True, compute_uv=True)
    return b.graph([factor, solved, *eigen, *symmetric, *singular])


def test_complex_matrices_at_every_stage() -> None:
    first = Compilation(of_complex(), host_target())
    rng = np.random.default_rng(0)
    a, y = (rng.normal(size=(*s, 2)) @ [1, 1j] for s in ((2, 3, 3), (4, 2)))
    given = [a @ a.conj().swapaxes(-1, -2) + np.eye(3), y.astype(np.complex64)]
    wanted = LoadedProgram(first.program).call(given)
    for stage in READABLE:
        text = first.text(stage)
        again = Compilation.from_text(text, stage, first.target)
        assert again.llvm == first.llvm, stage
        for p, q in zip(LoadedProgram(again.program).call(given), wanted, strict=True):
            assert p.tobytes() == q.tobytes()
    mlir_opt(first.text("kernels"))
    mlir_opt(first.text("loops"))
    assert first.program.imports == (
        "lz_blas_ztrsm", "lz_lapack_cgesdd", "lz_lapack_zgeev", "lz_lapack_zgetrf",
        "lz_lapack_zheevd", "lz_lapack_zpotrf",
    )  # fmt: skip


def test_what_a_program_imports() -> None:
    program = Compilation(everything(), host_target()).program
    assert program.imports == (
        "lz_blas_dtrsm", "lz_lapack_dgeqrf", "lz_lapack_dgetrf", "lz_lapack_dorgqr",
        "lz_lapack_dpotrf", "lz_lapack_dsyevd", "lz_lapack_sgeqrf", "lz_lapack_sgesdd",
        "lz_lapack_sgetrf", "lz_lapack_sorgqr",
    )  # fmt: skip
    assert Program.from_bytes(program.to_bytes()) == program


def test_equal_calls_share_a_function() -> None:
    text = Compilation(everything(), host_target()).text("kernels")
    assert text.count('lz.routine = "cholesky"') == 1
    assert text.count("call @library0_cholesky_(") == 2
    assert text.count('lz.routine = "lu"') == 2  # of a once for both solves, and of y


@pytest.mark.parametrize(
    "wrong, message",
    [
        ('lz.routine = "cholesky"', 'lz.routine = "invert"'),
        ("(tensor<3x3xf64>) -> tensor<3x3xf64> attr", "(tensor<3x2xf64>) -> tensor<3x3xf64> attr"),
        ("(tensor<3x3xf64>) -> tensor<3x3xf64> attr", "(tensor<3x3xf64>) -> tensor<3x2xf64> attr"),
        ('lz.routine = "cholesky"', 'lz.routine = "qr"'),
    ],
)
def test_text_that_calls_nothing_is_refused(wrong: str, message: str) -> None:
    b = Builder(name="f")
    graph = b.graph(op(b, "cholesky", b.param(tensor(f64, 3, 3))))
    text = Compilation(graph, host_target()).text("kernels")
    assert wrong in text
    with pytest.raises(VerifyError):
        _ = Compilation.from_text(text.replace(wrong, message), "kernels", host_target()).kernels


def test_export_and_gpus_say_no(tmp_path: Path) -> None:
    compilation = Compilation(everything(), host_target())
    with pytest.raises(ExportError, match="LAPACK"):
        export(compilation, tmp_path, "factors")
    assert not list(tmp_path.iterdir())
    b = Builder(name="f")
    graph = b.graph(op(b, "cholesky", b.param(tensor(f64, 3, 3))))
    with pytest.raises(LazirError, match=r"cholesky.*CPU"):
        _ = Compilation(graph, named_target("sm_80")).loops


def test_explain_names_the_calls() -> None:
    report = explain(Compilation(everything(), host_target()), measure=False)
    assert {s.name for s in report.steps if s.kind == "library"} >= {"cholesky", "qr", "svd", "lu"}
