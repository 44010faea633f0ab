# SPDX-License-Identifier: MIT
"""What tracker.md says, as a program: it tells what each step of a script of ledger, observer and beacon gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beats import TERMINAL, Beat, encode_beat
from intake import Observer
from ledger import Ledger, Refused, Sighting, refuse

Step = dict[str, Any]
Outputs = dict[str, Any]

OUTCOMES = {
    "none": "sent",
    **dict.fromkeys(("EAGAIN", "ENOBUFS"), "dropped_queue_full"),
    **dict.fromkeys(("ECONNREFUSED", "ENOENT"), "dropped_no_observer"),
    **dict.fromkeys(("ECONNRESET", "ENOTCONN", "EPIPE"), "dropped_peer_gone"),
    "ENOSPC": "dropped_storage_full",
}
TRACKER_OPTIONS = ("capacity", "threshold_ns", "misses", "grace_ns", "max_gap_ns", "policy", "statistics")
SETTINGS = ("threshold_ns", "misses", "grace_ns", "unarmed")
WORDS = ("policy", "unarmed", "uids")


class Beacon:
    """R47 to R53: one that has no socket, and says what it would send."""

    def __init__(self, pid: int, reconnect_after: int, start_nonce: int) -> None:
        refuse(pid == 0, "INVALID_ARGUMENT")
        self.pid = 2**32 - 1 if pid == 1 else pid
        self.reconnect_after, self.start_nonce = reconnect_after, start_nonce
        self.restart()

    def restart(self) -> None:
        """R53: the stream starts anew."""
        self.nonce, self.timestamp_ns, self.dropped = self.start_nonce, 0, 0
        self.frame: Beat | None = None
        self.is_asked = self.is_final = False

    def prepare(self, health: int, payload: int, now: int) -> Beat:
        """R48, R52."""
        if health > 2:
            self.dropped = 0
            raise Refused("INVALID_ARGUMENT")
        nonce = 0 if self.nonce >= TERMINAL - 1 else self.nonce + 1
        timestamp = min(max(now, self.timestamp_ns), 2**64 - 2)
        self.frame = Beat(health, self.pid, timestamp, nonce, payload)
        self.is_asked = self.is_final = False
        return self.frame

    def commit(self, error: str) -> tuple[str, str]:
        """R49, R51: outcome and action."""
        refuse(self.frame is None or self.is_asked, "STATE")
        assert self.frame is not None
        outcome = OUTCOMES.get(error, "failed")
        if outcome == "sent":
            self.nonce, self.timestamp_ns = self.frame.nonce, self.frame.timestamp_ns
        self.dropped = self.dropped + 1 if outcome.startswith("dropped") else 0
        self.is_asked = not self.is_final and 0 < self.reconnect_after <= self.dropped
        if not self.is_asked:
            self.frame = None
        return outcome, "reconnect" if self.is_asked else "none"

    def reconnect(self) -> None:
        """R52: there is a new connection; the frame is still to send."""
        refuse(not self.is_asked, "STATE")
        self.is_asked, self.is_final, self.dropped = False, True, 0


def options_of(step: Step, names: tuple[str, ...]) -> dict[str, Any]:
    """Options by name; 64-bit numbers are text."""
    return {name: step[name] if name in WORDS else int(step[name]) for name in names if name in step}


class World:
    """Handles by name."""

    def __init__(self) -> None:
        self.handles: dict[str, Any] = {}
        self.saved: dict[str, str] = {}

    def run(self, step: Step) -> tuple[str, Outputs]:
        """The status of a step and all its outputs."""
        method: Callable[[Step], Outputs] = getattr(self, "op_" + step["op"])
        try:
            outputs = method(step)
        except Refused as refused:
            return str(refused), {}
        if "save" in step:
            self.saved[step["save"]] = outputs["wire"]
        return "OK", outputs

    def complete(self, steps: list[Step]) -> None:
        """Writes into each step what it gives."""
        for step in steps:
            status, outputs = self.run(step)
            if status != "OK":
                step["status"] = status
            if outputs:
                step["out"] = outputs

    def ledger(self, step: Step) -> Ledger:
        """The ledger that a step names."""
        found = self.handles[step["on"]]
        assert isinstance(found, Ledger)
        return found

    def observer(self, step: Step) -> Observer:
        """The observer that a step names."""
        found = self.handles[step["on"]]
        assert isinstance(found, Observer)
        return found

    def beacon(self, step: Step) -> Beacon:
        """The beacon that a step names."""
        found = self.handles[step["on"]]
        assert isinstance(found, Beacon)
        return found

    # The ledger

    def op_tracker(self, step: Step) -> Outputs:
        self.handles[step["as"]] = Ledger(**options_of(step, TRACKER_OPTIONS))
        return {}

    def op_record(self, step: Step) -> Outputs:
        wide = {key: int(step.get(key, 0)) for key in ("ns_inode", "generation", "health", "payload")}
        nonce = int(step["nonce"])
        sighting = Sighting(
            pid=step["pid"],
            nonce=nonce,
            timestamp_ns=int(step.get("timestamp_ns", nonce)),
            claimed_pid=step.get("claimed_pid", 0),
            origin=step.get("origin", "kernel"),
            unnumbered=step.get("unnumbered", False),
            **wide,
        )
        admission = self.ledger(step).record(sighting, int(step["now_ns"]))
        out: Outputs = {"verdict": admission.verdict, "flags": sorted(admission.flags)}
        return out | {"evicted_pid": admission.evicted_pid}

    def insert_all(self, step: Step, pids: list[int]) -> Outputs:
        """A beat of each, which nobody refuses."""
        for pid in pids:
            admission = self.ledger(step).record(Sighting(pid, 1, 1), int(step["now_ns"]))
            assert admission.verdict == "inserted", step
        return {}

    def op_fill(self, step: Step) -> Outputs:
        return self.insert_all(step, list(range(step["first"], step["last"] + 1)))

    def op_fill_pids(self, step: Step) -> Outputs:
        return self.insert_all(step, step["pids"])

    def op_beats(self, step: Step) -> Outputs:
        nonce, now, width = (int(step[key]) for key in ("nonce", "now_ns", "step_ns"))
        for i in range(step["count"]):
            sighting = Sighting(step["pid"], nonce + i, nonce + i)
            assert self.ledger(step).record(sighting, now + i * width).verdict == "refreshed", step
        return {}

    def op_drain(self, step: Step) -> Outputs:
        now = int(step["now_ns"])
        if isinstance(self.handles[step["on"]], Observer):
            return {"events": self.observer(step).feed([], now)}
        alarms = self.ledger(step).alarms(now, step.get("cap"))
        return {"alarms": alarms, "count": len(alarms)}

    def op_put(self, step: Step) -> Outputs:
        settings = options_of(step, SETTINGS)
        return {"evicted_pid": self.ledger(step).put(step["pid"], int(step["now_ns"]), **settings)}

    def op_delete(self, step: Step) -> Outputs:
        self.ledger(step).delete(step["pid"], step["reason"], int(step["now_ns"]))
        return {}

    def op_get(self, step: Step) -> Outputs:
        handle = self.handles[step["on"]]
        ledger = handle.ledger if isinstance(handle, Observer) else handle
        told: Outputs = ledger.get(step["pid"], int(step["now_ns"]))
        return told

    def op_next_deadline(self, step: Step) -> Outputs:
        return {"deadline_ns": str(self.ledger(step).next_deadline())}

    def op_stats(self, step: Step) -> Outputs:
        told: Outputs = self.handles[step["on"]].stats()
        return told

    # The observer

    def op_observer(self, step: Step) -> Outputs:
        names = tuple(key for key in step if key not in ("op", "as", "tracker"))
        self.handles[step["as"]] = Observer(self.handles[step["tracker"]], **options_of(step, names))
        return {}

    def op_add_key(self, step: Step) -> Outputs:
        keys = self.observer(step).keys
        mode, key = step["mode"], bytes.fromhex(step["key"])
        refuse(mode == "master" and any(other == "master" for other, _ in keys), "STATE")
        refuse(len(key) != 32, "INVALID_ARGUMENT")
        keys.append((mode, key))
        return {}

    def op_feed(self, step: Step) -> Outputs:
        datagrams = [one | {"data": self.content(one["data"])} for one in step["datagrams"]]
        return {"events": self.observer(step).feed(datagrams, int(step["now_ns"]))}

    def content(self, value: Any) -> str:
        """Bytes, or those of an earlier step."""
        return self.saved[value["ref"]] if isinstance(value, dict) else str(value)

    def op_exit(self, step: Step) -> Outputs:
        return {"events": self.observer(step).exit(step["pid"], int(step["generation"]), int(step["now_ns"]))}

    def op_senders(self, step: Step) -> Outputs:
        nonce = int(step["nonce"])
        pids = range(step["first"], step["last"] + 1)
        datagrams = [{"from": "udp_sealed", "beat": Beat(0, pid, nonce, nonce, 0)} for pid in pids]
        self.observer(step).feed(datagrams, int(step["now_ns"]))
        return {}

    # The beacon

    def op_beacon(self, step: Step) -> Outputs:
        self.handles[step["as"]] = Beacon(step["pid"], step["reconnect_after"], int(step["start_nonce"]))
        return {}

    def op_prepare(self, step: Step) -> Outputs:
        frame = self.beacon(step).prepare(step["health"], step["payload"], int(step["now_ns"]))
        out = {"nonce": str(frame.nonce), "timestamp_ns": str(frame.timestamp_ns)}
        return out | {"wire": encode_beat(frame).hex()}

    def op_commit(self, step: Step) -> Outputs:
        beacon = self.beacon(step)
        outcome, action = beacon.commit(step["error"])
        return {"outcome": outcome, "action": action, "dropped": beacon.dropped, "nonce": str(beacon.nonce)}

    def op_reconnect(self, step: Step) -> Outputs:
        self.beacon(step).reconnect()
        return {}

    def op_restart(self, step: Step) -> Outputs:
        self.beacon(step).restart()
        return {}

    def op_free(self, step: Step) -> Outputs:
        return {}
