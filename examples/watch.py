# SPDX-License-Identifier: MIT
"""Watches programs that beat: kills the first, stops the second, lets the others leave; tells what it heard of each.

python3 watch.py NAME=COMMAND...

A command gets the path of the observer's socket, and beats until its input ends: beat.c, beat.py, beat.mjs.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from contextlib import ExitStack

from libkeep import EventKind, Observer, Tracker

THRESHOLD_NS = 500_000_000
PATIENCE = 30.0  # seconds


class Program:
    """A process that beats."""

    def __init__(self, name: str, command: str, path: str) -> None:
        self.name = name
        self.process = subprocess.Popen([*command.split(), path], stdin=subprocess.PIPE)  # noqa: S603

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def wait_for(observer: Observer, kind: EventKind, programs: Collection[Program]) -> float:
    """Waits until that is told of each; returns how long it took, in milliseconds."""
    begin = time.monotonic()
    pids = {program.process.pid for program in programs}
    while pids:
        for event in observer.wait(PATIENCE):
            if event.kind is kind:
                pids.discard(event.pid)
        if time.monotonic() - begin > PATIENCE:
            raise SystemExit(f"watch: no {kind.name.lower()} was told of {pids}")
    return 1000 * (time.monotonic() - begin)


def tell(word: str, programs: Collection[Program], what: str) -> None:
    print(f"  {word:8}{', '.join(program.name for program in programs)}{what}")


def watch(observer: Observer, programs: list[Program]) -> None:
    killed, stopped, *others = programs
    wait_for(observer, EventKind.REGISTERED, programs)
    tell("heard", programs, "")
    killed.process.kill()
    took = wait_for(observer, EventKind.EXITED, [killed])
    tell("killed", [killed], f": it exited, told after {took:.1f} ms")
    stopped.process.send_signal(signal.SIGSTOP)
    took = wait_for(observer, EventKind.STALL, [stopped])
    tell("stopped", [stopped], f": it stalled, told after {took:.1f} ms; silence may last 500")
    for program in others:
        program.process.communicate()
    wait_for(observer, EventKind.GOODBYE, others)
    tell("left", others, ": goodbye")


def main(arguments: list[str]) -> None:
    print("The tracker: an observer, and programs that beat ten times a second")
    with ExitStack() as stack:
        path = stack.enter_context(tempfile.TemporaryDirectory()) + "/observer"
        observer = stack.enter_context(Observer(stack.enter_context(Tracker(threshold_ns=THRESHOLD_NS))))
        observer.listen(path)
        programs = []
        for argument in arguments:
            name, _, command = argument.partition("=")
            programs.append(Program(name, command, path))
            stack.callback(programs[-1].close)
        watch(observer, programs)


main(sys.argv[1:])
