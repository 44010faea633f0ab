# SPDX-License-Identifier: MIT
"""Both ends of a session as packet §3 tells them: counters, the order of refusals, the window of a receiver."""

from __future__ import annotations

from typing import Any

from model import Refused, refuse
from packet_values import integer
from packet_wire import (
    HANDSHAKE_FLAG,
    HEARTBEAT_FLAG,
    OVERHEAD,
    Header,
    framed,
    measured,
    parsed,
    sealed,
    unframed,
    unsealed,
)

LAST = 2**64 - 1
SETTINGS = ("origin_hash", "channel_hash", "priority", "hop_ttl", "subnet_id")
WINDOWS = [1 << bits for bits in range(10, 17)]


class Request:
    """What is to be sealed, before anything is checked."""

    def __init__(self, kind: str, events: list[bytes], settings: dict[str, int], **fields: int) -> None:
        self.kind = kind
        self.events = events
        self.settings = settings
        self.asked = Header(**fields)

    def check(self) -> None:
        """R5, R6."""
        if self.kind == "heartbeat":
            refuse(self.events != [] or self.asked != Header(), "INVALID_ARGUMENT")
        refuse(self.asked.flags & (HANDSHAKE_FLAG | HEARTBEAT_FLAG) != 0, "INVALID_ARGUMENT")

    def header(self) -> Header:
        """R4, R5: all that the session does not know."""
        if self.kind == "heartbeat":
            return Header(flags=HEARTBEAT_FLAG)
        return self.asked._replace(event_count=len(self.events), **self.settings)


class Window:
    """R24."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.next = 0
        self.committed: set[int] = set()

    def commit(self, counter: int) -> bool:
        """Whether a counter is new and not too old; it is used up then."""
        age = self.next - 1 - counter
        if counter == LAST or age >= self.size or counter in self.committed:
            return False
        self.next = max(self.next, counter + 1)
        self.committed.add(counter)
        return True


class Session:
    """R11; a key may be missing."""

    def __init__(
        self,
        session_id: int,
        tx_key: bytes | None = None,
        rx_key: bytes | None = None,
        first_counter: int = 0,
        window: int = 0,
        max_failed_opens: int = 0,
    ) -> None:
        keys = [key for key in (tx_key, rx_key) if key is not None]
        wrong = not keys or any(len(key) != 32 for key in keys) or tx_key == rx_key
        refuse(wrong or (window or 1024) not in WINDOWS or max_failed_opens > 1 << 36, "INVALID_ARGUMENT")
        self.freed = False
        self.session_id = session_id
        self.tx_key = tx_key
        self.rx_key = rx_key
        self.next_counter = first_counter
        self.window = Window(window or 1024)
        self.max_failed_opens = max_failed_opens or 1 << 36
        self.counts = dict.fromkeys(("opened", "auth_failed", "replayed", "malformed"), 0)

    def seal(self, request: Request, cap: int = 8192) -> bytes:
        """R1."""
        request.check()
        if self.tx_key is None:
            raise Refused("STATE")
        need = OVERHEAD + measured([len(event) for event in request.events])
        refuse(cap < need, "BUFFER_TOO_SMALL", needed_len=need)
        refuse(self.next_counter == LAST, "REKEY")
        header = request.header()._replace(counter=self.next_counter, session_id=self.session_id)
        self.next_counter += 1
        return sealed(self.tx_key, header, framed(request.events))

    def open(self, datagram: bytes, data_cap: int = 8192, event_cap: int = 2027) -> tuple[Header, list[bytes]]:
        """R17, R19."""
        if self.rx_key is None:
            raise Refused("STATE")
        header = parsed(datagram)
        refuse(header.kind() == "handshake", "PACKET_HANDSHAKE")
        refuse(header.session_id != self.session_id, "PACKET_SESSION")
        refuse(self.counts["auth_failed"] >= self.max_failed_opens, "REKEY")
        need = header.payload_len, min(header.event_count, header.payload_len // 4)
        small = need[0] > data_cap or need[1] > event_cap
        refuse(small, "BUFFER_TOO_SMALL", needed_data_len=need[0], needed_event_count=need[1])
        try:
            plaintext = unsealed(self.rx_key, header, datagram)
            refuse(not self.window.commit(header.counter), "REPLAY")
            events = unframed(plaintext, header.event_count)
        except Refused as refused:
            self.counts[{"AUTH": "auth_failed", "REPLAY": "replayed"}.get(refused.status, "malformed")] += 1
            raise
        self.counts["opened"] += 1
        return header, events


def settings_of(case: dict[str, Any], otherwise: dict[str, int] | None = None) -> dict[str, int]:
    """The settings of a case; without them others, or zeros."""
    if "settings" in case:
        return {key: integer(case["settings"][key]) for key in SETTINGS}
    return otherwise or dict.fromkeys(SETTINGS, 0)
