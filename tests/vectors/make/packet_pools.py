# SPDX-License-Identifier: MIT
"""Scripts of packet §11: sessions, pools and the packets of pools."""

from __future__ import annotations

from typing import Any

from model import Refused, refuse
from packet_session import Request, Session, settings_of
from packet_values import bytes_of, events_of, integer, integers
from packet_wire import handshake_frame

MAX_SLOTS = 16384
MAX_POOLS = 1024

Step = dict[str, Any]
Outputs = dict[str, Any]
Settings = dict[str, int]


class Pool:
    """R26; it counts what is in callers' hands, and lives until that is nothing."""

    def __init__(self, capacity: int, settings: Settings) -> None:
        refuse(not 1 <= capacity <= MAX_SLOTS, "INVALID_ARGUMENT")
        self.capacity = capacity
        self.settings = settings
        self.in_use = 0
        self.freed = False


class Packet:
    """R29: a slot as its new owner finds it."""

    def __init__(self, pool: Pool) -> None:
        refuse(pool.in_use == pool.capacity, "EXHAUSTED")
        pool.in_use += 1
        self.pool = pool
        self.settings = pool.settings
        self.datagram: bytes | None = None
        self.freed = False

    def take(self) -> None:
        """R28: anything but freeing needs a live packet."""
        refuse(self.freed, "CLOSED")


def request_of(case: Step, settings: Settings | None = None) -> Request:
    """The request of a step or case; its own settings come first."""
    fields = integers(case, "stream_id", "sequence", "flags", "subprotocol_id")
    return Request(case.get("kind", "data"), events_of(case), settings_of(case, settings), **fields)


class Pools:
    """The process: handles by name."""

    def __init__(self) -> None:
        self.handles: dict[str, Any] = {}
        self.saved: dict[str, str] = {}

    def op_session(self, step: Step) -> Outputs:
        tx_key, rx_key = (bytes_of(step[key]) if key in step else None for key in ("tx_key", "rx_key"))
        made = Session(integer(step["session_id"]), tx_key, rx_key, **integers(step, "first_counter", "window"))
        live = [one for one in self.handles.values() if isinstance(one, Session) and not one.freed]
        refuse(made.tx_key is not None and made.tx_key in [one.tx_key for one in live], "STATE")
        self.handles[step["as"]] = made
        return {}

    def op_pool(self, step: Step) -> Outputs:
        made = Pool(step["capacity"], settings_of(step))
        live = {one for one in self.handles.values() if isinstance(one, Pool) and not one.freed}
        live |= {one.pool for one in self.handles.values() if isinstance(one, Packet) and not one.freed}
        refuse(len(live) == MAX_POOLS, "EXHAUSTED")
        self.handles[step["as"]] = made
        return {}

    def op_acquire(self, step: Step) -> Outputs:
        self.handles[step["as"]] = Packet(self.handles[step["on"]])
        return {}

    def op_set(self, step: Step) -> Outputs:
        packet = self.handles[step["on"]]
        packet.take()
        packet.settings = settings_of(step)
        return {}

    def op_unset(self, step: Step) -> Outputs:
        packet = self.handles[step["on"]]
        packet.take()
        packet.settings = packet.pool.settings
        return {}

    def op_build(self, step: Step) -> Outputs:
        packet, session = self.handles[step["on"]], self.handles[step["session"]]
        request = request_of(step, packet.settings)
        request.check()
        packet.take()
        packet.datagram = session.seal(request)
        return self.op_data(step)

    def op_build_handshake(self, step: Step) -> Outputs:
        packet = self.handles[step["on"]]
        packet.take()
        packet.datagram = handshake_frame(bytes_of(step["payload"]))
        return self.op_data(step)

    def op_data(self, step: Step) -> Outputs:
        packet = self.handles[step["on"]]
        packet.take()
        refuse(packet.datagram is None, "STATE")
        return {"packet": packet.datagram.hex()}

    def op_pool_stats(self, step: Step) -> Outputs:
        pool = self.handles[step["on"]]
        return {"capacity": pool.capacity, "in_use": pool.in_use, "available": pool.capacity - pool.in_use}

    def op_session_stats(self, step: Step) -> Outputs:
        return {"next_counter": hex(self.handles[step["on"]].next_counter)}

    def op_free(self, step: Step) -> Outputs:
        handle = self.handles[step["on"]]
        if isinstance(handle, Packet) and not handle.freed:
            handle.pool.in_use -= 1
        handle.freed = True
        return {}

    def known(self, value: Any) -> Any:
        """A value with the bytes of earlier steps in the place of their names."""
        if isinstance(value, list):
            return [self.known(part) for part in value]
        if isinstance(value, dict) and "ref" in value:
            return bytes_of(self.saved[value["ref"]])[: value.get("take")].hex()
        return {key: self.known(part) for key, part in value.items()} if isinstance(value, dict) else value

    def complete(self, steps: list[Step]) -> None:
        """Writes into each step what it gives."""
        for step in steps:
            try:
                outputs: Outputs = getattr(self, "op_" + step["op"])(self.known(step))
            except Refused as refused:
                step["status"] = refused.status
            else:
                step |= {"out": outputs} if outputs else {}
                self.saved |= {step["save"]: outputs["packet"]} if "save" in step else {}
