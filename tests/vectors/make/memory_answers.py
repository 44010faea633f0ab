# SPDX-License-Identifier: MIT
"""Known answers of memory §4, computed from its formulas (transforms.py)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any

import transforms

Case = dict[str, Any]


def stream(seed: str, length: int) -> bytes:
    """Bytes that look random and are always the same."""
    return hashlib.shake_256(seed.encode()).digest(length)


def u64(*values: int) -> list[str]:
    """Little-endian 64-bit words as bytes."""
    return [struct.pack("<Q", value).hex() for value in values]


def sealed_answers() -> Iterator[Case]:
    """Lengths around the blocks of the cipher, fields at their ends, and what a decoder must refuse."""
    for length in (2, 17, 47, 48, 65, 112, 127, 128, 129, 191, 192, 193, 255, 256, 257):
        raw = stream(f"sealed {length}", 76 + length)
        key, nonce, kind, identifier, epoch = struct.unpack_from("<32s24sIQQ", raw)
        stored = transforms.encode(key, nonce, kind, identifier, epoch, raw[76:])
        head = [key.hex(), raw[56:60].hex(), *u64(identifier, length, epoch)]
        yield {"id": f"encode-{length}", "transform": "sealed.encode", "in": raw.hex(), "out": stored.hex()}
        decode = {"transform": "sealed.decode"}
        yield {"id": f"decode-{length}", **decode, "in": [*head, stored.hex()], "out": raw[76:].hex()}
        flipped = bytearray(stored)
        flipped[length * 7 % len(stored)] ^= 1 << length % 8
        yield {"id": f"bit-{length}", **decode, "in": [*head, flipped.hex()], "status": "AUTH"}
    zero = [bytes(32).hex(), "00000000", *u64(0)]
    for name, length in {"wraps": 2**64 - 40, "wraps-by-one": 2**64 - 39, "largest": 2**64 - 1}.items():
        parts = [*zero, *u64(length, 0)]
        yield {"id": f"length-{name}", "transform": "sealed.decode", "in": parts, "status": "AUTH"}
    for kind, identifier, length, epoch in ((1, 2, 3, 4), (2**32 - 1, 0, 2**64 - 1, 0), (0, 2**63, 0, 2**64 - 1)):
        case = {"id": f"aad-{kind}-{identifier}-{length}-{epoch}", "transform": "sealed.aad"}
        parts = [struct.pack("<I", kind).hex(), *u64(identifier, length, epoch)]
        yield case | {"in": parts, "out": transforms.aad(kind, identifier, length, epoch).hex()}


def coffer_answers() -> Iterator[Case]:
    """Halves that look random."""
    for number in range(3):
        key, right, r = (stream(f"coffer {number} {part}", 32) for part in ("key", "right", "r"))
        left = bytes(a ^ b for a, b in zip(key, right))
        new_left, new_right = (bytes(a ^ b for a, b in zip(half, r)) for half in (left, right))
        for name, transform, parts, out in (
            ("split", "coffer.split", [key, right], left),
            ("join", "coffer.join", [left, right], key),
            ("resplit", "coffer.resplit", [left, right, r], new_left + new_right),
            ("rejoin", "coffer.join", [new_left, new_right], key),
        ):
            case = {"id": f"{name}-{number}", "transform": transform}
            yield case | {"in": [part.hex() for part in parts], "out": out.hex()}


def answer(case: Case, out: tuple[int, ...] | None) -> Case:
    """A case of words, refused if there are none."""
    return case | ({"status": "INVALID_ARGUMENT"} if out is None else {"out": u64(*out)})


def layout_answers() -> Iterator[Case]:
    """Each page size, lengths around its edges, aligned or not; pages and flags that are none."""
    rows = [
        (page, length, flags)
        for page in (4096, 8192, 16384, 65536)
        for length in (0, 15, 16, 17, page - 33, page - 16, page - 15, page, 64 << 20)
        for flags in (0, 1)
    ]
    rows += [(page, 32, 0) for page in (1, 2048, 4097, 12288, 131072, 2**63, 2**64 - 4096)]
    rows += [(4096, length, 1) for length in ((64 << 20) + 1, 2**32, 2**63, 2**64 - 16)]
    rows += [(4096, 32, flags) for flags in (3, 2**31, 2**32 - 1)]
    for page, length, flags in rows:
        case: Case = {"id": f"layout-{page}-{length}-{flags}", "transform": "guarded.layout"}
        case["in"] = [*u64(page, length), struct.pack("<I", flags).hex()]
        yield answer(case, transforms.layout(page, length, flags))


def plan_rows() -> Iterator[tuple[int, ...]]:
    """Page, slot, have_bytes, have_slots, want, max_slots, room."""
    mib = 1 << 20
    yield from ((4096, 16, have, have // 16, 1, 0, 1 << 30) for have in (0, 1, 8191, 8193, 12288, mib - 1, mib + 1))
    yield from ((4096, 16384, 0, 0, want, 0, 1 << 30) for want in (1, 2, 64, 65, 4096, 65536, 65537, 1 << 22))
    yield from ((4096, 48, 0, 0, want, 200, 4 * mib) for want in (1, 85, 86, 170, 171, 200, 201))
    yield from ((4096, 1008, 8192, 8, 1, cap, 4 * mib) for cap in (8, 9, 12, 13, 16, 24, 2**64 - 1))
    yield from ((4096, 256, 0, 0, 1, 0, room) for room in (0, 255, 4095, 4096, 8191, 8192, 12288))
    yield from ((page, 1024, 0, 0, 70, 0, 4 * mib) for page in (4096, 8192, 16384, 32768, 65536))
    yield from ((65536, 16, 0, 0, 1, 1, room) for room in (65535, 65536))
    yield from ((4096, 32, 8192, 2**64 - 1, 1, cap, mib) for cap in (0, 2**64 - 1, 2**64 - 2))
    yield from ((page, 32, 0, 0, 1, 0, mib) for page in (0, 2048, 4095, 12288, 131072))
    yield from ((4096, slot, 0, 0, 1, 0, mib) for slot in (8, 15, 17, 16400, 2**64 - 16))
    yield from ((4096, 32, 0, 0, want, 0, 1 << 30) for want in ((1 << 22) + 1, 2**64 - 1))
    yield from ((4096, 32, have, 0, 1, 0, 1 << 30) for have in (1 << 30, (1 << 30) + 1, 2**64 - 1))
    yield from ((4096, 32, 0, 0, 1, 0, room) for room in ((1 << 30) + 1, 2**64 - 1))


def plan_answers() -> Iterator[Case]:
    """Doubling, wishes, caps, room, and what is refused."""
    for number, row in enumerate(plan_rows()):
        case = {"id": f"plan-{number}", "transform": "region.plan", "in": u64(*row)}
        yield answer(case, transforms.plan(*row))


def size_answers() -> Iterator[Case]:
    """Inputs of a wrong size, and names that are none."""
    for name, size in {
        **{"coffer.split": 65, "coffer.join": 63, "coffer.resplit": 97, "sealed.aad": 29},
        **{"guarded.layout": 21, "region.plan": 57, "sealed.encode": 0, "sealed.decode": 0},
    }.items():
        case = {"id": f"size-{name}", "transform": name, "in": {"repeat": size, "hex": "00"}}
        yield case | {"status": "INVALID_ARGUMENT"}
    for name in ("Coffer.split", "coffer.split ", " coffer.split", "coffer.spli", "coffer.splits", "coffer", "."):
        case = {"id": f"name-{name!r}", "transform": name, "in": {"repeat": 64, "hex": "00"}}
        yield case | {"status": "INVALID_ARGUMENT"}


def known() -> list[Case]:
    """Every known answer."""
    return [*sealed_answers(), *coffer_answers(), *layout_answers(), *plan_answers(), *size_answers()]
