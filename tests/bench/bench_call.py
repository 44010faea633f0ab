# SPDX-License-Identifier: MIT
"""What a call through the Python binding costs (bindings §6): one JSON object per line, best of 7.

Times in nanoseconds are targets for a 3 GHz processor; `most_floors`, the ratio to the cheapest call that Python has,
is a gate: the program fails if a line is beyond it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import timeit
from typing import Callable

import libkeep

ROUNDS = 7
CALLS = 50_000
TARGETS = {"trivial call": 60, "trivial call, Python method": 100, "expected failure": 1500}
DATA = bytes(32)


def nanoseconds(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The best time of each call. Rounds go through all of them, so that a busy moment spoils none alone."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            seconds = timeit.timeit("call()", globals={"call": call}, number=CALLS)
            best[name] = min(best[name], seconds / CALLS * 1e9)
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
    """How much longer an interpreter takes that imports libkeep."""

    def run(program: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - begin

    return 1000 * (min(run("import libkeep") for _ in range(ROUNDS)) - min(run("pass") for _ in range(ROUNDS)))


def resident_mebibytes(secret: libkeep.Secret) -> float:
    """How much the process grows while a call has 64 MiB of input."""
    source = bytearray(libkeep.MAX_SECRET_LEN)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        secret.put(0, source)
    except libkeep.InvalidArgumentError:
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    raise AssertionError("64 MiB do not fit into this secret")


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
