# SPDX-License-Identifier: MIT
"""Two processes over UDP, as examples/udp.md says: any two of the examples in C, Python, Node.js and Go understand
each other.

python3 udp.py listen                 prints the port, takes one conversation
python3 udp.py send PORT [PACKETS]
"""

from __future__ import annotations

import socket
import sys
from typing import NamedTuple

from libkeep import (
    HANDSHAKE_KEY_LEN,
    MAX_PACKET_LEN,
    PACKET_HEADER_LEN,
    AuthError,
    Handshake,
    HandshakeState,
    KeepError,
    Noise,
    Opened,
    PacketFlags,
    PacketKind,
    PacketRequest,
    PacketSessionError,
    ReplayError,
    Role,
    Secret,
    Session,
    packet,
)

PACKETS = 100_000
BATCH = 64
LOOPBACK = "127.0.0.1"
SHARED_KEY = b"\x42".ljust(HANDSHAKE_KEY_LEN, b"\0")  # a program of yours has a better one


class Counts(NamedTuple):
    """What became of the datagrams of a conversation."""

    accepted: int
    replayed: int
    forged: int

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.replayed} replayed, {self.forged} forged"


def bytes_of(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "little") for number in numbers)


def numbers_of(event: bytes) -> list[int]:
    return [int.from_bytes(event[at : at + 8], "little") for at in range(0, len(event), 8)]


def new_handshake(role: Role) -> Handshake:
    with Secret.generate(HANDSHAKE_KEY_LEN) as static_key, Secret.from_bytes(SHARED_KEY) as pre_shared_key:
        return Handshake(Noise.XXPSK3, role, static_key=static_key, pre_shared_key=pre_shared_key)


# The line


def is_lost(n: int) -> bool:
    return n % 10 == 3


def is_doubled(n: int) -> bool:
    return n % 7 == 0


def is_forged(n: int) -> bool:
    return n % 1000 == 1


def arrives(n: int, datagram: bytes) -> list[bytes]:
    """What the line makes of packet n."""
    if is_lost(n):
        return []
    forged = datagram[:-1] + bytes([datagram[-1] ^ 1])
    return [datagram] * (1 + is_doubled(n)) + [forged] * is_forged(n)


def expected(packets: int) -> Counts:
    heard = [n for n in range(packets) if not is_lost(n)]
    accepted = len(heard) + 1  # with the late one
    return Counts(accepted, sum(map(is_doubled, heard)), sum(map(is_forged, heard)))


# The sender


def seal(session: Session, numbers: range) -> list[bytes]:
    """A batch of packets, one number in each."""
    data, ends, _ = session.seal_batch([PacketRequest(events=[bytes_of(n)], stream_id=1) for n in numbers])
    return [data[start:end] for start, end in zip(ends, ends[1:])]


class Sender:
    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((LOOPBACK, port))

    def agree(self) -> Session:
        with new_handshake(Role.INITIATOR) as handshake:
            self.socket.send(packet.handshake_frame(handshake.write()))
            handshake.read(self.socket.recv(MAX_PACKET_LEN)[PACKET_HEADER_LEN:])
            self.socket.send(packet.handshake_frame(handshake.write()))
            return handshake.session()

    def ask(self, session: Session, datagram: bytes) -> Opened[bytes]:
        """Sends what the listener answers."""
        self.socket.send(datagram)
        return session.open(self.socket.recv(MAX_PACKET_LEN))

    def send_numbers(self, session: Session, numbers: range) -> None:
        for i in range(0, len(numbers), BATCH):
            batch = numbers[i : i + BATCH]
            pairs = list(zip(batch, seal(session, batch)))
            for n, datagram in pairs[:: 1 if batch.start // BATCH % 2 == 0 else -1]:
                for arriving in arrives(n, datagram):
                    self.socket.send(arriving)
            self.ask(session, session.heartbeat())

    def run(self, packets: int) -> Counts:
        """Tells what the listener counted."""
        with self.agree() as first:
            self.send_numbers(first, range(packets // 2))
            late = seal(first, range(packets, packets + 1))[0]
            with self.agree() as second:
                self.socket.send(late)
                self.send_numbers(second, range(packets // 2, packets))
                answer = self.ask(second, second.seal([], stream_id=1, flags=PacketFlags.FIN))
        return Counts(*numbers_of(answer.events[0]))


# The listener


class Listener:
    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.handshake: Handshake | None = None
        self.sessions: list[Session] = []
        self.seen: set[int] = set()
        self.is_done = False

    def counts(self) -> Counts:
        stats = [session.stats() for session in self.sessions]
        return Counts(len(self.seen), sum(one.replayed for one in stats), sum(one.auth_failed for one in stats))

    def take_message(self, message: bytes) -> None:
        self.handshake = self.handshake or new_handshake(Role.RESPONDER)
        self.handshake.read(message)
        if self.handshake.info().state == HandshakeState.WRITE:
            self.socket.send(packet.handshake_frame(self.handshake.write()))
            return
        with self.handshake:
            self.sessions.append(self.handshake.session())
        self.handshake = None

    def take_number(self, n: int) -> None:
        if n in self.seen:
            raise RuntimeError(f"{n} came twice")
        self.seen.add(n)

    def take_packet(self, session: Session, datagram: bytes) -> None:
        opened = session.open(datagram)
        if opened.info.kind == PacketKind.HEARTBEAT:
            self.socket.send(session.heartbeat())
        elif opened.info.flags & PacketFlags.FIN:
            self.socket.send(session.seal([bytes_of(*self.counts())], stream_id=1))
            self.is_done = True
        else:
            self.take_number(*numbers_of(opened.events[0]))

    def try_sessions(self, datagram: bytes) -> None:
        """The newest first: the packet is of one of them, or of none."""
        for session in reversed(self.sessions):
            try:
                return self.take_packet(session, datagram)
            except PacketSessionError:
                continue
            except (AuthError, ReplayError):
                return  # the session counts them

    def take_datagram(self, datagram: bytes) -> None:
        try:
            info = packet.parse(datagram)
        except KeepError:
            return  # no packet
        if info.kind == PacketKind.HANDSHAKE:
            self.take_message(datagram[PACKET_HEADER_LEN:])
        else:
            self.try_sessions(datagram)

    def run(self) -> Counts:
        while not self.is_done:
            datagram, peer = self.socket.recvfrom(MAX_PACKET_LEN)
            self.socket.connect(peer)  # answers go to whoever sent last
            self.take_datagram(datagram)
        return self.counts()


def main(arguments: list[str]) -> int:
    if arguments == ["listen"]:
        listener = Listener()
        print(listener.socket.getsockname()[1], flush=True)
        print("heard:", listener.run())
        return 0
    if len(arguments) in (2, 3) and arguments[0] == "send":
        packets = int(arguments[2]) if len(arguments) == 3 else PACKETS
        wanted, told = expected(packets), Sender(int(arguments[1])).run(packets)
        print("sent:", wanted)
        print("told:", told)
        return int(told != wanted)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
