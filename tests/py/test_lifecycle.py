# SPDX-License-Identifier: MIT
"""When handles end: with, close, finalizers, fork, exit (bindings T2, T8, T10)."""

from __future__ import annotations

import gc
import multiprocessing
import operator
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Union

import libkeep
import pytest
from conftest import RunPython
from libkeep import Harden, Pool, Sealed, Secret, memory, native

Handle = Union[Pool, Secret, Sealed]


def handles(pool: Pool) -> list[Handle]:
    return [Pool(), Secret.generate(8, pool=pool), Sealed(b"planted", pool=pool)]


def in_use(pool: Pool) -> int:
    return sum(tier.in_use for tier in pool.stats().tiers)


def calls(handle: Handle) -> list[Callable[[], object]]:
    """Every call on a handle that uses it."""
    if isinstance(handle, Pool):
        return [lambda: handle.acquire(1), lambda: handle.acquire_many(1, 1), handle.stats, handle.trim]
    if isinstance(handle, Sealed):
        return [handle.open, handle.info]
    changes = [handle.randomize, handle.clear, handle.freeze, handle.melt, lambda: handle.put(0, b"")]
    reads = [handle.reveal, lambda: handle.get(0, 0), handle.duplicate, handle.info, lambda: handle == b""]
    windows = [handle.read, handle.write, lambda: memoryview(handle), lambda: len(handle)]
    return [*changes, *reads, *windows, lambda: Sealed.from_secret(handle), lambda: Sealed(handle)]


def test_a_handle_is_closed_at_the_end_of_its_block(pool: Pool) -> None:
    for handle in handles(pool):
        with handle as same:
            assert same is handle
        for call in calls(handle):
            with pytest.raises(libkeep.ClosedError):
                call()
        handle.close()
        handle.close()


def test_an_exception_closes_too(pool: Pool) -> None:
    with pytest.raises(KeyError), Secret.generate(8, pool=pool):
        raise KeyError
    assert in_use(pool) == 0


def test_a_forgotten_handle_is_freed(pool: Pool) -> None:
    for _ in range(100_000):
        Secret.generate(8, pool=pool)
    assert in_use(pool) == 0
    Sealed(b"planted", pool=pool)
    Pool()


def test_a_view_keeps_its_secret_alive(pool: Pool) -> None:
    view = Secret.from_bytes(b"planted", pool=pool).read()
    gc.collect()
    assert bytes(view) == b"planted"
    assert in_use(pool) == 1
    view.release()
    assert in_use(pool) == 0


def test_a_secret_in_a_cycle_is_freed(pool: Pool) -> None:
    cycle: list[object] = [Secret.generate(8, pool=pool)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert in_use(pool) == 0


def test_parents_and_children_end_in_any_order() -> None:
    for parent_first in (True, False):
        pool = Pool()
        children: list[Handle] = [Secret.from_bytes(b"planted", pool=pool), Sealed(b"planted", pool=pool)]
        if parent_first:
            pool.close()
            sealed = children[1]
            assert isinstance(sealed, Sealed)
            with sealed.open() as opened:
                assert opened == children[0]
        for child in children:
            child.close()
        pool.close()


def test_close_under_a_window_changes_nothing(secret: Secret) -> None:
    for window in (secret.read, secret.write):
        with window() as view:
            with pytest.raises(libkeep.BusyError):
                secret.close()
            assert bytes(view) == b"0123456789abcdef"
    secret.close()


def test_close_during_a_call_is_refused_and_works_later() -> None:
    pool = Pool(tiers=[32], tier_max_slots=[1])
    held = pool.acquire(1)
    waiting = threading.Thread(target=lambda: pool.acquire(1, timeout=None).close())
    waiting.start()
    while pool.stats().tiers[0].waiting == 0:
        pass
    with pytest.raises(libkeep.BusyError) as caught:
        pool.close()
    assert caught.value.op == "Pool.free"
    held.close()
    waiting.join()
    pool.close()
    with pytest.raises(libkeep.ClosedError):
        pool.stats()


def refused(call: Callable[[], object]) -> Callable[[], object]:
    """A call that fails, as one that does not."""

    def caught() -> None:
        with pytest.raises((libkeep.KeepError, TypeError, OverflowError, BufferError)):
            call()

    return caught


def blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def test_no_call_leaves_anything_behind(pool: Pool, secret: Secret) -> None:
    sealed, data, out = Sealed(b"planted", pool=pool), b"0123", bytearray(16)
    used = [
        *calls(pool),
        *calls(secret),
        *calls(sealed),
        lambda: Pool(tiers=[32], tier_slots=[1]).close(),
        lambda: Secret.close_many(pool.acquire_many(8, 3)),
        lambda: secret.put(0, data),
        lambda: secret.reveal_into(out),
        lambda: secret.get_into(0, out),
        lambda: sealed.open_into(secret.duplicate()),
        lambda: memory.known_answer("coffer.split", bytes(64)),
        memory.report,
        lambda: memory.harden(Harden(0)),
        refused(lambda: Pool(tiers=[33])),
        refused(lambda: Pool(colour=1)),  # type: ignore[call-arg]
        refused(lambda: secret.put(99, data)),
        refused(lambda: secret.put(0, "text")),  # type: ignore[arg-type]
        refused(lambda: secret.get(0, 99)),
        refused(lambda: secret.reveal_into(out[:3])),
        refused(lambda: secret.reveal_into(data)),
        refused(lambda: Secret.close_many([secret, 7])),  # type: ignore[list-item]
        refused(lambda: memory.known_answer("no.such", data)),
        refused(lambda: memory.harden(Harden(1 << 7))),
    ]
    for call in used:
        for _ in range(3):
            call()
        before = blocks()
        for _ in range(200):
            call()
        assert blocks() - before < 100, call
    assert sys.getrefcount(data) < 200 > sys.getrefcount(secret)


@pytest.mark.parametrize("kind", [Pool, Secret, Sealed])
def test_handles_come_from_the_library_only(kind: type[Handle]) -> None:
    base = getattr(native, kind.__name__)
    for make in (base, lambda: base.__new__(kind), lambda: object.__new__(kind)):
        with pytest.raises(TypeError):
            make()


def test_a_handle_takes_no_attributes(secret: Secret) -> None:
    with pytest.raises(AttributeError):
        secret.owner = 1  # type: ignore[attr-defined]


def test_handles_have_no_order(pool: Pool) -> None:
    for one, other in zip(handles(pool), handles(pool)):
        assert one == one and one != other
        with pytest.raises(TypeError):
            operator.lt(one, other)  # type: ignore[arg-type]


def test_a_weak_reference_does_not_outlive_its_handle(secret: Secret) -> None:
    """Which SWIG made the wrapper decides whether there are weak references at all."""
    duplicate = secret.duplicate()
    try:
        reference = weakref.ref(duplicate)
    except TypeError:
        return
    assert reference() is duplicate
    del duplicate
    assert reference() is None


def test_only_a_facade_registers_as_one() -> None:
    for other in (int, Secret, 7):
        with pytest.raises(TypeError):
            native.keep_facade(other)  # type: ignore[type-var]


def test_an_object_of_another_class_is_refused(pool: Pool, secret: Secret) -> None:
    for wrong in (pool, 7, None, b"planted"):
        with pytest.raises(TypeError):
            Sealed.from_secret(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            native.keep_secret_free(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Secret.close_many([secret, wrong])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        Secret.generate(8, pool=secret)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Secret.close_many(7)  # type: ignore[arg-type]
    assert len(secret) == 16


# Fork


def in_child(check: Callable[[], bool]) -> bool:
    """Whether a check holds in a forked child."""
    child = os.fork()
    if child == 0:
        held = False
        try:
            held = check()
        finally:
            os._exit(0 if held else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def is_forked(call: Callable[[], object]) -> bool:
    try:
        call()
    except libkeep.ForkedError:
        return True
    return False


def test_a_child_cannot_use_but_may_close_what_it_inherits(pool: Pool) -> None:
    for handle in handles(pool):
        used = calls(handle)

        def check(handle: Handle = handle, used: list[Callable[[], object]] = used) -> bool:
            is_refused = all(is_forked(call) for call in used)
            handle.close()
            return is_refused

        assert in_child(check)
        handle.close()


def test_a_child_makes_its_own(secret: Secret) -> None:
    def check() -> bool:
        with Secret.from_bytes(b"planted") as own, Sealed(own) as sealed, sealed.open() as opened:
            return opened == b"planted"

    assert in_child(check)
    assert secret == b"0123456789abcdef"


def test_a_child_may_let_go_of_a_view(secret: Secret) -> None:
    view = secret.read()

    def check() -> bool:
        view.release()
        secret.close()
        return True

    assert in_child(check)
    assert bytes(view) == b"0123456789abcdef"
    view.release()


def worker(number: int) -> bytes:
    with Secret.from_bytes(b"%d" % number) as own:
        return own.reveal()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_have_secrets_of_their_own(secret: Secret, method: str) -> None:
    with multiprocessing.get_context(method).Pool(2) as workers:
        assert workers.map(worker, range(4)) == [b"0", b"1", b"2", b"3"]
    assert secret == b"0123456789abcdef"


# Exit


def test_exit_with_everything_open_is_silent(run_python: RunPython) -> None:
    program = """
import threading
import weakref
import libkeep
pool = libkeep.Pool(tiers=[32], tier_max_slots=[1])
secret = pool.acquire(8)
sealed = libkeep.Sealed(b"planted", pool=pool)
view = secret.read()
cycle = [secret, view]
cycle.append(cycle)
threading.Thread(target=lambda: pool.acquire(1, timeout=None), daemon=True).start()
while pool.stats().tiers[0].waiting == 0:
    pass
"""
    done = run_python(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
