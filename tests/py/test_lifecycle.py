# SPDX-License-Identifier: MIT
"""When handles end: with, close, finalizers, fork, exit (bindings T2, T8, T10)."""

from __future__ import annotations

import array
import gc
import multiprocessing
import operator
import os
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Union

import libkeep
import pytest
from conftest import RunPython
from libkeep import (
    Handshake,
    Harden,
    Noise,
    Packet,
    PacketKind,
    PacketPool,
    PacketRequest,
    Pool,
    Role,
    Sealed,
    Secret,
    Session,
    memory,
    native,
    packet,
)

KINDS = (Pool, Secret, Sealed, Session, PacketPool, Packet, Handshake)
Handle = Union[Pool, Secret, Sealed, Session, PacketPool, Packet, Handshake]


def packet_handles() -> list[Handle]:
    packets = PacketPool(2)
    built = packets.acquire()
    with Secret.generate(32) as one, Secret.generate(32) as other:
        session = Session(session_id=1, tx_key=one, rx_key=other)
        handshake = Handshake(Noise.XXPSK3, Role.INITIATOR, static_key=one, pre_shared_key=other)
    built.build(session, [b"planted"])
    return [session, packets, built, handshake]


def handles(pool: Pool) -> list[Handle]:
    return [Pool(), Secret.generate(8, pool=pool), Sealed(b"planted", pool=pool), *packet_handles()]


def in_use(pool: Pool) -> int:
    return sum(tier.in_use for tier in pool.stats().tiers)


def calls(handle: Handle) -> list[Callable[[], object]]:
    """Every call on a handle that uses it."""
    if isinstance(handle, Pool):
        return [lambda: handle.acquire(1), lambda: handle.acquire_many(1, 1), handle.stats, handle.trim]
    if isinstance(handle, Sealed):
        return [handle.open, handle.info]
    if isinstance(handle, Session):
        return [*sealing(handle), *opening(handle), handle.stats]
    if isinstance(handle, PacketPool):
        return [lambda: handle.acquire().close(), handle.stats]
    if isinstance(handle, Packet):
        build = partial(handle.build, None, [b"planted"], kind=PacketKind.HANDSHAKE)
        return [build, lambda: handle.data.release(), lambda: bytes(handle), lambda: handle.set(None)]
    if isinstance(handle, Handshake):
        return [lambda: handle.read(b"planted"), handle.session, handle.info, handle.write]
    changes = [handle.randomize, handle.clear, handle.freeze, handle.melt, lambda: handle.put(0, b"")]
    reads = [handle.reveal, lambda: handle.get(0, 0), handle.duplicate, handle.info, lambda: handle == b""]
    windows = [handle.read, handle.write, lambda: memoryview(handle), lambda: len(handle)]
    return [*changes, *reads, *windows, lambda: Sealed.from_secret(handle), lambda: Sealed(handle)]


def sealing(session: Session) -> list[Callable[[], object]]:
    out, ends, statuses = bytearray(200), array.array("I", [5]), bytearray(1)
    return [
        lambda: session.seal([b"event"], stream_id=1),
        lambda: session.seal_into([b"event"], out, stream_id=1),
        session.heartbeat,
        lambda: session.heartbeat_into(out),
        lambda: session.seal_batch([PacketRequest([b"event"] * 9)]),
        lambda: session.seal_packed(b"event", ends, 1, 1, 0, out, array.array("I", [0]), statuses),
    ]


def opening(session: Session) -> list[Callable[[], object]]:
    """Calls that a live session answers with a refusal, or with a status in the result."""
    out, table, statuses = bytearray(200), array.array("I", [0, 0]), bytearray(1)
    return [
        lambda: session.open(b"event"),
        lambda: session.open_into(b"event", out),
        lambda: session.open_batch([b"event"]),
        lambda: session.open_packed(b"event", array.array("I", [5]), out, table, array.array("I", [0]), statuses),
    ]


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
    handles(pool)


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


def test_close_during_a_batch_is_refused_and_works_later(sealer: Session) -> None:
    """A large batch runs without the interpreter's lock, so that this thread can try meanwhile."""
    requests = [PacketRequest([bytes(8104)])] * 1024
    done = threading.Event()

    def seal() -> None:
        while not done.is_set():
            sealer.seal_batch(requests)

    thread = threading.Thread(target=seal)
    thread.start()
    try:
        while sealer.stats().next_counter < 4096:
            pass
        with pytest.raises(libkeep.BusyError) as caught:  # the counters were taken when the batch began
            sealer.close()
    finally:
        done.set()
        thread.join()
    assert caught.value.op == "Session.free"
    sealer.close()
    with pytest.raises(libkeep.ClosedError):
        sealer.stats()


def refused(call: Callable[[], object]) -> Callable[[], object]:
    """A call that fails, as one that does not."""

    def caught() -> None:
        with pytest.raises((libkeep.KeepError, TypeError, OverflowError, BufferError)):
            call()

    return caught


def blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def leaves_nothing(used: list[Callable[[], object]]) -> None:
    for call in used:
        for _ in range(3):
            call()
        before = blocks()
        for _ in range(200):
            call()
        assert blocks() - before < 100, call


def test_no_call_on_secrets_leaves_anything_behind(pool: Pool, secret: Secret) -> None:
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
    leaves_nothing(used)
    assert sys.getrefcount(data) < 200 > sys.getrefcount(secret)


def opened(sealer: Session, opener: Session) -> list[Callable[[], object]]:
    """Every way to open a datagram, each time a new one."""
    tables = bytearray(200), array.array("I", [0] * 8), array.array("I", [0]), bytearray(1)

    def sealed() -> bytes:
        return sealer.seal([b"event", b""], stream_id=1)

    return [
        lambda: opener.open(sealed()),
        lambda: opener.open_into(sealed(), bytearray(200)),
        lambda: opener.open_into(sealed(), array.array("I", [0] * 50)),
        lambda: opener.open_batch([sealed(), sealed(), b""]),
        lambda: opener.open_packed(sealed(), array.array("I", [84 + 13]), *tables),
        lambda: packet.parse(sealed()),
    ]


def refusals(sealer: Session, opener: Session, event: bytes) -> list[Callable[[], object]]:
    """Calls that are refused at each step of their arguments and of their work."""
    events = [event]
    calls: list[Callable[[], object]] = [
        lambda: sealer.seal([event, 7]),  # type: ignore[list-item]
        lambda: sealer.seal(events, stream_id=1, settings=7),  # type: ignore[arg-type]
        lambda: sealer.seal(events, settings=None, colour=1),  # type: ignore[call-arg]
        lambda: sealer.seal([event] * 9000),
        lambda: sealer.seal_into(events, bytearray(3)),
        lambda: sealer.seal_into(events, event),
        lambda: sealer.seal_batch([PacketRequest(events), 7]),  # type: ignore[list-item]
        lambda: sealer.seal_batch([PacketRequest(events)] * 1025),
        lambda: opener.open_into(sealer.heartbeat(), event),
        lambda: opener.open_into(sealer.seal(events), bytearray(1)),
        lambda: opener.open_batch([event] * 1025),
        lambda: opener.open_batch([event, 7]),  # type: ignore[list-item]
        lambda: packet.parse(event),
        lambda: packet.measure([event] * 3000),
        lambda: Session(session_id=1),
        *opening(opener)[:2],
    ]
    return [refused(call) for call in calls]


def test_no_call_on_packets_leaves_anything_behind(sealer: Session, opener: Session, key: Secret) -> None:
    event, events = b"planted", [b"planted"]
    session, packets, built, handshake = packet_handles()
    assert isinstance(built, Packet)
    used = [
        *sealing(sealer),
        *opened(sealer, opener),
        *opening(opener)[2:],
        *calls(packets),
        *calls(built),
        calls(handshake)[2],
        *(refused(call) for call in calls(handshake)[:2]),
        *refusals(sealer, opener, event),
        lambda: built.build(sealer, events, stream_id=1, settings=libkeep.PacketSettings(priority=1)),
        refused(lambda: built.build(sealer, [7])),  # type: ignore[list-item]
        lambda: sealer.seal([b""] * 2000),
        lambda: [handle.close() for handle in packet_handles()],
        lambda: packet.handshake_frame(event),
        lambda: packet.handshake_frame_into(event, bytearray(200)),
        lambda: packet.measure(events),
        lambda: packet.aead_report(libkeep.Aead.SODIUM),
        lambda: Handshake.public_key(key),
    ]
    leaves_nothing(used)
    assert sys.getrefcount(event) < 200 > sys.getrefcount(events)
    assert sys.getrefcount(session) < 200 > sys.getrefcount(built)


@pytest.mark.parametrize("kind", KINDS)
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
    for other in (int, Secret, libkeep.PacketInfo, 7):
        for register in (native.keep_facade, native.keep_type):
            with pytest.raises(TypeError):
                register(other)  # type: ignore[type-var]


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


def test_a_child_may_close_what_another_thread_was_using() -> None:
    """The thread, which waits, and so its call, did not come along."""
    pool = Pool(tiers=[32], tier_max_slots=[1])
    held = pool.acquire(1)
    waiting = threading.Thread(target=lambda: pool.acquire(1, timeout=None).close())
    waiting.start()
    while pool.stats().tiers[0].waiting == 0:
        pass

    def check() -> bool:
        pool.close()
        with pytest.raises(libkeep.ClosedError):
            pool.stats()
        return True

    assert in_child(check)
    held.close()
    waiting.join()
    pool.close()


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
import time
import weakref
import libkeep
pool = libkeep.Pool(tiers=[32], tier_max_slots=[1])
secret = pool.acquire(8)
sealed = libkeep.Sealed(b"planted", pool=pool)
view = secret.read()
key = libkeep.Secret.generate(32)
session = libkeep.Session(session_id=1, tx_key=key)
packet = libkeep.PacketPool(1).acquire()
packet.build(session, [b"planted"])
datagram = packet.data
handshake = libkeep.Handshake(libkeep.Noise.XXPSK3, libkeep.Role.RESPONDER, static_key=key, pre_shared_key=key)
cycle = [secret, view, datagram, session]
cycle.append(cycle)
threading.Thread(target=lambda: pool.acquire(1, timeout=None), daemon=True).start()
while pool.stats().tiers[0].waiting == 0:
    pass
ledger = libkeep.Tracker()
observer = libkeep.Observer(ledger)
beacon = libkeep.Beacon("@keep-nobody")
beacon.beat()
threading.Thread(target=observer.wait, daemon=True).start()
time.sleep(0.05)
"""
    done = run_python(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
