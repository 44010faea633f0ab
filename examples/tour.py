# SPDX-License-Identifier: MIT
"""The tour in Python: makes a secret, seals it, opens it again, and tells what protects it.

python3 tour.py
"""

from __future__ import annotations

import libkeep
from libkeep import Backing, Check, Sealed, Secret, memory

BACKINGS = {Backing.MEMFD_SECRET: "memory that not even the kernel maps", Backing.LOCKED: "locked memory"}

CHECKS = {
    Check.LOCKED: "locked",
    Check.NOT_DUMPED: "absent from core dumps",
    Check.FORK_SAFE: "absent from children",
    Check.GUARDS: "between guard pages",
    Check.HIDDEN: "hidden from debuggers",
    Check.WIPED: "wiped when freed",
    Check.SEALING: "sealed by the published cipher",
}


def tell_where_it_lives(secret: Secret) -> None:
    info = secret.info()
    swapping = "never swapped out" if info.locked else "but it may be swapped out"
    print(f"  made    {len(secret)} random bytes, in {BACKINGS[info.backing]}, {swapping}")


def seal_and_open() -> None:
    with Secret.generate(32) as secret:
        tell_where_it_lives(secret)
        with Sealed.from_secret(secret) as sealed:
            print(f"  sealed  into {sealed.info().stored_len} bytes of ordinary memory, under a key in two halves")
            with sealed.open() as opened:
                print(f"  opened  {'the same bytes' if opened == secret else 'other bytes'}")


def ask_the_kernel() -> None:
    passed = memory.report(test=True).passed
    print("  proved ", ", ".join(words for check, words in CHECKS.items() if check in passed))


print(f"Python: libkeep {libkeep.version()}")
seal_and_open()
ask_the_kernel()
