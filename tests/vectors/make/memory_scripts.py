# SPDX-License-Identifier: MIT
"""Scripts of memory §3, rule by rule, as text (script.py). What their steps give is the model's to say."""

from __future__ import annotations

SCRIPTS: dict[str, tuple[str, str]] = {}


def add(name: str, comment: str, text: str) -> None:
    """One script."""
    assert name not in SCRIPTS
    SCRIPTS[name] = comment, text


# R1: the order of checks

add(
    "order-length-first",
    "a length beyond the constants, and no other, counts before anything about the secret",
    """
    pool_new >p
    p.acquire >a len=4
    p.acquire >b len=4
    p.acquire >c len=4
    p.acquire >d len=4
    a.release
    b.freeze
    a.resize len=67108865
    a.get offset=0 len=67108865
    b.resize len=67108865
    c.write_window
        c.resize len=67108865
        c.get offset=0 len=67108865
    a.resize len=67108864
    a.get offset=0 len=67108864
    purge
    d.resize len=67108865
    d.get offset=0 len=67108865
    d.resize len=67108864
    """,
)
add(
    "order-closed",
    "closed before purged, frozen, range, busy; of two secrets either one",
    """
    pool_new >p
    p.acquire >a len=4
    p.acquire >b len=4
    p.acquire >c len=4
    p.seal >z data=0102
    a.freeze
    a.release
    a.put offset=9 data=00
    a.get offset=9 len=9
    a.resize len=33
    a.reveal cap=0
    z.open_into into=a
    a.equal with=a
    b.write_window
        b.equal with=a
        a.equal with=b
    purge
    c.equal with=a
    a.equal with=c
    z.open_into into=a
    a.duplicate >d
    a.info
    a.release
    """,
)
add(
    "order-purged",
    "purged before frozen, range, busy, and a buffer that is too small",
    """
    pool_new >p
    p.acquire >s len=4
    p.acquire >f len=4
    p.acquire >w len=4
    f.freeze
    w.write_window
        purge
        w.get offset=0 len=1
        w.reveal cap=0
        w.put offset=9 data=00
        w.write_window
        w.read_window
        w.freeze
        w.equal_bytes data=
        w.equal with=s
        w.release
    s.put offset=9 data=00
    s.get offset=9 len=9
    s.resize len=33
    s.reveal cap=0
    f.put offset=0 data=00
    f.write_window
    f.clear
    f.randomize
    f.resize len=0
    f.melt
    f.info
    w.info
    """,
)
add(
    "order-purged-or-busy",
    "of two secrets one is purged, the other busy: purged",
    """
    pool_new >p
    p.acquire >a len=4
    purge
    p.acquire >b len=4
    b.write_window
        a.equal with=b
        b.equal with=a
    """,
)
add(
    "order-state",
    "frozen before range and busy",
    """
    pool_new >p
    p.acquire >s len=4
    p.acquire_guarded >g len=2
    p.seal >z data=010203
    s.freeze
    g.freeze
    s.put offset=3 data=0000
    s.resize len=33
    g.put offset=3 data=00
    g.resize len=3
    z.open_into into=g
    s.read_window
        s.put offset=0 data=00
        s.put offset=9 data=00
        s.write_window
        s.clear
        s.randomize
        s.resize len=0
        z.open_into into=s
    g.read_window
        z.open_into into=g
        g.write_window
    """,
)
add(
    "order-range",
    "a place beyond the secret before busy",
    """
    pool_new >p
    p.acquire >s len=4
    p.acquire_guarded >g len=2
    p.seal >z data=010203
    s.write_window
        s.get offset=4 len=1
        s.put offset=5 data=
        s.resize len=33
    g.read_window
        z.open_into into=g
        g.put offset=1 data=0000
        g.resize len=3
    z.open_into into=g
    g.info
    """,
)
add(
    "order-resources-last",
    "busy, purged and wrong lengths before the pool has nothing left",
    """
    pool_new >p tiers=32 tier_slots=2 tier_max_slots=2
    p.acquire >a len=4
    p.acquire >b len=4
    p.seal >z data=01
    a.write_window
        a.duplicate >d
        a.seal_secret >y
    a.duplicate >d
    p.acquire >x len=67108865
    p.acquire_batch >x,y len=67108865
    p.reserve len=33 count=1
    p.reserve len=32 count=1
    purge
    z.open >o
    a.duplicate >d
    b.seal_secret >y
    """,
)
add(
    "order-open-into",
    "closed, purged, frozen, too small, busy: of the sealed secret or of the other",
    """
    pool_new >p
    p.seal >z data=0102030405
    p.acquire >s len=5
    p.acquire >f len=5
    p.acquire_guarded >g len=4
    f.freeze
    purge
    z.open_into into=s
    p.acquire >t len=5
    p.acquire >h len=5
    p.acquire_guarded >k len=4
    h.freeze
    z.open_into into=h
    z.open_into into=k
    t.write_window
        z.open_into into=t
    p.seal >y data=0102030405
    y.open_into into=s
    y.open_into into=g
    y.open_into into=h
    y.open_into into=k
    t.write_window
        y.open_into into=t
    y.open_into into=t
    """,
)

# R2: failures leave nothing

add(
    "failures-leave-nothing",
    "no slot, no guarded buffer, no byte is left behind",
    """
    pool_new >p tiers=32 tier_slots=1 tier_max_slots=1
    p.from_bytes >s data=a1a2a3a4
    p.from_bytes >x data=b1b2
    p.take_bytes >x data=b1b2
    p.generate >x len=3
    p.acquire_batch >x,y len=1
    s.duplicate >x
    p.seal >z data=c1
    z.open >x
    p.acquire_guarded >x len=67108865
    p.pool_stats tier=0
    s.reveal
    s.release
    p.pool_stats tier=0
    p.take_bytes >t data=b1b2
    p.pool_stats tier=0
    """,
)

# R3: nothing is a length

add(
    "empty-everywhere",
    "length 0 in each function that takes one",
    """
    pool_new >p tiers=32 tier_max_slots=16
    p.acquire_batch >a,b len=0
    p.reserve len=0 count=3
    p.take_bytes >t data=
    t.duplicate >u
    t.equal with=u
    t.seal_secret >z
    z.sealed_info
    z.open >o
    o.resize len=0
    o.melt
    o.resize len=1
    z.open_into into=o
    o.info
    a.randomize
    a.clear
    a.put offset=0 data=
    a.get offset=0 len=0
    a.get offset=1 len=0
    a.freeze
    a.put offset=0 data=
    p.acquire_guarded >g len=0
    g.duplicate >h
    g.read_window
        g.reveal cap=0
    g.write_window data=
    g.randomize
    g.resize len=0
    g.resize len=1
    z.open_into into=g
    p.seal_take >y data=
    y.open >q
    """,
)

# R4, R5: options

add(
    "options-sorted-with-counts",
    "slot counts and caps go with their sizes",
    """
    pool_new >p tiers=256,32,64 tier_slots=1,3,2 tier_max_slots=2,3,4
    p.pool_stats tier=0
    p.pool_stats tier=1
    p.pool_stats tier=2
    p.acquire_batch >a,b,c len=32
    p.acquire >x len=1
    p.acquire_batch >d,e,f,g len=64
    p.acquire >x len=33
    p.acquire_batch >h,i len=65
    p.acquire >x len=65
    p.acquire >x len=257
    """,
)
add(
    "options-one-of-two",
    "a size given twice with equal counts has them once",
    """
    pool_new >p tiers=32,64,32 tier_slots=2,1,2 tier_max_slots=2,1,2
    p.pool_stats tier=0
    p.pool_stats tier=1
    p.acquire_batch >a,b len=32
    p.acquire >x len=32
    """,
)
for name, options in {
    "zero": "tiers=0",
    "smallest": "tiers=32,8",
    "odd": "tiers=32,40",
    "largest": "tiers=32,16385",
    "initial-differs": "tiers=32,32 tier_slots=1,2",
    "cap-differs": "tiers=64,32,64 tier_slots=1,1,1 tier_max_slots=4,4,0",
    "nine-of-two": "tiers=32,64,32,64,32,64,32,64,32",
    "sum": "tiers=32,64 tier_slots=1024,1024 max_bytes=98303",
    "default-sum": "tiers=16384 tier_slots=257",
    "second-cap": "tiers=32,64 tier_slots=1,9 tier_max_slots=8,8",
}.items():
    add(
        f"refused-{name}",
        "options that cannot be",
        f"""
        pool_new >p {options}
        pool_new >p tiers=32
        p.acquire >s len=32
        """,
    )
add(
    "options-slots-fill-max-bytes",
    "initial slots may take all of max_bytes; then nothing grows",
    """
    pool_new >p tiers=1024 tier_slots=64 max_bytes=65536 lock=allow_unlocked
    p.acquire_batch >s*64 len=1024
    p.acquire >x len=1
    s7.release
    p.acquire >x len=1
    """,
)
add(
    "max-bytes-below-a-page",
    "a pool without room for one page: no slot ever, no wait, but guarded buffers and sealing",
    """
    pool_new >p tiers=32 max_bytes=4095
    p.acquire >x len=1
    p.acquire >x len=1 timeout_ms=60000
    p.reserve len=1 count=1
    p.acquire_batch >x len=1
    p.pool_stats tier=0
    p.acquire >f len=1 fallback=true
    p.acquire >g len=1 timeout_ms=60000 fallback=true
    p.acquire >h len=33
    p.acquire_guarded >i len=1
    p.pool_stats tier=0
    p.seal >z data=0708
    z.open >x
    z.open >x timeout_ms=60000
    z.open >o fallback=true
    i.resize len=0
    z.open_into into=h
    pool_new >q tiers=32 tier_slots=1 max_bytes=4095
    """,
)
add(
    "max-bytes-is-exact",
    "the pool grows region by region up to max_bytes, which guarded buffers do not use",
    """
    pool_new >p tiers=1024 max_bytes=65536 lock=allow_unlocked
    p.acquire_guarded >g len=1
    p.acquire_batch >s*64 len=1000
    p.acquire >x len=1000
    p.acquire >f len=1000 fallback=true
    s63.release
    p.acquire >x len=1000
    """,
)

# R7, R8, R9: routing and slots

add(
    "routing-eight-tiers",
    "the smallest that holds the length, whatever makes the secret",
    """
    pool_new >p tiers=16,32,48,80,128,192,240,256 lock=allow_unlocked
    p.acquire >a len=16
    p.acquire >b len=17
    p.acquire >c len=49
    p.acquire >d len=81
    p.acquire >e len=193
    p.generate >f len=241
    p.generate >g len=257
    p.from_bytes >h data=48*61
    p.from_bytes >i data=49*61
    p.take_bytes >j data=257*61
    p.seal >y data=128*62
    p.seal >z data=129*62
    y.open >k
    z.open >l
    z.open_into into=a
    z.open_into into=e
    """,
)
add(
    "slots-come-back-zero",
    "whatever was in a slot, its next owner sees zeros",
    """
    pool_new >p tiers=32 tier_slots=1 tier_max_slots=1
    p.from_bytes >a data=32*a5
    a.release
    p.acquire >b len=32
    b.reveal
    b.randomize
    b.resize len=3
    b.release
    p.acquire >c len=32
    c.reveal
    p.seal >z data=32*5a
    c.release
    z.open >d
    d.release
    p.acquire >e len=0
    e.resize len=32
    e.reveal
    e.write_window data=32*ff
    e.freeze
    e.free
    p.acquire >f len=31
    f.reveal
    f.resize len=32
    f.reveal
    """,
)

# R12, R14, R15, R16

add(
    "waiting-is-not-for-others",
    "a length above the tiers, a guarded buffer, a free slot: no wait",
    """
    pool_new >p tiers=32,64 tier_slots=1,1 tier_max_slots=1,1
    p.acquire >a len=32 timeout_ms=60000
    p.acquire >b len=64 timeout_ms=60000
    p.acquire >c len=65 timeout_ms=60000
    p.acquire >x len=32 timeout_ms=1
    p.acquire >x len=33 timeout_ms=1
    p.acquire_guarded >d len=32
    p.acquire >e len=33 timeout_ms=1 fallback=true
    a.release
    p.acquire >x len=33 timeout_ms=1
    p.acquire >f len=1 timeout_ms=60000 fallback=true
    """,
)
add(
    "batch-largest",
    "1024 secrets at once, and not one more",
    """
    pool_new >p tiers=16 tier_max_slots=1024
    p.acquire_batch >s*1024 len=16
    p.acquire >x len=1
    s1023.put offset=0 data=16*ff
    s0.get offset=0 len=16
    s1022.get offset=0 len=16
    s512.release
    p.acquire_batch >t,u len=16
    p.acquire_batch >t len=16
    p.acquire >x len=1
    """,
)
add(
    "batch-frees-one-by-one",
    "members of a batch are secrets like any other",
    """
    pool_new >p tiers=32 tier_slots=3 tier_max_slots=3
    p.acquire_batch >a,b,c len=5
    b.put offset=0 data=0102030405
    a.release
    p.acquire_batch >d,e len=5
    p.acquire_batch >d len=5
    b.reveal
    d.reveal
    b.freeze
    b.release
    b.release
    p.pool_stats tier=0
    """,
)
add(
    "reserve-what-is-there",
    "enough free slots: nothing happens; the largest count is beyond every cap",
    """
    pool_new >p tiers=32 tier_max_slots=8
    p.pool_stats tier=0
    p.reserve len=0 count=1
    p.pool_stats tier=0
    p.reserve len=32 count=8
    p.reserve len=32 count=9
    p.reserve len=32 count=4194304
    p.acquire >a len=1
    p.reserve len=32 count=7
    p.reserve len=32 count=8
    p.pool_stats tier=0
    """,
)
add(
    "trim-leaves-what-is-used",
    "regions with a secret stay, and slots can be had again",
    """
    pool_new >p tiers=1024 max_bytes=65536 lock=allow_unlocked
    p.acquire_batch >s*40 len=1024
    s39.put offset=1000 data=0102
    s0.put offset=0 data=03
    p.trim
    s39.get offset=999 len=4
    s5.release
    s20.release
    s38.release
    p.trim
    s39.get offset=999 len=4
    s0.get offset=0 len=2
    p.acquire_batch >t*3 len=1024
    t2.reveal
    """,
)

# R19, R20, R21: ends

add(
    "pool-freed-inside",
    "a pool may go while a window is open; freeing twice is nothing",
    """
    pool_new >p tiers=32 hot_cache=2
    p.from_bytes >s data=0a0b
    p.acquire_guarded >g len=3
    p.seal >z data=32*77
    s.read_window
        p.free
        p.free
        s.get offset=1 len=1
        z.open >o
    g.write_window data=010203
    g.duplicate >h
    s.duplicate >t
    s.seal_secret >y
    y.open >q
    z.open >r
    z.free
    z.free
    h.release
    """,
)
add(
    "stale-guarded",
    "a stale name does not reach the next guarded buffer",
    """
    pool_new >p
    p.acquire_guarded >a len=9
    a.put offset=0 data=9*11
    a.release
    p.acquire_guarded >b len=9
    b.put offset=0 data=9*22
    a.put offset=0 data=ff
    a.clear
    a.write_window
    a.release
    a.equal with=a
    a.free
    b.reveal
    """,
)
add(
    "busy-is-not-freed",
    "a release under a window changes nothing",
    """
    pool_new >p
    p.from_bytes >s data=010203
    p.acquire_guarded >g len=3
    s.read_window
        s.release
        s.read_window
            s.release
        s.get offset=0 len=3
        s.info
        p.pool_stats tier=0
    g.write_window data=040506
        g.release
        g.info
    s.release
    g.reveal
    g.release
    p.pool_stats tier=0
    """,
)

# R22, R23, R24, R25: windows, frozen, lengths, comparison

for name, acquired in {"slot": "acquire", "guarded": "acquire_guarded"}.items():
    add(
        f"windows-nested-{name}",
        "readers count; the last one out lets writers in",
        f"""
        pool_new >p
        p.{acquired} >s len=6
        s.put offset=0 data=010203040506
        s.read_window
            s.read_window
                s.read_window
                    s.put offset=0 data=00
                s.put offset=0 data=00
            s.put offset=0 data=00
            s.get offset=5 len=1
            s.reveal
            s.equal with=s
        s.put offset=0 data=ff
        s.freeze
        s.read_window
            s.read_window
                s.melt
                s.freeze
        s.melt
        s.write_window data=aabb
            s.clear
            s.randomize
            s.equal with=s
            s.seal_secret >z
        s.reveal
        """,
    )
    add(
        f"windows-show-the-length-{name}",
        "exactly the bytes of the secret, also after it shrank and grew",
        f"""
        pool_new >p
        p.{acquired} >s len=20
        s.put offset=0 data=20*c3
        s.resize len=7
        s.read_window
        s.write_window data=01020304050607
        s.read_window
        s.resize len=9
        s.read_window
        s.resize len=0
        s.read_window
        s.write_window data=
        s.resize len=20
        s.read_window
        """,
    )
    add(
        f"frozen-stays-{name}",
        "reading, sealing and copying do not melt",
        f"""
        pool_new >p
        p.{acquired} >s len=5
        s.put offset=0 data=0102030405
        s.freeze
        s.seal_secret >z
        s.duplicate >d
        s.read_window
        s.reveal
        s.equal with=d
        s.info
        s.put offset=0 data=
        s.resize len=5
        d.info
        z.open >o
        o.info
        o.melt
        o.info
        o.put offset=4 data=00
        o.equal with=s
        s.release
        """,
    )
add(
    "windows-on-several",
    "windows of different secrets do not meet",
    """
    pool_new >p
    p.acquire >a len=2
    p.acquire >b len=2
    p.acquire_guarded >g len=2
    a.write_window data=0102
        b.write_window data=0304
            g.write_window data=0506
                a.get offset=0 len=1
                p.acquire >c len=2
                c.put offset=0 data=0708
                c.release
            g.reveal
        b.reveal
        b.equal with=g
    a.reveal
    """,
)
add(
    "equal-pads-nothing",
    "a shorter secret is unequal, whatever lies behind it; grown again it is not",
    """
    pool_new >p
    p.from_bytes >a data=010000
    p.from_bytes >b data=01
    p.acquire_guarded >g len=3
    a.equal with=b
    b.resize len=3
    a.equal with=b
    g.equal with=a
    g.put offset=0 data=01
    g.equal with=a
    a.equal_bytes data=01
    a.equal_bytes data=010000
    a.equal_bytes data=01000000
    a.equal_bytes data=020000
    a.equal_bytes data=010001
    """,
)
add(
    "duplicate-of-every-state",
    "the copy is as long as the secret is, of its kind, and not frozen",
    """
    pool_new >p
    p.from_bytes >s data=40*0f
    s.resize len=33
    s.duplicate >a
    a.reveal
    p.acquire_guarded >g len=40
    g.put offset=0 data=40*f0
    g.resize len=33
    g.freeze
    g.duplicate >b
    b.reveal
    b.put offset=32 data=00
    g.read_window
        g.duplicate >c
    c.equal with=g
    c.equal with=b
    p.generate >r len=32
    r.duplicate >t
    r.equal with=t
    """,
)

# R26, R27: guarded buffers

for length in (1, 15, 16, 17, 31, 4079, 4081):
    add(
        f"guarded-{length}",
        "every flag: content is kept to the last byte, and one beyond is refused",
        f"""
        pool_new >p
        p.acquire_guarded >a len={length} align16=true resident=true
        p.acquire_guarded >b len={length} resident=true
        p.acquire_guarded >c len={length} align16=true
        a.put offset={length - 1} data=ee
        a.put offset={length} data=ee
        b.write_window data={length}*bb
        c.randomize
        c.clear
        a.get offset={length - 1} len=1
        b.reveal
        a.freeze
        a.clear
        a.reveal
        a.melt
        a.resize len=0
        a.resize len={length}
        a.equal with=c
        a.equal with=b
        """,
    )

# R37 to R43: sealed secrets

add(
    "sealed-across-pools",
    "ids are the process's; each sealed secret opens in its own pool",
    """
    pool_new >p tiers=32
    pool_new >q tiers=64
    p.seal >a data=0102 type=7
    q.seal >b data=0102 type=4294967294
    p.from_bytes >s data=0102
    s.seal_secret >c type=1
    s.seal_secret >d
    a.id_before with=b
    b.id_before with=c
    c.id_before with=d
    d.id_before with=a
    b.sealed_info
    d.sealed_info
    a.open >o
    b.open >r
    o.equal with=r
    r.seal_secret >e type=9
    d.id_before with=e
    e.open >t
    """,
)
add(
    "sealed-is-a-copy",
    "what happens to the source, or to an opened secret, does not reach it",
    """
    pool_new >p
    p.from_bytes >s data=33*42
    s.seal_secret >z type=3
    s.release
    z.open >a
    a.melt
    a.randomize
    a.release
    z.open >b
    z.open_into into=b
    b.melt
    z.open_into into=b
    p.seal >y data=33*43
    z.free
    y.open >c
    b.equal with=c
    """,
)
add(
    "open-into-sets-all",
    "length and bytes; what was longer is wiped; kinds do not matter",
    """
    pool_new >p
    p.seal >z data=01020304
    p.seal >e data=
    p.acquire_guarded >g len=9
    g.put offset=0 data=9*ff
    z.open_into into=g
    g.resize len=9
    g.reveal
    e.open_into into=g
    g.resize len=9
    g.reveal
    p.from_bytes >s data=32*ff
    e.open_into into=s
    s.info
    s.resize len=32
    s.reveal
    p.seal >y data=32*99
    y.open_into into=s
    y.open_into into=g
    g.info
    """,
)
for views in (2, 3, 4294967295):
    add(
        f"resplit-{views}",
        "the key stays the same over every re-split",
        f"""
        pool_new >p tiers=32 resplit_views={views}
        p.seal >a data=0a0a
        p.seal >b data=0b0b
        a.open >c
        b.open >d
        p.seal >e data=0e0e
        a.open >f
        e.open >g
        b.open >h
        p.seal >i data=
        i.open >j
        a.open >k
        """,
    )
add(
    "take-wipes-its-source",
    "if and only if the secret was made; one that is not found is not wiped",
    """
    pool_new >p tiers=32 tier_slots=1 tier_max_slots=1
    p.seal_take >z data=010203 type=5
    z.sealed_info
    p.take_bytes >s data=040506
    p.take_bytes >x data=070809
    p.take_bytes >g data=33*0a
    s.reveal
    g.reveal
    z.open_into into=g
    """,
)
add(
    "fallback-opens",
    "an opened fallback is guarded and as long as what was sealed",
    """
    pool_new >p tiers=32 tier_slots=1 tier_max_slots=1
    p.seal >z data=5*31
    z.open >a fallback=true
    z.open >b fallback=true
    z.open >c fallback=true timeout_ms=2
    z.open >x timeout_ms=2
    a.equal with=b
    b.equal with=c
    b.put offset=0 data=00
    b.melt
    b.resize len=6
    p.pool_stats tier=0
    a.release
    z.open >d timeout_ms=60000
    """,
)

# R45 to R48: the hot cache

add(
    "cache-of-two-tiers",
    "the oldest entry of all leaves a full cache; a tier takes back only its own",
    """
    pool_new >p tiers=32,64 tier_slots=4,4 tier_max_slots=4,4 hot_cache=3
    p.seal >a data=32*0a
    p.seal >b data=64*0b
    p.seal >c data=32*0c
    p.seal >d data=64*0d
    a.open >oa
    oa.release
    b.open >ob
    ob.release
    c.open >oc
    oc.release
    p.pool_stats tier=0
    p.pool_stats tier=1
    d.open >od
    od.release
    p.pool_stats tier=0
    p.pool_stats tier=1
    p.acquire_batch >s*3 len=32
    p.acquire >t len=32
    p.pool_stats tier=0
    p.pool_stats tier=1
    p.acquire >x len=32
    c.open >x
    b.open >qb
    p.pool_stats tier=1
    """,
)
add(
    "cache-hit-is-a-copy",
    "changing, freezing, freeing the result does not change the entry",
    """
    pool_new >p tiers=32 tier_slots=6 tier_max_slots=6 hot_cache=2
    p.seal >z data=32*5b
    z.open >a
    a.melt
    a.clear
    z.open >b
    b.melt
    b.randomize
    z.open >c
    c.release
    b.release
    z.open >d
    p.pool_stats tier=0
    a.seal_secret >y
    y.open >e
    z.open >f
    p.pool_stats tier=0
    """,
)
add(
    "cache-slot-becomes-result",
    "the entry's own slot is the last one; the next opening is a miss again",
    """
    pool_new >p tiers=64 tier_slots=2 tier_max_slots=2 hot_cache=4
    p.seal >z data=64*7c
    z.open >a
    p.pool_stats tier=0
    z.open >b
    p.pool_stats tier=0
    z.open >x
    z.open >g fallback=true
    p.pool_stats tier=0
    a.release
    b.release
    z.open >c
    p.pool_stats tier=0
    c.release
    z.open >d
    p.pool_stats tier=0
    """,
)
add(
    "cache-ends-with-its-secret",
    "a freed sealed secret leaves no entry; others stay",
    """
    pool_new >p tiers=32 tier_slots=4 tier_max_slots=4 hot_cache=2
    p.seal >y data=32*01
    p.seal >z data=32*02
    y.open >a
    z.open >b
    p.pool_stats tier=0
    y.free
    p.pool_stats tier=0
    a.release
    z.open >c
    p.pool_stats tier=0
    z.free
    p.pool_stats tier=0
    p.acquire_batch >s,t len=32
    s.reveal
    p.acquire >x len=1
    """,
)
add(
    "cache-only-what-fits",
    "shorter secrets and secret sources are opened anew; guarded ones too",
    """
    pool_new >p tiers=32,64 tier_slots=4,4 tier_max_slots=4,4 hot_cache=4
    p.seal >a data=33*01
    p.seal >b data=65*02
    p.from_bytes >s data=64*03
    s.seal_secret >c
    a.open >oa
    b.open >ob
    oa.release
    a.open >qa
    p.pool_stats tier=1
    qa.release
    c.open >oc
    p.pool_stats tier=1
    oc.release
    c.open >qc
    p.pool_stats tier=1
    """,
)

# R49, R50: purge

add(
    "purge-every-pool",
    "of every pool and kind; frees work, new ones too, ids go on",
    """
    pool_new >p tiers=32 tier_slots=2 tier_max_slots=2 hot_cache=2
    pool_new >q tiers=64
    p.from_bytes >a data=01
    q.from_bytes >b data=02
    q.acquire_guarded >c len=8
    c.freeze
    p.seal >y data=32*03
    y.open >d
    q.seal >z data=04
    purge
    a.info
    b.info
    c.info
    d.info
    y.sealed_info
    z.sealed_info
    y.open >x
    z.open >x
    p.pool_stats tier=0
    p.acquire >x len=1
    d.release
    p.acquire >x len=1
    q.seal >w data=05
    z.id_before with=w
    w.open >v
    c.release
    c.info
    z.free
    b.seal_secret >u
    b.duplicate >u
    b.randomize
    b.clear
    b.melt
    """,
)
add(
    "purge-in-windows",
    "each window counts once, and each can be ended",
    """
    pool_new >p
    p.acquire >a len=2
    p.acquire_guarded >g len=2
    p.acquire_guarded >r len=2 resident=true
    a.read_window
        a.read_window
            g.write_window data=0102
                r.read_window
                    purge
                    purge
                    r.get offset=0 len=1
                r.read_window
            g.release
    a.release
    g.release
    r.release
    purge
    p.acquire_guarded >h len=2
    h.reveal
    """,
)

# The forms of bytes (vectors R30), through what any secret gives

add(
    "saved-bytes",
    "bytes of an earlier step, as they were, changed, and cut",
    """
    pool_new >p
    p.from_bytes >s data=0102030405
    s.reveal save=all
    s.get offset=1 len=3 save=middle
    p.from_bytes >t data=@all
    s.equal with=t
    s.equal_bytes data=@middle
    s.resize len=3
    s.equal_bytes data=@all
    s.put offset=0 data=@middle
    s.reveal
    """,
)
