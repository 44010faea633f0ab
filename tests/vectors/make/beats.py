# SPDX-License-Identifier: MIT
"""Frames, notices and their seals, written from the formats of tracker §4 and its rules A and H."""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import NamedTuple

from aead import ietf_open, ietf_seal

BEAT = struct.Struct("<2sBBIQQII")
NOTICE = struct.Struct("<2sBBIIIQB3sI")
BEAT_MAGIC, BEAT_VERSION = b"\x56\x41", 2
NOTICE_MAGIC, NOTICE_VERSION = b"\x4b\x50", 1

TERMINAL = 2**64 - 1
CRITICAL, STALL = 2, 3
OPS = {1: "register", 2: "goodbye"}
MODES = {"shared": 0, "master": 4}  # bytes in clear before the prefix
SEALED_LEN = {"shared": 60, "master": 64}

# Without a word for what is well formed, as a fault of 0.
FAULTS = (
    *("bad_length", "bad_magic", "bad_version", "bad_crc", "bad_status"),
    *("stall_on_wire", "bad_pid", "bad_timestamp", "bad_nonce", "bad_reserved"),
)


class Beat(NamedTuple):
    """The fields of a beat."""

    health: int
    pid: int
    timestamp_ns: int
    nonce: int
    payload: int

    def is_terminal(self) -> bool:
        """R4: a crash's last word."""
        return self.nonce == TERMINAL and self.health == CRITICAL


class Notice(NamedTuple):
    """The fields of a notice."""

    op: str
    pid: int
    threshold_ms: int
    grace_ms: int
    misses: int
    nonce: int


class Fault(NamedTuple):
    """Why bytes are neither, and R3's value."""

    word: str
    value: int = 0


def crc32c(data: bytes) -> int:
    """R1, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def closed(frame: bytes) -> bytes:
    """A frame with the checksum that belongs to its first 28 bytes."""
    return frame[:28] + struct.pack("<I", crc32c(frame[:28]))


def encode_beat(beat: Beat) -> bytes:
    """§4, whether or not anybody would take it."""
    fields = beat.health, beat.pid, beat.timestamp_ns, beat.nonce, beat.payload
    return closed(BEAT.pack(BEAT_MAGIC, BEAT_VERSION, *fields, 0))


def encode_notice(notice: Notice) -> bytes:
    """§4, likewise."""
    op = {word: number for number, word in OPS.items()}[notice.op]
    numbers = notice.pid, notice.threshold_ms, notice.grace_ms, notice.nonce, notice.misses
    return closed(NOTICE.pack(NOTICE_MAGIC, NOTICE_VERSION, op, *numbers, bytes(3), 0))


def decode_beat(data: bytes) -> Beat | Fault:
    """R3: the first failure wins."""
    if len(data) != BEAT.size:
        return Fault("bad_length", len(data))
    magic, version, health, pid, timestamp, nonce, payload, crc = BEAT.unpack(data)
    computed = crc32c(data[:28])
    failures = (
        (magic != BEAT_MAGIC, Fault("bad_magic")),
        (version != BEAT_VERSION, Fault("bad_version")),
        (crc != computed, Fault("bad_crc", computed)),
        (health > STALL, Fault("bad_status", health)),
        (health == STALL, Fault("stall_on_wire")),
        (pid < 2, Fault("bad_pid", pid)),
        (timestamp == 2**64 - 1, Fault("bad_timestamp", timestamp)),
        (nonce == TERMINAL and health != CRITICAL, Fault("bad_nonce", nonce)),
    )
    return next((fault for failed, fault in failures if failed), Beat(health, pid, timestamp, nonce, payload))


def decode_notice(data: bytes) -> Notice | Fault:
    """R5; no vector tells its values."""
    if len(data) != NOTICE.size:
        return Fault("bad_length")
    magic, version, op, pid, threshold, grace, nonce, misses, reserved, crc = NOTICE.unpack(data)
    failures = (
        (magic != NOTICE_MAGIC, "bad_magic"),
        (version != NOTICE_VERSION, "bad_version"),
        (crc != crc32c(data[:28]), "bad_crc"),
        (op not in OPS, "bad_status"),
        (pid < 2, "bad_pid"),
        (nonce == 2**64 - 1, "bad_nonce"),
        (reserved != bytes(3), "bad_reserved"),
    )
    word = next((word for failed, word in failures if failed), None)
    return Fault(word) if word else Notice(OPS[op], pid, threshold, grace, misses, nonce)


def decode(data: bytes) -> Beat | Notice | Fault:
    """What the first two bytes say it is."""
    return decode_notice(data) if data[:2] == NOTICE_MAGIC else decode_beat(data)


def derived(secret: bytes, label: bytes, number: int, length: int) -> bytes:
    """R43: HKDF-SHA256 with an empty salt, one block of it."""
    extracted = hmac.digest(b"", secret, hashlib.sha256)
    return hmac.digest(extracted, label + struct.pack("<I", number) + b"\x01", hashlib.sha256)[:length]


def agent_key(master: bytes, pid: int) -> bytes:
    """The key of one agent."""
    return derived(master, b"varta-agent-v1\0", pid, 32)


def iv_prefix(salt: bytes, index: int) -> bytes:
    """The first eight bytes of a nonce."""
    return derived(salt, b"varta-iv-prefix-v1\0", index, 8)


def seal(mode: str, key: bytes, pid: int, prefix: bytes, counter: int, frame: bytes) -> bytes:
    """R41."""
    nonce, clear = prefix + struct.pack("<I", counter), struct.pack("<I", pid)[: MODES[mode]]
    used = agent_key(key, pid) if mode == "master" else key
    return clear + nonce + ietf_seal(used, nonce, clear, frame)


def unsealed(mode: str, key: bytes, wire: bytes) -> bytes | None:
    """R42: the frame, or nothing."""
    if len(wire) != SEALED_LEN[mode]:
        return None
    clear, nonce, rest = wire[: MODES[mode]], wire[MODES[mode] :][:12], wire[MODES[mode] + 12 :]
    pid = int.from_bytes(clear, "little")
    frame = ietf_open(agent_key(key, pid) if clear else key, nonce, clear, rest)
    inner = decode(frame) if frame is not None else None
    is_of_another = bool(clear) and isinstance(inner, (Beat, Notice)) and inner.pid != pid
    return None if is_of_another else frame
