# SPDX-License-Identifier: MIT
"""Cases of packets that packet.json leaves open: ends of ranges, the order of checks, bits that matter or do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from packet_session import LAST, WINDOWS
from packet_wire import (
    FORM,
    HANDSHAKE_FLAG,
    HEADER_LEN,
    HEARTBEAT_FLAG,
    MAX_PAYLOAD,
    Header,
    framed,
    handshake_frame,
    sealed,
)

Case = dict[str, Any]
Cases = Iterator[Case]

KEY = bytes(range(0x60, 0x80))
SESSION_ID = 0xFEDCBA9876543210
ENDS: Case = {"key": KEY.hex(), "session_id": hex(SESSION_ID)}
PLACE: Case = {"stream_id": "0x1", "sequence": "0x2"}
DATA: Case = {"kind": "data", **ENDS, **PLACE, "flags": 0, "subprotocol_id": 0, "events": ["78"]}
NOWHERE: Case = {"stream_id": "0x0", "sequence": "0x0"}
HEARTBEAT: Case = DATA | NOWHERE | {"kind": "heartbeat", "events": []}
UNSET: Case = {"origin_hash": "0x0", "subnet_id": 0, "channel_hash": 0, "priority": 0, "hop_ttl": 0}
LARGEST: Case = UNSET | {"origin_hash": hex(LAST), "subnet_id": 2**32 - 1, "channel_hash": 2**16 - 1}
LARGEST |= {"priority": 255, "hop_ttl": 255}

MANY = {"count": 2028, "event": ""}
LONG = {"repeat": 8105, "hex": "6c"}


def named(cases: dict[str, Case], common: Case | None = None) -> Cases:
    """Each under its name, a text that says what it shows."""
    for name, case in cases.items():
        yield {"id": name, **(common or {}), **case}


def build() -> Cases:
    """Every length at which a back end goes another way, and the ends of each field."""
    data = DATA | {"counter": "0x0", "settings": UNSET}
    for length in (*range(60, 70), 124, 188, 252, 253, 316, 443, 445, 507, 508, 509, 516, 1020, 2044, 2045, 4092, 8104):
        yield {"id": f"event of {length}", **data, "events": [{"repeat": length, "hex": "e7"}]}
    highest = {"flags": 0xCF, "subprotocol_id": 65535, "settings": LARGEST, "counter": hex(LAST - 1)}
    heartbeat, frame = {"kind": "heartbeat", **ENDS}, {"kind": "handshake"}
    rest = {"repeat": MAX_PAYLOAD - 99 * 6 - 4, "hex": "03"}
    yield from named(
        {
            "all fields at their ends": data | highest | {"stream_id": hex(LAST), "sequence": hex(LAST)},
            "no event, all fields at their ends": data | highest | {"events": []},
            "empty events around one": data | {"events": ["", "", "61", ""]},
            "scattered, full to the last byte": data | {"events": [{"count": 99, "event": "0102"}, rest]},
            "the highest counter below 2^32": data | {"counter": hex(2**32 - 1)},
            "the highest counter below 2^63": data | {"counter": hex(2**63 - 1)},
            "heartbeat with the last counter": heartbeat | {"counter": hex(LAST - 1)},
            "handshake frame without bytes": frame | {"handshake_payload": ""},
            "handshake frame that is full": frame | {"handshake_payload": {"repeat": 8108, "hex": "68"}},
        }
    )


def build_errors() -> Cases:
    """R1: the first that applies; nothing uses a counter."""
    first, spent = {"first_counter": "0x9"}, {"first_counter": hex(LAST)}
    data, heartbeat = DATA | first, HEARTBEAT | first
    yield from named(
        {
            "flag 0x20": data | {"flags": HEARTBEAT_FLAG},
            "all flags": data | {"flags": 255},
            "flag before too many events": data | {"flags": HANDSHAKE_FLAG, "events": [MANY]},
            "flag before the spent counter": data | spent | {"flags": HEARTBEAT_FLAG},
            "too many before too large": data | {"events": [LONG, MANY]},
            "too many before the spent counter": data | spent | {"events": [MANY]},
            "too large before the spent counter": data | spent | {"events": [LONG]},
            "spent": data | spent,
            "spent, without events": data | spent | {"events": []},
            "65537 events": data | {"events": [{"count": 65537, "event": ""}]},
            "2027 events, one of a byte": data | {"events": [{"count": 2026, "event": ""}, "01"]},
            "4050 and 4051": data | {"events": [{"repeat": 4050, "hex": "01"}, {"repeat": 4051, "hex": "02"}]},
            "a sum of 65536": data | {"events": [{"count": 8, "event": {"repeat": 8188, "hex": "08"}}]},
            "heartbeat, spent": heartbeat | spent,
            "heartbeat with a stream": heartbeat | {"stream_id": "0x1"},
            "heartbeat with its own flag": heartbeat | {"flags": HEARTBEAT_FLAG},
            "heartbeat with a flag of data": heartbeat | {"flags": 1},
            "heartbeat with an empty event": heartbeat | {"events": [""]},
            "heartbeat with too many events, spent": heartbeat | spent | {"events": [MANY]},
            "handshake frame of 65535": {"kind": "handshake", "handshake_payload": {"repeat": 65535, "hex": "68"}},
        }
    )


def datagram(events: list[str], **fields: int) -> bytes:
    """One of the session, whose count of events may be a lie."""
    header = Header(session_id=SESSION_ID, stream_id=1, event_count=len(events))
    return sealed(KEY, header._replace(**fields), framed(map(bytes.fromhex, events)))


def buffers() -> Cases:
    """R1 and R21: how much room is asked for, and when."""
    seal = {"op": "seal", **ENDS, "first_counter": "0x6", **PLACE}
    yield from named(
        {
            "seal into exactly enough": {"events": ["616263"], "cap": 91},
            "seal into more than any packet": {"events": ["616263"], "cap": 9000},
            "seal no event, a byte short": {"events": [], "cap": 83},
            "seal a full packet, a byte short": {"events": [{"repeat": 8104, "hex": "66"}], "cap": 8191},
            "too large before no room": {"events": [LONG], "cap": 0},
            "no room is needed to be spent": {"first_counter": hex(LAST), "events": [], "cap": 84},
        },
        seal,
    )
    two, hostile = datagram(["6f6e65", "74776f"]), datagram(["6f6e65", "74776f"], event_count=2027)
    forged = two[:-1] + bytes([two[-1] ^ 1])
    rooms = {"enough": (14, 2), "more": (9000, 3000), "no events": (14, 0), "no data": (0, 2)}
    for name, (data_cap, event_cap) in rooms.items():
        yield {"id": f"open into {name}", **packet_into(two, data_cap, event_cap)}
    yield from named(
        {
            "a heartbeat needs no room": packet_into(datagram([], flags=HEARTBEAT_FLAG), 0, 0),
            "no event needs no room": packet_into(datagram([]), 0, 0),
            "no room before it is authentic": packet_into(forged, 13, 2),
            "room for a forged one": packet_into(forged, 14, 2),
            "a hostile count asks for a quarter": packet_into(hostile, 14, 2),
            "a hostile count is not told the truth": packet_into(hostile, 14, 3),
            "another session before no room": packet_into(datagram(["61"], session_id=1), 0, 0),
            "a cut one before no room": packet_into(two[:-1], 0, 0),
            "a handshake frame before no room": packet_into(handshake_frame(b"hello"), 0, 0),
            "too few frames for their count": packet_into(datagram(["", ""], event_count=1), 8, 1),
        }
    )


def packet_into(packet: bytes, data_cap: int, event_cap: int) -> Case:
    """A case of opening."""
    return {"op": "open", **ENDS, "packet": packet.hex(), "data_cap": data_cap, "event_cap": event_cap}


def fit() -> Cases:
    """R3."""
    ends = {"2026 empty, one of four": [{"count": 2026, "event": ""}, "01020304"], "2028 empty": [MANY]}
    ends |= {"2027 empty": [{"count": 2027, "event": ""}], "65537 empty": [{"count": 65537, "event": ""}]}
    ends |= {"4050 and 4050": [{"count": 2, "event": {"repeat": 4050, "hex": "01"}}], "one of 8105": [LONG]}
    ends |= {
        "a sum of 65536": [{"count": 8, "event": {"repeat": 8188, "hex": "08"}}],
        "too many and too long": [MANY, LONG],
    }
    yield from named({name: {"events": events} for name, events in ends.items()})


def max_events() -> Cases:
    """Where the quotient changes."""
    lengths = (1, 2, 3, 5, 12, 397, 401, 402, 1617, 2023, 2024, 2698, 2699, 4050, 4051, 8104, 8106, 65535, 2**32 - 1)
    yield from named({f"events of {length}": {"event_len": length} for length in lengths})


def prefix() -> Cases:
    """The halves folded."""
    ids = (1, 2**31, 2**63, LAST - 1, 0x0123456789ABCDEF, 0xFFFFFFFF00000000, 0x0000000100000000)
    yield from named({f"prefix of {value:#x}": {"session_id": hex(value)} for value in ids})


PLAIN = Header(session_id=SESSION_ID, payload_len=4, event_count=1)
# Faults in the order of R19, 1 to 7: what each changes in a datagram with room for its tag.
FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "short": lambda raw: raw[:67],
    "magic": lambda raw: b"NE" + raw[2:],
    "version": lambda raw: raw[:2] + b"\x02" + raw[3:],
    "too large": lambda raw: raw[:64] + (8109).to_bytes(2, "little") + raw[66:],
    "too many": lambda raw: raw[:66] + (2028).to_bytes(2, "little") + raw[68:],
    "length": lambda raw: raw + b"\x00",
}


def parse() -> Cases:
    """R19, 1 to 7, in pairs: the earlier one; and what is no fault."""
    good = PLAIN.packed() + bytes(20)
    for first in FAULTS:
        for second in list(FAULTS)[list(FAULTS).index(first) :]:
            yield {"id": f"{first}, {second}", "packet": FAULTS[first](FAULTS[second](good)).hex()}
    counting = bytearray(range(0x80, 0x80 + HEADER_LEN))
    counting[:4], counting[64:] = good[:3] + b"\xcf", b"\x00\x00\xeb\x07"
    frame = Header(flags=HANDSHAKE_FLAG)
    heartbeat = Header(flags=HEARTBEAT_FLAG)
    packets = {
        "every byte another": bytes(counting) + bytes(16),
        "the longest": Header(payload_len=8108, event_count=2027).packed() + bytes(8124),
        "the longest, cut": Header(payload_len=8108).packed() + bytes(8123),
        "header alone": Header().packed(),
        "handshake frame without bytes": frame.packed(),
        "handshake frame, a byte more": frame.packed() + b"\x00",
        "handshake frame with a tag": frame._replace(payload_len=4).packed() + bytes(20),
        "handshake frame with a count": frame._replace(event_count=2027).packed(),
        "handshake frame, too many events": frame._replace(event_count=2028).packed(),
        "handshake frame with all fields": FORM.pack(0x4E45, 1, 0xFF, *range(1, 16), 0, 17),
        "heartbeat with a count": heartbeat._replace(event_count=2027).packed() + bytes(16),
        "heartbeat with a payload": heartbeat._replace(payload_len=1).packed() + bytes(17),
        "heartbeat that says so": heartbeat._replace(payload_len=1).packed() + bytes(16),
        "heartbeat with all other flags": heartbeat._replace(flags=0xEF).packed() + bytes(16),
    }
    yield from named({name: {"packet": packet.hex()} for name, packet in packets.items()})


def steps(name: str, *packets: bytes, window: int = 1024, **more: Any) -> Case:
    """Datagrams, one after the other."""
    return {"id": name, **ENDS, "window": window, **more, "steps": [{"packet": packet.hex()} for packet in packets]}


def flipped(packet: bytes) -> Iterator[bytes]:
    """Each bit of the header in turn, and one of each byte after it."""
    for position in (*range(8 * HEADER_LEN), *range(8 * HEADER_LEN, 8 * len(packet), 9)):
        changed = bytearray(packet)
        changed[position // 8] ^= 1 << position % 8
        yield bytes(changed)


# Plaintexts, and how many events the header says they are.
FRAMES = (
    *(("", 1), ("00", 0), ("000000", 1), ("00000000", 2), ("0000000000000000", 1), ("000000000000000000", 2)),
    *(("0100000000", 1), ("0400000000", 1), ("01000000aa", 0), ("01000000aabb", 1), ("04000000aabbccdd00", 1)),
    *(("fbffffff00", 1), ("0000000001000000", 2), ("ffffffff", 1), ("00000080", 1)),
)


def lying() -> Iterator[bytes]:
    """R20: authentic, and malformed."""
    for number, (text, count) in enumerate(FRAMES):
        header = Header(session_id=SESSION_ID, counter=number, event_count=count)
        yield sealed(KEY, header, bytes.fromhex(text))


def opens() -> Cases:
    """R15, R19, R20, R23."""
    small = datagram(["61"])
    comment = "bytes 6 and 12 to 15 are free, so the first such flip opens and others are replays; the original too"
    yield steps("each bit of the header flipped", *flipped(small), small) | {"comment": comment}
    good = [datagram(["61"], counter=counter) for counter in range(9)]
    forged = [bytes([*packet[:-1], packet[-1] ^ 0x80]) for packet in good]
    wrong = datagram(["61"], event_count=2)
    other = datagram(["61"], session_id=SESSION_ID ^ 1)
    harmless = wrong, wrong, other, good[1][:-1]
    yield steps("only forgeries reach the limit", *harmless, forged[2], good[3], max_failed_opens=1)
    yield steps("the limit of two", good[0], forged[0], good[1], good[1], forged[1], good[2], max_failed_opens=2)
    yield steps("the largest limit", forged[0], good[0], max_failed_opens=1 << 36)
    yield steps("spent, and what comes before and after that", forged[0], *late(good[1]), max_failed_opens=1)
    yield steps("twice in one batch", good[0], good[0], good[1], good[0], good[1])
    yield steps("a malformed one keeps its counter", wrong, good[0], good[1])
    yield steps("malformed, at the end of the window", datagram(["61"], counter=LAST - 1, event_count=0), good[8])
    yield steps("never the highest counter", *(datagram(["61"], counter=LAST, event_count=count) for count in (1, 5)))
    yield steps("frames that lie", *lying())
    beats = [Header(session_id=SESSION_ID, counter=number, flags=HEARTBEAT_FLAG) for number in range(3)]
    odd = beats[0]._replace(event_count=1), beats[1]._replace(flags=0xEF, stream_id=5), beats[2]._replace(frag_flags=9)
    yield steps("heartbeats", *(sealed(KEY, header, b"") for header in (*odd, *beats)))
    full = [datagram([(bytes([number]) * 8104).hex()], counter=number) for number in range(2)]
    yield steps("two full packets", *full, full[0])


def late(packet: bytes) -> Iterator[bytes]:
    """All faults of a header, then none."""
    yield from (change(packet) for change in FAULTS.values())
    yield handshake_frame(b"")
    yield packet


def commits(name: str, window: int, counters: list[int]) -> Case:
    """Heartbeats of these counters."""
    header = Header(session_id=SESSION_ID, flags=HEARTBEAT_FLAG)
    packets = [sealed(KEY, header._replace(counter=counter), b"") for counter in counters]
    return {"id": name, **ENDS, "window": window, "commits": [{"packet": packet.hex()} for packet in packets]}


def replay() -> Cases:
    """R24, for each size: its edges, jumps about as long as the ring, and the last counters."""
    for size in WINDOWS:
        top = 2 * size + 5
        edges = [top - size, top - size + 1, top - 1, top - 63, top - 64, top - 65]
        yield commits(f"edges of {size}", size, [top, *edges, *edges, top + 1, top - size + 1, top - size + 2])
        for jump in (size - 1, size, size + 1, size + 63, size + 64, size + 65, 2 * size, 2**32):
            ends = [jump - size, jump - size + 1, jump - size + 2, jump - 1, jump, jump + 1]
            old = [counter for counter in ends if counter >= 0]
            yield commits(f"jump of {jump} in {size}", size, [0, 1, jump, *old, 0, 1])
        oldest = LAST - size
        last = [LAST - 3, LAST - 1, LAST, LAST - 2]
        yield commits(f"end of {size}", size, [*last, oldest, oldest - 1, oldest, LAST - 1])
