# SPDX-License-Identifier: MIT
"""Sizes of core/ (style R24): functions, nesting, parameters, files, and the constructs that style R11 does without."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from lib import ctext
from lib.tree import Finding, Tree, main
from seams import seam_files

EXCEPTIONS = "ci/size-exceptions.txt"
MAX_EXCEPTIONS = 12
MAX_FUNCTION = 60
MAX_CYCLOMATIC = 12
MAX_NESTING = 3
MAX_PARAMETERS = 8
MAX_FILE = 400
MAX_SHIM_FILE = 600
MAX_CONDITIONALS = 6  # per 1 000 code lines of core/
# Where `#if` may stand besides the seams (style R11): what compilers, assertions and test builds need to be told.
CONDITIONAL_PLACES = (
    "core/base/attributes.h",
    "core/base/die.h",
    "core/base/trace.h",
    "core/include/keep/attributes.h",
)


def core_files(tree: Tree) -> list[str]:
    return [path for path in tree.paths("core/*.c", "core/*.h") if not path.startswith("core/tool/")]


def exceptions(tree: Tree) -> dict[str, str]:
    """`PLACE MEASURE REASON`, PLACE is a file or FILE:FUNCTION."""
    return {f"{row[0]} {row[1]}": row[2] for _, row in tree.table(EXCEPTIONS, 3) if len(row) == 3}


def check_functions(tree: Tree) -> Iterator[Finding]:
    """Length and complexity as pmccabe counts them; a switch counts as one."""
    paths = core_files(tree)
    if not paths:
        return
    printed = subprocess.run(["pmccabe", *paths], cwd=tree.root, capture_output=True, text=True, check=True).stdout
    for row in re.findall(r"^(\d+)\t\d+\t\d+\t\d+\t(\d+)\t(\S+)\((\d+)\): (\w+)", printed, re.MULTILINE):
        complexity, length, path, line, name = (int(row[0]), int(row[1]), row[2], int(row[3]), row[4])
        for measure, value, limit in (("length", length, MAX_FUNCTION), ("cyclomatic", complexity, MAX_CYCLOMATIC)):
            if value > limit and f"{path}:{name} {measure}" not in exceptions(tree):
                yield Finding(path, line, f"{name}: {measure} {value}, at most {limit} (style R24)")


def nesting(body: str) -> int:
    """How deep control statements lie in each other, by the layout of .clang-format."""
    indents = re.findall(r"^((?: {4})+)(?:if|for|while|switch|do)\b", body, re.MULTILINE)
    return max((len(indent) // 4 for indent in indents), default=0)


def check_bodies(tree: Tree) -> Iterator[Finding]:
    excepted = exceptions(tree)
    for path in core_files(tree):
        for function in ctext.functions(tree.read(path)):
            for measure, value, limit in (
                ("parameters", len(function.params), MAX_PARAMETERS),
                ("nesting", nesting(function.body or ""), MAX_NESTING),
            ):
                if value > limit and f"{path}:{function.name} {measure}" not in excepted:
                    yield Finding(
                        path, function.line, f"{function.name}: {measure} {value}, at most {limit} (style R24)"
                    )
            if function.is_static and function.body is None:
                yield Finding(
                    path, function.line, f"{function.name} is declared ahead: order statics bottom-up (style R10)"
                )


def check_constructs(tree: Tree) -> Iterator[Finding]:
    """goto, and else after a statement that has left."""
    after_return = re.compile(r"\breturn\b[^;{}]*;\s*(?:\}\s*)?else\b")
    for path in core_files(tree):
        bare = ctext.without_directives(ctext.code(tree.read(path)))
        for pattern, sentence in ((re.compile(r"\bgoto\b"), "goto"), (after_return, "else after return")):
            for match in pattern.finditer(bare):
                yield Finding(path, ctext.line_of(bare, match.end()), f"{sentence} is needless (style R11)")


def check_files(tree: Tree) -> Iterator[Finding]:
    excepted = exceptions(tree)
    shims = tree.paths("bindings/*.c", "bindings/*.h")
    for path, limit in [(p, MAX_FILE) for p in core_files(tree)] + [(p, MAX_SHIM_FILE) for p in shims]:
        count = ctext.code_lines(tree.read(path))
        if count > limit and f"{path} file" not in excepted:
            yield Finding(path, 1, f"{count} code lines, at most {limit} (style R24)")


def conditionals(text: str) -> list[int]:
    """Lines with #if, #ifdef, #ifndef that are no header's guard and no question for C++ or SWIG."""
    bare = ctext.code(text)
    found = re.finditer(r"^[ \t]*#[ \t]*if(?:n?def)?\b[ \t]*(.*)$", bare, re.MULTILINE)
    return [
        ctext.line_of(bare, match.start()) for match in found if not re.fullmatch(r"KEEP_\w*_H", match.group(1).strip())
    ]


def check_conditionals(tree: Tree) -> Iterator[Finding]:
    count = total = 0
    allowed = (*CONDITIONAL_PLACES, *seam_files(tree))
    for path in core_files(tree):
        text = tree.read(path)
        lines = conditionals(text)
        total += ctext.code_lines(text)
        count += len(lines)
        if path not in allowed:
            for line in lines:
                yield Finding(path, line, "#if: the code has one path; ask in base/attributes.h (style R11)")
    if total > 1000 and count * 1000 / total > MAX_CONDITIONALS:
        yield Finding("core/base/attributes.h", 1, f"{count} conditionals in {total} code lines of core/ (style R24)")


def check_statics(tree: Tree) -> Iterator[Finding]:
    """What a file keeps to itself has a name that no other file uses: the amalgamation is one translation unit."""
    first: dict[str, str] = {}
    for path in core_files(tree):
        for name, line in own_names(tree.read(path)) if path.endswith(".c") else []:
            place = first.setdefault(name, path)
            if place != path:
                yield Finding(path, line, f"{name} is also a name of {place} (style 2)")


def own_names(text: str) -> Iterator[tuple[str, int]]:
    """Static functions and objects, structs and macros of a .c file."""
    for function in ctext.functions(text):
        if function.is_static and function.body is not None:
            yield function.name, function.line
    bare = ctext.code(text)
    others = re.compile(
        r"^static [^({};=\n]*?\b(\w+)(?:\[[^\]]*\])*\s*(?:=|;)|^(?:struct|union|enum) (\w+) \{|^#define (\w+)",
        re.MULTILINE,
    )
    for match in others.finditer(bare):
        yield match[match.lastindex or 0], ctext.line_of(bare, match.start())


def check_exceptions(tree: Tree) -> Iterator[Finding]:
    rows = list(tree.table(EXCEPTIONS, 3))
    if len(rows) > MAX_EXCEPTIONS:
        yield Finding(EXCEPTIONS, rows[-1][0], f"{len(rows)} exceptions, at most {MAX_EXCEPTIONS} (style R24)")
    for line, row in rows:
        if len(row) < 3:
            yield Finding(EXCEPTIONS, line, "PLACE MEASURE REASON: an exception has a reason (style R24)")
        elif not tree.paths(row[0].split(":")[0]):
            yield Finding(EXCEPTIONS, line, f"{row[0]} does not exist any more")


def tell_ratio(tree: Tree) -> Iterator[Finding]:
    """core/ : tests/ in code lines of C; 1 : 1.4 and more is the aim. Told, not judged."""
    core, tests = (
        sum(ctext.code_lines(tree.read(path)) for path in tree.paths(f"{folder}/*.c", f"{folder}/*.h"))
        for folder in ("core", "tests")
    )
    print(f"note: core/ has {core} code lines of C, tests/ {tests}: 1 : {tests / max(core, 1):.2f} (style R24)")
    yield from ()


CHECKS = (
    check_functions,
    check_bodies,
    check_constructs,
    check_files,
    check_conditionals,
    check_statics,
    check_exceptions,
    tell_ratio,
)

if __name__ == "__main__":
    main(*CHECKS)
