"""Fourier transforms against NumPy's, in compiled programs, and their derivatives."""

from __future__ import annotations

import concurrent.futures
import ctypes

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.autodiff import batch_graph, jvp_graph, vjp_graph
from lazir.compiler.errors import LazirError
from lazir.compiler.export import ExportError
from lazir.compiler.graph import Builder
from lazir.compiler.interpret import interpret
from lazir.compiler.opdef import OPS
from lazir.compiler.pipeline import Compilation
from lazir.compiler.start import READABLE
from lazir.compiler.target import host_target
from lazir.compiler.types import TensorType, c64, c128, f32, f64
from lazir.runtime import fourier
from lazir.runtime.execute import LoadedProgram

pytest.importorskip("numpy.fft._pocketfft_umath")

COMPLEX = ("fft", "ifft", "irfft", "hfft")
REAL = ("rfft", "ihfft")
SEVERAL = ("fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn", "irfft2", "irfftn")


def numbers(name, shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    real = rng.normal(size=shape)
    if name in REAL or name.startswith("rfft"):
        return real.astype(dtype)
    return (real + 1j * rng.normal(size=shape)).astype(np.result_type(dtype, np.complex64))


def check(got, wanted):
    got = np.asarray(got)
    assert got.shape == wanted.shape and got.dtype == wanted.dtype
    eps = np.finfo(got.dtype).eps
    scale = np.abs(wanted).max(initial=1)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=16 * eps * scale)


# -- values --------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*COMPLEX, *REAL])
def test_one_axis(name, dtype):
    cases = [
        ((8,), {}), ((7,), {}), ((2, 3, 5), {}), ((4, 6), {"axis": 0}), ((3, 6, 2), {"axis": -2}),
        ((3, 6), {"n": 4}), ((3, 6), {"n": 9}), ((5,), {"n": 1}), ((0, 4), {}),
        ((6,), {"norm": "ortho"}), ((6,), {"norm": "forward"}), ((9,), {"norm": "backward"}),
        ((2, 129), {}), ((1009,), {}),
    ]  # fmt: skip
    given = [numbers(name, shape, dtype) for shape, _ in cases]
    made = lz.compile(lambda xs: [getattr(lz.fft, name)(x, **kw) for x, (_, kw) in zip(xs, cases)])(
        given
    )
    for got, x, (_, kw) in zip(made, given, cases):
        check(got, getattr(np.fft, name)(x, **kw).astype(got.dtype.numpy))


@pytest.mark.parametrize("name", SEVERAL)
def test_several_axes(name):
    x = numbers(name, (3, 4, 6))
    cases = [{}, {"s": (4, 5), "axes": (0, 2)}, {"norm": "ortho", "axes": (1, 0)}]
    made = lz.compile(lambda v: [getattr(lz.fft, name)(v, **kw) for kw in cases])(x)
    for got, kw in zip(made, cases):
        check(got, getattr(np.fft, name)(x, **kw))


def test_frequencies_and_shifts():
    for n in (1, 2, 5, 8):
        check(lz.fft.fftfreq(n, 0.5, dtype="float64"), np.fft.fftfreq(n, 0.5))
        check(lz.fft.rfftfreq(n, 0.5, dtype="float64"), np.fft.rfftfreq(n, 0.5))
        for x in (np.arange(n), np.arange(3 * n).reshape(3, n)):
            for axes in (None, 0, (0,)):
                for name in ("fftshift", "ifftshift"):
                    got = getattr(lz.fft, name)(x, axes)
                    np.testing.assert_array_equal(got, getattr(np.fft, name)(x, axes))


def test_dtypes():
    assert lz.fft.fft(lnp.arange(4)).dtype == "complex64"
    assert lz.fft.fft(lnp.ones(4, "float16")).dtype == "complex64"
    assert lz.fft.irfft(lnp.ones(4, "float64")).dtype == "float64"
    assert np.fft.rfft(lnp.ones(4)).dtype == "complex64"
    assert lnp.fft.fft is lz.fft.fft


def test_errors():
    for wrong in (
        lambda: lz.fft.rfft(lnp.ones(3) * 1j),
        lambda: lz.fft.fft(lnp.ones((2, 0))),
        lambda: lz.fft.fft(lnp.ones(3), n=0),
        lambda: lz.fft.irfft(lnp.ones(1)),
        lambda: lz.fft.fft(lnp.ones(3), axis=1),
        lambda: lz.fft.fft(lnp.ones(3), norm="none"),
        lambda: lz.fft.fft(1.0),
        lambda: lz.fft.fftn(lnp.ones((2, 2)), s=(2,), axes=(0, 1)),
    ):
        with pytest.raises(LazirError):
            wrong()


def test_infinities_and_nan_pass_through():
    x = np.array([1, np.nan, 0, np.inf], complex)
    assert np.isnan(np.asarray(lz.fft.fft(x))).all()


# -- in programs ---------------------------------------------------------------------------
def smooth(x):
    """A convolution by its transform, among other kernels, some of it twice."""
    spectrum = lz.fft.rfft(x * 2, axis=0)
    size = spectrum.shape[0]
    return lz.fft.irfft(spectrum * lnp.exp(-lnp.arange(size))[:, None], x.shape[0], axis=0) + x


def test_among_kernels_loops_and_lazily():
    x = numbers("rfft", (12, 5))
    spectrum = np.fft.rfft(x * 2, axis=0) * np.exp(-np.arange(7))[:, None]
    wanted = np.fft.irfft(spectrum, 12, axis=0) + x
    np.testing.assert_allclose(lz.compile(smooth)(x).numpy(), wanted, rtol=1e-5, atol=1e-6)
    lazy = smooth(lz.Tensor(x)).numpy()
    np.testing.assert_allclose(lazy, wanted, rtol=1e-5, atol=1e-6)

    def rotate(z):
        return lz.fori_loop(0, 3, lambda k, z: lz.fft.fft(z, norm="ortho") * 1j, z)

    z = numbers("fft", (2, 8))
    wanted = z
    for _ in range(3):
        wanted = np.fft.fft(wanted, norm="ortho") * 1j
    check(lz.compile(rotate)(z), wanted)
    check(lz.vmap(rotate)(z), wanted)


def test_many_rows_go_in_pieces():
    """More rows than are transformed between two looks at whether to stop, and a rest."""
    x = numbers("rfft", (4003, 64), np.float32)
    check(lz.compile(lz.fft.rfft)(x), np.fft.rfft(x).astype(np.complex64))


def test_threads_share_the_loops():
    compiled = lz.compile(lambda z: lz.fft.ifft(lz.fft.fft(z) * 2))
    z = numbers("fft", (50, 60))
    compiled(z)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for got in pool.map(compiled, [z] * 12):
            check(got, z * 2)


def one_op(name, shape, **attrs):
    dtype = f64 if name == "rfft" else c128
    b = Builder(name=name)
    return b.graph(OPS[name].many(b, b.param(TensorType(shape, dtype)), pairs=False, **attrs))


OPS_OF = [
    ("fft", {"inverse": False}), ("fft", {"inverse": True}), ("rfft", {}),
    ("irfft", {"odd": False}), ("irfft", {"odd": True}),
]  # fmt: skip


@pytest.mark.parametrize("name, attrs", OPS_OF)
def test_text_of_every_stage_leads_to_the_same_program(name, attrs):
    whole = Compilation(one_op(name, (2, 6), **attrs), host_target())
    for stage in READABLE:
        again = Compilation.from_text(whole.text(stage), stage, host_target())
        assert again.llvm == whole.llvm and again.program.imports == whole.program.imports


@pytest.mark.parametrize("name, attrs", OPS_OF)
@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_both_modes_and_batching_of_the_ops(name, attrs, n):
    """The tangent is the transform of the tangent; the adjoint pairs with it as Re Σ c · t."""
    graph = one_op(name, (3, n), **attrs)
    x, t = (numbers(name, (3, n), seed=k) for k in (1, 2))
    _, tangent = interpret(jvp_graph(graph, [True]), [x, t])
    np.testing.assert_allclose(tangent, interpret(graph, [t])[0])
    ct = numbers("fft" if graph.result_types[0].dtype.is_complex else "rfft", tangent.shape, seed=3)
    forward, backward = vjp_graph(graph, [True])
    residuals = interpret(forward, [x])[1:]
    (back,) = interpret(backward, [*residuals, ct])
    assert back.dtype == t.dtype
    assert np.sum(ct * tangent).real == pytest.approx(np.sum(back * t).real, rel=1e-11, abs=1e-11)
    batched, places = batch_graph(graph, [1], 2)
    wide = np.stack([x, t], axis=1)
    (got,) = interpret(batched, [wide])
    np.testing.assert_allclose(np.take(got, 1, axis=places[0]), tangent)


def test_gradients_of_programs():
    x = numbers("rfft", (9, 2))

    def loss(v):
        return (abs(lz.fft.rfft(v, axis=0, norm="ortho")) ** 2).sum() + smooth(v)[3, 1]

    got = lz.compile(lz.grad(loss))(x).numpy()
    step = 1e-6
    for at in ((0, 0), (3, 1), (8, 1)):
        moved = np.zeros_like(x)
        moved[at] = step
        slope = (float(loss(lz.Tensor(x + moved))) - float(loss(lz.Tensor(x - moved)))) / (2 * step)
        assert got[at] == pytest.approx(slope, rel=1e-4)
    z = numbers("fft", (6,))
    twice = lz.grad(lambda w: abs(lz.grad(lambda v: (abs(lz.fft.fft(v)) ** 4).sum())(w)).sum())(z)
    assert np.isfinite(np.asarray(twice)).all()


# -- errors and the loops themselves -------------------------------------------------------
def test_export_is_refused(tmp_path):
    with pytest.raises(ExportError, match=r"lazir\.fft"):
        lz.compile(lz.fft.fft).export(tmp_path / "p", np.ones(4, np.complex64))


def test_a_numpy_laid_out_otherwise_is_an_error(monkeypatch):
    monkeypatch.setattr(fourier, "_known", {})
    fields = [("shift", ctypes.c_char * 8), *fourier._Ufunc._fields_]
    moved = type("Moved", (ctypes.Structure,), {"_fields_": fields})
    monkeypatch.setattr(fourier, "_Ufunc", moved)
    with pytest.raises(fourier.FourierError, match="laid out"):
        fourier.transform_address("lz_fft_fft_f64", "program")


def test_a_loop_that_computes_something_else_is_an_error(monkeypatch):
    monkeypatch.setattr(fourier, "_known", {})
    monkeypatch.setattr(fourier, "_LOOP", lambda address: lambda *given: None)
    with pytest.raises(fourier.FourierError, match="something else"):
        fourier.transform_address("lz_fft_fft_f64", "program")


def test_unknown_symbols_are_errors():
    for symbol in ("lz_fft_dct_f64", "lz_fft_fft_f16"):
        with pytest.raises(fourier.FourierError, match="knows nothing"):
            fourier.transform_address(symbol, "program")


@pytest.mark.parametrize("name, attrs", OPS_OF)
def test_single_precision_of_the_ops(name, attrs):
    b = Builder(name=name)
    x = numbers(name, (3, 5), np.float32)
    graph = b.graph(
        OPS[name].many(
            b, b.param(TensorType((3, 5), f32 if name == "rfft" else c64)), pairs=False, **attrs
        )
    )
    (got,) = LoadedProgram(Compilation(graph, host_target()).program).call([x])
    check(got, interpret(graph, [x])[0])
