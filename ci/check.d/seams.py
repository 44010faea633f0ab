# SPDX-License-Identifier: MIT
"""Foreign headers and reserved calls stand only in the files that ci/seams.txt names (style R4)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from lib import ctext
from lib.tree import Finding, Tree, main

LIST = "ci/seams.txt"


def fits(path: str, files: str) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in files.split())


def seam_files(tree: Tree) -> set[str]:
    """The files that some foreign header belongs to."""
    files = {name for _, (what, names) in tree.table(LIST, 2) if what.startswith("<") for name in names.split()}
    return set(tree.paths(*files - {"core/*"}))


def check_includes(path: str, text: str, headers: dict[str, str]) -> Iterator[Finding]:
    for include in ctext.includes(text):
        if not include.is_system or include.name.startswith("keep/"):
            continue
        files = next((f for h, f in headers.items() if fnmatch.fnmatchcase(f"<{include.name}>", h)), None)
        if files is None:
            yield Finding(path, include.line, f"<{include.name}> has no seam in {LIST} (style R4)")
        elif not fits(path, files):
            yield Finding(path, include.line, f"<{include.name}> belongs to {files} (style R4)")


def check_calls(path: str, text: str, reserved: dict[str, str]) -> Iterator[Finding]:
    for name, files in reserved.items():
        if not fits(path, files):
            for line in ctext.calls(text, name):
                yield Finding(path, line, f"{name}() belongs to {files} (style R4)")


def check(tree: Tree) -> Iterator[Finding]:
    rows = dict(row for _, row in tree.table(LIST, 2))
    headers = {what: files for what, files in rows.items() if what.startswith("<")}
    reserved = {what.removesuffix("()"): files for what, files in rows.items() if what.endswith("()")}
    for path in tree.paths("core/*.c", "core/*.h"):
        if path.startswith("core/tool/"):
            continue
        text = tree.read(path)
        yield from check_includes(path, text, headers)
        yield from check_calls(path, text, reserved)


if __name__ == "__main__":
    main(check)
