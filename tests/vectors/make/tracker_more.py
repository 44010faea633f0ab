#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tracker-more.json: cases of tracker §3 and §4 beside those that were given.

usage: tracker_more.py [DIR]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import observer_scripts
import tracker_answers
import tracker_scripts
from layout import counted, file_of
from tracker_model import World
from tracker_script import Step, steps_of
from tracker_walk import BeaconWalk, CalmWalk, LedgerWalk, ObserverWalk, walks

HERE = Path(__file__).resolve().parent

# What is told of an event; all else is as the datagram or the slot has it.
OF_BEAT = ("claimed_pid", "health", "payload", "nonce", "origin")
TOLD: dict[str, tuple[str, ...]] = {
    "beat": OF_BEAT,
    "crash": ("claimed_pid", "posthumous"),
    "stall": (*OF_BEAT, "last_ns", "silence_ns", "stalled", "agents"),
    "exited": OF_BEAT,
    "auth_failure": ("claimed_pid",),
    "uid_refused": ("uid",),
    "decode_error": ("fault",),
    "origin_conflict": ("origin",),
    "namespace_conflict": ("ns_inode",),
}


def shortened(step: Step) -> Step:
    """A step without what its events need not say."""
    for event in step.get("out", {}).get("events", []):
        for key in set(event) - {"kind", "pid", *TOLD.get(event["kind"], ())}:
            del event[key]
    return step


def completed(text: str) -> list[Step]:
    """The steps of a script, with what they give."""
    world, made = World(), []
    for step, kept in steps_of(text):
        world.complete([step])
        if kept:
            step["out"] = {key: step["out"][key] for key in kept}
        made.append(shortened(step))
    return made


def named(scripts: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Every script of a collection."""
    rows = scripts.items()
    return [{"id": name, "comment": comment, "script": completed(text)} for name, (comment, text) in rows]


def drawn(kind: Callable[[str], Any], name: str, count: int) -> list[dict[str, Any]]:
    """Scripts drawn at random."""
    made = list(walks(kind, name, count))
    for case in made:
        case["script"] = [shortened(step) for step in case["script"]]
    return made


def main(arguments: list[str]) -> None:
    """Writes the file."""
    directory = Path(arguments[0]) if arguments else HERE.parent
    root = counted(
        "keep-tracker-1",
        **tracker_answers.arrays(),
        tracker_scripts=named(tracker_scripts.LEDGER) + drawn(LedgerWalk, "ledger", 8) + drawn(CalmWalk, "calm", 4),
        observer_scripts=named(observer_scripts.OBSERVER) + drawn(ObserverWalk, "observer", 12),
        beacon_scripts=named(tracker_scripts.BEACON) + drawn(BeaconWalk, "beacon", 3),
    )
    (directory / "tracker-more.json").write_bytes(file_of(root))


if __name__ == "__main__":
    main(sys.argv[1:])
