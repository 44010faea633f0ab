# SPDX-License-Identifier: MIT
"""What is taken as bytes, and what happens to it meanwhile (bindings T3)."""

from __future__ import annotations

import array
import hashlib
import io
import mmap
import threading
import tracemalloc
from collections.abc import Callable

import libkeep
import pytest
from libkeep import Kind, Pool, Sealed, Secret, Session

DATA = b"0123456789abcdef"


def mapped() -> mmap.mmap:
    region = mmap.mmap(-1, len(DATA))
    region[:] = DATA
    return region


@pytest.mark.parametrize(
    "make",
    [
        lambda: DATA,
        lambda: bytearray(DATA),
        lambda: memoryview(DATA),
        lambda: memoryview(b"--" + DATA)[2:],
        lambda: array.array("B", DATA),
        lambda: array.array("I", DATA),
        lambda: memoryview(DATA).cast("B", (4, 4)),
        mapped,
        lambda: Secret.from_bytes(DATA),
    ],
)
def test_every_contiguous_buffer_is_bytes(
    pool: Pool, sealer: Session, opener: Session, make: Callable[[], bytes]
) -> None:
    data = make()
    datagram = sealer.seal([data])
    assert opener.open(datagram).events == (DATA,)
    with Secret.from_bytes(data, pool=pool) as secret, Sealed(data, pool=pool) as sealed, sealed.open() as opened:
        assert secret == opened == DATA
        secret.clear()
        secret.put(0, data)
        assert secret.equal_bytes(data)


@pytest.mark.parametrize("wrong", ["text", 7, None, [1, 2], 1.5])
def test_what_is_no_buffer_is_refused(secret: Secret, wrong: bytes) -> None:
    for call in (Secret.from_bytes, Secret.take_bytes, Sealed, Sealed.take, secret.equal_bytes):
        with pytest.raises(TypeError):
            call(wrong)
    with pytest.raises(TypeError):
        secret.put(0, wrong)


def test_strided_and_read_only_buffers_are_refused(secret: Secret) -> None:
    with pytest.raises(BufferError):
        Secret.from_bytes(memoryview(DATA)[::2])
    for call in (secret.reveal_into, lambda out: secret.get_into(0, out), Sealed.take):
        with pytest.raises(BufferError):
            call(DATA)
    with pytest.raises(BufferError):
        secret.reveal_into(memoryview(bytearray(32))[::2])


@pytest.mark.parametrize(
    "make",
    [
        lambda: bytearray(16),
        lambda: array.array("I", bytes(16)),
        lambda: mmap.mmap(-1, 16),
        lambda: Secret.generate(16),
    ],
)
def test_every_writable_buffer_is_filled(secret: Secret, make: Callable[[], bytearray]) -> None:
    out = make()
    assert secret.reveal_into(out) == 16
    assert bytes(memoryview(out)) == DATA


def test_other_libraries_take_a_secret_too(secret: Secret) -> None:
    assert hashlib.sha256(secret).digest() == hashlib.sha256(DATA).digest()
    assert io.BytesIO(b"fedcba9876543210").readinto(secret) == 16
    assert secret == b"fedcba9876543210"
    assert secret.info().windows == 0


def test_the_content_of_a_secret_goes_nowhere_through_itself(secret: Secret) -> None:
    with pytest.raises(libkeep.BusyError):
        secret.put(0, secret)
    with pytest.raises(libkeep.BusyError):
        secret.reveal_into(secret)
    with secret.read() as view, pytest.raises(libkeep.BusyError):
        secret.put(0, view)
    assert secret == DATA


def test_a_buffer_cannot_move_while_a_call_reads_it() -> None:
    source = bytearray(libkeep.MAX_SECRET_LEN - 1)  # the other thread adds a byte
    refused: list[bool] = []

    def resize() -> None:
        while not done.is_set():
            try:
                source.append(0)
                source.pop()
            except BufferError:
                refused.append(True)

    done = threading.Event()
    thread = threading.Thread(target=resize)
    thread.start()
    try:
        for _ in range(50):
            Sealed(source).close()
            if refused:
                break
    finally:
        done.set()
        thread.join()
    assert refused


def test_a_refused_call_lets_go_of_its_buffer(secret: Secret) -> None:
    source, out = bytearray(DATA), bytearray(8)
    with pytest.raises(libkeep.InvalidArgumentError):
        secret.put(1, source)
    with pytest.raises(libkeep.BufferTooSmallError):
        secret.reveal_into(out)
    with pytest.raises(OverflowError):
        secret.put(-1, source)
    source.append(0)
    out.append(0)


def test_a_large_input_is_not_copied() -> None:
    source = bytes(32 << 20)
    tracemalloc.start()
    with Pool() as pool, pytest.raises(libkeep.InvalidArgumentError), pool.acquire(8) as secret:
        secret.put(0, source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_large_secret_lives_in_a_guarded_buffer() -> None:
    data = bytes(range(256)) * 4096
    with Secret.from_bytes(data) as secret:
        assert secret.info().kind is Kind.GUARDED
        assert secret.reveal() == data
        with secret.read() as view:
            assert view[-1] == 255
