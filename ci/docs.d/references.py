# SPDX-License-Identifier: MIT
"""What the documents name exists: files, jobs, symbols; tables of constants and of fields say what the headers say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from lib import ctext, public
from lib.tree import Finding, Tree, main

DOCUMENTS = ("*.md",)
# The documents that there are (style 8); each holds what nothing else holds.
REQUIRED = (
    "README.md",
    "core/README.md",
    "docs/architecture.md",
    "docs/threats.md",
    "docs/adding.md",
    "docs/benchmarks.md",
    "CONTRIBUTING.md",
)
# `core/base/lock.h`, `tests/c/kernel/`, `ci/run`: a name with a slash that begins with a folder of the repository.
PATH = re.compile(r"`((?:core|ci|docs|tests|bindings|swig|examples|cmake)/[\w./*-]*)`")
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)[^)]*\)")
JOB = re.compile(r"\bci/run ([a-z]+(?:-[a-z]+)*)")
SYMBOL = re.compile(r"\b(keep_[a-z0-9_]*[a-z0-9]|KEEP_[A-Z0-9_]*[A-Z0-9])\b(?![*/.]|_?…)")
ROW = re.compile(r"^\|\s*`(KEEP_\w+)`\s*\|\s*`?([0-9][0-9 ]*)`?\s*\|", re.MULTILINE)
# <!-- fields: keep_pool_options --> before a table whose first column names every field
FIELDS = re.compile(r"<!-- fields: (\w+) -->\n+(.*?)(?:\n\n|\Z)", re.DOTALL)
# Names of the build and of the environment, which no header declares.
ELSEWHERE = re.compile(
    r"KEEP_(BENCH|BUILD|CI|TEST|VECTORS|NODE|WERROR|SANITIZE|COVERAGE|VALGRIND|TESTABLE|HOLDS|CT)\w*|keep_(shared|static|testable|node|python|tool|flags|warnings|system|gcstress|core|cgo)\w*"
)


def exists(tree: Tree, name: str) -> bool:
    clean = name.rstrip("/")
    return bool(tree.paths(clean, f"{clean}/*", f"{clean}.*"))


def check_documents(tree: Tree) -> Iterator[Finding]:
    for path in REQUIRED:
        if not tree.paths(path):
            yield Finding(path, 1, "is missing (style 8)")


def check_paths(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths(*DOCUMENTS):
        text = tree.read(path)
        folder = path.rpartition("/")[0]
        for match in PATH.finditer(text):
            if not exists(tree, match[1]):
                yield Finding(path, ctext.line_of(text, match.start()), f"there is no {match[1]} (style R46)")
        for match in LINK.finditer(text):
            if not exists(tree, normal(f"{folder}/{match[1]}")):
                yield Finding(path, ctext.line_of(text, match.start()), f"links to {match[1]}, which does not exist")
        for match in JOB.finditer(text):
            if not exists(tree, f"ci/{match[1]}"):
                yield Finding(path, ctext.line_of(text, match.start()), f"there is no job {match[1]} (style R46)")


def normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def declared(tree: Tree) -> set[str]:
    """Every name of the public headers, and the beginnings of names (keep_secret_*, KEEP_BACKING_...)."""
    text = "\n".join(tree.read(path) for path in tree.paths("core/include/keep/*.h", "core/base/*.h"))
    statuses = {f"KEEP_ERR_{status.name}" for status in public.gen(tree).statuses()}
    return set(re.findall(r"\b(?:keep|KEEP)_\w+", text)) | statuses


def check_symbols(tree: Tree) -> Iterator[Finding]:
    names = declared(tree)
    for path in tree.paths(*DOCUMENTS):
        text = tree.read(path)
        for match in SYMBOL.finditer(text):
            if match[1] not in names and not ELSEWHERE.fullmatch(match[1]) and not match[1].startswith("keep__"):
                yield Finding(path, ctext.line_of(text, match.start()), f"there is no {match[1]} (style R46)")


def values(tree: Tree, names: list[str]) -> dict[str, int]:
    """The numbers of constants, from the compiler."""
    lines = "\n".join(f'    printf("%lld\\n", (long long){name});' for name in names)
    program = f"#include <stdio.h>\n#include <keep/keep.h>\nint main(void)\n{{\n{lines}\n}}\n"
    binary = tree.root / "build" / "docs-values"
    binary.parent.mkdir(exist_ok=True)
    call = ["gcc", "-x", "c", "-I", str(tree.root / "core/include"), "-o", str(binary), "-"]
    subprocess.run(call, input=program, text=True, check=True, capture_output=True)
    printed = subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout
    return dict(zip(names, map(int, printed.split()), strict=True))


def check_constants(tree: Tree) -> Iterator[Finding]:
    """Rows `KEEP_NAME` | NUMBER of any table."""
    rows = [
        (path, ctext.line_of(tree.read(path), match.start()), match[1], int(match[2].replace(" ", "")))
        for path in tree.paths(*DOCUMENTS)
        for match in ROW.finditer(tree.read(path))
    ]
    known = {constant.name for constant in public.constants(tree)}
    real = values(tree, sorted({name for _, _, name, _ in rows} & known)) if rows else {}
    for path, line, name, number in rows:
        if real.get(name, number) != number:
            yield Finding(path, line, f"{name} is {real[name]}, not {number} (style R46)")


def check_fields(tree: Tree) -> Iterator[Finding]:
    """Tables marked with <!-- fields: STRUCT --> name exactly the struct's fields, without its size."""
    structs = {struct.tag.removeprefix("struct "): struct.fields for struct in public.gen(tree).structs()}
    for path in tree.paths(*DOCUMENTS):
        text = tree.read(path)
        for match in FIELDS.finditer(text):
            named = set(re.findall(r"^\|\s*`(\w+)`", match[2], re.MULTILINE))
            for field in sorted(named ^ (set(structs.get(match[1], [])) - {"size"})):
                yield Finding(path, ctext.line_of(text, match.start()), f"{match[1]}: {field} (style R46)")


if __name__ == "__main__":
    main(check_documents, check_paths, check_symbols, check_constants, check_fields)
