# SPDX-License-Identifier: MIT
"""The cases of keep-tracker-1 (tracker.md §4)."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum, IntFlag
from functools import partial
from typing import Any

import libkeep
from libkeep import (
    Beacon,
    BeatMode,
    Datagram,
    DatagramMarks,
    DatagramSource,
    DeleteReason,
    Event,
    EventKind,
    EvictionPolicy,
    Fault,
    Observer,
    Origin,
    Secret,
    Sighting,
    SightingFlags,
    Tracker,
    Verdict,
)
from libkeep.tracker import known_answer, known_answer_into

from . import (
    Arrays,
    Forms,
    Operations,
    Outputs,
    Step,
    Wide,
    boolean,
    expect,
    expect_status,
    integer,
    integer64,
    list_of,
    one_of,
    run_script,
    told,
    word,
    word_of,
)

# Numbers of 32 bits at most; all others are texts.
NARROW = {"pid", "claimed_pid", "uid", "payload", "agents", "stalled", "misses", "phi_milli", "health"}
NARROW |= {"evicted_pid", "dropped", "detail"}
show = partial(told, is_wide=lambda name: name not in NARROW)

ERRORS = {"none": 0, **{name: number for name, number in vars(errno).items() if name.startswith("E")}}
send_error = one_of(ERRORS)


def words(flags: IntFlag) -> list[str]:
    return sorted(str(member.name).lower() for member in type(flags) if member in flags)


# Known answers


def answer(name: str, data: bytes) -> bytes:
    """A known answer, in both forms."""
    buffer = bytearray(64)
    found = known_answer(name, data)
    expect(f"{name} into a buffer", found, bytes(buffer[: known_answer_into(name, data, buffer)]))
    return found


def expect_refusal(name: str, status: str, data: bytes) -> None:
    expect_status(name, status, lambda: known_answer(name, data))
    expect_status(f"{name} into a buffer", status, lambda: known_answer_into(name, data, bytearray(64)))


def little(length: int, number: int) -> bytes:
    return number.to_bytes(length, "little")


# Parts of packed bytes: numbers of a length, words as one byte, bytes as they are.
Part = Callable[[Step], bytes]


def number(key: str, length: int) -> Part:
    return lambda step: little(length, step.integer64(key) if length == 8 else step.integer(key))


def word_byte(key: str, kind: type[IntEnum]) -> Part:
    return lambda step: little(1, step.take(key, word_of(kind)))


def raw(key: str) -> Part:
    return lambda step: step.data(key)


class Notice(IntEnum):
    REGISTER = 1
    GOODBYE = 2


WIRE = [raw("wire")]
FAULT = [word_byte("fault", Fault)]
BEAT = [number("health", 1), number("pid", 4), number("timestamp_ns", 8), number("nonce", 8), number("payload", 4)]
NOTICE = [word_byte("op", Notice), number("pid", 4), number("threshold_ms", 4), number("grace_ms", 4)]
NOTICE += [number("nonce", 8), number("misses", 1)]
KEY = [word_byte("mode", BeatMode), raw("key")]
SEALING = [*KEY, number("pid", 4), raw("iv_prefix"), number("iv_counter", 4), raw("frame")]


def packed(step: Step, parts: Sequence[Part]) -> bytes:
    return b"".join(part(step) for part in parts)


def answers(*questions: tuple[str, list[Part], list[Part] | str]) -> Callable[[Step], None]:
    """A case whose known answers to parts are other parts, or a status."""

    def run(step: Step) -> None:
        for name, given, want in questions:
            if isinstance(want, str):
                expect_refusal(name, want, packed(step, given))
            else:
                expect(name, packed(step, want), answer(name, packed(step, given)))

    return run


def both_ways(frame: str, parts: list[Part]) -> Callable[[Step], None]:
    return answers((f"{frame}.encode", parts, WIRE), (f"{frame}.decode", WIRE, parts))


def run_notice_reject(step: Step) -> None:
    expect_refusal("notice.decode", "MALFORMED", step.data("wire"))
    step.expect("fault", word(Fault(answer("notice.fault", step.data("wire"))[0])))


def run_bit_flips(step: Step) -> None:
    wire, found = step.data("wire"), Counter[str]()
    for bit in range(8 * len(wire)):
        flipped = (int.from_bytes(wire, "little") ^ 1 << bit).to_bytes(len(wire), "little")
        expect_refusal("beat.decode", "MALFORMED", flipped)
        found[word(Fault(answer("beat.fault", flipped)[0]))] += 1
    step.expect_all("faults", dict(found))


def run_agent_key(step: Step) -> None:
    with Secret.from_bytes(step.data("master")) as master:
        step.expect("key", Beacon.agent_key(master, step.integer("pid")).reveal())


# Small cases


def beat_frame(pid: int, nonce: int) -> bytes:
    """A beat whose timestamp is its nonce."""
    return known_answer("beat.encode", little(1, 0) + little(4, pid) + 2 * little(8, nonce) + little(4, 0))


def run_token_bucket(step: Step) -> None:
    limits: Any = {"global_rate": step.integer("rate"), "global_burst": step.integer("burst"), "per_pid_rate": 0}
    tracker = Tracker(capacity=1024)
    with tracker, Observer(tracker, any_uid=True, report_beats=True, **limits) as observer:
        for pid, call in enumerate(step.parts("calls", "now_ns allow"), 1000):
            beat = Datagram(DatagramSource.UNIX, beat_frame(pid, 1), pid, ns_inode=1, generation=1)
            events = observer.feed([beat], call.integer64("now_ns"))
            call.expect("allow", EventKind.BEAT in [event.kind for event in events])


def run_send_error(step: Step) -> None:
    with Beacon(agent_pid=100, reconnect_after=0) as beacon:
        beacon.prepare(libkeep.Health.OK, 0, 1)
        step.expect("outcome", word(beacon.commit(step.take("error", send_error)).kind))


# Trackers

SETTINGS: Forms = {"threshold_ns": integer64, "grace_ns": integer64, "misses": integer, "unarmed": boolean}
TRACKER: Forms = {"capacity": integer, "misses": integer, "threshold_ns": integer64, "grace_ns": integer64}
TRACKER |= {"max_gap_ns": integer64, "policy": word_of(EvictionPolicy), "statistics": integer}
SIGHTING: Forms = {"pid": integer, "nonce": integer64, "health": integer, "payload": integer, "claimed_pid": integer}
SIGHTING |= {**dict.fromkeys(("timestamp_ns", "ns_inode", "generation"), integer64), "origin": word_of(Origin)}


def now(step: Step) -> int:
    return step.integer64("now_ns")


def kernel_beat(pid: int, nonce: int) -> Sighting:
    return Sighting(pid, nonce, nonce, origin=Origin.KERNEL)


def record(step: Step) -> Outputs:
    defaults = {"timestamp_ns": step.integer64("nonce"), "origin": Origin.KERNEL}
    sighting = Sighting(**{**defaults, "flags": SightingFlags(step.flag("unnumbered")), **step.given(SIGHTING)})
    admission = step.on().record(sighting, now(step))
    return {**show(admission), "flags": words(admission.flags)}


def pids_between(step: Step) -> Sequence[int]:
    return range(step.integer("first"), step.integer("last") + 1)


def fill(step: Step, pids: Sequence[int]) -> None:
    for begin in range(0, len(pids), libkeep.MAX_BATCH):
        sightings = [kernel_beat(pid, 1) for pid in pids[begin : begin + libkeep.MAX_BATCH]]
        for admission in step.on().record_batch(sightings, now(step)):
            expect("verdict", Verdict.INSERTED, admission.verdict)


def beats(step: Step) -> None:
    for count in range(step.integer("count")):
        beat = kernel_beat(step.integer("pid"), step.integer64("nonce") + count)
        admission = step.on().record(beat, now(step) + count * step.integer64("step_ns"))
        expect("verdict", Verdict.REFRESHED, admission.verdict)


def put(step: Step) -> Outputs:
    return {"evicted_pid": step.on().put(step.integer("pid"), now(step), **step.given(SETTINGS))}


def delete(step: Step) -> None:
    step.on().delete(step.integer("pid"), step.take("reason", word_of(DeleteReason)), now(step))


def drain(step: Step) -> Outputs:
    """Drains a tracker, or feeds an observer nothing."""
    if isinstance(step.on(), Observer):
        return feed(step, [])
    alarms = step.on().drain(now(step), step.integer("cap", libkeep.MAX_AGENTS))
    return {"alarms": [show(alarm) for alarm in alarms], "count": len(alarms)}


# Observers

OBSERVER: Forms = {
    **dict.fromkeys(("any_uid", "require_pid_match", "accept_notify", "own_namespace_only", "report_beats"), boolean),
    **dict.fromkeys(("pid_max", "per_pid_rate", "global_rate", "global_burst"), integer),
    **dict.fromkeys(("budget", "max_pidfds", "max_series"), integer),
    **dict.fromkeys(("own_ns_inode", "session_gap_ns", "min_threshold_ns", "max_threshold_ns"), integer64),
    "uids": list_of(integer),
}
DATAGRAM: Forms = {"kernel_pid": integer, "uid": integer, "ns_inode": integer64, "generation": integer64}
mark = one_of({str(member.name).lower(): member for member in DatagramMarks})


def make_observer(step: Step) -> None:
    step.bind(lambda: Observer(step.on("tracker"), **step.given(OBSERVER)))


def add_key(step: Step) -> None:
    with Secret.from_bytes(step.data("key")) as key:
        step.on().add_key(key, step.take("mode", word_of(BeatMode)))


def show_event(event: Event) -> Outputs:
    out = show(event)
    detail = out.pop("detail")
    if event.kind is EventKind.DECODE_ERROR:
        out["fault"] = word(Fault(detail))
    if event.kind is EventKind.CRASH:
        out["posthumous"] = bool(detail)
    return out


def feed(step: Step, datagrams: list[Datagram]) -> Outputs:
    return {"events": [show_event(event) for event in step.on().feed(datagrams, now(step))]}


def datagram_of(part: Step) -> Datagram:
    source, marks = part.take("from", word_of(DatagramSource)), sum(part.take("marks", list_of(mark), []))
    return Datagram(source, part.data("data"), marks=marks, **part.given(DATAGRAM))


def leave(step: Step) -> Outputs:
    identity: Any = {"kernel_pid": step.integer("pid"), "generation": step.integer64("generation")}
    return feed(step, [Datagram(DatagramSource.EXIT, **identity)])


def senders(step: Step) -> Outputs:
    """Beats sealed with one shared key; the prefix is zeros, the counter the pid."""
    head, datagrams = little(1, BeatMode.SHARED) + bytes(range(32)) + bytes(4 + 8), []
    for pid in pids_between(step):
        wire = known_answer("beat.seal", head + little(4, pid) + beat_frame(pid, step.integer64("nonce")))
        datagrams.append(Datagram(DatagramSource.UDP_SEALED, wire))
    return feed(step, datagrams)


# Beacons


def make_beacon(step: Step) -> None:
    options = step.given({"reconnect_after": integer, "start_nonce": integer64})
    step.bind(lambda: Beacon(agent_pid=step.integer("pid"), **options))


def prepare(step: Step) -> Outputs:
    wire = step.on().prepare(step.integer("health"), step.integer("payload"), now(step))
    decoded = known_answer("beat.decode", wire)
    timestamp_ns, nonce = (Wide.from_bytes(decoded[begin : begin + 8], "little") for begin in (5, 13))
    return {"wire": wire, "timestamp_ns": timestamp_ns, "nonce": nonce}


def commit(step: Step) -> Outputs:
    outcome = show(step.on().commit(step.take("error", send_error)))
    return {"outcome": outcome["kind"], **{key: outcome[key] for key in ("action", "dropped", "nonce")}}


ARRAYS: Arrays = {
    "crc32c": ("data crc", answers(("crc32c", [raw("data")], [number("crc", 4)]))),
    "beat_frames": ("health pid timestamp_ns nonce payload wire", both_ways("beat", BEAT)),
    "beat_rejects": (
        "wire fault",
        answers(("beat.decode", WIRE, "MALFORMED"), ("beat.fault", WIRE, [*FAULT, number("value", 8)])),
    ),
    "beat_bit_flips": ("wire faults", run_bit_flips),
    "notice_frames": ("op pid threshold_ms grace_ms misses nonce wire", both_ways("notice", NOTICE)),
    "notice_rejects": ("wire fault", run_notice_reject),
    "sealed_frames": (
        "mode key iv_prefix iv_counter frame wire",
        answers(("beat.seal", SEALING, WIRE), ("beat.open", [*KEY, *WIRE], [raw("frame")])),
    ),
    "sealed_rejects": ("mode key wire", answers(("beat.open", [*KEY, *WIRE], "AUTH"))),
    "agent_keys": ("master pid key", run_agent_key),
    "iv_prefixes": ("salt index prefix", answers(("iv.prefix", [raw("salt"), number("index", 4)], [raw("prefix")]))),
    "token_buckets": ("rate burst calls", run_token_bucket),
    "send_errors": ("error outcome", run_send_error),
    "tracker_scripts": ("script", run_script),
    "observer_scripts": ("script", run_script),
    "beacon_scripts": ("script", run_script),
}

OPERATIONS: Operations = {
    "tracker": ("as", lambda step: step.bind(lambda: Tracker(**step.given(TRACKER)))),
    "record": ("on pid nonce now_ns", record),
    "fill": ("on first last now_ns", lambda step: fill(step, pids_between(step))),
    "fill_pids": ("on pids now_ns", lambda step: fill(step, step.take("pids", list_of(integer)))),
    "beats": ("on pid nonce now_ns step_ns count", beats),
    "put": ("on pid now_ns", put),
    "delete": ("on pid reason now_ns", delete),
    "get": ("on pid now_ns", lambda step: show(step.on().get(step.integer("pid"), now(step)))),
    "next_deadline": ("on", lambda step: {"deadline_ns": Wide(step.on().next_deadline())}),
    "drain": ("on now_ns", drain),
    "stats": ("on", lambda step: show(step.on().stats())),
    "observer": ("as tracker", make_observer),
    "add_key": ("on mode key", add_key),
    "feed": (
        "on now_ns datagrams",
        lambda step: feed(step, list(map(datagram_of, step.parts("datagrams", "from data")))),
    ),
    "exit": ("on pid generation now_ns", leave),
    "senders": ("on now_ns first last nonce", senders),
    "beacon": ("as pid", make_beacon),
    "prepare": ("on health payload now_ns", prepare),
    "commit": ("on error", commit),
    "reconnect": ("on", lambda step: step.on().reconnect()),
    "restart": ("on", lambda step: step.on().restart()),
}
