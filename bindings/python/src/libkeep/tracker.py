# SPDX-License-Identifier: MIT
"""The tracker: a ledger of who beat when, an observer that feeds it from sockets, beacons that beat.

core/include/keep/{tracker,observer,beacon}.h describe every call and what it can fail with. Times are nanoseconds, of
whatever clock the caller of a ledger has; an observer's are of the clock that it was made with.
"""

from __future__ import annotations

import builtins
import math
import os
import select
import sys
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypedDict, Union, final

from . import native
from ._errors import KeepError
from ._handle import Handle, described
from .memory import Secret

if TYPE_CHECKING:
    from typing_extensions import Buffer, Unpack

__all__ = [
    "BEAT_LEN",
    "BEAT_MASTER_LEN",
    "BEAT_SHARED_LEN",
    "DEFAULT_AGENTS",
    "MAX_AGENTS",
    "MAX_ALLOWED_UIDS",
    "MAX_BEAT_KEYS",
    "MAX_LISTENERS",
    "MAX_SEALED_SENDERS",
    "PID_UNKNOWN",
    "TIME_NEVER",
    "Admission",
    "AdmissionFlags",
    "Agent",
    "AgentSettings",
    "AgentState",
    "Alarm",
    "Beacon",
    "BeatMode",
    "Clock",
    "Datagram",
    "DatagramMarks",
    "DatagramSource",
    "DeleteReason",
    "Event",
    "EventKind",
    "EvictionPolicy",
    "Fault",
    "Health",
    "Observer",
    "ObserverOptions",
    "ObserverStats",
    "Origin",
    "Outcome",
    "OutcomeAction",
    "OutcomeKind",
    "Sighting",
    "SightingFlags",
    "Tracker",
    "TrackerOptions",
    "TrackerStats",
    "Verdict",
]

BEAT_LEN: Final[int] = native.KEEP_BEAT_LEN
BEAT_SHARED_LEN: Final[int] = native.KEEP_BEAT_SHARED_LEN
BEAT_MASTER_LEN: Final[int] = native.KEEP_BEAT_MASTER_LEN
MAX_AGENTS: Final[int] = native.KEEP_MAX_AGENTS
DEFAULT_AGENTS: Final[int] = native.KEEP_DEFAULT_AGENTS
PID_UNKNOWN: Final[int] = native.KEEP_PID_UNKNOWN
TIME_NEVER: Final[int] = native.KEEP_TIME_NEVER
MAX_LISTENERS: Final[int] = native.KEEP_MAX_LISTENERS
MAX_BEAT_KEYS: Final[int] = native.KEEP_MAX_BEAT_KEYS
MAX_ALLOWED_UIDS: Final[int] = native.KEEP_MAX_ALLOWED_UIDS
MAX_SEALED_SENDERS: Final[int] = native.KEEP_MAX_SEALED_SENDERS

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

# A wait looks so often, in seconds, whether its observer was closed.
_SLICE = 0.1


@native.keep_type
class Health(IntEnum):
    """How an agent says that it is."""

    OK = native.KEEP_HEALTH_OK
    DEGRADED = native.KEEP_HEALTH_DEGRADED
    CRITICAL = native.KEEP_HEALTH_CRITICAL


@native.keep_type
class Origin(IntEnum):
    """Who vouches for the pid of a beat; the number is the rank. NONE: nobody yet, the agent has not beaten."""

    NETWORK = native.KEEP_ORIGIN_NETWORK
    SOCKET_MODE = native.KEEP_ORIGIN_SOCKET_MODE
    OPERATOR = native.KEEP_ORIGIN_OPERATOR
    KERNEL = native.KEEP_ORIGIN_KERNEL
    NONE = native.KEEP_ORIGIN_NONE


@native.keep_type
class Verdict(IntEnum):
    """What became of a sighting."""

    INSERTED = native.KEEP_VERDICT_INSERTED
    REFRESHED = native.KEEP_VERDICT_REFRESHED
    OUT_OF_ORDER = native.KEEP_VERDICT_OUT_OF_ORDER
    CAPACITY_EXCEEDED = native.KEEP_VERDICT_CAPACITY_EXCEEDED
    ORIGIN_CONFLICT = native.KEEP_VERDICT_ORIGIN_CONFLICT
    NAMESPACE_CONFLICT = native.KEEP_VERDICT_NAMESPACE_CONFLICT


@native.keep_type
class AdmissionFlags(IntFlag):
    """What else a sighting that was accepted did."""

    EVICTED = native.KEEP_ADMISSION_EVICTED
    RECOVERED = native.KEEP_ADMISSION_RECOVERED
    RECYCLED = native.KEEP_ADMISSION_RECYCLED
    TERMINAL = native.KEEP_ADMISSION_TERMINAL
    UPGRADED = native.KEEP_ADMISSION_UPGRADED
    WRAPPED = native.KEEP_ADMISSION_WRAPPED


class EvictionPolicy(IntEnum):
    """Who may go from a full ledger: who stalled long ago; BALANCED: also who is due long ago and was not drained."""

    STRICT = native.KEEP_POLICY_STRICT
    BALANCED = native.KEEP_POLICY_BALANCED


class DeleteReason(IntEnum):
    """Why an agent is deleted."""

    GOODBYE = native.KEEP_REASON_GOODBYE
    EXITED = native.KEEP_REASON_EXITED
    RECYCLED = native.KEEP_REASON_RECYCLED
    OPERATOR = native.KEEP_REASON_OPERATOR


@native.keep_type
class AgentState(IntEnum):
    """How an agent is; the first that holds, from the highest number."""

    UNARMED = native.KEEP_AGENT_UNARMED
    REGISTERED = native.KEEP_AGENT_REGISTERED
    STARTING = native.KEEP_AGENT_STARTING
    ALIVE = native.KEEP_AGENT_ALIVE
    STALLED = native.KEEP_AGENT_STALLED


class SightingFlags(IntFlag):
    """UNNUMBERED: the beat has no nonce; from origin KERNEL only."""

    UNNUMBERED = native.KEEP_SIGHTING_UNNUMBERED


class Clock(IntEnum):
    """Which clock an observer reads; MONOTONIC stands still while the machine sleeps."""

    MONOTONIC = native.KEEP_CLOCK_MONOTONIC
    BOOTTIME = native.KEEP_CLOCK_BOOTTIME


@native.keep_type
class EventKind(IntEnum):
    """What an event tells: keep/observer.h has the meaning of its fields for each."""

    BEAT = native.KEEP_EVENT_BEAT
    STALL = native.KEEP_EVENT_STALL
    RECOVERED = native.KEEP_EVENT_RECOVERED
    EXITED = native.KEEP_EVENT_EXITED
    GOODBYE = native.KEEP_EVENT_GOODBYE
    REGISTERED = native.KEEP_EVENT_REGISTERED
    READY = native.KEEP_EVENT_READY
    FAILED = native.KEEP_EVENT_FAILED
    CRASH = native.KEEP_EVENT_CRASH
    EVICTED = native.KEEP_EVENT_EVICTED
    RECYCLED = native.KEEP_EVENT_RECYCLED
    DECODE_ERROR = native.KEEP_EVENT_DECODE_ERROR
    UID_REFUSED = native.KEEP_EVENT_UID_REFUSED
    AUTH_FAILURE = native.KEEP_EVENT_AUTH_FAILURE
    ORIGIN_CONFLICT = native.KEEP_EVENT_ORIGIN_CONFLICT
    NAMESPACE_CONFLICT = native.KEEP_EVENT_NAMESPACE_CONFLICT
    OUTAGE = native.KEEP_EVENT_OUTAGE
    IO_ERROR = native.KEEP_EVENT_IO_ERROR


class Fault(IntEnum):
    """Why a frame does not decode: `detail` of an event DECODE_ERROR."""

    BAD_LENGTH = native.KEEP_FAULT_BAD_LENGTH
    BAD_MAGIC = native.KEEP_FAULT_BAD_MAGIC
    BAD_VERSION = native.KEEP_FAULT_BAD_VERSION
    BAD_CRC = native.KEEP_FAULT_BAD_CRC
    BAD_STATUS = native.KEEP_FAULT_BAD_STATUS
    STALL_ON_WIRE = native.KEEP_FAULT_STALL_ON_WIRE
    BAD_PID = native.KEEP_FAULT_BAD_PID
    BAD_TIMESTAMP = native.KEEP_FAULT_BAD_TIMESTAMP
    BAD_NONCE = native.KEEP_FAULT_BAD_NONCE
    BAD_RESERVED = native.KEEP_FAULT_BAD_RESERVED


class BeatMode(IntEnum):
    """How frames are sealed: not; under one key for all agents; under a key for each, made from a master key."""

    PLAIN = native.KEEP_BEAT_PLAIN
    SHARED = native.KEEP_BEAT_SHARED
    MASTER = native.KEEP_BEAT_MASTER


class DatagramSource(IntEnum):
    """Where a datagram came from. EXIT is none: the process `kernel_pid`, `generation` ended."""

    UNIX = native.KEEP_SOURCE_UNIX
    UDP = native.KEEP_SOURCE_UDP
    UDP_SEALED = native.KEEP_SOURCE_UDP_SEALED
    EXIT = native.KEEP_SOURCE_EXIT


class DatagramMarks(IntFlag):
    """What is known of a datagram besides its bytes."""

    TRUNCATED = native.KEEP_MARK_TRUNCATED
    NO_CREDENTIALS = native.KEEP_MARK_NO_CREDENTIALS
    SENDER_GONE = native.KEEP_MARK_SENDER_GONE
    ATTESTED = native.KEEP_MARK_ATTESTED


@native.keep_type
class OutcomeKind(IntEnum):
    """What became of a frame. FAILED: `error` of the outcome tells."""

    SENT = native.KEEP_OUTCOME_SENT
    DROPPED_QUEUE_FULL = native.KEEP_OUTCOME_DROPPED_QUEUE_FULL
    DROPPED_NO_OBSERVER = native.KEEP_OUTCOME_DROPPED_NO_OBSERVER
    DROPPED_PEER_GONE = native.KEEP_OUTCOME_DROPPED_PEER_GONE
    DROPPED_STORAGE_FULL = native.KEEP_OUTCOME_DROPPED_STORAGE_FULL
    FAILED = native.KEEP_OUTCOME_FAILED


@native.keep_type
class OutcomeAction(IntEnum):
    """What the caller of a detached beacon does next."""

    NONE = native.KEEP_ACTION_NONE
    RECONNECT = native.KEEP_ACTION_RECONNECT


@native.keep_type
@dataclass(frozen=True)
class Sighting:
    """One beat, as somebody saw it. Zeros of the last fields: unknown; of `claimed_pid`: `pid`."""

    pid: int
    nonce: int
    timestamp_ns: int = 0
    health: Health = Health.OK
    payload: int = 0
    origin: Origin = Origin.NETWORK
    claimed_pid: int = 0
    ns_inode: int = 0
    generation: int = 0
    flags: int = 0


@native.keep_type
@dataclass(frozen=True)
class Admission:
    """What became of a sighting. `evicted_pid`: who went for it, 0: nobody."""

    verdict: Verdict
    flags: AdmissionFlags
    evicted_pid: int


@native.keep_type
@dataclass(frozen=True)
class Alarm:
    """A stall. So many of so many are `stalled`: if most, look at the machine first."""

    pid: int
    nonce: int
    last_ns: int
    silence_ns: int
    limit_ns: int
    misses: int
    stalled: int
    agents: int
    health: Health
    payload: int
    origin: Origin
    claimed_pid: int
    ns_inode: int
    generation: int


@native.keep_type
@dataclass(frozen=True)
class Agent:
    """All that a ledger knows of an agent. From `intervals` on zeros, unless the ledger keeps statistics."""

    pid: int
    state: AgentState
    health: Health
    origin: Origin
    nonce: int
    last_ns: int
    silence_ns: int
    limit_ns: int
    grace_ns: int
    beats: int
    out_of_order: int
    payload: int
    claimed_pid: int
    ns_inode: int
    generation: int
    intervals: int
    min_ns: int
    max_ns: int
    mean_ns: int
    jitter_ns: int
    p50_ns: int
    p99_ns: int
    phi_milli: int


@native.keep_type
@dataclass(frozen=True)
class Datagram:
    """What `Observer.feed` judges."""

    source: DatagramSource
    data: Buffer = b""
    kernel_pid: int = 0
    uid: int = 0
    ns_inode: int = 0
    generation: int = 0
    marks: int = 0


@native.keep_type
@dataclass(frozen=True)
class Event:
    """What an observer tells. `detail` is the Fault of a DECODE_ERROR, the errno of an IO_ERROR, 1 of a CRASH whose
    process was gone already."""

    kind: EventKind
    detail: int
    at_ns: int
    pid: int
    nonce: int
    last_ns: int
    silence_ns: int
    stalled: int
    agents: int
    health: Health
    payload: int
    origin: Origin
    claimed_pid: int
    uid: int
    ns_inode: int
    generation: int


@native.keep_type
@dataclass(frozen=True)
class Outcome:
    """What became of a beat or a notice: errno or 0, drops in a row, the last nonce that the kernel took."""

    kind: OutcomeKind
    action: OutcomeAction
    error: int
    dropped: int
    nonce: int


@dataclass(frozen=True)
class TrackerStats:
    """Two numbers of now, then counters that never reset."""

    agents: int
    stalled: int
    beats: int
    stalls: int
    recoveries: int
    evictions: int
    capacity_exceeded: int
    out_of_order: int
    nonce_wraps: int
    origin_conflicts: int
    namespace_conflicts: int
    recycles: int
    goodbyes: int
    exits: int
    deletes: int
    clock_regressions: int
    outages: int
    outage_ns: int


@dataclass(frozen=True)
class ObserverStats:
    """Counters that never reset."""

    datagrams: int
    bad_length: int
    uid_refused: int
    no_credentials: int
    decode_errors: int
    auth_failures: int
    pid_above_max: int
    limited_pid: int
    limited_global: int
    posthumous: int
    after_goodbye: int
    notify_unattested: int
    notice_refused: int
    decrypt_failures: int
    replay_refused: int
    senders_evicted: int
    foreign_namespace: int
    pidfd_unavailable: int
    io_errors: int


class TrackerOptions(TypedDict, total=False):
    """What a ledger is like."""

    capacity: int
    """agents, 1 to MAX_AGENTS; default DEFAULT_AGENTS"""
    misses: int
    """thresholds of silence that are the limit; default 1"""
    policy: EvictionPolicy
    """default STRICT"""
    statistics: bool
    """keeps intervals, their quantiles, suspicion"""
    threshold_ns: int
    """default 5 seconds"""
    grace_ns: int
    """time to start in"""
    max_gap_ns: int
    """as much of a pause of the caller is counted at most; 0: all. An observer that listens changes 0."""


class AgentSettings(TypedDict, total=False):
    """What an agent may have of its own; what is not given, or 0, is the ledger's."""

    threshold_ns: int
    grace_ns: int
    misses: int
    unarmed: bool
    """it cannot stall until it beats; not for `Beacon.register`"""


class ObserverOptions(TypedDict, total=False):
    """Whom and what an observer takes."""

    any_uid: bool
    """everybody may beat over Unix sockets"""
    require_pid_match: bool
    """a beat's own pid must be the kernel's"""
    accept_notify: bool
    """messages of sd_notify; default True"""
    own_namespace_only: bool
    report_beats: bool
    """an event per beat"""
    clock: Clock
    """default MONOTONIC"""
    pid_max: int
    """over UDP; 0: the kernel's"""
    per_pid_rate: int
    """beats per second; default 100, 0: off"""
    global_rate: int
    """default 5000"""
    global_burst: int
    """default 10000"""
    budget: int
    """datagrams in one poll; default 1024"""
    max_pidfds: int
    """0: as many as descriptors allow"""
    max_series: int
    """agents in the metrics; default 1024"""
    own_ns_inode: int
    """0: this process's"""
    session_gap_ns: int
    """a sealed sender that is silent so long may begin again; 0: never"""
    min_threshold_ns: int
    """of what agents may register; default 10 milliseconds"""
    max_threshold_ns: int
    """default 1 hour"""


@final
@native.keep_facade
class Tracker(Handle, native.Tracker):
    """A ledger: who beat when. See keep/tracker.h. It has no clock: every call that decides is told the time."""

    __slots__ = ()

    def __new__(cls, *, hash_key: Buffer | None = None, **options: Unpack[TrackerOptions]) -> Tracker:
        """All its memory at once. `hash_key`, 16 bytes, is for tests: a random one keeps pids from colliding."""
        return native.keep_tracker_new(options, hash_key)

    def close(self) -> None:
        """Gives the handle back; an observer that has the tracker keeps it."""
        native.keep_tracker_free(self)

    def record(self, sighting: Sighting, now_ns: int) -> Admission:
        """Tells of a beat. One that is refused is no error: the verdict says so."""
        return native.keep_tracker_record(self, (sighting,), now_ns)[0]

    def record_batch(self, sightings: Sequence[Sighting], now_ns: int) -> builtins.list[Admission]:
        """Tells of 1 to MAX_BATCH beats, in order."""
        return native.keep_tracker_record(self, sightings, now_ns)

    def drain(self, now_ns: int, most: int = MAX_AGENTS) -> builtins.list[Alarm]:
        """Takes the agents that are due, by deadline, then pid: each is stalled from now on. Others stay due."""
        return native.keep_tracker_drain(self, now_ns, most)

    def next_deadline(self) -> int:
        """When to drain next; TIME_NEVER: there is no deadline."""
        return native.keep_tracker_next_deadline(self)

    def put(self, pid: int, now_ns: int, **settings: Unpack[AgentSettings]) -> int:
        """Registers an agent before it beats, or gives a known one new settings and a new start.

        Returns the pid that went for it, 0: nobody. ExhaustedError: the ledger is full and nobody may go.
        """
        return native.keep_tracker_put(self, pid, settings, now_ns)

    def delete(self, pid: int, reason: DeleteReason, now_ns: int) -> None:
        """Removes an agent. NotFoundError: nobody has this pid."""
        native.keep_tracker_delete(self, pid, reason, now_ns)

    def get(self, pid: int, now_ns: int) -> Agent:
        """An agent as it is at a time; changes nothing. NotFoundError: nobody has this pid."""
        return native.keep_tracker_get(self, pid, now_ns)

    def list(self) -> Iterator[Agent]:
        """All agents, at the ledger's clock. Those that come or go meanwhile are listed or not."""
        cursor, agents = native.keep_tracker_list(self, 0)
        while agents:
            yield from agents
            cursor, agents = native.keep_tracker_list(self, cursor)

    def stats(self) -> TrackerStats:
        """The counters."""
        return TrackerStats(**native.keep_tracker_stats(self))

    def __repr__(self) -> str:
        return described(self, lambda: _tracker_state(self.stats()))


@final
@native.keep_facade
class Observer(Handle, native.Observer):
    """Sockets, credentials, limits and events around a tracker. See keep/observer.h, also for whom to trust.

    It waits in any loop: `fileno()` is readable while there is something to do, and `poll()` does it. `wait()` is that
    for a thread; `async for event in observer` is it for asyncio. If it is closed meanwhile, both end with ClosedError.
    """

    __slots__ = ()

    def __new__(
        cls, tracker: Tracker, *, uids: Sequence[int] | None = None, **options: Unpack[ObserverOptions]
    ) -> Observer:
        """It retains the tracker, which nobody else changes meanwhile. `uids`: who may beat; None: this user."""
        return native.keep_observer_new(tracker, uids, options)

    def close(self) -> None:
        """Closes the sockets, and unlinks those that are still its own."""
        native.keep_observer_free(self)

    def listen(
        self,
        path: Path | None = None,
        *,
        fd: int = -1,
        address: str | None = None,
        port: int = 0,
        mode: int = 0o600,
        sealed: bool = False,
        attested: bool = False,
        allow_plain: bool = False,
        allow_any_address: bool = False,
    ) -> None:
        """Begins to listen: on a path ("@name" is abstract) of that mode, on a duplicate of a socket that a supervisor
        bound, or on a UDP address.

        UDP: `attested`, the operator vouches for the pids; frames that are not sealed and addresses beyond loopback
        need their permission. BusyError: somebody listens on that path.
        """
        options = {
            "port": port,
            "mode": mode,
            "sealed": sealed,
            "attested": attested,
            "allow_plain": allow_plain,
            "allow_any_address": allow_any_address,
        }
        native.keep_observer_listen(self, path, fd, address, options)

    def add_key(self, secret: Secret, mode: BeatMode) -> None:
        """Opens sealed frames under this key, too; it is copied. StateError: there is a MASTER key already."""
        native.keep_observer_add_key(self, secret, mode)

    def fileno(self) -> int:
        """The descriptor to wait on. It stays the observer's."""
        return native.keep_observer_fd(self)

    def poll(self, most: int = MAX_AGENTS) -> list[Event]:
        """Receives what has come, looks who ended, drains the ledger; never blocks. Further events come first next
        time, and until then nothing is received."""
        return native.keep_observer_poll(self, most)

    def feed(self, datagrams: Sequence[Datagram], now_ns: int, most: int = MAX_AGENTS) -> list[Event]:
        """The same without sockets, with up to MAX_BATCH datagrams. BusyError: events wait, feed none until they are
        taken."""
        return native.keep_observer_feed(self, datagrams, now_ns, most)

    def wait(self, timeout: float | None = None) -> list[Event]:
        """The next events, after a wait that lets other threads run; none of them when that many seconds are over."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        with _duplicate(self) as fd:
            waiter = select.poll()
            waiter.register(fd, select.POLLIN)
            while not (events := self.poll()) and (left := end - time.monotonic()) > 0:
                waiter.poll(math.ceil(1000 * min(left, _SLICE)))
            return events

    def __aiter__(self) -> AsyncIterator[Event]:
        return _events(self)

    def stats(self) -> ObserverStats:
        """The counters."""
        return ObserverStats(**native.keep_observer_stats(self))

    def metrics(self) -> str:
        """All numbers, the tracker's too, as Prometheus text 0.0.4."""
        return native.keep_observer_metrics(self).decode()

    def metrics_into(self, out: Buffer) -> int:
        """The same into a writable buffer; returns the length. BufferTooSmallError has it as `needed`."""
        return native.keep_observer_metrics(self, out)

    def __repr__(self) -> str:
        return described(self, lambda: f"{self.stats().datagrams} datagrams")

    def __del__(self) -> None:
        with suppress(KeepError):
            if not sys.is_finalizing() and self.fileno() >= 0:
                warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)


@final
@native.keep_facade
class Beacon(Handle, native.Beacon):
    """A process's side of being watched. See keep/beacon.h.

    Beat from the loop that is supervised, never from a thread of its own, which would beat on for a hung program. That
    nobody observes is no error: the beat is dropped, and the outcome says so. KeepSystemError: a frame could not be
    sent; its `report` is the outcome.
    """

    __slots__ = ("_mode",)
    _mode: BeatMode | None  # None: closed

    def __new__(
        cls,
        path: Path | None = None,
        *,
        host: str | None = None,
        port: int = 0,
        mode: BeatMode = BeatMode.PLAIN,
        key: Secret | None = None,
        agent_pid: int = 0,
        reconnect_after: int = 3,
        fork_refresh: bool = False,
        start_nonce: int = 0,
    ) -> Beacon:
        """To a Unix socket, or to a numeric UDP address; neither: detached, for who sends the frames himself.

        `agent_pid`: 0 is this process; needed in mode MASTER and detached. After `reconnect_after` drops in a row it
        connects anew. `fork_refresh`: a plain beacon restarts itself in a child.
        """
        options = {
            "port": port,
            "mode": mode,
            "agent_pid": agent_pid,
            "reconnect_after": reconnect_after,
            "fork_refresh": fork_refresh,
            "start_nonce": start_nonce,
        }
        beacon = native.keep_beacon_new(path, host, key, options)
        beacon._mode = BeatMode(mode)
        return beacon

    @staticmethod
    def agent_key(master: Secret, pid: int) -> Secret:
        """The key of one agent, made from the master key: give it to that agent alone."""
        return native.keep_beacon_agent_key(master, pid)

    def close(self) -> None:
        """Gives the handle back. Sends nothing: say goodbye first."""
        native.keep_beacon_free(self)
        self._mode = None

    def beat(self, health: Health = Health.OK, payload: int = 0) -> Outcome:
        """Says that the process is alive: one system call."""
        return native.keep_beacon_beat(self, health, payload)

    def register(self, **settings: Unpack[AgentSettings]) -> Outcome:
        """Asks to be watched from now on, with settings of its own: whole milliseconds."""
        return native.keep_beacon_register(self, settings)

    def goodbye(self) -> Outcome:
        """Says that the process will end on purpose: from then on its silence and its end are no news."""
        return native.keep_beacon_goodbye(self)

    def arm(self, *, signals: bool = False) -> None:
        """Prepares the last word. `signals`: handlers say it for SEGV, BUS, ILL, FPE and ABRT, then do what was done
        before. Another thread whose stack overflow shall be told calls this, too."""
        native.keep_beacon_arm(self, native.KEEP_ARM_SIGNALS if signals else 0)

    def crash(self, payload: int = 0) -> None:
        """Says the last word: critical, terminal. Unarmed, or in a forked child, it does nothing."""
        native.keep_beacon_crash(self, payload)

    def crash_on_exception(self, payload: int = 0) -> None:
        """From now on an exception that nobody catches is a crash, and then what `sys.excepthook` made of it before.
        Arm first."""
        former = sys.excepthook

        def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            with suppress(KeepError):
                if issubclass(kind, Exception):
                    self.crash(payload)
            former(kind, error, trace)

        sys.excepthook = hook

    def reconnect(self) -> None:
        """Connects anew; the stream goes on. The caller of a detached beacon says so that it has a new connection."""
        native.keep_beacon_reconnect(self)

    def restart(self) -> None:
        """Begins a new life, in a forked child or not. A sealed beacon cannot in a child, where its key is not."""
        native.keep_beacon_restart(self)

    def prepare(self, health: Health, payload: int, now_ns: int) -> bytes:
        """The next frame of a detached beacon, to send and then to commit. One that was not settled is dropped."""
        return native.keep_beacon_prepare(self, health, payload, now_ns)[: _frame_len(self._mode)]

    def commit(self, error: int = 0) -> Outcome:
        """Settles the frame that was prepared; `error` is the errno of sending it, 0: the kernel took it."""
        return native.keep_beacon_commit(self, error)

    @asynccontextmanager
    async def every(self, seconds: float, **settings: Unpack[AgentSettings]) -> AsyncIterator[None]:
        """`async with beacon.every(1)`: registers, beats from the event loop while the block runs, says goodbye.

        A block that an exception ends, or an exit with a failing code, says no goodbye, so that the observer tells of
        it. One that was cancelled does: that is an end on purpose.
        """
        import asyncio  # half of libkeep's own import: for those who run it anyway

        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def beat() -> None:
            nonlocal timer
            timer = loop.call_later(seconds, beat)
            self.beat()

        self.register(**settings)
        is_wanted = True
        try:
            beat()
            yield
        except Exception:
            is_wanted = False
            raise
        except SystemExit as end:
            is_wanted = end.code in (None, 0)
            raise
        finally:
            timer.cancel()
            if is_wanted:
                self.goodbye()

    def __repr__(self) -> str:
        return f"<Beacon: {'closed' if self._mode is None else self._mode.name.lower()}>"


def _tracker_state(stats: TrackerStats) -> str:
    return f"{stats.agents} agents, {stats.stalled} stalled"


def _frame_len(mode: BeatMode | None) -> int:
    return {BeatMode.SHARED: BEAT_SHARED_LEN, BeatMode.MASTER: BEAT_MASTER_LEN}.get(mode or BeatMode.PLAIN, BEAT_LEN)


@contextmanager
def _duplicate(observer: Observer) -> Iterator[int]:
    """A descriptor to wait on that no close() takes away."""
    fd = os.dup(observer.fileno())
    try:
        yield fd
    finally:
        os.close(fd)


async def _events(observer: Observer) -> AsyncIterator[Event]:
    """The events, one at a time, so that none is lost when the caller stops."""
    with _duplicate(observer) as fd:
        while True:
            while events := observer.poll(most=1):
                yield events[0]
            await _readable(observer, fd)


async def _readable(observer: Observer, fd: int) -> None:
    import asyncio  # as above

    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(fd, wake)
    try:
        while not ready.done():
            await asyncio.wait([ready], timeout=_SLICE)
            observer.fileno()
    finally:
        loop.remove_reader(fd)


def known_answer(name: str, data: Buffer) -> bytes:
    """A published known answer: of crc32c, beat.encode … beat.open. It touches no ledger and no key."""
    return native.keep_tracker_known_answer(name, data)


def known_answer_into(name: str, data: Buffer, out: Buffer) -> int:
    """The same into a writable buffer; returns the length. BufferTooSmallError has it as `needed`."""
    return native.keep_tracker_known_answer(name, data, out)
