# SPDX-License-Identifier: MIT
"""Each method of sessions, packet pools and handshakes, and each function of libkeep.packet, once (bindings T1).

What the calls do in every combination is in the shared vectors; here is how it looks in Python.
"""

from __future__ import annotations

import array
import dataclasses
import itertools
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libkeep
import pytest
from conftest import AEADS
from libkeep import (
    Aead,
    AeadState,
    Handshake,
    HandshakeState,
    Noise,
    Opened,
    PacketFlags,
    PacketInfo,
    PacketKind,
    PacketPool,
    PacketRequest,
    PacketSettings,
    Pool,
    Role,
    Secret,
    Session,
    packet,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

SETTINGS = PacketSettings(
    origin_hash=1 << 63,
    subnet_id=1 << 31,
    channel_hash=1 << 15,
    priority=128,
    hop_ttl=255,
)
OVERHEAD = libkeep.PACKET_OVERHEAD_LEN
BEYOND = {
    "stream_id": 1 << 64,
    "sequence": 1 << 64,
    "flags": 1 << 8,
    "subprotocol_id": 1 << 16,
    "kind": 1 << 8,
}


def counters(*datagrams: Buffer) -> list[int]:
    return [packet.parse(datagram).counter for datagram in datagrams]


@pytest.fixture
def keys(pool: Pool) -> list[Secret]:
    """Two static keys and a pre-shared one."""
    return [Secret.generate(32, pool=pool) for _ in range(3)]


def handshakes(keys: list[Secret], noise: Noise, prologue: bytes = b"") -> tuple[Handshake, Handshake]:
    remote = Handshake.public_key(keys[1]) if noise is Noise.IKPSK2 else None
    options: dict[str, Any] = {"pre_shared_key": keys[2], "prologue": prologue}
    return (
        Handshake(noise, Role.INITIATOR, static_key=keys[0], remote_static=remote, **options),
        Handshake(noise, Role.RESPONDER, static_key=keys[1], **options),
    )


# Sessions


def test_constants_are_those_of_the_headers() -> None:
    assert libkeep.MAX_PACKET_LEN == libkeep.MAX_PAYLOAD_LEN + OVERHEAD == 8192
    assert libkeep.MAX_PACKET_EVENTS == packet.max_events(0) == 2027
    assert libkeep.MAX_PACKET_POOLS == 1024
    assert libkeep.MAX_PROLOGUE_LEN == 65535


def test_a_session_needs_a_key_of_32_bytes(pool: Pool) -> None:
    with pytest.raises(libkeep.InvalidArgumentError):
        Session(session_id=1)
    with (
        Secret.generate(31, pool=pool) as short,
        pytest.raises(libkeep.InvalidArgumentError) as caught,
    ):
        Session(session_id=1, tx_key=short)
    assert caught.value.op == "Session.new"
    with pytest.raises(TypeError):
        Session(session_id=1, tx_key=bytes(32))  # type: ignore[arg-type]


def test_a_session_is_made_with_options(key: Secret, pool: Pool) -> None:
    with Secret.generate(32) as other:
        session = Session(
            session_id=2**64 - 1,
            tx_key=key,
            rx_key=other,
            first_counter=9,
            max_failed_opens=1,
            window=65536,
            aead=Aead.SODIUM,
            pool=pool,
        )
    with session:
        assert session.stats().next_counter == 9
        header = packet.parse(session.heartbeat())
        assert (header.session_id, header.counter) == (2**64 - 1, 9)
        forged = session.heartbeat()  # under the other key
        for error in (libkeep.AuthError, libkeep.RekeyError):
            with pytest.raises(error):
                session.open(forged)


def test_options_of_the_wrong_kind_are_refused(key: Secret) -> None:
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"window": 1500}, libkeep.InvalidArgumentError),
        ({"window": -1}, OverflowError),
        ({"aead": 1 << 32}, OverflowError),
        ({"aead": 9}, libkeep.InvalidArgumentError),
        ({"session_id": 1 << 64}, OverflowError),
        ({"session_id": "one"}, TypeError),
        ({"colour": 1}, TypeError),
        ({"pool": key}, TypeError),
        ({"rx_key": key}, libkeep.InvalidArgumentError),
    ]
    for options, error in wrong:
        with pytest.raises(error):
            Session(**{"session_id": 1, "tx_key": key, **options})
    with pytest.raises(TypeError):
        Session(tx_key=key)  # type: ignore[call-arg]


def test_one_live_session_seals_with_a_key(key: Secret) -> None:
    with Session(session_id=1, tx_key=key):
        with pytest.raises(libkeep.StateError):
            Session(session_id=2, tx_key=key)
        Session(session_id=2, rx_key=key).close()
    Session(session_id=2, tx_key=key, first_counter=1).close()


def test_stats_tell_how_far_a_session_is(sealer: Session, opener: Session) -> None:
    assert opener.stats().highest_counter is None
    datagram = sealer.seal([b"event"])
    opener.open(datagram)
    for wrong in (datagram, datagram[:-1] + bytes([datagram[-1] ^ 1])):
        with pytest.raises((libkeep.ReplayError, libkeep.AuthError)):
            opener.open(wrong)
    assert sealer.stats().next_counter == 1
    assert opener.stats() == libkeep.SessionStats(
        next_counter=0,
        opened=1,
        auth_failed=1,
        replayed=1,
        malformed=0,
        highest_counter=0,
        confirmed=True,
    )


def test_a_side_without_the_key_does_nothing(sealer: Session, opener: Session) -> None:
    datagram, out = sealer.heartbeat(), bytearray(200)
    tables = (
        array.array("I", [len(datagram)]),
        out,
        array.array("I", [0, 0]),
        array.array("I", [0]),
        bytearray(1),
    )
    wrong: list[Callable[[], object]] = [
        lambda: sealer.open(datagram),
        lambda: sealer.open_into(datagram, out),
        lambda: sealer.open_batch([datagram]),
        lambda: sealer.open_packed(datagram, *tables),
        lambda: opener.seal([b"event"]),
        lambda: opener.seal_into([b"event"], out),
        lambda: opener.heartbeat(),
        lambda: opener.seal_batch([PacketRequest()]),
    ]
    for call in wrong:
        with pytest.raises(libkeep.StateError):
            call()


# Sealing


def test_a_request_has_keywords(sealer: Session, opener: Session) -> None:
    datagram = sealer.seal(
        [b"one", b"", b"three"],
        stream_id=2**64 - 1,
        sequence=1 << 63,
        flags=PacketFlags.FIN | 0xC0,
        subprotocol_id=65535,
        kind=PacketKind.DATA,
        settings=SETTINGS,
    )
    opened = opener.open(datagram)
    assert opened.events == (b"one", b"", b"three")
    assert opened.status == 0
    assert opened.info == packet.parse(datagram)
    assert opened.info == PacketInfo(
        counter=0,
        session_id=7,
        stream_id=2**64 - 1,
        sequence=1 << 63,
        subprotocol_id=65535,
        fragment_id=0,
        fragment_offset=0,
        payload_len=20,
        event_count=3,
        kind=PacketKind.DATA,
        flags=PacketFlags(0xC8),
        hop_count=0,
        frag_flags=0,
        **dataclasses.asdict(SETTINGS),
    )
    assert opened.info.kind is PacketKind.DATA
    assert PacketFlags.FIN in opened.info.flags


def test_every_way_to_seal_takes_the_next_counter(sealer: Session, opener: Session) -> None:
    out, beat = bytearray(200), bytearray(OVERHEAD)
    assert sealer.seal_into([b"event"], out, stream_id=1) == OVERHEAD + 9
    assert sealer.heartbeat_into(beat) == OVERHEAD
    data, offsets, statuses = sealer.seal_batch([PacketRequest([b"event"], stream_id=2)])
    assert (offsets, statuses) == ((0, len(data)), b"\0")
    datagrams = [
        bytes(out[: OVERHEAD + 9]),
        bytes(beat),
        data,
        sealer.seal(()),
        sealer.heartbeat(),
    ]
    assert counters(*datagrams) == [0, 1, 2, 3, 4]
    assert [opener.open(datagram).events for datagram in datagrams] == [
        (b"event",),
        (),
        (b"event",),
        (),
        (),
    ]


def test_a_batch_tells_the_status_of_each(sealer: Session, opener: Session) -> None:
    requests = [
        PacketRequest([b"one"], settings=SETTINGS),
        PacketRequest([bytes(9000)]),
        PacketRequest([b""] * 3000),
        PacketRequest([b"two"], kind=PacketKind.HEARTBEAT),
        PacketRequest(kind=PacketKind.HEARTBEAT),
        PacketRequest([b"five"] * 9),
    ]
    data, offsets, statuses = sealer.seal_batch(requests)
    names = [libkeep.by_status[status].name if status else "OK" for status in statuses]
    assert names == [
        "OK",
        "PACKET_TOO_LARGE",
        "PACKET_TOO_MANY_EVENTS",
        "INVALID_ARGUMENT",
        "OK",
        "OK",
    ]
    datagrams = [data[begin:end] for begin, end in zip(offsets, offsets[1:])]
    assert [len(datagram) for datagram in datagrams] == [91, 0, 0, 0, 84, 84 + 9 * 8]
    assert counters(*filter(None, datagrams)) == [0, 1, 2]
    opened = opener.open_batch([*datagrams, datagrams[0]])
    assert [each.events for each in opened] == [
        (b"one",),
        (),
        (),
        (),
        (),
        (b"five",) * 9,
        (),
    ]
    assert [each.status for each in opened[1:4]] == [libkeep.PacketShortError.status] * 3
    assert opened[-1] == Opened((), opened[1].info, libkeep.ReplayError.status)
    assert opened[1].info.session_id == 0


def test_a_batch_without_counters_is_rekey(key: Secret) -> None:
    with Session(session_id=7, tx_key=key, first_counter=2**64 - 2) as last:
        data, offsets, statuses = last.seal_batch([PacketRequest()] * 2)
        assert (data, offsets, statuses) == (
            b"",
            (0, 0, 0),
            bytes([libkeep.RekeyError.status] * 2),
        )
        assert counters(last.heartbeat()) == [2**64 - 2]
        with pytest.raises(libkeep.RekeyError):
            last.heartbeat()


@pytest.mark.parametrize("count", [0, 1025])
def test_a_batch_has_1_to_1024_items(sealer: Session, opener: Session, count: int) -> None:
    ends = array.array("I", [0] * count)
    calls: list[Callable[[], object]] = [
        lambda: sealer.seal_batch([PacketRequest()] * count),
        lambda: opener.open_batch([b""] * count),
        lambda: sealer.seal_packed(b"", ends, 0, 0, 0, bytearray(9), ends, bytearray(count)),
        lambda: opener.open_packed(b"", ends, bytearray(9), ends, ends, bytearray(count)),
    ]
    for call in calls:
        with pytest.raises(libkeep.InvalidArgumentError):
            call()
    assert sealer.stats().next_counter == 0


def test_requests_of_the_wrong_kind_are_refused(sealer: Session) -> None:
    wrong: list[tuple[Callable[[], object], type[Exception]]] = [
        (lambda: sealer.seal(), TypeError),  # type: ignore[call-arg]
        (lambda: sealer.seal([], b"more"), TypeError),  # type: ignore[call-arg, arg-type]
        (lambda: sealer.seal([], events=[]), TypeError),  # type: ignore[call-arg]
        (lambda: sealer.seal([], colour=1), TypeError),  # type: ignore[call-arg]
        (lambda: sealer.seal(7), TypeError),  # type: ignore[arg-type]
        (lambda: sealer.seal(b"event"), TypeError),  # type: ignore[arg-type]
        (lambda: sealer.seal(["event"]), TypeError),  # type: ignore[list-item]
        (lambda: sealer.seal([memoryview(b"event")[::2]]), BufferError),
        (lambda: sealer.seal([], settings=7), TypeError),  # type: ignore[arg-type]
        (lambda: sealer.seal([], settings=PacketSettings(priority=256)), OverflowError),
        (
            lambda: sealer.seal([], settings=PacketSettings(channel_hash=-1)),
            OverflowError,
        ),
        (lambda: sealer.seal([], stream_id="one"), TypeError),  # type: ignore[arg-type]
        (lambda: sealer.seal([], stream_id=1.5), TypeError),  # type: ignore[arg-type]
        (lambda: sealer.seal_into([]), TypeError),  # type: ignore[call-arg]
        (lambda: sealer.seal_into([], bytes(200)), BufferError),
        (lambda: sealer.heartbeat_into(bytes(200)), BufferError),
        (lambda: sealer.seal_batch(7), TypeError),  # type: ignore[arg-type]
        (lambda: sealer.seal_batch([b"event"]), TypeError),  # type: ignore[list-item]
        (lambda: sealer.seal_batch([PacketRequest(), PacketRequest(7)]), TypeError),  # type: ignore[arg-type]
        (lambda: sealer.seal([], flags=0x10), libkeep.InvalidArgumentError),
        (
            lambda: sealer.seal([], kind=PacketKind.HANDSHAKE),
            libkeep.InvalidArgumentError,
        ),
    ]
    for call, error in wrong:
        with pytest.raises(error):
            call()
    for name, number in BEYOND.items():
        for beyond in (number, -1):
            with pytest.raises(OverflowError):
                sealer.seal([], **{name: beyond})  # type: ignore[arg-type]
    assert sealer.stats().next_counter == 0


def test_what_does_not_fit_is_refused(sealer: Session) -> None:
    with pytest.raises(libkeep.PacketTooManyEventsError):
        sealer.seal([b""] * 2028)
    with pytest.raises(libkeep.PacketTooLargeError) as caught:
        sealer.seal([bytes(8105)])
    assert (caught.value.op, caught.value.needed) == ("Session.seal", None)
    out = bytearray(b"x" * 91)
    for room in (out, out[:0]):
        with pytest.raises(libkeep.BufferTooSmallError) as short:
            sealer.seal_into([b"four"], room)
        assert (short.value.op, short.value.needed) == ("Session.seal_into", 92)
    assert out == b"x" * 91
    assert sealer.stats().next_counter == 0


def test_an_output_lies_apart_from_the_input(sealer: Session, keys: list[Secret]) -> None:
    shared = bytearray(400)
    event, ends = memoryview(shared)[100:105], array.array("I", [5])
    writer, reader = handshakes(keys, Noise.XXPSK3)
    message = writer.write()
    shared[200 : 200 + len(message)] = message
    calls: list[Callable[[], object]] = [
        lambda: sealer.seal_into([b"", event], shared),
        lambda: sealer.seal_into([event], memoryview(shared)[104:]),
        lambda: sealer.seal_packed(event, ends, 0, 0, 0, shared, ends, bytearray(1)),
        lambda: sealer.seal_packed(shared, ends, 0, 0, 0, memoryview(shared)[300:], ends, bytearray(1)),
        lambda: packet.handshake_frame_into(event, shared),
        lambda: writer.write_into(event, shared),
        lambda: reader.read_into(memoryview(shared)[200 : 200 + len(message)], shared),
    ]
    for call in calls:
        with pytest.raises(libkeep.InvalidArgumentError):
            call()
    assert sealer.stats().next_counter == 0
    assert sealer.seal_into([event], memoryview(shared)[105:]) == OVERHEAD + 9
    assert reader.read(message) == b""


def test_a_number_that_closes_the_session_does_no_harm(sealer: Session) -> None:
    class Closing:
        def __index__(self) -> int:
            sealer.close()
            return 1

    with pytest.raises(libkeep.ClosedError):
        sealer.seal([b"event"], stream_id=Closing())  # type: ignore[arg-type]


def test_a_number_that_changes_the_list_does_no_harm(sealer: Session) -> None:
    requests: list[PacketRequest] = []

    class Emptying:
        def __index__(self) -> int:
            requests.clear()
            return 1

    requests += [PacketRequest([b"event"], stream_id=Emptying())] * 5  # type: ignore[arg-type]
    assert sealer.seal_batch(requests)[2] == bytes(5)


# Opening


def test_events_are_views_of_the_callers_buffer(sealer: Session, opener: Session) -> None:
    for out in (
        bytearray(100),
        array.array("I", bytes(100)),
        memoryview(bytearray(100)).cast("B", (10, 10)),
    ):
        opened = opener.open_into(sealer.seal([b"one", b"", b"three"]), out)
        assert [bytes(event) for event in opened.events] == [b"one", b"", b"three"]
        opened.events[0][:] = b"ONE"
        assert b"ONE" in bytes(out)
        assert opened.info.event_count == 3


def test_a_datagram_is_opened_in_place(sealer: Session, opener: Session) -> None:
    inside = memoryview(bytearray(sealer.seal([b"event"])))
    opened = opener.open_into(inside, inside[libkeep.PACKET_HEADER_LEN :])
    assert bytes(opened.events[0]) == bytes(inside[72:77]) == b"event"
    for at in (0, 67, 69):
        again = memoryview(bytearray(sealer.seal([b"event"])))
        with pytest.raises(libkeep.InvalidArgumentError):
            opener.open_into(again, again[at:])
        opener.open(again)


def test_a_forged_datagram_leaves_zeros(sealer: Session, opener: Session) -> None:
    forged = bytearray(sealer.seal([b"event"]))
    forged[-1] ^= 1
    apart, inside = bytearray(b"x" * 9), memoryview(forged)[libkeep.PACKET_HEADER_LEN :]
    for out in (apart, inside):
        with pytest.raises(libkeep.AuthError) as caught:
            opener.open_into(forged, out)
        assert caught.value.op == "Session.open_into"
        assert bytes(out[:9]) == bytes(9)


def test_room_that_is_missing_is_told(sealer: Session, opener: Session) -> None:
    datagram = sealer.seal([b"one", b"two"])
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        opener.open_into(datagram, bytearray(13))
    assert (caught.value.needed, caught.value.values) == (14, (14, 2, 0, 0))
    wrong = (
        array.array("I", [len(datagram)]),
        bytearray(14),
        array.array("I", [0]),
        array.array("I", [0]),
        bytearray(1),
    )
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        opener.open_packed(datagram, *wrong)
    assert (caught.value.needed, caught.value.values) == (16, (14, 2, 0, 0))
    assert opener.open(datagram).events == (b"one", b"two")


def test_an_output_that_is_no_writable_buffer_is_refused(sealer: Session, opener: Session, secret: Secret) -> None:
    datagram = sealer.seal([b"event"])
    for out in (bytes(100), memoryview(bytearray(100))[::2], secret):
        with pytest.raises(BufferError):
            opener.open_into(datagram, out)
    with pytest.raises(TypeError):
        opener.open_into(datagram, "text")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        opener.open_into(datagram)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        opener.open("text")  # type: ignore[arg-type]
    assert opener.open(datagram).events == (b"event",)


def test_events_come_from_secrets_and_go_into_them(sealer: Session, opener: Session, secret: Secret) -> None:
    datagram = sealer.seal([secret])
    assert secret.info().windows == 0
    with Secret.generate(20) as target:
        with target.write() as view:
            events = opener.open_into(datagram, view).events
            events[0].release()
        assert target.get(4, 16) == secret.reveal()


def test_a_window_of_packets_may_overtake(sealer: Session, opener: Session) -> None:
    datagrams = [sealer.heartbeat() for _ in range(1025)]
    opener.open(datagrams[-1])
    for number in (1, 1023):
        opener.open(datagrams[number])
    for number in (0, 1):
        with pytest.raises(libkeep.ReplayError):
            opener.open(datagrams[number])


# Packed batches


@dataclasses.dataclass
class Tables:
    """The buffers of a packed batch."""

    out: bytearray
    out_ends: array.array[int]
    statuses: bytearray

    @classmethod
    def of(cls, count: int, cap: int) -> Tables:
        return cls(bytearray(cap), array.array("I", [0] * count), bytearray(b"\xff" * count))


def test_packed_batches_carry_one_event_per_packet(sealer: Session, opener: Session) -> None:
    sealed = Tables.of(3, 400)
    ends = array.array("I", [3, 3, 8])
    count = sealer.seal_packed(b"onethree", ends, 5, 2**64 - 1, 1, sealed.out, sealed.out_ends, sealed.statuses)
    assert count == 3
    assert sealed.out_ends.tolist() == [91, 179, 272]
    assert sealed.statuses == bytes(3)
    headers = [packet.parse(sealed.out[begin:end]) for begin, end in ((0, 91), (91, 179), (179, 272))]
    assert [header.sequence for header in headers] == [2**64 - 1, 0, 1]
    assert {(header.stream_id, header.flags) for header in headers} == {(5, PacketFlags.RELIABLE)}
    opened, spans = Tables.of(3, 20), array.array("I", [0] * 6)
    assert (
        opener.open_packed(
            sealed.out,
            sealed.out_ends,
            opened.out,
            spans,
            opened.out_ends,
            opened.statuses,
        )
        == 3
    )
    assert (spans.tolist(), opened.out_ends.tolist()) == (
        [4, 3, 11, 0, 15, 5],
        [1, 2, 3],
    )
    assert opened.out[15:20] == b"three"


def test_spans_of_packets_that_failed_are_left_out(sealer: Session, opener: Session) -> None:
    datagrams = [bytearray(sealer.seal([b"%d" % number, b"x"])) for number in range(3)]
    datagrams[0][-1] ^= 1
    ends = array.array("I", [94, 188, 282])
    opened, spans = Tables.of(3, 30), array.array("I", [0] * 12)
    data = b"".join(datagrams)
    assert opener.open_packed(data, ends, opened.out, spans, opened.out_ends, opened.statuses) == 2
    assert opened.statuses == bytes([libkeep.AuthError.status, 0, 0])
    assert opened.out_ends.tolist() == [0, 2, 4]
    events = [bytes(opened.out[at : at + length]) for at, length in zip(spans[:8:2], spans[1:8:2])]
    assert events == [b"1", b"x", b"2", b"x"]


def test_a_packed_batch_tells_the_status_of_each(sealer: Session) -> None:
    ends, sealed = array.array("I", [8105, 8106]), Tables.of(2, 200)
    count = sealer.seal_packed(bytes(8106), ends, 0, 0, 0, sealed.out, sealed.out_ends, sealed.statuses)
    assert (count, sealed.out_ends.tolist()) == (1, [0, 89])
    assert sealed.statuses == bytes([libkeep.PacketTooLargeError.status, 0])


def test_tables_that_do_not_fit_are_refused(sealer: Session, opener: Session) -> None:
    data, ends, one = bytes(8), array.array("I", [4, 8]), array.array("I", [0])
    out, statuses, spans = bytearray(400), bytearray(2), array.array("I", [0] * 4)
    odd = memoryview(bytearray(9))[1:]
    for bad in (array.array("I", [4, 9]), array.array("I", [4, 3]), bytes(7), odd):
        with pytest.raises(libkeep.InvalidArgumentError):
            sealer.seal_packed(data, bad, 0, 0, 0, out, ends, statuses)
        with pytest.raises(libkeep.InvalidArgumentError):
            opener.open_packed(data, bad, out, spans, ends, statuses)
    for tables in ((one, statuses), (odd, statuses), (ends, statuses[:1])):
        with pytest.raises(libkeep.InvalidArgumentError):
            sealer.seal_packed(data, ends, 0, 0, 0, out, *tables)
        with pytest.raises(libkeep.InvalidArgumentError):
            opener.open_packed(data, ends, out, spans, *tables)
    with pytest.raises(libkeep.InvalidArgumentError):
        opener.open_packed(data, ends, out, odd, ends, statuses)
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        sealer.seal_packed(data, ends, 0, 0, 0, out[:183], ends, statuses)
    assert (caught.value.op, caught.value.needed) == ("Session.seal_packed", 184)
    with pytest.raises(TypeError):
        sealer.seal_packed(data, ends, 0, 0, 0, out, ends)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        opener.open_packed(data, ends, out, spans, ends, statuses, 0)  # type: ignore[call-arg]
    with pytest.raises(BufferError):
        sealer.seal_packed(data, ends, 0, 0, 0, bytes(400), ends, statuses)
    with pytest.raises(OverflowError):
        sealer.seal_packed(data, ends, 0, 0, 256, out, ends, statuses)
    assert sealer.stats().next_counter == 0
    assert ends.tolist() == [4, 8]


def test_what_is_packed_has_its_kinds_and_ranges(sealer: Session, opener: Session) -> None:
    table = array.array("I", [3, 6])
    sealing = [b"onetwo", table, 0, 0, 0, bytearray(200), table, bytearray(2)]
    opening = [b"onetwo", table, bytearray(200), table, table, bytearray(2)]
    seal: Callable[..., object] = sealer.seal_packed
    open_: Callable[..., object] = opener.open_packed
    for call, good, buffers in ((seal, sealing, (0, 1, 5, 6, 7)), (open_, opening, range(6))):
        for place, value in itertools.product(buffers, (None, 5, "text", [3, 6])):
            with pytest.raises(TypeError):
                call(*good[:place], value, *good[place + 1 :])
        for place in buffers[2:]:
            with pytest.raises(BufferError):
                call(*good[:place], bytes(200), *good[place + 1 :])
    for place, most in ((2, 2**64 - 1), (3, 2**64 - 1), (4, 255)):
        for number, error in ((-1, OverflowError), (most + 1, OverflowError), (1.5, TypeError)):
            with pytest.raises(error):
                seal(*sealing[:place], number, *sealing[place + 1 :])
    assert (sealer.stats().next_counter, opener.stats().opened) == (0, 0)


def test_an_open_packed_without_room_tells_what_is_too_short(sealer: Session, opener: Session) -> None:
    data = sealer.seal([b"one", b"two"])
    ends, one = array.array("I", [len(data)]), array.array("I", [0])
    for out, spans, needed in ((13, 4, 14), (14, 3, 16)):
        with pytest.raises(libkeep.BufferTooSmallError) as caught:
            opener.open_packed(data, ends, bytearray(out), array.array("I", [0] * spans), one, bytearray(1))
        assert (caught.value.needed, caught.value.values) == (needed, (14, 2, 0, 0))
    assert opener.open_packed(data, ends, bytearray(14), array.array("I", [0] * 4), one, bytearray(1)) == 1


def test_packed_bytes_may_be_a_secret(sealer: Session, opener: Session) -> None:
    ends, out, out_ends, statuses = array.array("I", [3, 6]), bytearray(182), array.array("I", [0, 0]), bytearray(2)
    with Secret.from_bytes(b"onetwo") as event:
        assert sealer.seal_packed(event, ends, 0, 0, 0, out, out_ends, statuses) == 2
        ends[1] = 7
        with pytest.raises(libkeep.InvalidArgumentError):
            sealer.seal_packed(event, ends, 0, 0, 0, out, out_ends, statuses)
    with Secret.from_bytes(out) as data:
        spans = array.array("I", [0] * 4)
        assert opener.open_packed(data, out_ends, bytearray(14), spans, ends, statuses) == 2


def test_packed_datagrams_lie_apart_from_the_plaintext(sealer: Session, opener: Session) -> None:
    shared, ends = bytearray(400), array.array("I", [0])
    ends[0] = sealer.seal_into([b"abc"], shared)

    def open_to(out: memoryview) -> int:
        return opener.open_packed(
            shared,
            ends,
            out,
            array.array("I", [0] * 2),
            array.array("I", [0]),
            bytearray(1),
        )

    for at in (0, libkeep.PACKET_HEADER_LEN, 90):
        with pytest.raises(libkeep.InvalidArgumentError):
            open_to(memoryview(shared)[at:])
    assert open_to(memoryview(shared)[ends[0] :]) == 1


# Packet pools


def test_packets_are_built_and_sent_later(sealer: Session, opener: Session) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with (
        one,
        other,
        PacketPool(2, settings=SETTINGS) as pool,
        pool.acquire() as first,
        pool.acquire() as second,
    ):
        first.build(sealer, [b"event"], stream_id=4)
        second.build(sealer, (), kind=PacketKind.HEARTBEAT)
        with pytest.raises(libkeep.ExhaustedError) as caught:
            pool.acquire()
        assert caught.value.op == "PacketPool.acquire"
        for built in (first, second):
            one.send(built)
        opened = opener.open(other.recv(libkeep.MAX_PACKET_LEN))
        assert (opened.events, opened.info.stream_id, opened.info.hop_ttl) == (
            (b"event",),
            4,
            255,
        )
        assert opener.open(other.recv(libkeep.MAX_PACKET_LEN)).info.hop_ttl == 0
        stats = pool.stats()
        assert (
            stats.capacity,
            stats.in_use,
            stats.available,
            stats.peak,
            stats.refused,
        ) == (2, 2, 0, 2, 1)
        assert stats.bytes >= 2 * libkeep.MAX_PACKET_LEN
    assert PacketPool().stats().capacity == libkeep.DEFAULT_PACKET_SLOTS


def test_settings_hold_from_the_next_build_on(sealer: Session) -> None:
    def priority(**request: Any) -> int:
        built.build(sealer, [b"event"], **request)
        return packet.parse(built).priority

    with (
        PacketPool(1, settings=PacketSettings(priority=1)) as pool,
        pool.acquire() as built,
    ):
        assert priority() == 1
        built.set(PacketSettings(priority=2))
        assert priority() == 2
        assert priority(settings=PacketSettings(priority=3)) == 3
        assert priority(settings=None) == 2
        built.set(None)
        assert priority() == 1
        with pytest.raises(TypeError):
            built.set(7)  # type: ignore[arg-type]


def test_a_pool_has_1_to_16384_packets() -> None:
    for capacity in (0, libkeep.MAX_PACKET_SLOTS + 1):
        with pytest.raises(libkeep.InvalidArgumentError) as caught:
            PacketPool(capacity)
        assert caught.value.op == "PacketPool.new"
    for wrong in (-1, 1 << 32):
        with pytest.raises(OverflowError):
            PacketPool(wrong)


def test_a_packet_is_a_buffer_of_what_was_built(sealer: Session) -> None:
    with PacketPool(1) as pool, pool.acquire() as built:
        with pytest.raises(libkeep.StateError) as caught:
            bytes(built)
        assert caught.value.op == "Packet.data"
        built.build(sealer, [b"event"])
        with built.data as view:
            assert view.readonly
            assert len(view) == OVERHEAD + 9
        with pytest.raises(BufferError):
            sealer.heartbeat_into(built)


def test_a_packet_neither_changes_nor_ends_under_a_view(sealer: Session) -> None:
    with PacketPool(1) as pool, pool.acquire() as built:
        built.build(sealer, [b"event"])
        view = built.data
        before = bytes(view)
        for name, call in (
            ("free", built.close),
            ("build", lambda: built.build(sealer, [b"other"])),
        ):
            with pytest.raises(BufferError) as caught:
                call()
            assert isinstance(caught.value, libkeep.BusyError)
            assert caught.value.op == f"Packet.{name}"
        with built.data as second:
            assert bytes(second) == bytes(view) == before
        assert sealer.stats().next_counter == 1
        view.release()
        built.build(sealer, [b"other"])
        assert counters(built.data) == [1]


def test_a_refused_build_leaves_a_packet_as_it_was(sealer: Session) -> None:
    with PacketPool(1) as pool, pool.acquire() as built:
        built.build(sealer, [b"event"])
        before = bytes(built)
        wrong: list[tuple[Callable[[], object], type[Exception]]] = [
            (lambda: built.build(sealer, [bytes(9000)]), libkeep.PacketTooLargeError),
            (
                lambda: built.build(sealer, [b"event"], kind=PacketKind.HANDSHAKE),
                libkeep.InvalidArgumentError,
            ),
            (lambda: built.build(None, [b"event"]), libkeep.InvalidArgumentError),
            (lambda: built.build(sealer, 7), TypeError),  # type: ignore[arg-type]
            (lambda: built.build(built, []), TypeError),  # type: ignore[arg-type]
            (lambda: built.build(sealer), TypeError),  # type: ignore[call-arg]
        ]
        for call, error in wrong:
            with pytest.raises(error):
                call()
        assert bytes(built) == before
        built.build(sealer, [])
        assert counters(built.data) == [1]


def test_packets_work_on_when_their_pool_is_closed(sealer: Session, opener: Session) -> None:
    pool = PacketPool(1)
    built = pool.acquire()
    pool.close()
    built.build(sealer, [b"event"])
    assert opener.open(built).events == (b"event",)
    built.close()
    for call in (
        lambda: built.build(sealer, []),
        lambda: built.data,
        lambda: built.set(None),
        pool.acquire,
    ):
        with pytest.raises(libkeep.ClosedError):
            call()


# Handshakes


@pytest.mark.parametrize("noise", list(Noise))
def test_a_handshake_ends_in_a_session(keys: list[Secret], pool: Pool, noise: Noise) -> None:
    writer, reader = handshakes(keys, noise, prologue=b"prologue")
    sides = (writer, reader)
    while writer.info().state is not HandshakeState.DONE:
        assert (writer.info().state, reader.info().state) == (
            HandshakeState.WRITE,
            HandshakeState.READ,
        )
        frame = packet.handshake_frame(writer.write(b"payload"))
        header = packet.parse(frame)
        assert header.kind is PacketKind.HANDSHAKE
        assert reader.read(frame[libkeep.PACKET_HEADER_LEN :]) == b"payload"
        writer, reader = reader, writer
    infos = [side.info() for side in sides]
    assert infos[0].hash == infos[1].hash is not None
    assert [info.remote_static for info in infos] == [Handshake.public_key(key) for key in (keys[1], keys[0])]
    one = sides[0].session(window=2048, aead=Aead.SODIUM, pool=pool)
    other = sides[1].session()
    assert sides[0].info().state is HandshakeState.SPENT
    assert other.open(one.seal([b"event"])).events == (b"event",)
    assert one.open(other.seal([b"event"])).events == (b"event",)
    for side in sides:
        with pytest.raises(libkeep.StateError) as caught:
            side.session()
        assert caught.value.op == "Handshake.session"
        side.close()
    for session in (one, other):
        session.close()


def test_handshakes_write_and_read_into_buffers(keys: list[Secret]) -> None:
    writer, reader = handshakes(keys, Noise.IKPSK2)
    out, payload = bytearray(200), bytearray(10)
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        writer.write_into(b"payload", out[:102])
    assert (caught.value.op, caught.value.needed) == ("Handshake.write", 103)
    length = writer.write_into(b"payload", out)
    assert length == 103
    with pytest.raises(libkeep.BufferTooSmallError) as caught:
        reader.read_into(out[:length], payload[:6])
    assert (caught.value.op, caught.value.needed) == ("Handshake.read", 7)
    assert reader.read_into(out[:length], payload) == 7
    assert payload[:7] == b"payload"


def test_only_success_changes_a_handshake(keys: list[Secret]) -> None:
    writer, reader = handshakes(keys, Noise.IKPSK2)
    with pytest.raises(libkeep.StateError):
        reader.write()
    with pytest.raises(libkeep.StateError):
        writer.session()
    with pytest.raises(libkeep.PacketTooLargeError):
        writer.write(bytes(8109 - 96))
    message = writer.write()
    for wrong in (
        b"",
        message[:-1],
        message + b"\0",
        bytes([message[0] ^ 1]) + message[1:],
    ):
        with pytest.raises(libkeep.AuthError):
            reader.read(wrong)
    assert reader.info().remote_static is reader.info().hash is None
    assert reader.read(message) == b""


def test_handshakes_of_the_wrong_kind_are_refused(keys: list[Secret], pool: Pool) -> None:
    right: dict[str, Any] = {"static_key": keys[0], "pre_shared_key": keys[2]}
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"pattern": 3}, libkeep.InvalidArgumentError),
        ({"role": 0}, libkeep.InvalidArgumentError),
        ({"role": -1}, OverflowError),
        ({"remote_static": bytes(32)}, libkeep.InvalidArgumentError),
        ({"remote_static": b""}, libkeep.InvalidArgumentError),
        ({"prologue": bytes(65536)}, libkeep.InvalidArgumentError),
        ({"prologue": None}, TypeError),
        ({"static_key": None}, TypeError),
        ({"pre_shared_key": b"shared"}, TypeError),
        ({"ephemeral_key": pool}, TypeError),
    ]
    for options, error in wrong:
        with pytest.raises(error):
            Handshake(**{"pattern": Noise.XXPSK3, "role": Role.INITIATOR, **right, **options})
    with pytest.raises(libkeep.InvalidArgumentError) as caught:
        Handshake(Noise.IKPSK2, Role.INITIATOR, **right)
    assert caught.value.op == "Handshake.new"
    with Secret.generate(31) as short, pytest.raises(libkeep.InvalidArgumentError):
        Handshake.public_key(short)
    handshake = Handshake(Noise.XXPSK3, Role.RESPONDER, **right, pool=pool)
    with pytest.raises(TypeError):
        handshake.session(colour=1)  # type: ignore[call-arg]


# Functions


def test_a_header_is_read_without_a_session(sealer: Session) -> None:
    datagram = sealer.seal([b"event"], stream_id=3)
    assert packet.parse(bytearray(datagram)).stream_id == 3
    with pytest.raises(libkeep.PacketShortError) as caught:
        packet.parse(datagram[:67])
    assert caught.value.op == "packet.parse"


def test_events_are_measured_before_they_are_sealed(sealer: Session) -> None:
    for events in ([], [b"event"], [b""] * 2027, [bytes(8104)]):
        assert packet.measure(events) == len(sealer.seal(events))
    with pytest.raises(libkeep.PacketTooLargeError) as caught:
        packet.measure([bytes(8105)])
    assert caught.value.op == "packet.measure"
    with pytest.raises(libkeep.PacketTooManyEventsError):
        packet.measure([b""] * 2028)
    with pytest.raises(TypeError):
        packet.measure([7])  # type: ignore[list-item]
    assert [packet.max_events(length) for length in (0, 8104, 8105, 2**64 - 1)] == [
        2027,
        1,
        0,
        0,
    ]


def test_a_handshake_frame_is_opened_by_no_session(opener: Session) -> None:
    out = bytearray(80)
    frame = packet.handshake_frame(b"message")
    assert packet.handshake_frame_into(b"message", out) == 75
    assert bytes(out[:75]) == frame
    with pytest.raises(libkeep.PacketHandshakeError):
        opener.open(frame)
    with pytest.raises(libkeep.PacketTooLargeError) as caught:
        packet.handshake_frame(bytes(8109))
    assert caught.value.op == "packet.handshake_frame"
    with pytest.raises(libkeep.BufferTooSmallError) as short:
        packet.handshake_frame_into(b"message", out[:74])
    assert short.value.needed == 75


def test_back_ends_are_reported() -> None:
    reports = {aead: packet.aead_report(aead) for aead in Aead if aead is not Aead.AUTO}
    assert reports[Aead.SODIUM].state is AeadState.USABLE
    assert [report.name for report in reports.values()] == [
        "sodium",
        "openssl",
        "ipsec-mb",
    ]
    ranges = sorted((report.auto_min_len, report.auto_max_len) for report in reports.values())
    used = [(low, high) for low, high in ranges if low <= high]
    assert used[0][0] == 0
    assert used[-1][1] == libkeep.MAX_PAYLOAD_LEN
    with pytest.raises(libkeep.InvalidArgumentError) as caught:
        packet.aead_report(Aead.AUTO)
    assert caught.value.op == "packet.aead_report"


@pytest.mark.parametrize("aead", [aead for aead in Aead if aead not in AEADS])
def test_a_back_end_that_is_not_there_is_unsupported(key: Secret, aead: Aead) -> None:
    with pytest.raises(libkeep.UnsupportedError):
        Session(session_id=1, tx_key=key, aead=aead)


def test_a_purge_ends_sessions_but_not_packets(sealer: Session, opener: Session) -> None:
    with PacketPool(1) as pool, pool.acquire() as built:
        built.build(sealer, [b"event"])
        before = bytes(built)
        datagram = sealer.heartbeat()
        libkeep.memory.purge()
        calls: list[Callable[[], object]] = [
            lambda: sealer.seal([]),
            lambda: sealer.seal_batch([PacketRequest()]),
            lambda: opener.open(datagram),
            lambda: opener.open_batch([datagram]),
            lambda: built.build(sealer, []),
            sealer.stats,
        ]
        for call in calls:
            with pytest.raises(libkeep.PurgedError):
                call()
        assert bytes(built) == before
    assert repr(sealer) == "<Session: purged>"
