#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark programs in turn, several times, and holds ours against floors or peers.

    measure.py floors OUT.json PROGRAM=COMMAND ...     rows of rows.FLOORS; a missed gate is exit status 1
    measure.py peers OUT.json PROGRAM=COMMAND ...      rows of rows.PEERS
    measure.py table DOCUMENT.md OUT.json ...          puts the rows where the document has `<!-- OUT.json -->`

A program prints lines `NAME NANOSECONDS`. Each round runs every program once, so that a slow moment of the machine
falls on all of them; a row's numbers are medians over the rounds, its ratio the median of the rounds' ratios.
"""

from __future__ import annotations

import json
import math
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

import rows

ROUNDS = 7
Run = dict[str, float]


def run(command: str) -> Run:
    printed = subprocess.run(shlex.split(command), check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in printed.splitlines())}


def measure(commands: dict[str, str]) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {program: [] for program in commands}
    for number in range(1, ROUNDS + 1):
        print(f"round {number} of {ROUNDS}", file=sys.stderr)
        for program, command in commands.items():
            runs[program].append(run(command))
    return runs


def spread(values: list[float]) -> float:
    return round((max(values) - min(values)) / statistics.median(values), 3)


def theirs_of(row: rows.Row, runs: dict[str, list[Run]]) -> list[float]:
    if isinstance(row.theirs, str):
        return [run[row.theirs] for run in runs[row.peer]]
    return [row.theirs] * ROUNDS


def judge(row: rows.Row, runs: dict[str, list[Run]]) -> dict[str, object]:
    ours = [run[row.ours] for run in runs[row.program]]
    theirs = theirs_of(row, runs)
    ratio = statistics.median((b + row.allowance) / a for a, b in zip(ours, theirs))
    return {
        "name": row.name,
        "unit": row.unit,
        "ours": round(statistics.median(ours), 1),
        "theirs": round(statistics.median(theirs), 1),
        "ratio": round(ratio, 3),
        "target": row.target,
        "verdict": "held" if ratio >= row.target else "missed",
        "runs": ROUNDS,
        "spread": spread(ours),
        "peer": row.peer_name,
    }


def is_there(row: rows.Row, runs: dict[str, list[Run]]) -> bool:
    """Whether the machine can do it: not every one has each back end."""
    there = row.ours in runs[row.program][0]
    if not there:
        print(f"{row.name}: not on this machine", file=sys.stderr)
    return there


def tell(results: list[dict[str, object]]) -> None:
    for result in results:
        print(
            "{name:34} {ours:>10} {theirs:>10} {unit:5} ratio {ratio:<7} target {target:<6} {verdict}".format(**result)
        )


def arrows(ratio: float) -> str:
    """One per factor of the square root of two: to the right ours takes less, to the left theirs."""
    count = round(2 * math.log2(ratio))
    return "▶" * count if count > 0 else "◀" * -count


def table(results: list[dict[str, object]]) -> str:
    lines = ["| row | ours | theirs | ratio | | target | verdict |", "|---|---|---|---|---|---|---|"]
    form = "| `{name}`, {peer} | {ours} {unit} | {theirs} {unit} | {ratio:.2f} | {arrows} | {target:.2f} | {verdict} |"
    lines.extend(form.format(**result, arrows=arrows(float(str(result["ratio"])))) for result in results)
    return "\n".join(lines)


def refresh(document: Path, out: Path) -> None:
    """Puts the table of OUT.json into the document, where a comment names it."""
    results = json.loads(out.read_text())
    place = re.compile(rf"(<!-- {out.name} -->\n\n)(?:\|.*\n)*")
    text, count = place.subn(lambda found: found[1] + table(results) + "\n", document.read_text())
    if count != 1:
        sys.exit(f"{document}: {count} places for {out.name}")
    document.write_text(text)


def compare(kind: str, out: Path, programs: list[str]) -> int:
    commands = dict(program.split("=", 1) for program in programs)
    candidates = rows.FLOORS if kind == "floors" else rows.PEERS
    wanted = [row for row in candidates if {row.program, row.peer} <= commands.keys()]
    runs = measure(commands)
    results = [judge(row, runs) for row in wanted if is_there(row, runs)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    tell(results)
    return int(kind == "floors" and any(result["verdict"] == "missed" for result in results))


def main() -> int:
    kind, first, *others = sys.argv[1:]
    if kind != "table":
        return compare(kind, Path(first), others)
    for out in others:
        refresh(Path(first), Path(out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
