// SPDX-License-Identifier: MIT

//go:build cgo

// Package keep holds secrets: in locked, guarded and wiped memory while they are in use, and sealed while they are idle;
// and it seals messages into datagrams. It is the Go face of libkeep; every method is one call of the C library, whose
// headers are the reference.
//
// A [Secret] is made by [GenerateSecret], [TakeSecret] or [Pool.Acquire] and is wiped by Close:
//
//	key, err := keep.GenerateSecret(nil, 32)
//	if err != nil {
//		return err
//	}
//	defer key.Close()
//	err = key.Read(func(data []byte) error { return use(data) })
//
// A nil *Pool is the default pool, everywhere. A [Sealed] secret lies encrypted in ordinary memory, in any number, and
// is opened into a new secret when it is needed.
//
// # Packets
//
// A [Session] seals events into datagrams and opens them again, each once; a [Handshake] makes one for two sides, and
// [NewSession] makes one of keys. Into a buffer with room neither way allocates:
//
//	out, err = session.Seal(out[:0], keep.Request{StreamID: 7, Events: [][]byte{event}})
//	opened, err := session.Open(room, datagram) // opened.Events lie in the room
//
// For many packets at once there are [Session.SealBatch] and [Session.OpenBatch], and without a slice for each event
// [Session.SealPacked] and [Session.OpenPacked]; to build now and send later there is a [PacketPool].
// # Trackers
//
// A [Beacon] says that its program is alive, an [Observer] hears it, and a [Tracker] knows who beat when. The program beats
// from the loop that is supervised, or lets [Beacon.Every] ask that loop:
//
//	go beacon.Every(ctx, time.Second, func() error { return server.Ping() })
//
// The other side learns from a channel who stalled, ended, crashed or came back:
//
//	for event := range observer.Events(ctx) {
//		log.Println(event.Kind, event.PID)
//	}
//
// # Errors
//
// A failed call returns a [Status], to be compared with [errors.Is]:
//
//	if errors.Is(err, keep.ErrLockLimit) { … } // raise RLIMIT_MEMLOCK
//
// Calls that touch the outside world return an [*Error], which wraps the status and says what the layer below said.
//
// # Lifetime
//
// Every method may be called from any goroutine. Close waits for the calls that run and ends the waits; a second Close
// does nothing; a call after it gives [ErrClosed], and so does the zero value. A nil handle or function gives
// [ErrInvalidArgument]. What is forgotten is closed when the garbage collector finds it, which may be late: close it.
//
// # What Go itself does
//
// The slices of [Secret.Read] and [Secret.Write] are the locked memory itself, not known to the collector: they must not
// be kept. Bytes that Go owns, such as the source of [SecretFromBytes] or the result of [Secret.Reveal], can be copied
// by the runtime and cannot be wiped with certainty. [TakeSecret] wipes its source.
//
// Go programs do not fork without exec; in a child made otherwise every inherited handle is [ErrForked].
package keep
