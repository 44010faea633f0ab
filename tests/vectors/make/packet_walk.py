# SPDX-License-Identifier: MIT
"""Packet cases drawn at random, the same at every run, whose results the model tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from packet_handshakes import LOW_ORDER, Talk
from packet_model import COMPLETE, SIDES
from packet_noise import MESSAGES, overhead
from packet_pools import Packet, Pool, Pools
from packet_session import LAST, WINDOWS, Session
from packet_values import integer
from packet_wire import FORM, HEADER_LEN, MAX_PAYLOAD, Header, framed, sealed
from walk import Dice

Case = dict[str, Any]

# Lengths of payloads around the blocks of the ciphers and the ends of what fits.
PAYLOADS = (0, 1, 4, 5, 15, 16, 59, 60, 63, 64, 65, 127, 128, 191, 192, 252, 256, 257, 444, 447, 448, 449, 511, 520)
LARGE = (1023, 1024, 2047, 2048, 4095, 4096, 8107, 8108)
NUMBERS = (0, 1, 2, 255, 2**16, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1)
CARRIED = 0xCF
STEPS = 40


class Draw(Dice):
    """Values of cases."""

    def number(self) -> int:
        """64 bits, often at a border."""
        return int(self.bytes(8), 16) if self.below(3) == 0 else self.one_of(NUMBERS)

    def chance(self, one_in: int) -> bool:
        """Seldom."""
        return self.below(one_in) == 0

    def settings(self) -> Case:
        """All five."""
        small = {"channel_hash": 2**16, "priority": 2**8, "hop_ttl": 2**8, "subnet_id": 2**32}
        drawn = {key: self.number() % limit for key, limit in small.items()}
        return {"origin_hash": hex(self.number()), **drawn}

    def events(self, total: int) -> list[str]:
        """Events whose payload is so long, or less than four bytes shorter."""
        events: list[str] = []
        while total >= 4 and len(events) < 2027:
            length = total - 4 if self.chance(2) else self.below(total - 3)
            events.append(self.bytes(length))
            total -= length + 4
        return events

    def payload(self) -> int:
        """The length of a payload, seldom long."""
        return self.one_of(LARGE) if self.chance(12) else self.one_of(PAYLOADS)

    def session(self) -> Case:
        """Key and id."""
        return {"key": self.bytes(32), "session_id": hex(self.number())}

    def address(self) -> Case:
        """Stream and sequence."""
        return {"stream_id": hex(self.number()), "sequence": hex(self.number())}

    def marks(self, flags: int) -> Case:
        """Flags and protocol."""
        return {"flags": flags, "subprotocol_id": self.number() % 2**16}

    def header(self, session_id: int, counter: int) -> Header:
        """Any authentic one."""
        drawn = {key: self.number() for key in ("stream_id", "sequence", "origin_hash")}
        drawn |= {key: self.number() % 256 for key in ("priority", "hop_ttl", "hop_count", "frag_flags")}
        drawn |= {key: self.number() % 2**16 for key in ("subprotocol_id", "fragment_id", "fragment_offset")}
        flags = 0x20 if self.chance(6) else self.below(256) & CARRIED
        return Header(**drawn, flags=flags, session_id=session_id, counter=counter)


def build(draw: Draw) -> Case:
    """What can be sealed."""
    kind = draw.one_of(("data", "data", "data", "heartbeat", "handshake"))
    if kind == "handshake":
        return {"kind": kind, "handshake_payload": draw.bytes(draw.payload())}
    case = {"kind": kind, **draw.session(), "counter": hex(min(draw.number(), LAST - 1))}
    if kind == "heartbeat":
        return case
    case |= draw.address() | draw.marks(draw.below(256) & CARRIED)
    return case | {"settings": draw.settings(), "events": draw.events(draw.payload())}


def faulty_events(draw: Draw) -> list[Any]:
    """Too many, too long, or none of it."""
    many = {"count": 2028 + draw.below(3) * 30000, "event": draw.bytes(draw.below(2))}
    long = {"repeat": 8105 + draw.one_of((0, 1, 57427, 57431)), "hex": "5a"}
    split = draw.below(8000)
    both = [{"repeat": split, "hex": "01"}, {"repeat": 8101 - split, "hex": "02"}]
    return draw.one_of(([], ["78"], [many], [long], both, [long, many], [many, long], [{"count": 2027, "event": ""}]))


def build_errors(draw: Draw) -> Case:
    """What has one fault at least."""
    while True:
        kind = draw.one_of(("data", "data", "heartbeat"))
        case = {"kind": kind, **draw.session(), "first_counter": hex(draw.one_of((0, 7, LAST - 1, LAST, LAST)))}
        case |= {"stream_id": "0x0", "sequence": "0x0", "flags": 0, "subprotocol_id": 0}
        case |= {key: hex(draw.number()) for key in ("stream_id", "sequence") if draw.chance(3)}
        case |= {key: draw.number() % 256 for key in ("flags", "subprotocol_id") if draw.chance(3)}
        case["events"] = faulty_events(draw)
        COMPLETE["build_errors"](case)
        if case["status"] != "OK":
            return case


def buffers(draw: Draw) -> Case:
    """Room that lacks a byte, an event, or all; what comes with room is no refusal."""
    while True:
        case = seal_buffer(draw) if draw.chance(2) else open_buffer(draw)
        COMPLETE["buffers"](case)
        if "events" in case if case["status"] == "BUFFER_TOO_SMALL" else case["status"] != "OK":
            return case


def seal_buffer(draw: Draw) -> Case:
    """Too small for a datagram."""
    events = draw.events(draw.payload())
    need = HEADER_LEN + 16 + len(framed(map(bytes.fromhex, events)))
    cap = draw.one_of((0, 1, 67, 68, 83, need - 1, need - 1, need - 17, draw.below(need)))
    case = {"op": "seal", **draw.session(), "first_counter": hex(min(draw.number(), LAST - 1)), **draw.address()}
    return case | {"events": events, "cap": max(0, min(cap, need - 1))}


def open_buffer(draw: Draw) -> Case:
    """Too small for its plaintext, or not; damaged, or not."""
    case = draw.session()
    events = draw.events(draw.payload())
    header = draw.header(integer(case["session_id"]), draw.below(9))._replace(flags=0, event_count=len(events))
    plaintext = framed(map(bytes.fromhex, events))
    if draw.chance(4):
        header = header._replace(event_count=draw.one_of((0, 1, 2027, len(plaintext) // 4)))
    datagram = sealed(bytes.fromhex(case["key"]), header, plaintext)
    if draw.chance(4):
        datagram = damaged(draw, datagram)
    data_cap = max(0, len(plaintext) - draw.below(3))
    event_cap = max(0, min(header.event_count, len(plaintext) // 4) - draw.below(3))
    return {"op": "open", **case, "packet": datagram.hex(), "data_cap": data_cap, "event_cap": event_cap}


def damaged(draw: Draw, datagram: bytes) -> bytes:
    """A datagram after an accident, or an attack."""
    raw = bytearray(datagram)
    turn = draw.below(6)
    if turn == 0:
        return datagram[: draw.below(len(datagram))]
    if turn == 1:
        return datagram + bytes.fromhex(draw.bytes(1 + draw.below(17)))
    if turn == 2:
        length = draw.one_of((0, len(raw) - 85, len(raw) - 83, 8108, 8109, 65535))
        raw[64:66] = max(0, length).to_bytes(2, "little")
        return bytes(raw)
    if turn == 3:
        raw[66:68] = draw.one_of((0, 1, 2027, 2028, 65535)).to_bytes(2, "little")
        return bytes(raw)
    for _ in range(1 + draw.below(2)):
        raw[draw.below(HEADER_LEN if turn == 4 else len(raw))] ^= 1 << draw.below(8)
    return bytes(raw)


def authentic(draw: Draw, key: bytes, session_id: int, counter: int) -> bytes:
    """A datagram of the key's holder, who may not know how events are framed."""
    header = draw.header(session_id, counter)
    if header.kind() == "heartbeat":
        return sealed(key, header._replace(event_count=draw.below(2) * draw.below(2)), b"")
    events = draw.events(draw.payload())
    plaintext = bytearray(framed(map(bytes.fromhex, events)))
    count = len(events)
    if draw.chance(8):
        count = min(2027, count + draw.one_of((0, 1, 1000)))
        plaintext += bytes(draw.below(5))
    if draw.chance(8) and plaintext:
        plaintext[draw.below(min(4, len(plaintext)))] ^= 1 << draw.below(8)
    if draw.chance(12):
        count = max(0, count - 1)
    return sealed(key, header._replace(event_count=count), bytes(plaintext[:MAX_PAYLOAD]))


def counters(draw: Draw, window: int, count: int) -> Iterator[int]:
    """Counters near to, and far from, the end of a window."""
    top = draw.one_of((0, 0, 5, window - 1, window, 2**32 - 2, 2**63 - 2, LAST - window - 3, LAST - 4))
    for _ in range(count):
        step = draw.one_of((0, 1, 1, 2, 63, 64, 65, window - 1, window, window + 1, window + 63, window + 64))
        counter = top + step if draw.chance(2) else top - step
        counter = draw.number() if draw.chance(40) else min(max(counter, 0), LAST)
        top = max(top, counter) if counter < LAST - 1 or draw.chance(9) else top
        yield counter


def opens(draw: Draw) -> Case:
    """A receiver's day."""
    window = draw.one_of(WINDOWS)
    case: Case = {**draw.session(), "window": window, "steps": []}
    key, session_id = bytes.fromhex(case["key"]), integer(case["session_id"])
    if draw.chance(3):
        case["max_failed_opens"] = 1 + draw.below(5)
    sent: list[bytes] = []
    for counter in counters(draw, window, 1 + draw.below(24)):
        turn = draw.below(12)
        if turn < 2 and sent:
            datagram = draw.one_of(sent)
        elif turn == 2:
            datagram = sealed(bytes.fromhex(draw.bytes(32)), Header(session_id=session_id, counter=counter), b"")
        elif turn == 3:
            datagram = authentic(draw, key, draw.number(), counter)
        else:
            datagram = authentic(draw, key, session_id, counter)
            sent.append(datagram)
        if draw.chance(4):
            datagram = damaged(draw, datagram)
        case["steps"].append({"packet": datagram.hex()})
    return case


def parse(draw: Draw) -> Case:
    """Anything that may arrive."""
    if draw.chance(4):
        header = Header(*FORM.unpack(bytes.fromhex(draw.bytes(HEADER_LEN))))
        known = header._replace(magic=0x4E45, version=1, payload_len=draw.below(40), event_count=draw.below(2030))
        datagram = known.packed() + bytes(known.payload_len + draw.one_of((0, 15, 16, 17)))
    else:
        datagram = authentic(draw, bytes(32), draw.number(), draw.number())
    return {"packet": (damaged(draw, datagram) if draw.chance(2) else datagram).hex()}


def replay(draw: Draw) -> Case:
    """Commits alone."""
    window = draw.one_of(WINDOWS)
    case: Case = {**draw.session(), "window": window}
    made = (Header(session_id=integer(case["session_id"]), counter=one) for one in counters(draw, window, 40))
    return case | {"commits": [{"packet": sealed(bytes.fromhex(case["key"]), header, b"").hex()} for header in made]}


def fit(draw: Draw) -> Case:
    """Around the ends."""
    events = [*faulty_events(draw), {"count": draw.below(3), "event": draw.bytes(draw.below(9))}]
    return {"events": events if draw.chance(2) else draw.events(draw.one_of(LARGE))}


def noise(draw: Draw) -> Case:
    """A handshake that comes to its end, whatever is done to it on the way."""
    talk = Talk(draw.one_of(tuple(MESSAGES)), draw.bytes(8), draw.bytes(draw.one_of((0, 1, 31, 32, 55, 56, 64, 300))))
    for number, tokens in enumerate(talk.tokens):
        writer, reader = SIDES[number % 2], SIDES[1 - number % 2]
        most = MAX_PAYLOAD - overhead(tokens)
        disturb(draw, talk, reader, number)
        if draw.chance(9):
            talk.write(writer, bytes(most + 1))
        payload = b"\x07" * most if draw.chance(16) else bytes.fromhex(draw.bytes(draw.one_of((0, 1, 16, 99))))
        message = talk.write(writer, payload)
        for _ in range(draw.below(4)):
            talk.read(reader, spoilt(draw, message))
        disturb(draw, talk, writer, number + 1)
        talk.read(reader, message)
    for side in SIDES:
        disturb(draw, talk, side, len(talk.tokens))
    packets = [{"side": side, **draw.address(), "events": draw.events(draw.payload())} for side in SIDES]
    return talk.ended("", *packets)


def disturb(draw: Draw, talk: Talk, side: str, number: int) -> None:
    """A call of a side whose turn it is not."""
    if draw.chance(2):
        return
    if (number == len(talk.tokens) and draw.chance(2)) or SIDES[number % 2] == side:
        talk.read(side, bytes.fromhex(draw.bytes(draw.below(120))))
    else:
        talk.write(side, bytes.fromhex(draw.bytes(draw.below(3))))


def spoilt(draw: Draw, message: bytes) -> bytes:
    """A message that nobody sent."""
    turn = draw.below(5)
    if turn == 0:
        return message[: draw.below(len(message))]
    if turn == 1:
        return message + bytes(1 + draw.below(20))
    if turn == 2:
        return draw.one_of(LOW_ORDER) + message[32:]
    if turn == 3:
        return b"\x09" * draw.one_of((0, 16, 32, 48, 64, 96, 8108, 8109, 9000))
    raw = bytearray(message)
    raw[draw.below(len(raw))] ^= 1 << draw.below(8)
    return bytes(raw)


def pools(draw: Draw) -> Case:
    """Packets between sessions and pools."""
    keys = [draw.bytes(32) for _ in range(3)]
    world, steps = Pools(), []
    for number in range(STEPS):
        step = next_step(draw, world, keys, f"h{number}")
        world.complete([step])
        if not languages_differ(world, step):
            steps.append(step)
    return {"script": steps}


def languages_differ(world: Pools, step: Case) -> bool:
    """Go tells a closed packet before it looks at the request (bindings R42), the others after it (R1)."""
    is_refused = step["op"] == "build" and step.get("status") == "INVALID_ARGUMENT"
    return is_refused and bool(world.handles[step["on"]].freed)


def names(world: Pools, kind: type) -> list[str]:
    """What can be called; a closed packet can, and tells so."""
    found = {name: handle for name, handle in world.handles.items() if isinstance(handle, kind)}
    return [name for name in found if kind is Packet or not world.handles[name].freed]


def next_step(draw: Draw, world: Pools, keys: list[str], name: str) -> Case:
    """A step that can be taken now."""
    sessions, made, packets = (names(world, kind) for kind in (Session, Pool, Packet))
    turn = draw.below(16)
    if turn < 2 or not sessions:
        return session(draw, keys, name)
    if turn == 2 or not made:
        step: Case = {"op": "pool", "as": name, "capacity": draw.one_of((0, 1, 1, 2, 3, 16385))}
        return step | ({"settings": draw.settings()} if draw.chance(2) else {})
    if turn < 5 or not packets:
        return {"op": "acquire", "on": draw.one_of(made), "as": name}
    if turn == 5:
        return {"op": "free", "on": draw.one_of(sessions + made + packets * 2)}
    if turn == 6:
        return {"op": "pool_stats", "on": draw.one_of(made)}
    if turn == 7:
        return {"op": "session_stats", "on": draw.one_of(sessions)}
    on = {"on": draw.one_of(packets)}
    if turn < 10:
        return {"op": "set", **on, "settings": draw.settings()} if turn == 8 else {"op": "unset", **on}
    if turn == 10:
        payload = draw.bytes(draw.below(20)) if draw.chance(2) else {"repeat": 8107 + draw.below(3), "hex": "05"}
        return {"op": "build_handshake", **on, "payload": payload}
    return {"op": "data", **on} if turn == 11 else packet(draw, {**on, "session": draw.one_of(sessions)})


def session(draw: Draw, keys: list[str], name: str) -> Case:
    """A session, if its keys allow it."""
    step: Case = {"op": "session", "as": name, "session_id": hex(draw.number())}
    step |= {key: draw.one_of(keys) for key in ("tx_key", "rx_key") if not draw.chance(3)}
    if draw.chance(8):
        step["tx_key"] = draw.bytes(draw.one_of((0, 31, 33)))
    if draw.chance(2):
        step["first_counter"] = hex(draw.one_of((0, LAST - 2, LAST - 1, LAST, draw.number())))
    if draw.chance(3):
        step["window"] = draw.one_of((0, 1, 512, 1024, 1500, 65536, 131072))
    return step


def packet(draw: Draw, step: Case) -> Case:
    """A build, right or wrong."""
    step = {"op": "build", "kind": "heartbeat", **step}
    if draw.chance(5):
        return step
    step |= {"kind": "data", **draw.address(), **draw.marks(draw.below(256) if draw.chance(4) else draw.below(16))}
    step["events"] = faulty_events(draw) if draw.chance(5) else draw.events(draw.one_of(PAYLOADS))
    return step | ({"settings": draw.settings()} if draw.chance(4) else {})


WALKS: dict[str, Callable[[Draw], Case]] = {
    **{"build": build, "build_errors": build_errors, "buffers": buffers, "fit": fit, "parse": parse},
    **{"open": opens, "replay": replay, "noise": noise, "pools": pools},
}


def walked(array: str, seed: str) -> Case:
    """A case of an array."""
    case = WALKS[array](Draw(f"{array} {seed}"))
    COMPLETE[array](case)
    return case | {"id": f"walk {seed}"}
