# SPDX-License-Identifier: MIT
"""Real processes that beat through libkeep for Python, and are stopped, killed or leave (tracker T3)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import start
from libkeep import EventKind, Observer, Tracker

MILLISECOND = 1_000_000
PATIENCE = 60.0
COUNT = 24

# Beats; forks a child that beats as itself; says goodbye or its last word when its input says so. The kernel queues few
# datagrams, so what must arrive is said again.
AGENT = """
import libkeep, os, select, sys, time
beacon = libkeep.Beacon(sys.argv[1], fork_refresh=True)
beacon.arm()
child = os.fork() if sys.argv[2] == "forks" else 0
if child:
    print(child, flush=True)
with beacon:
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        beacon.beat()
    command = sys.stdin.readline().strip()
    while command == "goodbye" and beacon.goodbye().kind != libkeep.OutcomeKind.SENT:
        time.sleep(0.01)
    for _ in range(5 if command == "crash" else 0):
        beacon.crash(9)
        time.sleep(0.05)
os._exit(0)
"""

ENDS = ("kill", "stop", "exit", "goodbye", "crash", "live")
TOLD = {
    "kill": {EventKind.EXITED},
    "stop": {EventKind.STALL},
    "exit": {EventKind.EXITED},
    "goodbye": {EventKind.GOODBYE},
    "crash": {EventKind.CRASH, EventKind.EXITED},
    "live": set[EventKind](),
}


class Agent:
    """A process, and what shall become of it."""

    def __init__(self, path: Path, end: str) -> None:
        command = [sys.executable, "-c", AGENT, str(path), "alone"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.end = end

    @property
    def pid(self) -> int:
        return self.process.pid

    def finish(self) -> None:
        """Does it."""
        if self.end in ("kill", "stop"):
            self.process.send_signal(signal.SIGKILL if self.end == "kill" else signal.SIGSTOP)
        elif self.end != "live":
            self.say(self.end)

    def say(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def agents(path: Path, ends: list[str]) -> Iterator[dict[int, Agent]]:
    made: dict[int, Agent] = {}
    try:
        for end in ends:
            agent = Agent(path, end)
            made[agent.pid] = agent
        yield made
    finally:
        for agent in made.values():
            agent.close()


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    """A patient one: two cores may serve all the agents and everybody else."""
    with Tracker(capacity=2 * COUNT, threshold_ns=1500 * MILLISECOND) as made:
        yield made


@pytest.fixture
def observer(tracker: Tracker, tmp_path: Path) -> Iterator[Observer]:
    with Observer(tracker) as made:
        made.listen(tmp_path / "keep")
        yield made


def hear(observer: Observer, heard: dict[int, set[EventKind]]) -> None:
    for event in observer.wait(0.1):
        heard.setdefault(event.pid, set()).add(event.kind)


def test_who_ends_is_told_and_nobody_who_lives(tracker: Tracker, observer: Observer, tmp_path: Path) -> None:
    ends = [ENDS[number % len(ENDS)] for number in range(COUNT)]
    random.Random(start).shuffle(ends)  # noqa: S311
    heard: dict[int, set[EventKind]] = {}
    with agents(tmp_path / "keep", ends) as made:
        limit = time.monotonic() + PATIENCE
        while tracker.stats().agents < COUNT and time.monotonic() < limit:
            hear(observer, heard)
        assert {agent.pid for agent in tracker.list()} == set(made)
        for agent in made.values():
            agent.finish()
        wanted = {pid: TOLD[agent.end] for pid, agent in made.items() if TOLD[agent.end]}
        while not all(kinds <= heard.get(pid, set()) for pid, kinds in wanted.items()) and time.monotonic() < limit:
            hear(observer, heard)
    heard.pop(0, None)  # what the observer says of itself
    assert heard == wanted


def test_a_stopped_process_that_goes_on_recovers(tracker: Tracker, observer: Observer, tmp_path: Path) -> None:
    heard: dict[int, set[EventKind]] = {}
    limit = time.monotonic() + PATIENCE
    with agents(tmp_path / "keep", ["stop"]) as made:
        (agent,) = made.values()
        while tracker.stats().agents == 0 and time.monotonic() < limit:
            hear(observer, heard)
        agent.finish()
        while EventKind.STALL not in heard.get(agent.pid, set()) and time.monotonic() < limit:
            hear(observer, heard)
        agent.process.send_signal(signal.SIGCONT)
        while EventKind.RECOVERED not in heard.get(agent.pid, set()) and time.monotonic() < limit:
            hear(observer, heard)
        assert heard[agent.pid] == {EventKind.STALL, EventKind.RECOVERED}


def test_parent_and_child_are_two_agents(tracker: Tracker, observer: Observer, tmp_path: Path) -> None:
    command = [sys.executable, "-c", AGENT, str(tmp_path / "keep"), "forks"]
    limit = time.monotonic() + PATIENCE
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = {parent.pid, int(parent.stdout.readline())}
        try:
            while tracker.stats().agents < 2 and time.monotonic() < limit:
                observer.wait(0.1)
            assert {agent.pid for agent in tracker.list()} == pids
            assert tracker.stats().out_of_order == 0
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
