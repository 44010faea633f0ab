# SPDX-License-Identifier: MIT
"""Each method of pools, secrets and sealed secrets, and each function of libkeep.memory, once (bindings T1).

What the calls do in every combination is in the shared vectors; here is how it looks in Python.
"""

from __future__ import annotations

import dataclasses
import mmap
import threading
import time

import libkeep
import pytest
from conftest import RunPython, needs_mlock
from libkeep import (
    Backing,
    Check,
    Harden,
    HardenReport,
    Kind,
    LockPolicy,
    MemoryReport,
    Pool,
    Sealed,
    Secret,
    TierStats,
    memory,
)

# Base


def test_the_version_is_the_librarys_own() -> None:
    assert libkeep.version() == libkeep.__version__
    major, minor, patch = map(int, libkeep.version().split("."))
    assert major * 1_000_000 + minor * 1_000 + patch == libkeep.VERSION_NUMBER


def test_constants_are_those_of_the_headers() -> None:
    assert libkeep.MAX_SECRET_LEN == 64 << 20
    assert libkeep.WAIT_FOREVER == 2**32 - 1
    assert libkeep.UNLIMITED == 2**63 - 1
    assert Harden.RECOMMENDED == Harden.NO_CORE | Harden.NO_DUMP


# Pools


def test_a_pool_is_made_with_options() -> None:
    options = libkeep.PoolOptions(tiers=(64, 32), tier_slots=[0, 2], tier_max_slots=[8, 0], max_bytes=1 << 20)
    options |= {"backing": Backing.LOCKED, "lock_policy": LockPolicy.ALLOW_UNLOCKED, "resplit_views": 9}
    with Pool(**options) as pool:
        stats = pool.stats()
        assert [tier.slot_len for tier in stats.tiers] == [32, 64]
        assert stats.tiers[0].slots >= 2
        assert stats.backing is Backing.LOCKED
        assert stats.locked_bytes + stats.unlocked_bytes > 0


@pytest.mark.parametrize(
    "options",
    [{"tiers": [33]}, {"tiers": [16] * 9}, {"tiers": [32], "tier_slots": [1, 1]}, {"tier_slots": [1] * 9}],
)
def test_options_that_make_no_sense_are_refused(options: libkeep.PoolOptions) -> None:
    with pytest.raises(libkeep.InvalidArgumentError):
        Pool(**options)


def test_options_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError):
        Pool(colour=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Pool(hot_cache="many")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Pool(tiers=32)  # type: ignore[arg-type]
    for number in (-1, 2**32):
        with pytest.raises(OverflowError):
            Pool(hot_cache=number)
    with pytest.raises(OverflowError):
        Pool(max_bytes=2**64)


def test_the_default_pool_is_made_once(run_python: RunPython) -> None:
    program = """
import libkeep
with libkeep.Pool.default(tiers=[48]) as pool, libkeep.Pool.default() as same:
    assert [tier.slot_len for tier in same.stats().tiers] == [48]
    with libkeep.Secret.generate(40) as secret:
        assert pool.stats().tiers[0].in_use == 1
    try:
        libkeep.Pool.default(tiers=[48])
    except libkeep.StateError:
        print("once")
"""
    assert run_python(program).stdout == "once\n"


def test_acquiring_gives_zero_bytes(pool: Pool) -> None:
    with pool.acquire(20) as secret:
        assert secret.reveal() == bytes(20)
        assert secret.info().kind is Kind.SLOT
    with pool.acquire(20, guarded=True, align16=True, resident=True) as secret:
        assert secret.info().kind is Kind.GUARDED


def test_acquiring_waits_as_long_as_it_is_told() -> None:
    with Pool(tiers=[32], tier_max_slots=[1]) as pool, pool.acquire(1):
        with pytest.raises(libkeep.ExhaustedError):
            pool.acquire(1)
        begin = time.monotonic()
        with pytest.raises(libkeep.KeepTimeoutError):
            pool.acquire(1, timeout=0.05)
        assert time.monotonic() - begin >= 0.05
        with pool.acquire(1, timeout=0.001, fallback=True) as fallback:
            assert fallback.info().kind is Kind.GUARDED


def test_a_long_wait_takes_its_time_and_then_falls_back() -> None:
    with Pool(tiers=[32], tier_max_slots=[1]) as pool, pool.acquire(1):
        begin = time.monotonic()
        with pytest.raises(libkeep.KeepTimeoutError):
            pool.acquire(1, timeout=0.75)
        with pool.acquire(1, timeout=0.75, fallback=True) as fallback:
            assert fallback.info().kind is Kind.GUARDED
        assert time.monotonic() - begin >= 1.5


def test_where_nothing_can_be_waited_for_no_wait_begins() -> None:
    with Pool(tiers=[32, 4096], max_bytes=2 * mmap.PAGESIZE) as pool, pool.acquire(1):
        with pytest.raises(libkeep.ExhaustedError):
            pool.acquire(4096, timeout=None)
        with pool.acquire(4096, timeout=None, fallback=True) as fallback:
            assert fallback.info().kind is Kind.GUARDED
        assert pool.stats().waits == 0


def test_only_the_main_thread_leaves_the_line_while_it_waits() -> None:
    """In C's line the first is served first (memory R13)."""
    with Pool(tiers=[32], tier_max_slots=[1]) as pool, pool.acquire(1):

        def wait() -> None:
            with pytest.raises(libkeep.KeepTimeoutError):
                pool.acquire(1, timeout=0.75)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
        assert pool.stats().waits == 1
        wait()
        assert pool.stats().waits == 3


@pytest.mark.parametrize("wait", ["pool.acquire(1, timeout=None)", "sealed.open(timeout=3600, fallback=True)"])
def test_a_wait_of_the_main_thread_handles_signals(run_python: RunPython, wait: str) -> None:
    program = f"""
import os, signal, threading, libkeep
pool = libkeep.Pool(tiers=[32], tier_max_slots=[1])
sealed = libkeep.Sealed(b"planted", pool=pool)
held = pool.acquire(1)
def interrupt(number, frame): raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupt)  # a program that runs in the background ignores it
def signal_a_wait(number):
    while pool.stats().tiers[0].waiting == 0: pass
    os.kill(os.getpid(), number)
threading.Thread(target=signal_a_wait, args=(signal.SIGINT,)).start()
try: {wait}
except KeyboardInterrupt: print("interrupted")
signal.signal(signal.SIGUSR1, lambda number, frame: held.close())
threading.Thread(target=signal_a_wait, args=(signal.SIGUSR1,)).start()
print({wait})
"""
    done = run_python(program)
    assert done.stdout.startswith("interrupted\n<Secret: "), done.stderr


def test_acquiring_without_a_limit_waits_for_a_release() -> None:
    with Pool(tiers=[32], tier_max_slots=[1]) as pool:
        held = pool.acquire(1)
        timer = threading.Timer(0.05, held.close)
        timer.start()
        with pool.acquire(1, timeout=None) as secret:
            assert len(secret) == 1
        timer.join()


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        (-1.0, OverflowError),
        (1e7, OverflowError),
        (float("inf"), OverflowError),
        (float("nan"), ValueError),
        ("1", TypeError),
    ],
)
def test_a_limit_that_is_no_time_is_refused(pool: Pool, timeout: float, error: type[Exception]) -> None:
    with pytest.raises(error):
        pool.acquire(1, timeout=timeout)


def test_a_batch_is_acquired_and_closed_at_once(pool: Pool) -> None:
    secrets = pool.acquire_many(32, 5)
    assert pool.stats().tiers[0].in_use == 5
    Secret.close_many(secrets[:2])
    Secret.close_many(tuple(secrets))
    assert pool.stats().tiers[0].in_use == 0
    for count in (0, libkeep.MAX_BATCH + 1):
        with pytest.raises(libkeep.InvalidArgumentError):
            pool.acquire_many(32, count)
    with pytest.raises(libkeep.InvalidArgumentError):
        Secret.close_many([])


def test_close_many_closes_what_it_can(pool: Pool) -> None:
    first, second, third = pool.acquire_many(32, 3)
    with second.read(), pytest.raises(libkeep.BusyError):
        Secret.close_many([first, second, third])
    assert pool.stats().tiers[0].in_use == 1
    assert len(second) == 32
    second.close()


def test_a_pool_reserves_and_trims(pool: Pool) -> None:
    pool.acquire(32).close()  # the first region stays
    pool.reserve(32, 1000)
    before = pool.stats()
    assert before.tiers[0].slots >= 1000
    assert pool.trim() > 0
    assert pool.stats().locked_bytes + pool.stats().unlocked_bytes < before.locked_bytes + before.unlocked_bytes


def test_reports_are_frozen(pool: Pool) -> None:
    stats = pool.stats()
    assert isinstance(stats.tiers[0], TierStats)
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.guarded = 1  # type: ignore[misc]


# Secrets


def test_a_secret_is_made_of_bytes(pool: Pool) -> None:
    with Secret.from_bytes(b"planted", pool=pool) as secret:
        assert len(secret) == 7
        assert secret.reveal() == b"planted"
    with Secret.from_bytes(b"") as empty:
        assert empty.reveal() == b""


def test_a_generated_secret_is_random(pool: Pool) -> None:
    with Secret.generate(32, pool=pool) as one, Secret.generate(32, pool=pool) as other:
        assert one != other
        assert len(one) == len(other) == 32


def test_taking_wipes_the_source_only_on_success(pool: Pool) -> None:
    source = bytearray(b"planted")
    with Secret.take_bytes(source, pool=pool) as secret:
        assert secret == b"planted"
    assert source == bytes(7)
    source[:] = b"planted"
    with Pool(tiers=[32], tier_max_slots=[1]) as small, small.acquire(1), pytest.raises(libkeep.ExhaustedError):
        Secret.take_bytes(source, pool=small)
    assert source == b"planted"
    with pytest.raises(BufferError):
        Secret.take_bytes(bytes(source), pool=pool)


def test_bytes_are_put_and_got(secret: Secret) -> None:
    secret.put(4, b"WXYZ")
    assert secret.get(3, 6) == b"3WXYZ8"
    assert secret.get(16, 0) == b""
    buffer = bytearray(b"--------")
    assert secret.get_into(8, buffer) == 8
    assert buffer == b"89abcdef"
    for offset, length in ((17, 0), (0, 17), (1, libkeep.MAX_SECRET_LEN), (0, 2**64 - 1)):
        with pytest.raises(libkeep.InvalidArgumentError):
            secret.get(offset, length)
    for wrong in (-1, 2**64):
        with pytest.raises(OverflowError):
            secret.get(0, wrong)
        with pytest.raises(OverflowError):
            secret.put(wrong, b"")


def test_revealing_into_a_buffer_tells_what_is_needed(secret: Secret) -> None:
    buffer = bytearray(20)
    assert secret.reveal_into(buffer) == 16
    assert buffer == b"0123456789abcdef" + bytes(4)
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        secret.reveal_into(bytearray(15))
    assert caught.value.needed == 16
    assert caught.value.op == "Secret.reveal"


def test_windows_show_the_bytes_in_place(secret: Secret) -> None:
    with secret.write() as view:
        assert not view.readonly
        view[0:2] = b"zz"
    with secret.read() as view, secret.read() as again:
        assert view.readonly
        assert bytes(view) == bytes(again) == b"zz23456789abcdef"
        assert secret.info().windows == 2
        with pytest.raises(TypeError):
            view[0] = 1
    assert secret.info().windows == 0


def test_windows_exclude_each_other(secret: Secret) -> None:
    with secret.read(), pytest.raises(libkeep.BusyError):
        secret.write()
    with secret.write(), pytest.raises(BufferError):
        secret.read()
    secret.freeze()
    with pytest.raises(libkeep.StateError):
        secret.write()


def test_a_slice_keeps_the_window_open(secret: Secret) -> None:
    with secret.read() as view:
        part = view[4:8]
    assert secret.info().windows == 1
    with pytest.raises(libkeep.BusyError):
        secret.close()
    assert bytes(part) == b"4567"
    part.release()
    assert secret.info().windows == 0


def test_a_secret_changes_as_a_whole(secret: Secret) -> None:
    secret.resize(20)
    assert secret.reveal() == b"0123456789abcdef" + bytes(4)
    secret.randomize()
    assert secret.reveal() != b"0123456789abcdef" + bytes(4)
    secret.clear()
    assert secret.reveal() == bytes(20)


def test_a_frozen_secret_is_read_only(secret: Secret) -> None:
    secret.freeze()
    assert secret.info().frozen
    for change in (secret.randomize, secret.clear, lambda: secret.resize(1), lambda: secret.put(0, b"")):
        with pytest.raises(libkeep.StateError):
            change()
    secret.melt()
    secret.put(0, b"x")


def test_a_duplicate_is_equal_and_separate(secret: Secret) -> None:
    secret.freeze()
    with secret.duplicate() as other:
        assert other == secret
        assert other.equal(secret)
        assert not other.info().frozen
        other.put(0, b"x")
        assert other != secret


def test_a_secret_is_compared_with_bytes(secret: Secret) -> None:
    assert secret == b"0123456789abcdef"
    assert secret == bytearray(b"0123456789abcdef")
    assert secret.equal_bytes(memoryview(b"0123456789abcdef"))
    assert secret != b"0123456789abcde"
    assert secret != "0123456789abcdef"
    assert secret != 7


def test_the_info_tells_what_a_secret_is(secret: Secret) -> None:
    info = secret.info()
    assert (info.len, info.capacity, info.kind, info.tier, info.windows) == (16, 32, Kind.SLOT, 0, 0)
    assert (info.frozen, info.exposed, info.purged) == (False, False, False)
    assert info.backing in (Backing.MEMFD_SECRET, Backing.LOCKED)


# Sealed secrets


def test_sealing_and_opening_give_the_bytes_back(pool: Pool) -> None:
    with Sealed(b"planted", type=3, pool=pool) as sealed:
        info = sealed.info()
        assert (info.len, info.stored_len, info.type, info.purged) == (7, 7 + libkeep.SEALED_OVERHEAD, 3, False)
        with sealed.open() as secret, sealed.open(guarded=True, timeout=None) as guarded:
            assert secret == guarded == b"planted"
            assert secret.info().frozen
            assert guarded.info().kind is Kind.GUARDED


def test_sealing_takes_any_source(pool: Pool, secret: Secret) -> None:
    source = bytearray(b"planted")
    with Sealed.take(source, pool=pool) as sealed, sealed.open() as opened:
        assert opened == b"planted"
    assert source == bytes(7)
    with Sealed.from_secret(secret, type=2) as sealed, sealed.open() as opened:
        assert opened == secret
        assert sealed.info().type == 2
    with Sealed(secret, pool=pool) as sealed, sealed.open() as opened:
        assert opened == secret


def test_opening_into_a_secret_sets_its_length(pool: Pool, secret: Secret) -> None:
    with Sealed(b"planted", pool=pool) as sealed:
        assert sealed.open_into(secret) == 7
        assert secret == b"planted"
        secret.freeze()
        with pytest.raises(libkeep.StateError):
            sealed.open_into(secret)


# The process


def test_a_purge_ends_every_secret(run_python: RunPython) -> None:
    program = """
import libkeep
from libkeep import memory
secret, sealed = libkeep.Secret.from_bytes(b"planted"), libkeep.Sealed(b"planted")
with secret.read() as view:
    assert memory.purge() == 1
    assert bytes(view) == bytes(7)
for call in (secret.reveal, sealed.open):
    try:
        call()
    except libkeep.PurgedError:
        print("purged")
assert secret.info().purged and sealed.info().purged
assert len(secret) == 7
secret.close()
sealed.close()
with libkeep.Sealed(b"again") as sealed, sealed.open() as secret:
    assert secret == b"again"
"""
    done = run_python(program)
    assert done.stdout == "purged\npurged\n", done.stderr


def test_hardening_reports_what_is_active(run_python: RunPython) -> None:
    program = """
import resource
from libkeep import Harden, memory
before = memory.harden(Harden(0))
assert before.requested == before.failed == 0
report = memory.harden(Harden.NO_CORE | Harden.NO_DUMP)
assert report.requested == Harden.RECOMMENDED == report.active & Harden.RECOMMENDED
assert report.error == (0,) * 8
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
print("hard")
"""
    done = run_python(program)
    assert done.stdout == "hard\n", done.stderr


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(libkeep.InvalidArgumentError) as caught:
        memory.harden(Harden(1 << 7))
    assert caught.value.op == "harden"
    assert isinstance(caught.value.report, HardenReport)


def test_the_report_has_the_facts() -> None:
    report = memory.report()
    assert report.page_size in (4096, 16384, 65536)
    assert report.memlock_soft <= report.memlock_hard <= libkeep.UNLIMITED
    assert report.checked == Check(0)


@needs_mlock
def test_the_report_tests_a_pool_on_request() -> None:
    report = memory.report(test=True)
    assert report.failed == Check(0)
    assert report.passed == report.checked
    assert Check.SEALING in report.passed
    assert memory.report(backing=Backing.LOCKED).backing is Backing.LOCKED


def test_a_report_of_a_pool_that_cannot_be_comes_with_the_exception() -> None:
    with pytest.raises(libkeep.InvalidArgumentError) as caught:
        memory.report(tiers=[33])
    assert caught.value.op == "memory.report"
    assert isinstance(caught.value.report, MemoryReport)


def test_known_answers_come_as_bytes_and_into_a_buffer() -> None:
    left = memory.known_answer("coffer.split", bytes(range(64)))
    assert left == bytes(a ^ b for a, b in zip(range(32), range(32, 64)))
    buffer = bytearray(40)
    assert memory.known_answer_into("coffer.split", bytes(range(64)), buffer) == 32
    assert buffer == left + bytes(8)
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        memory.known_answer_into("coffer.split", bytes(64), bytearray(31))
    assert caught.value.needed == 32
    for name in ("no.such", "coffer.split\0", ""):
        with pytest.raises(libkeep.InvalidArgumentError):
            memory.known_answer(name, bytes(64))
    with pytest.raises(libkeep.AuthError):
        memory.known_answer("sealed.decode", bytes(32 + 4 + 8 + 8 + 8) + bytes(40))
    with pytest.raises(UnicodeEncodeError):
        memory.known_answer("\ud800", b"")
    with pytest.raises(TypeError):
        memory.known_answer(b"coffer.split", bytes(64))  # type: ignore[arg-type]
