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
CALLS = 200_000
DATA = bytes(32)


def nanoseconds(call: Callable[[], object], calls: int = CALLS) -> float:
    return min(timeit.repeat("call()", globals={"call": call}, number=calls, repeat=ROUNDS)) / calls * 1e9


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
        floor = nanoseconds("text".isascii)
        trivial = nanoseconds(secret.melt)
        rows: list[dict[str, object]] = [
            {"name": "floor", "ns": floor},
            {"name": "trivial call", "ns": trivial, "target": 60, "floors": trivial / floor, "most_floors": 3},
            {"name": "trivial call, Python method", "ns": nanoseconds(closed.close), "target": 100},
            {"name": "put 32 bytes", "ns": nanoseconds(lambda: secret.put(0, DATA))},
            {"name": "reveal 32 bytes", "ns": nanoseconds(secret.reveal)},
            {"name": "expected failure", "ns": nanoseconds(fails(closed.reveal), CALLS // 10), "target": 1500},
            {"name": "64 MiB input", "mebibytes": resident_mebibytes(secret), "target": 0},
            {"name": "import", "ms": import_milliseconds(), "target": 40},
        ]
    return rows


def main() -> int:
    rows = measure()
    for row in rows:
        rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}
        print(json.dumps({"language": "python", **rounded}))
    return int(any(float(str(row.get("floors", 0))) > float(str(row.get("most_floors", 0))) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
