# SPDX-License-Identifier: MIT
"""What each case of packet §11 gives: every function writes the expectations into a case of its array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model import Refused
from packet_noise import Side, public_of
from packet_pools import Pools, request_of
from packet_session import Session
from packet_values import bytes_of, each_event, integer, integers
from packet_wire import MAX_EVENT, MAX_PAYLOAD, OVERHEAD, handshake_frame, measured, parsed, prefix

Case = dict[str, Any]
SIDES = ("initiator", "responder")


def sender_of(case: Case) -> Session:
    """The session that seals."""
    first = integer(case["counter" if "counter" in case else "first_counter"])
    return Session(integer(case["session_id"]), bytes_of(case["key"]), first_counter=first)


def receiver_of(case: Case) -> Session:
    """The session that opens."""
    limits = integers(case, "window", "max_failed_opens")
    return Session(integer(case["session_id"]), None, bytes_of(case["key"]), **limits)


def attempt(call: Callable[..., Case], *arguments: Any) -> Case:
    """What a call tells, with its status."""
    try:
        return {"status": "OK"} | call(*arguments)
    except Refused as refused:
        return {"status": refused.status} | refused.outputs


def packet_of(session: Session | None, case: Case, cap: int = 8192) -> Case:
    """The datagram of a case: a handshake frame needs no session."""
    if session is None:
        return {"packet": handshake_frame(bytes_of(case["handshake_payload"])).hex()}
    return {"packet": session.seal(request_of(case), cap).hex()}


def events_of(receiver: Session, case: Case, *caps: int) -> Case:
    """The events of a datagram, and its header."""
    header, events = receiver.open(bytes_of(case["packet"]), *caps)
    return {"info": header.info(), "events": [event.hex() for event in events]}


def build(case: Case) -> None:
    """A datagram."""
    case |= packet_of(None if case["kind"] == "handshake" else sender_of(case), case)


def build_errors(case: Case) -> None:
    """A refusal."""
    sender = None if case["kind"] == "handshake" else sender_of(case)
    case |= attempt(packet_of, sender, case)
    if sender:
        case["next_counter"] = hex(sender.next_counter)


def buffers(case: Case) -> None:
    """Room that is too small, and then is not."""
    if case["op"] == "seal":
        sender = sender_of(case)
        case |= attempt(packet_of, sender, case, case["cap"])
        case["next_counter"] = hex(sender.next_counter)
        again = attempt(packet_of, sender, case)
    else:
        receiver = receiver_of(case)
        case |= attempt(events_of, receiver, case, case["data_cap"], case["event_cap"])
        again = attempt(events_of, receiver, case)
        case.pop("info", None)
    if case["status"] == "BUFFER_TOO_SMALL":
        case |= {key: again[key] for key in ("packet", "events") if again["status"] == "OK" and key in again}


def fit(case: Case) -> None:
    """Whether events fit."""
    lengths = [len(event) for event in each_event(case["events"])]
    told = attempt(lambda: {"packet_len": OVERHEAD + measured(lengths)})
    case |= {"fits": told["status"] == "OK"} | told


def max_events(case: Case) -> None:
    """How many events of one length fit."""
    length = case["event_len"]
    case["max_events"] = MAX_PAYLOAD // (length + 4) if length <= MAX_EVENT else 0


def prefixes(case: Case) -> None:
    """Bytes 12 to 15."""
    case["prefix"] = prefix(integer(case["session_id"])).to_bytes(4, "little").hex()


def parse(case: Case) -> None:
    """The header."""
    case |= attempt(lambda: {"info": parsed(bytes_of(case["packet"])).info()})


def opens(case: Case) -> None:
    """One datagram after the other."""
    receiver = receiver_of(case)
    for step in case["steps"]:
        step |= attempt(events_of, receiver, step)
    case["stats"] = receiver.counts


def replay(case: Case) -> None:
    """Commits of a window."""
    receiver = receiver_of(case)
    for commit in case["commits"]:
        told = attempt(events_of, receiver, commit)
        assert told["status"] in ("OK", "REPLAY")
        commit |= {"counter": hex(parsed(bytes_of(commit["packet"])).counter), "accepted": told["status"] == "OK"}


def side_of(case: Case, name: str) -> Side:
    """One side of a handshake; only the initiator of IK knows the other's key."""
    short, initiates = name[:4], name == "initiator"
    shared, prologue = (case.get(f"{short}_{key}", case[key]) for key in ("pre_shared_key", "prologue"))
    keys = [bytes_of(key) for key in (case[f"{short}_static"], case[f"{short}_ephemeral"], shared)]
    known = initiates and case["pattern"] == "IKpsk2"
    remote = bytes_of(case.get("init_remote_static", case["resp_static_public"])) if known else b""
    return Side(case["pattern"], initiates, keys, remote, bytes_of(prologue))


def written(side: Side, step: Case) -> Case:
    """What a write gives."""
    message = side.write(bytes_of(step["payload"]))
    return {"message": message.hex(), "frame_header": handshake_frame(message)[:68].hex()}


def read(side: Side, step: Case) -> Case:
    """What a read gives."""
    return {"payload": side.read(bytes_of(step["message"])).hex()}


def noise(case: Case) -> None:
    """Messages to and fro, and what both sides have at the end."""
    for name in SIDES:
        case[f"{name[:4]}_static_public"] = public_of(bytes_of(case[f"{name[:4]}_static"])).hex()
    sides = {name: side_of(case, name) for name in SIDES}
    for step in case["steps"]:
        side = sides[step["side"]]
        if step["op"] == "write":
            step |= attempt(written, side, step)
        else:
            step |= attempt(read, side, step)
    if "packets" in case:
        case |= agreed(*sides.values())
        first_packets(case, sides["initiator"])


def agreed(initiator: Side, responder: Side) -> Case:
    """What a finished handshake leaves; who wrote last waits for a confirmation (packet R49)."""
    assert initiator.state.hash == responder.state.hash and initiator.split() == responder.split()
    keys = (f"key_{one}_to_{other}" for one, other in (SIDES, SIDES[::-1]))
    case: Case = dict(zip(keys, (key.hex() for key in initiator.split())))
    case |= {"handshake_hash": initiator.state.hash.hex(), "session_id": hex(initiator.session_id())}
    return case | {"unconfirmed": SIDES[1 - initiator.done % 2]}


def first_packets(case: Case, side: Side) -> None:
    """The first datagram of each side that sends one."""
    for packet in case["packets"]:
        key = side.split()[SIDES.index(packet["side"])]
        packet |= packet_of(Session(side.session_id(), tx_key=key), packet)


def pools(case: Case) -> None:
    """A script."""
    Pools().complete(case["script"])


COMPLETE: dict[str, Callable[[Case], None]] = {
    **{"build": build, "build_errors": build_errors, "buffers": buffers, "fit": fit, "max_events": max_events},
    **{"prefix": prefixes, "parse": parse, "open": opens, "replay": replay},
    **{"noise": noise, "noise_errors": noise, "pools": pools},
}
