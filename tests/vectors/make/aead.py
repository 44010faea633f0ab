# SPDX-License-Identifier: MIT
"""ChaCha20-Poly1305 and XChaCha20-Poly1305, written from RFC 8439 and draft-irtf-cfrg-xchacha-03, and used by nothing
but generators."""

from __future__ import annotations

import struct

CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
MASK = 0xFFFFFFFF
PRIME = (1 << 130) - 5
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF

KEY_LEN = 32
NONCE_LEN = 24
TAG_LEN = 16

COLUMNS_AND_DIAGONALS = (
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)


def words(data: bytes) -> tuple[int, ...]:
    """The little-endian 32-bit words of bytes."""
    return struct.unpack(f"<{len(data) // 4}I", data)


def rotated(value: int, bits: int) -> int:
    """A word rotated to the left."""
    return (value << bits | value >> (32 - bits)) & MASK


def permuted(state: tuple[int, ...]) -> list[int]:
    """The twenty rounds of ChaCha."""
    x = list(state)
    for _ in range(10):
        for a, b, c, d in COLUMNS_AND_DIAGONALS:
            for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[first] = (x[first] + x[second]) & MASK
                x[third] = rotated(x[third] ^ x[first], bits)
    return x


def subkey(key: bytes, nonce: bytes) -> bytes:
    """HChaCha20 of a key and 16 bytes."""
    x = permuted(CONSTANTS + words(key) + words(nonce))
    return struct.pack("<8I", *x[:4], *x[12:])


def stream(key: bytes, nonce: bytes, counter: int, length: int) -> bytes:
    """Key stream of ChaCha20 with a nonce of 12 bytes."""
    out = b""
    while len(out) < length:
        state = CONSTANTS + words(key) + (counter,) + words(nonce)
        block = (((a + b) & MASK) for a, b in zip(state, permuted(state)))
        out += struct.pack("<16I", *block)
        counter += 1
    return out[:length]


def authenticator(key: bytes, message: bytes) -> bytes:
    """Poly1305."""
    r = int.from_bytes(key[:16], "little") & CLAMP
    total = 0
    for at in range(0, len(message), 16):
        block = message[at : at + 16] + b"\x01"
        total = (total + int.from_bytes(block, "little")) * r % PRIME
    return ((total + int.from_bytes(key[16:], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


def padded(data: bytes) -> bytes:
    """Bytes up to the next multiple of 16."""
    return data + bytes(-len(data) % 16)


def ietf_seal(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Ciphertext and tag, with a nonce of 12 bytes."""
    ciphertext = bytes(a ^ b for a, b in zip(plaintext, stream(key, nonce, 1, len(plaintext))))
    message = padded(aad) + padded(ciphertext) + struct.pack("<QQ", len(aad), len(ciphertext))
    return ciphertext + authenticator(stream(key, nonce, 0, 32), message)


def ietf_open(key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes | None:
    """The plaintext, if that is what seals to these bytes."""
    plaintext = bytes(a ^ b for a, b in zip(sealed[:-TAG_LEN], stream(key, nonce, 1, len(sealed) - TAG_LEN)))
    return plaintext if ietf_seal(key, nonce, aad, plaintext) == sealed else None


def seal(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Ciphertext and tag, with a nonce of 24 bytes."""
    return ietf_seal(subkey(key, nonce[:16]), bytes(4) + nonce[16:], aad, plaintext)
