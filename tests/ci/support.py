# SPDX-License-Identifier: MIT
"""What the tests of the check job share: trees made of texts, and what a check finds in them.

PYTHONPATH=ci/check.d:ci/docs.d python3 -m unittest discover -s tests/ci
"""

from __future__ import annotations

import subprocess
import tempfile
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.tree import ROOT, Finding, Tree

Check = Callable[[Tree], Iterator[Finding]]
HEAD = "/* SPDX-License-Identifier: MIT */\n/*\n * What it is for.\n */\n"


def real(path: str) -> str:
    """The text of a file of this repository: lists are tested as they are."""
    return (ROOT / path).read_text()


@contextmanager
def folder(texts: dict[str, str]) -> Iterator[Tree]:
    """The texts as files of a git repository, for checks that run other programs."""
    with tempfile.TemporaryDirectory() as name:
        for path, text in texts.items():
            place = Path(name, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        subprocess.run(["git", "init", "-q", name], check=True)
        yield Tree.of(Path(name))


class CheckCase(unittest.TestCase):
    """Asserts about findings: each violation is found at its line, and the corrected text passes."""

    def found(self, check: Check, texts: dict[str, str]) -> list[str]:
        return [f"{finding.path}:{finding.line}" for finding in check(Tree(texts))]

    def assert_found(self, check: Check, texts: dict[str, str], *places: str) -> None:
        self.assertEqual(sorted(self.found(check, texts)), sorted(places))

    def assert_clean(self, check: Check, texts: dict[str, str]) -> None:
        self.assertEqual([str(finding) for finding in check(Tree(texts))], [])
