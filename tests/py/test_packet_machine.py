# SPDX-License-Identifier: MIT
"""Random calls on two sessions against a model (style R36): the model of a replay window is a set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import libkeep
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule
from libkeep import Opened, PacketPool, PacketRequest, Secret, Session, packet
from vectors.packet import OPENERS, open_packed

SPENT = 2**64 - 1
WINDOWS = (1024, 2048, 65536)
TOO_LONG = (bytes(9000),)
events = st.lists(st.binary(max_size=40), max_size=4)
first_counters = st.sampled_from([0, 1, 2**32 - 20, 2**63 - 20, SPENT - 3000, SPENT - 20, SPENT])
jumps = st.integers(0, 3000) | st.just(1 << 40)


@dataclass(frozen=True)
class Sent:
    """A datagram, and what is in it."""

    datagram: bytes
    counter: int
    events: tuple[bytes, ...]


class Window:
    """What a replay window should accept."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.next = 0
        self.seen: set[int] = set()

    def commit(self, counter: int) -> str:
        if counter in self.seen or counter + self.size < self.next:
            return "REPLAY"
        self.seen.add(counter)
        self.next = max(self.next, counter + 1)
        return "OK"


def name_of(status: int) -> str:
    return libkeep.by_status[status].name if status else "OK"


class Sessions(RuleBasedStateMachine):
    sent = Bundle("sent")

    @initialize(first=first_counters, size=st.sampled_from(WINDOWS))
    def begin(self, first: int, size: int) -> None:
        self.key = Secret.generate(32)
        self.opener = Session(session_id=5, rx_key=self.key, window=size)
        self.packets = PacketPool(1)
        self.window = Window(size)
        self.counted = dict.fromkeys(("OK", "REPLAY", "AUTH"), 0)
        self.next = first
        self.sealer = self.make_sealer()

    def make_sealer(self) -> Session:
        return Session(session_id=5, tx_key=self.key, first_counter=self.next)

    @rule(distance=jumps)
    def jump(self, distance: int) -> None:
        self.go_on_at(self.next + distance)

    def go_on_at(self, counter: int) -> None:
        self.sealer.close()
        self.next = min(counter, SPENT)
        self.sealer = self.make_sealer()

    # Sealing

    def seal_one(self, contents: list[bytes], seal: Callable[[], bytes]) -> MultipleResults[Sent]:
        try:
            datagram = seal()
        except libkeep.RekeyError:
            assert self.next == SPENT
            return multiple()
        assert packet.parse(datagram).counter == self.next < SPENT
        self.next += 1
        return multiple(Sent(datagram, self.next - 1, tuple(contents)))

    @rule(target=sent, contents=events)
    def seal(self, contents: list[bytes]) -> MultipleResults[Sent]:
        return self.seal_one(contents, lambda: self.sealer.seal(contents, stream_id=3))

    @rule(target=sent)
    def heartbeat(self) -> MultipleResults[Sent]:
        return self.seal_one([], self.sealer.heartbeat)

    @rule(target=sent, contents=events)
    def build(self, contents: list[bytes]) -> MultipleResults[Sent]:
        with self.packets.acquire() as built:

            def seal() -> bytes:
                built.build(self.sealer, contents)
                return bytes(built)

            return self.seal_one(contents, seal)

    @rule(target=sent, contents=st.lists(events | st.none(), min_size=1, max_size=9))
    def seal_batch(self, contents: list[list[bytes] | None]) -> MultipleResults[Sent]:
        """None stands for what is too long."""
        fits = [each is not None for each in contents]
        requests = [PacketRequest(TOO_LONG if each is None else each) for each in contents]
        data, offsets, statuses = self.sealer.seal_batch(requests)
        is_spent = self.next + sum(fits) > SPENT
        good = "REKEY" if is_spent else "OK"
        assert [name_of(status) for status in statuses] == [good if fit else "PACKET_TOO_LARGE" for fit in fits]
        made = []
        for request, begin, end in zip(requests, offsets, offsets[1:]):
            if begin < end:
                made.append(Sent(data[begin:end], self.next, tuple(map(bytes, request.events))))
                self.next += 1
        assert [packet.parse(each.datagram).counter for each in made] == [each.counter for each in made]
        assert len(made) == (0 if is_spent else sum(fits))
        return multiple(*made)

    # Opening

    def expected(self, one: Sent) -> str:
        status = self.window.commit(one.counter)
        self.counted[status] += 1
        return status

    @rule(one=sent, opens=st.sampled_from(OPENERS))
    def open(self, one: Sent, opens: Callable[[Session, bytes], Opened[bytes]]) -> None:
        status, found = "OK", one.events
        try:
            found = tuple(map(bytes, opens(self.opener, one.datagram).events))
        except libkeep.ReplayError as error:
            status = error.name
        assert (status, found) == (self.expected(one), one.events)

    @rule(one=sent, late=st.integers(0, 1))
    def open_at_the_edge(self, one: Sent, late: int) -> None:
        """A datagram is opened when it is the oldest that the window holds, or just not any more."""
        newest = one.counter + self.window.size - 1 + late
        if self.next <= newest < SPENT and self.window.next <= newest:
            self.go_on_at(newest)
            self.next += 1
            self.open(Sent(self.sealer.heartbeat(), newest, ()), Session.open)
            self.open(one, Session.open)

    @rule(many=st.lists(sent, min_size=1, max_size=12))
    def open_batch(self, many: list[Sent]) -> None:
        for one, opened in zip(many, self.opener.open_batch([one.datagram for one in many])):
            assert name_of(opened.status) == self.expected(one)
            assert opened.events == (one.events if opened.status == 0 else ())

    @rule(many=st.lists(sent, min_size=1, max_size=12))
    def open_packed(self, many: list[Sent]) -> None:
        room = sum(len(one.datagram) for one in many)
        opened = open_packed(self.opener, [one.datagram for one in many], room, room)
        for one, found, status in zip(many, opened.events, opened.statuses):
            assert name_of(status) == self.expected(one)
            assert tuple(found) == (one.events if status == 0 else ())

    @rule(one=sent, at=st.integers(0, 15), mask=st.integers(1, 255), opens=st.sampled_from(OPENERS))
    def open_forged(self, one: Sent, at: int, mask: int, opens: Callable[[Session, bytes], Opened[bytes]]) -> None:
        forged = bytearray(one.datagram)
        forged[-1 - at] ^= mask
        self.counted["AUTH"] += 1
        try:
            opens(self.opener, bytes(forged))
        except libkeep.AuthError:
            return
        raise AssertionError("a forged datagram was opened")

    @invariant()
    def the_sessions_count_right(self) -> None:
        assert self.sealer.stats().next_counter == self.next
        stats = self.opener.stats()
        assert (stats.opened, stats.replayed, stats.auth_failed) == tuple(self.counted.values())
        assert stats.highest_counter == (self.window.next - 1 if self.window.seen else None)
        assert stats.malformed == 0

    def teardown(self) -> None:
        for handle in (self.sealer, self.opener, self.packets, self.key):
            handle.close()


Sessions.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestSessions = Sessions.TestCase
