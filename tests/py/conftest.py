# SPDX-License-Identifier: MIT
"""What the tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Callable

import pytest
from hypothesis import settings
from libkeep import LockPolicy, Pool, Secret

settings.register_profile("keep", deadline=None, derandomize=True)
settings.load_profile("keep")

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
