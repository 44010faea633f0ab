/* SPDX-License-Identifier: MIT */
/*
 * Metrics: all numbers of an observer and its ledger as Prometheus text, version 0.0.4. Pure.
 */
#ifndef KEEP_TRACKER_METRICS_H
#define KEEP_TRACKER_METRICS_H

#include <stdint.h>

#include "base/printer.h"
#include "tracker/intake.h"

/* `queue_limit`: how many datagrams the kernel keeps for a socket; 0: unknown. */
void keep__metrics_print(keep__printer *printer, const keep__intake *intake, uint64_t queue_limit);

#endif
