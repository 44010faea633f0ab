#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One observer, a crowd of processes in four languages, and what becomes of them at random (tracker T3).

usage: crowd.py PROGRAM_IN_C PROGRAM_IN_GO
       crowd.py observe SOCKET

Who is killed, exits or crashes is told to have exited; who is stopped, to have stalled; who says goodbye, to have left.
Of nobody who lives anything is told: not while others flood the socket, nor after the observer itself was stopped.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from libkeep import EventKind, Observer, Tracker

Event = dict[str, Any]

HERE = Path(__file__).resolve().parent
SECOND = 1_000_000_000
LIMIT_NS = 3 * SECOND
PATIENCE = 90.0  # seconds; bounds a hang
COUNTS = {"c": 150, "python": 20, "node": 15, "go": 15}

# What becomes of how many of a hundred, and what is told of it.
FATES = {"kill": 20, "stop": 15, "pause": 15, "exit": 10, "late kill": 5, "goodbye": 10, "crash": 10, "live": 15}
TOLD = {
    "kill": {"exited"},
    "stop": {"stall"},
    "pause": {"stall", "recovered"},
    "exit": {"exited"},
    "late kill": {"exited"},
    "goodbye": {"goodbye"},
    "crash": {"crash", "exited"},
    "fork": set[str](),
    "live": set[str](),
    "flood": {"exited"},
}
FORKING = ("c", "python")


def observe(path: str) -> None:
    """The observer: a line of JSON for each event, and how long before it the last look was, until it is killed."""
    tracker = Tracker(capacity=1024, threshold_ns=LIMIT_NS)
    with tracker, Observer(tracker) as observer:
        observer.listen(path)
        print(json.dumps({"kind": "ready"}), flush=True)
        waiter = select.poll()
        waiter.register(observer, select.POLLIN)
        looked_ns = time.monotonic_ns()
        while True:
            waiter.poll()
            before_ns, looked_ns = looked_ns, time.monotonic_ns()
            for event in observer.poll():
                if event.kind is not EventKind.DECODE_ERROR:
                    told = {name: getattr(event, name) for name in ("pid", "at_ns", "last_ns", "silence_ns")}
                    told |= {"kind": event.kind.name.lower(), "iteration_ns": event.at_ns - before_ns}
                    print(json.dumps(told), flush=True)


class Member:
    """A process, what shall become of it, and when that was done to it."""

    def __init__(self, command: list[str], fate: str) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.fate = fate
        self.ended_ns = self.stopped_ns = self.continued_ns = sys.maxsize

    def send(self, number: signal.Signals) -> None:
        """The times enclose the stop."""
        if number == signal.SIGSTOP:
            self.stopped_ns = time.monotonic_ns()
        if number == signal.SIGKILL:
            self.ended_ns = time.monotonic_ns()
        self.process.send_signal(number)
        if number == signal.SIGCONT:
            self.continued_ns = time.monotonic_ns()

    def say(self, command: str) -> None:
        if command != "fork":
            self.ended_ns = time.monotonic_ns()
        print(command, file=self.process.stdin, flush=True)

    def may_tell(self, event: Event) -> bool:
        """Whether an event is true of this process."""
        kind, at_ns = event["kind"], event["at_ns"]
        if kind == "stall":
            is_prompt = bool(0 <= event["silence_ns"] - LIMIT_NS <= event["iteration_ns"])
            return is_prompt and self.stopped_ns < at_ns and event["last_ns"] < self.continued_ns
        if kind == "exited":
            return bool(at_ns > self.ended_ns)
        return kind == "registered" or kind in TOLD[self.fate]


class Crowd:
    """The observer, who is alive or was, and what is told of them."""

    def __init__(self, path: str) -> None:
        command = [sys.executable, __file__, "observe", path]
        self.observer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.members: dict[int, Member] = {}
        self.children: set[int] = set()
        self.events: list[Event] = []
        threading.Thread(target=self.read, daemon=True).start()
        self.wait(lambda: self.events == [{"kind": "ready"}])

    def read(self) -> None:
        for line in self.observer.stdout or ():
            self.events.append(json.loads(line))

    def add(self, command: list[str], fate: str) -> Member:
        member = Member(command, fate)
        self.members[member.pid] = member
        return member

    def of_fate(self, *fates: str) -> list[Member]:
        return [member for member in self.members.values() if member.fate in fates]

    def told_of(self, pid: int) -> set[str]:
        return {event["kind"] for event in list(self.events) if event.get("pid") == pid}

    def wait(self, is_done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not is_done():
            if time.monotonic() > end or self.observer.poll() is not None:
                raise SystemExit("crowd FAILED: what must be told was not\n" + "\n".join(self.failures()))
            time.sleep(0.05)

    def wait_for(self, members: Iterable[Member], *kinds: str) -> None:
        pids = [member.pid for member in members]
        self.wait(lambda: all(self.told_of(pid) >= set(kinds) for pid in pids))

    def failures(self) -> list[str]:
        """What was told wrongly, and what was not told."""
        wrong = []
        for event in self.events[1:]:
            member, is_child = self.members.get(event["pid"]), event["pid"] in self.children
            is_true = member.may_tell(event) if member else event["kind"] == ("registered" if is_child else "outage")
            wrong += [] if is_true else [f"told wrongly: {event} of {member.fate if member else 'nobody'}"]
        for member in self.members.values():
            if not self.told_of(member.pid) >= TOLD[member.fate] | {"registered"}:
                wrong.append(f"not told of {member.pid}, {member.fate}: {self.told_of(member.pid)}")
        return wrong

    def close(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        for process in [self.observer, *(member.process for member in self.members.values())]:
            process.kill()
            process.wait()


@contextmanager
def crowd_at(path: str) -> Iterator[Crowd]:
    crowd = Crowd(path)
    try:
        yield crowd
    finally:
        crowd.close()


def gather(crowd: Crowd, programs: dict[str, list[str]], path: str, dice: random.Random) -> None:
    """Starts everybody."""
    fates = dice.choices(list(FATES), list(FATES.values()), k=sum(COUNTS.values()))
    languages = [language for language, count in COUNTS.items() for _ in range(count)]
    dice.shuffle(languages)
    for language, fate in zip(languages, fates):
        may_fork = fate == "live" and language in FORKING
        crowd.add([*programs[language], "live", path], "fork" if may_fork else fate)
    crowd.wait_for(crowd.members.values(), "registered")
    for what in ("beats", "garbage"):
        flooder = crowd.add([*programs["c"], "flood", path, what], "flood")
        crowd.wait_for([flooder], "registered")


def rage(crowd: Crowd, dice: random.Random) -> None:
    """What happens while two of them flood the socket; the observer is stopped, too."""
    victims = crowd.of_fate("kill", "stop", "pause", "exit")
    dice.shuffle(victims)
    for member in victims:
        time.sleep(dice.uniform(0, 0.02))
        if member.fate == "exit":
            member.say("exit")
        else:
            member.send(signal.SIGKILL if member.fate == "kill" else signal.SIGSTOP)
    crowd.wait_for(crowd.of_fate("kill", "exit"), "exited")
    crowd.wait_for(crowd.of_fate("stop", "pause"), "stall")
    crowd.observer.send_signal(signal.SIGSTOP)
    for member in crowd.of_fate("late kill"):
        member.send(signal.SIGKILL)
    time.sleep(1.5 * LIMIT_NS / SECOND)
    crowd.observer.send_signal(signal.SIGCONT)
    crowd.wait_for(crowd.of_fate("late kill"), "exited")


def calm(crowd: Crowd) -> None:
    """What happens when the flood is over."""
    for member in crowd.of_fate("flood"):
        member.send(signal.SIGKILL)
    crowd.wait_for(crowd.of_fate("flood"), "exited")
    for member in crowd.of_fate("pause"):
        member.send(signal.SIGCONT)
    for member in crowd.of_fate("goodbye", "crash", "fork"):
        member.say(member.fate)
    for member in crowd.of_fate("fork"):
        assert member.process.stdout is not None
        crowd.children.add(int(member.process.stdout.readline()))
    for fate, kinds in TOLD.items():
        crowd.wait_for(crowd.of_fate(fate), *kinds)
    crowd.wait(lambda: all(crowd.told_of(pid) == {"registered"} for pid in crowd.children))
    time.sleep(1.5 * LIMIT_NS / SECOND)  # who is silent would be named


def main(arguments: list[str]) -> int:
    if len(arguments) == 2 and arguments[0] == "observe":
        observe(arguments[1])
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    programs = {"c": [arguments[0]], "go": [arguments[1]], "node": ["node", str(HERE / "exchange.mjs")]}
    programs["python"] = [sys.executable, str(HERE / "exchange.py")]
    start = int(os.environ.get("KEEP_TEST_RANDOM") or secrets.randbelow(1 << 32))
    print(f"KEEP_TEST_RANDOM={start}", flush=True)
    dice = random.Random(start)  # noqa: S311
    with tempfile.TemporaryDirectory() as folder, crowd_at(f"{folder}/observer") as crowd:
        gather(crowd, programs, f"{folder}/observer", dice)
        rage(crowd, dice)
        calm(crowd)
        failures = crowd.failures()
    print("\n".join(failures), end="\n" if failures else "")
    print(f"crowd {'FAILED' if failures else 'ok'}: {len(crowd.members)} processes, {len(crowd.children)} children")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
