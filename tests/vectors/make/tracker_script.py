# SPDX-License-Identifier: MIT
"""Scripts of the tracker as text, a line for a step: `ON.OP >AS KEY=VALUE... : OUT...`.

    o.feed now_ns=1s+1
        unix beat pid=10 nonce=2
        unix text pid=10 READY=1\\nWATCHDOG=1
    t.get pid=10 now_ns=1s+1 : state beats

Indented lines are the datagrams of a feed: whence, what, and what differs from a process that the kernel knows. Of the
outputs of `get` and `stats` those named after the colon are kept. Amounts are sums of numbers, of which some are times.
"""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

from beats import TERMINAL, Beat, Notice, closed, encode_beat, encode_notice, seal

Step = dict[str, Any]

TERM = re.compile(r"([+-]?)(2\^)?([0-9]+)(s|ms|us|min|)")
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "min": 60 * 10**9, "": 1}
WIDE = re.compile(r".*_ns|nonce|start_nonce|ns_inode|own_ns_inode|generation")
LISTS = ("uids", "pids")
WORDS = ("origin", "policy", "reason", "mode", "error", "key", "save")

UID, NAMESPACE, GENERATION = 1000, 4026531836, 5000  # a process is of this uid, namespace, and generation plus pid
KEYS = {"shared": bytes(range(32)), "master": bytes(range(100, 132))}


def amount(text: str) -> int:
    """A sum: `1s-1`, `2^64-1`."""
    total = 0
    for sign, power, digits, unit in TERM.findall(text):
        value = 2 ** int(digits) if power else int(digits) * UNITS[unit]
        total += -value if sign == "-" else value
    return total


def value_of(key: str, text: str) -> Any:
    """A value, whose form its key tells."""
    if key in LISTS:
        return [amount(item) for item in text.split(",")]
    if key in WORDS:
        return KEYS[text].hex() if key == "key" else text
    if text in ("true", "false"):
        return text == "true"
    return str(amount(text)) if WIDE.fullmatch(key) else amount(text)


def fields_of(words: list[str]) -> dict[str, int]:
    """Numbers by name."""
    return {key: amount(text) for key, _, text in (word.partition("=") for word in words)}


def frame_of(what: str, pid: int, fields: dict[str, int]) -> bytes:
    """The bytes of a beat, a crash or a notice."""
    nonce = fields.get("nonce", 1)
    if what in ("register", "goodbye"):
        threshold, grace, misses = (fields.get(key, 0) for key in ("threshold_ms", "grace_ms", "misses"))
        return encode_notice(Notice(what, pid, threshold, grace, misses, nonce))
    if what == "crash":
        return encode_beat(Beat(2, pid, fields.get("timestamp_ns", 1), TERMINAL, fields.get("payload", 0)))
    timestamp = fields.get("timestamp_ns", nonce)
    return encode_beat(Beat(fields.get("health", 0), pid, timestamp, nonce, fields.get("payload", 0)))


def sealed(mode: str, claimed: int, fields: dict[str, int], frame: bytes) -> bytes:
    """A frame under one of the two keys, in the name of `clear`."""
    return seal(mode, KEYS[mode], fields.get("clear", claimed), bytes(8), fields.get("counter", 0), frame)


def datagram_of(line: str) -> Step:
    """One datagram: `unix|udp|shared|master beat|crash|register|goodbye|text|raw|made|saved KEY=NUMBER... DATA`."""
    source, what, *words = line.split()
    named = [word for word in words if re.match(r"[a-z_]+=", word)]
    marks = [word[6:].split(",") for word in named if word.startswith("marks=")]
    fields = fields_of([word for word in named if not word.startswith("marks=")])
    pid = fields["pid"]
    rest = [word for word in words if word not in named]
    if what == "saved":
        return {"from": source, "data": {"ref": rest[0]}, "kernel_pid": pid, "uid": UID, "generation": str(GENERATION)}
    if what == "text":
        data = rest[0].encode().decode("unicode_escape").encode("latin-1")
    elif what in ("raw", "made"):
        data = closed(bytes.fromhex(rest[0])) if what == "made" else bytes.fromhex(rest[0])
    else:
        data = frame_of(what, fields.get("claimed", pid), fields)
    if source in KEYS:
        data = sealed(source, fields.get("claimed", pid), fields, data)
    step: Step = {"from": "udp_sealed" if source in KEYS else source, "data": data.hex()}
    if source == "unix":
        step |= {"kernel_pid": pid, "uid": fields.get("uid", UID)}
        step |= {"ns_inode": str(fields.get("ns_inode", NAMESPACE))}
        step |= {"generation": str(fields.get("generation", GENERATION + pid))}
    return step | ({"marks": marks[0]} if marks else {})


def step_of(line: str) -> tuple[Step, list[str]]:
    """One step, and the outputs to keep."""
    inputs, _, outputs = line.partition(" : ")
    head, *rest = inputs.split()
    on, _, op = head.rpartition(".")
    step: Step = {"op": op} | ({"on": on} if on else {})
    for word in rest:
        key, _, text = word.partition("=")
        if word.startswith(">"):
            step["as"] = word[1:]
        else:
            step[key] = text if key == "tracker" else value_of(key, text)
    if op == "feed":
        step["datagrams"] = []
    return step, outputs.split()


def steps_of(text: str) -> list[tuple[Step, list[str]]]:
    """All steps of a script."""
    steps: list[tuple[Step, list[str]]] = []
    for line in dedent(text).strip("\n").split("\n"):
        if line.startswith(" "):
            steps[-1][0]["datagrams"].append(datagram_of(line))
        else:
            steps.append(step_of(line))
    return steps
