# SPDX-License-Identifier: MIT
"""Datagrams as packet §4 writes them, and what a receiver refuses before it has a key (packet R19)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from aead import TAG_LEN, ietf_open, ietf_seal
from model import Refused, refuse

FORM = struct.Struct("<HBBBBBBHHIQQQQQIHHHH")
HEADER_LEN = FORM.size
OVERHEAD = HEADER_LEN + TAG_LEN
MAX_PAYLOAD = 8108
MAX_EVENT = 8104
MAX_EVENTS = 2027
HANDSHAKE_FLAG = 0x10
HEARTBEAT_FLAG = 0x20
LONG = ("counter", "session_id", "stream_id", "sequence", "origin_hash")
UNTOLD = ("magic", "version", "prefix")


class Header(NamedTuple):
    """The fields, in their order."""

    magic: int = 0x4E45
    version: int = 1
    flags: int = 0
    priority: int = 0
    hop_ttl: int = 0
    hop_count: int = 0
    frag_flags: int = 0
    subprotocol_id: int = 0
    channel_hash: int = 0
    prefix: int = 0
    counter: int = 0
    session_id: int = 0
    stream_id: int = 0
    sequence: int = 0
    origin_hash: int = 0
    subnet_id: int = 0
    fragment_id: int = 0
    fragment_offset: int = 0
    payload_len: int = 0
    event_count: int = 0

    def packed(self) -> bytes:
        """The 68 bytes."""
        return FORM.pack(*self)

    def kind(self) -> str:
        """R19, 6."""
        if self.flags & HANDSHAKE_FLAG:
            return "handshake"
        return "heartbeat" if self.flags & HEARTBEAT_FLAG else "data"

    def info(self) -> dict[str, Any]:
        """What `parse` and `open` tell."""
        fields = {key: hex(value) if key in LONG else value for key, value in self._asdict().items()}
        return {"kind": self.kind()} | {key: value for key, value in fields.items() if key not in UNTOLD}

    def nonce(self) -> bytes:
        """R18: from session and counter, whatever the datagram says."""
        return struct.pack("<IQ", prefix(self.session_id), self.counter)

    def aad(self) -> bytes:
        """Everything but the count of hops and the nonce."""
        raw = self._replace(hop_count=0).packed()
        return raw[:12] + raw[24:]


def prefix(session_id: int) -> int:
    """The halves of a session id, folded."""
    return (session_id ^ session_id >> 32) & 0xFFFFFFFF


def framed(events: Iterable[bytes]) -> bytes:
    """R2: the plaintext."""
    return b"".join(struct.pack("<I", len(event)) + event for event in events)


def measured(lengths: list[int]) -> int:
    """R3: the length of the payload, if these events fit into one packet."""
    refuse(len(lengths) > MAX_EVENTS, "PACKET_TOO_MANY_EVENTS")
    total = sum(length + 4 for length in lengths)
    refuse(total > MAX_PAYLOAD, "PACKET_TOO_LARGE")
    return total


def sealed(key: bytes, header: Header, plaintext: bytes) -> bytes:
    """A datagram: the header, told its prefix and length, and what is sealed."""
    header = header._replace(prefix=prefix(header.session_id), payload_len=len(plaintext))
    return header.packed() + ietf_seal(key, header.nonce(), header.aad(), plaintext)


def handshake_frame(message: bytes) -> bytes:
    """R7: in clear."""
    refuse(len(message) > MAX_PAYLOAD, "PACKET_TOO_LARGE")
    return Header(flags=HANDSHAKE_FLAG, payload_len=len(message)).packed() + message


def parsed(datagram: bytes) -> Header:
    """R19, 1 to 7."""
    refuse(len(datagram) < HEADER_LEN, "PACKET_SHORT")
    header = Header(*FORM.unpack_from(datagram))
    refuse(header.magic != 0x4E45, "PACKET_MAGIC")
    refuse(header.version != 1, "PACKET_VERSION")
    refuse(header.payload_len > MAX_PAYLOAD, "PACKET_TOO_LARGE")
    refuse(header.event_count > MAX_EVENTS, "PACKET_TOO_MANY_EVENTS")
    kind, rest = header.kind(), len(datagram) - HEADER_LEN
    refuse(rest != header.payload_len + (0 if kind == "handshake" else TAG_LEN), "PACKET_LENGTH")
    refuse(kind == "heartbeat" and header.payload_len > 0, "PACKET_LENGTH")
    return header


def unsealed(key: bytes, header: Header, datagram: bytes) -> bytes:
    """R19, 9."""
    plaintext = ietf_open(key, header.nonce(), header.aad(), datagram[HEADER_LEN:])
    if plaintext is None:
        raise Refused("AUTH")
    return plaintext


def unframed(plaintext: bytes, count: int) -> list[bytes]:
    """R19, 12 and 13: the events."""
    events = []
    for _ in range(count):
        refuse(len(plaintext) < 4, "PACKET_EVENTS")
        end = 4 + int.from_bytes(plaintext[:4], "little")
        refuse(len(plaintext) < end, "PACKET_EVENTS")
        events.append(plaintext[4:end])
        plaintext = plaintext[end:]
    refuse(plaintext != b"", "PACKET_TRAILING")
    return events
