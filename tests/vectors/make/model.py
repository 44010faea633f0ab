# SPDX-License-Identifier: MIT
"""What memory §3 says of pools, secrets and sealed secrets, as a program: it tells what each step of a script gives.

It knows nothing of pages, so it refuses (AssertionError) a question whose answer depends on their size. Random bytes
are values that equal nothing but themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Union

MAX_SECRET_LEN = 64 << 20
MAX_SECRETS = 1 << 22
MAX_BATCH = 1024
OVERHEAD = 40
UNLIMITED = 1 << 60
REGION_LEN = 8192  # two pages of the smallest size: the least that a tier begins with

Step = dict[str, Any]
Outputs = dict[str, Any]


class Random:
    """A byte that nobody knows."""


Content = list[Union[int, Random]]


class Refused(Exception):
    """The status of a step that does not succeed, and what it tells nevertheless."""

    def __init__(self, status: str, **outputs: Any) -> None:
        super().__init__(status)
        self.status = status
        self.outputs = outputs


def refuse(condition: bool, status: str, **outputs: Any) -> None:
    """Ends the step with a status if the condition holds."""
    if condition:
        raise Refused(status, **outputs)


class Tier:
    """Slots of one length. `limit` counts those there can be."""

    def __init__(self, slot_len: int, initial: int, limit: int) -> None:
        self.slot_len = slot_len
        self.limit = limit
        self.is_made = initial > 0
        self.in_use = 0
        self.cached = 0

    def free(self) -> int:
        """Slots that nobody has."""
        return self.limit - self.in_use - self.cached

    def slots(self) -> int:
        """All slots that exist, if that is the same for every page size: the first region holds all of them."""
        assert not self.is_made or self.limit * self.slot_len <= REGION_LEN
        return self.limit if self.is_made else 0


class Pool:
    """Tiers, guarded buffers and the hot cache, which has its oldest entry first."""

    def __init__(self, tiers: list[Tier], hot_cache: int) -> None:
        self.tiers = tiers
        self.hot_cache = hot_cache
        self.guarded = 0
        self.cache: list[Sealed] = []
        self.hits = self.misses = self.evictions = 0

    def route(self, length: int) -> Tier | None:
        """R7: the smallest tier that holds the length."""
        return next((tier for tier in self.tiers if length <= tier.slot_len), None)

    def exact(self, length: int) -> Tier | None:
        """R45: the tier whose slots are exactly that long, if there is a cache."""
        tier = self.route(length)
        return tier if self.hot_cache and tier and tier.slot_len == length else None

    def leave_cache(self, sealed: Sealed) -> None:
        """An entry gives its slot back."""
        if sealed in self.cache:
            self.cache.remove(sealed)
            sealed.exact_tier().cached -= 1

    def evict(self, tier: Tier | None = None) -> bool:
        """R9, R46: the least recently used entry, of a tier or of all, leaves."""
        for sealed in self.cache:
            if tier in (None, sealed.exact_tier()):
                self.leave_cache(sealed)
                self.evictions += 1
                return True
        return False


class Sealed:
    """A sealed secret."""

    def __init__(self, world: World, pool: Pool, content: Content, kind: int) -> None:
        self.pool = pool
        self.content = content
        self.kind = kind
        self.epoch = world.epoch
        world.ids += 1
        self.identifier = world.ids

    def exact_tier(self) -> Tier:
        """The tier of its cache entry."""
        tier = self.pool.exact(len(self.content))
        assert tier is not None
        return tier


class Secret:
    """A slot, or a guarded buffer if it has no tier."""

    def __init__(self, pool: Pool, tier: Tier | None, length: int) -> None:
        self.pool = pool
        self.tier = tier
        self.capacity = tier.slot_len if tier else length
        self.content: Content = [0] * length
        self.frozen = self.purged = self.freed = self.writer = False
        self.readers = 0
        if tier:
            tier.in_use += 1
            tier.is_made = True
        else:
            pool.guarded += 1

    def windows(self) -> int:
        """Open ones."""
        return self.readers + self.writer

    def info(self) -> Outputs:
        """What `info` says."""
        kind = "slot" if self.tier else "guarded"
        return {"len": len(self.content), "capacity": self.capacity, "kind": kind, "frozen": self.frozen}

    def give_back(self) -> None:
        """Frees it."""
        self.freed = True
        if self.tier:
            self.tier.in_use -= 1
        else:
            self.pool.guarded -= 1


def visible(content: Content) -> Outputs:
    """The output `data`, unless it is random."""
    known = [byte for byte in content if isinstance(byte, int)]
    return {"data": bytes(known).hex()} if len(known) == len(content) else {}


def is_equal(one: Content, other: Content) -> bool:
    """R25. Random bytes that equal others by chance must be out of the question."""
    differing = sum(a != b for a, b in zip(one, other))
    assert differing == 0 or differing >= 16 or Random not in {type(byte) for byte in one + other}
    return len(one) == len(other) and differing == 0


def acquire(pool: Pool, length: int, timeout_ms: int = 0, fallback: bool = False, guarded: bool = False) -> Secret:
    """R7, R9, R12, R26."""
    refuse(length > MAX_SECRET_LEN, "INVALID_ARGUMENT")
    tier = None if guarded else pool.route(length)
    if tier is None or tier.free() > 0 or pool.evict(tier):
        return Secret(pool, tier, length)
    if fallback:
        return Secret(pool, None, length)
    raise Refused("TIMEOUT" if timeout_ms > 0 and tier.is_made else "EXHAUSTED")


def open_hit(sealed: Sealed) -> Secret:
    """R47: into a free slot, else the entry's own slot leaves the cache."""
    pool, tier = sealed.pool, sealed.exact_tier()
    pool.cache.remove(sealed)
    if tier.free() > 0:
        pool.cache.append(sealed)
    else:
        tier.cached -= 1
    pool.hits += 1
    return Secret(pool, tier, len(sealed.content))


def open_miss(sealed: Sealed, timeout_ms: int, fallback: bool) -> Secret:
    """R45, R46: acquires, then copies into a further free slot if there is one."""
    pool, tier = sealed.pool, sealed.pool.exact(len(sealed.content))
    secret = acquire(pool, len(sealed.content), timeout_ms, fallback)
    if tier is None:
        return secret
    pool.misses += 1
    if tier.free() > 0:
        if len(pool.cache) == pool.hot_cache:
            pool.evict()
        pool.cache.append(sealed)
        tier.cached += 1
    return secret


def usable(*secrets: Secret) -> None:
    """R1, 4 and 5: closed before purged, of all secrets of a call."""
    refuse(any(secret.freed for secret in secrets), "CLOSED")
    refuse(any(secret.purged for secret in secrets), "PURGED")


def readable(*secrets: Secret) -> None:
    """R22: nobody writes."""
    refuse(any(secret.writer for secret in secrets), "BUSY")


def writable(secret: Secret) -> None:
    """R22: nobody looks."""
    refuse(secret.windows() > 0, "BUSY")


def options_tiers(step: Step) -> list[Tier]:
    """R4: the tiers of a new pool, sorted, or a refusal."""
    lengths = step.get("tiers", [32, 64, 256, 1024])
    initial = step.get("tier_slots", [0] * len(lengths))
    caps = step.get("tier_max_slots", [0] * len(lengths))
    rows = sorted(set(zip(lengths, initial, caps)))
    max_bytes = step.get("max_bytes", 0) or 4 << 20
    wrong = (
        len(lengths) > 8,
        len({row[0] for row in rows}) < len(rows),
        any(length % 16 or not 16 <= length <= 16384 for length in lengths),
        any(0 < cap < count for _, count, cap in rows),
        sum(length * count for length, count, _ in rows) > max_bytes,
        max_bytes > 1 << 30,
        step.get("hot_cache", 0) > 4096,
    )
    refuse(any(wrong), "INVALID_ARGUMENT")
    tiers = [Tier(length, count, cap or UNLIMITED) for length, count, cap in rows]
    limit_bytes(tiers, step.get("max_bytes", 0))
    refuse(any(count > tier.limit for (_, count, _), tier in zip(rows, tiers)), "EXHAUSTED")
    return tiers


def limit_bytes(tiers: list[Tier], max_bytes: int) -> None:
    """R10: where max_bytes counts the same for every page size; elsewhere it is as good as none."""
    if 0 < max_bytes < 4096:
        for tier in tiers:
            tier.limit = 0
    elif len(tiers) == 1 and max_bytes and max_bytes % 65536 == 0 and 4096 % tiers[0].slot_len == 0:
        tiers[0].limit = min(tiers[0].limit, max_bytes // tiers[0].slot_len)


class World:
    """The process: handles by name, and what all pools share."""

    def __init__(self) -> None:
        self.epoch = self.ids = 0
        self.handles: dict[str, Any] = {}
        self.default = Pool([Tier(length, 0, UNLIMITED) for length in (32, 64, 256, 1024)], 0)
        self.saved: dict[str, Content] = {}

    def run(self, step: Step) -> tuple[str, Outputs]:
        """The status of a step and all its outputs. Steps inside it are completed in place."""
        method: Callable[[Step], Outputs] = getattr(self, "op_" + step["op"])
        try:
            outputs = method(step)
        except Refused as refused:
            return refused.status, refused.outputs
        if "save" in step:
            self.saved[step["save"]] = list(bytes.fromhex(outputs["data"]))
        return "OK", outputs

    def pool(self, step: Step) -> Pool:
        """The pool that a step names."""
        found: Pool = self.handles[step["on"]] if "on" in step else self.default
        return found

    def secret(self, step: Step, key: str = "on") -> Secret:
        """The secret that a step names."""
        found: Secret = self.handles[step[key]]
        return found

    def sealed(self, step: Step, key: str = "on") -> Sealed:
        """The sealed secret that a step names."""
        found: Sealed = self.handles[step[key]]
        return found

    def content(self, value: Any) -> Content:
        """Bytes in any of their forms (vectors R30)."""
        if isinstance(value, str):
            return [*bytes.fromhex(value)]
        if isinstance(value, list):
            return [byte for part in value for byte in self.content(part)]
        if "repeat" in value:
            return [*bytes.fromhex(value["hex"])] * int(value["repeat"])
        content = list(self.saved[value["ref"]])
        if "xor" in value:
            for at, byte in enumerate(bytes.fromhex(value["xor"]["hex"]), value["xor"]["at"]):
                old = content[at]
                assert isinstance(old, int)
                content[at] = old ^ byte
        return content[: value.get("take", len(content))]

    def bind(self, step: Step, secret: Secret) -> Outputs:
        """Names a new secret; the outputs of everything that makes one."""
        self.handles[step["as"]] = secret
        return secret.info()

    # Pools

    def op_pool_new(self, step: Step) -> Outputs:
        self.handles[step["as"]] = Pool(options_tiers(step), step.get("hot_cache", 0))
        return {}

    def op_pool_stats(self, step: Step) -> Outputs:
        pool = self.pool(step)
        outputs: Outputs = {"tiers": [tier.slot_len for tier in pool.tiers], "guarded": pool.guarded}
        outputs["cache_entries"] = len(pool.cache)
        outputs |= {"cache_hits": pool.hits, "cache_misses": pool.misses, "cache_evictions": pool.evictions}
        if "tier" in step:
            tier = pool.tiers[step["tier"]]
            outputs |= {"slot_len": tier.slot_len, "in_use": tier.in_use, "cached": tier.cached}
            if not tier.is_made or tier.limit * tier.slot_len <= REGION_LEN:
                outputs["slots"] = tier.slots()
        return outputs

    def op_acquire(self, step: Step) -> Outputs:
        options = int(step.get("timeout_ms", 0)), step.get("fallback", False)
        return self.bind(step, acquire(self.pool(step), step["len"], *options))

    def op_acquire_guarded(self, step: Step) -> Outputs:
        return self.bind(step, acquire(self.pool(step), step["len"], guarded=True))

    def op_acquire_batch(self, step: Step) -> Outputs:
        pool, names = self.pool(step), step["as"]
        refuse(not 1 <= len(names) <= MAX_BATCH or step["len"] > MAX_SECRET_LEN, "INVALID_ARGUMENT")
        tier = pool.route(step["len"])
        if tier and tier.free() + tier.cached < len(names):
            assert not tier.cached  # how many entries give way before it fails is nobody's business
            raise Refused("EXHAUSTED")
        self.handles |= {name: acquire(pool, step["len"]) for name in names}
        return {}

    def op_reserve(self, step: Step) -> Outputs:
        count, tier = step["count"], self.pool(step).route(step["len"])
        refuse(not 1 <= count <= MAX_SECRETS or tier is None, "INVALID_ARGUMENT")
        assert tier is not None and not tier.cached
        refuse(tier.free() < count, "EXHAUSTED")
        tier.is_made = True
        return {}

    def op_trim(self, step: Step) -> Outputs:
        return {}

    # Making secrets

    def op_generate(self, step: Step) -> Outputs:
        secret = acquire(self.pool(step), step["len"])
        secret.content = [Random() for _ in secret.content]
        return self.bind(step, secret)

    def op_from_bytes(self, step: Step) -> Outputs:
        content = self.content(step["data"])
        source = visible(content)["data"]
        try:
            secret = acquire(self.pool(step), len(content))
        except Refused as refused:
            raise Refused(refused.status, source=source) from None
        secret.content = content
        return self.bind(step, secret) | {"source": source}

    def op_take_bytes(self, step: Step) -> Outputs:
        outputs = self.op_from_bytes(step)
        return outputs | {"source": "00" * outputs["len"]}

    def op_duplicate(self, step: Step) -> Outputs:
        secret = self.secret(step)
        usable(secret)
        readable(secret)
        copy = acquire(secret.pool, len(secret.content), guarded=secret.tier is None)
        copy.content = list(secret.content)
        return self.bind(step, copy)

    # Using secrets

    def op_info(self, step: Step) -> Outputs:
        secret = self.secret(step)
        refuse(secret.freed, "CLOSED")
        return secret.info() | {"purged": secret.purged}

    def op_put(self, step: Step) -> Outputs:
        secret, data, at = self.secret(step), self.content(step["data"]), step["offset"]
        usable(secret)
        refuse(secret.frozen, "STATE")
        refuse(at + len(data) > len(secret.content), "INVALID_ARGUMENT")
        writable(secret)
        secret.content[at : at + len(data)] = data
        return {}

    def op_get(self, step: Step) -> Outputs:
        secret, at, length = self.secret(step), step["offset"], step["len"]
        refuse(length > MAX_SECRET_LEN, "INVALID_ARGUMENT")
        usable(secret)
        refuse(at + length > len(secret.content), "INVALID_ARGUMENT")
        readable(secret)
        return visible(secret.content[at : at + length])

    def op_reveal(self, step: Step) -> Outputs:
        secret = self.secret(step)
        usable(secret)
        readable(secret)
        length = len(secret.content)
        refuse(step.get("cap", length) < length, "BUFFER_TOO_SMALL", len=length)
        return visible(secret.content) | {"len": length}

    def op_randomize(self, step: Step) -> Outputs:
        secret = self.changing(step)
        secret.content = [Random() for _ in secret.content]
        return {}

    def op_clear(self, step: Step) -> Outputs:
        secret = self.changing(step)
        secret.content = [0] * len(secret.content)
        return {}

    def changing(self, step: Step) -> Secret:
        """A secret whose content changes as a whole."""
        secret = self.secret(step)
        usable(secret)
        refuse(secret.frozen, "STATE")
        writable(secret)
        return secret

    def op_freeze(self, step: Step) -> Outputs:
        return self.set_frozen(step, True)

    def op_melt(self, step: Step) -> Outputs:
        return self.set_frozen(step, False)

    def set_frozen(self, step: Step, frozen: bool) -> Outputs:
        """R22: these take a window too."""
        secret = self.secret(step)
        usable(secret)
        writable(secret)
        secret.frozen = frozen
        return {}

    def op_resize(self, step: Step) -> Outputs:
        secret, length = self.secret(step), step["len"]
        refuse(length > MAX_SECRET_LEN, "INVALID_ARGUMENT")
        usable(secret)
        refuse(secret.frozen, "STATE")
        refuse(length > secret.capacity, "INVALID_ARGUMENT")
        writable(secret)
        secret.content = secret.content[:length] + [0] * (length - len(secret.content))
        return {}

    def op_equal(self, step: Step) -> Outputs:
        one, other = self.secret(step), self.secret(step, "with")
        usable(one, other)
        readable(one, other)
        return {"equal": is_equal(one.content, other.content)}

    def op_equal_bytes(self, step: Step) -> Outputs:
        secret = self.secret(step)
        usable(secret)
        readable(secret)
        return {"equal": is_equal(secret.content, self.content(step["data"]))}

    def op_read_window(self, step: Step) -> Outputs:
        secret = self.secret(step)
        usable(secret)
        readable(secret)
        seen = visible(secret.content)
        secret.readers += 1
        self.complete(step["steps"])
        secret.readers -= 1
        return seen

    def op_write_window(self, step: Step) -> Outputs:
        secret, data = self.secret(step), self.content(step.get("data", ""))
        usable(secret)
        refuse(secret.frozen, "STATE")
        writable(secret)
        seen = visible(secret.content)
        secret.content[: len(data)] = data
        secret.writer = True
        self.complete(step["steps"])
        secret.writer = False
        return seen

    def op_release(self, step: Step) -> Outputs:
        secret = self.secret(step)
        refuse(secret.freed, "CLOSED")
        refuse(secret.windows() > 0, "BUSY")
        secret.give_back()
        return {}

    def op_free(self, step: Step) -> Outputs:
        handle = self.handles[step["on"]]
        if isinstance(handle, Sealed):
            handle.pool.leave_cache(handle)
        elif isinstance(handle, Secret) and not handle.freed:
            assert not handle.windows()
            handle.give_back()
        return {}

    def op_purge(self, step: Step) -> Outputs:
        self.epoch += 1
        secrets = [one for one in self.handles.values() if isinstance(one, Secret) and not one.freed]
        for secret in secrets:
            secret.purged = True
            secret.content = [0] * len(secret.content)
        for pool in [one for one in self.handles.values() if isinstance(one, Pool)]:
            for sealed in list(pool.cache):
                pool.leave_cache(sealed)
        return {"open_windows": sum(secret.windows() for secret in secrets)}

    # Sealed secrets

    def op_seal(self, step: Step) -> Outputs:
        content = self.content(step["data"])
        refuse(len(content) > MAX_SECRET_LEN, "INVALID_ARGUMENT")
        self.handles[step["as"]] = Sealed(self, self.pool(step), content, step.get("type", 0))
        return {"source": visible(content)["data"]}

    def op_seal_take(self, step: Step) -> Outputs:
        return {"source": "0" * len(self.op_seal(step)["source"])}

    def op_seal_secret(self, step: Step) -> Outputs:
        secret = self.secret(step)
        usable(secret)
        readable(secret)
        sealed = Sealed(self, secret.pool, list(secret.content), step.get("type", 0))
        self.handles[step["as"]] = sealed
        return {}

    def op_open(self, step: Step) -> Outputs:
        sealed = self.sealed(step)
        refuse(sealed.epoch != self.epoch, "PURGED")
        if sealed in sealed.pool.cache:
            secret = open_hit(sealed)
        else:
            secret = open_miss(sealed, int(step.get("timeout_ms", 0)), step.get("fallback", False))
        secret.content = list(sealed.content)
        secret.frozen = True
        return self.bind(step, secret) | visible(secret.content)

    def op_open_into(self, step: Step) -> Outputs:
        sealed, secret = self.sealed(step), self.secret(step, "into")
        usable(secret)
        refuse(sealed.epoch != self.epoch, "PURGED")
        refuse(secret.frozen, "STATE")
        refuse(len(sealed.content) > secret.capacity, "INVALID_ARGUMENT")
        writable(secret)
        secret.content = list(sealed.content)
        return visible(secret.content) | {"len": len(secret.content)}

    def op_sealed_info(self, step: Step) -> Outputs:
        sealed = self.sealed(step)
        length = len(sealed.content)
        outputs: Outputs = {"len": length, "type": sealed.kind, "stored_len": length + OVERHEAD}
        return outputs | {"purged": sealed.epoch != self.epoch}

    def op_id_before(self, step: Step) -> Outputs:
        return {"before": self.sealed(step).identifier < self.sealed(step, "with").identifier}

    # Scripts

    def complete(self, steps: list[Step]) -> None:
        """Writes into each step what it gives."""
        for step in steps:
            status, outputs = self.run(step)
            if status != "OK":
                step["status"] = status
            if outputs:
                step["out"] = outputs
