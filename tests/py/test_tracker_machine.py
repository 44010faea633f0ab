# SPDX-License-Identifier: MIT
"""Random calls on a ledger against an oracle that searches everything (tracker T2); its rules are tracker.md's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from libkeep import (
    TIME_NEVER,
    Admission,
    AdmissionFlags,
    AgentState,
    DeleteReason,
    EvictionPolicy,
    Health,
    KeepError,
    Origin,
    Sighting,
    SightingFlags,
    Tracker,
    Verdict,
)

CAPACITY = 4
THRESHOLD, MISSES, GRACE, MAX_GAP = 100, 2, 50, 500
TERMINAL = 2**64 - 1
WRAPS = TERMINAL - 2**20
DELETED = {
    DeleteReason.GOODBYE: "goodbyes",
    DeleteReason.EXITED: "exits",
    DeleteReason.RECYCLED: "recycles",
    DeleteReason.OPERATOR: "deletes",
}
REFUSED = {
    Verdict.OUT_OF_ORDER: "out_of_order",
    Verdict.ORIGIN_CONFLICT: "origin_conflicts",
    Verdict.NAMESPACE_CONFLICT: "namespace_conflicts",
}

pids = st.integers(1, 7)
steps = st.one_of(st.integers(0, 150), st.integers(151, 3000), st.just(-1))
nonces = st.one_of(st.integers(0, 12), st.integers(WRAPS - 2, WRAPS + 2), st.integers(TERMINAL - 3, TERMINAL - 1))
known = st.sampled_from([0, 0, 1, 2])


@dataclass
class Slot:
    pid: int
    threshold: int
    misses: int
    grace: int
    start: int
    is_armed: bool = True
    is_stalled: bool = False
    beat: int | None = None
    last_ns: int = 0
    origin: Origin = Origin.NONE
    ns_inode: int = 0
    generation: int = 0
    nonce: int | None = None
    terminal: int | None = None
    said_last_word: bool = False
    health: Health = Health.OK
    payload: int = 0
    beats: int = 0

    @property
    def mark(self) -> int:
        return max(self.start, self.beat or 0)

    @property
    def limit(self) -> int:
        return self.threshold * self.misses

    @property
    def deadline(self) -> int:
        return max(self.mark + self.limit, self.start + self.grace)

    @property
    def observed_nonce(self) -> int:
        return TERMINAL if self.said_last_word else self.nonce or 0

    @property
    def state(self) -> AgentState:
        if self.is_stalled:
            return AgentState.STALLED
        if not self.is_armed:
            return AgentState.UNARMED
        if self.beat is None:
            return AgentState.REGISTERED
        return AgentState.STARTING if self.mark + self.limit < self.start + self.grace else AgentState.ALIVE


class Oracle:
    """A ledger without an index, a heap or a list."""

    def __init__(self, policy: EvictionPolicy) -> None:
        self.policy = policy
        self.slots: dict[int, Slot] = {}
        self.clock: int | None = None
        self.time = 0
        self.counts: Counter[str] = Counter()

    def move(self, now: int) -> None:
        """R8."""
        if self.clock is None:
            self.clock = self.time = now
        elif now < self.clock:
            self.counts["clock_regressions"] += 1
        else:
            step = now - self.clock
            if step > MAX_GAP:
                self.counts["outages"] += 1
                self.counts["outage_ns"] += step - MAX_GAP
            self.clock = now
            self.time += min(step, MAX_GAP)

    def new_slot(self, pid: int) -> Slot:
        return Slot(pid, THRESHOLD, MISSES, GRACE, self.time, last_ns=self.clock or 0)

    def victim(self) -> Slot | None:
        """R15, R18."""
        old = [slot for slot in self.slots.values() if slot.is_armed and self.is_evictable(slot)]
        stalled = [slot for slot in old if slot.is_stalled]
        found = stalled or (old if self.policy is EvictionPolicy.BALANCED else [])
        return min(found, key=lambda slot: (slot.deadline, slot.pid), default=None)

    def is_evictable(self, slot: Slot) -> bool:
        return self.time - slot.deadline > 9 * THRESHOLD * MISSES

    def make_room(self) -> int | None:
        """Who went, 0: nobody had to; None: nobody may."""
        if len(self.slots) < CAPACITY:
            return 0
        victim = self.victim()
        if victim is None:
            self.counts["capacity_exceeded"] += 1
            return None
        del self.slots[victim.pid]
        self.counts["evictions"] += 1
        return victim.pid

    def record(self, sighting: Sighting) -> Admission:
        """R11 to R14."""
        slot = self.slots.get(sighting.pid)
        if slot is not None:
            return self.record_known(slot, sighting)
        evicted = self.make_room()
        if evicted is None:
            return Admission(Verdict.CAPACITY_EXCEEDED, AdmissionFlags(0), 0)
        slot = self.slots[sighting.pid] = self.new_slot(sighting.pid)
        self.take_identity(slot, sighting)
        flags = self.accept(slot, sighting)
        return Admission(Verdict.INSERTED, flags | (AdmissionFlags.EVICTED if evicted else AdmissionFlags(0)), evicted)

    def record_known(self, slot: Slot, sighting: Sighting) -> Admission:
        if slot.beat is None:
            self.take_identity(slot, sighting)
            return Admission(Verdict.INSERTED, self.accept(slot, sighting), 0)
        if self.is_another_life(slot, sighting):
            self.counts["recycles"] += 1
            fresh = self.slots[slot.pid] = self.new_slot(slot.pid)
            self.take_identity(fresh, sighting)
            return Admission(Verdict.INSERTED, self.accept(fresh, sighting) | AdmissionFlags.RECYCLED, 0)
        if sighting.origin > slot.origin:
            slot.nonce = slot.terminal = None
            slot.beats = 0
            self.take_identity(slot, sighting)
            return Admission(Verdict.REFRESHED, self.accept(slot, sighting) | AdmissionFlags.UPGRADED, 0)
        verdict = self.refusal(slot, sighting)
        if verdict is not None:
            self.counts[REFUSED[verdict]] += 1
            return Admission(verdict, AdmissionFlags(0), 0)
        flags = AdmissionFlags(0)
        if self.is_behind(slot, sighting):
            self.counts["nonce_wraps"] += 1
            flags = AdmissionFlags.WRAPPED
        slot.ns_inode = slot.ns_inode or sighting.ns_inode
        slot.generation = slot.generation or sighting.generation
        return Admission(Verdict.REFRESHED, flags | self.accept(slot, sighting), 0)

    def is_another_life(self, slot: Slot, sighting: Sighting) -> bool:
        if slot.generation and sighting.generation:
            return slot.generation != sighting.generation
        is_remote = sighting.origin in (Origin.NETWORK, Origin.OPERATOR) and sighting.origin == slot.origin
        is_unknown = not slot.generation and not sighting.generation
        is_silent = self.time - slot.mark >= slot.limit
        return is_unknown and is_remote and self.is_behind(slot, sighting) and is_silent

    def is_behind(self, slot: Slot, sighting: Sighting) -> bool:
        is_numbered = sighting.nonce != TERMINAL and not sighting.flags
        return is_numbered and slot.nonce is not None and sighting.nonce <= slot.nonce

    def refusal(self, slot: Slot, sighting: Sighting) -> Verdict | None:
        is_terminal = sighting.nonce == TERMINAL and not sighting.flags
        if sighting.origin < slot.origin:
            return Verdict.ORIGIN_CONFLICT
        if slot.ns_inode and slot.ns_inode != sighting.ns_inode and (sighting.ns_inode or not is_terminal):
            return Verdict.NAMESPACE_CONFLICT
        if is_terminal:
            is_old = slot.terminal is not None and sighting.timestamp_ns <= slot.terminal
            return Verdict.OUT_OF_ORDER if is_old else None
        may_wrap = slot.nonce is not None and slot.nonce >= WRAPS and sighting.nonce <= 2**20
        return Verdict.OUT_OF_ORDER if self.is_behind(slot, sighting) and not may_wrap else None

    def take_identity(self, slot: Slot, sighting: Sighting) -> None:
        slot.origin, slot.ns_inode, slot.generation = sighting.origin, sighting.ns_inode, sighting.generation

    def accept(self, slot: Slot, sighting: Sighting) -> AdmissionFlags:
        flags = AdmissionFlags(0)
        slot.said_last_word = sighting.nonce == TERMINAL and not sighting.flags
        if slot.said_last_word:
            slot.terminal = sighting.timestamp_ns
            flags |= AdmissionFlags.TERMINAL
        elif not sighting.flags:
            slot.nonce = sighting.nonce
        slot.health, slot.payload, slot.is_armed = sighting.health, sighting.payload, True
        slot.beat, slot.last_ns = self.time, self.clock or 0
        slot.beats += 1
        self.counts["beats"] += 1
        if slot.is_stalled:
            slot.is_stalled = False
            self.counts["recoveries"] += 1
            flags |= AdmissionFlags.RECOVERED
        return flags

    def due(self) -> list[Slot]:
        found = [slot for slot in self.slots.values() if slot.is_armed and not slot.is_stalled]
        return sorted((s for s in found if s.deadline <= self.time), key=lambda slot: (slot.deadline, slot.pid))

    def next_deadline(self) -> int:
        waiting = [slot.deadline for slot in self.slots.values() if slot.is_armed and not slot.is_stalled]
        return max(min(waiting) - self.time, 0) + (self.clock or 0) if waiting else TIME_NEVER


class Ledgers(RuleBasedStateMachine):
    policy = EvictionPolicy.STRICT

    def __init__(self) -> None:
        super().__init__()
        self.tracker = Tracker(
            capacity=CAPACITY,
            threshold_ns=THRESHOLD,
            misses=MISSES,
            grace_ns=GRACE,
            max_gap_ns=MAX_GAP,
            policy=self.policy,
        )
        self.oracle = Oracle(self.policy)
        self.now = 1000

    def step(self, by: int) -> int:
        self.now = max(self.now + by, 0)
        self.oracle.move(self.now)
        return self.now

    @rule(
        by=steps,
        sightings=st.lists(
            st.builds(
                Sighting,
                pids,
                nonces,
                timestamp_ns=st.integers(0, 5),
                health=st.sampled_from(Health),
                payload=st.integers(0, 3),
                origin=st.sampled_from([Origin.NETWORK, Origin.OPERATOR, Origin.KERNEL]),
                ns_inode=known,
                generation=known,
            ),
            min_size=1,
            max_size=4,
        ),
        kind=st.sampled_from(["regular", "regular", "terminal", "unnumbered"]),
    )
    def record(self, by: int, sightings: list[Sighting], kind: str) -> None:
        if kind == "terminal":
            sightings = [replace(each, nonce=TERMINAL, health=Health.CRITICAL) for each in sightings]
        if kind == "unnumbered":
            flags = SightingFlags.UNNUMBERED
            sightings = [replace(each, nonce=0, origin=Origin.KERNEL, flags=flags) for each in sightings]
        now = self.step(by)
        assert self.tracker.record_batch(sightings, now) == [self.oracle.record(each) for each in sightings]

    @rule(by=steps, most=st.sampled_from([0, 1, 2, 100]))
    def drain(self, by: int, most: int) -> None:
        now = self.step(by)
        told = self.oracle.due()[:most]
        for slot in told:
            slot.is_stalled = True
            self.oracle.counts["stalls"] += 1
        stalled = sum(slot.is_stalled for slot in self.oracle.slots.values())
        wanted = []
        for slot in told:
            silence = self.oracle.time - slot.mark
            wanted.append((slot.pid, slot.observed_nonce, slot.last_ns, silence, slot.limit, silence // slot.threshold))
        alarms = self.tracker.drain(now, most)
        assert [(a.pid, a.nonce, a.last_ns, a.silence_ns, a.limit_ns, a.misses) for a in alarms] == wanted
        assert all((alarm.stalled, alarm.agents) == (stalled, len(self.oracle.slots)) for alarm in alarms)

    @rule(
        by=steps,
        pid=pids,
        threshold=st.sampled_from([0, 30]),
        misses=st.integers(0, 3),
        grace=st.sampled_from([0, 700]),
        unarmed=st.booleans(),
    )
    def put(self, by: int, pid: int, threshold: int, misses: int, grace: int, unarmed: bool) -> None:
        now = self.step(by)
        evicted = 0 if pid in self.oracle.slots else self.oracle.make_room()

        def call() -> object:
            return self.tracker.put(pid, now, threshold_ns=threshold, misses=misses, grace_ns=grace, unarmed=unarmed)

        if evicted is None:
            assert status_of(call) == "EXHAUSTED"
            return
        assert call() == evicted
        slot = self.oracle.slots.setdefault(pid, self.oracle.new_slot(pid))
        slot.threshold, slot.misses, slot.grace = threshold or THRESHOLD, misses or MISSES, grace or GRACE
        slot.start, slot.is_armed, slot.is_stalled = self.oracle.time, not unarmed, False

    @rule(by=steps, pid=pids, reason=st.sampled_from(DeleteReason))
    def delete(self, by: int, pid: int, reason: DeleteReason) -> None:
        now = self.step(by)
        is_there = self.oracle.slots.pop(pid, None) is not None
        if is_there:
            self.oracle.counts[DELETED[reason]] += 1
        assert status_of(lambda: self.tracker.delete(pid, reason, now)) == ("OK" if is_there else "NOT_FOUND")

    @invariant()
    def agents_are_alike(self) -> None:
        agents = {agent.pid: agent for agent in self.tracker.list()}
        assert set(agents) == set(self.oracle.slots)
        for pid, slot in self.oracle.slots.items():
            agent = agents[pid]
            assert agent == self.tracker.get(pid, self.now)
            assert (agent.state, agent.origin, agent.health) == (slot.state, slot.origin, slot.health)
            assert (agent.nonce, agent.last_ns, agent.limit_ns) == (slot.observed_nonce, slot.last_ns, slot.limit)
            assert (agent.silence_ns, agent.grace_ns) == (self.oracle.time - slot.mark, slot.grace)
            assert (agent.ns_inode, agent.generation) == (slot.ns_inode, slot.generation)
            assert (agent.beats, agent.payload) == (slot.beats, slot.payload)

    @invariant()
    def numbers_are_alike(self) -> None:
        stats = dict(vars(self.tracker.stats()))
        stalled = sum(slot.is_stalled for slot in self.oracle.slots.values())
        assert (stats.pop("agents"), stats.pop("stalled")) == (len(self.oracle.slots), stalled)
        assert {name: number for name, number in stats.items() if number} == dict(self.oracle.counts)
        assert self.tracker.next_deadline() == self.oracle.next_deadline()

    def teardown(self) -> None:
        self.tracker.close()


def status_of(call: Callable[[], object]) -> str:
    try:
        call()
    except KeepError as error:
        return error.name
    return "OK"


class BalancedLedgers(Ledgers):
    policy = EvictionPolicy.BALANCED


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(max_examples=60, stateful_step_count=40)
TestBalancedLedgers = BalancedLedgers.TestCase
TestBalancedLedgers.settings = TestLedgers.settings
