# SPDX-License-Identifier: MIT
"""How a vector file is laid out: a line for a case, and for each step of a script."""

from __future__ import annotations

import json
from typing import Any


def line_of(value: Any) -> str:
    """A value on one line."""
    return json.dumps(value, ensure_ascii=False)


def case_of(case: dict[str, Any]) -> str:
    """A case: on one line, or with its steps below it."""
    if "script" not in case:
        return "  " + line_of(case)
    head = {key: value for key, value in case.items() if key != "script"}
    steps = ",\n".join("    " + line_of(step) for step in case["script"])
    return f'  {line_of(head)[:-1]},\n   "script": [\n{steps}]}}'


def counted(schema: str, **arrays: list[dict[str, Any]]) -> dict[str, Any]:
    """A file of these cases."""
    count = sum(len(cases) for cases in arrays.values())
    return {"schema": schema, "numberOfTests": count, **arrays}


def file_of(root: dict[str, Any]) -> bytes:
    """The bytes of a whole file."""
    fields = []
    for key, value in root.items():
        if isinstance(value, list):
            cases = ",\n".join(case_of(case) for case in value)
            fields.append(f' "{key}": [\n{cases}\n ]')
        else:
            fields.append(f' "{key}": {line_of(value)}')
    return ("{\n" + ",\n".join(fields) + "\n}\n").encode("utf-8")
