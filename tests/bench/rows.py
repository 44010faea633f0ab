# SPDX-License-Identifier: MIT
"""What is held against what: ratio = theirs / ours, which must reach the target.

A floor is the least that any implementation must do, so its target is below 1: 1 / 1.15 means at most 15 % above it. A
limit is a number that ours may not pass.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison of two numbers that programs print, or of one with a limit."""

    name: str
    program: str
    ours: str
    target: float
    peer: str  # a program
    theirs: str | float  # its number, or the limit
    peer_name: str
    unit: str = "ns"
    allowance: float = 0  # so much more than theirs is as good as theirs


def floor(name: str, program: str, ours: str, theirs: str, most: float) -> Row:
    return Row(name, program, ours, round(1 / most, 3), program, theirs, "its floor")


def limit(name: str, program: str, ours: str, most: float, unit: str = "ns") -> Row:
    return Row(name, program, ours, 1, program, most, "its limit", unit)


# --- memory ---


def memory_floor(name: str, most: float) -> Row:
    return floor(f"memory.{name}", "bench_memory", name, f"floor.{name}", most)


def enclave(name: str, target: float) -> Row:
    return Row(f"memory.{name}", "bench_memory", name, target, "memory-rust", name, "hardware-enclave 0.1.5")


def guarded_pair(target: float, peer: str, theirs: str, peer_name: str) -> Row:
    return Row("memory.guarded_pair", "bench_memory", "guarded_pair", target, peer, theirs, peer_name)


MEMORY_FLOORS = [
    *(memory_floor(f"sealed_open_{size}", 1.15) for size in (32, 256, 1024, 4096, 65535)),
    *(memory_floor(f"sealed_seal_{size}", 1.15) for size in (32, 256, 1024, 4096, 65535)),
    memory_floor("guarded_pair", 1.5),
    memory_floor("guarded_window", 1.3),
    Row("memory.slot_pair_2t", "bench_memory", "slot_pair_2t", 1.6, "bench_memory", "slot_pair", "one thread"),
]

MEMORY_PEERS = [
    enclave("slot_pair", 3),
    enclave("slot_write_pair", 4),
    enclave("slot_pair_2t", 12),
    *(enclave(f"sealed_seal_{size}", 1.5) for size in (31, 256, 1024)),
    *(enclave(f"sealed_open_{size}", 1.5) for size in (31, 256, 1024)),
    guarded_pair(2, "bench_memory", "sodium.guarded_pair", "sodium_malloc"),
    guarded_pair(3, "memory-go", "guarded_pair", "memguard"),
]

# --- packets ---

NET = "net-mesh 0.46.0"
SEED = "net-mesh 0.23.0"
OPENSSL_FROM = 2048 - 4  # the length of an event from which on OpenSSL is chosen where intel-ipsec-mb is not


def portable(size: int) -> str:
    """The back end that is chosen without intel-ipsec-mb."""
    return "openssl" if size >= OPENSSL_FROM else "sodium"


def overhead(aead: str, size: int) -> Row:
    ours, theirs = f"{aead}.seal_into_{size}", f"{aead}.bare_{size}"
    name = f"packet.overhead_{size}_{aead.replace('-', '_')}"
    return Row(name, "bench_packet", ours, 1, "bench_bare", theirs, "the bare call", allowance=25 + 0.02 * size)


def threads(name: str, one: str, target: float) -> Row:
    """The throughput of two threads against one's."""
    return Row(
        f"packet.2t_{name}", "bench_packet", f"sodium.2t_{name}", target, "bench_packet", f"sodium.{one}", "one thread"
    )


def packets(name: str, ours: str, theirs: str, targets: tuple[float, float], peer: str = NET) -> list[Row]:
    """A row without intel-ipsec-mb, and one with it. `ours` ends with a size."""
    size = int(ours.rsplit("_", 1)[1])
    program = "packet-rust" if peer == NET else "packet-seed-rust"
    return [
        Row(f"packet.{name}", "bench_packet", f"{portable(size)}.{ours}", targets[0], program, theirs, peer),
        Row(f"packet.{name}_ipsec_mb", "bench_packet", f"ipsec-mb.{ours}", targets[1], program, theirs, peer),
    ]


def sizes(name: str, ours: str, theirs: str, targets: dict[int, tuple[float, float]], peer: str = NET) -> list[Row]:
    rows = (packets(f"{name}_{size}", f"{ours}_{size}", f"{theirs}_{size}", targets[size], peer) for size in targets)
    return [row for pair in rows for row in pair]


PACKET_FLOORS = [
    *(overhead(portable(size), size) for size in (64, 1024, 4096, 8104)),
    *(overhead("ipsec-mb", size) for size in (64, 1024, 4096, 8104)),
    limit("packet.pool_pair", "bench_packet", "pool_pair", 25),
    limit("packet.pool_pair_full", "bench_packet", "pool_pair_full", 1000),
    limit("packet.commit", "bench_window", "commit", 15),
    threads("build_64", "build_64", 1.8),
    threads("seal_batch_64", "seal_batch_64", 1.8),
    threads("shared_build_64", "build_64", 1.4),
    threads("shared_build_1024", "build_1024", 1.6),
    floor("packet.handshake", "bench_handshake", "handshake", "floor.handshake", 1.25),
]

PACKET_PEERS = [
    *sizes("build", "build", "build", dict.fromkeys((0, 16, 64, 256), (1, 1.8))),
    *sizes("build", "build", "build", {1024: (0.8, 1.8), 4096: (1, 1.8), 8104: (1, 1.8)}),
    *sizes("build_kept", "seal_into", "build_kept", {64: (0.7, 1.4), 4096: (0.9, 1.7)}),
    *packets("batch16_64", "seal_batch_64", "build_64", (1, 2.2)),
    *sizes("open", "open_into", "open", {64: (0.85, 1.5), 1024: (0.75, 1.7), 4096: (1, 1.7), 8104: (1, 1.7)}),
    *sizes("open_in_place", "open_in_place", "open_in_place", {64: (0.65, 1.2), 4096: (0.9, 1.6)}),
    *packets("open_batch16_64", "open_batch_64", "open_64", (0.8, 1.6)),
    *packets("2t_shared_build_64", "2t_shared_build_64", "2t_build_64", (1, 1.8)),
    Row("packet.pool_pair", "bench_packet", "pool_pair", 4, "packet-rust", "pool_pair", NET),
    Row("packet.commit", "bench_window", "commit", 1, "packet-rust", "commit", NET),
    Row("packet.handshake", "bench_handshake", "handshake", 0.8, "bench_handshake", "ten_products", "ten products"),
    *sizes("seed", "build", "build", {64: (4, 7), 256: (4, 7), 1024: (2.2, 5), 4096: (2, 3.5), 8104: (2, 3.5)}, SEED),
    *packets("seed_batch16_64", "seal_batch_64", "build_64", (4, 9), SEED),
]

# --- tracker ---


def varta(name: str, program: str, target: float, theirs: str = "") -> Row:
    return Row(f"tracker.{name}", program, name, target, "tracker-rust", theirs or name, "varta 0.2.0")


def observer(name: str, target: float) -> list[Row]:
    """An observer beside varta's, and beside bare receiving."""
    bare = Row(
        f"tracker.{name}_bare", "bench_observer", name, round(1 / 1.25, 3), "bench_receiver", name, "bare receiving"
    )
    return [varta(name, "bench_observer", target), bare]


def evictions(size: int) -> Row:
    """The last tenth of a million beside the first."""
    first, last = f"evict_{size}_tenth_1", f"evict_{size}_tenth_10"
    return Row(f"tracker.evict_{size}", "bench_tracker", last, round(1 / 1.2, 3), "bench_tracker", first, "its begin")


TRACKER_FLOORS = [
    limit("tracker.beat_batch_64", "bench_tracker", "beat_batch_64", 30),
    *(limit(f"tracker.drain_idle_{size}", "bench_tracker", f"drain_idle_{size}", 20) for size in (256, 4096, 65536)),
    *(evictions(size) for size in (256, 4096, 65536)),
    floor("tracker.beacon_beat_sent", "bench_beacon", "beacon_beat_sent", "floor.send", 1.15),
    floor("tracker.beacon_beat_dropped", "bench_beacon", "beacon_beat_dropped", "floor.send_full", 1.15),
    limit("tracker.memory", "bench_tracker", "bytes.tracker", 192, "bytes"),
    limit("tracker.memory_statistics", "bench_tracker", "bytes.tracker_statistics", 384, "bytes"),
    limit("tracker.memory_observer", "bench_tracker", "bytes.observer", 96, "bytes"),
]

TRACKER_PEERS = [
    varta("beat_4096", "bench_tracker", 50),
    varta("beat_batch_64", "bench_tracker", 0.25, "record_4096"),
    *(varta(f"drain_idle_{size}", "bench_tracker", 1) for size in (256, 4096)),
    *observer("observer_rate_8_apart", 2),
    *observer("observer_rate_64_apart", 3),
    *observer("observer_rate_8", 2),
    *observer("observer_rate_64", 3),
    varta("beacon_beat_sent", "bench_beacon", 1),
    varta("beacon_beat_dropped", "bench_beacon", 1),
]

FLOORS = [*MEMORY_FLOORS, *PACKET_FLOORS, *TRACKER_FLOORS]
PEERS = [*MEMORY_PEERS, *PACKET_PEERS, *TRACKER_PEERS]
