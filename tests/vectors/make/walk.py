# SPDX-License-Identifier: MIT
"""Scripts of operations drawn at random, the same at every run, whose results the model tells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, TypeVar

from model import Pool, Sealed, Secret, World

Step = dict[str, Any]
T = TypeVar("T")

STEPS = 40
# Lengths around the slots of every pool here.
LENGTHS = (0, 1, 15, 16, 17, 31, 32, 32, 32, 33, 47, 48, 48, 49, 64)
OPS_ON_POOL = ("acquire", "acquire", "from_bytes", "seal", "seal", "acquire_guarded", "pool_stats", "generate")
OPS_ON_SECRET = (
    *("put", "put", "get", "get", "reveal", "clear", "randomize", "resize", "freeze", "melt", "equal", "equal_bytes"),
    *("duplicate", "info", "seal_secret", "read_window", "write_window", "release", "release", "free"),
)
OPS_ON_SEALED = ("open", "open", "open", "open", "open_into", "sealed_info", "id_before", "free")


class Dice:
    """Numbers from a hash, so that no version of Python changes them."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.count = 0

    def bytes(self, length: int) -> str:
        """Bytes as text."""
        self.count += 1
        return hashlib.shake_256(f"{self.seed} {self.count}".encode()).hexdigest(length)

    def below(self, limit: int) -> int:
        """A number below a limit."""
        return int(self.bytes(8), 16) % limit

    def one_of(self, items: list[T] | tuple[T, ...]) -> T:
        """One of them."""
        return items[self.below(len(items))]


class Walk:
    """One script as it grows."""

    def __init__(self, seed: str) -> None:
        self.dice = Dice(seed)
        self.world = World()
        self.count = 0

    def names(self, kind: type) -> list[str]:
        """Names of the handles of a kind; a stale secret keeps its name, a freed sealed one does not."""
        return [name for name, handle in self.world.handles.items() if isinstance(handle, kind)]

    def name(self, letter: str) -> str:
        """A name that nobody has."""
        self.count += 1
        return f"{letter}{self.count}"

    def data(self) -> str:
        """Bytes of one of the lengths."""
        return self.dice.bytes(self.dice.one_of(LENGTHS))

    def on_pool(self, op: str) -> Step:
        """An operation on a pool."""
        step: Step = {"op": op, "on": self.dice.one_of(self.names(Pool))}
        if op == "pool_stats":
            return step | {"tier": self.dice.below(2)}
        step["as"] = self.name("z" if op == "seal" else "s")
        if op in ("from_bytes", "seal"):
            return step | {"data": self.data()}
        step["len"] = self.dice.one_of(LENGTHS) if op != "generate" else 32
        if op == "acquire" and self.dice.below(4) == 0:
            step["fallback"] = True
        return step

    def on_secret(self, op: str, depth: int) -> Step:
        """An operation on a secret."""
        step: Step = {"op": op, "on": self.dice.one_of(self.names(Secret))}
        if op in ("put", "get"):
            step["offset"] = self.dice.below(24)
        if op in ("get", "resize"):
            step["len"] = self.dice.one_of(LENGTHS)
        if op in ("put", "equal_bytes"):
            step["data"] = self.dice.bytes(self.dice.below(20) + 16 * (op == "equal_bytes"))
        if op == "equal":
            step["with"] = self.dice.one_of(self.names(Secret))
        if op in ("duplicate", "seal_secret"):
            step["as"] = self.name("z" if op == "seal_secret" else "s")
        if op.endswith("_window"):
            step["steps"] = self.inside(depth)
        return step

    def on_sealed(self, op: str) -> Step:
        """An operation on a sealed secret."""
        step: Step = {"op": op, "on": self.dice.one_of(self.names(Sealed))}
        if op == "open":
            step["as"] = self.name("s")
        elif op == "open_into":
            step["into"] = self.dice.one_of(self.names(Secret))
        elif op == "id_before":
            step["with"] = self.dice.one_of(self.names(Sealed))
        return step

    def inside(self, depth: int) -> list[Step]:
        """Steps for a window: chosen before it opens, so they make no handles and free none."""
        steps = []
        for _ in range(self.dice.below(3) + 1 if depth < 2 else 0):
            op = self.dice.one_of(
                ("put", "get", "reveal", "clear", "info", "release", "freeze", "read_window", "write_window")
            )
            steps.append(self.on_secret(op, depth + 1))
        return steps

    def next(self) -> Step:
        """A step that can be taken now."""
        turn = self.dice.below(20)
        if turn == 0:
            return {"op": "purge"}
        if turn < 6 or not self.names(Secret):
            return self.on_pool(self.dice.one_of(OPS_ON_POOL))
        if turn < 11 and self.names(Sealed):
            return self.on_sealed(self.dice.one_of(OPS_ON_SEALED))
        return self.on_secret(self.dice.one_of(OPS_ON_SECRET), 0)

    def run(self) -> list[Step]:
        """The whole script, on two pools that soon have nothing left."""
        steps: list[Step] = [
            {"op": "pool_new", "as": "p", "tiers": [32, 48], "tier_max_slots": [5, 4], "hot_cache": 2},
            {"op": "pool_new", "as": "q", "tiers": [32, 16], "tier_slots": [3, 2], "tier_max_slots": [3, 2]},
        ]
        self.world.complete(steps)
        for _ in range(STEPS):
            step = self.next()
            self.world.complete([step])
            steps.append(step)
            if step["op"] == "free" and step["on"].startswith("z"):
                del self.world.handles[step["on"]]
        return steps


def walks(count: int) -> Iterator[dict[str, Any]]:
    """That many scripts."""
    for number in range(count):
        yield {"id": f"walk-{number}", "comment": "operations drawn at random", "script": Walk(f"walk {number}").run()}
