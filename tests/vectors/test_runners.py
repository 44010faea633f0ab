# SPDX-License-Identifier: MIT
"""The four runners refuse what they must refuse, wherever they are started (vectors R34, R36, R37, R38)."""

from __future__ import annotations

import copy
import functools
import hashlib
import itertools
import json
import os
import re
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path

import lint
from runners import BUILD, COMMANDS, ROOT, run

HERE = Path(__file__).resolve().parent
# Root may read and lock everything.
AS_A_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
BROKEN = HERE / "broken"
INVALID = "invalid"
ALL, ONE_LESS = "5/5", "4/5"

# What each directory gives: the exit status, and what is said of each file.
EXPECTED: dict[str, tuple[int, dict[str, str]]] = {
    "good": (0, {"good.json": ALL}),
    "two-files": (0, {"one.json": ALL, "two.json": ALL}),
    "only-text": (2, {}),
    "mixed": (1, {"byte.json": ONE_LESS, "good.json": ALL}),
    "mixed-invalid": (2, {"cut.json": INVALID, "good.json": ALL}),
}
EXPECTED |= {
    name: (2, {f"{name}.json": INVALID})
    for name in (
        *("schema-unknown", "schema-missing", "count-high", "count-low", "count-zero"),
        *("same-id", "cut", "bom", "not-utf8", "array"),
    )
}
# The one case that fails.
FAILING = {
    "byte": "copies",
    "status": "closed",
    "status-unknown": "closed",
    "step-missing-status": "closed",
    "op-unknown": "copies",
    "key-unknown": "copies",
    "out-unknown": "copies",
    "handle-unbound": "copies",
    "handle-twice": "copies",
}
EXPECTED |= {name: (1, {f"{name}.json": ONE_LESS}) for name in FAILING}
# What only the form check need see.
FORMS = {"duplicate-key", "float", "upper-hex", "null", "surrogate"}


def lines(language: str, directory: Path, said: dict[str, str]) -> str:
    """The output that these verdicts on the files of a directory make."""
    return "".join(
        f"{language} {name} {hashlib.sha256((directory / name).read_bytes()).hexdigest()} {verdict}\n"
        for name, verdict in said.items()
    )


@functools.cache
def everything(language: str) -> str:
    """What a language says of the repository's own vectors."""
    return run(language).stdout


def objects(value: object) -> Iterator[dict[str, object]]:
    """All objects in a value, at any depth."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(part)


def with_a_key_more(case: dict[str, object]) -> Iterator[dict[str, object]]:
    """The case as often as it has objects, with a key that nobody knows in each of them in turn."""
    for position in range(sum(1 for _ in objects(case))):
        changed = copy.deepcopy(case)
        next(itertools.islice(objects(changed), position, None))["nobody"] = 1
        yield {**changed, "id": str(position)}


def others_reach(path: Path) -> bool:
    """Whether any user may get to a folder: a checkout in root's home is for root alone."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


OF_ANOTHER_USER = unittest.skipUnless(others_reach(ROOT), "no other user can read this checkout")


class BrokenFiles(unittest.TestCase):
    """A runner that passes a broken file proves nothing."""

    def test_each_directory_gets_its_verdict(self) -> None:
        """Exit status and every line of the output."""
        for name, (status, said) in EXPECTED.items():
            for language in COMMANDS:
                with self.subTest(directory=name, language=language):
                    done = run(language, vectors=str(BROKEN / name))
                    self.assertEqual(done.stdout, lines(language, BROKEN / name, said), done.stderr)
                    self.assertEqual(done.returncode, status, done.stderr)

    def test_a_failing_case_is_named_once(self) -> None:
        """One FAIL line, with file, place and identifier."""
        for name, identifier in FAILING.items():
            for language in COMMANDS:
                with self.subTest(directory=name, language=language):
                    done = run(language, vectors=str(BROKEN / name))
                    failures = re.findall(r"^FAIL .*$", done.stderr, re.MULTILINE)
                    self.assertEqual(len(failures), 1, done.stderr)
                    place = rf"FAIL {name}\.json scripts\[\d\] {identifier}: .*: expected .*, got "
                    self.assertRegex(failures[0], place)

    def test_there_is_a_verdict_for_every_directory(self) -> None:
        """None was forgotten, and none is left over."""
        self.assertEqual(set(EXPECTED) | FORMS, {path.name for path in BROKEN.iterdir()})

    def test_many_failures_are_cut_short(self) -> None:
        """Twenty are told, the rest is counted."""
        cases = [{"id": str(i), "transform": "none", "in": "", "out": ""} for i in range(25)]
        with tempfile.TemporaryDirectory() as scratch:
            root = {"schema": "keep-memory-1", "numberOfTests": 25, "known": cases}
            (Path(scratch) / "many.json").write_text(json.dumps(root) + "\n", "utf-8")
            for language in COMMANDS:
                with self.subTest(language=language):
                    done = run(language, vectors=scratch)
                    self.assertEqual(done.stdout, lines(language, Path(scratch), {"many.json": "0/25"}))
                    said = done.stderr.splitlines()
                    self.assertEqual(sum(line.startswith("FAIL many.json known[") for line in said), 20)
                    self.assertEqual(said[-1], "… and 5 more")

    def test_an_unknown_word_fails_its_case(self) -> None:
        """A side of a handshake that is neither of the two, and must not be taken for the responder."""
        case = json.loads((HERE / "packet.json").read_text("utf-8"))["noise"][0]
        text = json.dumps(case)
        self.assertIn('"unconfirmed": "responder"', text)
        places = ('"unconfirmed": ', '"op": "read", "side": ', '"side": ')
        wrong = (f'{place}"nobody"'.join(text.rsplit(f'{place}"responder"', 1)) for place in places)
        cases = [{**json.loads(each), "id": str(number)} for number, each in enumerate(wrong)]
        with tempfile.TemporaryDirectory() as scratch:
            root = {"schema": "keep-packet-1", "numberOfTests": len(cases) + 1, "noise": [case, *cases]}
            (Path(scratch) / "words.json").write_text(json.dumps(root) + "\n", "utf-8")
            for language in COMMANDS:
                with self.subTest(language=language):
                    done = run(language, vectors=scratch)
                    self.assertEqual(done.stdout, lines(language, Path(scratch), {"words.json": "1/4"}), done.stderr)

    def test_an_unknown_key_is_found_wherever_it_stands(self) -> None:
        """In the first case of every array: in steps, their outputs, items of lists, forms of bytes."""
        for name in ("memory", "packet", "tracker"):
            root = json.loads((HERE / f"{name}.json").read_text("utf-8"))
            arrays = {key: list(with_a_key_more(cases[0])) for key, cases in root.items() if isinstance(cases, list)}
            total = sum(map(len, arrays.values()))
            with tempfile.TemporaryDirectory() as scratch:
                broken = {"schema": root["schema"], "numberOfTests": total, **arrays}
                (Path(scratch) / "keys.json").write_text(json.dumps(broken) + "\n", "utf-8")
                for language in COMMANDS:
                    with self.subTest(file=name, language=language):
                        done = run(language, vectors=scratch)
                        self.assertEqual(done.stdout, lines(language, Path(scratch), {"keys.json": f"0/{total}"}))

    def test_words_for_readers_change_nothing(self) -> None:
        """In the first case of every array that has no input of that name."""
        for name in ("memory", "packet", "tracker"):
            root = json.loads((HERE / f"{name}.json").read_text("utf-8"))
            arrays = {
                key: [{**cases[0], "flags": ["Edge", "Wrap"]}]
                for key, cases in root.items()
                if isinstance(cases, list) and "flags" not in cases[0]
            }
            with tempfile.TemporaryDirectory() as scratch:
                marked = {"schema": root["schema"], "numberOfTests": len(arrays), **arrays}
                (Path(scratch) / "words.json").write_text(json.dumps(marked) + "\n", "utf-8")
                said = {"words.json": f"{len(arrays)}/{len(arrays)}"}
                for language in COMMANDS:
                    with self.subTest(file=name, language=language):
                        done = run(language, vectors=scratch)
                        self.assertEqual(done.stdout, lines(language, Path(scratch), said), done.stderr)

    def test_files_of_no_sane_size_are_invalid_in_c(self) -> None:
        """Larger than 8 MiB, or nested deeper than 32; elsewhere the form check finds them."""
        good = (BROKEN / "good/good.json").read_bytes()
        deep = good.replace(b'"0000deadbeef0000"', b"[" * 40 + b"]" * 40)
        for content in (good + b"\n" * (8 << 20), deep):
            with self.subTest(length=len(content)), tempfile.TemporaryDirectory() as scratch:
                (Path(scratch) / "huge.json").write_bytes(content)
                done = run("c", vectors=scratch)
                said = lines("c", Path(scratch), {"huge.json": INVALID})
                self.assertEqual((done.returncode, done.stdout), (2, said))

    def test_an_empty_directory_is_refused(self) -> None:
        """Doing nothing is no success."""
        with tempfile.TemporaryDirectory() as empty:
            for language in COMMANDS:
                with self.subTest(language=language):
                    done = run(language, vectors=empty)
                    self.assertEqual((done.returncode, done.stdout), (2, ""))


class Environment(unittest.TestCase):
    """The directory is found by the same rules in every language."""

    def test_without_the_variable_the_working_directory_does_not_matter(self) -> None:
        """The repository's own vectors, from anywhere; those of one schema tell."""
        for language in COMMANDS:
            outputs = {run(language, "keep-memory-1", cwd=cwd).stdout for cwd in (ROOT, ROOT / "core", Path("/"))}
            with self.subTest(language=language):
                self.assertEqual(len(outputs), 1)
                self.assertIn(f"{language} memory.json ", outputs.pop())

    def test_every_way_to_write_the_directory_is_the_same(self) -> None:
        """Absolute, relative, with a slash at its end, through a symbolic link."""
        with tempfile.TemporaryDirectory() as scratch:
            link = Path(scratch) / "link"
            link.symlink_to(BROKEN / "good")
            ways = (
                (str(BROKEN / "good"), ROOT),
                ("tests/vectors/broken/good", ROOT),
                ("good/", BROKEN),
                (str(link), ROOT),
            )
            for language in COMMANDS:
                for vectors, cwd in ways:
                    with self.subTest(language=language, vectors=vectors):
                        done = run(language, vectors=vectors, cwd=cwd)
                        self.assertEqual(done.stdout, lines(language, BROKEN / "good", {"good.json": ALL}))

    @OF_ANOTHER_USER
    def test_what_is_no_readable_directory_is_refused(self) -> None:
        """An empty name, a file, a directory that an ordinary user may not read."""
        with tempfile.TemporaryDirectory() as scratch:
            hidden = Path(scratch) / "hidden"
            hidden.mkdir(mode=0)
            os.chmod(scratch, 0o755)  # noqa: S103 (another user must get as far as the next folder)
            for language in COMMANDS:
                for vectors in ("", str(BROKEN / "good/good.json"), str(hidden)):
                    with self.subTest(language=language, vectors=vectors):
                        done = run(language, vectors=vectors, before=AS_A_USER if vectors == str(hidden) else ())
                        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)


class Independence(unittest.TestCase):
    """No case needs another one."""

    def test_the_reverse_order_gives_the_same_lines(self) -> None:
        """Over the repository's own vectors."""
        for language in COMMANDS:
            with self.subTest(language=language):
                self.assertEqual(run(language, "--reverse").stdout, everything(language))

    @OF_ANOTHER_USER
    def test_no_case_locks_more_than_64_kib(self) -> None:
        """An ordinary user with that limit passes every case."""
        done = run("c", before=("prlimit", "--memlock=65536:65536", *AS_A_USER))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_schema_can_be_asked_for(self) -> None:
        """A schema that nobody knows is no success."""
        for language in COMMANDS:
            with self.subTest(language=language):
                of_memory = [line for line in everything(language).splitlines() if " memory" in line]
                self.assertEqual(run(language, "keep-memory-1").stdout.splitlines(), of_memory)
                unknown = run(language, "keep-memory-9")
                self.assertEqual((unknown.returncode, unknown.stdout), (2, ""))

    def test_each_case_is_named_before_it_runs_if_asked_for(self) -> None:
        """So that a crash names its case."""
        os.environ["KEEP_VECTORS_VERBOSE"] = "1"
        try:
            for language in COMMANDS:
                with self.subTest(language=language):
                    said = run(language, vectors=str(BROKEN / "good")).stderr
                    for identifier in ("split", "size", "copies", "closed", "window"):
                        self.assertIn(identifier, said)
        finally:
            del os.environ["KEEP_VECTORS_VERBOSE"]


class Coverage(unittest.TestCase):
    """Every function is driven, or there is a reason why not."""

    def test_functions_that_no_case_drives_have_a_reason(self) -> None:
        """What the C runner calls, against what the library exports."""
        listed = subprocess.run(["nm", "-u", COMMANDS["c"][0]], capture_output=True, text=True, check=True)
        driven = set(re.findall(r" U (keep_\w+)", listed.stdout))
        exported = set((BUILD / "gen/exports.txt").read_text("utf-8").split())
        base = set()
        for name in ("bytes", "error", "status", "version"):
            header = (ROOT / f"core/include/keep/{name}.h").read_text("utf-8")
            base |= set(re.findall(r"(keep_\w+)\(", header))
        reasoned = {name for name in lint.reasons() if name.startswith("keep_")}
        self.assertEqual(exported - driven - base, reasoned)


if __name__ == "__main__":
    unittest.main()
