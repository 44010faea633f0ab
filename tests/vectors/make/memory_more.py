#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes memory-more.json: cases of memory §3 and §4 beside those that were given.

usage: memory_more.py [DIR]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from layout import counted, file_of
from memory_answers import known
from memory_scripts import SCRIPTS
from model import World
from script import steps_of
from walk import walks

HERE = Path(__file__).resolve().parent


def scripts() -> list[dict[str, Any]]:
    """Every script with what it gives."""
    made = []
    for name, (comment, text) in SCRIPTS.items():
        steps = steps_of(text)
        World().complete(steps)
        made.append({"id": name, "comment": comment, "script": steps})
    return made + list(walks(24))


def main(arguments: list[str]) -> None:
    """Writes the file."""
    directory = Path(arguments[0]) if arguments else HERE.parent
    root = counted("keep-memory-1", known=known(), scripts=scripts())
    (directory / "memory-more.json").write_bytes(file_of(root))


if __name__ == "__main__":
    main(sys.argv[1:])
