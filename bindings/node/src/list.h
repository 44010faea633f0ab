/* SPDX-License-Identifier: MIT */
/*
 * Lists of bytes: events of a packet, datagrams of a batch. They come in an array that lib/ has just made, so that no
 * getter runs while C has their places; a single one may come without an array.
 */
#ifndef SHIM_LIST_H
#define SHIM_LIST_H

#include "args.h"

enum {
    SHIM_FEW_ITEMS = 8 /* without memory of their own */
};

/* The items are borrowed until shim_end_list. A list must not move. */
typedef struct shim_list {
    keep_bytes *items;
    const keep_secret **windows; /* of each item; NULL: none is open */
    size_t count, room;
    keep_bytes few_items[SHIM_FEW_ITEMS];
    const keep_secret *few_windows[SHIM_FEW_ITEMS];
} shim_list;

void shim_begin_list(shim_list *list);

/*
 * Appends bytes, `*out_count` of them. C refuses more than `most`: of those none are appended. After a failure too the
 * list wants to be ended.
 */
bool shim_append_list(const shim_call *call, napi_value values, const char *name, size_t most, shim_list *list,
                      size_t *out_count);

/* Begins a list with bytes. After a failure it is ended. */
bool shim_take_list(const shim_call *call, napi_value values, const char *name, size_t most, shim_list *out,
                    size_t *out_count);

/* Ends all windows, after the call that used the bytes gave `status`; gives the first failure. */
keep_status shim_end_list(shim_list *list, keep_status status);

#endif
