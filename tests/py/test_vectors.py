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
from vectors import Failed, Fields, Run, Wide, integer64, packet, unread

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


def given(**pairs: object) -> Fields:
    return Fields(pairs.items())


def test_bytes_have_all_their_forms() -> None:
    run = Run({})
    run.saved["earlier"] = b"\x00\x01\x02\x03"
    assert run.data(["00ff", given(repeat=2, hex="ab")]) == b"\x00\xff\xab\xab"
    assert run.data(given(ref="earlier", xor=given(at=1, hex="ff"), take=3)) == b"\x00\xfe\x02"
    for wrong in ("0", "AB", given(ref="nobody"), given(repeat=1), given(repeat=1 << 25, hex="00"), 7):
        with pytest.raises(Failed):
            run.data(wrong)


def test_a_key_that_nobody_reads_is_found() -> None:
    form = given(repeat=1, hex="00", more=given(inside=1))
    assert Run({}).data(form) == b"\x00"
    assert unread([form]) == {"more", "inside"}


def test_expectations_have_all_their_forms() -> None:
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    right: list[tuple[object, object]] = [
        (given(sha256=digest, len=3), b"abc"),
        ("5", Wide(5)),
        (5, Wide(5)),
        ([given(pid=1), given()], [{"pid": 1, "health": 0}, {"pid": 2}]),
    ]
    wrong: list[tuple[object, object]] = [
        (given(sha256=digest, len=4), b"abc"),
        ("5", 5),
        (1, True),
        ([given(pid=1)], [{"pid": 1}, {"pid": 2}]),
        (given(pid=1), {"health": 1}),
    ]
    for want, got in right:
        Run({}).expect_output("right", want, got)
    for want, got in wrong:
        with pytest.raises(Failed):
            Run({}).expect_output("wrong", want, got)


def test_64_bit_integers_are_text() -> None:
    assert [integer64(text) for text in ("0", "18446744073709551615", "0xff", "-1", 5)] == [0, 2**64 - 1, 255, -1, 5]
    for wrong in ("00", "1e3", "0xFG", "", 1.5, True):
        with pytest.raises(Failed):
            integer64(wrong)
