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

#cgo noescape keep_session_new
#cgo nocallback keep_session_new
#cgo noescape keep_session_free
#cgo nocallback keep_session_free
#cgo noescape keep_session_stats
#cgo nocallback keep_session_stats
#cgo noescape keep_go_seal_into
#cgo nocallback keep_go_seal_into
#cgo noescape keep_go_seal_batch
#cgo nocallback keep_go_seal_batch
#cgo noescape keep_go_seal_packed
#cgo nocallback keep_go_seal_packed
#cgo noescape keep_go_open_into
#cgo nocallback keep_go_open_into
#cgo noescape keep_go_open_batch
#cgo nocallback keep_go_open_batch
#cgo noescape keep_go_open_packed
#cgo nocallback keep_go_open_packed
#cgo noescape keep_go_packet_parse
#cgo nocallback keep_go_packet_parse
#cgo noescape keep_go_packet_measure
#cgo nocallback keep_go_packet_measure
#cgo noescape keep_packet_max_events
#cgo nocallback keep_packet_max_events

#cgo noescape keep_packet_pool_new
#cgo nocallback keep_packet_pool_new
#cgo noescape keep_packet_pool_free
#cgo nocallback keep_packet_pool_free
#cgo noescape keep_packet_pool_acquire
#cgo nocallback keep_packet_pool_acquire
#cgo noescape keep_packet_pool_stats
#cgo nocallback keep_packet_pool_stats
#cgo noescape keep_packet_free
#cgo nocallback keep_packet_free
#cgo noescape keep_packet_set
#cgo nocallback keep_packet_set
#cgo noescape keep_go_packet_build
#cgo nocallback keep_go_packet_build
#cgo noescape keep_go_packet_data
#cgo nocallback keep_go_packet_data

#cgo noescape keep_go_handshake_new
#cgo nocallback keep_go_handshake_new
#cgo noescape keep_handshake_free
#cgo nocallback keep_handshake_free
#cgo noescape keep_go_handshake_write
#cgo nocallback keep_go_handshake_write
#cgo noescape keep_go_handshake_read
#cgo nocallback keep_go_handshake_read
#cgo noescape keep_handshake_info
#cgo nocallback keep_handshake_info
#cgo noescape keep_handshake_session
#cgo nocallback keep_handshake_session
#cgo noescape keep_handshake_public_key
#cgo nocallback keep_handshake_public_key
#cgo noescape keep_aead_report
#cgo nocallback keep_aead_report
*/
import "C"
