#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The four runners of the vectors: where they are, and one run of all of them, compared.

usage: runners.py

Reads the directory of KEEP_VECTORS, or tests/vectors. The programs must be built; ci/vectors does that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import compare

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
SECONDS = 300

COMMANDS = {
    "c": [str(BUILD / "tests/c/run-vectors")],
    "python": [sys.executable, str(ROOT / "tests/py/run_vectors.py")],
    "node": ["node", str(ROOT / "bindings/node/test/run-vectors.mjs")],
    "go": [str(BUILD / "tests/go/run-vectors")],
}


def run(
    language: str,
    *arguments: str,
    vectors: str | None = None,
    cwd: Path = ROOT,
    before: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Runs one runner, with nothing left of a KEEP_VECTORS that is not given, in a TMPDIR that must stay empty."""
    environment = {name: value for name, value in os.environ.items() if name != "KEEP_VECTORS"}
    if vectors is not None:
        environment["KEEP_VECTORS"] = vectors
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o1777)  # noqa: S103 (a runner may be another user)
        done = subprocess.run(
            ["timeout", str(SECONDS), *before, *COMMANDS[language], *arguments],
            cwd=cwd,
            env=environment | {"TMPDIR": scratch},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        left = os.listdir(scratch)
    if done.returncode == 0 and left:
        raise AssertionError(f"{language} leaves {left} in TMPDIR")
    return done


def main() -> int:
    """Runs the four and compares what they say."""
    results = {}
    for language in compare.LANGUAGES:
        done = run(language, vectors=os.environ.get("KEEP_VECTORS"))
        sys.stderr.write(done.stderr)
        results[language] = compare.Result(done.returncode, done.stdout)
    return compare.report(results)


if __name__ == "__main__":
    sys.exit(main())
