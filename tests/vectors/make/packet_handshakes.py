# SPDX-License-Identifier: MIT
"""Cases of handshakes: the longest messages, points of small order in every place, messages of the wrong kind."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from typing import Any

from model import Refused
from packet_model import SIDES, side_of
from packet_noise import MESSAGES, POINT_LEN, PRIME, Side, overhead, public_of
from packet_values import shown
from packet_wire import MAX_PAYLOAD

Case = dict[str, Any]
Cases = Iterator[Case]

# RFC 7748: both of order 8, then 0, 1 and -1 as they are and in other encodings.
LOW_ORDER = [
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    *(value.to_bytes(POINT_LEN, "little") for value in (0, 1, PRIME - 1, PRIME, PRIME + 1)),
    *((value | 1 << 255).to_bytes(POINT_LEN, "little") for value in (0, 1, PRIME - 1, PRIME, PRIME + 1)),
]


class Forger(Side):
    """A side that sends a point of small order, and knows that every product with it is zero."""

    def __init__(self, honest: Side, key: str, point: bytes) -> None:
        vars(self).update(copy.deepcopy(vars(honest)))
        self.public[key] = point
        self.key = key

    def mix(self, token: str) -> None:
        if token[0 if self.initiates else 1] == self.key:
            self.state.mix_key(bytes(POINT_LEN))
        else:
            super().mix(token)


class Talk:
    """A case as it grows, with both sides as they stand."""

    def __init__(self, pattern: str, seed: str, prologue: Any = "") -> None:
        case: Case = {"protocol": f"Noise_{pattern}_25519_ChaChaPoly_SHA256", "pattern": pattern, "prologue": prologue}
        for key in ("pre_shared_key", "init_static", "resp_static", "init_ephemeral", "resp_ephemeral"):
            case[key] = hashlib.sha256(f"{seed} {pattern} {key}".encode()).hexdigest()
        case["resp_static_public"] = public_of(bytes.fromhex(case["resp_static"])).hex()
        self.case = case | {"steps": []}
        self.sides = {name: side_of(case, name) for name in SIDES}
        self.tokens = MESSAGES[pattern]

    def call(self, op: str, side: str, **value: bytes) -> bytes:
        """A step; what it gives if it succeeds."""
        (given,) = value.values()
        self.case["steps"].append({"op": op, "side": side, **{key: shown(data) for key, data in value.items()}})
        try:
            return self.sides[side].write(given) if op == "write" else self.sides[side].read(given)
        except Refused:
            return b""

    def write(self, side: str, payload: bytes = b"") -> bytes:
        """The message."""
        return self.call("write", side, payload=payload)

    def read(self, side: str, message: bytes) -> None:
        """Whatever comes of it."""
        self.call("read", side, message=message)

    def pass_on(self, number: int, payload: bytes = b"") -> bytes:
        """A message from one side to the other."""
        message = self.write(SIDES[number % 2], payload)
        self.read(SIDES[1 - number % 2], message)
        return message

    def ended(self, name: str, *packets: Case) -> Case:
        """The case; with packets if both sides are done."""
        more = {"packets": list(packets)} if packets else {}
        return {"id": f"{self.case['pattern']}: {name}", **self.case, **more}


def first_packets() -> list[Case]:
    """One of each side."""
    return [{"side": side, "stream_id": "0x5", "sequence": "0x6", "events": ["68656c6c6f"]} for side in SIDES]


def noise() -> Cases:
    """R40: what is longest."""
    for pattern, messages in MESSAGES.items():
        talk = Talk(pattern, "full")
        for number, tokens in enumerate(messages):
            talk.pass_on(number, bytes([number]) * (MAX_PAYLOAD - overhead(tokens)))
        yield talk.ended("full messages", *first_packets())
        talk = Talk(pattern, "prologue", {"repeat": 65535, "hex": "70"})
        for number in range(len(messages)):
            talk.pass_on(number)
        yield talk.ended("the longest prologue", *first_packets())


def noise_errors() -> Cases:
    """R42 to R44: after each refusal the right message succeeds."""
    for pattern, messages in MESSAGES.items():
        yield out_of_place(pattern)
        yield Talk(pattern, "empty").case | {"id": f"{pattern}: nothing is said"}
        for number, tokens in enumerate(messages):
            for key in tokens:
                if key in "es":
                    yield forged(pattern, number, key)
        yield unusual(pattern)
    yield every_small_order()


def out_of_place(pattern: str) -> Case:
    """Each side does all that is not its turn to do, with messages that exist elsewhere."""
    talk, other = Talk(pattern, "turns"), Talk("IKpsk2" if pattern == "XXpsk3" else "XXpsk3", "turns")
    strange, seen = other.write("initiator"), [b""]
    for number, tokens in enumerate(talk.tokens):
        writer, reader = SIDES[number % 2], SIDES[1 - number % 2]
        talk.write(reader)
        talk.read(writer, seen[-1])
        talk.write(writer, bytes(MAX_PAYLOAD - overhead(tokens) + 1))
        message = talk.write(writer, b"right")
        talk.read(writer, message)
        for wrong in (strange, *seen, message[:-1], message + b"\x00", bytes(MAX_PAYLOAD), bytes(MAX_PAYLOAD + 1)):
            talk.read(reader, wrong)
        talk.read(reader, message)
        seen.append(message)
    for side in SIDES:
        talk.write(side)
        talk.read(side, seen[-1])
    return talk.ended("out of turn, out of place", *first_packets())


def forged(pattern: str, number: int, key: str) -> Case:
    """R44: a point of small order, sent by who knows everything else, in each place where a point is sent."""
    talk = Talk(pattern, f"small order {number} {key}")
    for before in range(number):
        talk.pass_on(before)
    writer, reader = SIDES[number % 2], SIDES[1 - number % 2]
    for point in LOW_ORDER[number :: len(talk.tokens)]:
        talk.read(reader, Forger(talk.sides[writer], key, point).write(b""))
    talk.pass_on(number)
    return talk.ended(f"{key} of small order in message {number + 1}")


def every_small_order() -> Case:
    """R44: the first message of XX needs no product, and yet is refused."""
    talk = Talk("XXpsk3", "every small order")
    for point in LOW_ORDER:
        talk.read("responder", Forger(talk.sides["initiator"], "e", point).write(b""))
    talk.pass_on(0)
    return talk.ended("every encoding of small order")


def unusual(pattern: str) -> Case:
    """RFC 7748 lets the highest bit of a point be set: it is no fault, but what was sent is hashed."""
    talk = Talk(pattern, "highest bit")
    writer = copy.deepcopy(talk.sides["initiator"])
    point = writer.public["e"]
    writer.public["e"] = point[:-1] + bytes([point[-1] | 0x80])
    honest = copy.deepcopy(talk.sides["initiator"]).write(b"hello")
    talk.read("responder", writer.public["e"] + honest[POINT_LEN:])
    talk.read("responder", writer.write(b"hello"))
    return talk.ended("the highest bit of a point")
