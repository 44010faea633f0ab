/* SPDX-License-Identifier: MIT */
/*
 * Says ten times a second that it is alive, until its input ends; then goodbye. examples/watch.py is the other side.
 *
 *     cc beat.c $(pkg-config --cflags --libs keep) -o beat
 *     ./beat PATH
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <keep/keep.h>

static keep_status beat_until_input_ends(keep_beacon *beacon)
{
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
    keep_outcome outcome;
    keep_status st = keep_beacon_register(beacon, NULL, &outcome);

    while (st == KEEP_OK && poll(&input, 1, 100) == 0)
        st = keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome);
    if (st == KEEP_OK)
        st = keep_beacon_goodbye(beacon, &outcome);
    return st;
}

int main(int argc, char **argv)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_status st;

    if (argc != 2) {
        fprintf(stderr, "usage: beat PATH\n");
        return 2;
    }
    options.path = argv[1];
    st = keep_beacon_new(&options, &beacon, NULL);
    if (st == KEEP_OK)
        st = beat_until_input_ends(beacon);
    if (st != KEEP_OK)
        fprintf(stderr, "beat: %s\n", keep_status_sentence(st));
    return st == KEEP_OK ? 0 : 1;
}
