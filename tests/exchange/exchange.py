#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what other languages read, and reads what they wrote.

usage: exchange.py write DIR
       exchange.py read DIR FROM
       exchange.py finish DIR FROM
       exchange.py beat PATH
       exchange.py observe PATH FROM
       exchange.py live PATH

DIR/LANG/ holds the items of a language; tests/exchange/inputs.json says what all of them start from. PATH is the socket
of an observer.
"""

from __future__ import annotations

import hashlib
import json
import sys
from enum import IntEnum, IntFlag
from pathlib import Path

import agent
import libkeep
import packets
import tracker

INPUTS = json.loads((Path(__file__).resolve().parent / "inputs.json").read_bytes())


def compact(value: object) -> bytes:
    """JSON with sorted keys and without blanks; text as it is."""
    if isinstance(value, str):
        return value.encode() + b"\n"
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def constants() -> bytes:
    """Every public number under its name in C, every status with its number and sentence."""
    numbers = {}
    for name in libkeep.__all__:
        value = getattr(libkeep, name)
        if name in INPUTS["beyond_json"]:
            continue
        if isinstance(value, int):
            numbers[f"KEEP_{name}"] = value
        elif isinstance(value, type) and issubclass(value, (IntEnum, IntFlag)):
            numbers |= {INPUTS["enums"][name] + key: int(item) for key, item in value.__members__.items()}
    statuses = {error.name: [number, error.sentence] for number, error in libkeep.by_status.items()}
    return compact({"constants": numbers, "statuses": statuses})


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write(folder: Path) -> None:
    """All items of this language, and the manifest of them."""
    items = {"constants.json": constants(), "packets/sealed.json": compact(packets.sealed())}
    items |= {name: compact(value) for name, value in tracker.items(INPUTS["tracker"]).items()}
    for name, content in items.items():
        put(folder / name, content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in items.items()}
    (folder / "manifest.json").write_bytes(compact({"files": hashes}))


def is_whole(folder: Path) -> bool:
    """Every file that the manifest lists is there as it was written."""
    hashes = json.loads((folder / "manifest.json").read_bytes())["files"]
    return bool(hashes) and all(
        hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in hashes.items()
    )


def tell(writer: str, item: str, is_good: bool) -> bool:
    print(f"exchange {writer}->python {item} {'ok' if is_good else 'FAILED'}")
    return is_good


def read(folder: Path) -> bool:
    """Says of each item of a language whether it is what it must be; what it sealed is answered."""
    put(folder.parent / "python/packets/answers.json", compact(packets.answers()))
    verdicts = {
        "manifest.json": is_whole(folder),
        "constants.json": (folder / "constants.json").read_bytes() == constants(),
        "packets": packets.are_sealed(json.loads((folder / "packets/sealed.json").read_bytes())),
        "tracker": tracker.is_same(INPUTS["tracker"], folder),
    }
    return all([tell(folder.name, item, verdict) for item, verdict in verdicts.items()])


def finish(folder: Path) -> bool:
    """What a language answered to this one."""
    answers = json.loads((folder / "packets/answers.json").read_bytes())
    return tell(folder.name, "answers", packets.are_answers(answers))


def main(arguments: list[str]) -> int:
    """0 if everything went well."""
    verb, *rest = arguments or [""]
    if verb == "write" and len(rest) == 1:
        write(Path(rest[0]) / "python")
        return 0
    if verb == "read" and len(rest) == 2:
        return int(not read(Path(rest[0]) / rest[1]))
    if verb == "finish" and len(rest) == 2:
        return int(not finish(Path(rest[0]) / rest[1]))
    if verb == "beat" and len(rest) == 1:
        return int(not tracker.beat(rest[0]))
    if verb == "observe" and len(rest) == 2:
        return int(not tell(rest[1], "live", tracker.observe(rest[0])))
    if verb == "live" and len(rest) == 1:
        return int(not agent.live(rest[0]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
