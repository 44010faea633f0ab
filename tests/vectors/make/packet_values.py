# SPDX-License-Identifier: MIT
"""Values as packet files write them (packet §11, vectors R30)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Case = dict[str, Any]


def bytes_of(value: Any) -> bytes:
    """Bytes in any of the forms that need no script."""
    if isinstance(value, list):
        return b"".join(map(bytes_of, value))
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"]) * int(value["repeat"])
    return bytes.fromhex(value)


def shown(data: bytes) -> Any:
    """Bytes as a file has them: many that are equal in short."""
    return {"repeat": len(data), "hex": data[:1].hex()} if len(data) > 32 and len(set(data)) == 1 else data.hex()


def each_event(events: list[Any]) -> Iterator[bytes]:
    """Every event, also of those that are equal."""
    for value in events:
        if isinstance(value, dict) and "count" in value:
            yield from [bytes_of(value["event"])] * value["count"]
        else:
            yield bytes_of(value)


def events_of(case: Case) -> list[bytes]:
    """The events of a request, which may have none."""
    return list(each_event(case.get("events", [])))


def integer(value: Any) -> int:
    """A number of any size."""
    return int(value, 0) if isinstance(value, str) else int(value)


def integers(case: Case, *keys: str) -> dict[str, int]:
    """Those of the keys that a case has."""
    return {key: integer(case[key]) for key in keys if key in case}
