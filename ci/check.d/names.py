# SPDX-License-Identifier: MIT
"""Names of core/ (style 2): what is not public is keep__, what is static is neither, what needs a lock says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib import ctext, public
from lib.tree import Finding, Tree, main

# Words that the specs themselves give to private macros.
MACROS = ("KEEP_HOLDS", "KEEP_CT_RELEASE", "KEEP_TESTABLE", "KEEP_VALGRIND")


def core_files(tree: Tree, suffix: str) -> list[str]:
    return [path for path in tree.paths(f"core/*.{suffix}") if not path.startswith(("core/tool/", "core/include/"))]


def check_functions(tree: Tree) -> Iterator[Finding]:
    exported = {f.name for path in tree.paths(public.HEADERS) for f in ctext.functions(tree.read(path))}
    for path in core_files(tree, "c") + core_files(tree, "h"):
        for function in ctext.functions(tree.read(path)):
            is_private = re.fullmatch(r"keep__[a-z0-9_]+", function.name) is not None
            is_local = function.is_static and path.endswith(".c")
            if is_local and function.name.startswith("keep_"):
                yield Finding(path, function.line, f"{function.name} is static: no prefix, verb first (style 2)")
            elif not is_local and not is_private and function.name not in exported:
                yield Finding(path, function.line, f"{function.name} is not static: keep__<noun>_<verb> (style 2)")


def check_headers(tree: Tree) -> Iterator[Finding]:
    """Types and macros of private headers, but a header's guard."""
    name = re.compile(
        r"^#define (\w+)|^typedef [^;{]*?(\w+);|^\} (\w+);"
        r"|^(?:typedef )?(?:struct|union|enum) (?:KEEP__\w+\([^)]*\) )?(\w+)",
        re.MULTILINE,
    )
    for path in core_files(tree, "h"):
        bare = ctext.code(tree.read(path)).replace('""', '"x"')
        for match in name.finditer(bare):
            word = match[match.lastindex or 0]
            is_guard = word.endswith("_H")
            is_public = match[4] is not None and word.startswith("keep_")  # a public struct's body or name
            if not (
                word.startswith(("keep__", "KEEP__"))
                or word in MACROS
                or is_guard
                or is_public
                or path.endswith("banned.h")
            ):
                yield Finding(
                    path, ctext.line_of(bare, match.start()), f"{word} is private: keep__ or KEEP__ (style 2)"
                )


def check_locked(tree: Tree) -> Iterator[Finding]:
    """clang's -Wthread-safety can only check what is annotated."""
    pattern = re.compile(
        r"^(?!return)[a-z][\w \*]*?\b(\w+_locked)\([^;{]*?\)([^;{()]*(?:\([^;{]*?\))?)\s*(?=[;{])", re.MULTILINE
    )
    for path in core_files(tree, "c") + core_files(tree, "h"):
        bare = ctext.code(tree.read(path))
        annotated = {match[1] for match in pattern.finditer(bare) if "KEEP_HOLDS" in match[0]}
        for match in pattern.finditer(bare):
            if match[1] not in annotated:
                yield Finding(
                    path, ctext.line_of(bare, match.start()), f"{match[1]} needs KEEP_HOLDS(lock) (style R22)"
                )


if __name__ == "__main__":
    main(check_functions, check_headers, check_locked)
