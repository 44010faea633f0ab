// SPDX-License-Identifier: MIT

package keep

// Every C function that the package calls. None keeps a pointer after it returns, so what is passed stays on Go's stack;
// none calls back into Go, so a call needs no way back.

/*
#include "keep_cgo.h"

#cgo noescape keep_version_number
#cgo nocallback keep_version_number
#cgo noescape keep_reason_name
#cgo nocallback keep_reason_name

#cgo noescape keep_pool_new
#cgo nocallback keep_pool_new
#cgo noescape keep_pool_default
#cgo nocallback keep_pool_default
#cgo noescape keep_pool_acquire
#cgo nocallback keep_pool_acquire
#cgo noescape keep_pool_acquire_batch
#cgo nocallback keep_pool_acquire_batch
#cgo noescape keep_pool_reserve
#cgo nocallback keep_pool_reserve
#cgo noescape keep_pool_trim
#cgo nocallback keep_pool_trim
#cgo noescape keep_pool_stats
#cgo nocallback keep_pool_stats
#cgo noescape keep_pool_free
#cgo nocallback keep_pool_free

#cgo noescape keep_secret_generate
#cgo nocallback keep_secret_generate
#cgo noescape keep_go_secret_from_bytes
#cgo nocallback keep_go_secret_from_bytes
#cgo noescape keep_go_secret_take
#cgo nocallback keep_go_secret_take
#cgo noescape keep_secret_duplicate
#cgo nocallback keep_secret_duplicate
#cgo noescape keep_go_secret_read_begin
#cgo nocallback keep_go_secret_read_begin
#cgo noescape keep_go_secret_write_begin
#cgo nocallback keep_go_secret_write_begin
#cgo noescape keep_secret_end
#cgo nocallback keep_secret_end
#cgo noescape keep_go_secret_put
#cgo nocallback keep_go_secret_put
#cgo noescape keep_go_secret_get
#cgo nocallback keep_go_secret_get
#cgo noescape keep_go_secret_reveal
#cgo nocallback keep_go_secret_reveal
#cgo noescape keep_secret_randomize
#cgo nocallback keep_secret_randomize
#cgo noescape keep_secret_clear
#cgo nocallback keep_secret_clear
#cgo noescape keep_secret_resize
#cgo nocallback keep_secret_resize
#cgo noescape keep_secret_equal
#cgo nocallback keep_secret_equal
#cgo noescape keep_go_secret_equal_bytes
#cgo nocallback keep_go_secret_equal_bytes
#cgo noescape keep_secret_freeze
#cgo nocallback keep_secret_freeze
#cgo noescape keep_secret_melt
#cgo nocallback keep_secret_melt
#cgo noescape keep_secret_info
#cgo nocallback keep_secret_info
#cgo noescape keep_secret_free
#cgo nocallback keep_secret_free
#cgo noescape keep_secret_free_batch
#cgo nocallback keep_secret_free_batch

#cgo noescape keep_go_sealed_new
#cgo nocallback keep_go_sealed_new
#cgo noescape keep_go_sealed_take
#cgo nocallback keep_go_sealed_take
#cgo noescape keep_sealed_from_secret
#cgo nocallback keep_sealed_from_secret
#cgo noescape keep_sealed_open
#cgo nocallback keep_sealed_open
#cgo noescape keep_sealed_open_into
#cgo nocallback keep_sealed_open_into
#cgo noescape keep_sealed_info
#cgo nocallback keep_sealed_info
#cgo noescape keep_sealed_free
#cgo nocallback keep_sealed_free

#cgo noescape keep_purge
#cgo nocallback keep_purge
#cgo noescape keep_harden
#cgo nocallback keep_harden
#cgo noescape keep_memory_report
#cgo nocallback keep_memory_report
#cgo noescape keep_go_memory_known_answer
#cgo nocallback keep_go_memory_known_answer

#cgo noescape keep_tracker_new
#cgo nocallback keep_tracker_new
#cgo noescape keep_tracker_free
#cgo nocallback keep_tracker_free
#cgo noescape keep_tracker_record
#cgo nocallback keep_tracker_record
#cgo noescape keep_tracker_drain
#cgo nocallback keep_tracker_drain
#cgo noescape keep_tracker_next_deadline
#cgo nocallback keep_tracker_next_deadline
#cgo noescape keep_tracker_put
#cgo nocallback keep_tracker_put
#cgo noescape keep_tracker_delete
#cgo nocallback keep_tracker_delete
#cgo noescape keep_tracker_get
#cgo nocallback keep_tracker_get
#cgo noescape keep_tracker_list
#cgo nocallback keep_tracker_list
#cgo noescape keep_tracker_stats
#cgo nocallback keep_tracker_stats
#cgo noescape keep_go_tracker_known_answer
#cgo nocallback keep_go_tracker_known_answer

#cgo noescape keep_go_observer_new
#cgo nocallback keep_go_observer_new
#cgo noescape keep_observer_free
#cgo nocallback keep_observer_free
#cgo noescape keep_go_observer_listen
#cgo nocallback keep_go_observer_listen
#cgo noescape keep_observer_add_key
#cgo nocallback keep_observer_add_key
#cgo noescape keep_observer_poll
#cgo nocallback keep_observer_poll
#cgo noescape keep_go_observer_feed
#cgo nocallback keep_go_observer_feed
#cgo noescape keep_go_observer_duplicate
#cgo nocallback keep_go_observer_duplicate
#cgo noescape keep_go_is_ready
#cgo nocallback keep_go_is_ready
#cgo noescape keep_observer_stats
#cgo nocallback keep_observer_stats
#cgo noescape keep_observer_metrics
#cgo nocallback keep_observer_metrics

#cgo noescape keep_go_beacon_new
#cgo nocallback keep_go_beacon_new
#cgo noescape keep_beacon_free
#cgo nocallback keep_beacon_free
#cgo noescape keep_beacon_beat
#cgo nocallback keep_beacon_beat
#cgo noescape keep_beacon_register
#cgo nocallback keep_beacon_register
#cgo noescape keep_beacon_goodbye
#cgo nocallback keep_beacon_goodbye
#cgo noescape keep_beacon_arm
#cgo nocallback keep_beacon_arm
#cgo noescape keep_beacon_crash
#cgo nocallback keep_beacon_crash
#cgo noescape keep_beacon_reconnect
#cgo nocallback keep_beacon_reconnect
#cgo noescape keep_beacon_restart
#cgo nocallback keep_beacon_restart
#cgo noescape keep_beacon_agent_key
#cgo nocallback keep_beacon_agent_key
#cgo noescape keep_beacon_prepare
#cgo nocallback keep_beacon_prepare
#cgo noescape keep_beacon_commit
#cgo nocallback keep_beacon_commit
*/
import "C"
