// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"fmt"
	"io"
)

// SessionOptions say how a session is made. At least one key is needed, of 32 bytes; the two differ. For
// [Handshake.Session], which has keys and id, only the last four are used.
type SessionOptions struct {
	TxKey, RxKey   *Secret // nil: the session only opens, or only seals
	SessionID      uint64
	FirstCounter   uint64 // above all that TxKey was ever used with
	MaxFailedOpens uint64 // forged packets after which nothing is opened any more; 0: 2^36, which is also the maximum
	Window         int    // how far packets may overtake each other: a power of two, 1024 to 65536; 0: 1024
	AEAD           AEAD
	Pool           *Pool // gives the key slots
}

// NewSessionOptions returns the defaults.
func NewSessionOptions() *SessionOptions {
	return new(SessionOptions)
}

// guards are those of the handles in the options.
func (o *SessionOptions) guards() []*guard {
	if o == nil {
		return nil
	}
	return []*guard{o.TxKey.guarded(), o.RxKey.guarded(), o.Pool.guarded()}
}

// inC gives the options as C reads them, NULL for nil, during a call that enterAll began.
func (o *SessionOptions) inC() (c *C.keep_session_options, err error) {
	if o == nil {
		return nil, nil
	}
	fits := true
	c = &C.keep_session_options{
		size:             C.sizeof_keep_session_options,
		tx_key:           o.TxKey.lend(&err),
		rx_key:           o.RxKey.lend(&err),
		session_id:       C.uint64_t(o.SessionID),
		first_counter:    C.uint64_t(o.FirstCounter),
		max_failed_opens: C.uint64_t(o.MaxFailedOpens),
		window:           narrow(o.Window, &fits),
		aead:             C.uint32_t(o.AEAD),
		pool:             o.Pool.lend(&err),
	}
	if !fits {
		err = ErrInvalidArgument
	}
	return c, err
}

// SessionStats is how far a session is.
type SessionStats struct {
	NextCounter    uint64 // of the next packet; 2^64 - 1: spent
	Opened         uint64 // packets, with heartbeats
	AuthFailed     uint64 // forged ones
	Replayed       uint64
	Malformed      uint64 // authentic, but their frames are wrong: the peer is at fault
	HighestCounter uint64 // opened so far
	HasHighest     bool   // there is one
	Confirmed      bool   // the peer has shown that it has the keys; see Handshake.Session
}

// Session is two keys, one counter and one replay window: it never uses a nonce twice, and opens no packet twice. Printed,
// it shows how far it is.
type Session struct {
	opaque
	handle[*C.keep_session]
}

// NewSession makes a session from keys, which may be closed then. ErrState: a live session of this process seals with the
// same key.
func NewSession(options *SessionOptions) (*Session, error) {
	defer enterAll(options.guards()...)()
	c, err := options.inC()
	if err != nil {
		return nil, err
	}
	var out *C.keep_session
	st := C.keep_session_new(c, &out)
	return newSession(out, st)
}

func newSession(h *C.keep_session, st C.keep_status) (*Session, error) {
	if st != C.KEEP_OK {
		return nil, Status(st)
	}
	s := new(Session)
	s.adopt(h, freeSession)
	return s, nil
}

func freeSession(h *C.keep_session) Status {
	C.keep_session_free(&h)
	return OK
}

func (s *Session) enter() (*C.keep_session, error) {
	if s == nil {
		return nil, ErrInvalidArgument
	}
	return s.handle.enter()
}

// Close wipes the keys and frees the session. It returns nil.
func (s *Session) Close() error {
	if s == nil {
		return ErrInvalidArgument
	}
	return s.close()
}

// Stats tells how far the session is.
func (s *Session) Stats() (SessionStats, error) {
	h, err := s.enter()
	if err != nil {
		return SessionStats{}, err
	}
	defer s.leave()
	c := C.struct_keep_session_stats{size: C.sizeof_struct_keep_session_stats}
	if st := C.keep_session_stats(h, &c); st != C.KEEP_OK {
		return SessionStats{}, Status(st)
	}
	return SessionStats{
		NextCounter:    uint64(c.next_counter),
		Opened:         uint64(c.opened),
		AuthFailed:     uint64(c.auth_failed),
		Replayed:       uint64(c.replayed),
		Malformed:      uint64(c.malformed),
		HighestCounter: uint64(c.highest_counter),
		HasHighest:     c.has_highest == 1,
		Confirmed:      c.confirmed == 1,
	}, nil
}

// String shows type and state, never a byte of a key.
func (s *Session) String() string {
	stats, err := s.Stats()
	if err != nil {
		return fmt.Sprintf("keep.Session(%v)", err)
	}
	state := ", unconfirmed"
	if stats.Confirmed {
		state = ""
	}
	return fmt.Sprintf("keep.Session(next %d, opened %d%s)", stats.NextCounter, stats.Opened, state)
}

// GoString is String.
func (s *Session) GoString() string {
	return s.String()
}

// Format writes String, whatever the verb.
func (s *Session) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String())
}
