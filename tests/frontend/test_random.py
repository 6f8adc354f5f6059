"""Random numbers: their distributions against SciPy, the same bits everywhere, unchanged streams.

`PYTHONPATH=tests python tests/frontend/test_random.py` writes the streams anew, after a change of
them that is meant.
"""

from __future__ import annotations

import functools
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats as st
from random_table import COUNTS, DRAWS, MORE, NUMBERS, P4, SEED, SPREAD, R, draw

import lazir as lz
import lazir.numpy as lnp
from lazir.runtime import threads

COUNT = 20_000
FEW = 4_000
STREAMS = Path(__file__).parent / "random_streams.json"
KEYS = (5, SEED)


# one program each for all names, since that compiles in half the time
def everything(key: Any) -> dict[str, Any]:
    return {name: draw(name, key, (COUNT,)) for name in (*DRAWS, *MORE)}


PROGRAM = lz.compile(everything)


@functools.cache
def narrow(key: int, thread_count: int) -> dict[str, Any]:
    """COUNT draws of every name."""
    before = threads.get_num_threads()
    threads.set_num_threads(thread_count)
    try:
        return {name: np.asarray(x) for name, x in PROGRAM(R.key(key)).items()}
    finally:
        threads.set_num_threads(before)


@functools.cache
def mapped() -> dict[str, Any]:
    """The same over all keys at once."""
    keys = lnp.stack([R.key(k) for k in KEYS])
    found = lz.compile(lz.vmap(everything))(keys)
    return {name: np.asarray(x) for name, x in found.items()}


@functools.cache
def wide() -> dict[str, Any]:
    """A few draws in the wide dtypes, of names that have one."""
    names = [name for name in DRAWS if DRAWS[name][0]]
    found = lz.compile(lambda k: {name: draw(name, k, (37,), True) for name in names})(R.key(SEED))
    return {name: np.asarray(x) for name, x in found.items()}


def drawn(name: str) -> Any:
    """The draws that most tests look at."""
    return narrow(SEED, 3)[name]


def near(found: Any, wanted: Any, deviation: Any) -> bool:
    """Whether the means along the first axis are within 4.5 deviations of what they should be."""
    error = abs(np.mean(found, axis=0, dtype=np.float64) - wanted)
    return bool(np.all(error < 4.5 * np.asarray(deviation) / np.sqrt(len(found))))


def fits(counts: Any, expected: Any) -> bool:
    """Pearson's test of counts whose expectations are large enough for it."""
    some = np.asarray(expected) > 5
    distance = ((counts - expected)[some] ** 2 / expected[some]).sum()
    return bool(st.chi2.sf(distance, some.sum() - 1) > 1e-3)


# -- every function of the module ----------------------------------------------------------
PARAMETERS = """
PRNGKey seed impl; ball key d p shape dtype; bernoulli key p shape mode; beta key a b shape dtype;
binomial key n p shape dtype; bits key shape dtype; cauchy key shape dtype;
categorical key logits axis shape replace mode; chisquare key df shape dtype; clone key;
choice key a shape replace p axis mode; dirichlet key alpha shape dtype;
double_sided_maxwell key loc scale shape dtype; exponential key shape dtype;
f key dfnum dfden shape dtype; fold_in key data; gamma key a shape dtype;
generalized_normal key p shape dtype; geometric key p shape dtype; gumbel key shape dtype mode;
key seed impl; key_data keys; key_impl keys; laplace key shape dtype; loggamma key a shape dtype;
logistic key shape dtype; lognormal key sigma shape dtype; maxwell key shape dtype;
multinomial key n p shape dtype unroll; multivariate_normal key mean cov shape dtype method;
normal key shape dtype; orthogonal key n shape dtype m; pareto key b shape dtype;
permutation key x axis independent; poisson key lam shape dtype; rademacher key shape dtype;
randint key shape minval maxval dtype; rayleigh key scale shape dtype; split key num;
t key df shape dtype; triangular key left mode right shape dtype;
truncated_normal key lower upper shape dtype; uniform key shape dtype minval maxval;
wald key mean shape dtype; weibull_min key scale concentration shape dtype;
wrap_key_data key_bits_array impl
"""


def test_names_and_parameters_are_those_of_jax() -> None:
    wanted = {name: rest for name, *rest in (line.split() for line in PARAMETERS.split(";"))}
    assert sorted(wanted) == sorted(R.__all__)
    for name, parameters in wanted.items():
        assert list(inspect.signature(getattr(R, name)).parameters) == parameters, name


def test_the_table_has_every_name() -> None:
    assert sorted([*DRAWS, "key_impl"]) == sorted(R.__all__)


@pytest.mark.parametrize("name", [*DRAWS, *MORE])
def test_mapped_over_keys_as_one_by_one_and_on_any_number_of_threads(name: str) -> None:
    for k, x in zip(KEYS, mapped()[name], strict=True):
        for thread_count in (1, 3):
            assert x.tobytes() == narrow(k, thread_count)[name].tobytes(), (k, thread_count)


# -- streams -------------------------------------------------------------------------------
SUMMED = ("ball", "dirichlet", "multivariate_normal", "orthogonal")
"""Names whose last bits are a matter of the order in which a machine sums."""


def streams(name: str) -> list[Any]:
    """For each dtype its name and a few numbers from all over."""
    found = []
    for x in (drawn(name), *([wide()[name]] if name in wide() else [])):
        flat = x.reshape(-1)
        places = sorted({0, 1 % flat.size, 17 % flat.size, flat.size // 2, flat.size - 1})
        found.append([str(flat.dtype), flat[places].tolist()])
    return found


@pytest.mark.parametrize("name", DRAWS)
def test_streams_are_as_they_were(name: str) -> None:
    for (kind, wanted), (now, got) in zip(
        json.loads(STREAMS.read_text())[name], streams(name), strict=True
    ):
        assert kind == now
        if name in SUMMED:
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
        else:
            assert got == wanted


# -- distributions -------------------------------------------------------------------------
@pytest.mark.parametrize("name", NUMBERS)
def test_distribution(name: str) -> None:
    x = drawn(name).astype(np.float64)
    assert st.kstest(x[:FEW], NUMBERS[name].cdf).pvalue > 1e-3
    mean, variance = NUMBERS[name].mean(), NUMBERS[name].var()
    if np.isfinite(variance):
        assert near(x, mean, np.sqrt(variance))


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    values, counts = np.unique(drawn(name), return_counts=True)
    expected = COUNTS[name].pmf(values.astype(np.int64)) * COUNT
    assert (expected > 0).all() and abs(expected.sum() - COUNT) < 0.01 * COUNT
    assert fits(counts, expected)
    assert near(drawn(name), COUNTS[name].mean(), COUNTS[name].std())


def test_points() -> None:
    x = drawn("dirichlet").astype(np.float64)
    a, total = np.array([0.5, 1.0, 3.0]), 4.5
    assert abs(x.sum(-1) - 1).max() < 1e-6
    for k in range(3):
        assert st.kstest(x[:FEW, k], st.beta(a[k], total - a[k]).cdf).pvalue > 1e-3
    radius = (abs(drawn("ball")).astype(np.float64) ** 1.5).sum(-1)
    assert st.kstest(radius[:FEW] ** (3 / 1.5), st.uniform.cdf).pvalue > 1e-3
    q = drawn("orthogonal").astype(np.float64)
    assert abs(q @ q.swapaxes(1, 2) - np.eye(3)).max() < 1e-5
    for j, k in ((0, 0), (1, 2), (2, 2)):  # Haar's measure: every entry has this distribution
        assert st.kstest(q[:FEW, j, k] / 2 + 0.5, st.beta(1, 1).cdf).pvalue > 1e-3
    wide = R.orthogonal(R.key(1), 2, (5,), "float64", m=4).numpy()
    assert wide.shape == (5, 2, 4) and abs(wide @ wide.swapaxes(1, 2) - np.eye(2)).max() < 1e-13


def test_normal_vectors() -> None:
    x = drawn("multivariate_normal").astype(np.float64)
    white = np.linalg.solve(np.linalg.cholesky(SPREAD), (x - [1, -2]).T)
    assert all(st.kstest(z[:FEW], st.norm.cdf).pvalue > 1e-3 for z in white)
    assert abs(np.corrcoef(white)[0, 1]) < 4.5 / np.sqrt(COUNT)
    flat = np.ones((2, 2))
    for method in ("eigh", "svd"):
        y = R.multivariate_normal(R.key(3), np.zeros(2), flat, (500,), "float64", method).numpy()
        assert abs(y[:, 0] - y[:, 1]).max() < 1e-6 and 0.8 < y[:, 0].var() < 1.2
    means = lnp.zeros((3, 1, 2))
    assert R.multivariate_normal(R.key(3), means, lnp.stack([lnp.eye(2)] * 4)).shape == (3, 4, 2)


def test_multinomial_and_signs() -> None:
    x = drawn("multinomial")
    assert (x.sum(-1) == 40).all() and (x[:, 1] == 0).all()
    for k in (0, 2, 3):
        counts = np.bincount(x[:, k].astype(int), minlength=41)
        assert fits(counts, st.binom(40, P4[k]).pmf(np.arange(41)) * COUNT)
    y = (drawn("double_sided_maxwell").astype(np.float64) - 1) / 2
    assert st.kstest(abs(y[:FEW]), st.maxwell.cdf).pvalue > 1e-3 and near(y > 0, 0.5, 0.5)


def test_bits_and_keys_look_uniform() -> None:
    x = drawn("bits")
    assert all(near(x >> j & 1, 0.5, 0.5) for j in range(32))
    keys = drawn("split")
    assert len(np.unique(keys)) == COUNT
    assert st.kstest(keys[:FEW] / 2.0**64, st.uniform.cdf).pvalue > 1e-3
    folded = [R.fold_in(R.key(0), j).item() for j in (-1, 0, 1, 2**63)]
    assert len(set(folded)) == 4
    pairs = R.key_data(R.split(R.key(20), 3))
    assert (R.wrap_key_data(pairs) == R.split(R.key(20), 3)).all()
    assert R.key_data(R.key(7 << 32 | 9)).tolist() == [7, 9]


def test_orders() -> None:
    x = lnp.arange(12).reshape(3, 4)
    key = R.key(20)
    whole = R.permutation(key, x, axis=1).numpy()
    assert (np.sort(whole, 1) == x.numpy()).all() and (whole - whole[:1] == [[0], [4], [8]]).all()
    apart = R.permutation(key, x, axis=1, independent=True).numpy()
    assert (np.sort(apart, 1) == x.numpy()).all()
    keys = R.split(key, 1200)
    orders = np.asarray(lz.vmap(lambda k: R.permutation(k, 3))(keys)) @ [100, 10, 1]
    assert fits(np.unique(orders, return_counts=True)[1], np.full(6, 200.0))
    assert R.choice(key, x, (2,), axis=1).shape == (3, 2)


@pytest.mark.parametrize("way", ["choice", "categorical"])
def test_without_replacement(way: str) -> None:
    def pairs(k: Any) -> Any:
        if way == "choice":
            return R.choice(k, 4, (2,), replace=False, p=P4)
        return R.categorical(k, lnp.log(P4), shape=(2,), replace=False)

    found = np.asarray(lz.vmap(pairs)(R.split(R.key(4), 2000)))
    assert (found != 1).all() and (found[:, 0] != found[:, 1]).all()
    assert fits(np.bincount(found[:, 0], minlength=4)[[0, 2, 3]], P4[[0, 2, 3]] * 2000)
    after_2 = found[found[:, 0] == 2, 1]
    assert near(after_2 == 3, 0.75, np.sqrt(0.75 * 0.25))


def test_ends_are_fine() -> None:
    x = R.normal(R.key(1), (1 << 20,)).numpy()
    assert np.isfinite(x).all() and 4.5 < abs(x).max() < 6.4
    e = R.exponential(R.key(1), (1 << 20,)).numpy()
    assert 0 < e.min() < 1e-5 and 12 < e.max() < 23
    assert np.unique(e[e < 1e-3]).size > 0.99 * (e < 1e-3).sum()
    rare = R.bernoulli(R.key(1), 1e-9, (1 << 20,), "high").numpy()
    assert not rare.any()


if __name__ == "__main__":
    found = {name: streams(name) for name in DRAWS}
    lines = [f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in found.items()]
    STREAMS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
