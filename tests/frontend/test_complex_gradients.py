"""Complex numbers in control flow, transforms, gradients of both conventions, programs on disk."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp
from lazir.compiler.errors import LazirError

Z = np.array([1 + 2j, -0.5 + 0.3j, 0.25 - 1.5j])


def close(got, wanted):
    assert np.asarray(got).dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-12, atol=1e-13)


# -- conventions -----------------------------------------------------------------------------
def plain(function):
    """∂f/∂x − i ∂f/∂y by central differences."""
    h, out = 1e-6, np.empty(Z.shape, complex)
    for k in range(Z.size):
        step = np.zeros_like(Z)
        step[k] = h
        slopes = [
            (float(function(lz.Tensor(Z + s))) - float(function(lz.Tensor(Z - s)))) / (2 * h)
            for s in (step, 1j * step)
        ]
        out[k] = slopes[0] - 1j * slopes[1]
    return out


REAL_FUNCTIONS = {
    "squared size": lambda z: (abs(z) ** 2).sum(),
    "mixed": lambda z: (lnp.exp(z) * lnp.conj(z) / (2 + z)).real.sum() + lnp.angle(z).sum(),
    "product": lambda z: lnp.prod(z).imag,
    "running product": lambda z: lnp.cumprod(z).real.sum(),
    "matrix": lambda z: lnp.real(lnp.outer(z, lnp.conj(z)) @ lnp.sin(z)).sum(),
    "sign and variance": lambda z: lnp.sign(z).real.sum() + lnp.var(z) + lnp.std(z),
    "chosen": lambda z: lnp.where(z.imag > 0, z * z, 3 * z).imag.sum(),
    "moved": lambda z: abs(lnp.concatenate([z[::-1], z[1:] ** 3]).reshape(5)[1::2]).sum(),
    "by place": lambda z: (z.at[1].set(2j * z[1]).real * z[np.array([2, 0, 0])].imag).sum(),
    "power": lambda z: (z ** (0.5 + 1j)).real.sum() + (2.0**z).imag.sum(),
    "scalar": lambda z: lnp.real(lnp.sum(z) / lnp.mean(z * 2.0 + 1) - 1 / z[0]),
}


@pytest.mark.parametrize("name", REAL_FUNCTIONS)
def test_grad_is_jaxs_and_backward_torchs(name):
    function = REAL_FUNCTIONS[name]
    wanted = plain(function)
    got = lz.compile(lz.grad(function))(Z)
    assert got.dtype == "complex128"
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-6, atol=1e-7)
    leaf = lz.Tensor(Z, requires_grad=True)
    function(leaf).backward()
    np.testing.assert_allclose(leaf.grad.numpy(), wanted.conj(), rtol=1e-6, atol=1e-7)


def test_real_parameters_behind_complex_values_have_real_gradients():
    def loss(t):
        return abs(lnp.exp(1j * t) + 2).sum()

    t = np.array([0.3, -1.0, 2.0])
    wanted = -2 * np.sin(t) / np.abs(np.exp(1j * t) + 2)
    close(lz.grad(loss)(t), wanted)
    leaf = lz.Tensor(t, requires_grad=True)
    loss(leaf).backward()
    close(leaf.grad, wanted)


def test_holomorphic():
    def f(z):
        return lnp.exp(z) * z

    slope = np.exp(Z) * (Z + 1)
    close(lz.grad(f, holomorphic=True)(Z[0]), slope[0])
    for jacobian in (lz.jacfwd, lz.jacrev):
        close(jacobian(f, holomorphic=True)(Z), np.diag(slope))
    second = lz.hessian(lambda z: (z**3).sum(), holomorphic=True)(Z)
    close(second, np.diag(6 * Z))
    for wrong in (lz.grad(f), lz.jacfwd(f), lz.jacrev(f)):
        with pytest.raises(LazirError, match="holomorphic"):
            wrong(Z if wrong is not None and "jac" in wrong.__name__ else Z[0])
    with pytest.raises(LazirError, match="holomorphic"):
        lz.grad(f, holomorphic=True)(1.0)
    with pytest.raises(LazirError, match="real scalar"):
        (lz.Tensor(Z, requires_grad=True) * 2).sum().backward()


def test_seeds_of_backward_are_torchs():
    """A gradient handed in is conjugated on its way: d(z²) with seed 1 + i is conj(2z) (1 + i)."""
    leaf = lz.Tensor(Z, requires_grad=True)
    seed = np.full(3, 1 + 1j)
    (leaf * leaf).backward(seed)
    close(leaf.grad, np.conj(2 * Z) * seed)


# -- control flow ------------------------------------------------------------------------------
def steps(z, c, n=5):
    for _ in range(n):
        z = z * z + c
    return z


def test_loops_carry_complex_numbers():
    c = 0.2 + 0.1j

    def bounded(z):
        return lz.fori_loop(0, 5, lambda k, z: z * z + c, z)

    def unbounded(z):
        state = (0, z)
        return lz.while_loop(lambda s: s[0] < 5, lambda s: (s[0] + 1, s[1] * s[1] + c), state)[1]

    for loop in (bounded, unbounded):
        close(lz.compile(loop)(Z * 0.3), steps(Z * 0.3, c))
        _, slope = lz.jvp(loop, (Z * 0.3,), (np.ones(3, complex),))
        h = 1e-6
        wanted = (steps(Z * 0.3 + h, c) - steps(Z * 0.3 - h, c)) / (2 * h)
        np.testing.assert_allclose(slope.numpy(), wanted, rtol=1e-7)
    close(lz.vmap(bounded)(Z * 0.3), steps(Z * 0.3, c))


def test_scan_stacks_and_differentiates():
    rows = np.array([1, 1j, 2 - 1j])

    def last(z):
        end, sizes = lz.scan(lambda carry, x: (carry * x + 1j, carry), z, rows)
        return end, sizes

    end, stacked = lz.compile(last)(Z)
    carry, wanted = Z, []
    for x in rows:
        wanted.append(carry)
        carry = carry * x + 1j
    close(end, carry)
    close(stacked, np.array(wanted))
    got = lz.compile(lz.grad(lambda z: (last(z)[0].real + last(z)[1].imag.sum(axis=0)).sum()))(Z)
    total = np.prod(rows) - 1j * (1 + rows[0] + rows[0] * rows[1])
    close(got, np.full(3, total))


def test_cond_and_checkpoint_and_custom_rules():
    @lz.custom_vjp
    def squared(z):
        return z * z

    squared.defvjp(lambda z: (z * z, z), lambda z, ct: (ct * 2 * z,))

    def loss(z):
        inner = lz.cond(z[0].real > 0, lambda z: z * 1j, lambda z: z.conj(), z)
        return squared(lz.checkpoint(lnp.sin)(inner)).real.sum()

    for point, slope in ((Z, np.sin(2j * Z) * 1j), (-Z, np.conj(np.sin(2 * np.conj(-Z)).conj()))):
        got = lz.compile(lz.grad(loss))(point)
        if point is not Z:  # f(conj z) has the gradient conj f′(conj z)
            slope = np.conj(np.sin(2 * np.conj(point)))
        close(got, slope)


def test_vmap_over_any_axis():
    grid = np.stack([Z, Z + 1j])
    close(lz.vmap(lambda z: lnp.exp(z).sum(), in_axes=1)(grid), np.exp(grid).sum(0))


# -- programs ----------------------------------------------------------------------------------
def test_a_program_goes_to_disk_and_into_c(tmp_path):
    @lz.compile
    def rotate(z, t):
        return z * lnp.exp(1j * t), abs(z)

    z, t = Z.astype(np.complex64), np.float32(0.5)
    rotated, size = rotate(z, t)
    np.testing.assert_allclose(rotated.numpy(), z * np.exp(0.5j), rtol=1e-6)
    assert "tensor<3xcomplex<f32>>" in rotate.lower(z, t).ir("graph")
    rotate.export(tmp_path / "rotate", z, t)
    header = next(tmp_path.rglob("*.h")).read_text()
    assert "real and imaginary parts side by side" in header and size.dtype == "float32"
