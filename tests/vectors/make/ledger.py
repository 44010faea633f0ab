# SPDX-License-Identifier: MIT
"""What tracker §3 B to E say of the ledger, as a program that searches everything and is in no hurry."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

NEVER = 2**64 - 1
TERMINAL = 2**64 - 1
WRAP_WIDTH = 1 << 20
INTERVAL_CAP = 1 << 50
LAST_BUCKET = 63

RANKS = {"none": -1, "network": 0, "socket_mode": 1, "operator": 2, "kernel": 3}
LEAVING = {"goodbye": "goodbyes", "exited": "exits", "recycled": "recycles", "operator": "deletes"}
COUNTERS = (
    *("beats", "stalls", "recoveries", "evictions", "capacity_exceeded", "out_of_order", "nonce_wraps"),
    *("origin_conflicts", "namespace_conflicts", "recycles", "goodbyes", "exits", "deletes", "clock_regressions"),
    *("outages", "outage_ns"),
)
SUSPICION = (
    *((-3000, 0), (0, 301), (1282, 1000), (2326, 2000), (3090, 3000), (3719, 4000), (4265, 5000), (4753, 6000)),
    *((5199, 7000), (5612, 8000), (5998, 9000), (6361, 10000), (6706, 11000), (7034, 12000), (7349, 13000)),
    *((7651, 14000), (7941, 15000), (8222, 16000)),
)


class Refused(Exception):
    """The status of a call that does not succeed."""


def refuse(condition: bool, status: str) -> None:
    """Ends the call with a status if the condition holds."""
    if condition:
        raise Refused(status)


def saturated(value: int) -> int:
    """R7: sums and products of times."""
    return min(value, NEVER)


class Sighting(NamedTuple):
    """A beat as the ledger is told of it."""

    pid: int
    nonce: int
    timestamp_ns: int
    health: int = 0
    payload: int = 0
    claimed_pid: int = 0
    origin: str = "kernel"
    ns_inode: int = 0
    generation: int = 0
    unnumbered: bool = False

    def is_terminal(self) -> bool:
        """R4; what has no number is regular."""
        return self.nonce == TERMINAL and self.health == 2 and not self.unnumbered


class Admission(NamedTuple):
    """What became of it."""

    verdict: str
    flags: frozenset[str] = frozenset()
    evicted_pid: int = 0


class Settings(NamedTuple):
    """How long an agent may be silent."""

    threshold_ns: int
    misses: int
    grace_ns: int

    def limit(self) -> int:
        """R9."""
        return saturated(self.threshold_ns * self.misses)


def bucket_of(x: int) -> int:
    """R22: a bucket of the histogram."""
    if x < 1 << 20:
        return 0
    exponent = x.bit_length() - 1
    return min(LAST_BUCKET, 1 + 4 * (exponent - 20) + (x >> (exponent - 2) & 3))


def upper_end(bucket: int) -> int:
    """R22: where a bucket ends."""
    if bucket in (0, LAST_BUCKET):
        return 1 << 20 if bucket == 0 else NEVER
    exponent, quarter = divmod(bucket - 1, 4)
    return (5 + quarter) << (exponent + 18)


def suspicion_at(y: int) -> int:
    """§4's table, linear between its rows, rounded down."""
    above = bisect_right(SUSPICION, (y, NEVER))
    if above in (0, len(SUSPICION)):
        return SUSPICION[-1][1] if above else 0
    (y0, phi0), (y1, phi1) = SUSPICION[above - 1], SUSPICION[above]
    return phi0 + (phi1 - phi0) * (y - y0) // (y1 - y0)


class Intervals:
    """R22: the times between beats."""

    def __init__(self) -> None:
        self.count = self.least = self.most = self.mean = self.jitter = 0
        self.histogram = [0] * (LAST_BUCKET + 1)

    def add(self, interval: int) -> None:
        """One more."""
        x = min(interval, INTERVAL_CAP)
        off = abs(x - self.mean)
        if self.count == 0:
            self.least, self.mean, self.jitter = x, x, x // 2
        else:
            self.mean += off // 16 if x > self.mean else -(off // 16)
            change = abs(off - self.jitter) // 16
            self.jitter += change if off > self.jitter else -change
        self.least, self.most = min(self.least, x), max(self.most, x)
        self.count += 1
        bucket = bucket_of(x)
        if self.histogram[bucket] == 65535:
            self.histogram = [count // 2 for count in self.histogram]
        self.histogram[bucket] += 1

    def quantile(self, percent: int) -> int:
        """The value of the least bucket that reaches so many of them."""
        wanted, seen = -(-sum(self.histogram) * percent // 100), 0
        for bucket, count in enumerate(self.histogram):
            seen += count
            if count and seen >= wanted:
                return min(upper_end(bucket), self.most)
        return 0

    def suspicion(self, silence: int) -> int:
        """R23."""
        if self.count < 8:
            return 0
        deviation = min(INTERVAL_CAP, max(self.jitter + self.jitter // 4, self.mean // 4, 10**6))
        y = min(abs(silence - self.mean), INTERVAL_CAP) * 1000 // deviation
        return suspicion_at(y if silence >= self.mean else -y)


class Agent:
    """A slot."""

    def __init__(self, pid: int, settings: Settings, now: int, clock: int) -> None:
        self.pid = self.claimed_pid = pid
        self.settings = settings
        self.start, self.last_ns = now, clock
        self.beat_time: int | None = None
        self.armed = self.stalled = self.ended_terminal = False
        self.health = self.payload = 0
        self.noted = 0  # R39: the generation that an observer knows of
        self.is_leaving = False
        self.take_identity("none", 0, 0)

    def take_identity(self, origin: str, ns_inode: int, generation: int) -> None:
        """Who it is; nothing of an earlier stream counts."""
        self.origin, self.ns_inode, self.generation = origin, ns_inode, generation
        self.nonce: int | None = None
        self.terminal_ns: int | None = None
        self.ended_terminal = False
        self.beats = self.out_of_order = 0
        self.intervals = Intervals()

    def mark(self) -> int:
        """R9."""
        return self.start if self.beat_time is None else max(self.start, self.beat_time)

    def deadline(self) -> int:
        """R9: when it stalls."""
        if not self.armed:
            return NEVER
        return saturated(max(self.mark() + self.settings.limit(), self.start + self.settings.grace_ns))

    def observed_nonce(self) -> int:
        """R16."""
        return TERMINAL if self.ended_terminal else self.nonce or 0

    def state(self) -> str:
        """R20."""
        starts_until = saturated(self.start + self.settings.grace_ns)
        rows = (
            (self.stalled, "stalled"),
            (not self.armed, "unarmed"),
            (self.beat_time is None, "registered"),
            (saturated(self.mark() + self.settings.limit()) < starts_until, "starting"),
        )
        return next((word for holds, word in rows if holds), "alive")

    def queue_key(self) -> tuple[int, int]:
        """The order of alarms and victims."""
        return self.deadline(), self.pid


class Ledger:
    """Who beat when."""

    def __init__(
        self,
        capacity: int = 256,
        threshold_ns: int = 5 * 10**9,
        misses: int = 1,
        grace_ns: int = 0,
        max_gap_ns: int = 0,
        policy: str = "strict",
        statistics: int = 0,
    ) -> None:
        self.capacity, self.max_gap, self.policy, self.statistics = capacity, max_gap_ns, policy, statistics
        refuse(not (1 <= capacity <= 65536 and threshold_ns >= 1 and 1 <= misses <= 1000), "INVALID_ARGUMENT")
        refuse(statistics > 1, "INVALID_ARGUMENT")
        self.settings = Settings(threshold_ns, misses, grace_ns)
        self.agents: dict[int, Agent] = {}
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.clock = self.time = -1

    # R8: time

    def time_at(self, now: int) -> int:
        """T as it would be."""
        step = max(0, now - self.clock)
        if self.clock < 0:
            return now
        return self.time + (min(step, self.max_gap) if self.max_gap else step)

    def move(self, now: int) -> None:
        """What every call does that is told the time."""
        if self.clock >= 0 and now < self.clock:
            self.counters["clock_regressions"] += 1
            return
        moved, step = self.time_at(now), now - self.clock
        if self.clock >= 0 and step > moved - self.time:
            self.counters["outages"] += 1
            self.counters["outage_ns"] = saturated(self.counters["outage_ns"] + step - (moved - self.time))
        self.clock, self.time = now, moved

    # R10 to R14: record

    def record(self, sighting: Sighting, now: int) -> Admission:
        """R10, then the table of R11 or R13."""
        regular_end = sighting.nonce == TERMINAL and sighting.health != 2 and not sighting.unnumbered
        refuse(sighting.pid == 0 or sighting.health > 2 or regular_end, "INVALID_ARGUMENT")
        refuse(sighting.unnumbered and sighting.origin != "kernel", "INVALID_ARGUMENT")
        self.move(now)
        agent = self.agents.get(sighting.pid)
        if agent is None:
            evicted = self.make_room()
            if evicted is None:
                return Admission("capacity_exceeded")
            agent = self.insert(sighting.pid, self.settings)
            self.identify(agent, sighting)
            flags = {"evicted"} if evicted else set()
            return Admission("inserted", self.accept(agent, sighting) | flags, evicted)
        return self.judge(agent, sighting)

    def judge(self, agent: Agent, s: Sighting) -> Admission:
        """R11."""
        rank = RANKS[s.origin] - RANKS[agent.origin]
        if agent.beat_time is None:
            self.identify(agent, s)
            return Admission("inserted", self.accept(agent, s))
        if (agent.generation and s.generation and agent.generation != s.generation) or self.starts_over(agent, s):
            return self.recycle(agent, s)
        if rank > 0:
            self.identify(agent, s)
            return Admission("refreshed", self.accept(agent, s) | {"upgraded"})
        if rank < 0:
            self.counters["origin_conflicts"] += 1
            return Admission("origin_conflict")
        other = agent.ns_inode and s.ns_inode and agent.ns_inode != s.ns_inode
        if other or (agent.ns_inode and not s.ns_inode and not s.is_terminal()):
            self.counters["namespace_conflicts"] += 1
            return Admission("namespace_conflict")
        return self.follow(agent, s)

    def starts_over(self, agent: Agent, s: Sighting) -> bool:
        """R11, row 3: what nobody can tell apart by its generation."""
        return (
            not agent.generation
            and not s.generation
            and agent.origin == s.origin
            and s.origin in ("network", "operator")
            and not s.is_terminal()
            and agent.nonce is not None
            and s.nonce <= agent.nonce
            and self.time - agent.mark() >= agent.settings.limit()
        )

    def follow(self, agent: Agent, s: Sighting) -> Admission:
        """R11, rows 8 to 10: the same agent goes on."""
        flags = set()
        if s.is_terminal():
            late = agent.terminal_ns is not None and s.timestamp_ns <= agent.terminal_ns
        else:
            late = not s.unnumbered and agent.nonce is not None and s.nonce <= agent.nonce
            if late and agent.nonce is not None and agent.nonce >= TERMINAL - WRAP_WIDTH and s.nonce <= WRAP_WIDTH:
                late = False
                self.counters["nonce_wraps"] += 1
                flags.add("wrapped")
        if late:
            agent.out_of_order += 1
            self.counters["out_of_order"] += 1
            return Admission("out_of_order")
        agent.ns_inode = agent.ns_inode or s.ns_inode
        agent.generation = agent.generation or s.generation
        if not s.is_terminal():
            self.sample(agent)
        return Admission("refreshed", self.accept(agent, s) | flags)

    def sample(self, agent: Agent) -> None:
        """R22: an interval, unless it says nothing about the agent's rhythm."""
        was_put = agent.beat_time is None or agent.beat_time < agent.start
        if self.statistics and not (agent.stalled or agent.ended_terminal or was_put):
            agent.intervals.add(self.time - (agent.beat_time or 0))

    def recycle(self, agent: Agent, s: Sighting) -> Admission:
        """R14."""
        agent = self.insert(agent.pid, self.settings)
        self.identify(agent, s)
        self.counters["recycles"] += 1
        return Admission("inserted", self.accept(agent, s) | {"recycled"})

    def identify(self, agent: Agent, s: Sighting) -> None:
        """Who it is from now on."""
        agent.take_identity(s.origin, s.ns_inode, s.generation)

    def accept(self, agent: Agent, s: Sighting) -> frozenset[str]:
        """R12: the flags of any accepted beat."""
        flags = set()
        agent.health, agent.payload, agent.claimed_pid = s.health, s.payload, s.claimed_pid or s.pid
        if s.is_terminal():
            agent.terminal_ns = s.timestamp_ns
            flags.add("terminal")
        elif not s.unnumbered:
            agent.nonce = s.nonce
        agent.ended_terminal = s.is_terminal()
        agent.beat_time, agent.last_ns, agent.armed = self.time, self.clock, True
        agent.beats += 1
        self.counters["beats"] += 1
        if agent.stalled:
            agent.stalled = False
            self.counters["recoveries"] += 1
            flags.add("recovered")
        return frozenset(flags)

    def insert(self, pid: int, settings: Settings) -> Agent:
        """A new slot."""
        self.agents[pid] = Agent(pid, settings, self.time, self.clock)
        return self.agents[pid]

    # R15 to R18: deadlines, eviction

    def make_room(self) -> int | None:
        """R13: who went, 0 for nobody; None if nobody could."""
        if len(self.agents) < self.capacity:
            return 0
        old = [agent for agent in self.agents.values() if self.is_evictable(agent)]
        for stalled in (True, False)[: 1 + (self.policy == "balanced")]:
            victims = [agent for agent in old if agent.stalled == stalled]
            if victims:
                pid = min(victims, key=Agent.queue_key).pid
                del self.agents[pid]
                self.counters["evictions"] += 1
                return pid
        self.counters["capacity_exceeded"] += 1
        return None

    def is_evictable(self, agent: Agent) -> bool:
        """R15."""
        return agent.deadline() != NEVER and self.time - agent.deadline() > saturated(9 * self.settings.limit())

    def waiting(self) -> list[Agent]:
        """Those who have a deadline to come, the first of them first."""
        agents = [agent for agent in self.agents.values() if not agent.stalled and agent.deadline() != NEVER]
        return sorted(agents, key=Agent.queue_key)

    def drain(self, now: int, cap: int | None = None) -> list[Agent]:
        """R16: the agents that stall."""
        self.move(now)
        due = [agent for agent in self.waiting() if self.time >= agent.deadline()][:cap]
        for agent in due:
            agent.stalled = True
            self.counters["stalls"] += 1
        return due

    def next_deadline(self) -> int:
        """R17, on the clock."""
        first = next(iter(self.waiting()), None)
        return NEVER if first is None else saturated(self.clock + max(0, first.deadline() - self.time))

    def stalled(self) -> int:
        """How many are."""
        return sum(agent.stalled for agent in self.agents.values())

    # R20, R21: settings, leaving

    def put(
        self, pid: int, now: int, threshold_ns: int = 0, misses: int = 0, grace_ns: int = 0, unarmed: bool = False
    ) -> int:
        """R20: who went for it."""
        refuse(pid == 0 or misses > 1000, "INVALID_ARGUMENT")
        self.move(now)
        agent, evicted = self.agents.get(pid), 0
        own = self.settings
        settings = Settings(threshold_ns or own.threshold_ns, misses or own.misses, grace_ns or own.grace_ns)
        if agent is None:
            room = self.make_room()
            if room is None:
                raise Refused("EXHAUSTED")
            agent, evicted = self.insert(pid, settings), room
        agent.settings, agent.start = settings, self.time
        agent.stalled, agent.armed = False, not unarmed
        return evicted

    def delete(self, pid: int, reason: str, now: int) -> None:
        """R21."""
        self.move(now)
        refuse(pid not in self.agents, "NOT_FOUND")
        del self.agents[pid]
        self.counters[LEAVING[reason]] += 1

    # What it tells

    def silence(self, agent: Agent, now: int) -> int:
        """R9."""
        return self.time_at(now) - agent.mark()

    def report(self, agent: Agent, now: int) -> dict[str, Any]:
        """What an alarm and `get` have in common."""
        wide = {"nonce": agent.observed_nonce(), "last_ns": agent.last_ns, "silence_ns": self.silence(agent, now)}
        wide |= {"limit_ns": agent.settings.limit(), "ns_inode": agent.ns_inode, "generation": agent.generation}
        narrow = {"pid": agent.pid, "claimed_pid": agent.claimed_pid, "payload": agent.payload, "health": agent.health}
        return {key: str(value) for key, value in wide.items()} | narrow | {"origin": agent.origin}

    def alarms(self, now: int, cap: int | None = None) -> list[dict[str, Any]]:
        """R16: what drain tells of each."""
        due = self.drain(now, cap)
        share = {"stalled": self.stalled(), "agents": len(self.agents)}
        return [self.report(agent, now) | {"misses": self.missed(agent, now)} | share for agent in due]

    def missed(self, agent: Agent, now: int) -> int:
        """R16: how many beats did not come."""
        return min(self.silence(agent, now) // agent.settings.threshold_ns, 2**32 - 1)

    def get(self, pid: int, now: int) -> dict[str, Any]:
        """R8: as if the time had come."""
        agent = self.agents.get(pid)
        if agent is None:
            raise Refused("NOT_FOUND")
        times = agent.intervals
        wide = {"grace_ns": agent.settings.grace_ns, "beats": agent.beats, "out_of_order": agent.out_of_order}
        wide |= {"intervals": times.count, "min_ns": times.least, "max_ns": times.most, "mean_ns": times.mean}
        wide |= {"jitter_ns": times.jitter, "p50_ns": times.quantile(50), "p99_ns": times.quantile(99)}
        told = self.report(agent, now) | {key: str(value) for key, value in wide.items()}
        return told | {"state": agent.state(), "phi_milli": times.suspicion(self.silence(agent, now))}

    def stats(self) -> dict[str, Any]:
        """All counters."""
        numbers = {"agents": len(self.agents), "stalled": self.stalled()}
        return numbers | {key: str(value) for key, value in self.counters.items()}
