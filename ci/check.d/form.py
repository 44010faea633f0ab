# SPDX-License-Identifier: MIT
"""The form of files: licence lines, and in core/ purpose, order of includes, guards (style R10, R26)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from lib import ctext
from lib.tree import Finding, Tree, main

LICENCE = "SPDX-License-Identifier: MIT"
SOURCES = (
    "*.c",
    "*.h",
    "*.i",
    "*.py",
    "*.pyi",
    "*.js",
    "*.mjs",
    "*.cjs",
    "*.ts",
    "*.mts",
    "*.go",
    "*.sh",
    "*.cmake",
    "*CMakeLists.txt",
    "ci/*",
)
# Lists and data have no licence line of their own; LICENSE is about them too.
DATA = ("*.txt", "*.supp", "*.json", "*.md")
BANNED = "base/banned.h"


def is_source(path: str, tree: Tree) -> bool:
    if path.endswith("CMakeLists.txt"):
        return True
    return path not in tree.paths(*DATA)


def check_licence(tree: Tree) -> Iterator[Finding]:
    """Within the first lines: a script's own first line, or a generator's remark, may come before it."""
    for path in tree.paths(*SOURCES):
        if is_source(path, tree) and not any(LICENCE in line for line in tree.lines(path)[:3]):
            yield Finding(path, 1, f"has no line {LICENCE} at its top")


def check_purpose(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths("core/*.c", "core/*.h"):
        if not re.match(r"/\* SPDX[^\n]*\n/\*\n \* \S", tree.read(path)):
            yield Finding(path, 2, "begins with a comment that says what it is for (style R10)")


def check_guards(tree: Tree) -> Iterator[Finding]:
    """A header's guard is its name: KEEP_BASE_LOCK_H of core/base/lock.h, KEEP_POOL_H of keep/pool.h."""
    for path in tree.paths("core/*.h"):
        name = re.sub(r"^core/(?:include/keep/)?", "", path)
        guard = "KEEP_" + re.sub(r"\W", "_", name).upper()
        if f"#ifndef {guard}\n#define {guard}\n" not in tree.read(path):
            yield Finding(path, 1, f"its guard is {guard}")


def own_headers(path: str, tree: Tree) -> list[str]:
    """The names by which a file's own header may be included: private, public; any, if it is a part of something."""
    private = re.sub(r"^core/", "", path)[:-1] + "h"
    public = "keep/" + PurePosixPath(private).name
    longer = "keep/" + private.replace("/", "_")  # keep/packet_pool.h of packet/pool.c
    there = [name for name in (private, public, longer) if tree.paths(f"core/{name}", f"core/include/{name}")]
    return there or ["*"]


def groups(path: str, tree: Tree) -> list[tuple[int, str, str]]:
    """(line, kind, name) of each include: own, system, lower, banned."""
    own = own_headers(path, tree)
    rows: list[tuple[int, str, str]] = []
    for include in ctext.includes(tree.read(path)):
        is_own = not rows and not include.is_system and (include.name in own or own == ["*"])
        kind = "own" if is_own else "banned" if include.name == BANNED else "system" if include.is_system else "lower"
        rows.append((include.line, kind, include.name))
    return rows


def check_includes(tree: Tree) -> Iterator[Finding]:
    """Own header, system headers, lower layers, base/banned.h; the middle two in alphabetical order."""
    for path in tree.paths("core/*.c"):
        if path.startswith("core/tool/"):
            continue
        rows = groups(path, tree)
        if not rows or rows[0][1] != "own":
            yield Finding(path, rows[0][0] if rows else 1, "includes its own header first (style R10)")
        elif rows[-1][1] != "banned":
            yield Finding(path, rows[-1][0], f"includes {BANNED} last (style R26)")
        else:
            yield from check_order(path, rows)


def check_order(path: str, rows: list[tuple[int, str, str]]) -> Iterator[Finding]:
    kinds = ["own", "system", "lower", "banned"]
    wanted = sorted(rows, key=lambda row: (kinds.index(row[1]), row[2]))
    for is_, should in zip(rows, wanted, strict=True):
        if is_[1:] != should[1:]:
            yield Finding(path, is_[0], f"{is_[2]} stands where {should[2]} belongs (style R10)")
            return


if __name__ == "__main__":
    main(check_licence, check_purpose, check_guards, check_includes)
