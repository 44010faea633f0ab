# SPDX-License-Identifier: MIT
"""Each public header compiles alone: C11, C17, C++17, with gcc and clang, and under SWIG (bindings R53)."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from lib import public
from lib.tree import Finding, Tree, main

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
COMPILERS = [
    [compiler, f"-std={standard}", "-x", language]
    for language, standards, compilers in (
        ("c", ("c11", "c17"), ("gcc", "clang")),
        ("c++", ("c++17",), ("g++", "clang++")),
    )
    for standard in standards
    for compiler in compilers
]
# A program with one use of nothing: a header with declarations alone would be an empty translation unit.
PROGRAM = "#include <{header}>\nint only_declaration;\n"
# As every module of ours: structs are converted, not wrapped; SWIG follows no #include, so what empties the attributes
# comes first.
MODULE = """%module alone
%rename("$ignore", %$isclass) "";
%import <keep/attributes.h>
%include <{header}>
"""


def compile_alone(tree: Tree, path: str, command: list[str]) -> Finding | None:
    program = PROGRAM.format(header=path.removeprefix("core/include/"))
    call = [*command, *STRICT, "-I", str(tree.root / "core/include"), "-"]
    return run(path, " ".join(command[:2]), call, program)


def wrap_alone(tree: Tree, path: str) -> Finding | None:
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, "alone.i")
        module.write_text(MODULE.format(header=path.removeprefix("core/include/")))
        flags = ["-python", "-builtin", "-Wall", "-Werror", f"-I{tree.root / 'core/include'}"]
        return run(path, "swig", ["swig", *flags, "-outdir", folder, "-o", f"{folder}/alone.c", str(module)], "")


def run(path: str, who: str, call: list[str], text: str) -> Finding | None:
    done = subprocess.run(call, input=text, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    words = (done.stdout + done.stderr).strip().splitlines() or ["no word"]
    first = next((line for line in words if "error" in line or "Warning" in line), words[0])
    return Finding(path, 1, f"does not stand alone for {who}: {first} (bindings R53)")


def check(tree: Tree) -> Iterator[Finding]:
    paths = tree.paths(public.HEADERS)
    with ThreadPoolExecutor(cpu_count()) as pool:
        jobs = [pool.submit(compile_alone, tree, path, command) for path in paths for command in COMPILERS]
        jobs += [pool.submit(wrap_alone, tree, path) for path in paths]
        for job in jobs:
            finding = job.result()
            if finding:
                yield finding


if __name__ == "__main__":
    main(check)
