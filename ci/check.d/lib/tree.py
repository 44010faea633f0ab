# SPDX-License-Identifier: MIT
"""The files of the repository, and how a check says what it found in them.

A check is a function from a Tree to findings. A Tree is read from a folder, or made of texts in a test.
"""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]


class Finding(NamedTuple):
    """A place that breaks a rule."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


class Tree:
    """Names and texts of files. A pattern is a shell pattern of the whole name in which `*` also takes slashes."""

    def __init__(self, texts: dict[str, str], root: Path = Path()) -> None:
        self.root = root
        self._texts = texts

    @classmethod
    def of(cls, root: Path) -> Tree:
        """What git knows below a folder, or would take: ignored files are no part of the repository."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        names = sorted(name for name in listed.split("\0") if name and (root / name).is_file())
        return cls(dict.fromkeys(names, ""), root=root.resolve())

    def paths(self, *patterns: str) -> list[str]:
        return [name for name in self._texts if any(fnmatch.fnmatchcase(name, p) for p in patterns)]

    def read(self, path: str) -> str:
        return self._texts[path] or _read(self.root / path)

    def lines(self, path: str) -> list[str]:
        return self.read(path).splitlines()

    def table(self, path: str, columns: int) -> Iterator[tuple[int, list[str]]]:
        """The rows of a list under ci/: words, the last column takes the rest; `#` begins a remark."""
        if path not in self._texts:
            return
        for number, line in enumerate(self.lines(path), 1):
            row = line.split("#", 1)[0].split(None, columns - 1)
            if row:
                yield number, [cell.strip() for cell in row]


@cache
def _read(path: Path) -> str:
    """Text of any file; what is no UTF-8 (a binary that should not be there) is replaced, not refused."""
    return path.read_text(encoding="utf-8", errors="replace")


def main(*checks: Callable[[Tree], Iterator[Finding]]) -> None:
    """Runs checks on the repository, or on the folder that is the first argument; prints what they find."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    tree = Tree.of(root)
    findings = [finding for check in checks for finding in check(tree)]
    for finding in sorted(set(findings)):
        print(finding)
    sys.exit(1 if findings else 0)
