# SPDX-License-Identifier: MIT
"""Statuses are exceptions (bindings T5), and secrets stay out of texts and copies (T5, T6)."""

from __future__ import annotations

import copy
import errno
import pickle
import traceback
from collections.abc import Callable

import libkeep
import pytest
from conftest import RunPython, needs_mlock
from libkeep import Handshake, KeepError, Layer, Noise, PacketPool, Pool, Role, Sealed, Secret, Session, native

ERRORS = list(libkeep.by_status.values())
PLANTED = b"planted-secret-5f2c"

BASES: dict[str, type[Exception]] = {
    "INVALID_ARGUMENT": ValueError,
    "NO_MEMORY": MemoryError,
    "NOT_FOUND": LookupError,
    "EXISTS": FileExistsError,
    "TIMEOUT": TimeoutError,
    "SYSTEM": OSError,
    "DENIED": PermissionError,
    "UNSUPPORTED": NotImplementedError,
    "BUSY": BufferError,
    "CLOSED": RuntimeError,
    "FORKED": RuntimeError,
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name)
def test_each_status_is_a_class(error: type[KeepError]) -> None:
    assert error.name == native.keep_status_name(error.status)
    assert error.sentence == native.keep_status_sentence(error.status)
    assert issubclass(error, BASES.get(error.name, KeepError))
    camel = "".join(word.capitalize() for word in error.name.split("_"))
    assert error.__name__ in (f"{camel}Error", f"Keep{camel}Error")
    assert getattr(libkeep, error.__name__) is error


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name)
def test_an_exception_survives_pickling(error: type[KeepError]) -> None:
    raised = error(
        "what happened", layer=Layer.ERRNO, code=errno.EIO, reason="none", values=(1, 2, 3, 4), op="Pool.new", needed=9
    )
    again = pickle.loads(pickle.dumps(raised))
    assert type(again) is error
    assert vars(again) == vars(raised)
    assert str(again) == str(raised) == "what happened"
    assert getattr(again, "errno", errno.EIO) == errno.EIO


def test_an_exception_has_all_its_attributes(secret: Secret) -> None:
    with pytest.raises(KeepError) as caught:
        secret.put(99, b"")
    error = caught.value
    assert (error.status, error.name, error.op) == (1, "INVALID_ARGUMENT", "Secret.put")
    assert str(error) == error.message == "an argument is wrong or out of range"
    assert (error.layer, error.code, error.reason, error.values, error.needed) == (0, 0, "none", (0, 0, 0, 0), None)


def test_an_unknown_number_has_a_name_too() -> None:
    assert native.keep_status_name(255) == "UNKNOWN"
    assert native.keep_reason_name(0) == "none"


def test_the_operation_is_named_by_its_method(pool: Pool) -> None:
    sealed, secret = Sealed(b"", pool=pool), Secret.generate(8, pool=pool)
    sealed.close()
    secret.close()
    named: dict[str, Callable[[], object]] = {
        "Sealed.open": sealed.open,
        "Secret.freeze": secret.freeze,
        "Secret.read": secret.read,
        "Secret.write": secret.write,
        "Secret.equal": lambda: secret == secret,
        "Pool.acquire": lambda: pool.acquire(libkeep.MAX_SECRET_LEN + 1),
    }
    for name, call in named.items():
        with pytest.raises(KeepError) as caught:
            call()
        assert caught.value.op == name


@needs_mlock
def test_a_refused_lock_is_lock_limit(run_python: RunPython) -> None:
    program = """
import ctypes, os, resource, libkeep
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
if os.getuid() == 0:
    os.setuid(65534)
try:
    libkeep.Pool(backing=libkeep.Backing.LOCKED, tiers=[32], tier_slots=[1])
except libkeep.LockLimitError as error:
    print(error.op)
pool = libkeep.Pool(tiers=[32], tier_slots=[1], lock_policy=libkeep.LockPolicy.ALLOW_UNLOCKED)
with pool.acquire(8) as secret:
    print(secret.info().locked, pool.stats().unlocked_bytes > 0)
"""
    done = run_python(program)
    assert done.stdout == "Pool.new\nFalse True\n", done.stderr


# What must not be seen


def planted(pool: Pool) -> list[object]:
    """Handles that hold what must not be seen."""
    key = Secret.from_bytes(PLANTED.ljust(32, b"!"), pool=pool)
    session = Session(session_id=1, rx_key=key)
    handshake = Handshake(Noise.XXPSK3, Role.RESPONDER, static_key=key, pre_shared_key=key)
    packets = PacketPool(1)
    return [Secret.from_bytes(PLANTED, pool=pool), Sealed(PLANTED, pool=pool), session, handshake, packets]


def texts(handle: object) -> list[str]:
    def fail() -> None:
        local = handle
        raise KeyError(local)

    try:
        fail()
    except KeyError as error:
        trace = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return [repr(handle), str(handle), f"{handle}", f"{handle!r:>5}", f"{handle}", trace]


def test_no_text_shows_a_secret_or_an_address(pool: Pool) -> None:
    for handle in planted(pool):
        for text in texts(handle):
            assert PLANTED.decode() not in text
            assert PLANTED.hex() not in text
            assert "0x" not in repr(handle)


def test_a_text_shows_the_state(pool: Pool, key: Secret, sealer: Session) -> None:
    secret, sealed = Secret.from_bytes(PLANTED, pool=pool), Sealed(PLANTED, type=4, pool=pool)
    assert repr(secret) == "<Secret: 19 bytes, slot>"
    secret.freeze()
    assert repr(secret) == "<Secret: 19 bytes, slot, frozen>"
    assert repr(sealed) == "<Sealed: 19 bytes, type 4>"
    assert repr(pool) == "<Pool: tiers 32, 64, 256, 1024>"
    handshake = Handshake(Noise.XXPSK3, Role.RESPONDER, static_key=key, pre_shared_key=key)
    packets = PacketPool(1)
    built = packets.acquire()
    assert repr(sealer) == "<Session: next 0, opened 0>"
    assert repr(handshake) == "<Handshake: read>"
    assert repr(packets) == "<PacketPool: 1 of 1 in use>"
    assert repr(built) == "<Packet: state>"
    built.build(sealer, [PLANTED])
    assert repr(built) == "<Packet: 107 bytes>"
    for handle in (secret, sealed, built, sealer, handshake, packets):
        handle.close()
        assert repr(handle) == f"<{type(handle).__name__}: closed>"


def test_a_handle_is_neither_copied_nor_pickled_nor_hashed(pool: Pool) -> None:
    for handle in [*planted(pool), pool]:
        for call in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                call(handle)
        with pytest.raises(TypeError):
            format(handle, "x")
    with pytest.raises(TypeError):
        hash(Secret.generate(8, pool=pool))


def test_a_failed_call_shows_no_bytes(pool: Pool) -> None:
    with Secret.from_bytes(PLANTED, pool=pool) as secret:
        secret.freeze()
        with pytest.raises(KeepError) as caught:
            secret.put(0, PLANTED)
    assert PLANTED.decode() not in repr(caught.value) + str(caught.value) + str(vars(caught.value))
