#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what other languages read, and reads what they wrote.

usage: exchange.py write DIR
       exchange.py read DIR FROM

DIR/LANG/ holds the items of a language; tests/exchange/inputs.json says what all of them start from.
"""

from __future__ import annotations

import hashlib
import json
import sys
from enum import IntEnum, IntFlag
from pathlib import Path

import libkeep

INPUTS = json.loads((Path(__file__).resolve().parent / "inputs.json").read_bytes())


def compact(value: object) -> bytes:
    """JSON with sorted keys and without blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def constants() -> bytes:
    """Every public number under its name in C, every status with its number and sentence."""
    numbers = {}
    for name, value in vars(libkeep).items():
        if name in INPUTS["beyond_json"]:
            continue
        if isinstance(value, int):
            numbers[f"KEEP_{name}"] = value
        elif isinstance(value, type) and issubclass(value, (IntEnum, IntFlag)):
            numbers |= {INPUTS["enums"][name] + key: int(item) for key, item in value.__members__.items()}
    statuses = {error.name: [number, error.sentence] for number, error in libkeep.by_status.items()}
    return compact({"constants": numbers, "statuses": statuses})


def write(folder: Path) -> None:
    """All items of this language, and the manifest of them."""
    folder.mkdir(parents=True)
    items = {"constants.json": constants()}
    for name, content in items.items():
        (folder / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in items.items()}
    (folder / "manifest.json").write_bytes(compact({"files": hashes}))


def is_whole(folder: Path) -> bool:
    """Every file that the manifest lists is there as it was written."""
    hashes = json.loads((folder / "manifest.json").read_bytes())["files"]
    return bool(hashes) and all(
        hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in hashes.items()
    )


def read(folder: Path) -> bool:
    """Says of each item whether it is what it must be."""
    verdicts = {
        "manifest.json": is_whole(folder),
        "constants.json": (folder / "constants.json").read_bytes() == constants(),
    }
    for item, verdict in verdicts.items():
        print(f"exchange {folder.name}->python {item} {'ok' if verdict else 'FAILED'}")
    return all(verdicts.values())


def main(arguments: list[str]) -> int:
    """0 if everything went well."""
    if len(arguments) == 2 and arguments[0] == "write":
        write(Path(arguments[1]) / "python")
        return 0
    if len(arguments) == 3 and arguments[0] == "read":
        return int(not read(Path(arguments[1]) / arguments[2]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
