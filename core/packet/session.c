/* SPDX-License-Identifier: MIT */
/*
 * Session: its life. Invariant: while a session with a tx key lives, that key is marked, and no other has it.
 */
#include "packet/session.h"

#include "base/checked.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/options.h"
#include "base/trace.h"
#include "keep/aead.h"
#include "memory/guard.h"
#include "packet/aead.h"
#include "packet/mark.h"
#include "packet/nonce.h"
#include "base/banned.h"

#define SESSION_KEY_LEN 32
#define MAX_FAILED_OPENS (UINT64_C(1) << 36) /* RFC 9001 §6.6 */

static bool may_be_window(uint32_t width)
{
    return width >= KEEP__WINDOW_MIN && width <= KEEP__WINDOW_MAX && (width & (width - 1)) == 0;
}

static keep_status read_session_options(const keep_session_options *given, keep_session_options *out)
{
    keep_status st;

    *out = (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
    st = keep__options_read(given, KEEP__SIZE_UP_TO(keep_session_options, pool), sizeof *out, out);
    if (st != KEEP_OK)
        return st;
    if (out->window == 0)
        out->window = KEEP__WINDOW_MIN;
    if (out->max_failed_opens == 0)
        out->max_failed_opens = MAX_FAILED_OPENS;
    if (!may_be_window(out->window) || out->aead > KEEP_AEAD_IPSEC_MB || out->max_failed_opens > MAX_FAILED_OPENS)
        return KEEP_ERR_INVALID_ARGUMENT;
    return KEEP_OK;
}

static keep_status new_block(uint32_t width, keep_session **out)
{
    size_t len = sizeof(keep_session) + keep__window_words(width) * sizeof(uint64_t);
    keep_session *session = keep__heap_new_line(len);

    if (session == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    session->block_len = len;
    keep__lock_init(&session->lock, KEEP__RANK_WINDOW);
    keep__window_init(&session->window, width, session->ring);
    *out = session;
    return KEEP_OK;
}

static keep_status copy_key(keep_pool *pool, const keep_secret *secret, keep__key *out)
{
    return secret == NULL ? KEEP_OK : keep__key_from_secret(pool, secret, SESSION_KEY_LEN, out);
}

/* Both sides would start at one nonce. */
static bool has_equal_keys(const keep_session *session)
{
    return session->tx.bytes != NULL && session->rx.bytes != NULL &&
           keep__equal(session->tx.bytes, session->rx.bytes, SESSION_KEY_LEN);
}

static keep_status take_keys(keep_session *session, const keep__session_keys *keys, keep_pool *pool)
{
    keep_status st;

    session->epoch = keep__guard_settled_epoch();
    st = copy_key(pool, keys->tx_key, &session->tx);
    if (st == KEEP_OK)
        st = copy_key(pool, keys->rx_key, &session->rx);
    if (st == KEEP_OK && has_equal_keys(session))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK && session->tx.bytes != NULL)
        st = keep__mark_set(session->tx.bytes, &session->mark);
    return st != KEEP_OK ? st : keep__session_check_epoch(session);
}

static void end_session(keep_session *session)
{
    keep__key_free(&session->tx);
    keep__key_free(&session->rx);
    keep__mark_end(session->mark);
    keep__lock_end(&session->lock);
    keep__heap_free(session, session->block_len);
}

keep_status keep__session_check_epoch(const keep_session *session)
{
    return KEEP__LIKELY(keep__guard_epoch() == session->epoch) ? KEEP_OK : keep__trace(KEEP_ERR_PURGED);
}

keep_status keep__session_check(const keep_session *session)
{
    keep_status st = session == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__guard_check(session->stamp);

    return st != KEEP_OK ? st : keep__session_check_epoch(session);
}

static keep_status make(const keep__session_keys *keys, const keep_session_options *options, keep_session **out_session)
{
    keep_session *session = NULL;
    keep_status st = keep__guard_enter();

    if (st == KEEP_OK)
        st = new_block(options->window, &session);
    if (st != KEEP_OK)
        return st;
    session->stamp = keep__guard_stamp();
    session->session_id = keys->session_id;
    session->max_failed_opens = options->max_failed_opens;
    atomic_store(&session->next_counter, options->first_counter);
    atomic_store(&session->confirmed, keys->is_confirmed);
    st = take_keys(session, keys, options->pool);
    if (st == KEEP_OK)
        st = keep__cipher_prepare(options->aead, &session->choice);
    if (st != KEEP_OK)
        end_session(session);
    else
        *out_session = session;
    return st;
}

keep_status keep__session_make(const keep__session_keys *keys, const keep_session_options *options,
                               keep_session **out_session)
{
    keep_session_options read;
    keep_status st = read_session_options(options, &read);

    if (st == KEEP_OK &&
        (read.tx_key != NULL || read.rx_key != NULL || read.session_id != 0 || read.first_counter != 0))
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st != KEEP_OK ? st : make(keys, &read, out_session);
}

keep_status keep_session_new(const keep_session_options *options, keep_session **out_session)
{
    keep_session_options read;
    keep__session_keys keys = { .is_confirmed = true };
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (options != NULL && out_session != NULL)
        st = read_session_options(options, &read);
    if (st != KEEP_OK)
        return st;
    if (read.tx_key == NULL && read.rx_key == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    keys.tx_key = read.tx_key;
    keys.rx_key = read.rx_key;
    keys.session_id = read.session_id;
    return make(&keys, &read, out_session);
}

static void tell_locked(keep_session *session, struct keep_session_stats *out) KEEP_HOLDS(session->lock)
{
    out->opened = session->opened;
    out->replayed = session->replayed;
    out->malformed = session->malformed;
    out->has_highest = session->window.next != 0;
    out->highest_counter = out->has_highest ? session->window.next - 1 : 0;
}

keep_status keep_session_stats(keep_session *session, struct keep_session_stats *out_stats)
{
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;
    keep_status st = keep__report_check(out_stats, KEEP__SIZE_UP_TO(struct keep_session_stats, confirmed));

    if (st == KEEP_OK)
        st = keep__session_check(session);
    if (st != KEEP_OK)
        return st;
    keep__lock_acquire(&session->lock);
    tell_locked(session, &stats);
    keep__lock_release(&session->lock);
    stats.next_counter = atomic_load(&session->next_counter);
    stats.auth_failed = atomic_load(&session->auth_failed);
    stats.confirmed = atomic_load(&session->confirmed);
    keep__report_fill(out_stats, &stats, sizeof stats);
    return KEEP_OK;
}

void keep_session_free(keep_session **session)
{
    keep_session *freed = session == NULL ? NULL : *session;

    if (freed == NULL)
        return;
    *session = NULL;
    if (keep__guard_check(freed->stamp) == KEEP_OK)
        end_session(freed);
}
