#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what other languages read, and reads what they wrote.

usage: exchange.py write DIR
       exchange.py read DIR FROM
       exchange.py finish DIR FROM

DIR/LANG/ holds the items of a language; tests/exchange/inputs.json says what all of them start from.
"""

from __future__ import annotations

import hashlib
import json
import sys
from enum import IntEnum, IntFlag
from pathlib import Path

import libkeep
import packets

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


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write(folder: Path) -> None:
    """All items of this language, and the manifest of them."""
    items = {"constants.json": constants(), "packets/sealed.json": compact(packets.sealed())}
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


def tell(folder: Path, verdicts: dict[str, bool]) -> bool:
    """Says of each item whether it is what it must be."""
    for item, verdict in verdicts.items():
        print(f"exchange {folder.name}->python {item} {'ok' if verdict else 'FAILED'}")
    return all(verdicts.values())


def read(folder: Path) -> bool:
    """All items of a language; what it sealed is answered."""
    put(folder.parent / "python/packets/answers.json", compact(packets.answers()))
    verdicts = {
        "manifest.json": is_whole(folder),
        "constants.json": (folder / "constants.json").read_bytes() == constants(),
        "packets": packets.are_sealed(json.loads((folder / "packets/sealed.json").read_bytes())),
    }
    return tell(folder, verdicts)


def finish(folder: Path) -> bool:
    """What a language answered to this one."""
    answers = json.loads((folder / "packets/answers.json").read_bytes())
    return tell(folder, {"answers": packets.are_answers(answers)})


def main(arguments: list[str]) -> int:
    """0 if everything went well."""
    if len(arguments) == 2 and arguments[0] == "write":
        write(Path(arguments[1]) / "python")
        return 0
    if len(arguments) == 3 and arguments[0] in ("read", "finish"):
        folder = Path(arguments[1]) / arguments[2]
        return int(not (read if arguments[0] == "read" else finish)(folder))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
