# SPDX-License-Identifier: MIT
"""lint.py finds every breach of the form (vectors R27-R30)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import lint

HERE = Path(__file__).resolve().parent
BROKEN = HERE / "broken"
SOUND = (
    *("good", "two-files", "mixed", "schema-unknown", "byte", "status", "status-unknown", "step-missing-status"),
    *("op-unknown", "key-unknown", "out-unknown", "handle-unbound", "handle-twice"),
)


def file_with(value: object) -> bytes:
    """A file whose only case holds a value."""
    root = {"schema": "keep-x-1", "numberOfTests": 1, "cases": [{"id": "a", "value": value}]}
    return json.dumps(root).encode() + b"\n"


class Form(unittest.TestCase):
    """What is well formed passes, everything else does not."""

    def refused(self, raw: bytes) -> str:
        """The reason why the bytes of a file are refused."""
        with self.assertRaises(lint.FormError) as caught:
            lint.check_file(raw)
        return str(caught.exception)

    def test_each_broken_directory_is_sound_or_not(self) -> None:
        """A breach of the form is found; an expectation that does not hold is not its business."""
        for path in BROKEN.iterdir():
            with self.subTest(directory=path.name):
                done = subprocess.run([sys.executable, HERE / "lint.py", path], capture_output=True, check=False)
                self.assertEqual(done.returncode, int(path.name not in SOUND), done.stderr)

    def test_values_of_every_form_pass(self) -> None:
        """One of each."""
        for value in (
            *(0, 2**53 - 1, "", "00ff", True, [], {}, "any text", "\u0000"),
            *({"repeat": 2**24, "hex": "ab"}, ["00", {"repeat": 2, "hex": ""}], {"set": ["a", "b"]}),
            *({"ref": "a"}, {"ref": "a", "xor": {"at": 3, "hex": "01"}}, {"ref": "a", "take": 3}),
            *({"sha256": "a" * 64, "len": 3}, {"about": "3.25", "within": "1e-9"}),
            *({"now_ns": "0"}, {"now_ns": "-5"}, {"timeout_ms": "0xff"}, {"timeout_ms": 3}),
        ):
            with self.subTest(value=value):
                lint.check_file(file_with(value))

    def test_values_of_no_form_are_refused(self) -> None:
        """One mistake each."""
        for value in (
            *(None, -1, 2**53, [[None]], "DEADBEEF", "deadbeef0", {"repeat": 2**24 + 1, "hex": "ab"}),
            *({"repeat": 2, "hex": "a"}, {"repeat": 2, "hex": "AB"}, {"repeat": True, "hex": "ab"}),
            *({"repeat": 2, "hex": "ab", "len": 2}, {"sha256": "a" * 63, "len": 3}, {"sha256": "a" * 64, "len": -1}),
            *({"ref": 3}, {"ref": "a", "xor": {"at": "3", "hex": "01"}}, {"ref": "a", "take": -3}),
            *({"about": "x", "within": "1e-9"}, {"set": "a"}, {"now_ns": "05"}, {"now_ns": "0xFF"}),
        ):
            with self.subTest(value=value):
                self.refused(file_with(value))

    def test_files_of_no_form_are_refused(self) -> None:
        """Size, depth, end of the file, number forms, header."""
        good = file_with("00")
        self.assertIn("8 MiB", self.refused(b" " * (8 << 20) + good))
        self.assertIn("32", self.refused(file_with(json.loads("[" * 40 + "]" * 40))))
        self.assertIn("line feed", self.refused(good[:-1]))
        self.assertIn("line feed", self.refused(good + b"\n"))
        for old, new in (
            (b'"00"', b"1e3"),
            (b'"00"', b"NaN"),
            (b'"keep-x-1"', b'"keep-x"'),
            (b'"keep-x-1"', b"7"),
            (b": 1,", b": true,"),
            (b": 1,", b': 1, "constants": [],'),
            (b'"id": "a"', b'"id": 3'),
            (b'{"id"', b'3, {"id"'),
        ):
            with self.subTest(new=new):
                self.assertIn(old, good)
                self.refused(good.replace(old, new))


class Repository(unittest.TestCase):
    """The files in this folder."""

    def run_lint(self, directory: Path) -> int:
        """The exit status for a directory."""
        done = subprocess.run([sys.executable, HERE / "lint.py", directory], capture_output=True, check=False)
        return done.returncode

    def test_a_given_file_that_changed_is_found(self) -> None:
        """Whatever the change is."""
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("memory.json", "given.txt"):
                (Path(scratch) / name).write_bytes((HERE / name).read_bytes())
            self.assertEqual(self.run_lint(Path(scratch)), 0)
            with (Path(scratch) / "memory.json").open("r+b") as file:
                file.write(b"{ ")
            self.assertEqual(self.run_lint(Path(scratch)), 1)

    def test_a_status_that_is_expected_nowhere_is_found(self) -> None:
        """Without the files of this folder every status needs an excuse, and most have none."""
        problems = lint.check_coverage([])
        self.assertIn("status BUSY is expected nowhere", problems)
        self.assertNotIn("status FORKED is expected nowhere", problems)
        stale = lint.check_coverage([{"status": "FORKED"}])
        self.assertIn("undriven.txt excuses status FORKED, which occurs", stale)


if __name__ == "__main__":
    unittest.main()
