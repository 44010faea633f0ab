/* SPDX-License-Identifier: MIT */
/*
 * Slab: the model is one struct a place, and no atomics.
 */
#include "model/slab.h"

#include <string.h>

#include "memory/slab.h"

enum {
    PLACES = 5
};

/* What a place is, and every spot that was ever handed out for it: its last two. */
struct place {
    bool is_taken, is_live, is_writing, is_frozen, is_purged;
    uint32_t readers;
    keep__spot now, before;
};

struct model {
    keep__group group;
    struct place places[PLACES];
};

static keep_status check(const struct place *place, bool is_stale)
{
    if (is_stale || !place->is_live)
        return KEEP_ERR_CLOSED;
    return place->is_purged ? KEEP_ERR_PURGED : KEEP_OK;
}

static bool has_window(const struct place *place)
{
    return place->is_writing || place->readers != 0;
}

static keep_status check_busy(const struct place *place, bool is_stale, bool is_busy)
{
    keep_status st = check(place, is_stale);

    return st == KEEP_OK && is_busy ? KEEP_ERR_BUSY : st;
}

static const char *acquire(struct model *model)
{
    keep__spot spot;
    struct place *place;
    uint32_t free = 0;

    for (int i = 0; i < PLACES; i++)
        free += !model->places[i].is_taken;
    if (!keep__slab_take(&model->group, &spot))
        return free == 0 ? NULL : "take found nothing though a place is free";
    if (free == 0 || model->places[keep__spot_slot(spot)].is_taken)
        return "take gave a place that is taken";
    keep__slab_hand_out(&spot, 1, 0);
    place = &model->places[keep__spot_slot(spot)];
    *place = (struct place){ .is_taken = true, .is_live = true, .now = spot, .before = place->now };
    return NULL;
}

static const char *release(struct place *place, keep__spot spot, bool is_stale)
{
    bool is_left = true;
    keep_status wanted = check(place, is_stale);

    if (wanted != KEEP_ERR_CLOSED)
        wanted = has_window(place) ? KEEP_ERR_BUSY : KEEP_OK;
    if (keep__slab_release(spot, &is_left) != wanted)
        return "release";
    if (wanted != KEEP_OK)
        return NULL;
    keep__slab_give(spot);
    place->is_taken = place->is_live = false;
    return is_left ? "release left a place that nobody holds" : NULL;
}

static const char *begin(struct place *place, keep__spot spot, bool is_stale, bool is_write)
{
    keep_status wanted = check(place, is_stale);

    if (wanted == KEEP_OK && is_write && place->is_frozen)
        wanted = KEEP_ERR_STATE;
    if (wanted == KEEP_OK && (place->is_writing || (is_write && place->readers != 0)))
        wanted = KEEP_ERR_BUSY;
    if ((is_write ? keep__slab_write_begin(spot) : keep__slab_read_begin(spot)) != wanted)
        return "begin";
    if (wanted == KEEP_OK && is_write)
        place->is_writing = true;
    else if (wanted == KEEP_OK)
        place->readers++;
    return NULL;
}

static const char *end(struct place *place, keep__spot spot, bool is_stale)
{
    bool is_last = false;
    keep_status wanted = check(place, is_stale) == KEEP_ERR_CLOSED ? KEEP_ERR_CLOSED : KEEP_OK;

    if (wanted == KEEP_OK && !has_window(place))
        wanted = KEEP_ERR_STATE;
    if (keep__slab_end(spot, &is_last) != wanted)
        return "end";
    if (wanted != KEEP_OK)
        return NULL;
    if (place->is_writing)
        place->is_writing = false;
    else
        place->readers--;
    return is_last == !has_window(place) ? NULL : "end told the wrong one to be the last";
}

static const char *turn(struct place *place, keep__spot spot, bool is_stale, bool is_freeze)
{
    keep_status wanted = check_busy(place, is_stale, has_window(place));

    if ((is_freeze ? keep__slab_freeze(spot) : keep__slab_melt(spot)) != wanted)
        return "freeze or melt";
    if (wanted == KEEP_OK)
        place->is_frozen = is_freeze;
    return NULL;
}

static const char *purge(struct model *model)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        struct place *place = &model->places[i];
        keep__spot spot = keep__spot_of(&model->group, i, 0);
        uint32_t windows = 0;

        if (keep__slab_hold(&spot, &windows) != place->is_live)
            return "hold";
        if (!place->is_live)
            continue;
        place->is_purged = true;
        if (windows != place->readers + place->is_writing || spot.at != place->now.at || keep__slab_let_go(spot))
            return "a held place";
    }
    return NULL;
}

static const char *step(struct model *model, uint8_t byte)
{
    struct place *place = &model->places[byte / 16 % PLACES];
    bool is_stale = byte % 16 >= 8;
    keep__spot spot = is_stale ? place->before : place->now;

    if (byte % 8 == 0)
        return acquire(model);
    if (byte % 8 == 1 && is_stale)
        return purge(model);
    if (spot.group == NULL)
        return NULL; /* never handed out */
    switch (byte % 8) {
    case 1:
        return keep__slab_check(spot) == check(place, is_stale) ? NULL : "check";
    case 2:
        return release(place, spot, is_stale);
    case 3:
        return begin(place, spot, is_stale, false);
    case 4:
        return begin(place, spot, is_stale, true);
    case 5:
        return end(place, spot, is_stale);
    default:
        return turn(place, spot, is_stale, byte % 8 == 6);
    }
}

const char *model_slab(const uint8_t *bytes, size_t len)
{
    struct model model;
    const char *wrong = NULL;

    memset(&model, 0, sizeof model);
    keep__slab_fill(&model.group, PLACES);
    for (size_t i = 0; wrong == NULL && i < len; i++)
        wrong = step(&model, bytes[i]);
    return wrong == NULL && !keep__slab_sane(&model.group) ? "the invariant" : wrong;
}
