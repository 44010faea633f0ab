# SPDX-License-Identifier: MIT
"""The cases of keep-tracker-1 (tracker.md §4)."""

from __future__ import annotations

import dataclasses
import errno
from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum, IntFlag
from functools import partial
from typing import Any

import libkeep
from libkeep import (
    Agent,
    Alarm,
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
    Failed,
    Fields,
    Runner,
    Script,
    boolean,
    expect,
    expect_output,
    fields,
    integer,
    integer64,
    list_of,
    of_type,
    plain_bytes,
    run_script,
    status_of,
    take,
    take_or,
    text,
)

NOTICES = {"register": 1, "goodbye": 2}
SENDERS_KEY = bytes(range(32))


def constant(name: str) -> object:
    return getattr(libkeep, name.removeprefix("KEEP_"), None)


# Forms

Form = Callable[[Any], Any]
Forms = dict[str, Form]


def word_of(kind: type[IntEnum]) -> Form:
    """A member of an enumeration, by its word."""
    members = {member.name.lower(): member for member in kind}
    return lambda value: members[text(value)]


def word(member: IntEnum) -> str:
    return member.name.lower()


def words(flags: IntFlag) -> list[str]:
    return sorted(str(member.name).lower() for member in type(flags) if member in flags)


def little(length: int, number: int) -> bytes:
    return number.to_bytes(length, "little")


def given(case: Fields, forms: Forms) -> dict[str, Any]:
    """Those of the values that are there."""
    return {name: take(case, name, form) for name, form in forms.items() if name in case}


def shown(record: Agent | Alarm | Event) -> Fields:
    """A record as the vectors write it: enumerations are words, but health a number, and 64-bit numbers text."""
    out: Fields = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        is_long = field.name.endswith("_ns") or field.name in LONG
        out[field.name] = str(value) if is_long else value
        if isinstance(value, IntEnum):
            out[field.name] = int(value) if field.name == "health" else word(value)
    return out


LONG = ("nonce", "ns_inode", "generation", "beats", "out_of_order", "intervals")


def shown_event(event: Event) -> Fields:
    out = shown(event)
    detail = out.pop("detail")
    if event.kind is EventKind.DECODE_ERROR:
        out["fault"] = word(Fault(detail))
    if event.kind is EventKind.CRASH:
        out["posthumous"] = bool(detail)
    return out


def expect_records(what: str, want: Any, got: Sequence[Fields]) -> None:
    """As many, in order, and of each the keys that are given."""
    wanted = list_of(fields)(want)
    expect(f"number of {what}", len(wanted), len(got))
    for position, (each, record) in enumerate(zip(wanted, got)):
        for key, value in each.items():
            if key not in record:
                raise Failed(f"{what}: expected a known key, got {key}")
            expect_output(f"{what}[{position}] {key}", value, record[key])


# Known answers


def answer(name: str, data: bytes) -> bytes:
    """A known answer, in both forms."""
    buffer = bytearray(64)
    found = known_answer(name, data)
    expect(f"{name} into a buffer", found, bytes(buffer[: known_answer_into(name, data, buffer)]))
    return found


def expect_refusal(name: str, status: str, data: bytes) -> None:
    expect(name, status, status_of(lambda: known_answer(name, data)))
    expect(f"{name} into a buffer", status, status_of(lambda: known_answer_into(name, data, bytearray(64))))


def beat_frame(pid: int, nonce: int, timestamp_ns: int, health: int = 0, payload: int = 0) -> bytes:
    packed = little(1, health) + little(4, pid) + little(8, timestamp_ns) + little(8, nonce) + little(4, payload)
    return known_answer("beat.encode", packed)


def run_crc32c(case: Fields, position: int) -> None:
    expect(
        "crc", take(case, "crc", integer), int.from_bytes(answer("crc32c", take(case, "data", plain_bytes)), "little")
    )


def run_frame(name: str, forms: dict[str, tuple[int, Form]], case: Fields, position: int) -> None:
    """Both ways between the fields of a frame and its bytes."""
    packed = b"".join(little(length, take(case, key, form)) for key, (length, form) in forms.items())
    wire = take(case, "wire", plain_bytes)
    expect("wire", wire, answer(f"{name}.encode", packed))
    expect("fields", packed, answer(f"{name}.decode", wire))


BEAT: dict[str, tuple[int, Form]] = {
    "health": (1, integer),
    "pid": (4, integer),
    "timestamp_ns": (8, integer64),
    "nonce": (8, integer64),
}
BEAT["payload"] = (4, integer)
NOTICE: dict[str, tuple[int, Form]] = {
    "op": (1, NOTICES.__getitem__),
    "pid": (4, integer),
    "threshold_ms": (4, integer),
    "grace_ms": (4, integer),
}
NOTICE |= {"nonce": (8, integer64), "misses": (1, integer)}


def run_reject(name: str, case: Fields, position: int) -> None:
    wire = take(case, "wire", plain_bytes)
    expect_refusal(f"{name}.decode", "MALFORMED", wire)
    found = answer(f"{name}.fault", wire)
    expect("fault", take(case, "fault", text), word(Fault(found[0])))
    if name == "beat":
        expect("value", take_or(case, "value", integer64, 0), int.from_bytes(found[1:], "little"))


def run_bit_flips(case: Fields, position: int) -> None:
    wire = take(case, "wire", plain_bytes)
    found: Counter[str] = Counter()
    for bit in range(256):
        flipped = (int.from_bytes(wire, "little") ^ 1 << bit).to_bytes(len(wire), "little")
        expect_refusal("beat.decode", "MALFORMED", flipped)
        found[word(Fault(answer("beat.fault", flipped)[0]))] += 1
    expect("faults", take(case, "faults", fields), dict(found))


def take_sealing(case: Fields) -> bytes:
    return little(1, take(case, "mode", word_of(BeatMode))) + take(case, "key", plain_bytes)


def run_sealed_frame(case: Fields, position: int) -> None:
    sealing, wire, frame = take_sealing(case), take(case, "wire", plain_bytes), take(case, "frame", plain_bytes)
    place = little(4, take_or(case, "pid", integer, 0)) + take(case, "iv_prefix", plain_bytes)
    place += little(4, take(case, "iv_counter", integer))
    expect("wire", wire, answer("beat.seal", sealing + place + frame))
    expect("frame", frame, answer("beat.open", sealing + wire))


def run_sealed_reject(case: Fields, position: int) -> None:
    expect_refusal("beat.open", "AUTH", take_sealing(case) + take(case, "wire", plain_bytes))


def run_agent_key(case: Fields, position: int) -> None:
    with Secret.from_bytes(take(case, "master", plain_bytes)) as master:
        key = Beacon.agent_key(master, take(case, "pid", integer))
    expect("key", take(case, "key", plain_bytes), key.reveal())


def run_iv_prefix(case: Fields, position: int) -> None:
    place = take(case, "salt", plain_bytes) + little(4, take(case, "index", integer))
    expect("prefix", take(case, "prefix", plain_bytes), answer("iv.prefix", place))


# Small cases


def run_token_bucket(case: Fields, position: int) -> None:
    limits: Any = {"global_rate": take(case, "rate", integer), "global_burst": take(case, "burst", integer)}
    tracker = Tracker(capacity=1024)
    with tracker, Observer(tracker, any_uid=True, report_beats=True, per_pid_rate=0, **limits) as observer:
        for number, call in enumerate(take(case, "calls", list_of(fields))):
            now_ns, pid = take(call, "now_ns", integer64), 1000 + number
            beat = Datagram(DatagramSource.UNIX, beat_frame(pid, 1, 1), pid, ns_inode=1, generation=1)
            is_allowed = EventKind.BEAT in [event.kind for event in observer.feed([beat], now_ns)]
            expect(f"calls[{number}] allow", take(call, "allow", boolean), is_allowed)


def errno_of(value: Any) -> int:
    return 0 if value == "none" else int(getattr(errno, text(value)))


def run_send_error(case: Fields, position: int) -> None:
    with Beacon(agent_pid=100, reconnect_after=0) as beacon:
        beacon.prepare(libkeep.Health.OK, 0, 1)
        outcome = beacon.commit(take(case, "error", errno_of))
    expect("outcome", take(case, "outcome", text), word(outcome.kind))


# Scripts


def run_scripts(case: Fields, position: int) -> None:
    run_script(TrackerScript, case, position)


ARRAYS: dict[str, Runner] = {
    "crc32c": run_crc32c,
    "beat_frames": partial(run_frame, "beat", BEAT),
    "beat_rejects": partial(run_reject, "beat"),
    "beat_bit_flips": run_bit_flips,
    "notice_frames": partial(run_frame, "notice", NOTICE),
    "notice_rejects": partial(run_reject, "notice"),
    "sealed_frames": run_sealed_frame,
    "sealed_rejects": run_sealed_reject,
    "agent_keys": run_agent_key,
    "iv_prefixes": run_iv_prefix,
    "token_buckets": run_token_bucket,
    "send_errors": run_send_error,
    "tracker_scripts": run_scripts,
    "observer_scripts": run_scripts,
    "beacon_scripts": run_scripts,
}

TRACKER_OPTIONS: Forms = {"capacity": integer, "misses": integer, "threshold_ns": integer64, "grace_ns": integer64}
TRACKER_OPTIONS |= {"max_gap_ns": integer64, "policy": word_of(EvictionPolicy), "statistics": integer}
OBSERVER_OPTIONS: Forms = {
    **dict.fromkeys(("any_uid", "require_pid_match", "own_namespace_only", "report_beats"), boolean),
    **dict.fromkeys(("pid_max", "per_pid_rate", "global_rate", "global_burst"), integer),
    **dict.fromkeys(("own_ns_inode", "session_gap_ns", "min_threshold_ns", "max_threshold_ns"), integer64),
    "uids": list_of(integer),
}
SIGHTING: Forms = {"health": integer, "payload": integer, "claimed_pid": integer, "origin": word_of(Origin)}
SIGHTING |= dict.fromkeys(("timestamp_ns", "ns_inode", "generation"), integer64)
SETTINGS: Forms = {"threshold_ns": integer64, "grace_ns": integer64, "misses": integer, "unarmed": boolean}
DATAGRAM: Forms = {"kernel_pid": integer, "uid": integer, "ns_inode": integer64, "generation": integer64}


def sighting_of(step: Fields) -> Sighting:
    pid, nonce = take(step, "pid", integer), take(step, "nonce", integer64)
    is_unnumbered = take_or(step, "unnumbered", boolean, False)
    defaults = {"timestamp_ns": nonce, "origin": Origin.KERNEL, "flags": SightingFlags(is_unnumbered)}
    return Sighting(pid, nonce, **{**defaults, **given(step, SIGHTING)})


def datagram_of(value: Any) -> Datagram:
    datagram = dict(fields(value))
    source, data = take(datagram, "from", word_of(DatagramSource)), take(datagram, "data", Script().data)
    named: list[str] = take_or(datagram, "marks", list_of(text), [])
    marks = sum(DatagramMarks[mark.upper()] for mark in named)
    made = Datagram(source, data, marks=marks, **given(datagram, DATAGRAM))
    if datagram:
        raise Failed(f"datagram: expected no unknown key, got {sorted(datagram)}")
    return made


class TrackerScript(Script):
    def expect_output(self, what: str, want: Any, got: object) -> None:
        if what.endswith((" alarms", " events")):
            expect_records(what, want, got)  # type: ignore[arg-type]
        else:
            super().expect_output(what, want, got)

    # Trackers

    def op_tracker(self, step: Fields, out: Fields) -> None:
        name, options = self.name(step), given(step, TRACKER_OPTIONS)
        self.bind(name, Tracker(**options))

    def op_record(self, step: Fields, out: Fields) -> None:
        admission = self.on(step).record(sighting_of(step), take(step, "now_ns", integer64))
        out.update(verdict=word(admission.verdict), flags=words(admission.flags), evicted_pid=admission.evicted_pid)

    def record_all(self, step: Fields, pids: Sequence[int]) -> None:
        tracker, now_ns = self.on(step), take(step, "now_ns", integer64)
        sightings = [Sighting(pid, 1, 1, origin=Origin.KERNEL) for pid in pids]
        for begin in range(0, len(sightings), libkeep.MAX_BATCH):
            for admission in tracker.record_batch(sightings[begin : begin + libkeep.MAX_BATCH], now_ns):
                expect("verdict", Verdict.INSERTED, admission.verdict)

    def op_fill(self, step: Fields, out: Fields) -> None:
        self.record_all(step, range(take(step, "first", integer), take(step, "last", integer) + 1))

    def op_fill_pids(self, step: Fields, out: Fields) -> None:
        self.record_all(step, take(step, "pids", list_of(integer)))

    def op_beats(self, step: Fields, out: Fields) -> None:
        tracker, pid = self.on(step), take(step, "pid", integer)
        nonce, now_ns, step_ns = (take(step, key, integer64) for key in ("nonce", "now_ns", "step_ns"))
        for number in range(take(step, "count", integer)):
            beat = Sighting(pid, nonce + number, nonce + number, origin=Origin.KERNEL)
            expect("verdict", Verdict.REFRESHED, tracker.record(beat, now_ns + number * step_ns).verdict)

    def op_put(self, step: Fields, out: Fields) -> None:
        pid, now_ns = take(step, "pid", integer), take(step, "now_ns", integer64)
        out["evicted_pid"] = self.on(step).put(pid, now_ns, **given(step, SETTINGS))

    def op_delete(self, step: Fields, out: Fields) -> None:
        pid, reason = take(step, "pid", integer), take(step, "reason", word_of(DeleteReason))
        self.on(step).delete(pid, reason, take(step, "now_ns", integer64))

    def op_get(self, step: Fields, out: Fields) -> None:
        out.update(shown(self.on(step).get(take(step, "pid", integer), take(step, "now_ns", integer64))))

    def op_next_deadline(self, step: Fields, out: Fields) -> None:
        out["deadline_ns"] = str(self.on(step).next_deadline())

    def op_stats(self, step: Fields, out: Fields) -> None:
        stats = dataclasses.asdict(self.on(step).stats())
        out.update({key: value if key in ("agents", "stalled") else str(value) for key, value in stats.items()})

    def op_drain(self, step: Fields, out: Fields) -> None:
        if isinstance(self.handles.get(str(step.get("on"))), Observer):
            self.feed(step, [], out)
            return
        tracker, cap = self.on(step), take_or(step, "cap", integer, libkeep.MAX_AGENTS)
        alarms = tracker.drain(take(step, "now_ns", integer64), cap)
        out.update(alarms=[shown(alarm) for alarm in alarms], count=len(alarms))

    # Observers

    def op_observer(self, step: Fields, out: Fields) -> None:
        name, tracker, options = self.name(step), self.on(step, "tracker"), given(step, OBSERVER_OPTIONS)
        self.bind(name, Observer(tracker, **options))

    def op_add_key(self, step: Fields, out: Fields) -> None:
        observer, mode = self.on(step), take(step, "mode", word_of(BeatMode))
        with Secret.from_bytes(take(step, "key", plain_bytes)) as key:
            observer.add_key(key, mode)

    def feed(self, step: Fields, datagrams: list[Datagram], out: Fields) -> None:
        events = self.on(step).feed(datagrams, take(step, "now_ns", integer64))
        out["events"] = [shown_event(event) for event in events]

    def op_feed(self, step: Fields, out: Fields) -> None:
        self.feed(step, [datagram_of(each) for each in take(step, "datagrams", of_type(list))], out)

    def op_exit(self, step: Fields, out: Fields) -> None:
        pid, generation = take(step, "pid", integer), take(step, "generation", integer64)
        self.feed(step, [Datagram(DatagramSource.EXIT, kernel_pid=pid, generation=generation)], out)

    def op_senders(self, step: Fields, out: Fields) -> None:
        nonce, datagrams = take(step, "nonce", integer64), []
        for pid in range(take(step, "first", integer), take(step, "last", integer) + 1):
            sealing = little(1, BeatMode.SHARED) + SENDERS_KEY + little(4 + 8, 0) + little(4, pid)
            wire = known_answer("beat.seal", sealing + beat_frame(pid, nonce, nonce))
            datagrams.append(Datagram(DatagramSource.UDP_SEALED, wire))
        self.feed(step, datagrams, out)

    # Beacons

    def op_beacon(self, step: Fields, out: Fields) -> None:
        name, pid = self.name(step), take(step, "pid", integer)
        options = given(step, {"reconnect_after": integer, "start_nonce": integer64})
        self.bind(name, Beacon(agent_pid=pid, **options))

    def op_prepare(self, step: Fields, out: Fields) -> None:
        health, payload = take(step, "health", integer), take(step, "payload", integer)
        wire = self.on(step).prepare(health, payload, take(step, "now_ns", integer64))
        decoded = known_answer("beat.decode", wire)
        timestamp_ns, nonce = (int.from_bytes(decoded[begin : begin + 8], "little") for begin in (5, 13))
        out.update(wire=wire, timestamp_ns=str(timestamp_ns), nonce=str(nonce))

    def op_commit(self, step: Fields, out: Fields) -> None:
        outcome = self.on(step).commit(take(step, "error", errno_of))
        out.update(outcome=word(outcome.kind), action=word(outcome.action))
        out.update(dropped=outcome.dropped, nonce=str(outcome.nonce))

    def op_reconnect(self, step: Fields, out: Fields) -> None:
        self.on(step).reconnect()

    def op_restart(self, step: Fields, out: Fields) -> None:
        self.on(step).restart()
