# SPDX-License-Identifier: MIT
"""The two handshakes of packet R38, written from Noise revision 34 and RFC 7748."""

from __future__ import annotations

import copy
import hashlib
import hmac
import struct

from aead import TAG_LEN, ietf_open, ietf_seal
from model import Refused, refuse
from packet_wire import MAX_PAYLOAD

PRIME = 2**255 - 19
POINT_LEN = 32
LABEL = b"libkeep session id v1"

# Who sends what; the initiator begins.
MESSAGES = {
    "IKpsk2": (("e", "es", "s", "ss"), ("e", "ee", "se", "psk")),
    "XXpsk3": (("e",), ("e", "ee", "s", "es"), ("s", "se", "psk")),
}


def multiplied(scalar: bytes, point: bytes) -> bytes:
    """X25519."""
    bits = int.from_bytes(scalar, "little") & (1 << 254) - 8 | 1 << 254
    u = (int.from_bytes(point, "little") & (1 << 255) - 1) % PRIME
    x2, z2, x3, z3, swapped = 1, 0, u, 1, 0
    for position in range(254, -1, -1):
        bit = bits >> position & 1
        if bit != swapped:
            x2, x3, z2, z3, swapped = x3, x2, z3, z2, bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        x3, z3 = (da + cb) ** 2 % PRIME, u * (da - cb) ** 2 % PRIME
        x2, z2 = aa * bb % PRIME, (aa - bb) * (aa + 121665 * (aa - bb)) % PRIME
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, PRIME - 2, PRIME) % PRIME).to_bytes(POINT_LEN, "little")


def public_of(private: bytes) -> bytes:
    """The key that others see."""
    return multiplied(private, (9).to_bytes(POINT_LEN, "little"))


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256."""
    return hmac.new(key, data, hashlib.sha256).digest()


def derived(chaining_key: bytes, material: bytes, count: int) -> list[bytes]:
    """HKDF of the standard: so many outputs."""
    secret, outputs = mac(chaining_key, material), [b""]
    for number in range(1, count + 1):
        outputs.append(mac(secret, outputs[-1] + bytes([number])))
    return outputs[1:]


class Symmetric:
    """Hash, chaining key and cipher."""

    def __init__(self, protocol: str, prologue: bytes) -> None:
        self.hash = self.chaining_key = hashlib.sha256(protocol.encode()).digest()
        self.key = b""
        self.count = 0
        self.mix_hash(prologue)

    def mix_hash(self, data: bytes) -> None:
        """Binds data."""
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix_key(self, material: bytes) -> None:
        """Takes in what both sides know."""
        self.chaining_key, self.key = derived(self.chaining_key, material, 2)
        self.count = 0

    def mix_key_and_hash(self, material: bytes) -> None:
        """The pre-shared key."""
        self.chaining_key, mixed, self.key = derived(self.chaining_key, material, 3)
        self.mix_hash(mixed)
        self.count = 0

    def nonce(self) -> bytes:
        """The next one."""
        self.count += 1
        return struct.pack("<IQ", 0, self.count - 1)

    def encrypt(self, plaintext: bytes) -> bytes:
        """Every message of these patterns has a key by then."""
        sealed = ietf_seal(self.key, self.nonce(), self.hash, plaintext)
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed: bytes) -> bytes:
        """Or a refusal."""
        plaintext = ietf_open(self.key, self.nonce(), self.hash, sealed) if len(sealed) >= TAG_LEN else None
        if plaintext is None:
            raise Refused("AUTH")
        self.mix_hash(sealed)
        return plaintext


class Side:
    """One side of a handshake, which only success changes (packet R42)."""

    def __init__(self, pattern: str, initiates: bool, keys: list[bytes], remote: bytes, prologue: bytes) -> None:
        self.messages = MESSAGES[pattern]
        self.initiates = initiates
        self.static, self.ephemeral, self.pre_shared = keys
        self.public = {"s": public_of(self.static), "e": public_of(self.ephemeral)}
        self.remote = {"s": remote}
        self.done = 0
        self.state = Symmetric(f"Noise_{pattern}_25519_ChaChaPoly_SHA256", prologue)
        if pattern == "IKpsk2":
            self.state.mix_hash(remote if initiates else self.public["s"])

    def turn(self, writes: bool) -> tuple[str, ...]:
        """The tokens of the next message, if it is this side's to write or to read."""
        refuse(self.done == len(self.messages) or (self.done % 2 == 0) != (writes == self.initiates), "STATE")
        return self.messages[self.done]

    def product(self, token: str) -> bytes:
        """The initiator's part stands first in a token."""
        mine, its = (0, 1) if self.initiates else (1, 0)
        return multiplied(self.ephemeral if token[mine] == "e" else self.static, self.remote[token[its]])

    def mix(self, token: str) -> None:
        """A token that sends nothing."""
        if token == "psk":
            self.state.mix_key_and_hash(self.pre_shared)
            return
        shared = self.product(token)
        refuse(not any(shared), "AUTH")
        self.state.mix_key(shared)

    def write(self, payload: bytes) -> bytes:
        """The next message."""
        tokens, message = self.turn(True), b""
        refuse(overhead(tokens) + len(payload) > MAX_PAYLOAD, "PACKET_TOO_LARGE")
        for token in tokens:
            if token == "e":
                message += self.public["e"]
                self.state.mix_hash(self.public["e"])
                self.state.mix_key(self.public["e"])
            elif token == "s":
                message += self.state.encrypt(self.public["s"])
            else:
                self.mix(token)
        self.done += 1
        return message + self.state.encrypt(payload)

    def read(self, message: bytes) -> bytes:
        """The payload of a message; what it changes is thrown away if it is refused."""
        tokens, before = self.turn(False), (copy.copy(self.state), dict(self.remote))
        try:
            refuse(not overhead(tokens) <= len(message) <= MAX_PAYLOAD, "AUTH")
            payload = self.taken(tokens, message)
        except Refused:
            self.state, self.remote = before
            raise
        self.done += 1
        return payload

    def taken(self, tokens: tuple[str, ...], message: bytes) -> bytes:
        """Token after token; a point of small order must not come through (packet R44)."""
        for token in tokens:
            if token == "e":
                self.remote["e"], message = message[:POINT_LEN], message[POINT_LEN:]
                refuse(not any(multiplied(self.static, self.remote["e"])), "AUTH")
                self.state.mix_hash(self.remote["e"])
                self.state.mix_key(self.remote["e"])
            elif token == "s":
                end = POINT_LEN + TAG_LEN
                self.remote["s"], message = self.state.decrypt(message[:end]), message[end:]
            else:
                self.mix(token)
        return self.state.decrypt(message)

    def split(self) -> list[bytes]:
        """The initiator's for sending, then the responder's."""
        return derived(self.state.chaining_key, b"", 2)

    def session_id(self) -> int:
        """Packet §4."""
        return int.from_bytes(mac(self.state.hash, LABEL)[:8], "little")


def overhead(tokens: tuple[str, ...]) -> int:
    """The length of a message without payload (packet R40)."""
    return TAG_LEN + sum({"e": POINT_LEN, "s": POINT_LEN + TAG_LEN}.get(token, 0) for token in tokens)
