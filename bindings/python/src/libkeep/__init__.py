# SPDX-License-Identifier: MIT
"""libkeep: for programs that hold secrets.

A `Secret` lives in locked, guarded memory that is wiped; a `Sealed` one is encrypted while it is idle; both belong to a
`Pool`. Every call that fails raises a `KeepError`; each status is a class of its own.
"""

from __future__ import annotations

from . import memory, native
from ._errors import *  # noqa: F403  (one class per status)
from .memory import (
    MAX_BATCH,
    MAX_HOT_CACHE,
    MAX_POOL_BYTES,
    MAX_SECRET_LEN,
    MAX_SECRETS,
    MAX_SLOT_LEN,
    MAX_TIERS,
    MIN_SLOT_LEN,
    SEALED_OVERHEAD,
    UNLIMITED,
    WAIT_FOREVER,
    Pool,
    Secret,
    Sealed,
)

__version__ = ".".join(
    str(part) for part in (native.KEEP_VERSION_MAJOR, native.KEEP_VERSION_MINOR, native.KEEP_VERSION_PATCH)
)


def version() -> str:
    """The version of the loaded library, "0.1.0"."""
    number = native.keep_version_number()
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
