# SPDX-License-Identifier: MIT
"""What all schemas share: the forms of values (vectors.md R30), comparison, and scripts (R31)."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Callable, Protocol, TypeVar

import libkeep

T = TypeVar("T")
Fields = dict[str, Any]
Runner = Callable[[Fields, int], None]


class Invalid(Exception):
    """The file, or what was asked for, is wrong as a whole."""


class Failed(Exception):
    """A case did not do what it says."""


class Closable(Protocol):
    def close(self) -> None: ...


def shown(value: object) -> str:
    return value.hex()[:64] if isinstance(value, (bytes, bytearray)) else str(value)


def expect(what: str, want: object, got: object) -> None:
    if type(want) is not type(got) or want != got:
        raise Failed(f"{what}: expected {shown(want)}, got {shown(got)}")


def take(fields: Fields, key: str, form: Callable[[Any], T]) -> T:
    """Takes a key that must be there; what is left over at the end is unknown (R33)."""
    if key not in fields:
        raise Failed(f"{key}: expected, but missing")
    return form(fields.pop(key))


def take_or(fields: Fields, key: str, form: Callable[[Any], T], default: T) -> T:
    return take(fields, key, form) if key in fields else default


# Forms of values


def of_type(kind: type[T]) -> Callable[[Any], T]:
    def form(value: Any) -> T:
        if type(value) is not kind:
            raise Failed(f"value: expected {kind.__name__}, got {value!r}")
        return value

    return form


text = of_type(str)
boolean = of_type(bool)
fields: Callable[[Any], Fields] = of_type(dict)


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


def list_of(form: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    return lambda value: [form(each) for each in of_type(list)(value)]


def plain_bytes(value: Any) -> bytes:
    if not re.fullmatch(r"([0-9a-f]{2})*", text(value)):
        raise Failed(f"bytes: expected lower-case hex digits, got {value!r}")
    return bytes.fromhex(value)


def repeated_bytes(value: Fields) -> bytes:
    count = take(value, "repeat", integer)
    if count > 1 << 24:
        raise Failed(f"repeat: expected at most 2^24, got {count}")
    return take(value, "hex", plain_bytes) * count


def status_name(value: Any) -> str:
    """R11: the bare name, which must be one that users see."""
    name = text(value)
    for prefix in ("KEEP_ERR_", "KEEP_"):
        name = name[len(prefix) :] if name.startswith(prefix) else name
    if name != "OK" and name not in {error.name for error in libkeep.by_status.values()}:
        raise Failed(f"status: expected a known one, got {value!r}")
    return name


def status_of(call: Callable[[], object]) -> str:
    """Makes a call; the name of its status."""
    try:
        call()
    except libkeep.KeepError as error:
        return error.name
    return "OK"


# Expectations


def expect_output(what: str, want: Any, got: object) -> None:
    """Compares an output with its expectation, whose form its own type says."""
    if isinstance(want, dict) and set(want) == {"about", "within"}:
        if not abs(float(want["about"]) - float(str(got))) <= float(want["within"]):
            raise Failed(f"{what}: expected about {want['about']}, got {got}")
    elif isinstance(want, dict) and set(want) == {"set"} and isinstance(got, list):
        expect(what, sorted(map(repr, want["set"])), sorted(map(repr, got)))
    elif isinstance(want, dict) and set(want) == {"sha256", "len"} and isinstance(got, bytes):
        expect(what, want, {"sha256": hashlib.sha256(got).hexdigest(), "len": len(got)})
    else:
        expect(what, want, got)


# Scripts


class Script:
    """The handles and saved bytes of one case. An operation NAME is the method op_NAME, which takes its inputs from the
    step, makes the call, and puts its outputs into `out`."""

    def __init__(self) -> None:
        self.handles: dict[str, Any] = {}
        self.freed: set[str] = set()
        self.saved: dict[str, bytes] = {}

    def run(self, steps: list[Any]) -> None:
        for step in steps:
            self.run_step(dict(fields(step)))

    def run_step(self, step: Fields) -> None:
        op = take(step, "op", text)
        operation = getattr(self, f"op_{op}", None)
        want = take_or(step, "status", status_name, "OK")
        wanted = take_or(step, "out", fields, Fields()).copy()
        save = take_or(step, "save", text, "")
        if operation is None:
            raise Failed(f"op: expected a known one, got {op}")
        out: Fields = {}
        expect(f"{op} status", want, status_of(lambda: operation(step, out)))
        if step:
            raise Failed(f"{op}: expected no unknown key, got {sorted(step)}")
        if save:
            self.saved[save] = out["data"]
        for name, expectation in wanted.items():
            if name not in out:
                raise Failed(f"{op} {name}: expected an output of the operation, got none")
            self.expect_output(f"{op} {name}", expectation, out[name])

    def expect_output(self, what: str, want: Any, got: object) -> None:
        """Compares an output; expected bytes may have any form that bytes have."""
        is_hash = isinstance(want, dict) and "sha256" in want
        expect_output(what, self.data(want) if isinstance(got, bytes) and not is_hash else want, got)

    def data(self, value: Any) -> bytes:
        """Bytes in any form of R30."""
        if isinstance(value, list):
            return b"".join(map(self.data, value))
        if not isinstance(value, dict):
            return plain_bytes(value)
        value = dict(value)
        data = self.earlier_bytes(value) if "ref" in value else repeated_bytes(value)
        if value:
            raise Failed(f"bytes: expected a known form, got {sorted(value)}")
        return data

    def earlier_bytes(self, value: Fields) -> bytes:
        name = take(value, "ref", text)
        if name not in self.saved:
            raise Failed(f"ref: expected saved bytes, got {name}")
        data = bytearray(self.saved[name])
        change = take_or(value, "xor", fields, Fields()).copy()
        if change:
            at, mask = take(change, "at", integer), take(change, "hex", plain_bytes)
            for offset, byte in enumerate(mask, at):
                data[offset] ^= byte
        return bytes(data[: take_or(value, "take", integer, len(data))])

    def on(self, step: Fields, key: str = "on") -> Any:
        name = take(step, key, text)
        if name not in self.handles:
            raise Failed(f"{key}: expected a handle, got {name}")
        return self.handles[name]

    def name(self, step: Fields) -> str:
        return self.unused(take(step, "as", text))

    def unused(self, name: str) -> str:
        if name in self.handles and name not in self.freed:
            raise Failed(f"as: expected a name that is not in use, got {name}")
        return name

    def bind(self, name: str, handle: Closable) -> None:
        self.handles.pop(name, None)
        self.freed.discard(name)
        self.handles[name] = handle

    def op_free(self, step: Fields, out: Fields) -> None:
        """Closes, for what it is worth: it never has a status."""
        name = str(step.get("on"))
        status_of(self.on(step).close)
        self.freed.add(name)

    def end(self, position: int) -> None:
        """R14: whatever is left is freed in one order or the other."""
        left = list(self.handles.values())
        for handle in left if position % 2 == 0 else reversed(left):
            handle.close()


def run_script(kind: type[Script], case: Fields, position: int) -> None:
    script = kind()
    try:
        script.run(take(case, "script", of_type(list)))
    finally:
        script.end(position)
