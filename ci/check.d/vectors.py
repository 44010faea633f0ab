# SPDX-License-Identifier: MIT
"""The vectors: their form, and that their generators make again, byte by byte, what is committed (vectors R24, R27)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lib.tree import Finding, Tree, main

FOLDER = "tests/vectors"
LINT = f"{FOLDER}/lint.py"


def check_form(tree: Tree) -> Iterator[Finding]:
    for arguments in ([], ["--coverage"]):
        done = subprocess.run([sys.executable, LINT, *arguments], cwd=tree.root, capture_output=True, text=True)
        words = (done.stdout + done.stderr).strip().splitlines()
        for line in words if done.returncode else []:
            yield Finding(LINT, 1, line)
        if done.returncode and not words:
            yield Finding(LINT, 1, f"ends with {done.returncode}")


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def check_generators(tree: Tree) -> Iterator[Finding]:
    """Each runs in a copy of the tree's vectors; afterwards the copy is still equal."""
    committed = contents(tree.root / FOLDER)
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name, FOLDER)
        shutil.copytree(tree.root / FOLDER, copy)
        Path(name, "core").symlink_to(tree.root / "core")
        for path in tree.paths(f"{FOLDER}/make/*.py"):
            done = subprocess.run([sys.executable, f"{name}/{path}"], cwd=name, capture_output=True, text=True)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no word"])[-1]
                yield Finding(path, 1, f"ends with {done.returncode}: {last} (vectors R24)")
        made = contents(copy)
    for file in sorted(committed.keys() | made.keys()):
        if committed.get(file) != made.get(file):
            yield Finding(f"{FOLDER}/{file}", 1, "is not what its generator makes (vectors R24)")


if __name__ == "__main__":
    main(check_form, check_generators)
