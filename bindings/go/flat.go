// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"math"
	"sync"
	"unsafe"
)

// flat is events or datagrams as they cross to C, where no table of Go's pointers may: copied, back to back, with the end
// of each. The memory is used again, wiped.
type flat struct {
	data     []byte
	ends     []uint32
	requests []C.keep_go_request // those that the events belong to
}

var flats = sync.Pool{New: func() any { return new(flat) }}

// mostEventLen is more than an event or a handshake message may have.
const mostEventLen = MaxPayloadLen + 1

// maxKept is how much memory may have to be kept.
const maxKept = 1 << 20

// newFlat gives an empty one; drop gives it back.
func newFlat() *flat {
	return flats.Get().(*flat)
}

func (f *flat) drop() {
	if f == nil {
		return
	}
	clear(f.data)
	f.data, f.ends, f.requests = f.data[:0], f.ends[:0], f.requests[:0]
	if cap(f.data) <= maxKept && cap(f.ends) <= maxKept {
		flats.Put(f)
	}
}

// flatten lays a packet's events back to back. One alone stays where it is, and its end is written to the caller's
// memory; several are copied to what is to be dropped.
func flatten(events [][]byte, end *[1]uint32) (data []byte, ends []uint32, copied *flat) {
	switch len(events) {
	case 0:
		return nil, nil, nil
	case 1:
		event := cut(events[0], mostEventLen)
		end[0] = uint32(len(event))
		return event, end[:], nil
	}
	copied = newFlat()
	copied.addEvents(events)
	return copied.data, copied.ends, copied
}

// addEvents adds the events of one packet. What is too long, or too many, C refuses: of that enough is added to be too
// much, and no more.
func (f *flat) addEvents(events [][]byte) {
	room := MaxPayloadLen
	for _, event := range events {
		event = cut(event, mostEventLen)
		if room < 0 {
			event = nil
		}
		room -= len(event)
		f.add(event)
	}
}

func (f *flat) add(item []byte) {
	f.data = append(f.data, item...)
	f.ends = append(f.ends, uint32(len(f.data)))
}

// endsOf gives a table of ends as C takes it.
func endsOf(ends []uint32) *C.uint32_t {
	return (*C.uint32_t)(unsafe.SliceData(ends))
}

// cut gives at most so many items.
func cut[T any](items []T, most int) []T {
	return items[:min(len(items), most)]
}

// mayHold tells whether 32 bits hold offsets behind so many bytes or spans, with those of a whole batch.
func mayHold(n int) bool {
	return n <= math.MaxUint32-MaxBatch*MaxPacketLen
}
