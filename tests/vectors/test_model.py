# SPDX-License-Identifier: MIT
"""What the generators of vectors know agrees with what was given, and with a published answer."""

from __future__ import annotations

import copy
import json
import struct
import sys
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "make"))

import aead  # noqa: E402
import transforms  # noqa: E402
from model import World  # noqa: E402

GIVEN = json.loads((HERE / "memory.json").read_bytes())


def bytes_of(value: Any) -> bytes:
    """Bytes in one of their forms."""
    return bytes(byte for byte in World().content(value) if isinstance(byte, int))


class Transforms(unittest.TestCase):
    """Known answers."""

    def given(self, transform: str) -> list[dict[str, Any]]:
        """Cases of the right input size, some of them refused."""
        cases = [case for case in GIVEN["known"] if case["transform"] == transform]
        return [case for case in cases if not case["id"].startswith("size-")]

    def test_a_published_message(self) -> None:
        """draft-irtf-cfrg-xchacha-03, A.3.1."""
        message = (
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            b"sunscreen would be it."
        )
        key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
        sealed = aead.seal(key, nonce, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), message)
        self.assertEqual(sealed[:8].hex(), "bd6d179d3e83d43b")
        self.assertEqual(sealed[-16:].hex(), "c0875924c1c7987947deafd8780acf49")

    def test_stored_bytes(self) -> None:
        """Of every length that has its bytes in the file."""
        cases = [case for case in self.given("sealed.encode") if "sha256" not in case["out"]]
        self.assertGreater(len(cases), 8)
        for case in cases:
            raw = bytes_of(case["in"])
            key, nonce, kind, identifier, epoch = struct.unpack_from("<32s24sIQQ", raw)
            stored = transforms.encode(key, nonce, kind, identifier, epoch, raw[76:])
            self.assertEqual(stored, bytes_of(case["out"]), case["id"])

    def test_layouts_and_plans(self) -> None:
        """With those that are refused."""
        for transform, form, function in (
            ("guarded.layout", "<QQI", transforms.layout),
            ("region.plan", "<7Q", transforms.plan),
        ):
            for case in self.given(transform):
                answer = function(*struct.unpack(form, bytes_of(case["in"])))
                self.assertEqual(answer is None, "status" in case, case["id"])
                if answer is not None:
                    packed = struct.pack(f"<{len(answer)}Q", *answer)
                    self.assertEqual(packed, bytes_of(case["out"]), case["id"])


class Scripts(unittest.TestCase):
    """The model says what the given scripts say."""

    def agree(self, given: list[dict[str, Any]], made: list[dict[str, Any]], name: str) -> None:
        """Each status, and each output that was given and is not random."""
        for old, new in zip(given, made):
            self.assertEqual(old.get("status", "OK"), new.get("status", "OK"), (name, old))
            for key, value in old.get("out", {}).items():
                want = bytes_of(value).hex() if key in ("data", "source") else value
                self.assertEqual(new["out"][key], want, (name, old))
            if new.get("status", "OK") == "OK":
                self.agree(old.get("steps", []), new.get("steps", []), name)

    def test_every_given_script(self) -> None:
        """Replayed step by step."""
        for case in GIVEN["scripts"]:
            made = copy.deepcopy(case["script"])
            World().complete(made)
            self.agree(case["script"], made, case["id"])


if __name__ == "__main__":
    unittest.main()
