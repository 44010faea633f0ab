# SPDX-License-Identifier: MIT
"""Scripts of sessions, pools and packets: rules that packet.json leaves open."""

from __future__ import annotations

from typing import Any

from packet_cases import LARGEST, LONG, MANY, PLACE, UNSET
from packet_session import LAST

Step = dict[str, Any]

ONE, TWO = "31" * 32, "32" * 32
EVENT: Step = {"events": ["78"]}
PLAIN: Step = {**PLACE, "flags": 0, "subprotocol_id": 0, **EVENT}


def session(name: str = "s", **more: Any) -> Step:
    """Which seals with the first key, unless it is told another."""
    keys = {} if "rx_key" in more else {"tx_key": ONE}
    return {"op": "session", "as": name, "session_id": "0x77", **keys, **more}


def pool(capacity: int = 1, name: str = "p", **more: Any) -> Step:
    """A pool."""
    return {"op": "pool", "as": name, "capacity": capacity, **more}


def acquire(name: str = "k", on: str = "p") -> Step:
    """A packet."""
    return {"op": "acquire", "on": on, "as": name}


def build(on: str = "k", by: str = "s", **more: Any) -> Step:
    """A data packet."""
    return {"op": "build", "on": on, "session": by, "kind": "data", **PLAIN, **more}


def beat(on: str = "k", by: str = "s", **more: Any) -> Step:
    """A heartbeat."""
    return {"op": "build", "on": on, "session": by, "kind": "heartbeat", **more}


def frame(payload: Any, on: str = "k") -> Step:
    """A handshake frame."""
    return {"op": "build_handshake", "on": on, "payload": payload}


def on(name: str, op: str, **more: Any) -> Step:
    """Any other call."""
    return {"op": op, "on": name, **more}


def free(name: str) -> Step:
    """Frees."""
    return on(name, "free")


ALL = [session(), pool(), acquire()]

SCRIPTS: dict[str, list[Step]] = {
    "a closed packet": [
        *(*ALL, build(), free("k"), build(), beat(), frame("00"), frame({"repeat": 8109, "hex": "00"})),
        *(build(events=[MANY]), build(events=[LONG]), on("k", "data"), on("k", "set", settings=LARGEST)),
        *(on("k", "unset"), free("k"), on("s", "session_stats"), on("p", "pool_stats")),
    ],
    "a closed packet is not its slot's next owner": [
        *(*ALL, build(), free("k"), acquire("l"), on("l", "data"), on("k", "data"), build("k"), free("k")),
        *(on("p", "pool_stats"), build("l"), acquire("m"), free("l"), acquire("m"), free("k"), on("p", "pool_stats")),
    ],
    "a name is free again": [*ALL, free("k"), acquire(), build(), free("s"), session(session_id="0x78"), build()],
    "no key to seal with": [
        *(session("r", rx_key=ONE, first_counter="0x7"), pool(), acquire(), build(by="r"), beat(by="r")),
        *(build(by="r", flags=0x20), beat(by="r", sequence="0x1"), build(by="r", events=[MANY])),
        *(build(by="r", events=[LONG]), on("k", "data"), on("r", "session_stats")),
    ],
    "no key to seal with, none left of the counter": [
        *(session("r", rx_key=ONE, first_counter=hex(LAST)), pool(), acquire(), build(by="r")),
        on("r", "session_stats"),
    ],
    "a key is used once to seal, often to open": [
        *(session(), session("a", tx_key=TWO, rx_key=ONE), session("b", tx_key=ONE, rx_key=TWO)),
        *(session("c", rx_key=ONE), session("d", rx_key=TWO), free("s"), session("b", tx_key=ONE, rx_key=TWO)),
        *(session("e"), free("a"), session("a", tx_key=TWO, first_counter="0x9"), on("a", "session_stats")),
    ],
    "a spent session keeps its key": [
        *(session(first_counter=hex(LAST)), pool(), acquire(), session("t"), build(), beat(), build(events=[LONG])),
        *(build(flags=0x10), frame("00"), on("s", "session_stats"), free("s"), session("t")),
    ],
    "a refused session takes no key": [
        *(session(window=512), session(rx_key=ONE, tx_key=ONE), session(rx_key="aa", tx_key=ONE), session()),
        *(session("t", window=512), session("t", tx_key=TWO, rx_key=TWO[:62]), session("t", tx_key=TWO)),
    ],
    "windows": [
        *(session(window=size) for size in (1, 1023, 1025, 1500, 65535, 65537, 131072, 2**31)),
        *(session(f"r{size}", rx_key=ONE, window=size) for size in (0, 1024, 32768, 65536)),
    ],
    "keys": [
        *(session(tx_key=""), session(rx_key=""), session(tx_key=ONE + "31"), session(rx_key=ONE[2:])),
        *(session(tx_key="", rx_key=ONE), session(tx_key=ONE, rx_key=""), session(tx_key=ONE, rx_key=TWO + "32")),
    ],
    "the last two counters": [
        *(session(first_counter=hex(LAST - 2)), pool(2), acquire(), acquire("l"), beat(), build(flags=0x20)),
        *(build("l", events=[MANY]), build("l"), beat("l"), build("l"), on("l", "data"), on("k", "data")),
        *(frame("01", "l"), on("l", "data"), on("s", "session_stats")),
    ],
    "heartbeats have nothing of their own": [
        *(session(), pool(settings=LARGEST), acquire(), beat(), beat(settings=LARGEST), beat(events=[]), beat(**EVENT)),
        *(beat(stream_id="0x1"), beat(sequence="0x1"), beat(flags=1), beat(flags=0x20), beat(subprotocol_id=1)),
        *(beat(stream_id="0x0", sequence="0x0", flags=0, subprotocol_id=0, events=[]), on("s", "session_stats")),
    ],
    "which settings": [
        *(session(), pool(settings=LARGEST), acquire(), build(), build(settings=UNSET), build()),
        *(on("k", "set", settings=UNSET), build(), build(settings=LARGEST), build(), on("k", "unset"), build()),
        *(on("k", "set", settings=UNSET), build(flags=0x10), build(), free("k"), acquire("l"), build("l")),
    ],
    "settings outlive a refused build, and a handshake frame has none": [
        *(*ALL, on("k", "set", settings=LARGEST), build(events=[LONG]), frame("00"), build(), frame("")),
        *(on("k", "data"), frame({"repeat": 8108, "hex": "66"}), frame({"repeat": 8109, "hex": "66"}), on("k", "data")),
    ],
    "full and empty": [*ALL, build(events=[{"repeat": 8104, "hex": "65"}]), build(events=[]), on("k", "data"), beat()],
    "packets in packets": [
        *(
            *ALL,
            build(save="one"),
            build(events=[{"ref": "one"}, {"ref": "one", "take": 68}, {"ref": "one", "take": 0}]),
        ),
        *(on("k", "data", save="two"), frame({"ref": "two"}), frame([{"ref": "one", "take": 3}, {"ref": "two"}])),
    ],
    "pools": [
        *(pool(2**32 - 1), pool(16384), on("p", "pool_stats"), free("p"), pool(1, "q"), acquire("k", "q")),
        *(acquire("l", "q"), free("q"), free("q"), on("k", "data"), free("k"), free("k"), free("q")),
    ],
    "a freed pool's packets live": [
        *(session(), pool(2, settings=LARGEST), acquire(), acquire("l"), build("l"), free("p")),
        *(on("k", "set", settings=UNSET), build(), on("k", "unset"), build(), on("l", "data"), free("l"), build()),
        *(free("k"), on("k", "data")),
    ],
}
