# SPDX-License-Identifier: MIT
"""What the tests share."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from typing import Callable

import pytest
from hypothesis import core, settings
from libkeep import LockPolicy, Pool, Secret

settings.register_profile("keep", deadline=None, database=None)
settings.load_profile("keep")

# Where random tests start; said at the end, and taken from the environment to repeat a run (style R44).
start = int(os.environ.get("KEEP_TEST_RANDOM") or secrets.randbelow(1 << 32))
core.global_force_seed = start  # type: ignore[assignment]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"KEEP_TEST_RANDOM={start}")


needs_mlock = pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer lets mlock do nothing"
)

RunPython = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool(lock_policy=LockPolicy.ALLOW_UNLOCKED) as made:
        yield made


@pytest.fixture
def secret(pool: Pool) -> Iterator[Secret]:
    with Secret.from_bytes(b"0123456789abcdef", pool=pool) as made:
        yield made


@pytest.fixture
def run_python() -> RunPython:
    """Runs a program in an interpreter of its own."""

    def run(program: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-X", "dev", "-c", program]
        return subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=60)

    return run
