# SPDX-License-Identifier: MIT
"""The cases of keep-packet-1 (packet.md §11)."""

from __future__ import annotations

import array
import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import libkeep
from libkeep import (
    Aead,
    Handshake,
    HandshakeState,
    Noise,
    Opened,
    Packet,
    PacketInfo,
    PacketKind,
    PacketPool,
    PacketRequest,
    PacketSettings,
    Role,
    Secret,
    Session,
    packet,
)

from . import (
    Fields,
    Runner,
    Script,
    boolean,
    expect,
    fields,
    integer,
    integer64,
    list_of,
    of_type,
    run_script,
    status_name,
    status_of,
    take,
    take_or,
    text,
)

# What all sessions seal and open with.
aead = Aead[os.environ.get("KEEP_TEST_AEAD", "auto").upper()]

DATA, HEARTBEAT, HANDSHAKE = PacketKind.DATA, PacketKind.HEARTBEAT, PacketKind.HANDSHAKE
KINDS = {kind.name.lower(): kind for kind in PacketKind}
NAMES = {0: "OK", **{status: error.name for status, error in libkeep.by_status.items()}}
SIDES = ("initiator", "responder")


def constant(name: str) -> object:
    return getattr(libkeep, name.removeprefix("KEEP_"), None)


# Forms


def plain_data(value: Any) -> bytes:
    return Script().data(value)


def events_of(value: Any) -> list[bytes]:
    found: list[bytes] = []
    for each in of_type(list)(value):
        if isinstance(each, dict) and "count" in each:
            many = dict(each)
            found += [take(many, "event", plain_data)] * take(many, "count", integer)
        else:
            found.append(plain_data(each))
    return found


def take_events(case: Fields) -> list[bytes]:
    return take(case, "events", events_of) if "events" in case else []


def settings_of(value: Any) -> PacketSettings:
    return PacketSettings(**{name: integer64(number) for name, number in fields(value).items()})


def request_of(case: Fields) -> dict[str, Any]:
    """The keywords of a request; those that the kind does not have are not there."""
    request: dict[str, Any] = {"kind": take(case, "kind", KINDS.__getitem__)}
    forms = {"flags": integer, "subprotocol_id": integer, "settings": settings_of}
    for name, form in {"stream_id": integer64, "sequence": integer64, **forms}.items():
        if name in case:
            request[name] = take(case, name, form)
    return request


def numbers_of(case: Fields, *names: str) -> dict[str, Any]:
    """Those of the numbers that are there."""
    return {name: take(case, name, integer64) for name in names if name in case}


def expect_info(what: str, want: Fields, got: PacketInfo) -> None:
    shown = {**dataclasses.asdict(got), "kind": got.kind.name.lower(), "flags": int(got.flags)}
    wanted = {name: value if name == "kind" else integer64(value) for name, value in want.items()}
    expect(what, wanted, shown)


# Sessions


@contextlib.contextmanager
def session(
    key: bytes, session_id: int, *, seals: bool = False, first_counter: int = 0, **options: Any
) -> Iterator[Session]:
    chosen: Any = {"aead": aead, **options}
    with Secret.from_bytes(key) as secret:
        chosen["tx_key" if seals else "rx_key"] = secret
        made = Session(session_id=session_id, first_counter=first_counter, **chosen)
    with made:
        yield made


@dataclasses.dataclass
class Keyed:
    """What a session of a case is made of."""

    key: bytes
    session_id: int
    first_counter: int = 0

    @classmethod
    def of(cls, case: Fields, counter: str | None = None) -> Keyed:
        first = take(case, counter, integer64) if counter else 0
        return cls(take(case, "key", plain_data), take(case, "session_id", integer64), first)

    def sealing(self) -> contextlib.AbstractContextManager[Session]:
        return session(self.key, self.session_id, seals=True, first_counter=self.first_counter)

    def opening(self, **options: Any) -> contextlib.AbstractContextManager[Session]:
        return session(self.key, self.session_id, **options)


# Ways to seal


def by_seal(sealer: Session, events: Sequence[bytes], request: dict[str, Any]) -> bytes:
    return sealer.seal(events, **request)


def by_seal_into(sealer: Session, events: Sequence[bytes], request: dict[str, Any]) -> bytes:
    out = bytearray(libkeep.MAX_PACKET_LEN)
    return bytes(out[: sealer.seal_into(events, out, **request)])


def by_batch(sealer: Session, events: Sequence[bytes], request: dict[str, Any]) -> bytes:
    data, offsets, statuses = sealer.seal_batch([PacketRequest(events, **request)])
    if statuses[0] != 0:
        raise libkeep.by_status[statuses[0]]
    expect("offsets of a batch", (0, len(data)), offsets)
    return data


def by_pool(sealer: Session | None, events: Sequence[bytes], request: dict[str, Any]) -> bytes:
    with PacketPool(1) as pool, pool.acquire() as built:
        built.build(sealer, events, **request)
        return bytes(built)


def by_packed(sealer: Session, events: Sequence[bytes], request: dict[str, Any]) -> bytes:
    out, out_ends, statuses = bytearray(libkeep.MAX_PACKET_LEN), array.array("I", [0]), bytearray(1)
    ends = array.array("I", [len(events[0])])
    places = (request["stream_id"], request["sequence"], request["flags"])
    expect("sealed", 1, sealer.seal_packed(events[0], ends, *places, out, out_ends, statuses))
    expect("status of a packed batch", 0, statuses[0])
    return bytes(out[: out_ends[0]])


def by_heartbeat(sealer: Session, events: Sequence[bytes], request: dict[str, Any]) -> bytes:
    return sealer.heartbeat()


def by_heartbeat_into(sealer: Session, events: Sequence[bytes], request: dict[str, Any]) -> bytes:
    out = bytearray(libkeep.PACKET_OVERHEAD_LEN)
    return bytes(out[: sealer.heartbeat_into(out)])


WAYS: list[Callable[[Session, Sequence[bytes], dict[str, Any]], bytes]] = [by_seal, by_seal_into, by_batch, by_pool]


def ways(events: Sequence[bytes], request: dict[str, Any]) -> list[Callable[[Session, Sequence[bytes], Any], bytes]]:
    """Every way to seal a request."""
    if request["kind"] is HEARTBEAT:
        return [*WAYS, by_heartbeat, by_heartbeat_into]
    is_plain = len(events) == 1 and not request["subprotocol_id"] and request["settings"] == PacketSettings()
    return [*WAYS, by_packed] if is_plain else WAYS


# Ways to open


def open_into(opener: Session, datagram: bytes) -> Opened[memoryview]:
    return opener.open_into(datagram, bytearray(libkeep.MAX_PAYLOAD_LEN))


def open_in_place(opener: Session, datagram: bytes) -> Opened[memoryview]:
    inside = memoryview(bytearray(datagram))
    return opener.open_into(inside, inside[libkeep.PACKET_HEADER_LEN :])


def open_as_batch(opener: Session, datagram: bytes) -> Opened[bytes]:
    (opened,) = opener.open_batch([datagram])
    if opened.status != 0:
        raise libkeep.by_status[opened.status]
    return opened


@dataclasses.dataclass
class Packed:
    """The output of `open_packed`: the events of each datagram, and its status."""

    events: list[list[bytes]]
    statuses: bytes


def open_packed(opener: Session, datagrams: Sequence[bytes], cap: int = 0, event_cap: int = 0) -> Packed:
    ends = array.array("I")
    for datagram in datagrams:
        ends.append((ends[-1] if ends else 0) + len(datagram))
    out, spans = bytearray(cap), array.array("I", bytes(8 * event_cap))
    packet_ends, statuses = array.array("I", bytes(4 * len(ends))), bytearray(len(ends))
    count = opener.open_packed(b"".join(datagrams), ends, out, spans, packet_ends, statuses)
    expect("opened", statuses.count(0), count)
    pieces = [bytes(out[at : at + length]) for at, length in zip(spans[::2], spans[1::2])]
    begins = [0, *packet_ends]
    return Packed([pieces[begin:end] for begin, end in zip(begins, begins[1:])], bytes(statuses))


OPENERS: list[Callable[[Session, bytes], Opened[Any]]] = [Session.open, open_into, open_in_place, open_as_batch]


# Building


def run_build(case: Fields, position: int) -> None:
    if case["kind"] == "handshake":
        run_frame(case)
        return
    keyed, request = Keyed.of(case, "counter"), request_of(case)
    events, want = take_events(case), take(case, "packet", plain_data)
    for way in ways(events, request):
        with keyed.sealing() as sealer:
            expect(way.__name__, want, way(sealer, events, request))
    for opens in OPENERS:
        with keyed.opening() as opener:
            expect("events", events, list(map(bytes, opens(opener, want).events)))


def run_frame(case: Fields) -> None:
    message, request = take(case, "handshake_payload", plain_data), request_of(case)
    want, out = take(case, "packet", plain_data), bytearray(libkeep.MAX_PACKET_LEN)
    expect("handshake_frame", want, packet.handshake_frame(message))
    expect("handshake_frame_into", want, bytes(out[: packet.handshake_frame_into(message, out)]))
    expect("a pool", want, by_pool(None, [message], request))
    expect("kind", HANDSHAKE, packet.parse(want).kind)


def run_build_errors(case: Fields, position: int) -> None:
    want = take(case, "status", status_name)
    if case["kind"] == "handshake":
        message, request = take(case, "handshake_payload", plain_data), request_of(case)
        expect("status", want, status_of(lambda: packet.handshake_frame(message)))
        expect("status of a pool", want, status_of(lambda: by_pool(None, [message], request)))
        return
    keyed, request = Keyed.of(case, "first_counter"), request_of(case)
    events, next_counter = take(case, "events", events_of), take(case, "next_counter", integer64)
    with keyed.sealing() as sealer:
        for way in WAYS:
            expect(f"status {way.__name__}", want, status_of(partial(way, sealer, events, request)))
            expect("next_counter", next_counter, sealer.stats().next_counter)


# Room


def run_buffers(case: Fields, position: int) -> None:
    {"seal": run_seal_buffers, "open": run_open_buffers}[take(case, "op", text)](case)


def run_seal_buffers(case: Fields) -> None:
    keyed, events = Keyed.of(case, "first_counter"), take(case, "events", events_of)
    request = numbers_of(case, "stream_id", "sequence")
    out = bytearray(take(case, "cap", integer))
    with keyed.sealing() as sealer:
        needed = refused(case, lambda: sealer.seal_into(events, out, **request)).needed
        expect("needed_len", take(case, "needed_len", integer), needed)
        expect("next_counter", take(case, "next_counter", integer64), sealer.stats().next_counter)
        expect("buffer", bytes(len(out)), bytes(out))
        expect("packet", take(case, "packet", plain_data), by_seal_into(sealer, events, request))


def run_open_buffers(case: Fields) -> None:
    keyed, datagram = Keyed.of(case), take(case, "packet", plain_data)
    caps = take(case, "data_cap", integer), take(case, "event_cap", integer)
    with keyed.opening() as opener:
        if case["status"] != "BUFFER_TOO_SMALL":
            (status,) = open_packed(opener, [datagram], *caps).statuses
            expect("status", take(case, "status", status_name), NAMES[status])
            return
        values = refused(case, lambda: open_packed(opener, [datagram], *caps)).values[:2]
        needs = take(case, "needed_data_len", integer), take(case, "needed_event_count", integer)
        expect("needs", needs, values)
        expect("events", take(case, "events", events_of), open_packed(opener, [datagram], *needs).events[0])


def refused(case: Fields, call: Callable[[], object]) -> libkeep.KeepError:
    """The exception of a call, which has the status of the case."""
    want = take(case, "status", status_name)
    try:
        call()
    except libkeep.KeepError as error:
        expect("status", want, error.name)
        return error
    raise AssertionError(f"expected {want}, got OK")


def run_fit(case: Fields, position: int) -> None:
    events, fits = take(case, "events", events_of), take(case, "fits", boolean)
    status = status_of(lambda: packet.measure(events))
    expect("status", take(case, "status", status_name), status)
    expect("fits", fits, status == "OK")
    if fits:
        expect("packet_len", take(case, "packet_len", integer), packet.measure(events))


def run_max_events(case: Fields, position: int) -> None:
    expect("max_events", take(case, "max_events", integer), packet.max_events(take(case, "event_len", integer)))


# Reading


def run_prefix(case: Fields, position: int) -> None:
    with session(bytes(range(32)), take(case, "session_id", integer64), seals=True) as sealer:
        expect("prefix", take(case, "prefix", plain_data), sealer.heartbeat()[12:16])


def run_parse(case: Fields, position: int) -> None:
    datagram, want = take(case, "packet", plain_data), take(case, "status", status_name)
    expect("status", want, status_of(lambda: packet.parse(datagram)))
    if want == "OK":
        expect_info("info", take(case, "info", fields), packet.parse(datagram))


@dataclasses.dataclass
class Step:
    """One datagram of a session, and what is expected of it."""

    datagram: bytes
    status: str
    info: Fields | None
    events: list[bytes]

    @classmethod
    def of(cls, value: Any) -> Step:
        step = dict(fields(value))
        datagram, status = take(step, "packet", plain_data), take(step, "status", status_name)
        info = take(step, "info", fields) if status == "OK" else None
        found = cls(datagram, status, info, take(step, "events", events_of) if status == "OK" else [])
        expect("keys of a step", [], sorted(step))
        return found

    def expect(self, opened: Opened[Any]) -> None:
        if self.info is not None:
            expect_info("info", self.info, opened.info)
        expect("events", self.events, list(map(bytes, opened.events)))


def run_open(case: Fields, position: int) -> None:
    keyed, steps = Keyed.of(case), take(case, "steps", list_of(Step.of))
    options = numbers_of(case, "window", "max_failed_opens")
    stats = take(case, "stats", fields)
    datagrams, statuses = [step.datagram for step in steps], [step.status for step in steps]
    for opens in OPENERS:
        with keyed.opening(**options) as opener:
            for step in steps:
                expect(f"status {opens.__name__}", step.status, status_of(partial(check, step, opens, opener)))
            expect_stats(stats, opener)
    with keyed.opening(**options) as opener:
        batch = opener.open_batch(datagrams)
        expect("statuses of a batch", statuses, [NAMES[opened.status] for opened in batch])
        for step, opened in zip(steps, batch):
            step.expect(opened)
        expect_stats(stats, opener)
    with keyed.opening(**options) as opener:
        total = sum(map(len, datagrams))
        packed = open_packed(opener, datagrams, total, total // 4)
        expect("statuses of a packed batch", statuses, [NAMES[status] for status in packed.statuses])
        expect("events of a packed batch", [step.events for step in steps], packed.events)
        expect_stats(stats, opener)


def check(step: Step, opens: Callable[[Session, bytes], Opened[Any]], opener: Session) -> None:
    step.expect(opens(opener, step.datagram))


def expect_stats(want: Fields, opener: Session) -> None:
    stats = dataclasses.asdict(opener.stats())
    expect("stats", want, {name: stats.get(name) for name in want})


def run_replay(case: Fields, position: int) -> None:
    keyed, window = Keyed.of(case), take(case, "window", integer)
    with keyed.opening(window=window) as opener:
        for commit in map(dict, take(case, "commits", list_of(fields))):
            datagram = take(commit, "packet", plain_data)
            expect("counter", take(commit, "counter", integer64), packet.parse(datagram).counter)
            want = "OK" if take(commit, "accepted", boolean) else "REPLAY"
            expect("status", want, status_of(partial(opener.open, datagram)))
            expect("keys of a commit", [], sorted(commit))


# Handshakes


class Exchange:
    """Two handshakes, and the sessions that they end in."""

    def __init__(self, case: Fields) -> None:
        protocol, pattern = take(case, "protocol", text), take(case, "pattern", text)
        expect("protocol", f"Noise_{pattern}_25519_ChaChaPoly_SHA256", protocol)
        self.noise = Noise[pattern.upper()]
        self.shared = take(case, "pre_shared_key", plain_data), take(case, "prologue", plain_data)
        self.public = [self.public_key(case, side) for side in ("init", "resp")]
        remote = take_or(case, "init_remote_static", plain_data, self.public[1])
        own = take_or(case, "resp_pre_shared_key", plain_data, self.shared[0])
        prologue = take_or(case, "resp_prologue", plain_data, self.shared[1])
        knows = remote if self.noise is Noise.IKPSK2 else None
        self.sides = {
            "initiator": self.make(case, Role.INITIATOR, "init", *self.shared, knows),
            "responder": self.make(case, Role.RESPONDER, "resp", own, prologue, None),
        }
        for name in ("init_static", "resp_static", "init_ephemeral", "resp_ephemeral"):
            case.pop(name)

    def public_key(self, case: Fields, side: str) -> bytes:
        with Secret.from_bytes(plain_data(case[f"{side}_static"])) as static:
            public = Handshake.public_key(static)
        expect(f"{side}_static_public", take(case, f"{side}_static_public", plain_data), public)
        return public

    def make(
        self, case: Fields, role: Role, side: str, pre_shared_key: bytes, prologue: bytes, remote: bytes | None
    ) -> Handshake:
        with contextlib.ExitStack() as stack:
            keys = (plain_data(case[f"{side}_static"]), pre_shared_key, plain_data(case[f"{side}_ephemeral"]))
            static, shared, ephemeral = (stack.enter_context(Secret.from_bytes(key)) for key in keys)
            return Handshake(
                self.noise,
                role,
                static_key=static,
                pre_shared_key=shared,
                ephemeral_key=ephemeral,
                remote_static=remote,
                prologue=prologue,
            )

    def close(self) -> None:
        for handshake in self.sides.values():
            handshake.close()

    def step(self, value: Any) -> None:
        step = dict(fields(value))
        op, side = take(step, "op", text), take(step, "side", self.sides.__getitem__)
        want = take(step, "status", status_name)
        {"write": self.write, "read": self.read}[op](side, step, want)
        expect("keys of a step", [], sorted(step))

    def write(self, side: Handshake, step: Fields, want: str) -> None:
        payload, message = take(step, "payload", plain_data), bytearray()
        if want == "OK":
            wanted = take(step, "message", plain_data)
            expect("needed", len(wanted), needed(lambda: side.write_into(payload, bytearray())))
        expect("status of a write", want, status_of(lambda: message.extend(side.write(payload))))
        if want == "OK":
            expect("message", wanted, bytes(message))
            header = packet.handshake_frame(message)[: libkeep.PACKET_HEADER_LEN]
            expect("frame_header", take(step, "frame_header", plain_data), header)

    def read(self, side: Handshake, step: Fields, want: str) -> None:
        message, payload = take(step, "message", plain_data), bytearray()
        wanted = take(step, "payload", plain_data) if want == "OK" else b""
        if wanted:
            expect("needed", len(wanted), needed(lambda: side.read_into(message, bytearray())))
        expect("status of a read", want, status_of(lambda: payload.extend(side.read(message))))
        expect("payload", wanted, bytes(payload))

    def end(self, case: Fields) -> None:
        """Both sides are done: they know each other, and their sessions agree."""
        want = take(case, "handshake_hash", plain_data)
        for name, other in zip(SIDES, reversed(self.public)):
            info = self.sides[name].info()
            expect(
                f"info of the {name}", (HandshakeState.DONE, other, want), (info.state, info.remote_static, info.hash)
            )
        session_id, packets = take(case, "session_id", integer64), take(case, "packets", list_of(fields))
        unconfirmed = take(case, "unconfirmed", text)
        sessions = {name: side.session(aead=aead) for name, side in self.sides.items()}
        for name, made in sessions.items():
            expect(f"the {name} is confirmed", name != unconfirmed, made.stats().confirmed)
            expect("second session", "STATE", status_of(self.sides[name].session))
        self.talk(sessions, session_id, packets)
        forth, back = (take(case, f"key_{one}_to_{other}", plain_data) for one, other in (SIDES, SIDES[::-1]))
        with Secret.from_bytes(forth) as there, Secret.from_bytes(back) as again:
            plain = {
                "initiator": Session(session_id=session_id, tx_key=there, rx_key=again, aead=aead),
                "responder": Session(session_id=session_id, tx_key=again, rx_key=there, aead=aead),
            }
        self.talk(plain, session_id, packets)

    def talk(self, sessions: dict[str, Session], session_id: int, packets: list[Fields]) -> None:
        """Each side's first packet, opened by the other; closes the sessions."""
        for value in packets:
            each = dict(value)
            side, events = take(each, "side", text), take(each, "events", events_of)
            request = numbers_of(each, "stream_id", "sequence")
            datagram = sessions[side].seal(events, **request)
            expect("packet", take(each, "packet", plain_data), datagram)
            (other,) = (made for name, made in sessions.items() if name != side)
            expect("events", tuple(events), other.open(datagram).events)
            expect("session_id", session_id, packet.parse(datagram).session_id)
            expect("an opened packet confirms", True, other.stats().confirmed)
        for made in sessions.values():
            made.close()


def needed(call: Callable[[], object]) -> int | None:
    """The length that a call without room asks for."""
    try:
        call()
    except libkeep.BufferTooSmallError as error:
        return error.needed
    return None


def run_noise(case: Fields, position: int) -> None:
    exchange = Exchange(case)
    with contextlib.closing(exchange):
        for step in take(case, "steps", list_of(fields)):
            exchange.step(step)
        if "handshake_hash" in case:
            exchange.end(case)


# Pools


class PoolScript(Script):
    def op_session(self, step: Fields, out: Fields) -> None:
        name, session_id = self.name(step), take(step, "session_id", integer64)
        options = numbers_of(step, "first_counter", "window")
        with contextlib.ExitStack() as stack:
            for key in ("tx_key", "rx_key"):
                if key in step:
                    options[key] = stack.enter_context(Secret.from_bytes(take(step, key, self.data)))
            self.bind(name, Session(session_id=session_id, aead=aead, **options))

    def op_pool(self, step: Fields, out: Fields) -> None:
        name, capacity = self.name(step), take(step, "capacity", integer)
        self.bind(name, PacketPool(capacity, settings=take_or(step, "settings", settings_of, None)))

    def op_acquire(self, step: Fields, out: Fields) -> None:
        name = self.name(step)
        self.bind(name, self.on(step).acquire())

    def op_set(self, step: Fields, out: Fields) -> None:
        self.on(step).set(take(step, "settings", settings_of))

    def op_unset(self, step: Fields, out: Fields) -> None:
        self.on(step).set(None)

    def op_build(self, step: Fields, out: Fields) -> None:
        built, sealer, events = self.on(step), self.on(step, "session"), take_events(step)
        built.build(sealer, events, **request_of(step))
        self.show(built, out)

    def op_build_handshake(self, step: Fields, out: Fields) -> None:
        built = self.on(step)
        built.build(None, [take(step, "payload", self.data)], kind=HANDSHAKE)
        self.show(built, out)

    def op_data(self, step: Fields, out: Fields) -> None:
        self.show(self.on(step), out)

    def show(self, built: Packet, out: Fields) -> None:
        with built.data as view:
            out["packet"] = bytes(view)

    def op_pool_stats(self, step: Fields, out: Fields) -> None:
        out.update(dataclasses.asdict(self.on(step).stats()))

    def op_session_stats(self, step: Fields, out: Fields) -> None:
        out["next_counter"] = hex(self.on(step).stats().next_counter)


def run_pools(case: Fields, position: int) -> None:
    run_script(PoolScript, case, position)


ARRAYS: dict[str, Runner] = {
    "build": run_build,
    "build_errors": run_build_errors,
    "buffers": run_buffers,
    "fit": run_fit,
    "max_events": run_max_events,
    "prefix": run_prefix,
    "parse": run_parse,
    "open": run_open,
    "replay": run_replay,
    "noise": run_noise,
    "noise_errors": run_noise,
    "pools": run_pools,
}
