# SPDX-License-Identifier: MIT
"""How much an observer takes: its tokens (tracker R37), and of each sender nothing twice (R45)."""

from __future__ import annotations

from beats import Beat, Notice

MAX_SENDERS = 1024


class Bucket:
    """R37."""

    def __init__(self, rate: int, burst: int) -> None:
        self.rate, self.full = rate, burst * 1000
        self.milli, self.rest, self.last = self.full, 0, -1

    def take(self, now: int) -> bool:
        """One token, if there is one."""
        if self.rate == 0 or self.full == 0:
            return True
        if self.last >= 0:
            gained, self.rest = divmod((now - self.last) * self.rate + self.rest, 10**6)
            self.milli += gained
            if self.milli >= self.full:
                self.milli, self.rest = self.full, 0
        self.last = now
        if self.milli < 1000:
            return False
        self.milli -= 1000
        return True


class Sender:
    """The marks of one pid."""

    def __init__(self) -> None:
        self.nonce = self.terminal_ns = -1
        self.heard = 0

    def accept(self, inner: Beat | Notice) -> bool:
        """Whether it is above its mark, which it then is."""
        if isinstance(inner, Beat) and inner.is_terminal():
            is_new = inner.timestamp_ns > self.terminal_ns
            self.terminal_ns = max(self.terminal_ns, inner.timestamp_ns)
        else:
            is_new = inner.nonce > self.nonce
            self.nonce = max(self.nonce, inner.nonce)
        return is_new


class Senders:
    """R45: those who sealed what was heard."""

    def __init__(self, session_gap_ns: int) -> None:
        self.gap = session_gap_ns
        self.known: dict[int, Sender] = {}
        self.evicted = 0

    def accept(self, inner: Beat | Notice, now: int) -> bool:
        """Whether it is heard for the first time."""
        sender = self.known.get(inner.pid, Sender())
        is_regular = isinstance(inner, Beat) and not inner.is_terminal()
        if is_regular and self.gap and now - sender.heard >= self.gap:
            sender = Sender()
        if not sender.accept(inner):
            return False
        if inner.pid not in self.known and len(self.known) == MAX_SENDERS:
            del self.known[min(self.known, key=lambda pid: (self.known[pid].heard, pid))]
            self.evicted += 1
        sender.heard = now
        self.known[inner.pid] = sender
        return True
