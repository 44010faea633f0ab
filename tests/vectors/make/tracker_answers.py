# SPDX-License-Identifier: MIT
"""Cases of tracker §4 that are not scripts: frames, seals, keys, tokens, errors."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any

from beats import (
    OPS,
    TERMINAL,
    Beat,
    Fault,
    Notice,
    agent_key,
    closed,
    crc32c,
    decode_beat,
    decode_notice,
    encode_beat,
    encode_notice,
    iv_prefix,
    seal,
)
from limits import Bucket
from tracker_model import OUTCOMES

Case = dict[str, Any]

GOOD = Beat(2, 0x01020304, 0x1122334455667788, 0x0A0B0C0D0E0F1011, 0xA1A2A3A4)
GREETING = Notice("register", 0x01020304, 0x11121314, 0x21222324, 0x31, 0x4142434445464748)
ENDS = {8: (0, 1, 255), 32: (0, 1, 2, 3, 2**31, 2**32 - 1), 64: (0, 1, 2**32, 2**63, 2**64 - 2, 2**64 - 1)}
FAILURES = (
    *(
        "EPERM",
        "EMSGSIZE",
        "EINTR",
        "EIO",
        "EBADF",
        "ENOMEM",
        "EACCES",
        "EINVAL",
        "ENETDOWN",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "ECONNABORTED",
    ),
    *("ESHUTDOWN", "EDESTADDRREQ", "EADDRNOTAVAIL", "ETIMEDOUT", "EISCONN", "EDQUOT", "EPROTOTYPE", "ENOTSOCK"),
)


def stream(seed: str, length: int) -> bytes:
    """Bytes that look random and are always the same."""
    return hashlib.shake_256(seed.encode()).digest(length)


def told(fields: dict[str, Any]) -> Case:
    """Fields as a case has them: those of 64 bits as text."""
    return {key: str(value) if key in ("nonce", "timestamp_ns") else value for key, value in fields.items()}


def at_ends(record: Any, widths: dict[str, int]) -> Iterator[Any]:
    """A record with each field at its ends."""
    for key, width in widths.items():
        yield from (record._replace(**{key: value}) for value in ENDS[width])


def beats() -> Iterator[bytes]:
    """Each field at its ends, each byte changed, and that with a checksum that belongs to it."""
    widths = {"pid": 32, "timestamp_ns": 64, "nonce": 64, "payload": 32}
    yield from map(encode_beat, at_ends(GOOD, widths | {"health": 8}))
    yield from map(encode_beat, at_ends(GOOD._replace(health=0), widths))
    yield from changed(encode_beat(GOOD))


def notices() -> Iterator[bytes]:
    """Likewise."""
    widths = {"pid": 32, "threshold_ms": 32, "grace_ms": 32, "misses": 8, "nonce": 64}
    yield from map(encode_notice, at_ends(GREETING, widths))
    yield from (encode_notice(GREETING._replace(op=op)) for op in OPS.values())
    yield from changed(encode_notice(GREETING))


def changed(frame: bytes) -> Iterator[bytes]:
    """One bit of each byte flipped, under the old checksum and its own; wrong lengths."""
    for at in range(28):
        wire = bytearray(frame)
        wire[at] ^= 1 << at % 8
        yield bytes(wire)
        yield closed(bytes(wire))
    yield from (frame[:length] for length in (0, 1, 2, 28))
    yield frame + b"\0"


def frames() -> dict[str, list[Case]]:
    """Those that decode, and those that do not."""
    made: dict[str, list[Case]] = {"beat_frames": [], "beat_rejects": [], "notice_frames": [], "notice_rejects": []}
    for number, wire in enumerate(dict.fromkeys(beats())):
        beat = decode_beat(wire)
        if isinstance(beat, Fault):
            value = {} if beat.word in ("bad_magic", "bad_version", "stall_on_wire") else {"value": str(beat.value)}
            case = {"id": f"beat-{number}", "wire": wire.hex(), "fault": beat.word, **value}
            made["beat_rejects"].append(case)
        else:
            made["beat_frames"].append({"id": f"beat-{number}", **told(beat._asdict()), "wire": wire.hex()})
    for number, wire in enumerate(dict.fromkeys(notices())):
        notice = decode_notice(wire)
        if isinstance(notice, Fault):
            made["notice_rejects"].append({"id": f"notice-{number}", "wire": wire.hex(), "fault": notice.word})
        else:
            made["notice_frames"].append({"id": f"notice-{number}", **told(notice._asdict()), "wire": wire.hex()})
    return made


def seals() -> dict[str, list[Case]]:
    """Frames, notices and other bytes under both kinds of key, and one flipped bit of each byte."""
    sealed, rejected = [], []
    inner = encode_beat(GOOD), encode_notice(GREETING), stream("no frame", 32), closed(stream("no frame", 32))
    for number, frame in enumerate(inner):
        for mode in ("shared", "master"):
            key, prefix = stream(f"key {number}", 32), stream(f"prefix {number}", 8)
            counter = (0, 1, 2**31, 2**32 - 1)[number]
            pid = GOOD.pid if number < 2 else number
            wire = seal(mode, key, pid, prefix, counter, frame)
            case: Case = {"id": f"{mode}-{number}", "mode": mode, "key": key.hex()}
            fields = {"iv_prefix": prefix.hex(), "iv_counter": counter, "frame": frame.hex(), "wire": wire.hex()}
            sealed.append(case | ({"pid": pid} if mode == "master" else {}) | fields)
            for at in range(number, len(wire), 5):
                flipped = wire[:at] + bytes([wire[at] ^ 1 << at % 8]) + wire[at + 1 :]
                rejected.append(case | {"id": f"{mode}-{number}-byte-{at}", "wire": flipped.hex()})
            rejected.append(case | {"id": f"{mode}-{number}-short", "wire": wire[:-1].hex()})
            rejected.append(case | {"id": f"{mode}-{number}-long", "wire": (wire + b"\0").hex()})
    for number, frame in enumerate(inner[:2]):
        key = stream("other pid", 32)
        wire = seal("master", key, GOOD.pid + 1, bytes(8), 0, frame)
        rejected.append({"id": f"other-pid-{number}", "mode": "master", "key": key.hex(), "wire": wire.hex()})
    return {"sealed_frames": sealed, "sealed_rejects": rejected}


def keys() -> dict[str, list[Case]]:
    """Derived ones."""
    masters, prefixes = [], []
    for number, pid in enumerate((2, 3, 256, 65536, 2**31, 2**32 - 2, 2**32 - 1)):
        master, salt = stream(f"master {number}", 32), stream(f"salt {number}", 16)
        masters.append({"id": f"pid-{pid}", "master": master.hex(), "pid": pid, "key": agent_key(master, pid).hex()})
        case = {"id": f"index-{pid - 2}", "salt": salt.hex(), "index": pid - 2}
        prefixes.append(case | {"prefix": iv_prefix(salt, pid - 2).hex()})
    return {"agent_keys": masters, "iv_prefixes": prefixes}


def sums() -> Iterator[Case]:
    """Checksums of every length up to two words of a machine, and of one beyond."""
    for length in (*range(18), 27, 28, 29, 32, 33, 255, 256, 1021):
        data = stream(f"crc {length}", length)
        yield {"id": f"length-{length}", "data": data.hex(), "crc": crc32c(data)}


def buckets() -> Iterator[Case]:
    """Rates and bursts at their ends, times on the edge of a token, backwards, and far away."""
    for rate in (0, 1, 3, 7, 1000, 999999937, 2**32 - 1):
        for burst in (0, 1, 2, 3, 2**32 - 1):
            bucket, now, last, calls = Bucket(rate, burst), 10**9, 0, []
            for word in struct.unpack("<24B", stream(f"bucket {rate} {burst}", 24)):
                token = 10**9 // max(1, rate)
                now += (0, 0, 0, 1, token - 1, token, token + 1, 3 * token // 2, 2**40, -token // 2, 10**9)[word % 11]
                now = max(0, now)
                last = max(last, now)
                calls.append({"now_ns": str(now), "allow": bucket.take(last)})
            yield {"id": f"rate-{rate}-burst-{burst}", "rate": rate, "burst": burst, "calls": calls}


def arrays() -> dict[str, list[Case]]:
    """Every case by its array."""
    errors = [{"id": name, "error": name, "outcome": OUTCOMES.get(name, "failed")} for name in (*OUTCOMES, *FAILURES)]
    flips: Case = {"id": "flip-a-last-word", "wire": encode_beat(GOOD._replace(nonce=TERMINAL)).hex()}
    flips["faults"] = {"bad_crc": 232, "bad_magic": 16, "bad_version": 8}
    made: dict[str, list[Case]] = {"crc32c": list(sums()), **frames(), "beat_bit_flips": [flips], **seals(), **keys()}
    return made | {"token_buckets": list(buckets()), "send_errors": errors}
