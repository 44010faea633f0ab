# SPDX-License-Identifier: MIT
"""Says ten times a second that it is alive, until its input ends; then goodbye. watch.py is the other side.

python3 beat.py PATH
"""

from __future__ import annotations

import asyncio
import sys

from libkeep import Beacon


async def beat(path: str) -> None:
    with Beacon(path) as beacon:
        async with beacon.every(0.1):
            await asyncio.to_thread(sys.stdin.read)


asyncio.run(beat(sys.argv[1]))
