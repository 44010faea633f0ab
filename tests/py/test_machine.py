# SPDX-License-Identifier: MIT
"""Random calls on pools and secrets against a model (style R36): the model is a bytearray and a few words."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from libkeep import KeepError, Kind, Pool, Sealed, Secret

TIERS = (16, 48, 128)
SLOTS = 4
lengths = st.integers(0, 160)
data = st.binary(max_size=160)


class Model:
    """What a secret should be."""

    def __init__(self, content: bytes, guarded: bool, frozen: bool = False) -> None:
        self.content = bytearray(content)
        self.tier = next((tier for tier in TIERS if len(content) <= tier and not guarded), None)
        self.capacity = self.tier or len(content)
        self.frozen = frozen
        self.views: list[memoryview] = []

    def change_status(self) -> str:
        """What a change of the bytes gives, if its arguments are right."""
        return "STATE" if self.frozen else "BUSY" if self.views else "OK"

    def free_status(self) -> str:
        return "BUSY" if self.views else "OK"


def status_of(call: Callable[[], object]) -> str:
    try:
        call()
    except KeepError as error:
        return error.name
    return "OK"


class Secrets(RuleBasedStateMachine):
    secrets = Bundle("secrets")
    sealed = Bundle("sealed")

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(tiers=TIERS, tier_max_slots=[SLOTS] * len(TIERS))
        self.live: dict[int, tuple[Secret, Model]] = {}
        self.number = 0

    def used(self, tier: int) -> int:
        return sum(model.tier == tier for _, model in self.live.values())

    def make(self, call: Callable[[], Secret], model: Model) -> int:
        """Makes a secret, or finds that its tier is full; the number of the secret."""
        self.number += 1
        if model.tier is not None and self.used(model.tier) == SLOTS:
            assert status_of(call) == "EXHAUSTED"
        else:
            self.live[self.number] = (call(), model)
        return self.number

    @rule(target=secrets, content=data)
    def from_bytes(self, content: bytes) -> int:
        return self.make(lambda: Secret.from_bytes(content, pool=self.pool), Model(content, guarded=False))

    @rule(target=secrets, length=lengths, guarded=st.booleans())
    def acquire(self, length: int, guarded: bool) -> int:
        return self.make(lambda: self.pool.acquire(length, guarded=guarded), Model(bytes(length), guarded))

    @rule(target=sealed, content=data)
    def seal(self, content: bytes) -> tuple[Sealed, bytes]:
        return Sealed(content, pool=self.pool), content

    @rule(target=secrets, sealed=sealed, guarded=st.booleans())
    def open(self, sealed: tuple[Sealed, bytes], guarded: bool) -> int:
        return self.make(lambda: sealed[0].open(guarded=guarded), Model(sealed[1], guarded, frozen=True))

    @rule(number=secrets, sealed=sealed)
    def open_into(self, number: int, sealed: tuple[Sealed, bytes]) -> None:
        if number not in self.live:
            return
        secret, model = self.live[number]
        fits = len(sealed[1]) <= model.capacity
        want = "STATE" if model.frozen else model.change_status() if fits else "INVALID_ARGUMENT"
        assert status_of(lambda: sealed[0].open_into(secret)) == want
        if want == "OK":
            model.content[:] = sealed[1]

    @rule(number=secrets, offset=lengths, content=data)
    def put(self, number: int, offset: int, content: bytes) -> None:
        if number not in self.live:
            return
        secret, model = self.live[number]
        fits = offset + len(content) <= len(model.content)
        want = "STATE" if model.frozen else model.change_status() if fits else "INVALID_ARGUMENT"
        assert status_of(lambda: secret.put(offset, content)) == want
        if want == "OK":
            model.content[offset : offset + len(content)] = content

    @rule(number=secrets, length=lengths)
    def resize(self, number: int, length: int) -> None:
        if number not in self.live:
            return
        secret, model = self.live[number]
        fits = length <= model.capacity
        want = "STATE" if model.frozen else model.change_status() if fits else "INVALID_ARGUMENT"
        assert status_of(lambda: secret.resize(length)) == want
        if want == "OK":
            model.content[:] = bytes(model.content[:length]).ljust(length, b"\0")

    @rule(number=secrets, frozen=st.booleans())
    def freeze_or_melt(self, number: int, frozen: bool) -> None:
        if number not in self.live:
            return
        secret, model = self.live[number]
        want = model.free_status()
        assert status_of(secret.freeze if frozen else secret.melt) == want
        if want == "OK":
            model.frozen = frozen

    @rule(number=secrets)
    def look(self, number: int) -> None:
        if number in self.live:
            secret, model = self.live[number]
            model.views.append(secret.read())

    @rule(number=secrets)
    def look_away(self, number: int) -> None:
        if number in self.live and self.live[number][1].views:
            self.live[number][1].views.pop().release()

    @rule(number=secrets, content=data)
    def write(self, number: int, content: bytes) -> None:
        if number not in self.live:
            return
        secret, model = self.live[number]
        if model.change_status() != "OK":
            assert status_of(secret.write) == model.change_status()
            return
        content = content[: len(model.content)]
        with secret.write() as view:
            view[: len(content)] = content
        model.content[: len(content)] = content

    @rule(number=consumes(secrets))
    def close(self, number: int) -> None:
        if number not in self.live:
            return
        secret, model = self.live[number]
        assert status_of(secret.close) == model.free_status()
        while model.views:
            model.views.pop().release()
        secret.close()
        assert status_of(secret.reveal) == "CLOSED"
        del self.live[number]

    @rule(sealed=consumes(sealed))
    def close_sealed(self, sealed: tuple[Sealed, bytes]) -> None:
        sealed[0].close()

    @rule()
    def trim(self) -> None:
        self.pool.trim()

    @invariant()
    def secrets_are_what_they_should_be(self) -> None:
        for secret, model in self.live.values():
            info = secret.info()
            assert secret.reveal() == model.content
            assert (info.len, info.capacity) == (len(model.content), model.capacity)
            assert (info.frozen, info.windows) == (model.frozen, len(model.views))
            assert info.kind is (Kind.GUARDED if model.tier is None else Kind.SLOT)

    @invariant()
    def the_pool_counts_right(self) -> None:
        stats = self.pool.stats()
        assert [tier.in_use for tier in stats.tiers] == [self.used(tier) for tier in TIERS]
        assert stats.guarded == sum(model.tier is None for _, model in self.live.values())

    def teardown(self) -> None:
        for secret, model in self.live.values():
            while model.views:
                model.views.pop().release()
            secret.close()
        self.pool.close()


Secrets.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestSecrets = Secrets.TestCase
