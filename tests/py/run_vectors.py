#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the shared test vectors against libkeep for Python: run_vectors.py [--reverse] [SCHEMA...]

One line per file on standard output, everything else on standard error; vectors.md has the rules, whose numbers stand
in the comments. What the cases of a schema mean is in vectors/NAME.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from vectors import Arrays, Failed, Fields, Invalid, Operations, constant, memory, packet, run_case, tracker

# schema -> the arrays of its cases, and the operations of its scripts (R3)
SCHEMAS: dict[str, tuple[Arrays, Operations]] = {
    "keep-memory-1": (memory.ARRAYS, memory.OPERATIONS),
    "keep-packet-1": (packet.ARRAYS, packet.OPERATIONS),
    "keep-tracker-1": (tracker.ARRAYS, tracker.OPERATIONS),
}

FAILURES_SHOWN = 20


def refuse(text: str) -> None:
    raise Invalid(f"a number with fraction or exponent: {text}")


def without_duplicates(pairs: list[tuple[str, Any]]) -> Fields:
    found = Fields(pairs)
    if len(found) != len(pairs):
        raise Invalid("a key stands twice in an object")
    return found


def parse(content: bytes) -> Fields:
    """The object that a file holds (R32)."""
    try:
        parsed = json.loads(
            content.decode("utf-8", "strict"),
            object_pairs_hook=without_duplicates,
            parse_float=refuse,
            parse_constant=refuse,
        )
    except (ValueError, RecursionError) as error:
        raise Invalid(str(error)) from None
    if not isinstance(parsed, Fields):
        raise Invalid("not an object")
    return parsed


def check_header(file: Fields) -> None:
    """R4, R10, R28: a known schema, nothing that nobody reads, the right count, no identifier twice."""
    schema, total = file.get("schema"), file.get("numberOfTests")
    if not isinstance(schema, str) or schema not in SCHEMAS:
        raise Invalid(f"schema {schema!r} is not known")
    arrays = SCHEMAS[schema][0]
    unknown = set(file) - set(arrays) - {"schema", "numberOfTests", "notes", "constants"}
    if unknown:
        raise Invalid(f"nobody knows {sorted(unknown)}")
    cases = [file.get(name, []) for name in arrays]
    if not all(isinstance(array, list) and all(isinstance(case, dict) for case in array) for array in cases):
        raise Invalid("cases are objects in arrays")
    if type(total) is not int or total < 1 or total != sum(map(len, cases)):
        raise Invalid(f"numberOfTests is {total}, there are {sum(map(len, cases))}")
    for array in cases:
        identifiers = [case.get("id") for case in array]
        if not all(isinstance(each, str) for each in identifiers) or len(set(identifiers)) != len(identifiers):
            raise Invalid("a case without an id of its own")


def failure(schema: str, array: str, case: Fields, position: int) -> str | None:
    """What was wrong with a case, or None (R9)."""
    try:
        run_case(SCHEMAS[schema], array, case, position)
    except Failed as failed:
        return str(failed)
    except Exception as error:
        return f"exception: expected none, got {error!r}"
    return None


class File:
    """A file of vectors: what its line says, and what was wrong."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.hash = "-"
        self.failures: list[str] = []
        self.passed = 0
        self.total = 0
        self.invalid: str | None = None
        self.schema = ""
        try:
            content = path.read_bytes()
            self.hash = hashlib.sha256(content).hexdigest()
            self.parsed = parse(content)
            check_header(self.parsed)
        except (OSError, Invalid) as error:
            self.invalid = str(error)
            return
        self.schema = self.parsed["schema"]
        self.total = self.parsed["numberOfTests"]

    def run(self, reverse: bool = False) -> None:
        for name, value in self.parsed.get("constants", {}).items():
            if constant(name) != value:
                self.failures.append(f"FAIL {self.name} constants {name}: expected {value}, got {constant(name)}")
        for array in SCHEMAS[self.schema][0]:
            cases = list(enumerate(self.parsed.get(array, [])))
            for position, case in reversed(cases) if reverse else cases:
                self.run_case(array, position, case)

    def run_case(self, array: str, position: int, case: Fields) -> None:
        where = f"{self.name} {array}[{position}] {case['id']}"
        if "KEEP_VECTORS_VERBOSE" in os.environ:
            print(where, file=sys.stderr, flush=True)
        wrong = failure(self.schema, array, case, position)
        if wrong is None:
            self.passed += 1
        else:
            self.failures.append(f"FAIL {where}: {wrong} {case.get('comment', '')}".rstrip())

    @property
    def line(self) -> str:
        result = "invalid" if self.invalid else f"{self.passed}/{self.total}"
        return f"python {self.name} {self.hash} {result}"

    def complain(self) -> None:
        """R17."""
        if self.invalid:
            print(f"{self.name}: {self.invalid}", file=sys.stderr)
        for wrong in self.failures[:FAILURES_SHOWN]:
            print(wrong, file=sys.stderr)
        if len(self.failures) > FAILURES_SHOWN:
            print(f"… and {len(self.failures) - FAILURES_SHOWN} more", file=sys.stderr)


def files() -> list[Path]:
    """R1, R2: the files of the directory, in the byte order of their names."""
    chosen = os.environ.get("KEEP_VECTORS")
    directory = Path(__file__).resolve().parent.parent / "vectors" if chosen is None else Path(chosen)
    if chosen == "":
        raise Invalid("KEEP_VECTORS is empty")
    try:
        found = [path for path in directory.iterdir() if path.name.endswith(".json") and path.is_file()]
    except OSError as error:
        raise Invalid(str(error)) from None
    if not found:
        raise Invalid(f"no vectors in {directory}")
    return sorted(found, key=lambda path: os.fsencode(path.name))


def run_all(schemas: set[str], reverse: bool) -> int:
    """Runs the files, those of the schemas if any are named; the exit status (R18)."""
    if schemas - set(SCHEMAS):
        raise Invalid(f"no schema {', '.join(sorted(schemas - set(SCHEMAS)))}")
    found = [File(path) for path in files()]
    if "KEEP_VECTORS" not in os.environ and set(SCHEMAS) - {file.schema for file in found}:
        raise Invalid("the vectors of a subsystem are missing")  # R5
    wanted = [file for file in found if not schemas or file.schema in schemas]
    for file in wanted:
        if not file.invalid:
            file.run(reverse)
        print(file.line, flush=True)
        file.complain()
    if any(file.invalid for file in wanted):
        return 2
    return int(any(file.failures or file.passed != file.total for file in wanted))


def main() -> int:
    arguments = set(sys.argv[1:])
    try:
        return run_all(arguments - {"--reverse"}, "--reverse" in arguments)
    except Invalid as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
