# SPDX-License-Identifier: MIT
"""Sealed packets: what both sides of a session seal, singly and as a batch; answers to them go on where they end."""

from __future__ import annotations

import json
from pathlib import Path

from libkeep import AuthError, Opened, PacketRequest, ReplayError, Secret, Session

INPUTS = json.loads((Path(__file__).resolve().parent / "inputs.json").read_bytes())["packets"]
DAMAGED, REPLAYED = INPUTS["damaged"], INPUTS["replayed"]
SEALED = range(INPUTS["count"])
ANSWERS = range(SEALED.stop, SEALED.stop + INPUTS["answers"])
VERDICTS = [*SEALED[:DAMAGED], -AuthError.status, *SEALED[DAMAGED:], -ReplayError.status]
SIDES = range(2)


def session(side: int, first_counter: int = 0) -> Session:
    """One side's session."""
    tx_key, rx_key = (Secret.from_bytes(bytes.fromhex(INPUTS["keys"][at])) for at in (side, 1 - side))
    return Session(session_id=INPUTS["session_id"], tx_key=tx_key, rx_key=rx_key, first_counter=first_counter)


def request(side: int, number: int) -> PacketRequest:
    """Packet `number` of a side."""
    events = [f"side {side}, packet {number}, event {i}".encode() for i in range(number % 4)]
    return PacketRequest(events=events, stream_id=side, sequence=number)


def seal(side: int, numbers: range) -> list[bytes]:
    """The packets with these numbers, the first half one by one, the others as a batch."""
    requests = [request(side, number) for number in numbers]
    half = len(requests) // 2
    with session(side, numbers.start) as sealer:
        singles = [sealer.seal(one.events, stream_id=side, sequence=one.sequence) for one in requests[:half]]
        data, ends, _ = sealer.seal_batch(requests[half:])
    return singles + [data[start:end] for start, end in zip(ends, ends[1:])]


def spoil(datagrams: list[bytes]) -> list[bytes]:
    """One comes damaged before it comes whole, and one comes again at the end."""
    damaged = datagrams[DAMAGED]
    damaged = damaged[:-1] + bytes([damaged[-1] ^ 1])
    return [*datagrams[:DAMAGED], damaged, *datagrams[DAMAGED:], datagrams[REPLAYED]]


def verdict(side: int, opened: Opened[bytes]) -> int | None:
    """The number of a packet, if it is as it was sealed; what is refused has its status below zero."""
    if opened.status:
        return -opened.status
    number = opened.info.sequence
    wanted = request(side, number)
    is_right = (number, side, tuple(wanted.events)) == (opened.info.counter, opened.info.stream_id, opened.events)
    return number if is_right else None


def verdicts(side: int, datagrams: list[bytes]) -> list[int | None]:
    """What the other side finds; it opens the first half one by one, the others as a batch."""
    half = len(datagrams) // 2
    with session(1 - side) as opener:
        opened = [opener.open(datagram) for datagram in datagrams[:half]] + opener.open_batch(datagrams[half:])
    return [verdict(side, one) for one in opened]


def sealed() -> list[list[str]]:
    return [[datagram.hex() for datagram in spoil(seal(side, SEALED))] for side in SIDES]


def answers() -> list[list[str]]:
    return [[datagram.hex() for datagram in seal(side, ANSWERS)] for side in SIDES]


def are_right(texts: list[list[str]], wanted: list[int]) -> bool:
    return all(verdicts(side, [bytes.fromhex(text) for text in texts[side]]) == wanted for side in SIDES)


def are_sealed(texts: list[list[str]]) -> bool:
    return are_right(texts, VERDICTS)


def are_answers(texts: list[list[str]]) -> bool:
    return are_right(texts, list(ANSWERS))
