# SPDX-License-Identifier: MIT
"""What is held against what: ratio = theirs / ours, which must reach the target.

A floor is the least that any implementation must do, so its target is below 1: 1 / 1.15 means at most 15 % above it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison of two numbers that programs print."""

    name: str
    program: str
    ours: str
    peer: str
    theirs: str
    target: float
    peer_name: str
    unit: str = "ns"


def floor(name: str, theirs: str, most: float) -> Row:
    return Row(f"memory.{name}", "bench_memory", name, "bench_memory", theirs, round(1 / most, 3), "its floor")


def rust(name: str, ours: str, theirs: str, target: float) -> Row:
    return Row(f"memory.{name}", "bench_memory", ours, "memory-rust", theirs, target, "hardware-enclave 0.1.5")


FLOORS = [
    *(floor(f"sealed_open_{size}", f"floor.sealed_open_{size}", 1.15) for size in (32, 256, 1024, 4096, 65535)),
    *(floor(f"sealed_seal_{size}", f"floor.sealed_seal_{size}", 1.15) for size in (32, 256, 1024, 4096, 65535)),
    floor("guarded_pair", "floor.guarded_pair", 1.5),
    floor("guarded_window", "floor.guarded_window", 1.3),
    # the throughput of two threads against one's: 1.6 times
    Row("memory.slot_pair_2t", "bench_memory", "slot_pair_2t", "bench_memory", "slot_pair", 1.6, "one thread"),
]

PEERS = [
    rust("slot_pair", "slot_pair", "slot_pair", 3),
    rust("slot_write_pair", "slot_write_pair", "slot_write_pair", 4),
    rust("slot_pair_2t", "slot_pair_2t", "slot_pair_2t", 12),
    *(rust(f"sealed_seal_{size}", f"sealed_seal_{size}", f"sealed_seal_{size}", 1.5) for size in (31, 256, 1024)),
    *(rust(f"sealed_open_{size}", f"sealed_open_{size}", f"sealed_open_{size}", 1.5) for size in (31, 256, 1024)),
    Row(
        "memory.guarded_pair", "bench_memory", "guarded_pair", "bench_memory", "sodium.guarded_pair", 2, "sodium_malloc"
    ),
    Row("memory.guarded_pair", "bench_memory", "guarded_pair", "memory-go", "guarded_pair", 3, "memguard"),
]
