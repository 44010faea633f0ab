#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the files that runners and the form check must refuse: one good file, and one change each.

usage: broken.py [DIR]
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from layout import counted, file_of

HERE = Path(__file__).resolve().parent
DIRECTORY = HERE.parent / "broken"

Root = dict[str, Any]

GOOD = counted(
    "keep-memory-1",
    known=[
        {
            "id": "split",
            "transform": "coffer.split",
            "in": [{"repeat": 32, "hex": "5a"}, {"repeat": 32, "hex": "0f"}],
            "out": {"repeat": 32, "hex": "55"},
        },
        {
            "id": "size",
            "transform": "sealed.aad",
            "in": {"repeat": 27, "hex": "00"},
            "status": "INVALID_ARGUMENT",
        },
    ],
    scripts=[
        {
            "id": "copies",
            "comment": "bytes come back as they went in",
            "script": [
                {"op": "pool_new", "as": "p"},
                {"op": "acquire", "on": "p", "as": "s", "len": 8, "out": {"capacity": 32}},
                {"op": "put", "on": "s", "offset": 2, "data": "deadbeef"},
                {"op": "reveal", "on": "s", "save": "all", "out": {"data": "0000deadbeef0000"}},
                {"op": "equal_bytes", "on": "s", "data": {"ref": "all"}, "out": {"equal": True}},
            ],
        },
        {
            "id": "closed",
            "comment": "a freed secret stays freed",
            "script": [
                {"op": "pool_new", "as": "p"},
                {"op": "acquire", "on": "p", "as": "s", "len": 4},
                {"op": "release", "on": "s"},
                {"op": "get", "on": "s", "offset": 0, "len": 4, "status": "CLOSED"},
                {"op": "free", "on": "s"},
            ],
        },
        {
            "id": "window",
            "comment": "nobody writes while somebody reads",
            "script": [
                {"op": "pool_new", "as": "p"},
                {"op": "acquire", "on": "p", "as": "s", "len": 4},
                {
                    "op": "read_window",
                    "on": "s",
                    "steps": [{"op": "clear", "on": "s", "status": "BUSY"}],
                    "out": {"data": "00000000"},
                },
            ],
        },
    ],
)


def changed(change: Callable[[Root], Any]) -> bytes:
    """The good file after a change."""
    root = copy.deepcopy(GOOD)
    change(root)
    return file_of(root)


def replaced(old: bytes, new: bytes) -> bytes:
    """The bytes of the good file with one place replaced."""
    good = file_of(GOOD)
    assert good.count(old) == 1, old
    return good.replace(old, new)


def step(root: Root, script: int, position: int) -> Root:
    """A step of a script."""
    found: Root = root["scripts"][script]["script"][position]
    return found


def headers() -> dict[str, bytes]:
    """Files that are invalid, and no case of them runs."""
    good = file_of(GOOD)
    return {
        "schema-unknown": changed(lambda root: root.update(schema="keep-packet-9")),
        "schema-missing": changed(lambda root: root.pop("schema")),
        "count-high": changed(lambda root: root.update(numberOfTests=6)),
        "count-low": changed(lambda root: root.update(numberOfTests=4)),
        "count-zero": changed(lambda root: root.update(numberOfTests=0)),
        "same-id": changed(lambda root: root["scripts"][2].update(id="closed")),
        "cut": good[:-10],
        "bom": b"\xef\xbb\xbf" + good,
        "not-utf8": replaced(b"a freed secret", b"a fr\xe9ed secret"),
        "array": b"[]\n",
    }


def cases() -> dict[str, bytes]:
    """Files in which one case fails."""
    return {
        "byte": replaced(b"0000deadbeef0000", b"0000deadbeef0001"),
        "status": changed(lambda root: step(root, 1, 3).update(status="BUSY")),
        "status-unknown": changed(lambda root: step(root, 1, 3).update(status="NO_SUCH")),
        "step-missing-status": changed(lambda root: step(root, 1, 3).pop("status")),
        "op-unknown": changed(lambda root: step(root, 0, 2).update(op="fetch")),
        "key-unknown": changed(lambda root: step(root, 0, 2).update(colour="red")),
        "out-unknown": changed(lambda root: step(root, 0, 1)["out"].update(weight=1)),
        "handle-unbound": changed(lambda root: step(root, 0, 2).update(on="nobody")),
        "handle-twice": changed(lambda root: step(root, 0, 1).update({"as": "p"})),
    }


def forms() -> dict[str, bytes]:
    """Files that the form check alone must refuse; some runners cannot see what is wrong."""
    return {
        "duplicate-key": replaced(b'"offset": 2', b'"offset": 0, "offset": 2'),
        "float": replaced(b'"offset": 2', b'"offset": 2.0'),
        "upper-hex": replaced(b'"deadbeef"', b'"DEADBEEF"'),
        "null": replaced(b'"offset": 2', b'"offset": 2, "comment": null'),
        "surrogate": replaced(b"a freed secret", b"a freed \\ud800 secret"),
    }


def files() -> dict[str, bytes]:
    """Every file by its place below the directory."""
    made = {"good/good.json": file_of(GOOD)}
    made |= {"two-files/one.json": file_of(GOOD), "two-files/two.json": file_of(GOOD)}
    made["only-text/readme.txt"] = b"No vector file is here.\n"
    for name, content in (headers() | cases() | forms()).items():
        made[f"{name}/{name}.json"] = content
    made |= {"mixed/byte.json": cases()["byte"], "mixed/good.json": file_of(GOOD)}
    made |= {"mixed-invalid/cut.json": headers()["cut"], "mixed-invalid/good.json": file_of(GOOD)}
    return made


def main(arguments: list[str]) -> None:
    """Writes the files."""
    directory = Path(arguments[0]) if arguments else DIRECTORY
    for name, content in files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1:])
