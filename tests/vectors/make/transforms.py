# SPDX-License-Identifier: MIT
"""The transforms of memory §4, written from its formulas. None means INVALID_ARGUMENT."""

from __future__ import annotations

import struct

from aead import seal

MAX_SECRET_LEN = 64 << 20
MAX_POOL_BYTES = 1 << 30
MAX_REGION = 1 << 20
EXHAUSTED = (0, 0)


def round_up(value: int, unit: int) -> int:
    """The next multiple."""
    return -(-value // unit) * unit


def is_page(page: int) -> bool:
    """A power of two within 4096 to 65536."""
    return 4096 <= page <= 65536 and page & (page - 1) == 0


def aad(kind: int, identifier: int, length: int, epoch: int) -> bytes:
    """§4.1: what is bound to the bytes of a sealed secret."""
    return b"KSM1" + struct.pack("<IQQQ", kind, identifier, length, epoch)


def encode(key: bytes, nonce: bytes, kind: int, identifier: int, epoch: int, plaintext: bytes) -> bytes:
    """§4.2: the stored bytes."""
    return nonce + seal(key, nonce, aad(kind, identifier, len(plaintext), epoch), plaintext)


def layout(page: int, length: int, flags: int) -> tuple[int, ...] | None:
    """§4.3: inner, offset, front, rear, mapped."""
    if not is_page(page) or length > MAX_SECRET_LEN or flags > 1:
        return None
    inner = round_up(length + 16, page)
    offset = (inner - length) // 16 * 16 if flags else inner - length
    return inner, offset, offset, inner - offset - length, inner + 2 * page


def plan(
    page: int, slot: int, have_bytes: int, have_slots: int, want: int, max_slots: int, room: int
) -> tuple[int, int] | None:
    """§4.4: bytes and slots of the next region."""
    if not is_page(page) or slot % 16 != 0 or not 16 <= slot <= 16384 or not 1 <= want <= 1 << 22:
        return None
    if max(have_bytes, room) > MAX_POOL_BYTES or 0 < max_slots < have_slots:
        return None
    if max_slots and max_slots - have_slots < want:
        return EXHAUSTED
    doubled = round_up(min(max(have_bytes, 2 * page), MAX_REGION), page)
    size = max(doubled, round_up(want * slot, page))
    if max_slots:
        size = min(size, round_up((max_slots - have_slots) * slot, page))
    size = min(size, room // page * page)
    slots = size // slot
    if max_slots:
        slots = min(slots, max_slots - have_slots)
    return EXHAUSTED if slots < want else (size, slots)
