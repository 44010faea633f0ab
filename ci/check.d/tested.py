# SPDX-License-Identifier: MIT
"""Who has tests of whom: a unit test per file of core/, an api test per header, a fuzzer per pure file (style R28-R38).

What has none of its own stands in ci/untested.txt with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from layers import read_layers
from lib import ctext, public
from lib.tree import Finding, Tree, main

LIST = "ci/untested.txt"


def pure_files(tree: Tree) -> set[str]:
    """What ci/layers.txt does not let include the system at large."""
    patterns = [pattern for files, words in read_layers(tree) if "<*>" not in words for pattern in files]
    return {path for path in tree.paths(*patterns) if path.endswith(".c")}


def wanted(tree: Tree) -> Iterator[tuple[str, str]]:
    """(file, its test)."""
    for path in tree.paths("core/*.c"):
        if not path.startswith("core/tool/"):
            yield path, f"tests/c/unit/test_{PurePosixPath(path).stem}.c"
    for path in tree.paths(public.HEADERS):
        if any(function.body is None for function in ctext.functions(tree.read(path))):
            yield path, f"tests/c/api/test_{PurePosixPath(path).stem}.c"
    for path in sorted(pure_files(tree)):
        yield path, f"tests/fuzz/fuzz_{PurePosixPath(path).stem}.c"


def check_tests(tree: Tree) -> Iterator[Finding]:
    listed = {row[0]: line for line, row in tree.table(LIST, 2)}
    used = set()
    for path, test in wanted(tree):
        if not tree.paths(test):
            used.add(test)
            if test not in listed:
                yield Finding(path, 1, f"has no {test}, and {LIST} does not say why (style R28, R29, R38)")
    for test in sorted(listed.keys() - used):
        yield Finding(LIST, listed[test], f"{test} exists, or nobody wants it: the line is not needed")


def check_reasons(tree: Tree) -> Iterator[Finding]:
    for line, row in tree.table(LIST, 2):
        if len(row) < 2:
            yield Finding(LIST, line, "TEST REASON: what has no test has a reason")


def check_api_includes(tree: Tree) -> Iterator[Finding]:
    """An api test sees its header as a user does: first of ours, beside what its functions take, never all of it."""
    for path in tree.paths("tests/c/api/test_*.c"):
        own = "keep/" + re.sub(r".*/test_(\w+)\.c$", r"\1.h", path)
        ours = [include for include in ctext.includes(tree.read(path)) if include.name.startswith("keep/")]
        for at, include in enumerate(ours):
            if (at == 0) != (include.name == own) or include.name == "keep/keep.h":
                yield Finding(path, include.line, f"includes {own} first of ours, and not all of them (style R29)")


if __name__ == "__main__":
    main(check_tests, check_reasons, check_api_includes)
