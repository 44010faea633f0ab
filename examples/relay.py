# SPDX-License-Identifier: MIT
"""Packets on the tour, the first station: seals three and sends them over a line that nobody can trust.

python3 relay.py KEY PORT    KEY: a file of 32 bytes that the next station has too
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from libkeep import PacketFlags, Secret, Session

EVENTS = (b"one", b"two", b"three")


def new_session(key_file: str) -> Session:
    """Elsewhere a handshake makes it, as in examples/udp.py."""
    with Secret.take_bytes(bytearray(Path(key_file).read_bytes())) as key:
        return Session(session_id=1, tx_key=key)


def forged_from(datagram: bytes) -> bytes:
    return datagram[:-1] + bytes([datagram[-1] ^ 1])


def main(key_file: str, port: str) -> None:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.connect(("127.0.0.1", int(port)))
    with line, new_session(key_file) as session:
        one, two, three = (session.seal([event]) for event in EVENTS)
        last = session.seal([], flags=PacketFlags.FIN)
        for datagram in (one, three, two, one, forged_from(two), last):
            line.send(datagram)
    print('Python sends packets "one", "two" and "three": the second late, the first twice, one also forged')


main(*sys.argv[1:])
