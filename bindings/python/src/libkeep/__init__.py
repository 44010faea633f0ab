# SPDX-License-Identifier: MIT
"""libkeep: for programs that hold secrets.

A `Secret` lives in locked, guarded memory that is wiped; a `Sealed` one is encrypted while it is idle; both belong to a
`Pool`. A `Session` seals events into datagrams under keys that are secrets, or that a `Handshake` has agreed on. A
`Tracker` knows which process is alive, hung or gone: an `Observer` hears their `Beacon`s. Every call that fails raises
a `KeepError`; each status is a class of its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from . import memory as memory
from ._errors import *
from .base import *
from .memory import *

if TYPE_CHECKING:
    from . import packet as packet
    from . import tracker as tracker
    from .packet import *
    from .tracker import *

    __all__: list[str]

__version__ = f"{VERSION_MAJOR}.{VERSION_MINOR}.{VERSION_PATCH}"

# Whose names are ours, too. The later modules are loaded when they, or names of theirs, are first asked for.
_FIRST = ("_errors", "base", "memory")
_LATER = ("packet", "tracker")


def _load(module_name: str) -> list[str]:
    """Makes the public names of a module ours, and returns them. What a test has put in their place stays."""
    module = import_module(f"{__name__}.{module_name}")
    for name in module.__all__:
        globals().setdefault(name, getattr(module, name))
    return list(module.__all__)


def _public_names() -> list[str]:
    names = [name for module_name in (*_FIRST, *_LATER) for name in _load(module_name)]
    return ["memory", *_LATER, *names]


def _where_to_look(name: str) -> list[str]:
    """The modules that may have a name, first those that are loaded."""
    if name.startswith("_"):
        return []
    return [name] if name in _LATER else sorted(_LATER, key=lambda module_name: module_name not in globals())


def __dir__() -> set[str]:
    return {*globals(), *_public_names()}


if not TYPE_CHECKING:  # a checker would take any name for ours

    def __getattr__(name: str) -> object:
        if name == "__all__":
            return _public_names()
        for module_name in _where_to_look(name):
            _load(module_name)
            if name in globals():
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
