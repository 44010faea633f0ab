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
import beats  # noqa: E402
import tracker_model  # noqa: E402
import transforms  # noqa: E402
from limits import Bucket  # noqa: E402
from model import World  # noqa: E402

GIVEN = json.loads((HERE / "memory.json").read_bytes())
TRACKER = json.loads((HERE / "tracker.json").read_bytes())


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
        aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
        sealed = aead.seal(key, nonce, aad, message)
        self.assertEqual(sealed[:8].hex(), "bd6d179d3e83d43b")
        self.assertEqual(sealed[-16:].hex(), "c0875924c1c7987947deafd8780acf49")
        short = bytes.fromhex("070000004041424344454647")  # RFC 8439, 2.8.2
        sealed = aead.ietf_seal(key, short, aad, message)
        self.assertEqual(sealed[:8].hex(), "d31a8d34648e60db")
        self.assertEqual(sealed[-16:].hex(), "1ae10b594f09e26a7e902ecbd0600691")
        self.assertEqual(aead.ietf_open(key, short, aad, sealed), message)
        self.assertIsNone(aead.ietf_open(key, short, aad[:-1], sealed))

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


def hexadecimal(case: dict[str, Any], *keys: str) -> list[bytes]:
    """Bytes of a case."""
    return [bytes.fromhex(case[key]) for key in keys]


class TrackerAnswers(unittest.TestCase):
    """The formats of the tracker, as given."""

    def test_frames(self) -> None:
        """Checksums, beats, notices, there and back, and what is wrong with others."""
        for case in TRACKER["crc32c"]:
            self.assertEqual(beats.crc32c(*hexadecimal(case, "data")), case["crc"], case["id"])
        kinds: dict[str, Any] = {"beat": beats.Beat, "notice": beats.Notice}
        encoders: dict[str, Any] = {"beat": beats.encode_beat, "notice": beats.encode_notice}
        for name, kind in kinds.items():
            for case in TRACKER[f"{name}_frames"]:
                wide = {key: int(case[key]) for key in ("nonce", "timestamp_ns") if key in case}
                frame = kind(*((case | wide)[key] for key in kind._fields))
                self.assertEqual(encoders[name](frame).hex(), case["wire"], case["id"])
                self.assertEqual(beats.decode(*hexadecimal(case, "wire")), frame, case["id"])
        for case in TRACKER["beat_rejects"]:
            fault = beats.Fault(case["fault"], int(case.get("value", 0)))
            self.assertEqual(beats.decode_beat(*hexadecimal(case, "wire")), fault, case["id"])
        for case in TRACKER["notice_rejects"]:
            self.assertEqual(beats.decode_notice(*hexadecimal(case, "wire")), beats.Fault(case["fault"]), case["id"])

    def test_seals(self) -> None:
        """Sealed, opened, and refused."""
        for case in TRACKER["sealed_frames"]:
            key, prefix, frame, wire = hexadecimal(case, "key", "iv_prefix", "frame", "wire")
            sealed = beats.seal(case["mode"], key, case.get("pid", 0), prefix, case["iv_counter"], frame)
            self.assertEqual(sealed, wire, case["id"])
            self.assertEqual(beats.unsealed(case["mode"], key, wire), frame, case["id"])
        for case in TRACKER["sealed_rejects"]:
            self.assertIsNone(beats.unsealed(case["mode"], *hexadecimal(case, "key", "wire")), case["id"])

    def test_derived_keys(self) -> None:
        """Of agents, and prefixes of nonces."""
        for case in TRACKER["agent_keys"]:
            master, key = hexadecimal(case, "master", "key")
            self.assertEqual(beats.agent_key(master, case["pid"]), key, case["id"])
        for case in TRACKER["iv_prefixes"]:
            salt, prefix = hexadecimal(case, "salt", "prefix")
            self.assertEqual(beats.iv_prefix(salt, case["index"]), prefix, case["id"])

    def test_limits_and_outcomes(self) -> None:
        """Tokens, and what a send's error means."""
        for case in TRACKER["token_buckets"]:
            bucket = Bucket(case["rate"], case["burst"])
            allowed = [bucket.take(int(call["now_ns"])) for call in case["calls"]]
            self.assertEqual(allowed, [call["allow"] for call in case["calls"]], case["id"])
        for case in TRACKER["send_errors"]:
            beacon = tracker_model.Beacon(100, 0, 0)
            beacon.prepare(0, 0, 1)
            self.assertEqual(beacon.commit(case["error"])[0], case["outcome"], case["id"])


class TrackerScripts(unittest.TestCase):
    """The model of the tracker says what the given scripts say."""

    def agree(self, want: Any, got: Any, where: Any) -> None:
        """Of objects the keys that are wanted; of lists every item."""
        if isinstance(want, dict):
            for key, value in want.items():
                self.agree(value, got[key], where)
        elif isinstance(want, list) and want and isinstance(want[0], dict):
            self.assertEqual(len(want), len(got), where)
            for one, other in zip(want, got):
                self.agree(one, other, where)
        else:
            self.assertEqual(want, got, where)

    def test_every_given_script(self) -> None:
        """Replayed step by step."""
        for array in ("tracker_scripts", "observer_scripts", "beacon_scripts"):
            for case in TRACKER[array]:
                world = tracker_model.World()
                for step in case["script"]:
                    status, out = world.run(step)
                    self.assertEqual(status, step.get("status", "OK"), (case["id"], step))
                    self.agree(step.get("out", {}), out, (case["id"], step))


if __name__ == "__main__":
    unittest.main()
