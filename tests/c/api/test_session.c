/* SPDX-License-Identifier: MIT */
/*
 * keep/session.h from outside.
 */
#include <keep/session.h>

#include <malloc.h>

#include <keep/packet.h>
#include <keep/protect.h>

#include "support/forked.h"
#include "support/packets.h"
#include "support/pattern.h"
#include "support/pools.h"

static void assert_refused(int tx, int rx, keep_session_options options, keep_status wanted)
{
    keep_session *session = NULL;

    assert_status(try_session(tx, rx, options, &session), wanted);
    ck_assert_ptr_null(session);
}

/* packet R11 */
START_TEST(options_out_of_range_are_refused)
{
    static const uint32_t windows[] = { 1, 512, 1023, 1500, 131072, UINT32_MAX };
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_session *session = NULL;

    assert_status(keep_session_new(NULL, &session), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_session_new(&options, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_refused(0, 0, options, KEEP_ERR_INVALID_ARGUMENT);
    assert_refused(1, 1, options, KEEP_ERR_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        options.window = windows[i];
        assert_refused(1, 2, options, KEEP_ERR_INVALID_ARGUMENT);
    }
    options = (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
    options.aead = 4;
    assert_refused(1, 2, options, KEEP_ERR_INVALID_ARGUMENT);
    options = (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
    options.max_failed_opens = (UINT64_C(1) << 36) + 1;
    assert_refused(1, 2, options, KEEP_ERR_INVALID_ARGUMENT);
    options = (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
    options.size = sizeof options - 1;
    assert_refused(1, 2, options, KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(every_window_and_the_largest_limit_are_taken)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;

    options.max_failed_opens = UINT64_C(1) << 36;
    for (options.window = 1024; options.window <= 65536; options.window *= 2) {
        KEEP_AUTO(keep_session) session = session_with(1, 2, options);

        ck_assert_ptr_nonnull(session);
    }
}
END_TEST

/* packet §7 */
START_TEST(a_key_that_is_not_32_bytes_open_or_gone_is_refused)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_session *session = NULL;
    KEEP_AUTO(keep_secret) short_key = key_of(1, 31);
    KEEP_AUTO(keep_secret) long_key = key_of(1, 33);
    KEEP_AUTO(keep_secret) open_key = key_of(1, 32);
    uint8_t *data;
    size_t len;

    options.tx_key = short_key;
    assert_status(keep_session_new(&options, &session), KEEP_ERR_INVALID_ARGUMENT);
    options.tx_key = long_key;
    assert_status(keep_session_new(&options, &session), KEEP_ERR_INVALID_ARGUMENT);
    options.tx_key = open_key;
    assert_ok(keep_secret_write_begin(open_key, &data, &len));
    assert_status(keep_session_new(&options, &session), KEEP_ERR_BUSY);
    assert_ok(keep_secret_end(open_key));
    assert_ok(keep_secret_free(&open_key));
    assert_status(keep_session_new(&options, &session), KEEP_ERR_CLOSED);
    ck_assert_ptr_null(session);
}
END_TEST

/* packet R13 */
START_TEST(the_keys_may_be_freed_at_once_and_the_pool_too)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_pool *pool = new_pool(NULL);
    struct datagram datagram;
    keep_session *sender;
    keep_session *receiver;

    options.pool = pool;
    sender = session_with(1, 0, options);
    receiver = session_with(0, 1, options);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 2);
    keep_pool_free(&pool);
    seal(sender, "text", &datagram);
    ck_assert(opens_as(receiver, &datagram, "text"));
    keep_session_free(&sender);
    keep_session_free(&receiver);
    keep_session_free(&receiver);
    keep_session_free(NULL);
    ck_assert_ptr_null(receiver);
}
END_TEST

/* packet R12 */
START_TEST(one_live_session_seals_with_a_key)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_session *first = session_with(1, 2, options);
    KEEP_AUTO(keep_session) receiver = session_with(0, 1, options);
    KEEP_AUTO(keep_session) other = session_with(2, 0, options);
    KEEP_AUTO(keep_session) next = NULL;

    assert_refused(1, 0, options, KEEP_ERR_STATE);
    options.session_id = 99;
    assert_refused(1, 3, options, KEEP_ERR_STATE);
    keep_session_free(&first);
    next = session_with(1, 3, options);
    ck_assert_ptr_nonnull(next);
    ck_assert_ptr_nonnull(receiver);
    ck_assert_ptr_nonnull(other);
}
END_TEST

START_TEST(a_session_without_a_key_cannot_do_its_half)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram datagram = { .len = 0 };

    seal(sender, "text", &datagram);
    assert_status(try_open(sender, &datagram), KEEP_ERR_STATE);
    assert_status(try_seal(receiver, "x", 1, &datagram), KEEP_ERR_STATE);
}
END_TEST

/* packet R10 */
START_TEST(the_counter_ends_and_stays_at_its_end)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    KEEP_AUTO(keep_session) sender = NULL;
    struct datagram datagram;

    options.first_counter = UINT64_MAX - 2;
    sender = session_with(1, 0, options);
    for (int i = 0; i < 2; i++) {
        seal(sender, "text", &datagram);
        ck_assert(opens_as(receiver, &datagram, "text"));
    }
    for (int i = 0; i < 100; i++)
        assert_status(try_seal(sender, "text", 4, &datagram), KEEP_ERR_REKEY);
    ck_assert_uint_eq(session_stats_of(sender).next_counter, UINT64_MAX);
    ck_assert_uint_eq(session_stats_of(receiver).highest_counter, UINT64_MAX - 1);
}
END_TEST

START_TEST(a_session_may_begin_spent)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_session) sender = NULL;
    struct datagram datagram;

    options.first_counter = UINT64_MAX;
    sender = session_with(1, 0, options);
    assert_status(try_seal(sender, "text", 4, &datagram), KEEP_ERR_REKEY);
}
END_TEST

/* packet R16 */
START_TEST(stats_tell_what_was_received)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct keep_session_stats stats = session_stats_of(receiver);
    struct datagram datagram;

    ck_assert_uint_eq(stats.has_highest, 0);
    ck_assert_uint_eq(stats.confirmed, 1);
    seal(sender, "text", &datagram);
    datagram.bytes[80] ^= 1;
    assert_status(try_open(receiver, &datagram), KEEP_ERR_AUTH);
    ck_assert_uint_eq(session_stats_of(receiver).has_highest, 0);
    datagram.bytes[80] ^= 1;
    ck_assert_uint_eq(session_stats_of(receiver).auth_failed, 1);
    assert_ok(try_open(receiver, &datagram));
    assert_status(try_open(receiver, &datagram), KEEP_ERR_REPLAY);
    stats = session_stats_of(receiver);
    ck_assert_uint_eq(stats.opened, 1);
    ck_assert_uint_eq(stats.replayed, 1);
    ck_assert_uint_eq(stats.has_highest, 1);
    ck_assert_uint_eq(stats.highest_counter, 0);
    ck_assert_uint_eq(session_stats_of(sender).next_counter, 1);
    assert_status(keep_session_stats(receiver, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_session_stats(NULL, &stats), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* packet R15 */
START_TEST(too_many_forged_packets_end_opening_for_ever)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = NULL;
    struct datagram datagram;

    options.max_failed_opens = 3;
    receiver = session_with(0, 1, options);
    for (int i = 0; i < 3; i++) {
        seal(sender, "text", &datagram);
        datagram.bytes[70] ^= 1;
        assert_status(try_open(receiver, &datagram), KEEP_ERR_AUTH);
    }
    seal(sender, "text", &datagram);
    assert_status(try_open(receiver, &datagram), KEEP_ERR_REKEY);
    ck_assert_uint_eq(session_stats_of(receiver).auth_failed, 3);
}
END_TEST

/* packet T17 */
START_TEST(a_purge_ends_sessions_and_what_it_interrupts_never_leaves)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    KEEP_AUTO(keep_session) later = NULL;
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;
    struct datagram datagram;

    seal(sender, "text", &datagram);
    assert_ok(keep_purge(NULL));
    assert_status(try_open(receiver, &datagram), KEEP_ERR_PURGED);
    assert_status(try_seal(sender, "text", 4, &datagram), KEEP_ERR_PURGED);
    assert_status(keep_session_stats(sender, &stats), KEEP_ERR_PURGED);
    later = new_receiver(1);
    ck_assert(opens_as(later, &datagram, "text"));
}
END_TEST

/* What a child of packet D9 finds. */
struct inherited {
    keep_session *session;
    struct datagram datagram;
};

static void use_inherited(void *ctx)
{
    struct inherited *inherited = ctx;
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;
    keep_session *own = NULL;

    child_needs(try_seal(inherited->session, "x", 1, &inherited->datagram) == KEEP_ERR_FORKED);
    child_needs(try_open(inherited->session, &inherited->datagram) == KEEP_ERR_FORKED);
    child_needs(keep_session_stats(inherited->session, &stats) == KEEP_ERR_FORKED);
    child_leaves(inherited->session);
    keep_session_free(&inherited->session);
    child_needs(inherited->session == NULL);
    child_needs(try_session(1, 0, options, &own) == KEEP_ERR_STATE); /* the parent seals with it */
    child_needs(try_session(3, 0, options, &own) == KEEP_OK);
    child_needs(try_seal(own, "x", 1, &inherited->datagram) == KEEP_OK);
    keep_session_free(&own);
}

/* packet D9 */
START_TEST(a_forked_child_cannot_use_its_parents_session_or_key)
{
    struct inherited inherited = { .session = new_sender(1) };
    KEEP_AUTO(keep_session) receiver = new_receiver(1);

    seal(inherited.session, "before", &inherited.datagram);
    assert_ok(try_open(receiver, &inherited.datagram));
    assert_returns(use_inherited, &inherited);
    seal(inherited.session, "after", &inherited.datagram);
    ck_assert(opens_as(receiver, &inherited.datagram, "after"));
    ck_assert_uint_eq(session_stats_of(inherited.session).next_counter, 2);
    keep_session_free(&inherited.session);
}
END_TEST

/* packet D10, §6 */
START_TEST(a_thousand_sessions_take_no_packet_buffers)
{
    enum {
        SESSIONS = 1000,
        MOST_OF_A_SESSION = 1024 + 1024 / 8
    };
    static keep_session *sessions[SESSIONS];
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_pool *pool = new_pool(NULL);
    size_t before;

    options.pool = pool;
    assert_ok(keep_pool_reserve(pool, 32, 2 * SESSIONS)); /* so that the heap grows by the sessions alone */
    sessions[0] = session_with(1, 2, options);                /* nor by what the first one needs */
    before = mallinfo2().uordblks;
    for (int i = 1; i < SESSIONS; i++)
        sessions[i] = session_with(i + 1, (i + 1) % SESSIONS + 1, options);
    if (can_search_process()) /* sanitizers have heaps of their own */
        ck_assert_uint_le(mallinfo2().uordblks - before, SESSIONS * MOST_OF_A_SESSION);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 2 * SESSIONS);
    for (int i = 0; i < SESSIONS; i++)
        keep_session_free(&sessions[i]);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    keep_pool_free(&pool);
}
END_TEST

RUN_SUITE("session", ONCE(options_out_of_range_are_refused), ONCE(every_window_and_the_largest_limit_are_taken),
          ONCE(a_key_that_is_not_32_bytes_open_or_gone_is_refused), ONCE(the_keys_may_be_freed_at_once_and_the_pool_too),
          ONCE(one_live_session_seals_with_a_key), ONCE(a_session_without_a_key_cannot_do_its_half),
          ONCE(the_counter_ends_and_stays_at_its_end), ONCE(a_session_may_begin_spent),
          ONCE(stats_tell_what_was_received), ONCE(too_many_forged_packets_end_opening_for_ever),
          ONCE(a_purge_ends_sessions_and_what_it_interrupts_never_leaves),
          ONCE(a_forked_child_cannot_use_its_parents_session_or_key), ONCE(a_thousand_sessions_take_no_packet_buffers))
