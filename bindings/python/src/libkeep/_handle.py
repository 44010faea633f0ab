# SPDX-License-Identifier: MIT
"""What every class that stands for a handle does alike, and what makes reports of C's structs."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from ._errors import KeepError

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


def described(handle: Handle, state: Callable[[], str]) -> str:
    """What repr() shows: class and state, no address, no content."""
    try:
        shown = state()
    except KeepError as error:
        shown = error.name.lower()
    return f"<{type(handle).__name__}: {shown}>"


def typed(values: dict[str, Any], **types: Callable[[Any], object]) -> dict[str, Any]:
    """The fields of a C struct, those named converted."""
    return {**values, **{name: convert(values[name]) for name, convert in types.items()}}
