# SPDX-License-Identifier: MIT
"""Packets: events sealed into datagrams and opened again, pools to build them in, handshakes that end in a session.

core/include/keep/{session,packet,packet_pool,handshake,aead}.h describe every call and what it can fail with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final, Generic, TypedDict, TypeVar, final

from . import native
from ._handle import Handle, described, typed
from .memory import Pool, Secret

if TYPE_CHECKING:
    from typing_extensions import Buffer, Unpack

Event = TypeVar("Event", bytes, memoryview)

__all__ = [
    "DEFAULT_PACKET_SLOTS",
    "HANDSHAKE_KEY_LEN",
    "MAX_EVENT_LEN",
    "MAX_PACKET_EVENTS",
    "MAX_PACKET_LEN",
    "MAX_PACKET_POOLS",
    "MAX_PACKET_SLOTS",
    "MAX_PAYLOAD_LEN",
    "MAX_PROLOGUE_LEN",
    "PACKET_HEADER_LEN",
    "PACKET_OVERHEAD_LEN",
    "PACKET_TAG_LEN",
    "Aead",
    "AeadReport",
    "AeadState",
    "Handshake",
    "HandshakeInfo",
    "HandshakeState",
    "Noise",
    "Opened",
    "Packet",
    "PacketFlags",
    "PacketInfo",
    "PacketKind",
    "PacketPool",
    "PacketPoolStats",
    "PacketRequest",
    "PacketSettings",
    "Role",
    "Session",
    "SessionOptions",
    "SessionStats",
]

PACKET_HEADER_LEN: Final[int] = native.KEEP_PACKET_HEADER_LEN
PACKET_TAG_LEN: Final[int] = native.KEEP_PACKET_TAG_LEN
PACKET_OVERHEAD_LEN: Final[int] = native.KEEP_PACKET_OVERHEAD_LEN
MAX_PACKET_LEN: Final[int] = native.KEEP_MAX_PACKET_LEN
MAX_PAYLOAD_LEN: Final[int] = native.KEEP_MAX_PAYLOAD_LEN
MAX_EVENT_LEN: Final[int] = native.KEEP_MAX_EVENT_LEN
MAX_PACKET_EVENTS: Final[int] = native.KEEP_MAX_PACKET_EVENTS
MAX_PACKET_SLOTS: Final[int] = native.KEEP_MAX_PACKET_SLOTS
MAX_PACKET_POOLS: Final[int] = native.KEEP_MAX_PACKET_POOLS
DEFAULT_PACKET_SLOTS: Final[int] = native.KEEP_DEFAULT_PACKET_SLOTS
HANDSHAKE_KEY_LEN: Final[int] = native.KEEP_HANDSHAKE_KEY_LEN
MAX_PROLOGUE_LEN: Final[int] = native.KEEP_MAX_PROLOGUE_LEN


@native.keep_type
class PacketKind(IntEnum):
    """Kinds of packets. A handshake frame is one event in the clear, of a session that is yet to be."""

    DATA = native.KEEP_PACKET_DATA
    HEARTBEAT = native.KEEP_PACKET_HEARTBEAT
    HANDSHAKE = native.KEEP_PACKET_HANDSHAKE


@native.keep_type
class PacketFlags(IntFlag):
    """Flags of a data packet. Bits 6 and 7 are carried too; 4 and 5 are the library's."""

    RELIABLE = native.KEEP_PACKET_RELIABLE
    NACK = native.KEEP_PACKET_NACK
    PRIORITY = native.KEEP_PACKET_PRIORITY
    FIN = native.KEEP_PACKET_FIN


class Aead(IntEnum):
    """Back ends of ChaCha20-Poly1305: all give the same bytes, only time differs."""

    AUTO = native.KEEP_AEAD_AUTO
    SODIUM = native.KEEP_AEAD_SODIUM
    OPENSSL = native.KEEP_AEAD_OPENSSL
    IPSEC_MB = native.KEEP_AEAD_IPSEC_MB


class AeadState(IntEnum):
    """What a back end is on this machine."""

    USABLE = native.KEEP_AEAD_USABLE
    NOT_BUILT = native.KEEP_AEAD_NOT_BUILT
    NOT_FOUND = native.KEEP_AEAD_NOT_FOUND
    TOO_OLD = native.KEEP_AEAD_TOO_OLD
    SELF_TEST_FAILED = native.KEEP_AEAD_SELF_TEST_FAILED
    DISABLED = native.KEEP_AEAD_DISABLED


class Noise(IntEnum):
    """Noise_IKpsk2_25519_ChaChaPoly_SHA256, if the initiator knows the responder's key, and XXpsk3."""

    IKPSK2 = native.KEEP_NOISE_IKPSK2
    XXPSK3 = native.KEEP_NOISE_XXPSK3


class Role(IntEnum):
    """Who writes first, and who reads first."""

    INITIATOR = native.KEEP_INITIATOR
    RESPONDER = native.KEEP_RESPONDER


class HandshakeState(IntEnum):
    """Which call of a handshake comes next: `write`, `read`, `session`, none."""

    WRITE = native.KEEP_HANDSHAKE_WRITE
    READ = native.KEEP_HANDSHAKE_READ
    DONE = native.KEEP_HANDSHAKE_DONE
    SPENT = native.KEEP_HANDSHAKE_SPENT


@native.keep_type
@dataclass(frozen=True)
class PacketSettings:
    """Header fields that a sender seldom changes."""

    origin_hash: int = 0
    subnet_id: int = 0
    channel_hash: int = 0
    priority: int = 0
    hop_ttl: int = 0


@native.keep_type
@dataclass(frozen=True)
class PacketRequest:
    """One packet of `Session.seal_batch`; the other ways to seal have the same fields as keywords."""

    events: Sequence[Buffer] = ()
    stream_id: int = 0
    sequence: int = 0
    flags: int = 0
    subprotocol_id: int = 0
    kind: PacketKind = PacketKind.DATA
    settings: PacketSettings | None = None


@native.keep_type
@dataclass(frozen=True)
class PacketInfo:
    """A header as it was read."""

    counter: int
    session_id: int
    stream_id: int
    sequence: int
    origin_hash: int
    subnet_id: int
    subprotocol_id: int
    channel_hash: int
    fragment_id: int
    fragment_offset: int
    payload_len: int
    event_count: int
    kind: PacketKind
    flags: PacketFlags
    priority: int
    hop_ttl: int
    hop_count: int
    frag_flags: int


@native.keep_type
@dataclass(frozen=True)
class Opened(Generic[Event]):
    """What came of a datagram. If a batch refused it, `status` is a key of `by_status`, and all else empty or zero."""

    events: tuple[Event, ...]
    info: PacketInfo
    status: int = 0


@dataclass(frozen=True)
class SessionStats:
    """How far a session is. `highest_counter`: opened so far, None: nothing was."""

    next_counter: int
    opened: int
    auth_failed: int
    replayed: int
    malformed: int
    highest_counter: int | None
    confirmed: bool


@dataclass(frozen=True)
class PacketPoolStats:
    """How full a packet pool is."""

    capacity: int
    in_use: int
    available: int
    peak: int
    refused: int
    bytes: int


@dataclass(frozen=True)
class HandshakeInfo:
    """How far a handshake is, and with whom. `hash` is equal on both sides; it is no secret."""

    state: HandshakeState
    remote_static: bytes | None
    hash: bytes | None


@dataclass(frozen=True)
class AeadReport:
    """What a back end is on this machine. AUTO takes it for payloads of `auto_min_len` to `auto_max_len` bytes."""

    state: AeadState
    contexts: int
    bytes: int
    auto_min_len: int
    auto_max_len: int
    name: str
    version: str
    form: str


class SessionOptions(TypedDict, total=False):
    """What every way to a session lets choose."""

    max_failed_opens: int
    """forged packets after which nothing is opened any more; default 2^36, the maximum"""
    window: int
    """how far packets may overtake each other: a power of two from 1024, the default, to 65536"""
    aead: Aead


@final
@native.keep_facade
class Session(Handle, native.Session):
    """Two keys, one counter, one replay window. See keep/session.h and keep/packet.h.

    `seal`, `seal_into`, `heartbeat`, `heartbeat_into`, `seal_batch`, `seal_packed`, `open`, `open_into`, `open_batch`
    and `open_packed` are inherited. Batches of 32 KiB and more let other threads run.
    """

    __slots__ = ()

    def __new__(
        cls,
        *,
        session_id: int,
        tx_key: Secret | None = None,
        rx_key: Secret | None = None,
        first_counter: int = 0,
        pool: Pool | None = None,
        **options: Unpack[SessionOptions],
    ) -> Session:
        """A session from one key or two, of 32 bytes; `first_counter` is above all that `tx_key` was ever used with.

        StateError: a live session of this process seals with the same key.
        """
        numbers = {"session_id": session_id, "first_counter": first_counter, **options}
        return native.keep_session_new(tx_key, rx_key, pool, numbers)

    def close(self) -> None:
        native.keep_session_free(self)

    def stats(self) -> SessionStats:
        """How far the session is."""
        values = native.keep_session_stats(self)
        if not values.pop("has_highest"):
            values["highest_counter"] = None
        return SessionStats(**values)

    def __repr__(self) -> str:
        return described(self, lambda: _session_state(self.stats()))


@final
@native.keep_facade
class PacketPool(Handle, native.PacketPool):
    """Buffers of one maximal packet each, to build in now and send later. See keep/packet_pool.h.

    `acquire` is inherited. Packets work on when their pool is closed.
    """

    __slots__ = ()

    def __new__(cls, capacity: int = DEFAULT_PACKET_SLOTS, *, settings: PacketSettings | None = None) -> PacketPool:
        """All its memory at once; `settings` are what every acquired packet begins with."""
        return native.keep_packet_pool_new(capacity, settings)

    def close(self) -> None:
        native.keep_packet_pool_free(self)

    def stats(self) -> PacketPoolStats:
        """How full the pool is."""
        return PacketPoolStats(**native.keep_packet_pool_stats(self))

    def __repr__(self) -> str:
        return described(self, lambda: _pool_state(self.stats()))


@final
@native.keep_facade
class Packet(Handle, native.Packet):
    """A buffer of a packet pool: `with pool.acquire() as packet`. `build` is inherited.

    It is a buffer of what was built last, so `socket.send(packet)` works; while a view shows it, nothing is built.
    """

    __slots__ = ()

    def close(self) -> None:
        native.keep_packet_free(self)

    def set(self, settings: PacketSettings | None) -> None:
        """Changes the settings of the next builds; None: the pool's again."""
        native.keep_packet_set(self, settings)

    @property
    def data(self) -> memoryview:
        """The datagram in place. StateError: nothing was built yet."""
        return memoryview(self)

    def __repr__(self) -> str:
        return described(self, lambda: _packet_state(self.data))


@final
@native.keep_facade
class Handshake(Handle, native.Handshake):
    """Two sides agree on a session. See keep/handshake.h, also for what a payload is worth.

    Only success changes it: a message that was refused is dropped, and the right one still works.
    """

    __slots__ = ()

    def __new__(
        cls,
        pattern: Noise,
        role: Role,
        *,
        static_key: Secret,
        pre_shared_key: Secret,
        remote_static: Buffer | None = None,
        prologue: Buffer = b"",
        ephemeral_key: Secret | None = None,
        pool: Pool | None = None,
    ) -> Handshake:
        """Begins. `remote_static` is the responder's public key, which the initiator of IKPSK2 knows, and nobody else.

        `ephemeral_key` is for known answers: used twice it gives session keys away.
        """
        return native.keep_handshake_new(
            pattern, role, static_key, pre_shared_key, ephemeral_key, remote_static, prologue, pool
        )

    @staticmethod
    def public_key(static_key: Secret) -> bytes:
        """The X25519 public key of a static key, to give to others."""
        return native.keep_handshake_public_key(static_key)

    def close(self) -> None:
        native.keep_handshake_free(self)

    def write(self, payload: Buffer = b"") -> bytes:
        """The next message. StateError: it is not this side's turn."""
        return native.keep_handshake_write(self, payload)

    def write_into(self, payload: Buffer, out: Buffer) -> int:
        """The same into a writable buffer; returns the length. BufferTooSmallError has it as `needed`."""
        return native.keep_handshake_write(self, payload, out)

    def read(self, message: Buffer) -> bytes:
        """The payload of the other side's message. AuthError: drop it, and wait for the right one."""
        return native.keep_handshake_read(self, message)

    def read_into(self, message: Buffer, out: Buffer) -> int:
        """The same into a writable buffer; returns the length. BufferTooSmallError has it as `needed`."""
        return native.keep_handshake_read(self, message, out)

    def info(self) -> HandshakeInfo:
        """How far it is, and with whom."""
        values = native.keep_handshake_info(self)
        for name, is_there in (("remote_static", values.pop("has_remote_static")), ("hash", values.pop("has_hash"))):
            values[name] = values[name] if is_there else None
        return HandshakeInfo(**typed(values, state=HandshakeState))

    def session(self, *, pool: Pool | None = None, **options: Unpack[SessionOptions]) -> Session:
        """The session, once. StateError: the handshake is not done, or the session was taken."""
        return native.keep_handshake_session(self, pool, options)

    def __repr__(self) -> str:
        return described(self, lambda: self.info().state.name.lower())


def _session_state(stats: SessionStats) -> str:
    return f"next {stats.next_counter}, opened {stats.opened}{'' if stats.confirmed else ', unconfirmed'}"


def _pool_state(stats: PacketPoolStats) -> str:
    return f"{stats.in_use} of {stats.capacity} in use"


def _packet_state(data: memoryview) -> str:
    with data:
        return f"{len(data)} bytes"


def parse(datagram: Buffer) -> PacketInfo:
    """The header of a datagram, without a session: nobody has authenticated it."""
    return native.keep_packet_parse(datagram)


def measure(events: Sequence[Buffer]) -> int:
    """The length of the datagram that events make. PacketTooLargeError, PacketTooManyEventsError: split them."""
    return native.keep_packet_measure(events)


def max_events(event_len: int) -> int:
    """How many events of one length fit into a packet; 0 if one is too long."""
    return native.keep_packet_max_events(event_len)


def handshake_frame(message: Buffer) -> bytes:
    """A datagram with a message of `Handshake.write`, in the clear."""
    return native.keep_packet_handshake_frame(message, None)


def handshake_frame_into(message: Buffer, out: Buffer) -> int:
    """The same into a writable buffer; returns the length. BufferTooSmallError has it as `needed`."""
    return native.keep_packet_handshake_frame(message, out)


def aead_report(which: Aead) -> AeadReport:
    """What a back end, not AUTO, is on this machine; the first call proves it."""
    return AeadReport(**typed(native.keep_aead_report(which), state=AeadState))
