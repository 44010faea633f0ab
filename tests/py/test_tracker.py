# SPDX-License-Identifier: MIT
"""The tracker for Python: calls and their forms, waits, loops, metrics, what ends and what is refused."""

from __future__ import annotations

import asyncio
import errno
import gc
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable

import libkeep
import pytest
from libkeep import (
    Agent,
    AgentState,
    Beacon,
    BeatMode,
    Datagram,
    DatagramSource,
    DeleteReason,
    Event,
    EventKind,
    Health,
    Layer,
    Observer,
    Origin,
    OutcomeAction,
    OutcomeKind,
    Secret,
    Sighting,
    Tracker,
    Verdict,
    tracker,
)
from prometheus_client.parser import text_string_to_metric_families

MILLISECOND = 1_000_000
PATIENCE = 20.0


@pytest.fixture
def ledger() -> Iterator[Tracker]:
    with Tracker(capacity=8, threshold_ns=100 * MILLISECOND) as made:
        yield made


@pytest.fixture
def observer(ledger: Tracker) -> Iterator[Observer]:
    with Observer(ledger) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path, observer: Observer) -> Path:
    """Where the observer listens."""
    observer.listen(tmp_path / "keep")
    return tmp_path / "keep"


@pytest.fixture
def beacon(path: Path) -> Iterator[Beacon]:
    with Beacon(path) as made:
        yield made


def sealed_key(byte: int = 0) -> Secret:
    return Secret.from_bytes(bytes([byte]) * 32)


def news(observer: Observer) -> list[Event]:
    """The next events, without what the observer says of itself: a busy machine may have kept it waiting."""
    end = time.monotonic() + PATIENCE
    events: list[Event] = []
    while not events and time.monotonic() < end:
        events = [event for event in observer.wait(end - time.monotonic()) if event.kind is not EventKind.OUTAGE]
    return events


def await_event(observer: Observer, kind: EventKind) -> Event:
    """The next event of a kind."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for event in news(observer):
            if event.kind is kind:
                return event
    raise AssertionError(f"no event {kind.name}")


# The ledger


def test_a_ledger_tells_who_is_silent(ledger: Tracker) -> None:
    admission = ledger.record(Sighting(7, 1, origin=Origin.KERNEL, payload=5, health=Health.DEGRADED), 0)
    assert (admission.verdict, admission.flags, admission.evicted_pid) == (Verdict.INSERTED, 0, 0)
    assert ledger.next_deadline() == 100 * MILLISECOND
    assert ledger.drain(100 * MILLISECOND - 1) == []
    (alarm,) = ledger.drain(100 * MILLISECOND)
    assert (alarm.pid, alarm.payload, alarm.health, alarm.origin) == (7, 5, Health.DEGRADED, Origin.KERNEL)
    assert (alarm.silence_ns, alarm.misses, alarm.stalled, alarm.agents) == (100 * MILLISECOND, 1, 1, 1)
    assert ledger.next_deadline() == libkeep.TIME_NEVER
    assert ledger.get(7, 0).state is AgentState.STALLED
    recovered = ledger.record(Sighting(7, 2, origin=Origin.KERNEL), 100 * MILLISECOND)
    assert recovered.flags is libkeep.AdmissionFlags.RECOVERED
    assert (ledger.stats().stalls, ledger.stats().recoveries, ledger.stats().stalled) == (1, 1, 0)


def test_a_batch_is_as_many_records(ledger: Tracker) -> None:
    sightings = [Sighting(pid, 1) for pid in range(1, 10)]
    verdicts = [admission.verdict for admission in ledger.record_batch(sightings, 0)]
    assert verdicts == [Verdict.INSERTED] * 8 + [Verdict.CAPACITY_EXCEEDED]
    assert [agent.pid for agent in ledger.list()] == list(range(1, 9))
    assert len(ledger.drain(200 * MILLISECOND, most=3)) == 3
    assert [alarm.pid for alarm in ledger.drain(200 * MILLISECOND)] == [4, 5, 6, 7, 8]
    for refused in ([], [Sighting(1, 2)] * 1025, [Sighting(0, 2)]):
        with pytest.raises(libkeep.InvalidArgumentError) as caught:
            ledger.record_batch(refused, 0)
        assert caught.value.op == "Tracker.record"
    with pytest.raises(TypeError):
        ledger.record_batch([7], 0)  # type: ignore[list-item]


def test_a_long_list_is_told_piece_by_piece() -> None:
    with Tracker(capacity=1000) as ledger:
        ledger.record_batch([Sighting(pid, 1) for pid in range(1, 1001)], 0)
        assert sorted(agent.pid for agent in ledger.list()) == list(range(1, 1001))
        assert all(type(agent) is Agent for agent in ledger.list())


def test_agents_have_settings_of_their_own(ledger: Tracker) -> None:
    assert ledger.put(5, 0, threshold_ns=7, misses=2, grace_ns=40) == 0
    agent = ledger.get(5, 0)
    assert (agent.state, agent.limit_ns, agent.grace_ns) == (AgentState.REGISTERED, 14, 40)
    ledger.put(5, 0, unarmed=True)
    assert ledger.get(5, 0).state is AgentState.UNARMED
    ledger.delete(5, DeleteReason.EXITED, 0)
    assert ledger.stats().exits == 1
    for call in (lambda: ledger.get(5, 0), lambda: ledger.delete(5, DeleteReason.EXITED, 0)):
        with pytest.raises(libkeep.NotFoundError):
            call()
    with pytest.raises(TypeError):
        ledger.put(5, 0, colour=1)  # type: ignore[call-arg,unused-ignore]
    with pytest.raises(OverflowError):
        ledger.put(5, -1)


def test_options_are_checked() -> None:
    refused: list[dict[str, Any]] = [{"capacity": 0}, {"misses": 1001}, {"threshold_ns": 0}, {"hash_key": b"short"}]
    for wrong in refused:
        with pytest.raises(libkeep.InvalidArgumentError):
            Tracker(**wrong)
    with pytest.raises(OverflowError):
        Tracker(capacity=1 << 32)
    with Tracker(hash_key=bytes(range(16)), statistics=True, policy=libkeep.EvictionPolicy.BALANCED) as ledger:
        for now in range(20):
            ledger.record(Sighting(1, now + 1), now * 1000)
        assert (ledger.get(1, 19000).intervals, ledger.get(1, 19000).mean_ns) == (19, 1000)


def test_known_answers_have_both_forms() -> None:
    assert tracker.known_answer("crc32c", b"123456789") == 0xE3069283.to_bytes(4, "little")
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        tracker.known_answer_into("crc32c", b"", bytearray(3))
    assert caught.value.needed == 4
    with pytest.raises(libkeep.InvalidArgumentError) as wrong:
        tracker.known_answer("no.such", b"")
    assert wrong.value.op == "tracker.known_answer"


# The observer


def beat_of(pid: int, nonce: int) -> Datagram:
    packed = b"\0" + pid.to_bytes(4, "little") + nonce.to_bytes(8, "little") * 2 + bytes(4)
    wire = tracker.known_answer("beat.encode", packed)
    return Datagram(DatagramSource.UNIX, memoryview(wire), kernel_pid=pid, uid=os.getuid(), generation=1)


def test_events_beyond_the_room_wait_inside(ledger: Tracker) -> None:
    with Observer(ledger, report_beats=True) as observer:
        datagrams = [beat_of(pid, 1) for pid in (1001, 1002, 1003)]
        assert [event.pid for event in observer.feed(datagrams, 0, most=1)] == [1001]
        with pytest.raises(libkeep.BusyError):
            observer.feed(datagrams, 0)
        assert [event.pid for event in observer.feed([], 0, most=1)] == [1002]
        assert [event.pid for event in observer.poll()][:1] == [1003]
        assert observer.stats().datagrams == 3


def test_what_is_fed_is_checked(observer: Observer) -> None:
    with pytest.raises(TypeError):
        observer.feed([b"datagram"], 0)  # type: ignore[list-item]
    with pytest.raises(TypeError):
        observer.feed([Datagram(DatagramSource.UNIX, "text")], 0)  # type: ignore[arg-type]
    with pytest.raises(libkeep.InvalidArgumentError):
        observer.feed([Datagram(DatagramSource.UNIX)] * 1025, 0)
    with pytest.raises(libkeep.InvalidArgumentError):
        observer.feed([Datagram(9)], 0)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        observer.feed([Datagram(DatagramSource.UNIX, kernel_pid=1 << 32)], 0)
    assert observer.stats().datagrams == 0


def test_a_refused_listener_says_why(observer: Observer, tmp_path: Path) -> None:
    with pytest.raises(libkeep.KeepSystemError) as caught:
        observer.listen(tmp_path / "no" / "directory")
    assert (caught.value.layer, caught.value.code, caught.value.errno) == (Layer.ERRNO, errno.ENOENT, errno.ENOENT)
    assert (caught.value.op, caught.value.reason) == ("Observer.listen", "none")
    assert str(caught.value) != caught.value.sentence
    observer.listen(tmp_path / "keep", mode=0o620)
    assert (tmp_path / "keep").stat().st_mode & 0o777 == 0o620
    with pytest.raises(libkeep.BusyError):
        observer.listen(os.fsencode(tmp_path / "keep"))
    refused: list[dict[str, Any]] = [{}, {"path": "x", "address": "::1"}, {"path": "x" * 108}, {"address": "host"}]
    for wrong in [*refused, {"fd": observer.fileno()}]:
        with pytest.raises(libkeep.KeepError):
            observer.listen(**wrong)
    for unfit in ("a\0b", 7):
        with pytest.raises((ValueError, TypeError)):
            observer.listen(unfit)  # type: ignore[arg-type]


def test_uids_say_who_may_beat(ledger: Tracker, tmp_path: Path) -> None:
    with Observer(ledger, uids=[os.getuid() + 1]) as observer:
        observer.listen(tmp_path / "keep")
        with Beacon(tmp_path / "keep") as beacon:
            beacon.beat()
        event = await_event(observer, EventKind.UID_REFUSED)
        assert (event.uid, event.pid) == (os.getuid(), os.getpid())
    for wrong in ([], [0] * 65):
        with pytest.raises(libkeep.InvalidArgumentError):
            Observer(ledger, uids=wrong)
    with pytest.raises(OverflowError):
        Observer(ledger, uids=[-1])


def test_a_supervisors_socket_is_adopted(observer: Observer, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "keep"))
        observer.listen(fd=bound.fileno())
    with Beacon(tmp_path / "keep") as beacon:
        beacon.register()
        assert await_event(observer, EventKind.REGISTERED).pid == os.getpid()
    observer.close()
    assert (tmp_path / "keep").exists()


def test_an_observer_keeps_its_closed_tracker(ledger: Tracker, observer: Observer, beacon: Beacon) -> None:
    ledger.close()
    beacon.goodbye()
    beacon.beat()
    observer.wait(0)
    assert observer.stats().datagrams == 2
    assert "keep_tracker_beats_total 1" in observer.metrics()


@pytest.mark.parametrize("mode", [BeatMode.SHARED, BeatMode.MASTER], ids=lambda mode: mode.name)
def test_sealed_beats_need_their_key(ledger: Tracker, mode: BeatMode) -> None:
    with Observer(ledger, report_beats=True) as observer, sealed_key() as shared, sealed_key(1) as other:
        observer.add_key(shared, mode)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        observer.listen(address="127.0.0.1", port=port, sealed=True)
        made: dict[str, Any] = {"host": "127.0.0.1", "port": port, "mode": mode, "agent_pid": os.getpid()}
        key = Beacon.agent_key(shared, os.getpid()) if mode is BeatMode.MASTER else shared
        with Beacon(key=key, **made) as beacon, Beacon(key=other, **made) as stranger:
            stranger.beat()
            beacon.beat(Health.DEGRADED, 3)
            event = await_event(observer, EventKind.BEAT)
        assert (event.origin, event.health, event.payload) == (Origin.NETWORK, Health.DEGRADED, 3)
        assert observer.stats().decrypt_failures == 1
        if mode is BeatMode.MASTER:
            with pytest.raises(libkeep.StateError):
                observer.add_key(other, mode)
        with pytest.raises(TypeError):
            observer.add_key(b"key", mode)  # type: ignore[arg-type]


# Metrics (tracker T15)


def test_metrics_are_prometheus_text(ledger: Tracker, observer: Observer, beacon: Beacon) -> None:
    beacon.beat()
    select.select([observer], [], [], PATIENCE)
    observer.poll()
    families = {family.name: family for family in text_string_to_metric_families(observer.metrics())}
    counters = {name for name, family in families.items() if family.type == "counter"}
    counted = {f"keep_tracker_{name}" for name in vars(ledger.stats()) if name not in ("agents", "stalled")}
    counted |= {f"keep_observer_{name}" for name in vars(observer.stats())}
    assert counters == counted | {"keep_agent_beats"}
    assert all(family.documentation for family in families.values())
    (info,) = families["keep_agent_info"].samples
    assert (info.labels["pid"], info.labels["uid"], info.labels["origin"]) == (
        str(os.getpid()),
        str(os.getuid()),
        "kernel",
    )
    assert {sample.value for sample in families["keep_tracker_capacity"].samples} == {8}
    assert sum(sample.value for sample in families["keep_tracker_agents"].samples) == 1


def test_metrics_need_the_room_that_they_tell(observer: Observer) -> None:
    text = observer.metrics()
    buffer = bytearray(len(text))
    assert observer.metrics_into(buffer) == len(text)
    assert buffer.decode() == text
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        observer.metrics_into(memoryview(buffer)[1:])
    assert caught.value.needed == len(text)


# Waiting


def test_a_wait_ends_when_its_time_is_up(observer: Observer) -> None:
    for timeout in (0, 0.05, 0.25):
        begin = time.monotonic()
        assert observer.wait(timeout) == []
        assert timeout <= time.monotonic() - begin < timeout + 5


def test_a_descriptor_is_readable_while_there_is_something_to_do(observer: Observer, beacon: Beacon) -> None:
    assert select.select([observer], [], [], 0)[0] == []
    beacon.register(threshold_ns=10 * MILLISECOND)
    beacon.beat()
    assert select.select([observer], [], [], PATIENCE)[0] == [observer]
    assert EventKind.REGISTERED in [event.kind for event in observer.poll()]
    assert select.select([observer], [], [], PATIENCE)[0] == [observer]
    assert await_event(observer, EventKind.STALL).pid == os.getpid()


def test_other_threads_run_while_one_waits(observer: Observer) -> None:
    waiting = threading.Thread(target=observer.wait, args=(0.3,))
    waiting.start()
    count = 0
    while waiting.is_alive():
        count += 1
    assert count > 1000


def ended(wait: Callable[[], object], close: Callable[[], None]) -> BaseException | None:
    """Runs a wait in a thread, closes what it waits for; what the wait raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            wait()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive()
    close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    return raised[0] if raised else None


def test_closing_ends_a_wait_of_another_thread(observer: Observer, path: Path) -> None:
    def wait() -> None:
        while True:
            observer.wait()  # ends before for an outage, where the machine is busy

    before = len(os.listdir("/proc/self/fd"))
    assert type(ended(wait, observer.close)) is libkeep.ClosedError
    assert len(os.listdir("/proc/self/fd")) < before
    assert not path.exists()


# asyncio


async def first(observer: Observer, count: int) -> list[Event]:
    events: list[Event] = []
    async for event in observer:
        if event.kind is not EventKind.OUTAGE:
            events.append(event)
        if len(events) == count:
            break
    return events


def test_who_runs_no_loop_does_not_import_one() -> None:
    program = "import libkeep.tracker, sys; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_a_loop_hears_every_event(observer: Observer, beacon: Beacon) -> None:
    async def main() -> list[EventKind]:
        hearing = asyncio.ensure_future(first(observer, 3))
        await asyncio.sleep(0.01)
        beacon.register()
        beacon.beat()
        beacon.goodbye()
        await asyncio.sleep(0.01)
        beacon.register()
        return [event.kind for event in await asyncio.wait_for(hearing, PATIENCE)]

    assert asyncio.run(main()) == [EventKind.REGISTERED, EventKind.GOODBYE, EventKind.REGISTERED]


def test_no_event_is_lost_when_a_loop_is_left(ledger: Tracker, tmp_path: Path) -> None:
    with Observer(ledger, report_beats=True, per_pid_rate=0) as observer:
        observer.listen(tmp_path / "keep")
        with Beacon(tmp_path / "keep") as beacon:
            outcomes = [beacon.beat(payload=number) for number in range(8)]
            assert all(outcome.kind is OutcomeKind.SENT for outcome in outcomes)
            observer.poll(most=0)
            outcomes = [beacon.beat(payload=number) for number in range(8, 12)]
            observer.poll(most=0)
            observed = asyncio.run(asyncio.wait_for(first(observer, 12), PATIENCE))
            assert [event.payload for event in observed] == list(range(12))
            for number in range(8):
                beacon.beat(payload=number)
            assert [asyncio.run(first(observer, 1))[0].payload for _ in range(8)] == list(range(8))


def test_a_hundred_loops_at_once(tmp_path: Path) -> None:
    """Each observer has its own beacon, and every event comes to the loop that waits for it."""

    async def one(number: int) -> int:
        with Tracker(capacity=1) as ledger, Observer(ledger, report_beats=True) as observer:
            observer.listen(f"@keep-python-{os.getpid()}-{number}")
            with Beacon(f"@keep-python-{os.getpid()}-{number}") as beacon:
                hearing = asyncio.ensure_future(first(observer, 1))
                await asyncio.sleep(0.05)
                beacon.beat(payload=number)
                (event,) = await hearing
                return event.payload

    async def main() -> list[int]:
        return await asyncio.wait_for(asyncio.gather(*map(one, range(100))), PATIENCE)

    assert asyncio.run(main()) == list(range(100))


def test_a_hundred_tasks_wait_for_one_observer(observer: Observer, beacon: Beacon) -> None:
    async def main() -> int:
        tasks = [asyncio.ensure_future(first(observer, 1)) for _ in range(100)]
        await asyncio.sleep(0.05)
        beacon.register()
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        for task in pending:
            task.cancel()
        await asyncio.wait(pending)
        assert all(task.cancelled() for task in pending)
        return len(done)

    beacon.register()
    assert await_event(observer, EventKind.REGISTERED).pid == os.getpid()
    before = len(os.listdir("/proc/self/fd"))
    assert asyncio.run(main()) == 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_loop_can_be_cancelled_and_begun_again(observer: Observer, beacon: Beacon) -> None:
    async def main() -> None:
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(first(observer, 1), 0.15)
        beacon.register()
        assert [event.kind for event in await first(observer, 1)] == [EventKind.REGISTERED]

    asyncio.run(main())


def test_closing_ends_a_loop(observer: Observer) -> None:
    async def main() -> None:
        hearing = asyncio.ensure_future(first(observer, 1))
        await asyncio.sleep(0.05)
        observer.close()
        with pytest.raises(libkeep.ClosedError):
            await asyncio.wait_for(hearing, PATIENCE)
        with pytest.raises(libkeep.ClosedError):
            await first(observer, 1)

    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(main())
    assert len(os.listdir("/proc/self/fd")) < before


# The beacon


def test_a_beacon_waits_for_its_observer(ledger: Tracker, tmp_path: Path) -> None:
    with Beacon(tmp_path / "keep") as beacon, Observer(ledger, report_beats=True) as observer:
        outcome = beacon.beat()
        assert (outcome.kind, outcome.error, outcome.dropped) == (
            OutcomeKind.DROPPED_NO_OBSERVER,
            errno.ENOENT,
            1,
        )
        observer.listen(tmp_path / "keep")
        assert [beacon.beat(payload=9).kind for _ in range(2)][-1] is OutcomeKind.SENT
        assert await_event(observer, EventKind.BEAT).payload == 9
        observer.close()
        assert beacon.beat().kind is not OutcomeKind.SENT


def test_arguments_of_a_beacon_are_checked(beacon: Beacon) -> None:
    with pytest.raises(libkeep.InvalidArgumentError):
        beacon.beat(3)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        beacon.beat(payload=1 << 32)
    with pytest.raises(libkeep.InvalidArgumentError):
        beacon.register(threshold_ns=MILLISECOND + 1)
    for call in (lambda: beacon.prepare(Health.OK, 0, 1), beacon.commit):
        with pytest.raises(libkeep.StateError):
            call()
    refused: list[dict[str, Any]] = [
        {},
        {"path": "x", "host": "::1"},
        {"path": "x" * 108},
        {"host": "host", "port": 1},
        {"path": "x", "mode": BeatMode.SHARED},
    ]
    for wrong in refused:
        with pytest.raises(libkeep.InvalidArgumentError):
            Beacon(**wrong)
    with pytest.raises(OverflowError):
        Beacon(host="::1", port=1 << 16)


def test_a_detached_beacon_gives_frames_of_its_mode() -> None:
    with sealed_key() as key:
        for mode, length in ((BeatMode.PLAIN, 32), (BeatMode.SHARED, 60), (BeatMode.MASTER, 64)):
            with Beacon(agent_pid=5, mode=mode, key=None if mode is BeatMode.PLAIN else key) as beacon:
                assert len(beacon.prepare(Health.OK, 0, 1)) == length
                assert repr(beacon) == f"<Beacon: {mode.name.lower()}>"
                assert beacon.commit(errno.EAGAIN).kind is OutcomeKind.DROPPED_QUEUE_FULL
                for _ in range(2):
                    frame = beacon.prepare(Health.OK, 0, 1)
                    outcome = beacon.commit(errno.EAGAIN)
                assert outcome.action is OutcomeAction.RECONNECT
                beacon.reconnect()
                assert (len(frame), beacon.commit().kind) == (length, OutcomeKind.SENT)
                for call in (beacon.beat, beacon.goodbye, beacon.arm, beacon.reconnect):
                    with pytest.raises(libkeep.StateError):
                        call()


def test_what_could_not_be_sent_is_told(tmp_path: Path) -> None:
    """Beyond its limit of open files the beacon of a child has no socket to begin its life with."""
    program = f"""
import libkeep, os, resource
beacon = libkeep.Beacon({str(tmp_path / "keep")!r}, fork_refresh=True)
if os.fork() == 0:
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    try:
        beacon.beat()
    except libkeep.KeepSystemError as error:
        print(error.op, error.layer, error.errno, error.report.kind.name, error.report.error, flush=True)
    os._exit(0)
os.wait()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["Beacon.beat", "1", str(errno.EMFILE), "FAILED", str(errno.EMFILE)], done.stderr


def test_a_timer_beats_from_its_loop(ledger: Tracker, tmp_path: Path) -> None:
    kinds: list[EventKind] = []

    async def hear(observer: Observer) -> None:
        async for event in observer:
            if event.kind is not EventKind.OUTAGE:
                kinds.append(event.kind)

    async def main(observer: Observer, beacon: Beacon) -> None:
        hearing = asyncio.ensure_future(hear(observer))
        async with beacon.every(0.02, threshold_ns=50 * MILLISECOND):
            await asyncio.sleep(0.3)
            before = kinds.count(EventKind.BEAT)
            time.sleep(0.1)  # a loop that hangs is silent
            assert kinds.count(EventKind.BEAT) == before
        await asyncio.sleep(0.2)
        hearing.cancel()

    with Observer(ledger, report_beats=True) as observer:
        observer.listen(tmp_path / "keep")
        with Beacon(tmp_path / "keep") as beacon:
            asyncio.run(main(observer, beacon))
    assert kinds[:2] == [EventKind.REGISTERED, EventKind.BEAT]
    assert kinds.count(EventKind.BEAT) > 5
    assert kinds[-1] is EventKind.GOODBYE


def test_a_timer_says_goodbye_unless_its_block_failed(ledger: Tracker, tmp_path: Path) -> None:
    async def fail(beacon: Beacon) -> None:
        async with beacon.every(1):
            raise KeyError

    async def leave(beacon: Beacon, code: int) -> None:
        async with beacon.every(1):
            sys.exit(code)

    async def cancelled(beacon: Beacon) -> None:
        async def hold() -> None:
            async with beacon.every(1):
                await asyncio.sleep(PATIENCE)

        task = asyncio.ensure_future(hold())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Observer(ledger) as observer:
        observer.listen(tmp_path / "keep")
        with Beacon(tmp_path / "keep") as beacon:
            with pytest.raises(KeyError):
                asyncio.run(fail(beacon))
            assert [event.kind for event in news(observer)] == [EventKind.REGISTERED]
            with pytest.raises(SystemExit):
                asyncio.run(leave(beacon, 1))
            assert [event.kind for event in news(observer)] == [EventKind.REGISTERED]
            with pytest.raises(SystemExit):
                asyncio.run(leave(beacon, 0))
            assert [event.kind for event in news(observer)] == [EventKind.REGISTERED, EventKind.GOODBYE]
            asyncio.run(cancelled(beacon))
            assert [event.kind for event in news(observer)] == [EventKind.REGISTERED, EventKind.GOODBYE]


# Lifecycle


def handles() -> list[Tracker | Observer | Beacon]:
    ledger = Tracker(capacity=4)
    return [ledger, Observer(ledger), Beacon(agent_pid=7), Beacon("@keep-nobody")]


def calls(handle: Tracker | Observer | Beacon) -> list[Callable[[], object]]:
    """A call of each kind, which a live handle answers or refuses."""
    if isinstance(handle, Tracker):
        return [
            lambda: handle.record(Sighting(1, 1), 0),
            lambda: handle.record_batch([], 0),
            lambda: handle.drain(0),
            handle.next_deadline,
            lambda: handle.put(2, 0),
            lambda: handle.delete(2, DeleteReason.OPERATOR, 0),
            lambda: handle.get(1, 0),
            lambda: list(handle.list()),
            handle.stats,
            lambda: Observer(handle).close(),
        ]
    if isinstance(handle, Observer):
        listens = [lambda: handle.listen("@keep-" + "x" * 200), lambda: handle.listen(fd=1 << 20)]
        feeds = [lambda: handle.feed([beat_of(1001, 1), beat_of(1002, 1)], 0), lambda: handle.feed([], 0)]
        waits = [handle.poll, lambda: handle.wait(0), handle.fileno, lambda: asyncio.run(first(handle, 0))]
        return [*listens, *feeds, *waits[:3], handle.stats, handle.metrics, lambda: handle.metrics_into(bytearray(1))]
    return [
        handle.beat,
        lambda: handle.register(threshold_ns=MILLISECOND),
        handle.goodbye,
        handle.arm,
        handle.reconnect,
        handle.restart,
        lambda: handle.prepare(Health.OK, 0, 1),
        handle.commit,
        handle.crash,
    ]


def test_calls_on_a_closed_handle_are_refused() -> None:
    for handle in handles():
        handle.close()
        handle.close()
        assert repr(handle) == f"<{type(handle).__name__}: closed>"
        for call in calls(handle):
            with pytest.raises(libkeep.ClosedError):
                call()


def test_a_text_shows_the_state() -> None:
    shown = ["<Tracker: 0 agents, 0 stalled>", "<Observer: 0 datagrams>", "<Beacon: plain>", "<Beacon: plain>"]
    made = handles()
    assert [repr(handle) for handle in made] == shown
    for handle in made:
        handle.close()


def tolerant(call: Callable[[], object]) -> None:
    with suppress(libkeep.KeepError):
        call()


def test_no_call_leaves_anything_behind() -> None:
    made = handles()
    used = [call for handle in made for call in calls(handle)]
    used.append(lambda: [handle.close() for handle in handles()])
    used.append(lambda: tracker.known_answer("crc32c", b"planted"))
    for call in used:
        for _ in range(3):
            tolerant(call)
        before = sys.getallocatedblocks()
        for _ in range(200):
            tolerant(call)
        assert sys.getallocatedblocks() - before < 100, call
    for handle in made:
        handle.close()


def test_a_forgotten_observer_warns_and_is_closed(ledger: Tracker) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.warns(ResourceWarning, match="unclosed <Observer: 0 datagrams>"):
        Observer(ledger)
        gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Observer(ledger).close()
        Tracker()
        Beacon("@keep-nobody")
    assert len(os.listdir("/proc/self/fd")) == before


def test_handles_come_from_the_library_only() -> None:
    for kind in (Tracker, Observer, Beacon):
        with pytest.raises(TypeError):
            object.__new__(kind)
    with pytest.raises(TypeError):
        Observer(Beacon(agent_pid=7))  # type: ignore[arg-type]


# Forks


def in_child(work: Callable[[], object], meanwhile: Callable[[], object] = bool) -> str:
    """The name of what some work raises in a forked child, which lives until this process has done something, too."""

    def run() -> None:
        try:
            work()
            theirs.send("OK")
        except BaseException as error:
            theirs.send(type(error).__name__)
        theirs.recv()

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=run)
    child.start()
    name = ours.recv()
    meanwhile()
    ours.send("end")
    child.join(PATIENCE)
    assert child.exitcode == 0
    return str(name)


def test_a_child_may_only_close(ledger: Tracker, observer: Observer, path: Path, beacon: Beacon) -> None:
    ledger.put(1, 0)
    refused = [
        *calls(ledger)[:1],
        ledger.stats,
        lambda: list(ledger.list()),
        observer.poll,
        observer.wait,
        observer.metrics,
        lambda: asyncio.run(first(observer, 1)),
        beacon.beat,
        beacon.goodbye,
    ]
    for call in refused:
        assert in_child(call) == "ForkedError"
    for handle in (observer, ledger, beacon):
        assert in_child(handle.close) == "OK"
    assert in_child(beacon.crash) == "OK"
    assert path.exists()
    beacon.register()
    assert await_event(observer, EventKind.REGISTERED).pid == os.getpid()


def test_a_child_begins_a_life_of_its_own(ledger: Tracker, tmp_path: Path) -> None:
    beats: dict[int, int] = {}

    def work() -> None:
        beacon.restart()
        beacon.beat(payload=1)
        refreshing.beat(payload=2)

    def hear() -> None:
        while len(beats) < 2:
            beats.update({event.payload: event.pid for event in news(observer) if event.kind is EventKind.BEAT})

    with Observer(ledger, report_beats=True, per_pid_rate=0) as observer:
        observer.listen(tmp_path / "keep")
        with Beacon(tmp_path / "keep") as beacon, Beacon(tmp_path / "keep", fork_refresh=True) as refreshing:
            assert in_child(work, hear) == "OK"
    assert set(beats) == {1, 2}
    assert len(set(beats.values()) | {os.getpid()}) == 2


# Last words

CRASH = """
import libkeep, os, signal, sys
beacon = libkeep.Beacon(sys.argv[1])
beacon.beat()
beacon.arm(signals=True)
beacon.crash_on_exception(payload=77)
{end}
"""


@pytest.mark.parametrize(
    ("end", "payload", "code"),
    [
        ("raise KeyError('planted')", 77, 1),
        ("os.kill(os.getpid(), signal.SIGSEGV)", signal.SIGSEGV, -signal.SIGSEGV),
        ("os.abort()", signal.SIGABRT, -signal.SIGABRT),
        ("beacon.crash(5)", 5, 0),
    ],
    ids=["exception", "segv", "abort", "crash"],
)
def test_a_crash_is_told(observer: Observer, path: Path, end: str, payload: int, code: int) -> None:
    command = [sys.executable, "-c", CRASH.format(end=end), str(path)]
    environment = {**os.environ, "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:handle_segv=0"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as child:
        event = await_event(observer, EventKind.CRASH)
        _, err = child.communicate(timeout=PATIENCE)
    assert (event.pid, event.payload, event.health) == (child.pid, payload, Health.CRITICAL)
    assert child.returncode == code
    assert ("KeyError: 'planted'" in err) == (code == 1)


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "raise KeyboardInterrupt", "beacon.close(); raise KeyError"])
def test_other_ends_are_no_crash(ledger: Tracker, observer: Observer, path: Path, end: str) -> None:
    command = [sys.executable, "-c", CRASH.format(end=f"input(); {end}"), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        while ledger.stats().agents == 0:
            observer.wait(0.01)
        child.communicate(b"\n", timeout=PATIENCE)
    assert child.returncode != 0
    kinds: list[EventKind] = []
    while EventKind.EXITED not in kinds:
        kinds += [event.kind for event in news(observer)]
    assert EventKind.CRASH not in kinds
