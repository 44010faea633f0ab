# SPDX-License-Identifier: MIT
"""Calls that wait, or work on much, let other threads run; counting survives threads (bindings T4)."""

from __future__ import annotations

import array
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import libkeep
import pytest
from libkeep import LockPolicy, PacketPool, PacketRequest, Pool, Sealed, Secret, Session, memory, packet
from vectors.packet import open_packed

MEBIBYTE = 1 << 20
Handle = TypeVar("Handle")


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
    return any(advances_during(call) for _ in range(1000))


def resize_twice(secret: Secret) -> None:
    secret.resize(MEBIBYTE)
    secret.resize(16 * MEBIBYTE)


def reserve_and_trim(pool: Pool) -> None:
    pool.reserve(16, 1 << 16)
    pool.trim()


@pytest.mark.usefixtures("slow_switching")
def test_other_threads_run_during_long_calls(pool: Pool) -> None:
    length = 16 * MEBIBYTE
    data, out, source = bytes(length), bytearray(length), bytearray(length)
    secret, other = Secret.from_bytes(data, pool=pool), Secret.generate(length, pool=pool)
    with secret, other, Sealed(data, pool=pool) as sealed:
        calls: dict[str, Callable[[], object]] = {
            "generate": lambda: Secret.generate(length, pool=pool).close(),
            "from_bytes": lambda: Secret.from_bytes(data, pool=pool).close(),
            "take_bytes": lambda: Secret.take_bytes(source, pool=pool).close(),
            "duplicate": lambda: secret.duplicate().close(),
            "put": lambda: secret.put(0, data),
            "get": lambda: secret.get(0, length),
            "reveal": secret.reveal,
            "reveal_into": lambda: secret.reveal_into(out),
            "randomize": other.randomize,
            "clear": other.clear,
            "resize": partial(resize_twice, other),
            "equal": lambda: secret == other,
            "equal_bytes": lambda: secret.equal_bytes(data),
            "acquire": lambda: pool.acquire(length).close(),
            "acquire_many": lambda: Secret.close_many(pool.acquire_many(length // 16, 16)),
            "reserve": partial(reserve_and_trim, pool),
            "Sealed": lambda: Sealed(data).close(),
            "take": lambda: Sealed.take(source).close(),
            "from_secret": lambda: Sealed.from_secret(secret).close(),
            "open": lambda: sealed.open().close(),
            "open_into": lambda: sealed.open_into(secret),
        }
        assert [name for name, call in calls.items() if not lets_others_run(call)] == []


def large_pool() -> Pool:
    return Pool(tiers=[1024], tier_slots=[16 * 1024], max_bytes=64 * MEBIBYTE, lock_policy=LockPolicy.ALLOW_UNLOCKED)


def untrimmed_pool() -> Pool:
    """A pool of more than its first region, which stays."""
    pool = Pool(tiers=[1024], tier_slots=[1], max_bytes=64 * MEBIBYTE, lock_policy=LockPolicy.ALLOW_UNLOCKED)
    pool.reserve(1024, 16 * 1024)
    return pool


def purge_all(*_: Secret) -> None:
    memory.purge()


@pytest.mark.usefixtures("slow_switching")
def test_other_threads_run_while_memory_is_made_and_given_back() -> None:
    calls: dict[str, Callable[[], Callable[[], object]]] = {
        "Pool": lambda: large_pool,
        "Pool.close": lambda: large_pool().close,
        "trim": lambda: untrimmed_pool().trim,
        "purge": lambda: partial(purge_all, Secret.generate(16 * MEBIBYTE)),
        "PacketPool": lambda: partial(PacketPool, libkeep.MAX_PACKET_SLOTS),
        "PacketPool.close": lambda: PacketPool(libkeep.MAX_PACKET_SLOTS).close,
    }
    held = [name for name, prepare in calls.items() if not any(advances_during(prepare()) for _ in range(100))]
    assert held == []


@pytest.mark.usefixtures("slow_switching")
def test_other_threads_run_during_large_batches(sealer: Session, opener: Session) -> None:
    count, event = 128, bytes(libkeep.MAX_EVENT_LEN)
    ends = array.array("I", range(len(event), count * len(event) + 1, len(event)))
    out, out_ends, statuses = bytearray(count * libkeep.MAX_PACKET_LEN), array.array("I", [0] * count), bytearray(count)
    assert lets_others_run(lambda: sealer.seal_batch([PacketRequest([event])] * count))
    data = event * count
    assert lets_others_run(lambda: sealer.seal_packed(data, ends, 0, 0, 0, out, out_ends, statuses))
    datagrams = [bytes(out[at : at + libkeep.MAX_PACKET_LEN]) for at in range(0, len(out), libkeep.MAX_PACKET_LEN)]
    assert lets_others_run(lambda: opener.open_batch(datagrams))
    assert lets_others_run(lambda: open_packed(opener, datagrams, len(out), count))


@pytest.mark.usefixtures("slow_switching")
def test_other_threads_run_while_one_waits() -> None:
    with Pool(tiers=[32], tier_max_slots=[1]) as pool, pool.acquire(1):

        def wait() -> None:
            with pytest.raises(libkeep.KeepTimeoutError):
                pool.acquire(1, timeout=0.05)

        assert lets_others_run(wait)


@pytest.mark.usefixtures("slow_switching")
def test_short_calls_keep_the_lock(sealer: Session) -> None:
    requests = [PacketRequest([b"event"])] * 64
    with Secret.generate(32) as secret:
        assert not advances_during(lambda: [secret.reveal() for _ in range(1000)])
    assert not advances_during(lambda: [sealer.seal([bytes(8104)]) for _ in range(100)])
    assert not advances_during(lambda: [sealer.seal_batch(requests) for _ in range(100)])


def in_threads(count: int, work: Callable[[int], None]) -> list[BaseException]:
    """Runs a function of its number in each of some threads; what they raised."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_threads_seal_with_one_session_and_use_no_counter_twice(sealer: Session) -> None:
    sealed: list[bytes] = []
    requests = [PacketRequest([bytes(8104)])] * 8

    def seal(number: int) -> None:
        for _ in range(50):
            sealed.append(sealer.seal([b"%d" % number]))
            sealed.append(sealer.heartbeat())
            data, offsets, _ = sealer.seal_batch(requests)
            sealed.extend(data[begin:end] for begin, end in zip(offsets, offsets[1:]))

    assert in_threads(8, seal) == []
    assert sorted(packet.parse(datagram).counter for datagram in sealed) == list(range(8 * 50 * 10))


def test_of_threads_with_one_datagram_one_opens_it(sealer: Session, opener: Session) -> None:
    datagrams = [sealer.seal([bytes(8104)]) for _ in range(100)]
    opened: list[int] = []

    def open_all(number: int) -> None:
        for at in range(0, 100, 10):
            batch = opener.open_batch(datagrams[at : at + 10])
            opened.extend(each.info.counter for each in batch if each.status == 0)

    assert in_threads(8, open_all) == []
    assert sorted(opened) == list(range(100))
    assert opener.stats().replayed == 700


def test_threads_share_a_pool_and_its_secrets() -> None:
    def work(number: int) -> None:
        own = bytes([number]) * 40
        for _ in range(300):
            with Secret.from_bytes(own, pool=pool) as secret, Sealed.from_secret(secret) as sealed:
                opened = sealed.open()
                assert opened == secret == own

    with Pool() as pool:
        assert in_threads(8, work) == []
        assert sum(tier.in_use for tier in pool.stats().tiers) == 0


def fight(handle: Handle, actions: Sequence[Callable[[Handle], object]]) -> set[str]:
    """Does all at once; which of the errors that are to be expected came."""
    outcomes: set[str] = set()

    def act(number: int) -> None:
        try:
            actions[number](handle)
        except (libkeep.BusyError, libkeep.ClosedError) as error:
            outcomes.add(error.name)

    assert in_threads(len(actions), act) == []
    return outcomes


def test_threads_fight_over_one_secret() -> None:
    """Everybody gets bytes, BusyError or ClosedError; nobody crashes, nothing is freed twice."""
    with Pool() as pool:
        for _ in range(200):
            secret = Secret.from_bytes(bytes(8192), pool=pool)
            fight(secret, [Secret.reveal, Secret.close, Secret.duplicate, Sealed.from_secret])
            secret.close()
        del secret
        assert pool.stats().guarded == 0


def test_threads_fight_over_one_pool() -> None:
    """Giving it back takes long, and the interpreter's lock is not held: it is closed from the beginning."""
    outcomes = [fight(large_pool(), [Pool.close, *[Pool.stats] * 8, Pool.close]) for _ in range(5)]
    assert set().union(*outcomes) == {"CLOSED"}
