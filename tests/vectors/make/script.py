# SPDX-License-Identifier: MIT
"""Scripts as text, a line for a step: `ON.OP >AS KEY=VALUE...`. Indented lines are the steps inside a window.

    p.acquire >s len=4
    s.put offset=1 data=00ff
    s.read_window
        s.clear

Bytes are hexadecimal digits, or `N*HEX` for a repetition; lists have commas; `>n*3` stands for `>n0,n1,n2`.
"""

from __future__ import annotations

from textwrap import dedent
from typing import Any

Step = dict[str, Any]

BYTES = ("data",)
LISTS = ("tiers", "tier_slots", "tier_max_slots")
TEXTS = ("timeout_ms", "save")


def value_of(key: str, text: str) -> Any:
    """A value, whose form its key tells."""
    if key in BYTES and text.startswith("@"):
        return {"ref": text[1:]}
    if key in BYTES and "*" in text:
        times, _, unit = text.partition("*")
        return {"repeat": int(times), "hex": unit}
    if key in LISTS:
        return [int(item) for item in text.split(",")]
    if key not in BYTES + TEXTS and text.isdigit():
        return int(text)
    return text == "true" if text in ("true", "false") else text


def names_of(op: str, text: str) -> Any:
    """What a constructor's outputs are called."""
    if op != "acquire_batch":
        return text
    name, _, times = text.partition("*")
    return [f"{name}{i}" for i in range(int(times))] if times else text.split(",")


def step_of(line: str) -> Step:
    """One step."""
    head, *rest = line.split()
    on, _, op = head.rpartition(".")
    step: Step = {"op": op} | ({"on": on} if on else {})
    for word in rest:
        key, _, text = word.partition("=")
        if word.startswith(">"):
            step["as"] = names_of(op, word[1:])
        else:
            step[key] = value_of(key, text)
    if op.endswith("_window"):
        step["steps"] = []
    return step


def steps_of(text: str) -> list[Step]:
    """All steps of a script."""
    levels: list[list[Step]] = [[]]
    for line in dedent(text).strip("\n").split("\n"):
        depth = (len(line) - len(line.lstrip())) // 4
        del levels[depth + 1 :]
        step = step_of(line)
        levels[depth].append(step)
        levels.append(step.get("steps", []))
    return levels[0]
