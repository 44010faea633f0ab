# SPDX-License-Identifier: MIT
"""The comments of exported functions: there, with every status, and about parameters that exist (style R9)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lib import public
from lib.tree import Finding, Tree, main

# A row of a comment: a word, then what it means, two spaces or more apart.
ROW = re.compile(r"^ \* (?P<word>\w+) {2,}\S", re.MULTILINE)
# Rows that stand for those at the top of a header; of the function's own one that is so anyway.
GROUPS = {
    "others": None,
    "acquiring": "core/include/keep/pool.h",
    "sealing": "core/include/keep/packet.h",
    "opening": "core/include/keep/packet.h",
}
Step = dict[str, Any]

# The function that an op of a script ends in (memory.md, 11; packet.md, 11).
MEMORY_OPS = {
    "pool_new": "keep_pool_new",
    "acquire": "keep_pool_acquire",
    "acquire_guarded": "keep_pool_acquire",
    "acquire_batch": "keep_pool_acquire_batch",
    "reserve": "keep_pool_reserve",
    "trim": "keep_pool_trim",
    "pool_stats": "keep_pool_stats",
    "generate": "keep_secret_generate",
    "from_bytes": "keep_secret_from_bytes",
    "take_bytes": "keep_secret_from_bytes",
    "duplicate": "keep_secret_duplicate",
    "info": "keep_secret_info",
    "put": "keep_secret_put",
    "get": "keep_secret_get",
    "reveal": "keep_secret_reveal",
    "randomize": "keep_secret_randomize",
    "clear": "keep_secret_clear",
    "freeze": "keep_secret_freeze",
    "melt": "keep_secret_melt",
    "resize": "keep_secret_resize",
    "equal": "keep_secret_equal",
    "equal_bytes": "keep_secret_equal_bytes",
    "read_window": "keep_secret_read_begin",
    "write_window": "keep_secret_write_begin",
    "release": "keep_secret_free",
    "purge": "keep_purge",
    "seal": "keep_sealed_new",
    "seal_take": "keep_sealed_new",
    "seal_secret": "keep_sealed_from_secret",
    "open": "keep_sealed_open",
    "open_into": "keep_sealed_open_into",
    "sealed_info": "keep_sealed_info",
}
PACKET_OPS = {
    "session": "keep_session_new",
    "pool": "keep_packet_pool_new",
    "acquire": "keep_packet_pool_acquire",
    "set": "keep_packet_set",
    "unset": "keep_packet_set",
    "build": "keep_packet_build",
    "build_handshake": "keep_packet_build",
    "data": "keep_packet_data",
}
OPS = {"keep-memory-1": MEMORY_OPS, "keep-packet-1": PACKET_OPS}


def top_of(text: str) -> str:
    return text[: text.find("#ifndef")]


def statuses_of(tree: Tree, function: public.Function) -> set[str]:
    """The statuses that a function's comment lists: its own rows, its header's, and those that a row stands for."""
    texts = [function.comment, top_of(tree.read(function.path))]
    texts += [top_of(tree.read(path)) for row in ROW.findall(function.comment) if (path := GROUPS.get(row))]
    return {name for text in texts for name in re.findall(r"\bKEEP_(?:ERR_)?(\w+)", text)}


def check_comments(tree: Tree) -> Iterator[Finding]:
    known = {status.name for status in public.gen(tree).statuses()}
    for function in public.functions(tree):
        for sentence in mistakes(function, known):
            yield Finding(function.path, function.line, f"{function.name}: {sentence} (style R9)")


def mistakes(function: public.Function, known: set[str]) -> Iterator[str]:
    words = " ".join(function.comment.replace("*", " ").split())
    rows = ROW.findall(function.comment)
    if not words:
        yield "has no comment"
    elif function.is_fallible and "KEEP_OK" not in rows:
        yield "its comment has no row for KEEP_OK"
    elif not function.is_fallible and "Cannot fail." not in words:
        yield "its comment does not say that it cannot fail"
    for row in rows:
        if row.startswith("KEEP_") and row != "KEEP_OK" and row.removeprefix("KEEP_ERR_") not in known:
            yield f"there is no status {row}"
        if not row.startswith("KEEP_") and row not in (*GROUPS, *function.params):
            yield f"it has no parameter {row}"


def seen(tree: Tree) -> Iterator[tuple[str, str, str, str]]:
    """(schema, op, status, where) of every step of a script in the vectors that expects a failure."""
    for path in tree.paths("tests/vectors/*.json"):
        vectors = json.loads(tree.read(path)) if path.count("/") == 2 else {}
        if vectors.get("schema") not in OPS:
            continue
        cases = [case for array in vectors.values() if isinstance(array, list) for case in array]
        for case in cases:
            for step in steps_of(case.get("script", []) if isinstance(case, dict) else []):
                if "status" in step:
                    yield vectors["schema"], step["op"], step["status"], f"{path} {case['id']}"


def steps_of(script: list[Step]) -> Iterator[Step]:
    for step in script:
        yield step
        yield from steps_of(step.get("steps", []))


def check_seen(tree: Tree) -> Iterator[Finding]:
    """A status that a test saw stands in the comment of the function that gave it."""
    functions = {function.name: function for function in public.functions(tree)}
    for schema, op, status, where in seen(tree):
        function = functions.get(OPS[schema].get(op, ""))
        if function is None:
            yield Finding(where.split()[0], 1, f"which function is the op {op}? see OPS in ci/docs.d/comments.py")
        elif status not in statuses_of(tree, function):
            sentence = f"{function.name}: {where} saw {status}, which its comment does not list (style R9)"
            yield Finding(function.path, function.line, sentence)


if __name__ == "__main__":
    main(check_comments, check_seen)
