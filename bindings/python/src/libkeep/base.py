# SPDX-License-Identifier: MIT
"""What all parts of the library share: its version, and the layers below it that an error may name."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from . import native

__all__ = ["VERSION_MAJOR", "VERSION_MINOR", "VERSION_NUMBER", "VERSION_PATCH", "Layer", "version"]

VERSION_MAJOR: Final[int] = native.KEEP_VERSION_MAJOR
VERSION_MINOR: Final[int] = native.KEEP_VERSION_MINOR
VERSION_PATCH: Final[int] = native.KEEP_VERSION_PATCH
VERSION_NUMBER: Final[int] = native.KEEP_VERSION_NUMBER


class Layer(IntEnum):
    """Whose number stands in `KeepError.code`."""

    NONE = native.KEEP_LAYER_NONE
    ERRNO = native.KEEP_LAYER_ERRNO
    TSS2 = native.KEEP_LAYER_TSS2
    SQLITE = native.KEEP_LAYER_SQLITE
    CRYPTO = native.KEEP_LAYER_CRYPTO
    LOADER = native.KEEP_LAYER_LOADER


def version() -> str:
    """The version of the loaded library, "0.1.0"."""
    number = native.keep_version_number()
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
