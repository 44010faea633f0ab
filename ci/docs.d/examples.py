# SPDX-License-Identifier: MIT
"""The examples in the documents: every fenced block of C, Python, JavaScript or Go compiles and runs (style R9, R46),
and no fence is left open.

A block is a whole program, as a reader would paste it. One that cannot be whole is fenced without a language.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from lib import ctext
from lib.tree import Finding, Tree, main

DOCUMENTS = ("README.md", "docs/*.md", "core/README.md", "CONTRIBUTING.md", "bindings/*/README.md")
LANGUAGES = {"c": "c", "python": "py", "js": "js", "javascript": "js", "mjs": "mjs", "go": "go"}
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
TIME_LIMIT = 120


class Example(NamedTuple):
    path: str
    line: int
    suffix: str
    text: str


def examples(tree: Tree) -> Iterator[Example]:
    for path in tree.paths(*DOCUMENTS):
        text = tree.read(path)
        for match in FENCE.finditer(text):
            if match[1] in LANGUAGES:
                yield Example(path, ctext.line_of(text, match.start()), LANGUAGES[match[1]], match[2])


def open_fences(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths(*DOCUMENTS):
        text = tree.read(path)
        fences = list(re.finditer(r"^```", text, re.MULTILINE))
        if len(fences) % 2:
            yield Finding(
                path, ctext.line_of(text, fences[-1].start()), "one of the fences up to here has no other end"
            )


def c_program(root: Path, source: Path) -> list[str]:
    """`make` and run in one: what pkg-config says is what a reader would use."""
    program = source.with_suffix("")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "keep"], capture_output=True, text=True, check=True)
    build = ["gcc", *STRICT, str(source), "-o", str(program), *flags.stdout.split()]
    subprocess.run(build, check=True, capture_output=True, text=True)
    return [str(program)]


def python_program(root: Path, source: Path) -> list[str]:
    return ["env", f"PYTHONPATH={root / 'build/python'}", "python3", str(source)]


def node_program(root: Path, source: Path) -> list[str]:
    """`libkeep` is found as an installed package is."""
    modules = source.parent / "node_modules"
    modules.mkdir()
    (modules / "libkeep").symlink_to(root / "bindings/node")
    return ["node", "--preserve-symlinks", str(source)]


def go_program(root: Path, source: Path) -> list[str]:
    """A module of its own that takes the binding from this tree."""
    binding = root / "bindings/go"
    head = dict(re.findall(r"^(module|go) (\S+)", (binding / "go.mod").read_text(), re.MULTILINE))
    module = head["module"]
    lines = ["module example", f"go {head['go']}", f"require {module} v0.0.0", f"replace {module} => {binding}"]
    (source.parent / "go.mod").write_text("\n".join([*lines, ""]))
    return ["go", "run", "-C", str(source.parent), "."]


PROGRAMS: dict[str, Callable[[Path, Path], list[str]]] = {
    "c": c_program,
    "py": python_program,
    "js": node_program,
    "mjs": node_program,
    "go": go_program,
}


def run(example: Example, root: Path) -> str:
    """What went wrong, or nothing."""
    folder = Path(tempfile.mkdtemp())
    source = folder / f"main.{example.suffix}"
    source.write_text(example.text)
    try:
        command = PROGRAMS[example.suffix](root, source)
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=TIME_LIMIT, env=os.environ
        )
    except subprocess.CalledProcessError as error:
        return gist(f"{error.stdout}\n{error.stderr}\nexit status {error.returncode}")
    except subprocess.TimeoutExpired:
        return f"runs longer than {TIME_LIMIT} s"
    finally:
        shutil.rmtree(folder)
    return ""


def gist(printed: str) -> str:
    """The lines that say what went wrong, of all that a compiler or interpreter prints."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"^\w*Error\b|\berror:|\bundefined\b", line)]
    return "; ".join(telling[:3] or lines[-3:])


def check(tree: Tree) -> Iterator[Finding]:
    """README shows each language; every example anywhere works."""
    found = list(examples(tree))
    shown = {example.suffix for example in found if example.path == "README.md"}
    for suffix in sorted({"c", "py", "js", "go"} - shown):
        if not (suffix == "js" and "mjs" in shown):
            yield Finding("README.md", 1, f"shows no example in .{suffix} (style 8)")
    yield from open_fences(tree)
    for example in found:
        wrong = run(example, tree.root)
        if wrong:
            yield Finding(example.path, example.line, f"this example fails: {wrong}")


if __name__ == "__main__":
    main(check)
