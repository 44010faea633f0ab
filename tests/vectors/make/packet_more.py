#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes packet-more.json: cases of packet §11 beside those that were given.

usage: packet_more.py [DIR]
"""

from __future__ import annotations

import copy
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import packet_cases
import packet_handshakes
from layout import counted, file_of
from packet_model import COMPLETE
from packet_scripts import SCRIPTS
from packet_values import shown
from packet_walk import WALKS, walked

HERE = Path(__file__).resolve().parent
RANDOM = 12
LONG = 512  # digits


def scripts() -> Iterator[dict[str, Any]]:
    """Each with steps of its own."""
    for name, script in SCRIPTS.items():
        yield {"id": name, "script": copy.deepcopy(script)}


NAMED: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    **{"build": packet_cases.build, "build_errors": packet_cases.build_errors, "buffers": packet_cases.buffers},
    **{"fit": packet_cases.fit, "max_events": packet_cases.max_events, "prefix": packet_cases.prefix},
    **{"parse": packet_cases.parse, "open": packet_cases.opens, "replay": packet_cases.replay},
    **{"noise": packet_handshakes.noise, "noise_errors": packet_handshakes.noise_errors},
    "pools": scripts,
}


def hash_long(outputs: dict[str, Any], key: str) -> None:
    """Puts the hash of long bytes in their place."""
    value = outputs.get(key, "")
    if isinstance(value, str) and len(value) > LONG:
        outputs[key] = {"sha256": hashlib.sha256(bytes.fromhex(value)).hexdigest(), "len": len(value) // 2}


def shorten(case: dict[str, Any]) -> None:
    """Writes what is expected in its shortest form."""
    if case.get("kind") or case.get("op") == "seal":
        hash_long(case, "packet")
    for packet in case.get("packets", []):
        hash_long(packet, "packet")
    for step in case.get("steps", []):
        hash_long(step, "message" if step.get("op") == "write" else "payload")
        if "events" in step:
            step["events"] = [shown(bytes.fromhex(event)) for event in step["events"]]
    for step in case.get("script", []):
        hash_long(step.get("out", {}), "packet")


def cases(array: str) -> list[dict[str, Any]]:
    """Those with a name, completed, then some at random."""
    made = list(NAMED[array]())
    for case in made:
        COMPLETE[array](case)
    made += [walked(array, str(number)) for number in range(RANDOM if array in WALKS else 0)]
    for case in made:
        shorten(case)
    return made


def main(arguments: list[str]) -> None:
    """Writes the file."""
    directory = Path(arguments[0]) if arguments else HERE.parent
    root = counted("keep-packet-1", **{array: cases(array) for array in NAMED})
    (directory / "packet-more.json").write_bytes(file_of(root))


if __name__ == "__main__":
    main(sys.argv[1:])
