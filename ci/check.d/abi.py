# SPDX-License-Identifier: MIT
"""The interface's record in core/abi: exported symbols, sizes and places of public fields (bindings R52).

A difference is either a mistake or a change that the same commit records: python3 ci/check.d/abi.py --record
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lib import public
from lib.tree import ROOT, Finding, Tree, main

RECORD = "core/abi"


def structs(tree: Tree) -> str:
    """Compiles and runs the program that ci/gen writes for this."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "abi")
        call = ["gcc", "-x", "c", "-std=c11", "-I", str(tree.root / "core/include"), "-o", str(program), "-"]
        subprocess.run(call, input=public.gen(tree).abi_c(), text=True, check=True)
        return subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout


def record(tree: Tree) -> dict[str, str]:
    return {f"{RECORD}/symbols.txt": public.gen(tree).exports_txt(), f"{RECORD}/structs.txt": structs(tree)}


def check(tree: Tree) -> Iterator[Finding]:
    for path, wanted in record(tree).items():
        there = tree.read(path) if tree.paths(path) else ""
        changed = set(there.splitlines()) ^ set(wanted.splitlines())
        if there != wanted:
            what = "; ".join(sorted(changed)[:3]) or "another order"
            yield Finding(path, 1, f"differs from the headers ({what}): see ci/check.d/abi.py (bindings R52)")


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        for name, text in record(Tree.of(ROOT)).items():
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(text)
    else:
        main(check)
