# SPDX-License-Identifier: MIT
"""The cases of keep-packet-1 (packet.md §11)."""

from __future__ import annotations

import array
import contextlib
import dataclasses
import os
from collections.abc import Callable, Sequence
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
    Arrays,
    Forms,
    Operations,
    Outputs,
    Step,
    expect,
    expect_status,
    integer,
    integer64,
    list_of,
    one_of,
    run_script,
    told,
    word_of,
)

# What all sessions seal and open with.
aead = Aead[os.environ.get("KEEP_TEST_AEAD", "auto").upper().replace("-", "_")]

HEARTBEAT, HANDSHAKE = PacketKind.HEARTBEAT, PacketKind.HANDSHAKE
NAMES = {0: "OK", **{status: error.name for status, error in libkeep.by_status.items()}}
OTHER = {"initiator": "responder", "responder": "initiator"}


# Requests


def events_of(step: Step) -> list[bytes]:
    found: list[bytes] = []
    for value in step.take("events", list_of(lambda each: each), []):
        if isinstance(value, dict) and "count" in value:
            many = step.part(value, "count event")
            found += [many.data("event")] * many.integer("count")
        else:
            found.append(step.run.data(value))
    return found


SETTINGS: Forms = {
    "origin_hash": integer64,
    **dict.fromkeys(("subnet_id", "channel_hash", "priority", "hop_ttl"), integer),
}
PLACE: Forms = {"stream_id": integer64, "sequence": integer64}
REQUEST: Forms = {"kind": word_of(PacketKind), **PLACE, "flags": integer, "subprotocol_id": integer}


def settings_of(step: Step) -> PacketSettings | None:
    if "settings" not in step:
        return None
    return PacketSettings(**step.part(step.fields.take("settings"), " ".join(SETTINGS)).given(SETTINGS))


def request_of(step: Step) -> dict[str, Any]:
    """The keywords of a request; those that the kind does not have are not there."""
    request = step.given(REQUEST)
    settings = settings_of(step)
    return request if settings is None else {**request, "settings": settings}


# Sessions


SESSION: Forms = {"session_id": integer64, "first_counter": integer64, "window": integer, "max_failed_opens": integer64}


def make_session(step: Step, **keys: bytes | None) -> Session:
    """A session of keys, and of what the step says of it."""
    options = step.given(SESSION)
    if "counter" in step:
        options["first_counter"] = step.integer64("counter")
    with contextlib.ExitStack() as stack:
        for name, key in keys.items():
            if key is not None:
                options[name] = stack.enter_context(Secret.from_bytes(key))
        return Session(aead=aead, **options)


def sealing(step: Step) -> Session:
    return make_session(step, tx_key=step.data("key"))


def opening(step: Step) -> Session:
    return make_session(step, rx_key=step.data("key"))


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


def run_build(step: Step) -> None:
    request, events, built = request_of(step), events_of(step), b""
    if request["kind"] is HANDSHAKE:
        run_frame(step, request)
        return
    place = "stream_id sequence flags subprotocol_id settings events" if request["kind"] is PacketKind.DATA else ""
    step.part(step.fields, f"key session_id counter {place}")
    for way in ways(events, request):
        with sealing(step) as sealer:
            built = way(sealer, events, request)
            step.expect("packet", built)
    for opens in OPENERS:
        with opening(step) as opener:
            expect("events", events, list(map(bytes, opens(opener, built).events)))


def run_frame(step: Step, request: dict[str, Any]) -> None:
    message, out = step.data("handshake_payload"), bytearray(libkeep.MAX_PACKET_LEN)
    step.expect("packet", packet.handshake_frame(message))
    step.expect("packet", bytes(out[: packet.handshake_frame_into(message, out)]))
    step.expect("packet", by_pool(None, [message], request))
    expect("kind", HANDSHAKE, packet.parse(packet.handshake_frame(message)).kind)


def run_build_errors(step: Step) -> None:
    request, events = request_of(step), events_of(step)
    if request["kind"] is HANDSHAKE:
        message = step.data("handshake_payload")
        expect_status("a frame", step.status, lambda: packet.handshake_frame(message))
        expect_status("a pool", step.status, lambda: by_pool(None, [message], request))
        return
    step.part(step.fields, "key session_id first_counter events next_counter")
    with sealing(step) as sealer:
        for way in WAYS:
            expect_status(way.__name__, step.status, partial(way, sealer, events, request))
            expect("next_counter", step.integer64("next_counter"), sealer.stats().next_counter)


# Room


def refused(step: Step, call: Callable[[], object]) -> libkeep.KeepError:
    """The exception of a call, which has the status of the step."""
    try:
        call()
    except libkeep.KeepError as error:
        expect("status", step.status, error.name)
        return error
    raise AssertionError(f"expected {step.status}, got OK")


def run_seal_buffers(step: Step) -> None:
    step.part(step.fields, "first_counter events cap next_counter")
    events, request, out = events_of(step), step.given(PLACE), bytearray(step.integer("cap"))
    with sealing(step) as sealer:
        if step.status == "OK":
            step.expect("packet", bytes(out[: sealer.seal_into(events, out, **request)]))
        else:
            refusal = refused(step, lambda: sealer.seal_into(events, out, **request))
            expect("buffer", bytes(len(out)), bytes(out))
        expect("next_counter", step.integer64("next_counter"), sealer.stats().next_counter)
        if step.status == "BUFFER_TOO_SMALL":
            step.expect("needed_len", refusal.needed)
            step.expect("packet", by_seal_into(sealer, events, request))


def run_open_buffers(step: Step) -> None:
    step.part(step.fields, "data_cap event_cap")
    datagrams, caps = [step.data("packet")], [step.integer("data_cap"), step.integer("event_cap")]
    with opening(step) as opener:
        if step.status == "BUFFER_TOO_SMALL":
            caps = list(refused(step, lambda: open_packed(opener, datagrams, *caps)).values[:2])
            step.expect("needed_data_len", caps[0])
            step.expect("needed_event_count", caps[1])
            if "events" not in step:
                return
        packed = open_packed(opener, datagrams, *caps)
        expect("status", "OK" if "events" in step else step.status, NAMES[packed.statuses[0]])
        expect("events", events_of(step), packed.events[0])


def run_fit(step: Step) -> None:
    events = events_of(step)
    expect_status("measure", step.status, lambda: packet.measure(events))
    step.expect("fits", step.status == "OK")
    if step.status == "OK":
        step.expect("packet_len", packet.measure(events))


# Reading


def run_prefix(step: Step) -> None:
    with make_session(step, tx_key=bytes(range(32))) as sealer:
        step.expect("prefix", sealer.heartbeat()[12:16])


def expect_info(step: Step, info: PacketInfo) -> None:
    step.expect_all("info", told(info, is_wide=lambda name: True))


def run_parse(step: Step) -> None:
    datagram = step.data("packet")
    expect_status("parse", step.status, lambda: packet.parse(datagram))
    if step.status == "OK":
        expect_info(step, packet.parse(datagram))


def expect_opened(step: Step, opened: Opened[Any]) -> None:
    if step.status == "OK":
        expect_info(step, opened.info)
        expect("events", events_of(step), list(map(bytes, opened.events)))


def open_singly(opens: Callable[[Session, bytes], Opened[Any]], opener: Session, steps: list[Step]) -> None:
    for step in steps:
        call = partial(opens, opener, step.data("packet"))
        expect_status(opens.__name__, step.status, lambda: expect_opened(step, call()))  # noqa: B023


def open_at_once(opener: Session, steps: list[Step]) -> None:
    opened = opener.open_batch([step.data("packet") for step in steps])
    expect("statuses of a batch", [step.status for step in steps], [NAMES[each.status] for each in opened])
    for step, each in zip(steps, opened):
        expect_opened(step, each)


def open_all_packed(opener: Session, steps: list[Step]) -> None:
    datagrams = [step.data("packet") for step in steps]
    total = sum(map(len, datagrams))
    packed = open_packed(opener, datagrams, total, total // 4)
    expect("statuses of a packed batch", [step.status for step in steps], [NAMES[each] for each in packed.statuses])
    for step, events in zip(steps, packed.events):
        expect("events of a packed batch", events_of(step) if step.status == "OK" else [], events)


def run_open(step: Step) -> None:
    singly: list[Callable[[Session, list[Step]], None]] = [partial(open_singly, opens) for opens in OPENERS]
    for run in (*singly, open_at_once, open_all_packed):
        with opening(step) as opener:
            run(opener, step.parts("steps", "packet status"))
            stats = told(opener.stats())
            step.expect_all("stats", {name: stats[name] for name in ("opened", "auth_failed", "replayed", "malformed")})


def run_replay(step: Step) -> None:
    with opening(step) as opener:
        for commit in step.parts("commits", "counter packet accepted"):
            datagram = commit.data("packet")
            expect("counter", commit.integer64("counter"), packet.parse(datagram).counter)
            expect_status("a commit", "OK" if commit.flag("accepted") else "REPLAY", partial(opener.open, datagram))


# Handshakes


noise_of = one_of({"IKpsk2": Noise.IKPSK2, "XXpsk3": Noise.XXPSK3})


def own_or(step: Step, side: str, key: str) -> bytes:
    """What one side has of its own, or else both."""
    return step.data(f"{side}_{key}" if f"{side}_{key}" in step else key)


def make_handshake(step: Step, role: Role, side: str, **options: Any) -> Handshake:
    keys = {f"{name}_key": step.data(f"{side}_{name}") for name in ("static", "ephemeral")}
    keys["pre_shared_key"] = own_or(step, side, "pre_shared_key")
    with contextlib.ExitStack() as stack:
        secrets: Any = {name: stack.enter_context(Secret.from_bytes(key)) for name, key in keys.items()}
        step.expect(f"{side}_static_public", Handshake.public_key(secrets["static_key"]))
        return Handshake(
            step.take("pattern", noise_of), role, prologue=own_or(step, side, "prologue"), **secrets, **options
        )


def make_sides(step: Step) -> dict[str, Handshake]:
    expect("protocol", f"Noise_{step.text('pattern')}_25519_ChaChaPoly_SHA256", step.text("protocol"))
    remote = step.data("init_remote_static") or step.data("resp_static_public")
    options = {"remote_static": remote} if step.take("pattern", noise_of) is Noise.IKPSK2 else {}
    return {
        "initiator": make_handshake(step, Role.INITIATOR, "init", **options),
        "responder": make_handshake(step, Role.RESPONDER, "resp"),
    }


def needed(call: Callable[[], object]) -> int | None:
    """The length that a call without room asks for."""
    try:
        call()
    except libkeep.BufferTooSmallError as error:
        return error.needed
    return None


def write(side: Handshake, step: Step) -> None:
    payload, message = step.data("payload"), bytearray()
    room = needed(lambda: side.write_into(payload, bytearray())) if step.status == "OK" else None
    expect_status("a write", step.status, lambda: message.extend(side.write(payload)))
    if step.status == "OK":
        expect("needed", len(message), room)
        step.expect("message", bytes(message))
        step.expect("frame_header", packet.handshake_frame(message)[: libkeep.PACKET_HEADER_LEN])


def read(side: Handshake, step: Step) -> None:
    message = step.data("message")
    if step.status != "OK":
        expect_status("a read", step.status, lambda: side.read(message))
        return
    room = needed(lambda: side.read_into(message, bytearray()))
    payload = b"" if room is None else side.read(message)
    expect("needed", len(payload), room or 0)
    step.expect("payload", payload)


MESSAGES = {"write": (write, "payload"), "read": (read, "message")}


def run_end(step: Step, sides: dict[str, Handshake]) -> None:
    """Both sides are done: they know each other, and their sessions agree with plain ones of the same keys."""
    sessions = {}
    for name, side in sides.items():
        info = side.info()
        expect(f"state of the {name}", HandshakeState.DONE, info.state)
        step.expect(f"{OTHER[name][:4]}_static_public", info.remote_static)
        step.expect("handshake_hash", info.hash)
        sessions[name] = side.session(aead=aead)
        is_confirmed = step.take("unconfirmed", one_of(OTHER)) == name
        expect(f"the {name} is confirmed", is_confirmed, sessions[name].stats().confirmed)
        expect_status("a second session", "STATE", side.session)
    talk(step, sessions)
    forth, back = step.data("key_initiator_to_responder"), step.data("key_responder_to_initiator")
    initiator = make_session(step, tx_key=forth, rx_key=back)
    talk(step, {"initiator": initiator, "responder": make_session(step, tx_key=back, rx_key=forth)})


def talk(step: Step, sessions: dict[str, Session]) -> None:
    """Each side's first packet, opened by the other; closes the sessions."""
    for each in step.parts("packets", "side stream_id sequence events packet"):
        other, events = sessions[each.take("side", one_of(OTHER))], events_of(each)
        datagram = sessions[each.text("side")].seal(events, **each.given(PLACE))
        each.expect("packet", datagram)
        expect("events", tuple(events), other.open(datagram).events)
        expect("session_id", step.integer64("session_id"), packet.parse(datagram).session_id)
        expect("an opened packet confirms", True, other.stats().confirmed)
    for made in sessions.values():
        made.close()


def run_noise(step: Step) -> None:
    sides = make_sides(step)
    with contextlib.ExitStack() as stack:
        for side in sides.values():
            stack.callback(side.close)
        for message in step.parts("steps", "op side status"):
            run, inputs = message.take("op", one_of(MESSAGES))
            run(message.take("side", one_of(sides)), message.part(message.fields, inputs))
        if "handshake_hash" in step:
            run_end(step, sides)


# Pools


def make_pool(step: Step) -> None:
    step.bind(lambda: PacketPool(step.integer("capacity"), settings=settings_of(step)))


def build(step: Step, session: Session | None, events: Sequence[bytes], **request: Any) -> Outputs:
    step.on().build(session, events, **request)
    return show(step.on())


def show(built: Packet) -> Outputs:
    with built.data as view:
        return {"packet": bytes(view)}


NOISE = (
    "protocol pattern pre_shared_key prologue init_static resp_static init_static_public resp_static_public "
    "init_ephemeral resp_ephemeral steps"
)
BUFFERS = {"seal": run_seal_buffers, "open": run_open_buffers}

ARRAYS: Arrays = {
    "build": ("kind packet", run_build),
    "build_errors": ("kind status", run_build_errors),
    "buffers": ("op key session_id status", lambda step: step.take("op", one_of(BUFFERS))(step)),
    "fit": ("events fits status", run_fit),
    "max_events": ("event_len", lambda step: step.expect("max_events", packet.max_events(step.integer("event_len")))),
    "prefix": ("session_id", run_prefix),
    "parse": ("packet status", run_parse),
    "open": ("key session_id window steps stats", run_open),
    "replay": ("key session_id window commits", run_replay),
    "noise": (NOISE, run_noise),
    "noise_errors": (NOISE, run_noise),
    "pools": ("script", run_script),
}

OPERATIONS: Operations = {
    "session": (
        "as session_id",
        lambda step: step.bind(lambda: make_session(step, tx_key=step.data("tx_key"), rx_key=step.data("rx_key"))),
    ),
    "pool": ("as capacity", make_pool),
    "acquire": ("on as", lambda step: step.bind(step.on().acquire)),
    "set": ("on settings", lambda step: step.on().set(settings_of(step))),
    "unset": ("on", lambda step: step.on().set(None)),
    "build": ("on session kind", lambda step: build(step, step.on("session"), events_of(step), **request_of(step))),
    "build_handshake": ("on payload", lambda step: build(step, None, [step.data("payload")], kind=HANDSHAKE)),
    "data": ("on", lambda step: show(step.on())),
    "pool_stats": ("on", lambda step: told(step.on().stats())),
    "session_stats": ("on", lambda step: told(step.on().stats(), is_wide=lambda name: True)),
}
