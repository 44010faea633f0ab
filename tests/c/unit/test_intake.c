/* SPDX-License-Identifier: MIT */
/*
 * Intake, white box: agents of whom the ledger knows and nothing was noted, and the reverse; who may not pay; and what the
 * metrics say of them. The rows themselves are in the vectors.
 */
#include "tracker/intake.h"

#include <string.h>

#include "support/scene.h"
#include "support/suite.h"
#include "tracker/observer.h"
#include "tracker/tracker.h"

#define NOW UINT64_C(1000000000)

enum {
    PID = 5
};

static void begin(struct scene *scene)
{
    scene_begin(scene, (keep_observer_options)KEEP_OBSERVER_OPTIONS_INIT);
}

/* A datagram of PID in the generation. */
static keep_datagram datagram_of(const void *bytes, size_t len, uint64_t generation)
{
    return (keep_datagram){
        .data = { bytes, len },
        .generation = generation,
        .kernel_pid = PID,
        .source = KEEP_SOURCE_UNIX,
    };
}

static void feed_at(struct scene *scene, keep_datagram datagram, uint64_t now_ns)
{
    assert_ok(keep_observer_feed(scene->observer, &datagram, 1, now_ns, scene->events, SCENE_EVENTS, &scene->count));
}

static void feed_text(struct scene *scene, const char *text)
{
    feed_at(scene, datagram_of(text, strlen(text), 7), NOW);
}

static void feed_notice(struct scene *scene, uint8_t op)
{
    keep__notice notice = { .op = op, .pid = PID };
    uint8_t frame[KEEP_BEAT_LEN];

    assert_ok(keep__notice_encode(&notice, frame));
    feed_at(scene, datagram_of(frame, sizeof frame, 7), NOW);
}

static void feed_beat(struct scene *scene, uint64_t generation, uint64_t ns_inode, uint64_t nonce)
{
    keep__beat beat = { .pid = PID, .nonce = nonce };
    uint8_t frame[KEEP_BEAT_LEN];
    keep_datagram datagram;

    assert_ok(keep__beat_encode(&beat, frame));
    datagram = datagram_of(frame, sizeof frame, generation);
    datagram.ns_inode = ns_inode;
    feed_at(scene, datagram, NOW + nonce * NOW / 10);
}

static void feed_beat_of_network(struct scene *scene, uint64_t nonce, uint64_t now_ns)
{
    keep__beat beat = { .pid = PID, .nonce = nonce };
    uint8_t frame[KEEP_BEAT_LEN];

    assert_ok(keep__beat_encode(&beat, frame));
    feed_at(scene, (keep_datagram){ .data = { frame, sizeof frame }, .source = KEEP_SOURCE_UDP }, now_ns);
}

static bool has_said(const struct scene *scene, uint32_t kind)
{
    for (size_t i = 0; i < scene->count; i++) {
        if (scene->events[i].kind == kind)
            return true;
    }
    return false;
}

static uint32_t place(const struct scene *scene)
{
    return keep__ledger_find(&scene->tracker->ledger, PID);
}

static keep_agent_info info_of_agent(const struct scene *scene)
{
    keep_agent_info info = KEEP_AGENT_INFO_INIT;

    assert_ok(keep_tracker_get(scene->tracker, PID, NOW, &info));
    return info;
}

START_TEST(text_is_a_wrong_length_where_it_is_not_accepted)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    struct scene scene;

    options.accept_notify = 0;
    scene_begin(&scene, options);
    feed_text(&scene, "READY=1");
    ck_assert_uint_eq(scene.observer->intake.counts.bad_length, 1);
    scene_end(&scene);
}
END_TEST

START_TEST(a_notice_that_does_not_decode_is_an_error)
{
    uint8_t frame[KEEP_BEAT_LEN] = { 'K', 'P', 1 };
    struct scene scene;

    begin(&scene);
    feed_at(&scene, datagram_of(frame, sizeof frame, 7), NOW);
    ck_assert(has_said(&scene, KEEP_EVENT_DECODE_ERROR));
    scene_end(&scene);
}
END_TEST

/* tracker R34 i */
START_TEST(what_a_datagram_does_not_say_follows_from_the_slot)
{
    struct scene scene;

    begin(&scene);
    feed_beat(&scene, 7, 3, 1);
    feed_beat(&scene, 0, 0, 2);
    ck_assert_uint_eq(info_of_agent(&scene).ns_inode, 3);
    ck_assert_uint_eq(info_of_agent(&scene).origin, KEEP_ORIGIN_KERNEL);
    feed_beat(&scene, 7, 0, 3);
    ck_assert_uint_eq(info_of_agent(&scene).ns_inode, 3);
    feed_beat(&scene, 8, 0, 4); /* another life, whose namespace is unknown */
    ck_assert_uint_eq(info_of_agent(&scene).ns_inode, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(a_new_identity_replaces_what_was_noted)
{
    keep__mail mail = { .pid = PID, .found = { .pid = PID, .pidfd = KEEP__NO_PIDFD, .comm = "second" } };
    struct scene scene;

    begin(&scene);
    feed_beat(&scene, 7, 3, 1);
    mail.datagram.generation = 7;
    keep__intake_note(&scene.observer->intake, &mail, false);
    ck_assert_str_eq(scene.observer->intake.lives[place(&scene)].comm, "second");
    scene_end(&scene);
}
END_TEST

START_TEST(what_was_noted_of_another_pid_in_the_slot_is_not_its_agents)
{
    struct scene scene;

    begin(&scene);
    feed_beat(&scene, 7, 3, 1);
    scene.observer->intake.lives[place(&scene)].pid = PID + 1;
    ck_assert_ptr_null(keep__intake_life(&scene.observer->intake, place(&scene)));
    scene_end(&scene);
}
END_TEST

/* The program may record a beat of another life itself. */
START_TEST(what_was_noted_of_another_life_in_the_slot_is_not_its_agents)
{
    keep_sighting sighting = { .pid = PID, .nonce = 1, .generation = 8, .origin = KEEP_ORIGIN_KERNEL };
    keep_admission admission;
    struct scene scene;

    begin(&scene);
    feed_beat(&scene, 7, 3, 1);
    feed_notice(&scene, KEEP__NOTICE_GOODBYE);
    assert_ok(keep_tracker_record(scene.tracker, &sighting, 1, NOW, &admission));
    ck_assert_ptr_null(keep__intake_life(&scene.observer->intake, place(&scene)));
    feed_beat(&scene, 8, 0, 2);
    ck_assert_uint_eq(info_of_agent(&scene).beats, 2);
    scene_end(&scene);
}
END_TEST

/* An agent that the program put into the ledger itself. */
static void put_silently(struct scene *scene)
{
    assert_ok(keep_tracker_put(scene->tracker, PID, NULL, NOW, NULL));
    ck_assert_ptr_null(keep__intake_life(&scene->observer->intake, place(scene)));
}

START_TEST(an_agent_without_a_life_stalls_exits_and_leaves)
{
    struct scene scene;

    begin(&scene);
    put_silently(&scene);
    assert_ok(keep_observer_feed(scene.observer, NULL, 0, 3 * NOW, scene.events, SCENE_EVENTS, &scene.count));
    ck_assert(has_said(&scene, KEEP_EVENT_STALL));
    keep__intake_exit(&scene.observer->intake, PID + 1, 0); /* nobody's */
    ck_assert_uint_eq(scene.observer->intake.reports.count, 0);
    keep__intake_exit(&scene.observer->intake, PID, 0);
    ck_assert_uint_eq(place(&scene), KEEP__NOBODY);
    assert_ok(keep_observer_feed(scene.observer, NULL, 0, 3 * NOW, scene.events, SCENE_EVENTS, &scene.count));
    ck_assert(has_said(&scene, KEEP_EVENT_EXITED));
    put_silently(&scene);
    feed_notice(&scene, KEEP__NOTICE_GOODBYE);
    ck_assert(has_said(&scene, KEEP_EVENT_GOODBYE) && place(&scene) != KEEP__NOBODY);
    scene_end(&scene);
}
END_TEST

/* tracker R39 */
START_TEST(a_goodbye_is_told_once)
{
    struct scene scene;

    begin(&scene);
    feed_notice(&scene, KEEP__NOTICE_GOODBYE); /* of nobody */
    ck_assert(!has_said(&scene, KEEP_EVENT_GOODBYE));
    feed_notice(&scene, KEEP__NOTICE_REGISTER);
    feed_notice(&scene, KEEP__NOTICE_GOODBYE);
    ck_assert(has_said(&scene, KEEP_EVENT_GOODBYE));
    feed_notice(&scene, KEEP__NOTICE_GOODBYE);
    ck_assert(!has_said(&scene, KEEP_EVENT_GOODBYE));
    feed_text(&scene, "WATCHDOG_USEC=1000000"); /* what comes late does not bring it back */
    ck_assert(!has_said(&scene, KEEP_EVENT_REGISTERED));
    scene_end(&scene);
}
END_TEST

START_TEST(a_goodbye_of_whose_end_nobody_will_see_is_the_end)
{
    struct scene scene;

    begin(&scene);
    feed_notice(&scene, KEEP__NOTICE_REGISTER);
    scene.observer->intake.lives[place(&scene)].is_unwatched = true;
    feed_notice(&scene, KEEP__NOTICE_GOODBYE);
    ck_assert(has_said(&scene, KEEP_EVENT_GOODBYE));
    ck_assert_uint_eq(place(&scene), KEEP__NOBODY);
    scene_end(&scene);
}
END_TEST

/* The program may remove an agent behind the observer's back; what comes then begins anew. */
START_TEST(who_left_and_was_deleted_is_heard_again)
{
    struct scene scene;

    begin(&scene);
    for (uint64_t nonce = 1; nonce <= 2; nonce++) {
        feed_beat(&scene, 7, 3, nonce);
        feed_notice(&scene, KEEP__NOTICE_GOODBYE);
        assert_ok(keep_tracker_delete(scene.tracker, PID, KEEP_REASON_OPERATOR, NOW));
    }
    feed_text(&scene, "READY=1");
    feed_beat(&scene, 7, 3, 3);
    ck_assert_uint_eq(info_of_agent(&scene).beats, 1);
    feed_beat(&scene, 7, 3, 4);
    ck_assert_uint_eq(info_of_agent(&scene).beats, 2);
    ck_assert_uint_eq(scene.observer->intake.counts.after_goodbye, 0);
    scene_end(&scene);
}
END_TEST

/* tracker R14 */
START_TEST(who_starts_over_is_not_who_was_noted)
{
    struct scene scene;

    begin(&scene);
    feed_beat_of_network(&scene, 2, NOW);
    feed_text(&scene, "WATCHDOG_USEC=1000000");
    ck_assert_uint_eq(keep__intake_generation(&scene.observer->intake, place(&scene)), 7);
    feed_beat_of_network(&scene, 1, 3 * NOW);
    ck_assert(has_said(&scene, KEEP_EVENT_RECYCLED));
    ck_assert_uint_eq(keep__intake_generation(&scene.observer->intake, place(&scene)), 0);
    scene_end(&scene);
}
END_TEST

START_TEST(a_watchdog_that_cannot_be_paid_is_limited)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    struct scene scene;

    options.global_rate = 1;
    options.global_burst = 1;
    scene_begin(&scene, options);
    feed_text(&scene, "WATCHDOG_USEC=1000000");
    ck_assert(has_said(&scene, KEEP_EVENT_REGISTERED));
    feed_text(&scene, "WATCHDOG_USEC=2000000");
    ck_assert(!has_said(&scene, KEEP_EVENT_REGISTERED));
    ck_assert_uint_eq(scene.observer->intake.counts.limited_global, 1);
    scene_end(&scene);
}
END_TEST

static const char *metrics_of(const struct scene *scene)
{
    static char text[65536];
    size_t len = 0;

    assert_ok(keep_observer_metrics(scene->observer, text, sizeof text - 1, &len));
    text[len] = '\0';
    return text;
}

/* tracker R44 */
START_TEST(a_name_is_a_label_whatever_it_contains)
{
    struct scene scene;

    begin(&scene);
    feed_beat(&scene, 7, 3, 1);
    memcpy(scene.observer->intake.lives[place(&scene)].comm, "a\"b\\\n\x80\x7F~", 9);
    ck_assert_ptr_nonnull(strstr(metrics_of(&scene), "comm=\"a\\\"b\\\\???~\",origin=\"kernel\""));
    scene_end(&scene);
}
END_TEST

START_TEST(of_whom_nothing_is_known_nothing_is_said)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    struct scene scene;

    options.max_series = 1;
    scene_begin(&scene, options);
    put_silently(&scene);
    ck_assert_ptr_nonnull(strstr(metrics_of(&scene), "uid=\"\",comm=\"\",origin=\"none\""));
    assert_ok(keep_tracker_put(scene.tracker, PID + 1, NULL, NOW, NULL));
    ck_assert_ptr_nonnull(strstr(metrics_of(&scene), "keep_agents_not_shown 1\n"));
    scene_end(&scene);
}
END_TEST

RUN_SUITE("intake", ONCE(text_is_a_wrong_length_where_it_is_not_accepted),
          ONCE(a_notice_that_does_not_decode_is_an_error), ONCE(what_a_datagram_does_not_say_follows_from_the_slot),
          ONCE(a_new_identity_replaces_what_was_noted),
          ONCE(what_was_noted_of_another_pid_in_the_slot_is_not_its_agents),
          ONCE(what_was_noted_of_another_life_in_the_slot_is_not_its_agents),
          ONCE(an_agent_without_a_life_stalls_exits_and_leaves), ONCE(a_goodbye_is_told_once),
          ONCE(a_goodbye_of_whose_end_nobody_will_see_is_the_end), ONCE(who_left_and_was_deleted_is_heard_again),
          ONCE(who_starts_over_is_not_who_was_noted), ONCE(a_watchdog_that_cannot_be_paid_is_limited),
          ONCE(a_name_is_a_label_whatever_it_contains), ONCE(of_whom_nothing_is_known_nothing_is_said))
