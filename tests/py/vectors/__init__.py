# SPDX-License-Identifier: MIT
"""What all schemas share: the forms of values (vectors.md R30), comparison, and scripts (R31).

A table of arrays, or of operations, has for each name the keys that must be there, as words, and a function of a Step.
What an operation returns are its outputs, if it is a dict.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, IntEnum, IntFlag
from typing import Any, Protocol, TypeVar

import libkeep

T = TypeVar("T")
Outputs = dict[str, Any]
Form = Callable[[Any], T]
Forms = dict[str, Callable[[Any], Any]]


class Invalid(Exception):
    """The file, or what was asked for, is wrong as a whole."""


class Failed(Exception):
    """A case did not do what it says."""


class Closable(Protocol):
    def close(self) -> None: ...


class Fields(dict[str, Any]):
    """An object of a file, which knows the keys that were read (R33)."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.read: set[str] = set()

    def take(self, key: str) -> Any:
        self.read.add(key)
        return self.get(key)


def unread(value: Any) -> set[str]:
    """The keys in a value, at any depth, that nobody has read."""
    if isinstance(value, Fields):
        return (set(value) - value.read).union(*map(unread, value.values()))
    return set().union(*map(unread, value)) if isinstance(value, list) else set()


class Wide(int):
    """An output of 64 bits, which files have as a text."""


def shown(value: object) -> str:
    return value.hex()[:64] if isinstance(value, (bytes, bytearray)) else str(value)


def expect(what: str, want: object, got: object) -> None:
    if type(want) is not type(got) or want != got:
        raise Failed(f"{what}: expected {shown(want)}, got {shown(got)}")


def constant(name: str) -> object:
    return getattr(libkeep, name.removeprefix("KEEP_"), None)


# Forms of values


def of_type(kind: type[T]) -> Form[T]:
    def form(value: Any) -> T:
        if type(value) is not kind:
            raise Failed(f"value: expected {kind.__name__}, got {value!r}")
        return value

    return form


text = of_type(str)
boolean = of_type(bool)
fields: Callable[[Any], Fields] = of_type(Fields)


def integer(value: Any) -> int:
    number = of_type(int)(value)
    if not 0 <= number < 1 << 53:
        raise Failed(f"integer: expected 0 … 2^53-1, got {number}")
    return number


def integer64(value: Any) -> int:
    if type(value) is int:
        return integer(value)
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,19}|0x[0-9a-f]{1,16})", text(value)):
        raise Failed(f"64-bit integer: expected, got {value!r}")
    return int(value, 0)


def list_of(form: Form[T]) -> Callable[[Any], list[T]]:
    return lambda value: [form(each) for each in of_type(list)(value)]


def plain_bytes(value: Any) -> bytes:
    if not re.fullmatch(r"([0-9a-f]{2})*", text(value)):
        raise Failed(f"bytes: expected lower-case hex digits, got {value!r}")
    return bytes.fromhex(value)


def one_of(table: Mapping[str, T]) -> Form[T]:
    """What a table has under a name."""

    def form(value: Any) -> T:
        if text(value) not in table:
            raise Failed(f"word: expected one of {sorted(table)}, got {value!r}")
        return table[value]

    return form


def word_of(kind: type[IntEnum]) -> Callable[[Any], Any]:
    """A member of an enumeration, by its word."""
    return one_of({member.name.lower(): member for member in kind})


def word(member: Enum) -> str:
    return member.name.lower()


def told(record: Any, is_wide: Callable[[str], bool] = lambda name: False) -> Outputs:
    """A record as the files have it: enumerations are words, but health and flags numbers."""
    out: Outputs = {}
    for name in (field.name for field in dataclasses.fields(record)):
        value = getattr(record, name)
        if isinstance(value, Enum) and not isinstance(value, (libkeep.Health, IntFlag)):
            out[name] = word(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            out[name] = Wide(value) if is_wide(name) else int(value)
        else:
            out[name] = value
    return out


def status_of(call: Callable[[], object]) -> str:
    """Makes a call; the name of its status."""
    try:
        call()
    except libkeep.KeepError as error:
        return error.name
    return "OK"


def expect_status(what: str, want: str, call: Callable[[], object]) -> None:
    expect(f"status of {what}", want, status_of(call))


# Cases


class Run:
    """The handles and saved bytes of one case."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.handles: dict[str, Any] = {}
        self.freed: set[str] = set()
        self.saved: dict[str, bytes] = {}

    def steps(self, steps: list[Any]) -> None:
        for each in steps:
            self.step(each)

    def step(self, given: Any) -> None:
        op = Step(self, given, "op").text("op")
        inputs, call = ("on", free) if op == "free" else one_of(self.operations)(op)
        step = Step(self, given, inputs)
        expect_status(op, step.status, lambda: step.returned(call(step)))
        if "save" in step:
            self.saved[step.text("save")] = next(step.out[key] for key in ("data", "wire", "packet") if key in step.out)
        if "out" in step:
            self.compare(op, step.take("out", fields), step.out)

    def compare(self, what: str, wanted: Fields, got: Outputs) -> None:
        """Compares the outputs that are named."""
        for key in wanted:
            if key not in got:
                raise Failed(f"{what} {key}: expected an output of the operation, got none")
            self.expect_output(f"{what} {key}", wanted.take(key), got[key])

    def expect_output(self, what: str, want: Any, got: Any) -> None:
        """Compares an output with its expectation, whose form its own type and the output's say."""
        if isinstance(got, bytes):
            self.expect_bytes(what, want, got)
        elif isinstance(got, Wide):
            expect(what, integer64(want), int(got))
        elif isinstance(got, dict):
            self.compare(what, fields(want), got)
        elif isinstance(got, list):
            expect(f"number of {what}", len(of_type(list)(want)), len(got))
            for position, each in enumerate(got):
                self.expect_output(f"{what}[{position}]", want[position], each)
        else:
            expect(what, want, got)

    def expect_bytes(self, what: str, want: Any, got: bytes) -> None:
        if isinstance(want, Fields) and "sha256" in want:
            form = Step(self, want, "sha256 len")
            expect(what, form.text("sha256"), hashlib.sha256(got).hexdigest())
            expect(what, form.integer("len"), len(got))
        else:
            expect(what, self.data(want), got)

    def data(self, value: Any) -> bytes:
        """Bytes in any form of R30."""
        if isinstance(value, list):
            return b"".join(map(self.data, value))
        if not isinstance(value, Fields):
            return plain_bytes(value)
        if "ref" in value:
            return self.earlier(Step(self, value))
        form = Step(self, value, "repeat hex")
        if form.integer("repeat") > 1 << 24:
            raise Failed(f"repeat: expected at most 2^24, got {form.integer('repeat')}")
        return form.data("hex") * form.integer("repeat")

    def earlier(self, form: Step) -> bytes:
        data = bytearray(form.take("ref", one_of(self.saved)))
        if "xor" in form:
            change = form.part(form.take("xor", fields), "at hex")
            for offset, byte in enumerate(change.data("hex"), change.integer("at")):
                data[offset] ^= byte
        return bytes(data[: form.integer("take", len(data))])

    def unused(self, name: str) -> str:
        if name in self.handles and name not in self.freed:
            raise Failed(f"as: expected a name that is not in use, got {name}")
        return name

    def bind(self, name: str, handle: Closable) -> None:
        self.handles.pop(name, None)
        self.freed.discard(name)
        self.handles[name] = handle

    def end(self, position: int) -> None:
        """R14: what is left is closed in one order or the other."""
        left = list(self.handles.values())
        for handle in left if position % 2 == 0 else reversed(left):
            handle.close()


class Step:
    """Any part of a case: inputs by key, some of which must be there; `out` are outputs even of a call that fails."""

    def __init__(self, run: Run, given: Any, inputs: str = "") -> None:
        self.run = run
        self.fields = fields(given)
        self.out: Outputs = {}
        for key in inputs.split():
            if key not in self.fields:
                raise Failed(f"{key}: expected, but missing")

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    def take(self, key: str, form: Form[T], default: Any = None) -> T:
        return form(self.fields.take(key)) if key in self else default

    def text(self, key: str) -> str:
        return self.take(key, text)

    def integer(self, key: str, default: int = 0) -> int:
        return self.take(key, integer, default)

    def integer64(self, key: str, default: int = 0) -> int:
        return self.take(key, integer64, default)

    def flag(self, key: str) -> bool:
        return self.take(key, boolean, False)

    def data(self, key: str) -> bytes:
        return self.take(key, self.run.data)

    def given(self, forms: Forms) -> dict[str, Any]:
        """Those of the values that are there."""
        return {key: self.take(key, form) for key, form in forms.items() if key in self}

    def part(self, value: Any, inputs: str = "") -> Step:
        return Step(self.run, value, inputs)

    def parts(self, key: str, inputs: str) -> list[Step]:
        return [self.part(each, inputs) for each in self.take(key, of_type(list))]

    def returned(self, value: object) -> None:
        self.out.update(value if isinstance(value, dict) else {})

    @property
    def status(self) -> str:
        """R11: the bare name, which must be one that users see."""
        name = self.take("status", text, "OK").removeprefix("KEEP_").removeprefix("ERR_")
        if name != "OK" and name not in {error.name for error in libkeep.by_status.values()}:
            raise Failed(f"status: expected a known one, got {name!r}")
        return name

    def on(self, key: str = "on") -> Any:
        return self.take(key, one_of(self.run.handles))

    def bind(self, make: Callable[[], Any]) -> Any:
        """Names what a constructor makes."""
        name = self.run.unused(self.text("as"))
        handle = make()
        self.run.bind(name, handle)
        return handle

    def expect(self, key: str, got: object) -> None:
        self.run.expect_output(key, self.fields.take(key), got)

    def expect_all(self, key: str, got: Outputs) -> None:
        """Compares outputs, all of which must be expected."""
        self.run.compare(key, self.part(self.fields.take(key), " ".join(got)).fields, got)


Operations = Mapping[str, tuple[str, Callable[[Step], object]]]
Arrays = Mapping[str, tuple[str, Callable[[Step], None]]]


def free(step: Step) -> None:
    """Closes a handle and lets its name go; it has no status."""
    handle = step.on()
    status_of(handle.close)
    step.run.freed.add(step.text("on"))


def run_script(step: Step) -> None:
    step.run.steps(step.take("script", of_type(list)))


def run_case(schema: tuple[Arrays, Operations], array: str, case: Fields, position: int) -> None:
    """Runs a case; raises what was wrong."""
    arrays, operations = schema
    run = Run(operations)
    inputs, call = arrays[array]
    case.read.update(("id", "comment", "flags") if isinstance(case.get("flags"), list) else ("id", "comment"))
    try:
        call(Step(run, case, inputs))
    finally:
        run.end(position)
    if unread(case):
        raise Failed(f"keys: expected none that is unknown, got {sorted(unread(case))}")
