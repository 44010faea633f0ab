# SPDX-License-Identifier: MIT
"""Calls that wait, or work on much, let other threads run; counting survives threads (bindings T4)."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator

import libkeep
import pytest
from libkeep import Pool, Sealed, Secret

MEBIBYTE = 1 << 20


@pytest.fixture
def slow_switching() -> Iterator[None]:
    """Only a thread that lets go of the interpreter's lock lets another one run."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(before)


def advances_during(call: Callable[[], object]) -> bool:
    """Whether a counting thread counts while a call runs."""
    counted, started, done = 0, threading.Event(), threading.Event()

    def count() -> None:
        nonlocal counted
        started.set()
        while not done.is_set():
            counted += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    started.wait()
    before = counted
    call()
    after = counted
    done.set()
    thread.join()
    return after > before


def lets_others_run(call: Callable[[], object]) -> bool:
    """The same of a busy machine, on which the counting thread may not get a turn in one short call."""
    return any(advances_during(call) for _ in range(50))


@pytest.mark.usefixtures("slow_switching")
def test_other_threads_run_during_long_calls() -> None:
    data = bytes(16 * MEBIBYTE)
    with Secret.from_bytes(data) as secret, Sealed(data) as sealed:
        out = bytearray(len(data))
        assert lets_others_run(lambda: Sealed(data).close())
        assert lets_others_run(lambda: sealed.open().close())
        assert lets_others_run(lambda: sealed.open_into(secret))
        assert lets_others_run(secret.reveal)
        assert lets_others_run(lambda: secret.reveal_into(out))
        assert lets_others_run(lambda: secret.get(0, len(data)))


@pytest.mark.usefixtures("slow_switching")
def test_other_threads_run_while_one_waits() -> None:
    with Pool(tiers=[32], tier_max_slots=[1]) as pool, pool.acquire(1):

        def wait() -> None:
            with pytest.raises(libkeep.KeepTimeoutError):
                pool.acquire(1, timeout=0.05)

        assert lets_others_run(wait)


@pytest.mark.usefixtures("slow_switching")
def test_short_calls_keep_the_lock() -> None:
    with Secret.generate(32) as secret:
        assert not advances_during(lambda: [secret.reveal() for _ in range(1000)])


def test_threads_share_a_pool_and_its_secrets() -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            own = bytes([number]) * 40
            for _ in range(300):
                with Secret.from_bytes(own, pool=pool) as secret, Sealed.from_secret(secret) as sealed:
                    opened = sealed.open()
                    assert opened == secret == own
        except BaseException as error:
            errors.append(error)

    with Pool() as pool:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert sum(tier.in_use for tier in pool.stats().tiers) == 0


def test_threads_fight_over_one_secret() -> None:
    """Everybody gets bytes, BusyError or ClosedError; nobody crashes, nothing is freed twice."""
    outcomes: set[str] = set()

    def call(secret: Secret, action: Callable[[Secret], object]) -> None:
        try:
            action(secret)
        except (libkeep.BusyError, libkeep.ClosedError) as error:
            outcomes.add(error.name)

    actions: list[Callable[[Secret], object]] = [Secret.reveal, Secret.close, Secret.duplicate, Sealed.from_secret]
    with Pool() as pool:
        for _ in range(200):
            secret = Secret.from_bytes(bytes(8192), pool=pool)
            threads = [threading.Thread(target=call, args=(secret, action)) for action in actions]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            secret.close()
        del secret
        assert pool.stats().guarded == 0
    assert outcomes <= {"BUSY", "CLOSED"}
