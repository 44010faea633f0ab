/* SPDX-License-Identifier: MIT */
/*
 * Being somebody whom limits bind. To be called in a child only: there is no way back.
 */
#ifndef SUPPORT_USER_H
#define SUPPORT_USER_H

#include <stdbool.h>
#include <stddef.h>

/* Makes the process an ordinary user's, with a soft lock limit. False: it may lock without limit, and stays so. */
bool become_ordinary(size_t lock_limit);

/* Changes the soft lock limit. */
void set_lock_limit(size_t lock_limit);

#endif
