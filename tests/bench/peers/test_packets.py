# SPDX-License-Identifier: MIT
"""Packets that net-mesh sealed are opened here, and the reverse (packet T24)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from libkeep import Aead, AeadState, Secret, Session, packet

PROGRAMS = Path(os.environ["KEEP_PEERS"])
AEADS = [aead for aead in Aead if aead is Aead.AUTO or packet.aead_report(aead).state is AeadState.USABLE]
SESSION_ID = 0x1234567890ABCDEF
EVENT_LISTS: list[list[bytes]] = [
    [],
    [b""],
    [b"test event"],
    [b"one", b"", b"three"],
    [bytes(range(256)) * 4],
    [b"\xff" * packet.MAX_EVENT_LEN],
    [b""] * packet.MAX_PACKET_EVENTS,
]


@pytest.fixture
def key() -> Iterator[Secret]:
    with Secret.generate(32) as made:
        yield made


@pytest.fixture(params=("packet-rust", "packet-seed-rust"))
def peer(request: pytest.FixtureRequest) -> Path:
    return PROGRAMS / str(request.param)


def told(events: Sequence[bytes]) -> str:
    return "".join(f"{event.hex()}." for event in events)


def ask(peer: Path, way: str, key: Secret, lines: Sequence[str]) -> list[str]:
    command = [str(peer), way, key.reveal().hex(), str(SESSION_ID)]
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("aead", AEADS)
def test_what_it_seals_opens_here(peer: Path, aead: Aead, key: Secret) -> None:
    sealed = ask(peer, "seal", key, [told(events) for events in EVENT_LISTS])
    with Session(session_id=SESSION_ID, rx_key=key, aead=aead) as session:
        opened = [session.open(bytes.fromhex(datagram)) for datagram in sealed]
    assert [list(one.events) for one in opened] == EVENT_LISTS
    assert [one.info.counter for one in opened] == list(range(len(EVENT_LISTS)))


@pytest.mark.parametrize("aead", AEADS)
def test_what_is_sealed_here_opens_there(peer: Path, aead: Aead, key: Secret) -> None:
    with Session(session_id=SESSION_ID, tx_key=key, aead=aead) as session:
        sealed = [session.seal(events, stream_id=1).hex() for events in EVENT_LISTS]
    assert ask(peer, "open", key, sealed) == [told(events) for events in EVENT_LISTS]
