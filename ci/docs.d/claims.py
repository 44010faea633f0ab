# SPDX-License-Identifier: MIT
"""What the documents claim of the tree: tests that prove a sentence, the map of core/, lock order, jobs, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from lib import ctext
from lib.tree import Finding, Tree, main
from references import normal

DOCUMENTS = ("*.md",)
MAP = "core/README.md"
LOCKS = "core/base/lock.h"
JOBS = "CONTRIBUTING.md"
LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)\)")
TESTS = ("tests/*", "bindings/*/test/*", "bindings/*_test.go")
FOLDER = re.compile(r"^#+ .*`(core/[\w/]+)/`.*$", re.MULTILINE)
ROW = re.compile(r"^\|\s*`([\w-]+)`", re.MULTILINE)
MARKED = re.compile(r"^\|\s*`([\w-]+)`\s*\|\s*✓", re.MULTILINE)
RANK = re.compile(r"\bKEEP__RANK_\w+")
# What a manifest asks for at least, and how README.md calls it.
OLDEST = {
    "bindings/python/pyproject.toml": ("Python", r'requires-python = ">=([\d.]+)"'),
    "bindings/node/package.json": ("Node.js", r'"node": ">=([\d.]+)"'),
    "bindings/go/go.mod": ("Go", r"^go ([\d.]+)$"),
    "core/CMakeLists.txt": ("libsodium", r"libsodium>=([\d.]+)"),
}


def is_titled(title: str, text: str) -> bool:
    """A title is a sentence in quotes, or a name whose words may stand in the document with blanks between them."""
    words = "[ _]".join(map(re.escape, title.strip("`").split()))
    return bool(re.search(rf"""(?:[("'`]|\bdef test_|\bfunc ){words}[)("'`]""", text))


def check_tests(tree: Tree) -> Iterator[Finding]:
    """A link to a file of tests has a test's title as its text."""
    for path in tree.paths(*DOCUMENTS):
        text = tree.read(path)
        for match in LINK.finditer(text):
            file = normal(f"{path.rpartition('/')[0]}/{match[2]}")
            if tree.paths(file) and file in tree.paths(*TESTS) and not is_titled(match[1], tree.read(file)):
                line = ctext.line_of(text, match.start())
                yield Finding(path, line, f"{file} has no test `{match[1]}` (style R46)")


def sections(text: str) -> Iterator[tuple[str, int, str]]:
    """(folder, line, text) of each part under a heading that names a folder of core/, up to the next heading."""
    for match in FOLDER.finditer(text):
        yield match[1], ctext.line_of(text, match.start()), re.split(r"^#", text[match.end() :], flags=re.MULTILINE)[0]


def check_map(tree: Tree) -> Iterator[Finding]:
    """The map has every folder of core/, and a row for every name of a source in it."""
    if not tree.paths(MAP):
        return
    there: dict[str, set[str]] = {}
    for path in map(PurePosixPath, tree.paths("core/*.c", "core/*.h")):
        there.setdefault(str(path.parent), set()).add(path.stem)
    mapped = {folder: (line, set(ROW.findall(text))) for folder, line, text in sections(tree.read(MAP))}
    for folder in sorted(there.keys() | mapped.keys()):
        line, rows = mapped.get(folder, (1, set()))
        for name in sorted(rows ^ there.get(folder, set())):
            yield Finding(MAP, line, f"{folder}: {name} (style R46)")


def check_ranks(tree: Tree) -> Iterator[Finding]:
    """The map tells the locks in their order."""
    if not tree.paths(MAP):
        return
    told = list(dict.fromkeys(RANK.findall(tree.read(MAP))))
    enum = re.search(r"typedef enum keep__rank \{(.*?)\}", ctext.code(tree.read(LOCKS)), re.DOTALL)
    if told != RANK.findall(enum[1] if enum else ""):
        yield Finding(MAP, 1, f"the lock order is not that of {LOCKS} (style R46)")


def words(pattern: str, text: str) -> set[str]:
    """What a script lists in its first match."""
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    return set(found[1].split() if found else [])


def check_jobs(tree: Tree) -> Iterator[Finding]:
    """The jobs are those that ci/run knows, the marked ones those of ci/test."""
    if not tree.paths(JOBS):
        return
    text = tree.read(JOBS)
    for name in sorted(set(ROW.findall(text)) ^ words(r"^known=\((.*?)\)", tree.read("ci/run"))):
        yield Finding(JOBS, 1, f"{name} is a job here or in ci/run, not in both (style R46)")
    test = tree.read("ci/test")
    tested = words(r"^core=\((.*?)\)", test) | words(r"^languages=\((.*?)\)", test)
    for name in sorted(set(MARKED.findall(text)) ^ tested):
        yield Finding(JOBS, 1, f"{name} is marked here or runs in ci/test, not both (style R46)")


def check_oldest(tree: Tree) -> Iterator[Finding]:
    """README tells which versions of others will do."""
    for path, (name, pattern) in OLDEST.items():
        for version in re.findall(pattern, tree.read(path), re.MULTILINE) if tree.paths("README.md") else ():
            if not re.search(rf"\b{re.escape(name)}\s+{re.escape(version)}(?![\d.]*\d)", tree.read("README.md")):
                yield Finding("README.md", 1, f"{path} asks for {name} {version} (style R46)")


if __name__ == "__main__":
    main(check_tests, check_map, check_ranks, check_jobs, check_oldest)
