# SPDX-License-Identifier: MIT
"""Scripts of the observer, rule by rule, as text (tracker_script.py). What they give is the model's to say."""

from __future__ import annotations

from textwrap import dedent

OBSERVER: dict[str, tuple[str, str]] = {}

LEDGER = "tracker >t capacity=16 threshold_ns=1s"
OPEN = "observer >o tracker=t"
ANYBODY = "any_uid=true"
TELLING = "report_beats=true"


def add(
    name: str,
    comment: str,
    text: str,
    options: str = "",
    ledger: str = LEDGER,
    users: str = ANYBODY,
    telling: str = TELLING,
) -> None:
    """One script, on an observer that takes any user's datagrams and tells of each beat, unless told otherwise."""
    assert name not in OBSERVER
    OBSERVER[name] = comment, "\n".join((ledger, f"{OPEN} {users} {telling} {options}", dedent(text).strip("\n")))


# R34 a to f

add(
    "who-sent-it-comes-before-what-it-is",
    "credentials, then the user, then the length, then what it says",
    """
    o.feed now_ns=0
        unix raw pid=10 00 marks=no_credentials,truncated uid=7
        unix raw pid=0 00 uid=7
        unix raw pid=10 00 uid=65534
        unix raw pid=10 00 uid=7
        unix raw pid=10 00 marks=truncated
        udp raw pid=10 00
        udp beat pid=10 marks=no_credentials
    o.stats : no_credentials uid_refused bad_length decode_errors datagrams
    """,
    users="uids=1000,65534",
)
add(
    "every-fault-is-told-by-its-word",
    "of beats and notices, in the order in which they are looked for",
    """
    o.feed now_ns=0
        unix raw pid=10 0041020002000000000000000000000000000000000000000000000000000000
        unix raw pid=10 5641010002000000000000000000000000000000000000000000000000000000
        unix raw pid=10 5641020002000000000000000000000000000000000000000000000000000000
        unix made pid=10 5641020400000000ffffffffffffffffffffffffffffffff0000000000000000
        unix made pid=10 5641020300000000ffffffffffffffffffffffffffffffff0000000000000000
        unix made pid=10 5641020001000000ffffffffffffffffffffffffffffffff0000000000000000
        unix made pid=10 5641020002000000ffffffffffffffffffffffffffffffff0000000000000000
        unix made pid=10 56410200020000000000000000000000ffffffffffffffff0000000000000000
        unix raw pid=10 4b50020000000000000000000000000000000000000000000000000000000000
        unix raw pid=10 4b50010000000000000000000000000000000000000000000000000000000000
        unix made pid=10 4b5001030000000000000000000000ff00ffffffffffffffff00010000000000
        unix made pid=10 4b50010101000000000000000000000000ffffffffffffffff00010000000000
        unix made pid=10 4b500101020000000000000000000000ffffffffffffffff0000010000000000
        unix made pid=10 4b5001010200000000000000000000000000000000000000000000ff00000000
    o.stats : decode_errors bad_length
    """,
)
add(
    "text-is-for-those-who-want-it",
    "elsewhere it is a wrong length, or a bad frame if it has that of one",
    """
    o.feed now_ns=0
        unix text pid=10 READY=1
        unix text pid=10 READY=1\\nX=23456789012345678901234
        udp text pid=10 READY=1
        unix beat pid=10
    o.stats : bad_length decode_errors
    t.stats : agents
    """,
    options="accept_notify=false",
)
add(
    "what-text-may-hold",
    "tab, feed, return, all from a space on, one final NUL, and an equals sign somewhere",
    """
    o.feed now_ns=0
        unix text pid=10 \\x7f=\\xff\\t\\r\\nREADY=1\\x00
        unix text pid=11 READY=1\\x00\\x00
        unix text pid=11 READY=1\\x00\\n
        unix text pid=11 \\x00
        unix text pid=11 \\x1f=\\nREADY=1
        unix text pid=11 \\x0b=\\nREADY=1
        unix text pid=11 READY
        unix text pid=12 =
        unix text pid=13 =\\x00
    o.stats : bad_length notify_unattested
    t.stats : agents
    """,
)
add(
    "lines-that-mean-nothing",
    "another value, case, or space; more than the value; what follows a NUL is none",
    """
    o.feed now_ns=0
        unix text pid=10 READY=0\\nready=1\\nREADY=1\\x20
        unix text pid=11 \\x20READY=1\\nREADY\\x20=1\\nREADY=1=1\\nREADY=11
        unix text pid=12 WATCHDOG=2\\nWATCHDOG=TRIGGER\\nWATCHDOG=triggers\\nWATCHDOG=
        unix text pid=13 WATCHDOG_USEC=\\nWATCHDOG_USEC=+5\\nWATCHDOG_USEC=0x5\\nWATCHDOG_USEC=5\\x20
        unix text pid=14 WATCHDOG_USEC=0\\nWATCHDOG_USEC=18446744073709552\\nWATCHDOG_USEC=99999999999999999999999
        unix text pid=15 XREADY=1\\nNOTREADY=1\\nSTATUS=READY=1
    t.stats : agents
    o.feed now_ns=1
        unix text pid=10 READY=1\\nREADY=0
        unix text pid=11 WATCHDOG=trigger\\nWATCHDOG=2\\nWATCHDOG=1\\nWATCHDOG=0
        unix text pid=12 WATCHDOG_USEC=00000000000000000000005000000\\rWATCHDOG_USEC=x
    t.get pid=12 now_ns=1 : limit_ns state
    t.get pid=11 now_ns=1 : health state
    """,
)
add(
    "one-mark-for-a-sender-under-any-key",
    "beats, notices and both modes share it; last words have their own",
    """
    o.add_key mode=shared key=shared
    o.add_key mode=master key=master
    o.add_key mode=master key=shared
    o.feed now_ns=0
        shared beat pid=10 nonce=5
        master beat pid=10 nonce=5
        master beat pid=10 nonce=6
        shared register pid=10 nonce=6
        shared register pid=10 nonce=7
        shared crash pid=10 timestamp_ns=0
        shared crash pid=10 timestamp_ns=0
        master crash pid=10 timestamp_ns=1
        shared beat pid=10 nonce=7
    o.feed now_ns=20ms
        shared beat pid=10 nonce=8
        shared beat pid=10 nonce=2^64-2
        shared beat pid=10 nonce=0
        shared beat pid=11 nonce=0
        shared beat pid=11 nonce=0
    o.stats : replay_refused decrypt_failures
    """,
    options="per_pid_rate=0",
)
add(
    "what-the-seal-does-not-cover",
    "a clear pid that is not the inner one opens nothing; a bad frame inside is a bad frame, whoever sealed it",
    """
    o.feed now_ns=0
        shared beat pid=10
    o.add_key mode=shared key=shared
    o.add_key mode=master key=master
    o.feed now_ns=0
        master beat pid=10 clear=11
        master goodbye pid=10 clear=11
        master made pid=10 5641020300000000ffffffffffffffffffffffffffffffff0000000000000000
        shared raw pid=10 0000000000000000000000000000000000000000000000000000000000000000
        shared made pid=10 5641020001000000ffffffffffffffffffffffffffffffff0000000000000000
        shared text pid=10 READY=1\\nX=23456789012345678901234
        udp beat pid=10 nonce=1
        shared beat pid=10 nonce=1
    o.stats : decrypt_failures decode_errors replay_refused bad_length
    """,
)
add(
    "a-session-ends-at-its-gap",
    "one nanosecond before it does not; a notice and a last word end none; what is refused keeps none alive",
    """
    o.add_key mode=shared key=shared
    o.feed now_ns=0
        shared beat pid=10 nonce=50
        shared crash pid=10 timestamp_ns=9
        shared beat pid=11 nonce=50
        shared beat pid=12 nonce=50
    o.feed now_ns=2s-1
        shared beat pid=10 nonce=50
        shared beat pid=12 nonce=51
    o.feed now_ns=2s
        shared register pid=11 nonce=50
        shared crash pid=10 timestamp_ns=9
        shared beat pid=10 nonce=1
        shared beat pid=10 nonce=1
        shared crash pid=10 timestamp_ns=9
        shared beat pid=12 nonce=50
        shared register pid=11 nonce=51
        shared beat pid=11 nonce=1
    o.feed now_ns=4s-1
        shared beat pid=12 nonce=1
    o.stats : replay_refused
    """,
    options="per_pid_rate=0 session_gap_ns=2s",
    ledger="tracker >t capacity=16 threshold_ns=60s",
)

# R34 g to j

add(
    "claims-of-every-kind",
    "notices claim a pid as beats do; text claims none",
    """
    o.feed now_ns=0
        unix beat pid=10 claimed=11
        unix register pid=10 claimed=2^32-1
        unix text pid=10 READY=1
        unix register pid=10
        udp beat pid=4 claimed=11
        udp register pid=11
        udp beat pid=11
        udp beat pid=12
        udp register pid=12 marks=attested
    o.stats : auth_failures pid_above_max notice_refused
    """,
    options="require_pid_match=true pid_max=11",
)
add(
    "what-a-datagram-does-not-say-of-itself",
    "follows from a slot that the kernel vouched for, and only from such a one",
    """
    o.feed now_ns=0
        unix beat pid=10 generation=0
        unix beat pid=11 ns_inode=0
        unix text pid=12 READY=1
    o.feed now_ns=20ms
        unix beat pid=10 nonce=2 generation=0
        unix beat pid=11 nonce=2 ns_inode=9
        unix beat pid=12 nonce=2 generation=0
        unix text pid=10 generation=0 READY=1
    t.get pid=10 now_ns=20ms : origin generation ns_inode
    t.get pid=11 now_ns=20ms : origin generation ns_inode
    t.get pid=12 now_ns=20ms : origin generation ns_inode
    o.feed now_ns=40ms
        unix beat pid=11 nonce=3 generation=0 ns_inode=4
        unix beat pid=11 nonce=4 ns_inode=0
        unix text pid=11 generation=0 READY=1
        unix goodbye pid=12 generation=0
        unix beat pid=11 nonce=1 generation=77 ns_inode=0
    t.get pid=11 now_ns=40ms : origin generation ns_inode
    o.stats : notify_unattested notice_refused limited_pid
    """,
)
add(
    "a-foreign-namespace-is-known",
    "one that is not known passes; the refusal pays",
    """
    o.feed now_ns=0
        unix beat pid=10 ns_inode=9
        unix beat pid=11 ns_inode=0
        unix beat pid=12 ns_inode=4026531836
        unix register pid=13 ns_inode=9
        unix text pid=13 ns_inode=9 READY=1
        unix beat pid=14 ns_inode=9 generation=0
        udp beat pid=15
        udp beat pid=16
    o.stats : foreign_namespace limited_global
    t.stats : namespace_conflicts agents
    """,
    options="own_namespace_only=true own_ns_inode=4026531836 global_rate=1 global_burst=7",
)

# R34 k to n

add(
    "the-dead-and-the-tracked",
    "whoever is gone is heard as long as it is tracked; else its last word alone is told",
    """
    o.feed now_ns=0
        unix crash pid=10 marks=sender_gone payload=3
        unix beat pid=10 marks=sender_gone health=2
        unix register pid=10 marks=sender_gone
        unix text pid=10 marks=sender_gone READY=1
        udp crash pid=10 marks=sender_gone
        unix register pid=10
        unix crash pid=10 marks=sender_gone payload=4
        unix text pid=10 marks=sender_gone WATCHDOG=trigger
    o.stats : posthumous limited_pid
    t.get pid=10 now_ns=0 : payload health nonce
    """,
)
add(
    "a-rate-is-kept-to-the-nanosecond",
    "a third of a second is rounded down; refused beats do not count",
    """
    o.feed now_ns=0
        unix beat pid=10
        udp beat pid=11
    o.feed now_ns=333333332
        unix beat pid=10 nonce=2
        udp beat pid=11 nonce=2
    o.feed now_ns=333333333
        unix beat pid=10 nonce=2
        udp beat pid=11 nonce=2
        unix beat pid=10 nonce=3
    o.stats : limited_pid
    """,
    options="per_pid_rate=3",
)
add(
    "another-life-waits-too",
    "a recycled pid is limited as its former self, but for a stronger origin and a last word",
    """
    o.feed now_ns=0
        unix beat pid=10
        unix beat pid=10 generation=1
        unix crash pid=10 generation=1
        unix beat pid=10 generation=2
        unix crash pid=10 generation=2
        udp beat pid=11
        udp beat pid=11 marks=attested
        unix beat pid=11 generation=0
        unix beat pid=11
    o.stats : limited_pid
    t.stats : recycles origin_conflicts
    """,
)
add(
    "a-last-word-is-free-once",
    "without a rate of its own; not of one that never beat, nor of the network",
    """
    o.feed now_ns=0
        unix beat pid=10
        unix register pid=11
        udp beat pid=12
        unix crash pid=10 timestamp_ns=1
        unix crash pid=10 timestamp_ns=2
        unix crash pid=11 timestamp_ns=1
        udp crash pid=12 timestamp_ns=1
    o.stats : limited_global limited_pid
    """,
    options="per_pid_rate=0 global_rate=1 global_burst=3",
)
add(
    "what-is-refused-for-nothing-pays-nothing",
    "lengths, seals, replays, the dead, goodbyes, rates, and text that nobody vouches for",
    """
    o.add_key mode=shared key=shared
    o.feed now_ns=0
        unix beat pid=10
        unix raw pid=10 00
        shared beat pid=11 clear=5 nonce=3
        unix beat pid=12 marks=sender_gone
        unix text pid=13 generation=0 READY=1
        unix beat pid=10 nonce=2
        unix beat pid=14
        unix beat pid=15
    o.stats : bad_length posthumous notify_unattested limited_pid limited_global
    """,
    options="global_rate=1 global_burst=3",
)
add(
    "what-a-text-cannot-pay-for-ends-it",
    "the lines that come after do nothing either",
    """
    o.feed now_ns=0
        unix text pid=10 READY=1
        unix text pid=11 READY=1\\nWATCHDOG=1\\nSTOPPING=1
        unix text pid=10 READY=1\\nWATCHDOG_USEC=5000000\\nWATCHDOG=1\\nSTOPPING=1
        unix text pid=10 READY=1\\nWATCHDOG=1
    o.stats : limited_global
    t.get pid=10 now_ns=0 : state beats limit_ns
    t.stats : agents
    """,
    options="global_rate=1 global_burst=1",
)

# R36

add(
    "an-outage-is-told-once",
    "also one that another call met, at the end of the next feed",
    """
    t.record pid=1 nonce=1 now_ns=0
    t.drain now_ns=200ms
    o.drain now_ns=201ms
    o.drain now_ns=202ms
    o.feed now_ns=500ms
        unix beat pid=10
    o.drain now_ns=600ms
    t.stats : outages outage_ns
    """,
    ledger="tracker >t capacity=16 threshold_ns=1s max_gap_ns=100ms",
)
add(
    "without-beats-the-rest-is-told",
    "recycled, recovered, crash, and what stalls",
    """
    o.feed now_ns=0
        unix beat pid=10
        unix crash pid=11
    o.drain now_ns=1s
    o.feed now_ns=2s
        unix beat pid=10 nonce=2
        unix beat pid=11 generation=3
    """,
    telling="",
)

add(
    "all-stalls-of-one-call-tell-the-same",
    "how many are stalled after it, however many they are",
    """
    t.fill first=1 last=260 now_ns=0
    o.drain now_ns=1s
    """,
    ledger="tracker >t capacity=512 threshold_ns=1s",
)

# R33, R39, R40: lives

add(
    "the-life-that-registered-is-known",
    "before its first beat too: neither the exit nor the notice of another one is its own",
    """
    o.feed now_ns=0
        unix register pid=10 threshold_ms=5000
        unix text pid=11 READY=1
        unix register pid=12
    o.exit pid=10 generation=3 now_ns=1
    o.exit pid=11 generation=3 now_ns=2
    o.feed now_ns=3
        unix goodbye pid=10 generation=3
        unix text pid=11 generation=3 X=1
        unix beat pid=12 generation=3
    t.get pid=12 now_ns=3 : generation beats
    o.exit pid=12 generation=5012 now_ns=4
    o.exit pid=12 generation=0 now_ns=5
    t.stats : agents recycles exits goodbyes
    """,
)
add(
    "a-network-agent-that-starts-over-is-nobody-who-was-noted",
    "tracker: forget who was noted when a slot begins anew",
    """
    o.feed now_ns=0
        udp beat pid=10 nonce=5
        unix register pid=10
    o.drain now_ns=1s
    o.feed now_ns=1s
        udp beat pid=10 nonce=1
    o.exit pid=10 generation=3 now_ns=1s+1
    t.stats : agents exits recycles
    """,
)
add(
    "who-left-and-was-deleted-is-heard-again",
    "tracker: forget who was noted when a slot begins anew",
    """
    o.feed now_ns=0
        unix beat pid=10
        unix goodbye pid=10 nonce=2
    t.delete pid=10 reason=operator now_ns=1
    o.feed now_ns=20ms
        unix beat pid=10 nonce=3
    o.feed now_ns=40ms
        unix beat pid=10 nonce=4
        unix text pid=10 STOPPING=1
    t.delete pid=10 reason=operator now_ns=41ms
    o.feed now_ns=60ms
        unix text pid=10 READY=1
        unix beat pid=10 nonce=5
    o.stats : after_goodbye
    o.exit pid=10 generation=5010 now_ns=70ms
    """,
)
add(
    "who-left-is-not-who-the-program-records",
    "tracker: know a life by its generation too",
    """
    o.feed now_ns=0
        unix beat pid=10
        unix goodbye pid=10 nonce=2
    t.record pid=10 nonce=1 generation=3 now_ns=1
    o.feed now_ns=20ms
        unix beat pid=10 nonce=2 generation=3
    o.exit pid=10 generation=5010 now_ns=21ms
    o.exit pid=10 generation=3 now_ns=22ms
    o.stats : after_goodbye
    """,
)
add(
    "what-the-program-records-may-have-no-generation",
    "a slot that is the kernel's vouches for a datagram nevertheless",
    """
    t.record pid=10 nonce=1 now_ns=0
    o.feed now_ns=20ms
        unix beat pid=10 nonce=2 generation=0
        unix text pid=10 generation=0 READY=1
    t.get pid=10 now_ns=20ms : origin generation ns_inode
    o.feed now_ns=40ms
        unix beat pid=10 nonce=3
    t.get pid=10 now_ns=40ms : origin generation ns_inode
    """,
)
add(
    "leaving-ends-by-what-says-so",
    "not by a watchdog, its time, or a second goodbye, and not for another life",
    """
    o.feed now_ns=0
        unix beat pid=10
        unix goodbye pid=10 nonce=2
        unix goodbye pid=10 nonce=3
        unix text pid=10 STOPPING=1
        unix text pid=10 WATCHDOG_USEC=3000000\\nWATCHDOG=1
    t.get pid=10 now_ns=0 : state limit_ns
    o.feed now_ns=20ms
        unix beat pid=10 nonce=4
        unix beat pid=10 nonce=4 generation=0
        unix register pid=10 nonce=5 threshold_ms=2000
        unix beat pid=10 nonce=6
    t.get pid=10 now_ns=20ms : state limit_ns
    o.feed now_ns=40ms
        unix text pid=10 STOPPING=1
        unix beat pid=10 nonce=1 generation=3
        unix beat pid=10 nonce=7
    t.get pid=10 now_ns=40ms : state generation limit_ns
    o.exit pid=10 generation=3 now_ns=41ms
    o.stats : after_goodbye limited_pid
    t.stats : goodbyes exits recycles
    """,
)
add(
    "ready-and-stopping-in-one-breath",
    "it is ready, then it leaves; its time is set before and lost",
    """
    o.feed now_ns=0
        unix text pid=10 STOPPING=1\\nWATCHDOG=trigger\\nWATCHDOG_USEC=3000000\\nREADY=1
    t.get pid=10 now_ns=0 : state limit_ns health
    o.feed now_ns=1
        unix text pid=10 READY=1\\nSTOPPING=1
    o.exit pid=10 generation=5010 now_ns=2
    t.stats : goodbyes exits
    """,
)
add(
    "who-may-register-and-leave",
    "the kernel's, an operator's, sealed ones; none for a slot of a stronger origin that has beaten",
    """
    o.add_key mode=shared key=shared
    o.feed now_ns=0
        udp register pid=10
        unix register pid=10 generation=0
        udp register pid=10 marks=attested
        shared register pid=11
        unix beat pid=12 generation=0
        shared goodbye pid=12 nonce=2
        udp goodbye pid=12 marks=attested
        unix beat pid=13
        udp goodbye pid=13 marks=attested
        unix register pid=14
        shared goodbye pid=14
        shared goodbye pid=11 nonce=2
        shared goodbye pid=11 nonce=3
    o.stats : notice_refused replay_refused
    t.stats : agents goodbyes
    """,
)
add(
    "settings-within-what-is-allowed",
    "a threshold that is given is clamped on both sides, grace from above, misses not at all",
    """
    o.feed now_ns=0
        unix register pid=10 threshold_ms=1 grace_ms=1 misses=255
        unix register pid=11 threshold_ms=50 grace_ms=3000
        unix register pid=12 threshold_ms=3001 grace_ms=3001
        unix register pid=13 threshold_ms=2^32-1 grace_ms=2^32-1 misses=1
        unix register pid=14
        unix text pid=15 WATCHDOG_USEC=1
        unix text pid=16 WATCHDOG_USEC=18446744073709551
    t.get pid=10 now_ns=0 : limit_ns grace_ns
    t.get pid=11 now_ns=0 : limit_ns grace_ns
    t.get pid=12 now_ns=0 : limit_ns grace_ns
    t.get pid=13 now_ns=0 : limit_ns grace_ns
    t.get pid=14 now_ns=0 : limit_ns grace_ns
    t.get pid=15 now_ns=0 : limit_ns grace_ns
    t.get pid=16 now_ns=0 : limit_ns grace_ns
    """,
    options="min_threshold_ns=50ms max_threshold_ns=3s",
)
add(
    "a-place-for-who-says-ready",
    "somebody overdue gives way, or nobody becomes ready",
    """
    o.feed now_ns=0
        unix beat pid=10
        unix text pid=11 READY=1\\nWATCHDOG=1
    o.drain now_ns=1s
    o.feed now_ns=10s
        unix text pid=11 READY=1
    o.feed now_ns=10s+1
        unix text pid=11 READY=1\\nWATCHDOG_USEC=2000000
    t.stats : agents evictions capacity_exceeded
    """,
    ledger="tracker >t capacity=1 threshold_ns=1s",
)

# R45

add(
    "the-least-pid-of-those-silent-as-long-gives-way",
    "to a sender that is new, whatever it says; and it may then be heard again",
    """
    o.add_key mode=shared key=shared
    o.senders now_ns=5 first=101 last=1124 nonce=50
    o.feed now_ns=6
        shared register pid=50 nonce=1
    o.feed now_ns=7
        shared beat pid=101 nonce=50
        shared beat pid=103 nonce=50
    o.stats : senders_evicted replay_refused
    o.feed now_ns=7
        shared crash pid=102 timestamp_ns=0
        shared beat pid=102 nonce=50
    o.stats : senders_evicted replay_refused
    """,
    telling="",
    options="per_pid_rate=0 global_rate=0",
    ledger="tracker >t capacity=2048 threshold_ns=60min",
)

# R37

add(
    "time-that-goes-back-brings-no-tokens",
    "nor does it count twice afterwards",
    """
    o.feed now_ns=1s
        udp beat pid=10
        udp beat pid=11
    o.feed now_ns=0
        udp beat pid=11
    o.feed now_ns=1s+500ms
        udp beat pid=11
    o.feed now_ns=1s
        udp beat pid=11
    o.feed now_ns=2s-1
        udp beat pid=11
    o.feed now_ns=2s
        udp beat pid=11
        udp beat pid=12
    o.stats : limited_global
    t.stats : clock_regressions
    """,
    options="global_rate=1 global_burst=1",
)
