# SPDX-License-Identifier: MIT
"""The tracker's items: frames of detached beacons with the times at which they came, which every observer must judge
alike, and a process that beats to another's observer."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from libkeep import (
    Beacon,
    BeatMode,
    Datagram,
    DatagramSource,
    Event,
    EventKind,
    Health,
    Observer,
    OutcomeKind,
    Secret,
    Tracker,
)

MILLISECOND = 1_000_000
BEATS = 100
PATIENCE = 60.0
LIVE_MS = 300

Json = Any


def key_for(pid: int, mode: int, key: Secret) -> Secret | None:
    """What an agent seals with."""
    if mode == BeatMode.MASTER:
        return Beacon.agent_key(key, pid)
    return key if mode == BeatMode.SHARED else None


def record_frames(inputs: Json) -> list[Json]:
    """Each frame as it came: [ms, source, pid, hex]."""
    key = Secret.from_bytes(bytes.fromhex(inputs["key"]))
    beacons = [
        Beacon(agent_pid=pid, mode=mode, key=key_for(pid, mode, key), reconnect_after=0)
        for pid, _, mode in inputs["agents"]
    ]
    frames = []
    for agent, at_ms, health, payload, damage, error in inputs["frames"]:
        pid, source, _ = inputs["agents"][agent]
        frame = bytearray(beacons[agent].prepare(Health(health), payload, at_ms * MILLISECOND))
        beacons[agent].commit(error)
        frame[0] ^= damage
        frames.append([at_ms, source, pid, frame.hex()])
    return frames


@contextmanager
def observer_of(inputs: Json) -> Iterator[Observer]:
    tracker = Tracker(threshold_ns=inputs["threshold_ms"] * MILLISECOND, statistics=True)
    key = Secret.from_bytes(bytes.fromhex(inputs["key"]))
    with tracker, key, Observer(tracker, any_uid=True, report_beats=True) as observer:
        observer.add_key(key, BeatMode.SHARED)
        observer.add_key(key, BeatMode.MASTER)
        yield observer


def row(event: Event) -> list[int]:
    words = [event.at_ns, event.kind, event.detail, event.pid, event.nonce, event.last_ns, event.silence_ns]
    words += [event.health, event.payload, event.origin, event.stalled, event.agents]
    return [int(word) for word in words]


def judge(inputs: Json, frames: list[Json]) -> tuple[list[Json], str]:
    """What an observer says when the frames come at their times, and its numbers in the end."""
    events = []
    with observer_of(inputs) as observer:
        for at_ms, source, pid, data in frames:
            frame = Datagram(DatagramSource(source), bytes.fromhex(data), pid, ns_inode=1, generation=1)
            events += observer.feed([frame], at_ms * MILLISECOND)
        events += observer.feed([], inputs["end_ms"] * MILLISECOND)
        return [row(event) for event in events], observer.metrics()


def items(inputs: Json) -> dict[str, Json]:
    """What is written: JSON, or text."""
    frames = record_frames(inputs)
    events, metrics = judge(inputs, frames)
    return {
        "tracker/frames.json": {"frames": frames},
        "tracker/events.json": {"events": events},
        "tracker/metrics.txt": metrics,
    }


def is_same(inputs: Json, folder: Path) -> bool:
    """Whether this language's observer says of the frames what the writer's did."""
    frames = json.loads((folder / "tracker/frames.json").read_bytes())["frames"]
    events, metrics = judge(inputs, frames)
    return (
        len(frames) == len(inputs["frames"])
        and json.loads((folder / "tracker/events.json").read_bytes()) == {"events": events}
        and (folder / "tracker/metrics.txt").read_text() == metrics + "\n"
    )


def beat(path: str) -> bool:
    """Beats, then is silent until the input ends."""
    sent, end = 0, time.monotonic() + PATIENCE
    with Beacon(path) as beacon:
        while sent < BEATS and time.monotonic() < end:
            if beacon.beat(payload=sent).kind is OutcomeKind.SENT:
                sent += 1
            else:
                time.sleep(0.005)
        sys.stdin.read()
    return sent == BEATS


def observe(path: str) -> bool:
    """Hears all the beats of a process, then its silence."""
    nonces: list[int] = []
    has_stalled, end = False, time.monotonic() + PATIENCE
    tracker = Tracker(threshold_ns=LIVE_MS * MILLISECOND)
    with tracker, Observer(tracker, report_beats=True, per_pid_rate=0) as observer:
        observer.listen(path)
        while not has_stalled and time.monotonic() < end:
            for event in observer.wait(0.1):
                if event.kind is EventKind.BEAT:
                    nonces.append(event.nonce)
                if event.kind is EventKind.STALL and len(nonces) == BEATS:
                    has_stalled = event.nonce == nonces[-1]
    return has_stalled and nonces == list(range(nonces[0], nonces[0] + BEATS))
