# SPDX-License-Identifier: MIT
"""Runs the searches of ci/greps.txt (style R43); each must find its own example first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lib import ctext
from lib.tree import Finding, Tree, main

LIST = "ci/greps.txt"
VIEWS: dict[str, Callable[[str], str]] = {"code": ctext.code}


class Grep(NamedTuple):
    line: int
    find: str
    files: list[str]
    but: list[str]
    why: str
    like: str
    view: Callable[[str], str]


def read_greps(tree: Tree) -> Iterator[Grep]:
    """A paragraph is a record; the first word of a line is its field, the rest is taken as it is."""
    line = 1
    for paragraph in tree.read(LIST).split("\n\n"):
        rows = [row.split(None, 1) for row in paragraph.split("\n") if row and row[0] != "#"]
        fields = dict(rows)
        if fields:
            files = fields["in"].split()
            view = VIEWS.get(files[0])
            yield Grep(
                line,
                fields["find"],
                files[1:] if view else files,
                fields.get("but", "").split(),
                fields["why"],
                unescape(fields["like"]),
                view or str,
            )
        line += paragraph.count("\n") + 2


def unescape(text: str) -> str:
    """`\\t`, `\\r` and `\\x20` of an example, so that the list itself holds no odd character."""
    return re.sub(r"\\(t|r|x20)", lambda match: {"t": "\t", "r": "\r", "x20": " "}[match.group(1)], text)


def check(tree: Tree) -> Iterator[Finding]:
    for grep in read_greps(tree):
        pattern = re.compile(grep.find)
        if not any(pattern.search(each) for each in grep.view(grep.like).split("\n")):
            yield Finding(LIST, grep.line, f"does not find its own example: {grep.find}")
        left_out = set(tree.paths(*grep.but))
        for path in tree.paths(*grep.files):
            if path not in left_out:
                for number, text in enumerate(grep.view(tree.read(path)).split("\n"), 1):
                    if pattern.search(text):
                        yield Finding(path, number, grep.why)


if __name__ == "__main__":
    main(check)
