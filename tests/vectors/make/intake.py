# SPDX-License-Identifier: MIT
"""What tracker §3 F to H say of an observer that is fed: which datagrams count, and what it tells of them."""

from __future__ import annotations

import contextlib
from typing import Any

from beats import TERMINAL, Beat, Fault, Notice, decode, unsealed
from ledger import RANKS, Admission, Agent, Ledger, Refused, Sighting
from limits import Bucket, Senders
from mail import Datagram, Event, Spoken, is_text

UNMAPPED_UID = 65534
SECOND = 10**9

COUNTERS = (
    *("datagrams", "bad_length", "uid_refused", "no_credentials", "decode_errors", "auth_failures", "pid_above_max"),
    *("limited_pid", "limited_global", "posthumous", "after_goodbye", "notify_unattested", "notice_refused"),
    *("decrypt_failures", "replay_refused", "senders_evicted", "foreign_namespace", "pidfd_unavailable", "io_errors"),
)


class Dropped(Exception):
    """A datagram goes no further."""


def told_of(report: dict[str, Any]) -> Event:
    """The part of a report that is an event's. The generation may be the one that was noted."""
    return {key: value for key, value in report.items() if key not in ("limit_ns", "misses", "generation")}


def is_another(slot: Agent, generation: int) -> bool:
    """Whether both lives are known and differ."""
    known = slot.generation or slot.noted
    return known != 0 and generation not in (0, known)


class Observer:
    """An observer without sockets."""

    def __init__(self, ledger: Ledger, **options: Any) -> None:
        defaults: dict[str, Any] = {"uids": [], "any_uid": False, "accept_notify": True, "pid_max": 0}
        defaults |= {"require_pid_match": False, "own_namespace_only": False, "own_ns_inode": 0, "report_beats": False}
        defaults |= {"per_pid_rate": 100, "global_rate": 5000, "global_burst": 10000, "session_gap_ns": 0}
        defaults |= {"min_threshold_ns": 10**7, "max_threshold_ns": 3600 * SECOND}
        self.options = defaults | options
        self.ledger = ledger
        self.bucket = Bucket(self.options["global_rate"], self.options["global_burst"])
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.keys: list[tuple[str, bytes]] = []
        self.senders = Senders(self.options["session_gap_ns"])
        self.events: list[Event] = []
        self.outages = ledger.counters["outages"]  # as told

    def feed(self, datagrams: list[Datagram], now: int) -> list[Event]:
        """R36: what there is to tell, in order."""
        self.begin(now)
        for datagram in datagrams:
            self.counters["datagrams"] += 1
            with contextlib.suppress(Dropped):
                self.take(datagram)
        return self.told()

    def exit(self, pid: int, generation: int, now: int) -> list[Event]:
        """R33."""
        self.begin(now)
        agent = self.ledger.agents.get(pid)
        if agent and not is_another(agent, generation):
            if not agent.is_leaving:
                self.events.append({"kind": "exited"} | told_of(self.ledger.report(agent, self.now)))
            self.ledger.delete(pid, "goodbye" if agent.is_leaving else "exited", self.now)
        return self.told()

    def begin(self, now: int) -> None:
        """The begin of a feed."""
        self.events = []
        self.ledger.move(now)
        self.now = self.ledger.clock

    def told(self) -> list[Event]:
        """The end of a feed."""
        if self.ledger.counters["outages"] > self.outages:
            self.events.append({"kind": "outage"})
            self.outages = self.ledger.counters["outages"]
        for alarm in self.ledger.alarms(self.now):
            self.events.append({"kind": "stall"} | told_of(alarm))
        return self.events

    # R34

    def demand(self, condition: bool, counter: str) -> None:
        """A test of the table that costs nothing."""
        if not condition:
            self.counters[counter] += 1
            raise Dropped

    def pay(self) -> None:
        """One global token."""
        self.demand(self.bucket.take(self.now), "limited_global")

    def demand_or_pay(self, condition: bool, counter: str, *events: Event) -> None:
        """A test of the table whose failure pays."""
        if not condition:
            self.pay()
            self.counters[counter] += 1
            self.events += events
            raise Dropped

    def take(self, datagram: Datagram) -> None:
        """The table, a to o."""
        if datagram["from"] == "unix":
            self.check_credentials(datagram)
        spoken = Spoken(datagram, self.understood(datagram))
        self.check_claim(spoken)
        self.identify(spoken)
        own = self.options["own_ns_inode"]
        is_foreign = self.options["own_namespace_only"] and spoken.ns_inode not in (0, own)
        self.demand_or_pay(not is_foreign, "foreign_namespace", spoken.event("namespace_conflict"))
        if "sender_gone" in spoken.marks and spoken.pid not in self.ledger.agents:
            if spoken.is_terminal():
                self.events.append(spoken.event("crash", posthumous=True))
            self.demand(False, "posthumous")
        if isinstance(spoken.inner, Notice):
            self.take_notice(spoken, spoken.inner)
        elif isinstance(spoken.inner, bytes):
            self.take_text(spoken)
        else:
            self.take_beat(spoken, spoken.sighting())

    def check_credentials(self, datagram: Datagram) -> None:
        """Rows a, b."""
        pid, uid = datagram.get("kernel_pid", 0), datagram.get("uid", 0)
        is_known = "no_credentials" not in datagram.get("marks", []) and pid != 0 and uid != UNMAPPED_UID
        self.demand_or_pay(is_known, "no_credentials")
        is_allowed = self.options["any_uid"] or uid in self.options["uids"]
        self.demand_or_pay(is_allowed, "uid_refused", {"kind": "uid_refused", "pid": pid, "uid": uid})

    def understood(self, datagram: Datagram) -> Beat | Notice | bytes:
        """Rows c to f."""
        if "beat" in datagram:  # already opened
            beat: Beat = datagram["beat"]
            self.demand(self.senders.accept(beat, self.now), "replay_refused")
            return beat
        data, source = bytes.fromhex(datagram["data"]), datagram["from"]
        self.demand("truncated" not in datagram.get("marks", []), "bad_length")
        if source == "unix" and self.options["accept_notify"] and is_text(data):
            return data
        self.demand(len(data) in ((60, 64) if source == "udp_sealed" else (32,)), "bad_length")
        frame = self.opened(data) if source == "udp_sealed" else data
        inner = decode(frame)
        if isinstance(inner, Fault):
            self.demand_or_pay(False, "decode_errors", {"kind": "decode_error", "fault": inner.word})
            raise AssertionError
        if source == "udp_sealed":
            self.demand(self.senders.accept(inner, self.now), "replay_refused")
        return inner

    def opened(self, data: bytes) -> bytes:
        """Row d, R44."""
        frames = [unsealed(mode, key, data) for mode, key in self.keys]
        frame = next((frame for frame in frames if frame is not None), None)
        self.demand(frame is not None, "decrypt_failures")
        assert frame is not None
        return frame

    def check_claim(self, spoken: Spoken) -> None:
        """Rows g, h."""
        if spoken.source == "unix":
            is_match = spoken.claimed_pid == spoken.pid or not self.options["require_pid_match"]
            self.demand_or_pay(is_match, "auth_failures", spoken.event("auth_failure"))
        elif self.options["pid_max"]:
            self.demand_or_pay(spoken.pid <= self.options["pid_max"], "pid_above_max")

    def identify(self, spoken: Spoken) -> None:
        """Row i: what is not said of a local sender follows from what is known of its pid."""
        slot = self.ledger.agents.get(spoken.pid)
        if spoken.source == "unix":
            known = slot if slot and slot.origin == "kernel" else None
            spoken.origin = "kernel" if spoken.generation or known else "socket_mode"
            if spoken.generation == 0:
                spoken.generation, spoken.ns_inode = (known.generation, known.ns_inode) if known else (0, 0)
            elif spoken.ns_inode == 0 and known and known.generation == spoken.generation:
                spoken.ns_inode = known.ns_inode
        self.demand(spoken.origin == "kernel" or not isinstance(spoken.inner, bytes), "notify_unattested")

    def take_beat(self, spoken: Spoken, sighting: Sighting) -> None:
        """Rows l to o."""
        slot = self.ledger.agents.get(spoken.pid)
        is_gone = slot and slot.is_leaving and not is_another(slot, sighting.generation)
        self.demand(not is_gone, "after_goodbye")
        is_last_word = slot is not None and slot.beat_time is not None and sighting.is_terminal()
        is_last_word = is_last_word and slot is not None and slot.observed_nonce() != TERMINAL
        self.demand(self.is_in_time(slot, sighting) or is_last_word, "limited_pid")
        is_free = slot and sighting.origin == "kernel" and (self.options["per_pid_rate"] > 0 or is_last_word)
        if not is_free:
            self.pay()
        admission = self.ledger.record(sighting, self.now)
        if admission.verdict in ("origin_conflict", "namespace_conflict"):
            self.events.append(spoken.event(admission.verdict))
        elif admission.verdict in ("inserted", "refreshed"):
            self.note(spoken)
            self.tell_beat(spoken, admission)

    def is_in_time(self, slot: Agent | None, sighting: Sighting) -> bool:
        """Row m, but for its last word."""
        rate = self.options["per_pid_rate"]
        if slot is None or slot.beat_time is None or rate == 0:
            return True
        is_due = self.ledger.time - slot.beat_time >= SECOND // rate
        return is_due or RANKS[sighting.origin] > RANKS[slot.origin]

    def tell_beat(self, spoken: Spoken, admission: Admission) -> None:
        """R36: the events of an accepted beat."""
        flags = admission.flags
        rows = (
            ("recycled" in flags, spoken.event("recycled")),
            ("evicted" in flags, {"kind": "evicted", "pid": admission.evicted_pid}),
            ("recovered" in flags, spoken.event("recovered")),
            (self.options["report_beats"], spoken.event("beat")),
            ("terminal" in flags, spoken.event("crash", posthumous=False)),
        )
        self.events += [event for happened, event in rows if happened]

    # R39, R40

    def note(self, spoken: Spoken, is_leaving: bool = False) -> None:
        """Whose slot it is now."""
        slot = self.ledger.agents[spoken.pid]
        slot.noted = spoken.generation or slot.noted
        slot.is_leaving = is_leaving

    def bury(self, spoken: Spoken) -> None:
        """R39: another life first."""
        slot = self.ledger.agents.get(spoken.pid)
        if slot and is_another(slot, spoken.generation):
            self.ledger.delete(spoken.pid, "recycled", self.now)
            self.events.append(spoken.event("recycled"))

    def register(self, spoken: Spoken, *kinds: str, **settings: Any) -> None:
        """R39: a slot of these settings."""
        threshold, grace = settings.get("threshold_ns", 0), settings.get("grace_ns", 0)
        if threshold:
            threshold = min(max(threshold, self.options["min_threshold_ns"]), self.options["max_threshold_ns"])
        settings |= {"threshold_ns": threshold, "grace_ns": min(grace, self.options["max_threshold_ns"])}
        try:
            evicted = self.ledger.put(spoken.pid, self.now, **settings)
        except Refused:
            return
        self.note(spoken)
        self.events += [{"kind": "evicted", "pid": evicted}] if evicted else []
        self.events += [spoken.event(kind) for kind in kinds]

    def say_goodbye(self, spoken: Spoken) -> None:
        """R39."""
        if spoken.pid not in self.ledger.agents or self.ledger.agents[spoken.pid].is_leaving:
            return
        self.events.append(spoken.event("goodbye"))
        if spoken.origin != "kernel":
            self.ledger.delete(spoken.pid, "goodbye", self.now)
            return
        self.ledger.put(spoken.pid, self.now, unarmed=True)
        self.note(spoken, is_leaving=True)

    def take_notice(self, spoken: Spoken, notice: Notice) -> None:
        """R39."""
        self.bury(spoken)
        self.pay()
        slot = self.ledger.agents.get(spoken.pid)
        is_heard = spoken.origin in ("kernel", "operator") or spoken.source == "udp_sealed"
        is_below = slot and slot.beat_time is not None and RANKS[spoken.origin] < RANKS[slot.origin]
        self.demand(is_heard and not is_below, "notice_refused")
        if notice.op == "goodbye":
            self.say_goodbye(spoken)
            return
        times = {"threshold_ns": notice.threshold_ms * 10**6, "grace_ns": notice.grace_ms * 10**6}
        self.register(spoken, "registered", misses=notice.misses, **times)

    def take_text(self, spoken: Spoken) -> None:
        """R40."""
        self.bury(spoken)
        lines = spoken.lines
        word, usec = lines.get(b"WATCHDOG"), int(lines.get(b"WATCHDOG_USEC", b"0"))
        slot = self.ledger.agents.get(spoken.pid)
        if b"READY" in lines and slot:
            slot.is_leaving = False
        elif b"READY" in lines:
            self.pay()
            self.register(spoken, unarmed=True)
        if usec and not (slot and slot.is_leaving):
            self.pay()
            self.register(spoken, "registered", threshold_ns=usec * 1000)
        if word:
            identity = spoken.pid, "kernel", spoken.ns_inode, spoken.generation
            beat = Sighting(spoken.pid, 0, 0, 2 * (word == b"trigger"), 0, *identity, unnumbered=True)
            with contextlib.suppress(Dropped):
                self.take_beat(spoken, beat)
        if spoken.pid not in self.ledger.agents:
            return
        self.events += [spoken.event("ready")] if b"READY" in lines else []
        self.events += [spoken.event("failed")] if word == b"trigger" else []
        if b"STOPPING" in lines:
            self.say_goodbye(spoken)

    def stats(self) -> dict[str, Any]:
        """All counters."""
        counters = self.counters | {"senders_evicted": self.senders.evicted}
        return {key: str(value) for key, value in counters.items()}
