"""Facts about the machine, from real and from made-up system files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lazir.runtime import host as module


def test_host_is_plausible() -> None:
    facts = module.host()
    assert facts.triple and facts.cpu
    assert facts.vector_bits in (128, 256, 512)
    assert 4 << 10 <= facts.l1d <= facts.l2
    assert 1 <= facts.cores <= (os.cpu_count() or 1)
    names = facts.features.split(",")
    assert names == sorted(names, key=lambda name: name[1:])


@pytest.mark.parametrize(
    ("features", "bits"),
    [({"avx512f": True, "avx": True}, 512), ({"avx": True, "avx512f": False}, 256), ({}, 128)],
)
def test_vector_bits(features: dict[str, bool], bits: int) -> None:
    assert module._vector_bits(features) == bits


def test_cache_sizes(tmp_path: Path) -> None:
    rows = [("1", "Data", "48K"), ("1", "Instruction", "64K"), ("2", "Unified", "2M")]
    for index, (level, kind, size) in enumerate(rows):
        folder = tmp_path / f"index{index}"
        folder.mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(text + "\n")
    assert module.cache_sizes(tmp_path) == (48 << 10, 2 << 20, module._CACHE_DEFAULTS[2])
    (tmp_path / "index0" / "size").write_text("lots\n")
    assert module.cache_sizes(tmp_path) == module._CACHE_DEFAULTS
    assert module.cache_sizes(tmp_path / "none") == module._CACHE_DEFAULTS


def test_cgroup_v2_takes_the_tightest_limit(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("0::/outer/inner\n")
    inner = tmp_path / "root" / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000\n")
    assert module.cgroup_quota(membership, tmp_path / "root") is None
    (inner.parent / "cpu.max").write_text("150000 100000\n")
    assert module.cgroup_quota(membership, tmp_path / "root") == 1.5
    (tmp_path / "root" / "cpu.max").write_text("50000 100000\n")
    assert module.cgroup_quota(membership, tmp_path / "root") == 0.5


def test_cgroup_v1(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("5:memory:/x\n4:cpu,cpuacct:/box\n")
    folder = tmp_path / "root" / "cpu"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    (folder / "cpu.cfs_quota_us").write_text("-1\n")
    assert module.cgroup_quota(membership, tmp_path / "root") is None
    (folder / "cpu.cfs_quota_us").write_text("300000\n")
    assert module.cgroup_quota(membership, tmp_path / "root") == 3
    assert module.cgroup_quota(tmp_path / "none", tmp_path / "root") is None


def test_usable_cores_respects_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cgroup_quota", lambda: 0.2)
    assert module.usable_cores() == 1


@pytest.mark.parametrize("text", ["zero", "0", "-1", "1.5", "99999", "²", "1_0", "0x2"])
def test_thread_count_nonsense(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAZIR_NUM_THREADS", text)
    with pytest.raises(ValueError, match=r"LAZIR_NUM_THREADS=.*whole number from 1 to 1024"):
        module.default_threads()


def test_thread_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAZIR_NUM_THREADS", " 7 ")
    assert module.default_threads() == 7
    monkeypatch.setenv("LAZIR_NUM_THREADS", "")
    assert module.default_threads() == module.usable_cores()
