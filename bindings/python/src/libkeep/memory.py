# SPDX-License-Identifier: MIT
"""Secrets in memory: pools, secrets, sealed secrets, and what protects the process.

core/include/keep/{pool,secret,sealed,protect}.h describe every call and what it can fail with.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar, final

from . import native
from ._errors import KeepError, KeepTimeoutError, by_status
from ._handle import Handle, described, typed

if TYPE_CHECKING:
    from typing_extensions import Buffer, Unpack

Report = TypeVar("Report")

__all__ = [
    "MAX_BATCH",
    "MAX_HOT_CACHE",
    "MAX_POOL_BYTES",
    "MAX_SECRETS",
    "MAX_SECRET_LEN",
    "MAX_SLOT_LEN",
    "MAX_TIERS",
    "MIN_SLOT_LEN",
    "SEALED_OVERHEAD",
    "UNLIMITED",
    "WAIT_FOREVER",
    "Acquire",
    "AcquireOptions",
    "Backing",
    "Check",
    "CorePattern",
    "Harden",
    "HardenReport",
    "Kind",
    "LockPolicy",
    "MemoryReport",
    "Pool",
    "PoolOptions",
    "PoolStats",
    "Sealed",
    "SealedInfo",
    "Secret",
    "SecretInfo",
    "TierStats",
]

MAX_SECRET_LEN: Final[int] = native.KEEP_MAX_SECRET_LEN
MAX_SECRETS: Final[int] = native.KEEP_MAX_SECRETS
MAX_TIERS: Final[int] = native.KEEP_MAX_TIERS
MIN_SLOT_LEN: Final[int] = native.KEEP_MIN_SLOT_LEN
MAX_SLOT_LEN: Final[int] = native.KEEP_MAX_SLOT_LEN
MAX_BATCH: Final[int] = native.KEEP_MAX_BATCH
MAX_HOT_CACHE: Final[int] = native.KEEP_MAX_HOT_CACHE
MAX_POOL_BYTES: Final[int] = native.KEEP_MAX_POOL_BYTES
SEALED_OVERHEAD: Final[int] = native.KEEP_SEALED_OVERHEAD
UNLIMITED: Final[int] = native.KEEP_UNLIMITED
WAIT_FOREVER: Final[int] = native.KEEP_WAIT_FOREVER

_SLICE_MS = 500


class Backing(IntEnum):
    """What the pages of a pool are made of."""

    AUTO = native.KEEP_BACKING_AUTO
    MEMFD_SECRET = native.KEEP_BACKING_MEMFD_SECRET
    LOCKED = native.KEEP_BACKING_LOCKED


class LockPolicy(IntEnum):
    """What happens when the kernel refuses to lock memory."""

    REQUIRE = native.KEEP_LOCK_REQUIRE
    ALLOW_UNLOCKED = native.KEEP_LOCK_ALLOW_UNLOCKED


class Acquire(IntFlag):
    """The flags behind the options of acquiring."""

    FALLBACK = native.KEEP_ACQUIRE_FALLBACK
    GUARDED = native.KEEP_ACQUIRE_GUARDED
    ALIGN16 = native.KEEP_ACQUIRE_ALIGN16
    RESIDENT = native.KEEP_ACQUIRE_RESIDENT


class Kind(IntEnum):
    """Where a secret lives."""

    SLOT = native.KEEP_KIND_SLOT
    GUARDED = native.KEEP_KIND_GUARDED


class Harden(IntFlag):
    """The measures of `harden`."""

    NO_CORE = native.KEEP_HARDEN_NO_CORE
    NO_DUMP = native.KEEP_HARDEN_NO_DUMP
    NO_NEW_PRIVS = native.KEEP_HARDEN_NO_NEW_PRIVS
    NO_NEW_CODE = native.KEEP_HARDEN_NO_NEW_CODE
    RECOMMENDED = native.KEEP_HARDEN_RECOMMENDED


class Check(IntFlag):
    """What `report` proves about a private pool."""

    LOCKED = native.KEEP_CHECK_LOCKED
    NOT_DUMPED = native.KEEP_CHECK_NOT_DUMPED
    FORK_SAFE = native.KEEP_CHECK_FORK_SAFE
    GUARDS = native.KEEP_CHECK_GUARDS
    HIDDEN = native.KEEP_CHECK_HIDDEN
    WIPED = native.KEEP_CHECK_WIPED
    SEALING = native.KEEP_CHECK_SEALING


class CorePattern(IntEnum):
    """Where the kernel puts cores."""

    FILE = native.KEEP_CORE_PATTERN_FILE
    PIPE = native.KEEP_CORE_PATTERN_PIPE


class PoolOptions(TypedDict, total=False):
    """How a pool is made; what is not given is the default."""

    tiers: Sequence[int]
    """slot sizes in bytes, multiples of 16; default 32, 64, 256, 1024"""
    tier_slots: Sequence[int]
    """slots made at once, per tier"""
    tier_max_slots: Sequence[int]
    """growth cap per tier; 0: `max_bytes` alone decides"""
    max_bytes: int
    """growth cap of the pool; default 4 MiB"""
    backing: Backing
    lock_policy: LockPolicy
    hot_cache: int
    """opened secrets that are kept in the clear; default none"""
    resplit_views: int
    """uses of the sealing key between two re-splits; default 256"""


class AcquireOptions(TypedDict, total=False):
    """How a secret is acquired."""

    timeout: float | None
    """seconds to wait for a slot; 0, the default: not at all; None: for ever. In the main thread
    a wait above half a second is made of waits of that length, so that signals are handled between them: each counts,
    and joins the end of the line"""
    fallback: bool
    """a guarded buffer if there is no slot, after the wait"""
    guarded: bool
    """a guarded buffer from the start"""
    align16: bool
    """a guarded buffer's data begins at a multiple of 16"""
    resident: bool
    """a guarded buffer stays accessible between windows"""


@dataclass(frozen=True)
class TierStats:
    """One tier of a pool as it is."""

    slot_len: int
    slots: int
    in_use: int
    cached: int
    waiting: int
    regions: int


@dataclass(frozen=True)
class PoolStats:
    """A pool as it is. `backing` is AUTO while there is no region."""

    tiers: tuple[TierStats, ...]
    backing: Backing
    last_lock_errno: int
    locked_bytes: int
    unlocked_bytes: int
    metadata_bytes: int
    guarded_bytes: int
    guarded: int
    growths: int
    waits: int
    timeouts: int
    fallbacks: int
    lock_failures: int
    resplits: int
    purges: int
    cache_entries: int
    cache_hits: int
    cache_misses: int
    cache_evictions: int


@dataclass(frozen=True)
class SecretInfo:
    """What a secret is and what protects it. `tier` is an index of the pool's tiers, MAX_TIERS for a guarded buffer."""

    len: int
    capacity: int
    kind: Kind
    tier: int
    backing: Backing
    windows: int
    frozen: bool
    locked: bool
    exposed: bool
    purged: bool


@dataclass(frozen=True)
class SealedInfo:
    """What is sealed."""

    id: int
    len: int
    stored_len: int
    type: int
    purged: bool


@dataclass(frozen=True)
class HardenReport:
    """What `harden` reached; `error` has an errno per bit number."""

    requested: Harden
    active: Harden
    failed: Harden
    error: tuple[int, ...]


@dataclass(frozen=True)
class MemoryReport:
    """What the machine and the process allow. -1: unknown; UNLIMITED: no limit; 1 or 0: is there or not."""

    page_size: int
    memlock_soft: int
    memlock_hard: int
    locked_bytes: int
    cap_ipc_lock: int
    memfd_secret: int
    wipe_on_fork: int
    hardening: int
    core_limit: int
    core_pattern: int
    dumpable: int
    no_new_privs: int
    no_new_code: int
    yama_scope: int
    swap_bytes: int
    backing: Backing
    checked: Check
    passed: Check
    failed: Check


def _tiers(tiers: list[dict[str, Any]]) -> tuple[TierStats, ...]:
    return tuple(TierStats(**tier) for tier in tiers)


def _acquire(
    acquire: Callable[[dict[str, int]], Secret],
    *,
    timeout: float | None = 0.0,
    fallback: bool = False,
    guarded: bool = False,
    align16: bool = False,
    resident: bool = False,
) -> Secret:
    """Acquires by a function of AcquireOptions as the C struct has them."""
    chosen = {
        Acquire.FALLBACK: fallback,
        Acquire.GUARDED: guarded,
        Acquire.ALIGN16: align16,
        Acquire.RESIDENT: resident,
    }
    flags = sum(flag for flag, is_set in chosen.items() if is_set)
    timeout_ms = WAIT_FOREVER if timeout is None else math.ceil(timeout * 1000)
    if _SLICE_MS < timeout_ms <= WAIT_FOREVER and threading.current_thread() is threading.main_thread():
        return _acquire_in_slices(acquire, timeout_ms, flags)
    return acquire({"timeout_ms": timeout_ms, "flags": flags})


def _acquire_in_slices(acquire: Callable[[dict[str, int]], Secret], timeout_ms: int, flags: int) -> Secret:
    """Python handles signals in its main thread alone, and not while that is in C. Only the last slice falls back."""
    slice_options = {"timeout_ms": _SLICE_MS, "flags": flags & ~Acquire.FALLBACK}
    end_ms = math.inf if timeout_ms == WAIT_FOREVER else 1000 * time.monotonic() + timeout_ms
    left_ms: float = timeout_ms
    while left_ms > _SLICE_MS:
        try:
            return acquire(slice_options)
        except KeepTimeoutError:
            left_ms = max(1, end_ms - 1000 * time.monotonic())  # 0 would not be a wait
        except KeepError:
            left_ms = 0  # there is nothing to wait for
    return acquire({"timeout_ms": math.ceil(left_ms), "flags": flags})


@final
@native.keep_facade
class Pool(Handle, native.Pool):
    """Locked memory for secrets, and the compartment of their sealing key. See keep/pool.h."""

    __slots__ = ()

    def __new__(cls, **options: Unpack[PoolOptions]) -> Pool:
        """Makes a pool. It maps only what `tier_slots` asks for; the rest comes with first use."""
        return native.keep_pool_new(options)

    @classmethod
    def default(cls, **options: Unpack[PoolOptions]) -> Pool:
        """The pool that is used where none is named. StateError: it exists already and options were given."""
        return native.keep_pool_default(options or None)

    def close(self) -> None:
        native.keep_pool_free(self)

    def acquire(self, length: int, **options: Unpack[AcquireOptions]) -> Secret:
        """A secret of `length` zero bytes: a slot, or a guarded buffer if it is longer than the largest tier's."""
        if options:
            return _acquire(partial(native.keep_pool_acquire, self, length), **options)
        return native.keep_pool_acquire(self, length, None)

    def acquire_many(self, length: int, count: int) -> list[Secret]:
        """`count` secrets of one length, or none. It never waits."""
        return native.keep_pool_acquire_batch(self, length, count)

    def reserve(self, length: int, count: int) -> None:
        """Grows now, so that the tier of `length` has `count` free slots."""
        native.keep_pool_reserve(self, length, count)

    def trim(self) -> int:
        """Unmaps regions without a secret; returns the bytes of locked memory given back."""
        return native.keep_pool_trim(self)

    def stats(self) -> PoolStats:
        """The pool as it is; each number was true during the call."""
        return PoolStats(**typed(native.keep_pool_stats(self), tiers=_tiers, backing=Backing))

    def __repr__(self) -> str:
        return described(self, lambda: f"tiers {', '.join(str(tier.slot_len) for tier in self.stats().tiers)}")


@final
@native.keep_facade
class Secret(Handle, native.Secret):
    """A secret in locked memory, wiped when it is closed. See keep/secret.h.

    It is a buffer: `memoryview(secret)` and every function that takes bytes read it in place, without a copy. `put`,
    `get`, `reveal`, `randomize`, `clear`, `resize`, `freeze` and `melt` are inherited.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def generate(cls, length: int, *, pool: Pool | None = None) -> Secret:
        """A secret of random bytes."""
        return native.keep_secret_generate(pool, length)

    @classmethod
    def from_bytes(cls, data: Buffer, *, pool: Pool | None = None) -> Secret:
        """A secret with a copy of `data`, which stays as it is."""
        return native.keep_secret_from_bytes(pool, data)

    @classmethod
    def take_bytes(cls, data: Buffer, *, pool: Pool | None = None) -> Secret:
        """A secret with a copy of `data`, a writable buffer, which is wiped if that succeeded."""
        return native.keep_secret_take_bytes(pool, data)

    @classmethod
    def close_many(cls, secrets: Sequence[Secret]) -> None:
        """Closes every secret it can. Raises the first failure; those under an open window stay open."""
        native.keep_secret_free_batch(secrets)

    def close(self) -> None:
        native.keep_secret_free(self)

    def duplicate(self) -> Secret:
        """A second secret with equal bytes: same pool, same kind, not frozen."""
        return native.keep_secret_duplicate(self)

    def read(self) -> memoryview:
        """The bytes in place, to be read: `with secret.read() as view`. The window ends with the last view of it."""
        return memoryview(self)

    def write(self) -> memoryview:
        """The bytes in place, to be changed: `with secret.write() as view`. Nothing else may use them meanwhile."""
        return native.keep_secret_write(self)

    def get_into(self, offset: int, out: Buffer) -> int:
        """Copies as many bytes as `out` has out of the secret; returns their number."""
        return native.keep_secret_get(self, offset, out)

    def reveal_into(self, out: Buffer) -> int:
        """Copies all bytes out; returns their number. BufferTooSmallError has it as `needed`."""
        return native.keep_secret_reveal(self, out)

    def equal(self, other: Secret) -> bool:
        """Compares in a time that does not depend on the bytes, as `==` does."""
        return native.keep_secret_equal(self, other)

    def equal_bytes(self, data: Buffer) -> bool:
        """Compares with bytes in a time that does not depend on either."""
        return native.keep_secret_equal_bytes(self, data)

    def info(self) -> SecretInfo:
        """What the secret is and what protects it; also of a purged one."""
        return SecretInfo(**typed(native.keep_secret_info(self), kind=Kind, backing=Backing))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            return native.keep_secret_equal(self, other)
        if isinstance(other, (bytes, bytearray, memoryview)):
            return native.keep_secret_equal_bytes(self, other)
        return NotImplemented

    def __repr__(self) -> str:
        return described(self, lambda: _secret_state(self.info()))


@final
@native.keep_facade
class Sealed(Handle, native.Sealed):
    """A secret that is encrypted while it is idle. See keep/sealed.h."""

    __slots__ = ()

    def __new__(cls, data: Buffer, *, type: int = 0, pool: Pool | None = None) -> Sealed:
        """Seals a copy of `data`, which stays as it is. `type` is a number of the caller's, bound to the bytes."""
        return native.keep_sealed_new(pool, data, type)

    @classmethod
    def take(cls, data: Buffer, *, type: int = 0, pool: Pool | None = None) -> Sealed:
        """Seals a copy of `data`, a writable buffer, which is wiped if that succeeded."""
        return native.keep_sealed_take(pool, data, type)

    @classmethod
    def from_secret(cls, secret: Secret, *, type: int = 0) -> Sealed:
        """Seals the secret's bytes, in the secret's pool. The secret stays as it is."""
        return native.keep_sealed_from_secret(secret, type)

    def close(self) -> None:
        native.keep_sealed_free(self)

    def open(self, **options: Unpack[AcquireOptions]) -> Secret:
        """Opens into a new secret of the same pool, frozen. AuthError: what was sealed has been changed."""
        if options:
            return _acquire(partial(native.keep_sealed_open, self), **options)
        return native.keep_sealed_open(self, None)

    def open_into(self, secret: Secret) -> int:
        """Opens into a secret that exists; returns the length it has now."""
        native.keep_sealed_open_into(self, secret)
        return len(secret)

    def info(self) -> SealedInfo:
        """What is sealed, without opening it."""
        return SealedInfo(**native.keep_sealed_info(self))

    def __repr__(self) -> str:
        return described(self, lambda: _sealed_state(self.info()))


def _secret_state(info: SecretInfo) -> str:
    marks = [name for name in ("frozen", "exposed", "purged") if getattr(info, name)]
    return ", ".join([f"{info.len} bytes", info.kind.name.lower(), *marks])


def _sealed_state(info: SealedInfo) -> str:
    return f"{info.len} bytes, type {info.type}{', purged' if info.purged else ''}"


def purge() -> int:
    """Wipes every secret of the process now; returns how many windows were open."""
    return native.keep_purge()


def harden(flags: Harden) -> HardenReport:
    """Protects the process as a whole, for good. KeepSystemError: something failed; its `report` says what."""
    status, values = native.keep_harden(flags)
    report = HardenReport(**typed(values, requested=Harden, active=Harden, failed=Harden))
    return _reported(status, "harden", report)


def report(*, test: bool = False, **options: Unpack[PoolOptions]) -> MemoryReport:
    """The facts; on request, or with options, also a test of a private pool. KeepSystemError: a check failed."""
    status, values = native.keep_memory_report(options if test or options else None)
    report = MemoryReport(**typed(values, backing=Backing, checked=Check, passed=Check, failed=Check))
    return _reported(status, "memory.report", report)


def _reported(status: int, op: str, report: Report) -> Report:
    """The report, or the exception that carries it."""
    if status == 0:
        return report
    error = by_status[status](op=op)
    error.report = report
    raise error


def known_answer(name: str, data: Buffer) -> bytes:
    """A published answer, to check a build; keep/protect.h lists the names."""
    return native.keep_memory_known_answer(name, data)


def known_answer_into(name: str, data: Buffer, out: Buffer) -> int:
    """The same into a writable buffer; returns the length."""
    return native.keep_memory_known_answer(name, data, out)
