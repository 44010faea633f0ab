# SPDX-License-Identifier: MIT
"""libkeep: for programs that hold secrets.

A `Secret` lives in locked, guarded memory that is wiped; a `Sealed` one is encrypted while it is idle; both belong to a
`Pool`. Every call that fails raises a `KeepError`; each status is a class of its own.
"""

from __future__ import annotations

from . import memory as memory
from . import native
from ._errors import *
from .memory import *


def _dotted(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


__version__ = _dotted(native.KEEP_VERSION_NUMBER)


def version() -> str:
    """The version of the loaded library, "0.1.0"."""
    return _dotted(native.keep_version_number())
