# SPDX-License-Identifier: MIT
"""The cases of keep-memory-1 (memory.md §11)."""

from __future__ import annotations

from typing import Any

import libkeep
from libkeep import Pool, Sealed, Secret
from libkeep.memory import AcquireOptions, LockPolicy, known_answer, known_answer_into, purge

from . import (
    Fields,
    Runner,
    Script,
    boolean,
    expect,
    integer,
    integer64,
    list_of,
    run_script,
    status_name,
    status_of,
    take,
    take_or,
    text,
)

LOCK_POLICIES = {"require": LockPolicy.REQUIRE, "allow_unlocked": LockPolicy.ALLOW_UNLOCKED}


def constant(name: str) -> object:
    return getattr(libkeep, name.removeprefix("KEEP_"), None)


def run_known(case: Fields, position: int) -> None:
    """A transform, in both forms."""
    script = Script()
    data, transform = take(case, "in", script.data), take(case, "transform", text)
    answer, buffer = bytearray(), bytearray(1 << 17)
    want = take_or(case, "status", status_name, "OK")
    expect("status", want, status_of(lambda: answer.extend(known_answer(transform, data))))
    expect("status into a buffer", want, status_of(lambda: known_answer_into(transform, data, buffer)))
    if want == "OK":
        script.expect_output("out", case.pop("out", None), bytes(answer))
        expect("out into a buffer", bytes(answer), bytes(buffer[: len(answer)]))


def run_scripts(case: Fields, position: int) -> None:
    run_script(MemoryScript, case, position)


ARRAYS: dict[str, Runner] = {"known": run_known, "scripts": run_scripts}


class MemoryScript(Script):
    def pool(self, step: Fields) -> Pool:
        return self.on(step) if "on" in step else Pool.default()

    def bind_secret(self, name: str, secret: Secret, out: Fields) -> None:
        self.bind(name, secret)
        self.describe(secret, out)

    def describe(self, secret: Secret, out: Fields) -> None:
        info = secret.info()
        out.update(len=info.len, capacity=info.capacity, kind=info.kind.name.lower(), frozen=info.frozen)

    def acquire_options(self, step: Fields) -> AcquireOptions:
        wait = take_or(step, "timeout_ms", integer64, 0)
        options = AcquireOptions(timeout=None if wait == libkeep.WAIT_FOREVER else wait / 1000)
        options["fallback"] = take_or(step, "fallback", boolean, False)
        return options

    # Pools

    def op_pool_new(self, step: Fields, out: Fields) -> None:
        name = self.name(step)
        options: Any = {
            key: take(step, key, list_of(integer)) for key in ("tiers", "tier_slots", "tier_max_slots") if key in step
        }
        options |= {key: take(step, key, integer) for key in ("max_bytes", "hot_cache", "resplit_views") if key in step}
        if "lock" in step:
            options["lock_policy"] = take(step, "lock", LOCK_POLICIES.__getitem__)
        self.bind(name, Pool(**options))

    def op_pool_stats(self, step: Fields, out: Fields) -> None:
        stats = self.pool(step).stats()
        if "tier" in step:
            tier = stats.tiers[take(step, "tier", integer)]
            out.update(slot_len=tier.slot_len, slots=tier.slots, in_use=tier.in_use, cached=tier.cached)
        out["tiers"] = [tier.slot_len for tier in stats.tiers]
        for name in ("guarded", "cache_entries", "cache_hits", "cache_misses", "cache_evictions"):
            out[name] = getattr(stats, name)

    def op_reserve(self, step: Fields, out: Fields) -> None:
        self.pool(step).reserve(take(step, "len", integer), take(step, "count", integer))

    def op_trim(self, step: Fields, out: Fields) -> None:
        self.pool(step).trim()

    # Making secrets

    def op_acquire(self, step: Fields, out: Fields) -> None:
        name, options = self.name(step), self.acquire_options(step)
        self.bind_secret(name, self.pool(step).acquire(take(step, "len", integer), **options), out)

    def op_acquire_guarded(self, step: Fields, out: Fields) -> None:
        name, pool = self.name(step), self.pool(step)
        align16, resident = (take_or(step, key, boolean, False) for key in ("align16", "resident"))
        secret = pool.acquire(take(step, "len", integer), guarded=True, align16=align16, resident=resident)
        self.bind_secret(name, secret, out)

    def op_acquire_batch(self, step: Fields, out: Fields) -> None:
        names = [self.unused(name) for name in take(step, "as", list_of(text))]
        secrets = self.pool(step).acquire_many(take(step, "len", integer), len(names))
        for name, secret in zip(names, secrets):
            self.bind(name, secret)

    def op_generate(self, step: Fields, out: Fields) -> None:
        name = self.name(step)
        self.bind_secret(name, Secret.generate(take(step, "len", integer), pool=self.pool(step)), out)

    def op_from_bytes(self, step: Fields, out: Fields) -> None:
        name, data = self.name(step), take(step, "data", self.data)
        out["source"] = data
        self.bind_secret(name, Secret.from_bytes(data, pool=self.pool(step)), out)

    def op_take_bytes(self, step: Fields, out: Fields) -> None:
        name, source, pool = self.name(step), bytearray(take(step, "data", self.data)), self.pool(step)
        try:
            self.bind_secret(name, Secret.take_bytes(source, pool=pool), out)
        finally:
            out["source"] = bytes(source)

    def op_duplicate(self, step: Fields, out: Fields) -> None:
        name = self.name(step)
        self.bind_secret(name, self.on(step).duplicate(), out)

    # Using secrets

    def op_info(self, step: Fields, out: Fields) -> None:
        secret = self.on(step)
        self.describe(secret, out)
        out["purged"] = secret.info().purged

    def op_put(self, step: Fields, out: Fields) -> None:
        self.on(step).put(take(step, "offset", integer), take(step, "data", self.data))

    def op_get(self, step: Fields, out: Fields) -> None:
        secret, offset, length = self.on(step), take(step, "offset", integer), take(step, "len", integer)
        out["data"] = secret.get(offset, length)
        buffer = bytearray(length)
        expect("get_into", length, secret.get_into(offset, buffer))
        expect("get_into", out["data"], bytes(buffer))

    def op_reveal(self, step: Fields, out: Fields) -> None:
        secret = self.on(step)
        if "cap" in step:
            self.reveal_into(secret, take(step, "cap", integer), out)
        else:
            out["data"] = secret.reveal()
            self.reveal_into(secret, len(out["data"]), {**out})
        out.setdefault("len", len(out.get("data", b"")))

    def reveal_into(self, secret: Secret, cap: int, out: Fields) -> None:
        buffer = bytearray(cap)
        try:
            out["len"] = secret.reveal_into(buffer)
        except libkeep.BufferTooSmallError as error:
            out["len"] = error.needed
            raise
        revealed = bytes(buffer[: out["len"]])
        expect("reveal_into", out.setdefault("data", revealed), revealed)

    def op_randomize(self, step: Fields, out: Fields) -> None:
        self.on(step).randomize()

    def op_clear(self, step: Fields, out: Fields) -> None:
        self.on(step).clear()

    def op_freeze(self, step: Fields, out: Fields) -> None:
        self.on(step).freeze()

    def op_melt(self, step: Fields, out: Fields) -> None:
        self.on(step).melt()

    def op_resize(self, step: Fields, out: Fields) -> None:
        self.on(step).resize(take(step, "len", integer))

    def op_equal(self, step: Fields, out: Fields) -> None:
        secret, other = self.on(step), self.on(step, "with")
        out["equal"] = secret.equal(other)
        expect("==", out["equal"], secret == other)

    def op_equal_bytes(self, step: Fields, out: Fields) -> None:
        secret, data = self.on(step), take(step, "data", self.data)
        out["equal"] = secret.equal_bytes(data)
        expect("==", out["equal"], secret == data)

    def op_read_window(self, step: Fields, out: Fields) -> None:
        secret, steps = self.on(step), take(step, "steps", list_of(dict))
        with secret.read() as view:
            out["data"] = bytes(view)
            self.run(steps)

    def op_write_window(self, step: Fields, out: Fields) -> None:
        secret, steps, data = self.on(step), take(step, "steps", list_of(dict)), take_or(step, "data", self.data, b"")
        with secret.write() as view:
            out["data"] = bytes(view)
            view[: len(data)] = data
            self.run(steps)

    def op_release(self, step: Fields, out: Fields) -> None:
        secret = self.on(step)
        secret.info()  # closing twice is no error in Python; a call on a closed secret is
        secret.close()
        self.freed.update(name for name, handle in self.handles.items() if handle is secret)

    def op_purge(self, step: Fields, out: Fields) -> None:
        out["open_windows"] = purge()

    # Sealing

    def op_seal(self, step: Fields, out: Fields) -> None:
        name, data, type = self.name(step), take(step, "data", self.data), take_or(step, "type", integer, 0)
        out["source"] = data
        self.bind(name, Sealed(data, type=type, pool=self.pool(step)))

    def op_seal_take(self, step: Fields, out: Fields) -> None:
        name, source, pool = self.name(step), bytearray(take(step, "data", self.data)), self.pool(step)
        try:
            self.bind(name, Sealed.take(source, type=take_or(step, "type", integer, 0), pool=pool))
        finally:
            out["source"] = bytes(source)

    def op_seal_secret(self, step: Fields, out: Fields) -> None:
        name, type = self.name(step), take_or(step, "type", integer, 0)
        self.bind(name, Sealed.from_secret(self.on(step), type=type))

    def op_open(self, step: Fields, out: Fields) -> None:
        name, options = self.name(step), self.acquire_options(step)
        secret = self.on(step).open(**options)
        self.bind_secret(name, secret, out)
        out["data"] = secret.reveal()

    def op_open_into(self, step: Fields, out: Fields) -> None:
        sealed, secret = self.on(step), self.on(step, "into")
        try:
            out["len"] = sealed.open_into(secret)
        finally:
            if status_of(secret.reveal) == "OK":
                out.update(data=secret.reveal(), len=len(secret))

    def op_sealed_info(self, step: Fields, out: Fields) -> None:
        info = self.on(step).info()
        out.update(len=info.len, type=info.type, stored_len=info.stored_len, purged=info.purged)

    def op_id_before(self, step: Fields, out: Fields) -> None:
        out["before"] = self.on(step).info().id < self.on(step, "with").info().id
