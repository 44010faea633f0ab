# SPDX-License-Identifier: MIT
"""Agents of varta beat to our observer, our beacons to its observer: plain, sealed, started again (tracker T13)."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from libkeep import Beacon, BeatMode, Event, EventKind, Health, Observer, OutcomeKind, Secret, Tracker

PROGRAM = Path(os.environ["KEEP_PEERS"]) / "tracker-rust"
PATIENCE = 60.0
MILLISECOND = 1_000_000
GAP = 300 * MILLISECOND
MODES = (BeatMode.PLAIN, BeatMode.SHARED, BeatMode.MASTER)
SEALED = MODES[1:]

StartPeer = Callable[..., "Peer"]


class Peer:
    """The other side, which answers a line with a line."""

    def __init__(self, way: str, *arguments: str) -> None:
        command = [str(PROGRAM), way, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, line: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start_peer() -> Iterator[StartPeer]:
    peers: list[Peer] = []

    def start(way: str, *arguments: str) -> Peer:
        peers.append(Peer(way, *arguments))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


@pytest.fixture
def key() -> Iterator[Secret]:
    with Secret.generate(32) as made:
        yield made


@pytest.fixture
def port() -> int:
    """One that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def observer() -> Iterator[Observer]:
    """It forgets a sealed stream after a silence."""
    with (
        Tracker(threshold_ns=GAP) as tracker,
        Observer(tracker, report_beats=True, per_pid_rate=0, session_gap_ns=GAP) as made,
    ):
        yield made


def await_beat(observer: Observer) -> Event:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for event in observer.wait(1.0):
            if event.kind is EventKind.BEAT:
                return event
    pytest.fail("no beat came")


def ways(mode: BeatMode, tmp_path: Path, port: int, key: Secret) -> tuple[str, ...]:
    """Where the peer speaks or hears."""
    if mode is BeatMode.PLAIN:
        return "plain", str(tmp_path / "observer")
    return mode.name.lower(), f"127.0.0.1:{port}", key.reveal().hex()


def listen(observer: Observer, mode: BeatMode, tmp_path: Path, port: int, key: Secret) -> None:
    if mode is BeatMode.PLAIN:
        observer.listen(tmp_path / "observer")
        return
    observer.add_key(key, mode)
    observer.listen(address="127.0.0.1", port=port, sealed=True)


def beacon_to(mode: BeatMode, tmp_path: Path, port: int, key: Secret) -> Beacon:
    if mode is BeatMode.PLAIN:
        return Beacon(tmp_path / "observer")
    if mode is BeatMode.SHARED:
        return Beacon(host="127.0.0.1", port=port, mode=mode, key=key)
    with Beacon.agent_key(key, os.getpid()) as agent_key:
        return Beacon(host="127.0.0.1", port=port, mode=mode, key=agent_key, agent_pid=os.getpid())


@pytest.mark.parametrize("mode", MODES)
def test_its_agents_are_heard_here(
    mode: BeatMode, observer: Observer, start_peer: StartPeer, tmp_path: Path, port: int, key: Secret
) -> None:
    listen(observer, mode, tmp_path, port, key)
    for start in (1, 2):  # a process that is started again has another pid
        agent = start_peer("speak", *ways(mode, tmp_path, port, key))
        for nonce, health in enumerate(Health, 1):
            assert agent.say(f"{int(health)} {start * 10 + nonce}") == "Sent"
            event = await_beat(observer)
            assert (event.pid, event.health, event.nonce) == (agent.process.pid, health, nonce)
            assert event.payload == start * 10 + nonce


@pytest.mark.parametrize("mode", SEALED)
def test_its_sealed_stream_that_begins_again_is_heard_after_a_gap(
    mode: BeatMode, observer: Observer, start_peer: StartPeer, tmp_path: Path, port: int, key: Secret
) -> None:
    listen(observer, mode, tmp_path, port, key)
    agent = start_peer("speak", *ways(mode, tmp_path, port, key))
    assert agent.say("0 1") == "Sent"
    await_beat(observer)
    assert agent.say("restart") == "restarted"
    assert agent.say("0 2") == "Sent"
    while observer.stats().replay_refused == 0:
        assert all(event.kind is not EventKind.BEAT for event in observer.wait(1.0))
    time.sleep(2 * GAP / 1e9)
    assert agent.say("restart") == "restarted"
    assert agent.say("0 3") == "Sent"
    assert await_beat(observer).payload == 3


@pytest.mark.parametrize("mode", MODES)
def test_its_observer_hears_our_beacons(
    mode: BeatMode, start_peer: StartPeer, tmp_path: Path, port: int, key: Secret
) -> None:
    peer = start_peer("hear", *ways(mode, tmp_path, port, key))
    assert peer.read() == "ready"
    with beacon_to(mode, tmp_path, port, key) as beacon:
        for start in (1, 2):
            for health in Health:
                outcome = beacon.beat(health, start)
                assert outcome.kind is OutcomeKind.SENT
                assert peer.read() == f"{os.getpid()} {int(health)} {start} {outcome.nonce}"
            beacon.restart()
