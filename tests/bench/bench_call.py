# SPDX-License-Identifier: MIT
"""What a call through the Python binding costs (bindings §6): one JSON object per line, best of 7.

Times in nanoseconds are targets for a 3 GHz processor; `most_floors`, the ratio to the cheapest call that Python has,
is a gate: the program fails if a line is beyond it.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import resource
import subprocess
import sys
import time
import timeit
from functools import partial
from typing import Callable

import libkeep

ROUNDS = 7
CALLS = 50_000
STARTS = 20
TARGETS = {
    "trivial call": 60,
    "trivial call, Python method": 100,
    "expected failure": 1500,
    "seal 64 bytes into, above C": 150,
    "seal_batch, per packet above C": 700,
}
DATA = bytes(32)
EVENT = bytes(64)
BATCH = 64


def nanoseconds(calls: dict[str, Callable[[], object]], count: int = CALLS) -> dict[str, float]:
    """The best time of each call. Rounds go through all of them, so that a busy moment spoils none alone."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            seconds = timeit.timeit("call()", globals={"call": call}, number=count)
            best[name] = min(best[name], seconds / count * 1e9)
    return best


def fails(call: Callable[[], object]) -> Callable[[], str]:
    def raise_and_catch() -> str:
        try:
            call()
        except libkeep.ClosedError as error:
            return error.name
        return "OK"

    return raise_and_catch


def import_milliseconds() -> float:
    """How much longer an interpreter takes that imports libkeep, from bytecode, as an installed package has it."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    best = {"import libkeep": float("inf"), "pass": float("inf")}
    for _ in range(STARTS):
        for program, shortest in best.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, env=environment)
            best[program] = min(shortest, time.perf_counter() - begin)
    return 1000 * (best["import libkeep"] - best["pass"])


def resident_mebibytes(secret: libkeep.Secret) -> float:
    """How much the process grows while a call has 64 MiB of input."""
    source = bytearray(libkeep.MAX_SECRET_LEN)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        secret.put(0, source)
    except libkeep.InvalidArgumentError:
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    raise AssertionError("64 MiB do not fit into this secret")


class Bytes(ctypes.Structure):
    """keep_bytes"""

    _fields_ = (("data", ctypes.c_char_p), ("len", ctypes.c_size_t))


class Request(ctypes.Structure):
    """keep_packet_request"""

    _fields_ = (
        ("events", ctypes.POINTER(Bytes)),
        ("event_count", ctypes.c_size_t),
        ("stream_id", ctypes.c_uint64),
        ("sequence", ctypes.c_uint64),
        ("settings", ctypes.c_void_p),
        ("subprotocol_id", ctypes.c_uint16),
        ("kind", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
    )


class SealOut(ctypes.Structure):
    """keep_packet_seal_out"""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("cap", ctypes.c_size_t),
        ("offsets", ctypes.POINTER(ctypes.c_size_t)),
        ("statuses", ctypes.POINTER(ctypes.c_int)),
        ("data_len", ctypes.c_size_t),
        ("sealed_count", ctypes.c_size_t),
    )


class SessionOptions(ctypes.Structure):
    """keep_session_options"""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("tx_key", ctypes.c_void_p),
        ("rx_key", ctypes.c_void_p),
        ("session_id", ctypes.c_uint64),
        ("first_counter", ctypes.c_uint64),
        ("max_failed_opens", ctypes.c_uint64),
        ("window", ctypes.c_uint32),
        ("aead", ctypes.c_uint32),
        ("pool", ctypes.c_void_p),
    )


def check(status: int) -> None:
    if status != 0:
        raise libkeep.by_status[status]


class Bare:
    """C's own calls, by ctypes. What ctypes itself costs is the time of the same call with arguments that C refuses at
    once."""

    def __init__(self) -> None:
        self.c = ctypes.CDLL(f"libkeep.so.{libkeep.VERSION_MAJOR}.{libkeep.VERSION_MINOR}")
        key, session = ctypes.c_void_p(), ctypes.c_void_p()
        check(self.c.keep_secret_generate(None, ctypes.c_size_t(32), ctypes.byref(key)))
        options = SessionOptions(size=ctypes.sizeof(SessionOptions), tx_key=key.value, session_id=1)
        check(self.c.keep_session_new(ctypes.byref(options), ctypes.byref(session)))
        self.session = session
        self.out = ctypes.create_string_buffer(BATCH * 256)
        self.event = Bytes(EVENT, len(EVENT))
        self.requests = (Request * BATCH)(*[Request(ctypes.pointer(self.event), 1, 1) for _ in range(BATCH)])
        self.seal_out = SealOut(
            size=ctypes.sizeof(SealOut),
            data=ctypes.addressof(self.out),
            cap=len(self.out),
            offsets=(ctypes.c_size_t * (BATCH + 1))(),
            statuses=(ctypes.c_int * BATCH)(),
        )

    def seal(self, request: object) -> Callable[[], object]:
        length = ctypes.c_size_t()
        rest = (self.out, ctypes.c_size_t(len(self.out)), ctypes.byref(length))
        return partial(self.c.keep_packet_seal_into, self.session, request, *rest)

    def batch(self, count: int) -> Callable[[], object]:
        rest = (ctypes.c_size_t(count), ctypes.byref(self.seal_out))
        return partial(self.c.keep_packet_seal_batch, self.session, self.requests, *rest)

    def nanoseconds(self) -> tuple[float, float]:
        """Of a seal, and of a batch."""
        seal, batch = self.seal(ctypes.byref(self.requests[0])), self.batch(BATCH)
        check(int(str(seal())))
        check(int(str(batch())))
        times = nanoseconds({"seal": seal, "refused seal": self.seal(None)})
        batches = nanoseconds({"batch": batch, "refused batch": self.batch(0)}, CALLS // BATCH)
        return times["seal"] - times["refused seal"], batches["batch"] - batches["refused batch"]


def packet_rows() -> list[dict[str, object]]:
    """Sealing, above what C needs for it."""
    out, statuses, out_ends = bytearray(BATCH * 256), bytearray(BATCH), array.array("I", [0] * BATCH)
    ends = array.array("I", range(len(EVENT), BATCH * len(EVENT) + 1, len(EVENT)))
    data, events = EVENT * BATCH, (EVENT,)
    requests = [libkeep.PacketRequest(events, stream_id=1, sequence=number) for number in range(BATCH)]
    with libkeep.Secret.generate(32) as key, libkeep.Session(session_id=1, tx_key=key) as session:
        one = nanoseconds(
            {
                "seal 64 bytes": lambda: session.seal(events, stream_id=1),
                "seal 64 bytes into": lambda: session.seal_into(events, out, stream_id=1),
            }
        )
        many = nanoseconds(
            {
                "seal_batch": lambda: session.seal_batch(requests),
                "seal_packed": lambda: session.seal_packed(data, ends, 1, 0, 0, out, out_ends, statuses),
            },
            CALLS // BATCH,
        )
    bare_seal, bare_batch = Bare().nanoseconds()
    packed = many["seal_packed"] / bare_batch - 1
    above = {
        "seal 64 bytes into, above C": one["seal 64 bytes into"] - bare_seal,
        "seal_batch, per packet above C": (many["seal_batch"] - bare_batch) / BATCH,
    }
    rows: list[dict[str, object]] = [
        {"name": name, "ns": ns, "target": TARGETS.get(name)} for name, ns in {**one, **above}.items()
    ]
    return [*rows, {"name": "seal_packed of 64 x 64 bytes, above C", "percent": 100 * packed, "target": 5}]


def measure() -> list[dict[str, object]]:
    closed = libkeep.Secret.generate(32)
    closed.close()
    with libkeep.Secret.generate(32) as secret:
        calls: dict[str, Callable[[], object]] = {
            "floor": "text".isascii,
            "trivial call": secret.melt,
            "trivial call, Python method": closed.close,
            "put 32 bytes": lambda: secret.put(0, DATA),
            "reveal 32 bytes": secret.reveal,
            "expected failure": fails(closed.reveal),
        }
        times = nanoseconds(calls)
        grown = resident_mebibytes(secret)
    rows: list[dict[str, object]] = [
        {"name": name, "ns": ns, "target": TARGETS.get(name)} for name, ns in times.items()
    ]
    rows += packet_rows()
    rows[1].update(floors=times["trivial call"] / times["floor"], most_floors=3)
    rows.append({"name": "64 MiB input", "mebibytes": grown, "target": 0})
    rows.append({"name": "import", "ms": import_milliseconds(), "target": 40})
    return rows


def main() -> int:
    rows = measure()
    for row in rows:
        known = {name: value for name, value in row.items() if value is not None}
        rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in known.items()}
        print(json.dumps({"language": "python", **rounded}))
    return int(any(float(str(row.get("floors", 0))) > float(str(row.get("most_floors", 0))) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
