# SPDX-License-Identifier: MIT
"""Compares what the four runners of the vectors said: the same files, the same bytes, and every case passed."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

LANGUAGES = ("c", "python", "node", "go")
LINE = re.compile(r"([a-z]+) (\S+) ([0-9a-f]{64}) ([0-9]+)/([0-9]+)")


class Result(NamedTuple):
    """What one runner did."""

    status: int
    output: str


class Line(NamedTuple):
    """One file in one language."""

    name: str
    digest: str
    passed: int
    total: int


def read_lines(language: str, output: str) -> tuple[list[Line], list[str]]:
    """The lines of an output, and what in it is none."""
    lines, problems = [], []
    for text in output.split("\n")[:-1] if output.endswith("\n") else output.split("\n"):
        match = LINE.fullmatch(text)
        if match is None or match[1] != language:
            problems.append(f"{language}: not a line of a passed file: {text!r}")
        else:
            lines.append(Line(match[2], match[3], int(match[4]), int(match[5])))
    return lines, problems


def compare(results: dict[str, Result]) -> tuple[dict[str, list[Line]], list[str]]:
    """The lines of each language, and everything that is wrong."""
    problems = [f"{language}: missing" for language in LANGUAGES if language not in results]
    problems += [f"{language}: unknown" for language in results if language not in LANGUAGES]
    lines: dict[str, list[Line]] = {}
    for language, result in results.items():
        lines[language], wrong = read_lines(language, result.output)
        problems += wrong
        if result.status != 0:
            problems.append(f"{language}: exit status {result.status}")
        for line in lines[language]:
            if line.passed != line.total or line.total == 0:
                problems.append(f"{language}: {line.name} passed {line.passed} of {line.total}")
        if not lines[language]:
            problems.append(f"{language}: no line")
    expected = sorted(next(iter(lines.values()), []))
    for language in lines:
        if sorted(lines[language]) != expected:
            problems.append(f"{language}: other files, hashes or counts than {next(iter(lines))}")
    return lines, problems


def print_table(lines: dict[str, list[Line]]) -> None:
    """A row per file and a column per language."""
    counts = {(line.name, language): f"{line.passed}/{line.total}" for language in lines for line in lines[language]}
    names = sorted({name for name, _ in counts})
    print(f"{'file':24}", *(f"{language:>10}" for language in lines))
    for name in names:
        print(f"{name:24}", *(f"{counts.get((name, language), '-'):>10}" for language in lines))


def report(results: dict[str, Result]) -> int:
    """Prints a table and one line that sums it up, or every difference; 0 if there is none."""
    lines, problems = compare(results)
    print_table(lines)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    files = lines[LANGUAGES[0]]
    cases = sum(line.total for line in files)
    print(f"vectors ok: {len(files)} files, {cases} cases, {len(lines)} languages")
    return 0
