# SPDX-License-Identifier: MIT
"""Sizes beyond C (style 9): jobs, and functions of Python, JavaScript and Go."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lib.tree import Finding, Tree, main

MAX_JOB = 80
MAX_FUNCTION = 40


def runs_in(interpreter: str, text: str) -> bool:
    return re.match(rf"#!\S+[ /]{interpreter}\n", text) is not None


def check_bash(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths("ci/*", "*.sh"):
        text = tree.read(path)
        if not runs_in("bash", text):
            continue
        if "\nset -euo pipefail\n" not in text:
            yield Finding(path, 1, "has no line `set -euo pipefail` (style 9)")
        if len(text.splitlines()) > MAX_JOB:
            yield Finding(path, MAX_JOB + 1, f"a job is at most {MAX_JOB} lines (style 9)")


def python_functions(text: str) -> Iterator[tuple[str, int, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield (node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)


def braced_functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Functions and methods in the layout of gofmt and of the JavaScript formatter: closed at their own indent."""
    head = re.compile(
        r"^(?P<indent>[ \t]*)(?:export |async |static )*(?:func (?:\([^)]*\) )?|function\*? )?"
        r"(?P<name>[#\w]+)\([^;{}]*\)[^;{}]*\{$"
    )
    lines = text.splitlines()
    for at, line in enumerate(lines):
        match = head.match(line)
        if match is None or match["name"] in ("if", "for", "while", "switch", "catch", "select"):
            continue
        end = next((i for i in range(at, len(lines)) if lines[i].startswith(match["indent"] + "}")), at)
        yield match["name"], at + 1, end - at + 1


def functions(path: str, text: str) -> Iterator[tuple[str, int, int]]:
    if path.endswith(".py") or runs_in("python3", text):
        return python_functions(text)
    return braced_functions(text)


def check_functions(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths("*.py", "ci/*", "bindings/*.js", "bindings/*.mjs", "*.go"):
        for name, line, length in functions(path, tree.read(path)):
            if length > MAX_FUNCTION:
                yield Finding(path, line, f"{name}: {length} lines, at most {MAX_FUNCTION} (style 9)")


if __name__ == "__main__":
    main(check_bash, check_functions)
