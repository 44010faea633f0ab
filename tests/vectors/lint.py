#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the form of vector files. It knows no schema's meaning.

usage: lint.py [--coverage] [DIR]

Every *.json directly in DIR (this folder by default) must be well formed: the file, its header,
its counts, the identifiers of its cases and the forms of its values. If DIR has a given.txt, the
files it lists must be unchanged. With --coverage every public status must be expected somewhere, or
stand in undriven.txt with a reason.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STATUS_HEADER = HERE.parent.parent / "core/include/keep/status.h"

MAX_BYTES = 8 << 20
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
MAX_REPEAT = 2**24

SCHEMA = re.compile(r"keep-[a-z]+-[1-9][0-9]*")
HEX = re.compile(r"(?:[0-9a-f]{2})*")
SHA256 = re.compile(r"[0-9a-f]{64}")
INTEGER_64 = re.compile(r"-?(?:0|[1-9][0-9]{0,19}|0x[0-9a-f]{1,16})")
REAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
# Which strings are bytes only a schema knows; nothing else of this length looks like one.
LOOKS_LIKE_BYTES = re.compile(r"(?=.*[a-fA-F])[0-9a-fA-F]{8,}")


class FormError(Exception):
    """The file breaks a rule of the format; the text says which."""


def refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs; a key that stands in it twice is an error."""
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise FormError(f"key {key!r} occurs twice in one object")
        seen[key] = value
    return seen


def refuse_number(text: str) -> Any:
    """No number of a vector file has a fraction, an exponent or no value."""
    raise FormError(f"{text} is not an integer")


def depth_of(text: str) -> int:
    """How deep the objects and lists of a JSON text are nested."""
    depth = deepest = 0
    for mark in STRING.sub("", text):
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def parse(raw: bytes) -> dict[str, Any]:
    """The object that the bytes of a file hold."""
    if len(raw) > MAX_BYTES:
        raise FormError("larger than 8 MiB")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise FormError("begins with a byte order mark")
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise FormError(f"not UTF-8: {error}") from None
    if depth_of(text) > MAX_DEPTH:
        raise FormError("nested deeper than 32")
    try:
        root = json.loads(
            text,
            object_pairs_hook=refuse_duplicates,
            parse_float=refuse_number,
            parse_constant=refuse_number,
        )
    except json.JSONDecodeError as error:
        raise FormError(f"not JSON: {error}") from None
    if not isinstance(root, dict):
        raise FormError("not an object")
    if not text.endswith("}\n"):
        raise FormError("does not end with one line feed")
    return root


def arrays_of(root: dict[str, Any]) -> dict[str, list[Any]]:
    """The top-level arrays that hold cases."""
    return {key: value for key, value in root.items() if isinstance(value, list) and key != "notes"}


def check_header(root: dict[str, Any]) -> None:
    """Schema and count of cases."""
    schema = root.get("schema")
    if not isinstance(schema, str) or not SCHEMA.fullmatch(schema):
        raise FormError("schema is not keep-NAME-VERSION")
    count = root.get("numberOfTests")
    if type(count) is not int or count < 1:
        raise FormError("numberOfTests is not an integer above 0")
    cases = sum(len(cases) for cases in arrays_of(root).values())
    if cases != count:
        raise FormError(f"numberOfTests is {count}, there are {cases} cases")
    if not isinstance(root.get("constants", {}), dict):
        raise FormError("constants is not an object")


def check_cases(name: str, cases: list[Any]) -> None:
    """Each case is an object with an identifier of its own."""
    seen: set[str] = set()
    for position, case in enumerate(cases):
        identifier = case.get("id") if isinstance(case, dict) else None
        if not isinstance(identifier, str):
            raise FormError(f"{name}[{position}] has no id")
        if identifier in seen:
            raise FormError(f"{name} has {identifier!r} twice")
        seen.add(identifier)


def demand(condition: bool, where: str, what: str) -> None:
    """Raises FormError unless the condition holds."""
    if not condition:
        raise FormError(f"{where}: {what}")


def is_size(value: Any, limit: int = MAX_INTEGER) -> bool:
    """An integer from 0 to the limit; true and false are none."""
    return type(value) is int and 0 <= value <= limit


def matches(pattern: re.Pattern[str], value: Any) -> bool:
    """A string that is wholly of this form."""
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def check_object(value: dict[str, Any], where: str) -> None:
    """The forms of a value that are objects, told by their keys."""
    keys = set(value)
    if {"repeat", "hex"} <= keys:
        demand(keys == {"repeat", "hex"}, where, "repeat and hex stand alone")
        demand(is_size(value["repeat"], MAX_REPEAT), where, "repeat is not 0 to 2^24")
        demand(matches(HEX, value["hex"]), where, "hex is not bytes")
    elif keys == {"sha256", "len"}:
        demand(matches(SHA256, value["sha256"]), where, "sha256 is not 64 digits")
        demand(is_size(value["len"]), where, "len is not a size")
    elif keys == {"at", "hex"}:
        demand(is_size(value["at"]), where, "at is not an offset")
        demand(matches(HEX, value["hex"]), where, "hex is not bytes")
    elif "ref" in keys and keys <= {"ref", "xor", "take"}:
        demand(isinstance(value["ref"], str), where, "ref is not a name")
        demand(is_size(value.get("take", 0)), where, "take is not a length")
    elif keys == {"about", "within"}:
        demand(all(matches(REAL, real) for real in value.values()), where, "not a real number")
    elif keys == {"set"}:
        demand(isinstance(value["set"], list), where, "set is not a list")


def check_value(value: Any, where: str) -> None:
    """A value and everything in it."""
    demand(value is not None, where, "null")
    if isinstance(value, dict):
        check_object(value, where)
        for key, item in value.items():
            check_value(item, f"{where}.{key}")
            if key.endswith(("_ns", "_ms")) and isinstance(item, str):
                demand(matches(INTEGER_64, item), f"{where}.{key}", "not a 64-bit integer")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_value(item, f"{where}[{index}]")
    elif isinstance(value, str):
        demand(not re.search("[\ud800-\udfff]", value), where, "a lone surrogate")
        if matches(LOOKS_LIKE_BYTES, value):
            demand(matches(HEX, value), where, "upper-case or odd hexadecimal digits")
    elif type(value) is int:
        demand(is_size(value), where, "a number outside 0 to 2^53-1")


def check_file(raw: bytes) -> dict[str, Any]:
    """The object of a well-formed file; FormError says what is wrong with another."""
    root = parse(raw)
    check_header(root)
    for name, cases in arrays_of(root).items():
        check_cases(name, cases)
    for key, value in root.items():
        check_value(value, key)
    return root


def check_given(directory: Path) -> list[str]:
    """What was given with the specs and is not as it was."""
    listing = directory / "given.txt"
    if not listing.exists():
        return []
    problems = []
    for line in listing.read_text("utf-8").splitlines():
        digest, name = line.split("  ")
        path = directory / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            problems.append(f"{name}: not the file that was given")
    return problems


def statuses_in(value: Any) -> set[str]:
    """The statuses that stand anywhere in a value. A step without one expects OK."""
    if isinstance(value, list):
        return set().union(*(statuses_in(item) for item in value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*(statuses_in(item) for item in value.values()))
    if isinstance(value.get("status"), str):
        found.add(re.sub("^KEEP_(ERR_)?", "", value["status"]))
    elif "op" in value:
        found.add("OK")
    return found


def reasons() -> set[str]:
    """The names in undriven.txt, whose lines are `NAME NAME…: reason`."""
    names: set[str] = set()
    for line in (HERE / "undriven.txt").read_text("utf-8").splitlines():
        subject, _, reason = line.partition(": ")
        if not reason:
            raise FormError(f"undriven.txt: no reason in {line!r}")
        names.update(subject.split())
    return names


def check_coverage(roots: list[dict[str, Any]]) -> list[str]:
    """Statuses that no file expects and nobody excused, and excuses that are not needed."""
    header = STATUS_HEADER.read_text("utf-8")
    public = set(re.findall(r"^ *X\(([A-Z_]+), [0-9]+,", header, re.MULTILINE))
    seen = statuses_in(roots)
    excused = reasons()
    missing = [f"status {name} is expected nowhere" for name in sorted(public - seen - excused)]
    stale = [f"undriven.txt excuses status {name}, which occurs" for name in sorted(seen & excused)]
    return missing + stale


def main(arguments: list[str]) -> int:
    """Prints one line per problem; 1 if there is any."""
    coverage = "--coverage" in arguments
    rest = [argument for argument in arguments if argument != "--coverage"]
    directory = Path(rest[0]) if rest else HERE
    paths = sorted(directory.glob("*.json"), key=lambda path: path.name.encode())
    problems = [] if paths else [f"{directory}: no vector files"]
    roots = []
    for path in paths:
        try:
            roots.append(check_file(path.read_bytes()))
        except FormError as error:
            problems.append(f"{path.name}: {error}")
    problems += check_given(directory)
    if coverage:
        problems += check_coverage(roots)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
