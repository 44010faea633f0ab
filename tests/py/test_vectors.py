# SPDX-License-Identifier: MIT
"""The shared vectors, and the runner itself: what it must refuse and count (vectors.md §7, §8)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import run_vectors
from conftest import AEADS
from libkeep import Aead
from vectors import Failed, Script, expect_output, integer64, packet

RUNNER = Path(run_vectors.__file__)
BROKEN = RUNNER.parent.parent / "vectors" / "broken"


def run(directory: Path | str, *arguments: str) -> tuple[int, list[str], str]:
    environment = {**os.environ, "KEEP_VECTORS": str(directory)}
    done = subprocess.run([sys.executable, str(RUNNER), *arguments], env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("path", run_vectors.files(), ids=lambda path: path.name)
def test_every_case_of_a_file_passes(path: Path) -> None:
    file = run_vectors.File(path)
    file.run()
    assert file.invalid is None
    assert file.failures == []
    assert file.passed == file.total > 0


@pytest.mark.parametrize("path", run_vectors.files(), ids=lambda path: path.name)
def test_the_order_of_cases_has_no_influence(path: Path) -> None:
    file = run_vectors.File(path)
    file.run(reverse=True)
    assert file.passed == file.total


@pytest.mark.parametrize("aead", AEADS, ids=lambda aead: aead.name)
def test_every_back_end_gives_the_same_packets(monkeypatch: pytest.MonkeyPatch, aead: Aead) -> None:
    monkeypatch.setattr(packet, "aead", aead)
    files = [file for file in map(run_vectors.File, run_vectors.files()) if file.schema == "keep-packet-1"]
    for file in files:
        file.run()
        assert file.failures == []
    assert files


@pytest.mark.parametrize(
    ("name", "status", "lines"),
    [
        ("good", 0, 1),
        ("two-files", 0, 2),
        ("only-text", 2, 0),
        *((name, 2, 1) for name in ("schema-unknown", "schema-missing", "count-high", "count-low", "count-zero")),
        *((name, 2, 1) for name in ("same-id", "cut", "bom", "not-utf8", "array", "duplicate-key", "float")),
        *((name, 1, 1) for name in ("byte", "status", "status-unknown", "step-missing-status", "op-unknown")),
        *((name, 1, 1) for name in ("key-unknown", "out-unknown", "handle-unbound", "handle-twice")),
        ("mixed", 1, 2),
        ("mixed-invalid", 2, 2),
    ],
)
def test_the_runner_refuses_broken_files(name: str, status: int, lines: int) -> None:
    returned, out, err = run(BROKEN / name)
    assert (returned, len(out)) == (status, lines), err
    if status == 1:
        passed, total = out[0].split(" ")[3].split("/")
        assert int(passed) == int(total) - 1
        assert err.count("FAIL") == 1


def test_an_empty_directory_is_no_success(tmp_path: Path) -> None:
    assert run(tmp_path)[:2] == (2, [])
    assert run("")[:2] == (2, [])
    assert run(RUNNER)[:2] == (2, [])


def test_only_the_named_schema_runs() -> None:
    assert run(BROKEN / "good", "keep-nothing-1")[:2] == (2, [])
    assert len(run(BROKEN / "good", "keep-memory-1", "--reverse")[1]) == 1


def test_bytes_have_all_their_forms() -> None:
    script = Script()
    script.saved["earlier"] = b"\x00\x01\x02\x03"
    assert script.data(["00ff", {"repeat": 2, "hex": "ab"}]) == b"\x00\xff\xab\xab"
    assert script.data({"ref": "earlier", "xor": {"at": 1, "hex": "ff"}, "take": 3}) == b"\x00\xfe\x02"
    for wrong in ("0", "AB", {"ref": "nobody"}, {"repeat": 1, "hex": "00", "more": 1}, 7):
        with pytest.raises(Failed):
            script.data(wrong)


def test_expectations_have_all_their_forms() -> None:
    expect_output("real", {"about": "3.25", "within": "1e-9"}, 3.25)
    expect_output("set", {"set": [1, 2, 2]}, [2, 1, 2])
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    expect_output("hash", {"sha256": digest, "len": 3}, b"abc")
    wrong: list[tuple[object, object]] = [
        ({"about": "3.25", "within": "1e-9"}, 3.3),
        ({"set": [1, 2]}, [1, 2, 2]),
        ({"sha256": digest, "len": 4}, b"abc"),
        (1, True),
    ]
    for want, got in wrong:
        with pytest.raises(Failed):
            expect_output("wrong", want, got)


def test_64_bit_integers_are_text() -> None:
    assert [integer64(text) for text in ("0", "18446744073709551615", "0xff", "-1", 5)] == [0, 2**64 - 1, 255, -1, 5]
    for wrong in ("00", "1e3", "0xFG", "", 1.5, True):
        with pytest.raises(Failed):
            integer64(wrong)
