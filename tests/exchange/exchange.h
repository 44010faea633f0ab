/* SPDX-License-Identifier: MIT */
/*
 * The items of the C program of ci/exchange, and the files they are made of.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>

#include <jansson.h>

#include <keep/keep.h>

/* JSON with sorted keys and without blanks; consumes the value. free() it. */
char *compact(json_t *value);

/* A file as text, of which only the first 64 KiB count; NULL if it cannot be read. free() it. */
char *read_file(const char *folder, const char *name);

/* Whether a file holds the text and a line feed. */
bool is_in_file(const char *folder, const char *name, const char *text);

/* Writes a text and a line feed, and adds its hash to the files of a manifest. */
bool write_file(const char *folder, const char *name, const char *text, json_t *files);

/* Ends the program unless the status is KEEP_OK. */
void must(keep_status status);

/* What all languages start from: a member of inputs.json. json_decref() it. */
json_t *inputs_of(const char *item);

/* Recorded frames, and what an observer makes of them: writes both, or reads the frames of another language. */
bool write_tracker(const char *folder, json_t *files);
bool is_same_tracker(const char *folder);

/* Alive: beats 100 times to a path, then is silent until its input ends; hears such a process, then its silence. */
bool beat_to(const char *path);
bool observe_at(const char *path);

/* One of the crowd: an agent until its input says otherwise; one that floods with good beats or garbage until it is killed. */
bool live_at(const char *path);
bool flood_at(const char *path, const char *what);

#endif
