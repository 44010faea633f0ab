# SPDX-License-Identifier: MIT
"""Every include of ci/layers.txt's files is one that the list allows (style R2, R3)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import PurePosixPath

from lib import ctext
from lib.tree import Finding, Tree, main

LIST = "ci/layers.txt"
Layer = tuple[list[str], list[str]]  # patterns of files, patterns of what they may include


def read_layers(tree: Tree) -> list[Layer]:
    sets: dict[str, list[str]] = {}
    layers: list[Layer] = []
    for line in tree.lines(LIST):
        if line.startswith("#") or not line.strip():
            continue
        mark = ":" if ":" in line else "="
        left, right = (side.strip() for side in line.split(mark, 1))
        words = [each for word in right.split() for each in sets.get(word, [word])]
        if mark == "=":
            sets[left] = words
        else:
            layers.append(([each.strip() for each in left.split(",")], words))
    return layers


def is_allowed(path: str, include: ctext.Include, words: list[str], tree: Tree) -> bool:
    name = include.name if include.name.startswith("keep/") or not include.is_system else f"<{include.name}>"
    if "./*" in words and tree.paths(str(PurePosixPath(path).parent / name)):
        return True
    return any(fnmatch.fnmatchcase(name, word) for word in words)


def check(tree: Tree) -> Iterator[Finding]:
    layers = read_layers(tree)
    for path in tree.paths("*.c", "*.h", "swig/*.i"):
        words = next((w for files, w in layers if any(fnmatch.fnmatchcase(path, f) for f in files)), None)
        if words is None:
            if path.startswith("core/"):
                yield Finding(path, 1, f"no line of {LIST} is about this file (style R3)")
            continue
        for include in ctext.includes(tree.read(path)):
            if not is_allowed(path, include, words, tree):
                yield Finding(path, include.line, f"may not include {include.name}: see {LIST} (style R3)")


if __name__ == "__main__":
    main(check)
