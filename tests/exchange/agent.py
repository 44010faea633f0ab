# SPDX-License-Identifier: MIT
"""One of the crowd (tests/exchange/crowd.py): registers, beats, and does what its input says.

The kernel queues few datagrams: what finds the queue full is said again, and a last word, of which nobody hears whether
it arrived, several times.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable

from libkeep import Beacon, Outcome, OutcomeKind

PERIOD_MS = 200
RETRY_MS = 5
LAST_WORDS = 5


def until_sent(say: Callable[[], Outcome]) -> None:
    while say().kind is not OutcomeKind.SENT:
        time.sleep(RETRY_MS / 1000)


def fork(beacon: Beacon) -> bool:
    """Whether this is the child."""
    child = os.fork()
    if child:
        print(child, flush=True)
    else:
        beacon.restart()
        until_sent(beacon.register)
    return not child


def leave(beacon: Beacon, command: str) -> None:
    for _ in range(LAST_WORDS if command == "crash\n" else 0):
        beacon.crash(9)
        time.sleep(RETRY_MS / 100)
    if command == "goodbye\n":
        until_sent(beacon.goodbye)


def live(path: str) -> bool:
    command = ""
    with Beacon(path, fork_refresh=True) as beacon:
        beacon.arm()
        until_sent(beacon.register)
        waiter = select.poll()
        waiter.register(sys.stdin, select.POLLIN)
        while not command:
            is_sent = beacon.beat().kind is OutcomeKind.SENT
            ready = waiter.poll(PERIOD_MS if is_sent else RETRY_MS)
            if not ready:
                continue
            command = sys.stdin.readline() if ready[0][1] & select.POLLIN else "exit\n"
            if command == "fork\n":
                command = ""
                if fork(beacon):
                    waiter.register(sys.stdin, 0)  # a child lives as long as the input is open, and reads nothing of it
            elif not command:
                command = "exit\n"
        leave(beacon, command)
    return True
