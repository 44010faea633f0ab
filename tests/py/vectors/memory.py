# SPDX-License-Identifier: MIT
"""The cases of keep-memory-1 (memory.md §11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libkeep
from libkeep import Pool, Sealed, Secret
from libkeep.memory import AcquireOptions, LockPolicy, known_answer, known_answer_into, purge

from . import (
    Arrays,
    Operations,
    Outputs,
    Step,
    expect,
    expect_status,
    integer,
    list_of,
    of_type,
    one_of,
    run_script,
    status_of,
    text,
    told,
)

POOL = {
    **dict.fromkeys(("tiers", "tier_slots", "tier_max_slots"), list_of(integer)),
    **dict.fromkeys(("max_bytes", "hot_cache", "resplit_views"), integer),
}
LOCK_POLICIES = {"require": LockPolicy.REQUIRE, "allow_unlocked": LockPolicy.ALLOW_UNLOCKED}


def run_known(step: Step) -> None:
    """A transform, in both forms."""
    question, buffer = (step.text("transform"), step.data("in")), bytearray(1 << 17)
    expect_status("an answer", step.status, lambda: known_answer(*question))
    expect_status("an answer into a buffer", step.status, lambda: known_answer_into(*question, buffer))
    if step.status == "OK":
        answer = known_answer(*question)
        step.expect("out", answer)
        expect("out into a buffer", answer, bytes(buffer[: len(answer)]))


# Pools


def pool_of(step: Step) -> Pool:
    return step.on() if "on" in step else Pool.default()


def make_pool(step: Step) -> None:
    options: Any = step.given(POOL)
    if "lock" in step:
        options["lock_policy"] = step.take("lock", one_of(LOCK_POLICIES))
    step.bind(lambda: Pool(**options))


def pool_stats(step: Step) -> Outputs:
    stats = pool_of(step).stats()
    tier = told(stats.tiers[step.integer("tier")]) if "tier" in step else {}
    return {**told(stats), **tier, "tiers": [tier.slot_len for tier in stats.tiers]}


def acquire_many(step: Step) -> None:
    names = [step.run.unused(name) for name in step.take("as", list_of(text))]
    for name, secret in zip(names, pool_of(step).acquire_many(step.integer("len"), len(names))):
        step.run.bind(step.run.unused(name), secret)


# Making secrets


def bind_secret(step: Step, make: Callable[[], Secret]) -> Outputs:
    return told(step.bind(make).info())


def acquire_options(step: Step) -> AcquireOptions:
    wait = step.integer64("timeout_ms")
    timeout = None if wait == libkeep.WAIT_FOREVER else wait / 1000
    return AcquireOptions(timeout=timeout, fallback=step.flag("fallback"))


def acquire(step: Step) -> Outputs:
    options = acquire_options(step)
    return bind_secret(step, lambda: pool_of(step).acquire(step.integer("len"), **options))


def acquire_guarded(step: Step) -> Outputs:
    options: Any = {"guarded": True, "align16": step.flag("align16"), "resident": step.flag("resident")}
    return bind_secret(step, lambda: pool_of(step).acquire(step.integer("len"), **options))


def from_source(step: Step, make: Callable[..., Any], **options: Any) -> Any:
    """Binds what is made of the caller's bytes: `source` is what became of them."""
    source = bytearray(step.data("data"))
    try:
        return step.bind(lambda: make(source, pool=pool_of(step), **options))
    finally:
        step.out["source"] = bytes(source)


def secret_from_source(step: Step, make: Callable[..., Secret]) -> Outputs:
    return told(from_source(step, make).info())


def generate(step: Step) -> Outputs:
    return bind_secret(step, lambda: Secret.generate(step.integer("len"), pool=pool_of(step)))


# Using secrets


def get(step: Step) -> Outputs:
    offset, buffer = step.integer("offset"), bytearray(step.integer("len"))
    data = step.on().get(offset, len(buffer))
    expect("get_into", len(buffer), step.on().get_into(offset, buffer))
    expect("get_into", data, bytes(buffer))
    return {"data": data}


def reveal(step: Step) -> Outputs:
    whole = None if "cap" in step else step.on().reveal()
    buffer = bytearray(step.integer("cap") if whole is None else len(whole))
    try:
        data = bytes(buffer[: step.on().reveal_into(buffer)])
    except libkeep.BufferTooSmallError as error:
        step.out["len"] = error.needed
        raise
    expect("reveal_into", data if whole is None else whole, data)
    return {"data": data, "len": len(data)}


def equal(step: Step) -> Outputs:
    same = step.on().equal(step.on("with"))
    expect("==", same, step.on() == step.on("with"))
    return {"equal": same}


def equal_bytes(step: Step) -> Outputs:
    same = step.on().equal_bytes(step.data("data"))
    expect("==", same, step.on() == step.data("data"))
    return {"equal": same}


def run_window(step: Step, begin: Callable[[], Any]) -> None:
    """Notes what a window shows, and runs the step's steps in it."""
    steps, data = step.take("steps", of_type(list)), step.data("data") or b""
    try:
        with begin() as view:
            step.out["data"] = bytes(view)
            if data:
                view[: len(data)] = data
            step.run.steps(steps)
    finally:
        if "data" not in step.out:
            steps.clear()  # a window that is not open runs none


def release(step: Step) -> None:
    secret = step.on()
    secret.info()  # closing twice is no error in Python; a call on a closed secret is
    secret.close()
    step.run.freed.update(name for name, handle in step.run.handles.items() if handle is secret)


# Sealing


def seal(step: Step, make: Callable[..., Sealed]) -> None:
    from_source(step, make, type=step.integer("type"))


def seal_secret(step: Step) -> None:
    step.bind(lambda: Sealed.from_secret(step.on(), type=step.integer("type")))


def open_sealed(step: Step) -> Outputs:
    options = acquire_options(step)
    out = bind_secret(step, lambda: step.on().open(**options))
    return {**out, "data": step.run.handles[step.text("as")].reveal()}


def open_into(step: Step) -> Outputs:
    secret = step.on("into")
    try:
        return {"len": step.on().open_into(secret)}
    finally:
        if status_of(secret.reveal) == "OK":
            step.out.update(data=secret.reveal(), len=len(secret))


ARRAYS: Arrays = {"known": ("transform in", run_known), "scripts": ("script", run_script)}

OPERATIONS: Operations = {
    "pool_new": ("as", make_pool),
    "pool_stats": ("", pool_stats),
    "acquire": ("as len", acquire),
    "acquire_guarded": ("as len", acquire_guarded),
    "acquire_batch": ("as len", acquire_many),
    "reserve": ("len count", lambda step: pool_of(step).reserve(step.integer("len"), step.integer("count"))),
    "trim": ("", lambda step: pool_of(step).trim()),
    "generate": ("as len", generate),
    "from_bytes": ("as data", lambda step: secret_from_source(step, Secret.from_bytes)),
    "take_bytes": ("as data", lambda step: secret_from_source(step, Secret.take_bytes)),
    "duplicate": ("on as", lambda step: bind_secret(step, lambda: step.on().duplicate())),
    "info": ("on", lambda step: told(step.on().info())),
    "put": ("on offset data", lambda step: step.on().put(step.integer("offset"), step.data("data"))),
    "get": ("on offset len", get),
    "reveal": ("on", reveal),
    "randomize": ("on", lambda step: step.on().randomize()),
    "clear": ("on", lambda step: step.on().clear()),
    "freeze": ("on", lambda step: step.on().freeze()),
    "melt": ("on", lambda step: step.on().melt()),
    "resize": ("on len", lambda step: step.on().resize(step.integer("len"))),
    "equal": ("on with", equal),
    "equal_bytes": ("on data", equal_bytes),
    "read_window": ("on steps", lambda step: run_window(step, lambda: step.on().read())),
    "write_window": ("on steps", lambda step: run_window(step, lambda: step.on().write())),
    "release": ("on", release),
    "purge": ("", lambda step: {"open_windows": purge()}),
    "seal": ("as data", lambda step: seal(step, Sealed)),
    "seal_take": ("as data", lambda step: seal(step, Sealed.take)),
    "seal_secret": ("on as", seal_secret),
    "open": ("on as", open_sealed),
    "open_into": ("on into", open_into),
    "sealed_info": ("on", lambda step: told(step.on().info())),
    "id_before": ("on with", lambda step: {"before": step.on().info().id < step.on("with").info().id}),
}
