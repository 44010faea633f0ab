# SPDX-License-Identifier: MIT
"""What a datagram says, and of whom: tracker R6, R34 i, R36, and the lines of R40."""

from __future__ import annotations

import re
from typing import Any

from beats import CRITICAL, Beat, Notice
from ledger import Sighting

MAX_TEXT = 4096
MAX_WATCHDOG_USEC = 2**64 // 1000
TEXT = re.compile(rb"[\x09\x0a\x0d\x20-\xff]*\x00?")
DECIMAL = re.compile(rb"[0-9]+")

Event = dict[str, Any]
Datagram = dict[str, Any]


def is_text(data: bytes) -> bool:
    """R6."""
    return 1 <= len(data) <= MAX_TEXT and b"=" in data and TEXT.fullmatch(data) is not None


def is_valid(key: bytes, value: bytes) -> bool:
    """R40: a line that means something."""
    if key == b"WATCHDOG_USEC":
        return DECIMAL.fullmatch(value) is not None and 1 <= int(value) <= MAX_WATCHDOG_USEC
    return value in {b"READY": (b"1",), b"WATCHDOG": (b"1", b"trigger"), b"STOPPING": (b"1",)}.get(key, ())


def lines_of(text: bytes) -> dict[bytes, bytes]:
    """R40: the last valid value of each key."""
    pairs = [line.partition(b"=")[::2] for line in re.split(rb"[\n\r]", text.removesuffix(b"\0"))]
    return {key: value for key, value in pairs if is_valid(key, value)}


class Spoken:
    """A datagram that was understood, and whose it is (R34 i)."""

    def __init__(self, datagram: Datagram, inner: Beat | Notice | bytes) -> None:
        self.source = datagram["from"]
        self.inner = inner
        self.marks = datagram.get("marks", [])
        self.claimed_pid = datagram.get("kernel_pid", 0) if isinstance(inner, bytes) else inner.pid
        self.pid = datagram.get("kernel_pid", 0) if self.source == "unix" else self.claimed_pid
        self.uid = datagram.get("uid", 0)
        self.lines = lines_of(inner) if isinstance(inner, bytes) else {}
        self.generation = self.ns_inode = 0
        self.origin = "operator" if "attested" in self.marks else "network"
        if self.source == "unix":
            self.generation, self.ns_inode = (int(datagram.get(key, 0)) for key in ("generation", "ns_inode"))
            self.origin = "kernel" if self.generation else "socket_mode"

    def is_terminal(self) -> bool:
        """A crash's last word."""
        return isinstance(self.inner, Beat) and self.inner.is_terminal()

    def event(self, kind: str, **more: Any) -> Event:
        """What is told of it: its values."""
        wide = {"nonce": 0, "ns_inode": self.ns_inode, "generation": self.generation}
        event: Event = {"kind": kind, "pid": self.pid, "claimed_pid": self.claimed_pid, "uid": self.uid}
        is_failure = self.lines.get(b"WATCHDOG") == b"trigger"
        event |= {"health": CRITICAL if is_failure else 0, "payload": 0, "origin": self.origin}
        if isinstance(self.inner, Beat):
            event |= {"health": self.inner.health, "payload": self.inner.payload}
        if not isinstance(self.inner, bytes):
            wide["nonce"] = self.inner.nonce
        return event | {key: str(value) for key, value in wide.items()} | more

    def sighting(self) -> Sighting:
        """What the ledger is told of its beat."""
        assert isinstance(self.inner, Beat)
        beat = self.inner
        identity = self.claimed_pid, self.origin, self.ns_inode, self.generation
        return Sighting(self.pid, beat.nonce, beat.timestamp_ns, beat.health, beat.payload, *identity)
