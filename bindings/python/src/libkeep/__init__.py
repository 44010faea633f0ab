# SPDX-License-Identifier: MIT
"""libkeep: for programs that hold secrets.

A `Secret` lives in locked, guarded memory that is wiped; a `Sealed` one is encrypted while it is idle; both belong to a
`Pool`. A `Session` seals events into datagrams under keys that are secrets, or that a `Handshake` has agreed on. A
`Tracker` knows which process is alive, hung or gone: an `Observer` hears their `Beacon`s. Every call that fails raises
a `KeepError`; each status is a class of its own.
"""

from __future__ import annotations

from . import memory as memory
from . import packet as packet
from . import tracker as tracker
from ._errors import *
from .base import *
from .memory import *
from .packet import *
from .tracker import *

__version__ = f"{VERSION_MAJOR}.{VERSION_MINOR}.{VERSION_PATCH}"
