# SPDX-License-Identifier: MIT
"""What the generators know of packets agrees with what was given."""

from __future__ import annotations

import json
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "make"))

import packet_model  # noqa: E402

GIVEN = json.loads((HERE / "packet.json").read_bytes())

# What a case expects, and what is an input in some places.
TOLD = {
    *("status", "out", "next_counter", "needed_len", "needed_data_len", "needed_event_count", "fits", "packet_len"),
    *("max_events", "prefix", "info", "stats", "accepted", "frame_header", "handshake_hash", "unconfirmed"),
    *("key_initiator_to_responder", "key_responder_to_initiator", "init_static_public", "resp_static_public"),
}
TOLD_WHERE: dict[str, Callable[[str, dict[str, Any]], bool]] = {
    "packet": lambda array, part: array in ("build", "noise", "noise_errors") or part.get("op") == "seal",
    "events": lambda array, part: array == "open" or part.get("op") == "open",
    "message": lambda array, part: part.get("op") == "write",
    "payload": lambda array, part: part.get("op") == "read",
    "session_id": lambda array, part: "handshake_hash" in part,
    "counter": lambda array, part: array == "replay",
}


def asked(array: str, value: Any) -> Any:
    """A value without what it expects."""
    if isinstance(value, list):
        return [asked(array, part) for part in value]
    if not isinstance(value, dict):
        return value
    told = {key for key in value if key in TOLD or (key in TOLD_WHERE and TOLD_WHERE[key](array, value))}
    return {key: asked(array, part) for key, part in value.items() if key not in told}


def cut_down(given: list[dict[str, Any]], made: list[dict[str, Any]]) -> None:
    """Cuts what is made down to what is given: a step need not tell all its outputs."""
    for old, new in zip(given, made):
        kept = {key: value for key, value in new.pop("out", {}).items() if key in old.get("out", {})}
        new |= {"out": kept} if kept else {}


class Packets(unittest.TestCase):
    """The model says what the given cases say."""

    def test_every_given_case(self) -> None:
        """Of each array."""
        for array, complete in packet_model.COMPLETE.items():
            self.assertGreater(len(GIVEN[array]), 5, array)
            for case in GIVEN[array]:
                made = asked(array, case)
                complete(made)
                cut_down(case.get("script", []), made.get("script", []))
                self.assertEqual(case, made, (array, case["id"]))


if __name__ == "__main__":
    unittest.main()
