# SPDX-License-Identifier: MIT
"""Scripts of the ledger and the beacon, rule by rule, as text (tracker_script.py). What they give is
the model's to say.
"""

from __future__ import annotations

LEDGER: dict[str, tuple[str, str]] = {}
BEACON: dict[str, tuple[str, str]] = {}


def add(name: str, comment: str, text: str, scripts: dict[str, tuple[str, str]] = LEDGER) -> None:
    """One script."""
    assert name not in scripts
    scripts[name] = comment, text


# R7

add(
    "options-have-ranges",
    "what lies outside is refused and binds nothing; the ends are allowed",
    """
    tracker >t capacity=0
    tracker >t capacity=65537
    tracker >t threshold_ns=0
    tracker >t misses=0
    tracker >t misses=1001
    tracker >t capacity=65536 threshold_ns=2^64-1 misses=1000 grace_ns=2^64-1 max_gap_ns=2^64-1 statistics=1
    t.record pid=1 nonce=1 now_ns=5
    t.get pid=1 now_ns=5 : limit_ns grace_ns state
    tracker >u capacity=1 threshold_ns=1
    u.record pid=1 nonce=1 now_ns=5
    u.get pid=1 now_ns=5 : limit_ns grace_ns state
    tracker >d
    d.record pid=1 nonce=1 now_ns=5
    d.get pid=1 now_ns=5 : limit_ns grace_ns state
    """,
)
add(
    "sums-and-products-of-times-saturate",
    "threshold by misses, the mark plus that, the start plus grace; the last of times never comes",
    """
    tracker >t capacity=8 threshold_ns=2^62 misses=4
    t.record pid=1 nonce=1 now_ns=0
    t.get pid=1 now_ns=0 : limit_ns
    t.next_deadline
    t.put pid=2 now_ns=1 threshold_ns=1 misses=1
    t.record pid=2 nonce=1 now_ns=2^64-3
    t.put pid=3 now_ns=2^64-3 threshold_ns=1 misses=1 grace_ns=2^64-1
    t.put pid=4 now_ns=2^64-3 threshold_ns=2 misses=1
    t.next_deadline
    t.drain now_ns=2^64-2
    t.next_deadline
    t.drain now_ns=2^64-1
    t.get pid=1 now_ns=2^64-1 : state silence_ns
    t.get pid=3 now_ns=2^64-1 : state silence_ns
    t.get pid=4 now_ns=2^64-1 : state silence_ns
    """,
)

# R8, R9

add(
    "every-call-tells-the-time",
    "also one that is refused for what the ledger holds, but none that is refused for its arguments",
    """
    tracker >t capacity=1 threshold_ns=10 max_gap_ns=4
    t.record pid=1 nonce=5 now_ns=100
    t.record pid=1 nonce=5 now_ns=101
    t.record pid=2 nonce=1 now_ns=102
    t.put pid=2 now_ns=103
    t.delete pid=2 reason=operator now_ns=104
    t.get pid=1 now_ns=104 : silence_ns last_ns
    t.record pid=0 nonce=1 now_ns=110
    t.record pid=1 nonce=6 health=3 now_ns=110
    t.put pid=1 misses=1001 now_ns=110
    t.get pid=2 now_ns=110
    t.next_deadline
    t.stats : clock_regressions outages capacity_exceeded out_of_order
    t.put pid=2 now_ns=90
    t.delete pid=2 reason=operator now_ns=90
    t.record pid=1 nonce=5 now_ns=90
    t.drain now_ns=90
    t.get pid=1 now_ns=90 : silence_ns
    t.stats : clock_regressions outages capacity_exceeded out_of_order
    """,
)
add(
    "get-answers-as-if-called-then",
    "a gap counts for the answer, and then not for the ledger",
    """
    tracker >t capacity=2 threshold_ns=100 max_gap_ns=30
    t.record pid=1 nonce=1 now_ns=0
    t.get pid=1 now_ns=29 : silence_ns state
    t.get pid=1 now_ns=31 : silence_ns state
    t.get pid=1 now_ns=1000 : silence_ns state
    t.drain now_ns=30
    t.drain now_ns=61
    t.get pid=1 now_ns=61 : silence_ns
    t.get pid=1 now_ns=0 : silence_ns
    t.stats : outages outage_ns clock_regressions
    """,
)
add(
    "the-silence-of-one-who-registers-again",
    "counts from the later of start and beat",
    """
    tracker >t capacity=2 threshold_ns=100
    t.record pid=1 nonce=1 now_ns=10
    t.put pid=1 now_ns=40
    t.get pid=1 now_ns=50 : silence_ns last_ns state
    t.record pid=1 nonce=2 now_ns=60
    t.get pid=1 now_ns=70 : silence_ns last_ns state
    t.drain now_ns=159
    t.drain now_ns=160
    """,
)

# R10

add(
    "what-no-ledger-takes",
    "an impossible sighting changes nothing",
    """
    tracker >t capacity=2 threshold_ns=100
    t.record pid=0 nonce=1 now_ns=1
    t.record pid=1 nonce=1 health=3 now_ns=1
    t.record pid=1 nonce=1 health=255 now_ns=1
    t.record pid=1 nonce=2^64-1 now_ns=1
    t.record pid=1 nonce=2^64-1 health=1 now_ns=1
    t.record pid=1 nonce=1 unnumbered=true origin=operator now_ns=1
    t.record pid=1 nonce=1 unnumbered=true origin=network now_ns=1
    t.record pid=1 nonce=1 unnumbered=true origin=socket_mode now_ns=1
    t.stats : agents beats
    t.record pid=1 nonce=2^64-2 now_ns=1
    t.record pid=2^32-1 nonce=0 now_ns=1
    t.get pid=2^32-1 now_ns=1 : nonce pid claimed_pid
    """,
)
add(
    "unnumbered-is-regular-whatever-its-nonce",
    "its nonce is not read, so that of a last word makes none of it",
    """
    tracker >t capacity=2 threshold_ns=100
    t.record pid=1 nonce=2^64-1 health=2 unnumbered=true now_ns=1
    t.get pid=1 now_ns=1 : nonce health
    t.record pid=1 nonce=7 now_ns=2
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=3
    t.get pid=1 now_ns=3 : nonce
    t.record pid=1 nonce=3 unnumbered=true now_ns=4
    t.get pid=1 now_ns=4 : nonce
    t.record pid=1 nonce=7 now_ns=5
    t.record pid=1 nonce=8 now_ns=6
    """,
)

# R11

add(
    "the-first-beat-may-be-the-last-word",
    "of an agent that is registered, or of nobody; the stream that follows has no nonce yet",
    """
    tracker >t capacity=4 threshold_ns=100
    t.put pid=1 now_ns=0
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=0 now_ns=1 origin=network
    t.record pid=2 nonce=2^64-1 health=2 timestamp_ns=0 now_ns=1 origin=network
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=0 now_ns=2 origin=network
    t.record pid=2 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=2 origin=network
    t.get pid=2 now_ns=2 : nonce beats out_of_order
    t.record pid=1 nonce=0 now_ns=200 origin=network
    t.get pid=1 now_ns=200 : nonce beats out_of_order
    """,
)
add(
    "another-generation-comes-before-everything",
    "a recycled pid may have a weaker origin, another namespace, an old nonce, or a last word",
    """
    tracker >t capacity=4 threshold_ns=100
    t.put pid=1 now_ns=0 threshold_ns=1000 misses=3 grace_ns=50
    t.record pid=1 nonce=9 now_ns=1 generation=1 ns_inode=7
    t.record pid=1 nonce=3 now_ns=2 generation=2 ns_inode=8 origin=network
    t.get pid=1 now_ns=2 : origin ns_inode generation nonce beats limit_ns grace_ns
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=5 now_ns=3 generation=3
    t.get pid=1 now_ns=3 : origin ns_inode generation nonce beats
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=5 now_ns=4 generation=4
    t.stats : recycles origin_conflicts namespace_conflicts out_of_order beats
    """,
)
add(
    "a-recycled-agent-recovers-from-nothing",
    "stalled or unarmed, it begins as a new one",
    """
    tracker >t capacity=4 threshold_ns=100 grace_ns=20
    t.record pid=1 nonce=9 now_ns=0 generation=1
    t.record pid=2 nonce=9 now_ns=0 generation=1
    t.put pid=2 now_ns=0 unarmed=true
    t.drain now_ns=100
    t.record pid=1 nonce=1 now_ns=150 generation=2
    t.record pid=2 nonce=1 now_ns=150 generation=2
    t.get pid=1 now_ns=150 : state beats
    t.get pid=2 now_ns=150 : state beats
    t.stats : stalled recoveries recycles
    t.drain now_ns=250
    """,
)
add(
    "starting-over-needs-the-whole-limit",
    "one nanosecond of silence less is a replay; the limit is the agent's own",
    """
    tracker >t capacity=4 threshold_ns=100 misses=2
    t.record pid=1 nonce=5 now_ns=0 origin=network
    t.record pid=1 nonce=5 now_ns=199 origin=network
    t.record pid=1 nonce=5 now_ns=200 origin=network
    t.put pid=1 now_ns=200 threshold_ns=50 misses=1
    t.record pid=1 nonce=4 now_ns=249 origin=network
    t.record pid=1 nonce=4 now_ns=250 origin=network
    t.get pid=1 now_ns=250 : limit_ns nonce beats out_of_order
    t.record pid=1 nonce=5 now_ns=900 origin=network
    t.stats : recycles out_of_order
    """,
)
add(
    "starting-over-is-for-those-who-cannot-be-told-apart",
    "not local ones, nor another origin, nor where a generation is known, nor by a last word, nor without a nonce",
    """
    tracker >t capacity=8 threshold_ns=100
    t.record pid=1 nonce=5 now_ns=0 origin=operator
    t.record pid=2 nonce=5 now_ns=0 origin=socket_mode
    t.record pid=3 nonce=5 now_ns=0 origin=network generation=1
    t.record pid=4 nonce=5 now_ns=0 origin=network
    t.record pid=5 nonce=2^64-1 health=2 timestamp_ns=9 now_ns=0 origin=network
    t.record pid=6 nonce=5 now_ns=0 origin=network
    t.record pid=1 nonce=5 now_ns=500 origin=operator
    t.record pid=2 nonce=5 now_ns=500 origin=socket_mode
    t.record pid=3 nonce=5 now_ns=500 origin=network
    t.record pid=4 nonce=5 now_ns=500 origin=network generation=1
    t.record pid=5 nonce=0 now_ns=500 origin=network
    t.record pid=6 nonce=5 now_ns=500 origin=operator
    t.record pid=4 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=500 origin=network
    t.stats : recycles out_of_order
    """,
)
add(
    "a-stronger-origin-begins-a-stream-and-statistics",
    "settings and start stay; nonce, last word and intervals do not",
    """
    tracker >t capacity=4 threshold_ns=100 statistics=1
    t.put pid=1 now_ns=0 threshold_ns=500 grace_ns=900
    t.record pid=1 nonce=50 now_ns=10 origin=network ns_inode=7 claimed_pid=3
    t.record pid=1 nonce=51 now_ns=20 origin=network ns_inode=7
    t.record pid=1 nonce=50 now_ns=25 origin=network ns_inode=7
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=90 now_ns=30 origin=network ns_inode=7
    t.get pid=1 now_ns=30 : beats out_of_order intervals nonce state
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=40 origin=socket_mode ns_inode=8
    t.get pid=1 now_ns=40 : beats out_of_order intervals nonce origin ns_inode limit_ns grace_ns state
    t.record pid=1 nonce=0 now_ns=50 origin=operator
    t.record pid=1 nonce=1 now_ns=60 origin=operator ns_inode=9
    t.get pid=1 now_ns=60 : beats intervals mean_ns nonce origin ns_inode claimed_pid
    t.stats : beats out_of_order
    """,
)
add(
    "a-namespace-is-lost-by-a-last-word-only",
    "a regular beat that does not know its namespace is refused, one of another always",
    """
    tracker >t capacity=4 threshold_ns=100
    t.record pid=1 nonce=1 now_ns=0 ns_inode=7
    t.record pid=1 nonce=2 now_ns=1
    t.record pid=1 nonce=2 now_ns=1 unnumbered=true
    t.record pid=1 nonce=2 now_ns=1 ns_inode=8
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=2 ns_inode=8
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=2
    t.get pid=1 now_ns=2 : ns_inode nonce health beats out_of_order
    t.stats : namespace_conflicts
    """,
)
add(
    "a-last-word-teaches-too",
    "namespace and generation are learned from any beat that is accepted",
    """
    tracker >t capacity=4 threshold_ns=100
    t.record pid=1 nonce=1 now_ns=0
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=5 now_ns=1 ns_inode=7 generation=3
    t.get pid=1 now_ns=1 : ns_inode generation
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=5 now_ns=2 ns_inode=7 generation=3
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=4 now_ns=2 ns_inode=7 generation=3
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=6 now_ns=2 ns_inode=7 generation=3
    t.record pid=2 nonce=1 now_ns=3
    t.record pid=2 nonce=1 now_ns=4 ns_inode=7 generation=3
    t.get pid=2 now_ns=4 : ns_inode generation
    t.record pid=2 nonce=9 unnumbered=true now_ns=5 ns_inode=7 generation=3
    t.get pid=2 now_ns=5 : ns_inode generation nonce
    """,
)
add(
    "the-edges-of-a-wrap",
    "the last 2^20 and one before the end, the first 2^20 and one after it",
    """
    tracker >t capacity=8 threshold_ns=100
    t.record pid=1 nonce=2^64-2-2^20 now_ns=0
    t.record pid=1 nonce=0 now_ns=1
    t.record pid=1 nonce=2^64-1-2^20 now_ns=2
    t.record pid=1 nonce=2^20+1 now_ns=3
    t.record pid=1 nonce=2^20 now_ns=4
    t.record pid=1 nonce=2^20 now_ns=5
    t.record pid=1 nonce=2^64-2 now_ns=6
    t.record pid=1 nonce=2^64-2 now_ns=7
    t.record pid=1 nonce=2^64-3 now_ns=7
    t.record pid=1 nonce=0 now_ns=8
    t.record pid=1 nonce=0 now_ns=9
    t.get pid=1 now_ns=9 : nonce beats out_of_order
    t.stats : nonce_wraps out_of_order
    """,
)
add(
    "a-wrap-of-a-network-agent-in-time-is-no-new-start",
    "as long as it is not silent for its limit",
    """
    tracker >t capacity=8 threshold_ns=100
    t.record pid=1 nonce=2^64-2 now_ns=0 origin=network
    t.record pid=1 nonce=0 now_ns=99 origin=network
    t.record pid=2 nonce=2^64-2 now_ns=99 origin=network
    t.record pid=2 nonce=0 now_ns=199 origin=network
    t.stats : nonce_wraps recycles
    """,
)
add(
    "what-is-refused-does-not-help",
    "an agent that is stalled stays so, and its settings, health and time are as they were",
    """
    tracker >t capacity=2 threshold_ns=100
    t.record pid=1 nonce=9 now_ns=0 origin=operator ns_inode=7 payload=4
    t.drain now_ns=100
    t.record pid=1 nonce=10 now_ns=101 origin=network health=1
    t.record pid=1 nonce=10 now_ns=102 origin=operator ns_inode=8 health=1
    t.record pid=1 nonce=10 now_ns=103 origin=operator health=1
    t.record pid=1 nonce=9 now_ns=104 origin=operator ns_inode=7 health=1 generation=5
    t.get pid=1 now_ns=104 : state health payload last_ns nonce generation beats out_of_order
    t.stats : stalled recoveries beats
    t.record pid=1 nonce=10 now_ns=105 origin=operator ns_inode=7 claimed_pid=77
    t.get pid=1 now_ns=105 : state health payload last_ns nonce claimed_pid beats
    """,
)

# R13 to R18

add(
    "only-what-is-overdue-gives-way",
    "more than nine of the ledger's limits after its own deadline",
    """
    tracker >t capacity=2 threshold_ns=50 misses=2
    t.put pid=1 now_ns=0 threshold_ns=7 misses=1
    t.put pid=2 now_ns=0 unarmed=true
    t.drain now_ns=7
    t.put pid=3 now_ns=907
    t.record pid=3 nonce=1 now_ns=907
    t.record pid=3 nonce=1 now_ns=908
    t.get pid=1 now_ns=908
    t.get pid=2 now_ns=908 : state
    t.drain now_ns=1008
    t.put pid=4 now_ns=1908
    t.put pid=4 now_ns=1909
    t.get pid=3 now_ns=1909
    t.stats : agents stalled evictions capacity_exceeded
    """,
)
add(
    "balanced-takes-who-is-overdue-longest",
    "though nobody drained; a beat puts off the day",
    """
    tracker >t capacity=3 threshold_ns=10 policy=balanced
    t.record pid=5 nonce=1 now_ns=3
    t.record pid=9 nonce=1 now_ns=5
    t.record pid=7 nonce=1 now_ns=4
    t.drain now_ns=14 cap=1
    t.record pid=5 nonce=2 now_ns=14
    t.drain now_ns=14
    t.record pid=1 nonce=1 now_ns=105
    t.record pid=2 nonce=1 now_ns=105
    t.record pid=2 nonce=1 now_ns=106
    t.stats : evictions capacity_exceeded stalled agents
    """,
)
add(
    "the-last-words-nonce-is-observed-until-somebody-speaks",
    "in the alarm, in get, and over a put",
    """
    tracker >t capacity=4 threshold_ns=100
    t.record pid=1 nonce=5 now_ns=0
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=1 payload=9
    t.put pid=1 now_ns=2
    t.get pid=1 now_ns=2 : nonce
    t.drain now_ns=102
    t.record pid=1 nonce=5 now_ns=103
    t.record pid=1 nonce=0 unnumbered=true now_ns=104
    t.drain now_ns=204
    t.record pid=2 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=204
    t.drain now_ns=304
    """,
)
add(
    "all-alarms-of-one-call-tell-the-same",
    "how many are stalled after it, however many they are",
    """
    tracker >t capacity=512 threshold_ns=100
    t.fill first=1 last=270 now_ns=0
    t.drain now_ns=100 cap=5
    t.drain now_ns=100
    """,
)
add(
    "misses-are-as-many-as-fit",
    "silence by threshold, at most 2^32-1",
    """
    tracker >t capacity=4 threshold_ns=1
    t.record pid=1 nonce=1 now_ns=0
    t.put pid=2 now_ns=0 threshold_ns=2
    t.drain now_ns=2^33
    t.put pid=1 now_ns=2^33
    t.drain now_ns=2^34-1
    """,
)
add(
    "the-next-deadline-is-somebody-elses",
    "nobody's who is stalled, unarmed, or beyond all times; the clock if it has come",
    """
    tracker >t capacity=4 threshold_ns=100 max_gap_ns=50
    t.next_deadline
    t.record pid=1 nonce=1 now_ns=1000
    t.put pid=2 now_ns=1010 threshold_ns=200
    t.put pid=3 now_ns=1010 unarmed=true
    t.put pid=4 now_ns=1010 threshold_ns=2^64-1
    t.next_deadline
    t.record pid=1 nonce=1 now_ns=1200
    t.next_deadline
    t.record pid=1 nonce=1 now_ns=1240
    t.next_deadline
    t.drain now_ns=1240
    t.next_deadline
    t.delete pid=2 reason=operator now_ns=1241
    t.next_deadline
    t.record pid=3 nonce=1 now_ns=1250
    t.next_deadline
    """,
)

# R20

add(
    "the-states-in-their-order",
    "stalled before unarmed before registered before starting",
    """
    tracker >t capacity=4 threshold_ns=10 grace_ns=100
    t.put pid=1 now_ns=0
    t.get pid=1 now_ns=0 : state
    t.record pid=1 nonce=1 now_ns=1
    t.get pid=1 now_ns=1 : state
    t.record pid=1 nonce=2 now_ns=89
    t.get pid=1 now_ns=89 : state
    t.record pid=1 nonce=3 now_ns=90
    t.get pid=1 now_ns=90 : state
    t.drain now_ns=100
    t.get pid=1 now_ns=100 : state
    t.put pid=1 now_ns=101 unarmed=true
    t.get pid=1 now_ns=101 : state
    t.record pid=1 nonce=4 now_ns=102
    t.get pid=1 now_ns=102 : state
    t.put pid=2 now_ns=103 unarmed=true
    t.get pid=2 now_ns=103 : state origin last_ns claimed_pid
    """,
)
add(
    "nothing-given-is-the-ledgers",
    "also of an agent that had settings of its own",
    """
    tracker >t capacity=4 threshold_ns=10 misses=3 grace_ns=40
    t.put pid=1 now_ns=0 threshold_ns=7 misses=2 grace_ns=9
    t.get pid=1 now_ns=0 : limit_ns grace_ns
    t.put pid=1 now_ns=0 threshold_ns=0 misses=5
    t.get pid=1 now_ns=0 : limit_ns grace_ns
    t.put pid=1 now_ns=0 misses=1001
    t.put pid=1 now_ns=0 misses=1000 grace_ns=1
    t.get pid=1 now_ns=0 : limit_ns grace_ns
    """,
)

# R22, R23

add(
    "which-intervals-count",
    "a put in the same nanosecond as the beat leaves the next one in; a wrap counts, a new start does not",
    """
    tracker >t capacity=4 threshold_ns=1s statistics=1
    t.record pid=1 nonce=2^64-3 now_ns=100 origin=network
    t.put pid=1 now_ns=100
    t.record pid=1 nonce=2^64-2 now_ns=110 origin=network
    t.get pid=1 now_ns=110 : intervals mean_ns jitter_ns
    t.put pid=1 now_ns=111
    t.record pid=1 nonce=0 now_ns=120 origin=network
    t.get pid=1 now_ns=120 : intervals mean_ns jitter_ns
    t.record pid=1 nonce=2^64-1 health=2 timestamp_ns=1 now_ns=125 origin=network
    t.record pid=1 nonce=1 now_ns=150 origin=network
    t.get pid=1 now_ns=150 : intervals mean_ns jitter_ns
    t.record pid=1 nonce=2 now_ns=176 origin=network
    t.get pid=1 now_ns=176 : intervals mean_ns jitter_ns min_ns max_ns p50_ns p99_ns
    t.record pid=1 nonce=2 now_ns=3s origin=network
    t.get pid=1 now_ns=3s : intervals mean_ns jitter_ns min_ns max_ns p50_ns p99_ns
    """,
)
add(
    "means-move-by-whole-sixteenths",
    "upwards and downwards, rounded towards where they are",
    """
    tracker >t capacity=4 threshold_ns=1s statistics=1
    t.record pid=1 nonce=1 now_ns=0
    t.record pid=1 nonce=2 now_ns=101
    t.get pid=1 now_ns=101 : mean_ns jitter_ns
    t.record pid=1 nonce=3 now_ns=217
    t.get pid=1 now_ns=217 : mean_ns jitter_ns
    t.record pid=1 nonce=4 now_ns=334
    t.get pid=1 now_ns=334 : mean_ns jitter_ns
    t.record pid=1 nonce=5 now_ns=334
    t.get pid=1 now_ns=334 : mean_ns jitter_ns min_ns
    t.record pid=1 nonce=6 now_ns=1334
    t.get pid=1 now_ns=1334 : mean_ns jitter_ns max_ns
    """,
)
add(
    "quantiles-are-upper-ends-of-buckets",
    "no more than the largest; a quarter of a power of two each",
    """
    tracker >t capacity=4 threshold_ns=2^60 statistics=1
    t.record pid=1 nonce=1 now_ns=0
    t.record pid=1 nonce=2 now_ns=2^20
    t.get pid=1 now_ns=2^20 : p50_ns p99_ns
    t.record pid=1 nonce=3 now_ns=2^20+2^20-1
    t.get pid=1 now_ns=2^21 : p50_ns p99_ns
    t.record pid=1 nonce=4 now_ns=2^22
    t.get pid=1 now_ns=2^22 : p50_ns p99_ns
    t.record pid=1 nonce=5 now_ns=2^35+2^22
    t.get pid=1 now_ns=2^40 : p50_ns p99_ns
    t.record pid=1 nonce=6 now_ns=2^36+2^35+2^22
    t.get pid=1 now_ns=2^40 : p50_ns p99_ns
    t.record pid=1 nonce=7 now_ns=2^51+2^36+2^35+2^22
    t.get pid=1 now_ns=2^52 : p50_ns p99_ns max_ns
    """,
)
add(
    "a-full-bucket-halves-them-all",
    "at 65536 of one, what is rare is halved away, and the count is not",
    """
    tracker >t capacity=4 threshold_ns=2^60 statistics=1
    t.record pid=1 nonce=1 now_ns=0
    t.record pid=1 nonce=2 now_ns=2^30
    t.beats pid=1 nonce=3 now_ns=2^30+1000 step_ns=1000 count=65535
    t.get pid=1 now_ns=2^31 : intervals p50_ns p99_ns max_ns mean_ns
    t.record pid=1 nonce=65538 now_ns=2^30+65536000
    t.get pid=1 now_ns=2^31 : intervals p50_ns p99_ns max_ns
    t.beats pid=1 nonce=65539 now_ns=2^30+2^30 step_ns=2^30 count=331
    t.get pid=1 now_ns=2^40 : intervals p50_ns p99_ns max_ns
    t.beats pid=1 nonce=65870 now_ns=2^39 step_ns=2^20-1 count=2
    t.get pid=1 now_ns=2^40 : intervals p50_ns p99_ns max_ns
    """,
)
# When the mean is a second and the deviation a quarter of it: below, at and above rows of the table.
SILENCES = (
    *(
        "0",
        "250ms",
        "250ms+1",
        "999ms",
        "1s",
        "1s+1ms",
        "1320500us",
        "1581500us",
        "1772500us",
        "1929750us",
        "2066250us",
    ),
    *("2188250us", "2299750us", "2403000us", "2499500us", "2590250us", "2676500us", "2758500us", "2837250us"),
    *("2912750us", "2985250us", "3055499us", "3055500us", "3055501us", "4s", "2^60", "2^63"),
)


def suspected(last: str) -> str:
    """How suspicious these silences are after the last beat."""
    return "\n".join(f"t.get pid=1 now_ns={last}+{silence} : phi_milli" for silence in SILENCES)


add(
    "suspicion-along-its-table",
    "below the first row and above the last it stays; in between it is linear",
    f"""
tracker >t capacity=1 threshold_ns=2^63 statistics=1
t.record pid=1 nonce=1 now_ns=0
t.record pid=1 nonce=2 now_ns=1s
t.beats pid=1 nonce=3 now_ns=2s step_ns=1s count=400
t.get pid=1 now_ns=401s : mean_ns jitter_ns
{suspected("401s")}
""",
)
add(
    "suspicion-needs-eight-intervals",
    "seven say nothing; the jitter widens the scale",
    f"""
tracker >t capacity=1 threshold_ns=2^63 statistics=1
t.record pid=1 nonce=1 now_ns=0
t.record pid=1 nonce=2 now_ns=1s
t.beats pid=1 nonce=3 now_ns=2s step_ns=1s count=6
t.get pid=1 now_ns=60s : intervals phi_milli
t.record pid=1 nonce=9 now_ns=8s
t.get pid=1 now_ns=60s : intervals phi_milli mean_ns jitter_ns
{suspected("8s")}
""",
)
add(
    "a-deviation-is-a-millisecond-at-least",
    "and 2^50 at most, as the distance from the mean is",
    """
    tracker >t capacity=2 threshold_ns=2^63 statistics=1
    t.record pid=1 nonce=1 now_ns=0
    t.beats pid=1 nonce=2 now_ns=1000 step_ns=1000 count=8
    t.get pid=1 now_ns=9000 : phi_milli mean_ns
    t.get pid=1 now_ns=1009000 : phi_milli
    t.get pid=1 now_ns=9009000 : phi_milli
    t.record pid=2 nonce=1 now_ns=2^51
    t.beats pid=2 nonce=2 now_ns=2^52 step_ns=2^51 count=8
    t.get pid=2 now_ns=2^60 : phi_milli mean_ns jitter_ns
    t.get pid=2 now_ns=2^53+2^53+2^51 : phi_milli
    """,
)

# The beacon: R47 to R53

add(
    "pid-one-is-not-said",
    "who is first in its namespace has no pid that others would know",
    """
    beacon >b pid=1 reconnect_after=3 start_nonce=0
    b.prepare health=0 payload=0 now_ns=1
    b.commit error=none
    """,
    BEACON,
)
add(
    "a-detached-beacon-needs-a-pid",
    "0 is none",
    """
    beacon >b pid=0 reconnect_after=3 start_nonce=0
    beacon >b pid=2^32-1 reconnect_after=3 start_nonce=0
    b.prepare health=2 payload=2^32-1 now_ns=2^64-2
    b.commit error=none
    b.prepare health=1 payload=0 now_ns=2^64-1
    b.commit error=none
    """,
    BEACON,
)
add(
    "a-drop-of-the-frame-that-was-sent-again-is-final",
    "it counts as the first of the next ones",
    """
    beacon >b pid=9 reconnect_after=1 start_nonce=2^64-2
    b.prepare health=0 payload=0 now_ns=5
    b.commit error=EPIPE
    b.commit error=none
    b.reconnect
    b.reconnect
    b.commit error=ENOTCONN
    b.commit error=none
    b.reconnect
    b.prepare health=0 payload=0 now_ns=6
    b.commit error=EAGAIN
    b.reconnect
    b.prepare health=0 payload=0 now_ns=7
    b.commit error=EAGAIN
    b.commit error=EPERM
    b.prepare health=0 payload=0 now_ns=8
    b.commit error=EPERM
    b.prepare health=0 payload=0 now_ns=4
    b.commit error=none
    b.prepare health=0 payload=0 now_ns=4
    b.commit error=none
    """,
    BEACON,
)
add(
    "an-observer-takes-what-a-beacon-prepares",
    "over a drop, a connection that is new, and a start anew",
    """
    tracker >t capacity=4 threshold_ns=1s
    observer >o tracker=t any_uid=true report_beats=true
    beacon >b pid=9 reconnect_after=1 start_nonce=2^64-3
    b.prepare health=1 payload=5 now_ns=5 save=first
    b.commit error=EAGAIN
    b.reconnect
    b.commit error=none
    o.feed now_ns=0
        unix saved pid=9 first
    b.prepare health=2 payload=6 now_ns=5 save=second
    b.commit error=none
    o.feed now_ns=1s
        unix saved pid=9 second
        unix saved pid=9 first
    t.get pid=9 now_ns=1s : nonce health payload beats
    b.restart
    b.prepare health=0 payload=7 now_ns=5 save=third
    o.feed now_ns=2s
        unix saved pid=9 third
    t.get pid=9 now_ns=2s : nonce health payload beats out_of_order
    """,
    BEACON,
)
add(
    "a-failure-is-no-drop",
    "it resets their count, as a success does, and keeps the nonce",
    """
    beacon >b pid=9 reconnect_after=2 start_nonce=0
    b.prepare health=0 payload=0 now_ns=5
    b.commit error=ENOSPC
    b.prepare health=0 payload=0 now_ns=5
    b.commit error=EACCES
    b.prepare health=0 payload=0 now_ns=5
    b.commit error=ENOSPC
    b.prepare health=0 payload=0 now_ns=5
    b.commit error=ECONNRESET
    b.restart
    b.prepare health=0 payload=0 now_ns=1
    b.commit error=ENOENT
    """,
    BEACON,
)
