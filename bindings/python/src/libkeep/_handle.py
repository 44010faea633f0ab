# SPDX-License-Identifier: MIT
"""What every class that stands for a handle does alike."""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn, TypeVar

Self = TypeVar("Self", bound="Handle")


class Handle:
    """A handle of the library. As a context manager it is closed when the block ends; it is never copied."""

    __slots__ = ()

    def close(self) -> None:
        """Gives the handle back; closing twice is fine. BusyError: a call or a window is using it."""
        raise NotImplementedError

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither copied nor pickled")

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError(f"a {type(self).__name__} has no format")
        return str(self)
