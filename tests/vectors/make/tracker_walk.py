# SPDX-License-Identifier: MIT
"""Scripts of the tracker drawn at random, the same at every run, whose results the model tells.

A few pids, little room, and times that lie on the edges of the rules or one beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from beats import OPS, TERMINAL, Beat, Notice, encode_beat, encode_notice, seal
from ledger import LEAVING, NEVER, WRAP_WIDTH, Agent, Ledger
from tracker_model import OUTCOMES, World
from walk import Dice

Step = dict[str, Any]

STEPS = 60
SECOND = 10**9
KEY, MASTER = bytes(range(32)), bytes(range(100, 132))
UID, NAMESPACE = 1000, "4026531836"

OPS_ON_TRACKER = ("record",) * 12 + ("drain",) * 5 + ("get",) * 4 + ("put",) * 3 + ("delete", "next_deadline", "stats")
ORIGINS = ("kernel",) * 6 + ("network", "network", "operator", "socket_mode")
SOURCES = ("unix",) * 6 + ("udp", "udp", "udp_sealed", "udp_sealed")
MARKS = ("attested",) * 3 + ("sender_gone",) * 3 + ("truncated", "no_credentials")
TEXTS = (
    *("READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=trigger", "STOPPING=1", "STOPPING=1\n", "READY=1\0"),
    *("READY=1\nWATCHDOG_USEC=20000000\nWATCHDOG=1", "STATUS=up\rREADY=1\rSTOPPING=1", "READY=0\nREADY=1\nREADY=2"),
    *("WATCHDOG_USEC=1", "WATCHDOG_USEC=0", "WATCHDOG_USEC=18446744073709551", "WATCHDOG_USEC=18446744073709552"),
    *("WATCHDOG_USEC=3000000\nWATCHDOG_USEC=x\nWATCHDOG=trigger", "WATCHDOG=trigger\nWATCHDOG=1", "WATCHDOG=2"),
    *(
        "ready=1",
        "READY=1 ",
        " READY=1",
        "READY=",
        "=1",
        "READY",
        "READY=1\n\0",
        "READY=1\0\n",
        "\0",
        "a\tb=\t",
        "A=\v",
    ),
    *("STOPPING=1\nREADY=1", "X=" + "y" * 30, "WATCHDOG=1\n\n\nREADY=1\n", "READY=1\nSTOPPING=1\nWATCHDOG=1"),
    *("WATCHDOG_USEC=2000000\nSTOPPING=1", "WATCHDOG_USEC=99999999999999999999999", "READY=1=1", "é=ß\nREADY=1"),
)


class TrackerWalk:
    """One script as it grows."""

    def __init__(self, seed: str) -> None:
        self.dice = Dice(seed)
        self.world = World()
        self.steps: list[Step] = []
        self.now = self.dice.one_of((0, 1, 10**12, 2**63))

    def take(self, step: Step) -> None:
        """One more step, with what it gives."""
        self.world.complete([step])
        self.steps.append(step)

    def chance(self, times: int) -> bool:
        """Once in so many times."""
        return self.dice.below(times) == 0

    def ledger(self) -> Ledger:
        """The only one."""
        found = self.world.handles["t"]
        assert isinstance(found, Ledger)
        return found

    def slot(self, pid: int) -> Agent | None:
        """An agent, if it is tracked."""
        return self.ledger().agents.get(pid)

    def edges(self) -> list[int]:
        """How long until something may change by a rule of the ledger."""
        ledger = self.ledger()
        waits = [agent.deadline() - ledger.time for agent in ledger.agents.values() if agent.deadline() != NEVER]
        waits += [wait + 9 * ledger.settings.limit() for wait in waits] + [ledger.max_gap]
        waits += [ledger.settings.limit() - ledger.silence(agent, self.now) for agent in ledger.agents.values()]
        return [wait for wait in waits if 0 < wait < 2**62] or [ledger.settings.limit()]

    def tick(self) -> str:
        """The time of the next step: mostly a little later."""
        turn = self.dice.below(12)
        if turn < 5:
            self.now += self.dice.one_of((0, 1, 10, 30, 10**6))
        elif turn < 9:
            self.now += self.dice.one_of(self.edges()) + self.dice.below(3) - 1
        elif turn == 9:
            self.now += self.dice.below(self.ledger().settings.limit() % 2**62 + 1)
        self.now = min(max(0, self.now), 2**64 - 1)
        return str(max(0, self.now - 7) if turn == 11 else self.now)

    def next_nonce(self, slot: Agent | None) -> int:
        """Around the last one, and around the end of all."""
        last = slot.nonce or 0 if slot else 0
        near = (last + 1,) * 6 + (last, last - 1, last + 2, 0, 1)
        ends = TERMINAL - 1, TERMINAL - WRAP_WIDTH, TERMINAL - WRAP_WIDTH - 1, WRAP_WIDTH, WRAP_WIDTH + 1
        return min(max(0, self.dice.one_of(near + (ends if self.chance(3) else ()))), TERMINAL - 1)


class LedgerWalk(TrackerWalk):
    """A ledger by itself."""

    def begin(self) -> None:
        """Its options."""
        threshold = self.dice.one_of((1, 100, 10**6, SECOND, SECOND, 2**40, 2**62, NEVER))
        step: Step = {"op": "tracker", "as": "t", "capacity": self.dice.one_of((1, 2, 3, 4, 4, 8))}
        step |= {"threshold_ns": str(threshold), "policy": self.dice.one_of(("strict", "balanced"))}
        step |= {"misses": self.dice.one_of((1, 1, 1, 2, 3, 1000)), "statistics": self.dice.below(2)}
        if self.chance(3):
            step["grace_ns"] = str(self.dice.one_of((1, threshold, min(3 * threshold, NEVER), NEVER)))
        if self.chance(3):
            step["max_gap_ns"] = str(self.dice.one_of((1, max(1, threshold // 4), threshold, NEVER)))
        self.take(step)

    def record(self) -> Step:
        """A beat, rarely one that must not be."""
        pid = self.dice.below(6) + 1 if not self.chance(40) else self.dice.one_of((0, 2**32 - 1))
        slot = self.slot(pid)
        step: Step = {"op": "record", "on": "t", "pid": pid, "nonce": str(self.next_nonce(slot))}
        step["now_ns"] = self.tick()
        optional: Step = {"origin": self.dice.one_of(ORIGINS), "health": self.dice.one_of((0, 0, 1, 2))}
        optional |= {"ns_inode": self.dice.one_of(("0", "7", "7", "8")), "payload": self.dice.below(2**32)}
        optional |= {"generation": self.dice.one_of(("0", "1", "1", "1", "2")), "claimed_pid": self.dice.below(3)}
        step |= {key: value for key, value in optional.items() if not self.chance(2)}
        if self.chance(8):
            last = slot.terminal_ns or 0 if slot else 0
            at = min(max(0, last + self.dice.below(3) - 1 + 5 * self.dice.below(2)), NEVER)
            step |= {"nonce": str(TERMINAL), "health": 2, "timestamp_ns": str(at)}
        elif self.chance(10):
            step["unnumbered"] = True
            step["origin"] = "kernel" if not self.chance(5) else "operator"
        if self.chance(60):
            step |= {"health": 3} if self.chance(2) else {"health": 1, "nonce": str(TERMINAL), "unnumbered": False}
        return step

    def put(self) -> Step:
        """Settings, any of them absent."""
        own = self.ledger().settings
        step: Step = {"op": "put", "on": "t", "pid": self.dice.below(7), "now_ns": self.tick()}
        optional = {"threshold_ns": str(self.dice.one_of((0, 1, 50, own.threshold_ns, NEVER)))}
        rest: Step = {"misses": self.dice.one_of((0, 1, 2, 1000, 1001)), "unarmed": self.chance(2)}
        rest["grace_ns"] = str(self.dice.one_of((0, 1, own.limit(), min(NEVER, own.limit() * 2), NEVER)))
        return step | {key: value for key, value in (optional | rest).items() if not self.chance(2)}

    def next(self) -> Step:
        """A step."""
        op = self.dice.one_of(OPS_ON_TRACKER)
        if op in ("record", "put"):
            return self.record() if op == "record" else self.put()
        step: Step = {"op": op, "on": "t"}
        if op in ("get", "delete"):
            step["pid"] = self.dice.below(6) + 1
        if op == "delete":
            step["reason"] = self.dice.one_of(tuple(LEAVING))
        if op in ("get", "delete", "drain"):
            step["now_ns"] = self.tick()
        if op == "drain" and self.chance(3):
            step["cap"] = self.dice.below(2) + 1
        return step

    def run(self) -> list[Step]:
        """The whole script."""
        self.begin()
        for _ in range(STEPS):
            self.take(self.next())
        for pid in range(1, 7):
            self.take({"op": "get", "on": "t", "pid": pid, "now_ns": str(self.now)})
        self.take({"op": "stats", "on": "t"})
        return self.steps


class CalmWalk(TrackerWalk):
    """A ledger whose agents beat as they should, and now and then late."""

    def begin(self) -> None:
        """A rhythm, and statistics of it."""
        dice = self.dice
        self.rhythm = dice.one_of((1, 1000, 10**6, 2**20 - 1, 2**21, SECOND, 2**35, 2**49))
        self.nonces = {1: 0, 2: 0}
        step: Step = {"op": "tracker", "as": "t", "capacity": 3, "threshold_ns": str(4 * self.rhythm), "statistics": 1}
        self.take(step | ({"max_gap_ns": str(self.rhythm * 2)} if self.chance(4) else {}))

    def wait(self) -> str:
        """Around one beat's time, sometimes another."""
        about = self.rhythm + self.dice.below(self.rhythm // 8 + 1) - self.rhythm // 16
        self.now += about if not self.chance(6) else self.dice.below(5 * self.rhythm)
        self.now = min(self.now, NEVER)
        return str(self.now)

    def next(self) -> Step:
        """Mostly a beat."""
        turn, pid = self.dice.below(16), self.dice.below(2) + 1
        if turn < 10:
            self.nonces[pid] += 1
            unnumbered = {"unnumbered": True} if self.chance(8) else {}
            step: Step = {"op": "record", "on": "t", "pid": pid, "nonce": str(self.nonces[pid]), "now_ns": self.wait()}
            return step | unnumbered
        if turn == 10:
            return {"op": "drain", "on": "t", "now_ns": self.wait()}
        if turn == 11 and self.chance(3):
            return {"op": "put", "on": "t", "pid": pid, "now_ns": self.wait()}
        later = self.now + self.dice.below(3 * self.rhythm)
        return {"op": "get", "on": "t", "pid": pid, "now_ns": str(min(NEVER, later))}

    def run(self) -> list[Step]:
        """The whole script."""
        self.begin()
        for _ in range(STEPS):
            self.take(self.next())
        return self.steps


class ObserverWalk(TrackerWalk):
    """An observer that is fed."""

    def begin(self) -> None:
        """Its options, and those of its ledger."""
        dice = self.dice
        ledger: Step = {"op": "tracker", "as": "t", "capacity": dice.one_of((1, 2, 4, 8))}
        ledger |= {
            "threshold_ns": str(dice.one_of((10**7, 10**8, SECOND))),
            "policy": dice.one_of(("strict", "balanced")),
        }
        if self.chance(4):
            ledger["max_gap_ns"] = str(10**8)
        step: Step = {"op": "observer", "as": "o", "tracker": "t"}
        step |= {"any_uid": True} if not self.chance(4) else {"uids": [UID, 65534, 7]}
        step |= {"report_beats": True} if not self.chance(6) else {}
        choices: Step = {
            "per_pid_rate": dice.one_of((0, 0, 1, 3, 100, 1000, 2**32 - 1)),
            "global_rate": dice.one_of((0, 1, 7, 1000)),
            "global_burst": dice.one_of((0, 1, 1, 3, 10)),
            "require_pid_match": True,
            "pid_max": dice.one_of((3, 5)),
            "session_gap_ns": str(dice.one_of((10**8, 2 * SECOND))),
            "accept_notify": False,
        }
        step |= {key: value for key, value in choices.items() if self.chance(2 if "rate" in key else 5)}
        if self.chance(5):
            step |= {"own_namespace_only": True, "own_ns_inode": NAMESPACE}
        if self.chance(5):
            step |= {"min_threshold_ns": str(5 * 10**7), "max_threshold_ns": str(3 * SECOND)}
        self.take(ledger)
        self.take(step)
        for mode, key in (("shared", KEY[::-1]), ("master", MASTER), ("shared", KEY)):
            self.take({"op": "add_key", "on": "o", "mode": mode, "key": key.hex()})

    def frame(self, pid: int) -> bytes:
        """A beat or a notice, with luck a good one."""
        dice = self.dice
        nonce = self.next_nonce(self.slot(pid))
        if self.chance(5):
            times = dice.one_of((0, 0, 1, 50, 2000, 2**32 - 1)), dice.one_of((0, 0, 1, 1500, 2**32 - 1))
            return encode_notice(
                Notice(dice.one_of(tuple(OPS.values())), pid, *times, dice.one_of((0, 0, 2, 255)), nonce)
            )
        if self.chance(9):
            return encode_beat(Beat(2, pid, self.dice.below(4), TERMINAL, 7))
        return encode_beat(Beat(dice.below(3), pid, nonce, nonce, dice.below(100)))

    def damaged(self, data: bytes) -> bytes:
        """A byte more, fewer, or another."""
        turn, at = self.dice.below(3), self.dice.below(len(data))
        changed = data[:at] + bytes([data[at] ^ 1 << self.dice.below(8)]) + data[at + 1 :]
        return (data + b"\0", data[:-1], changed)[turn]

    def datagram(self) -> Step:
        """Of any source, rarely without fault."""
        dice = self.dice
        pid, source = dice.below(4) + 2, dice.one_of(SOURCES)
        claimed = pid if not self.chance(12) else dice.below(8) + 1
        data = self.frame(claimed)
        if source == "unix" and self.chance(3):
            data = dice.one_of(TEXTS).encode()
        if source == "udp_sealed":
            mode, key = dice.one_of((("shared", KEY), ("master", MASTER), ("master", MASTER)))
            data = seal(mode, key, pid if not self.chance(9) else 3, bytes(8), dice.below(9), data)
        if self.chance(20):
            data = self.damaged(data)
        step: Step = {"from": source, "data": data.hex()}
        if source == "unix":
            uid = UID if not self.chance(15) else dice.one_of((0, 7, 65534))
            generation = (
                dice.one_of((pid * 10, pid * 10, pid * 10, pid * 10, pid * 10 + 1, 0)) if self.chance(2) else pid * 10
            )
            step |= {"kernel_pid": pid if not self.chance(40) else 0, "uid": uid, "generation": str(generation)}
            step["ns_inode"] = dice.one_of((NAMESPACE,) * 6 + ("0", "0", "9"))
        if self.chance(6):
            step["marks"] = sorted({dice.one_of(MARKS) for _ in range(2)})
        return step

    def next(self) -> Step:
        """Mostly a feed."""
        turn = self.dice.below(14)
        if turn < 3:
            return {"op": "drain", "on": "o", "now_ns": self.tick()}
        if turn == 3:
            pid = self.dice.below(4) + 2
            generation = self.dice.one_of((pid * 10, pid * 10, pid * 10 + 1, 0))
            return {"op": "exit", "on": "o", "pid": pid, "generation": str(generation), "now_ns": self.tick()}
        if turn == 4:
            return {"op": "get", "on": "t", "pid": self.dice.below(4) + 2, "now_ns": str(self.now)}
        if turn == 5 and self.chance(3):
            step: Step = {"op": "put", "on": "t", "pid": self.dice.below(4) + 2, "now_ns": self.tick()}
            return step if self.chance(3) else step | {"op": "delete", "reason": "operator"}
        datagrams = [self.datagram() for _ in range(self.dice.one_of((1, 1, 1, 2, 3)))]
        return {"op": "feed", "on": "o", "now_ns": self.tick(), "datagrams": datagrams}

    def run(self) -> list[Step]:
        """The whole script."""
        self.begin()
        for _ in range(STEPS):
            self.take(self.next())
        for handle in "to":
            self.take({"op": "stats", "on": handle})
        return self.steps


class BeaconWalk(TrackerWalk):
    """A beacon that is detached."""

    def run(self) -> list[Step]:
        """The whole script."""
        dice = self.dice
        start = dice.one_of((0, 7, 2**63, TERMINAL - 1, TERMINAL - 2, TERMINAL - 3))
        step: Step = {"op": "beacon", "as": "b", "pid": dice.one_of((1, 2, 77, 2**32 - 1)), "start_nonce": str(start)}
        self.take(step | {"reconnect_after": dice.below(4)})
        errors = (*("none",) * 4, *OUTCOMES, "EPERM", "EINVAL")
        for _ in range(STEPS):
            op = dice.one_of(("prepare",) * 8 + ("commit",) * 8 + ("reconnect",) * 3 + ("restart",))
            step = {"op": op, "on": "b"}
            if op == "prepare":
                later = NEVER - dice.below(3) if self.chance(30) else self.now + dice.below(40) - 10
                self.now = min(max(0, later), NEVER)
                health = dice.below(3) if not self.chance(12) else 3
                step |= {"health": health, "payload": dice.below(2**32), "now_ns": str(self.now)}
            elif op == "commit":
                step["error"] = dice.one_of(errors)
            self.take(step)
        return self.steps


def walks(kind: Callable[[str], Any], name: str, count: int) -> Iterator[Step]:
    """That many scripts."""
    for number in range(count):
        script = kind(f"{name} {number}").run()
        yield {"id": f"walk-{name}-{number}", "comment": "operations drawn at random", "script": script}
