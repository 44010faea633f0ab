// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"math"
	"sync"
	"unsafe"
)

// flat is events or datagrams as they cross to C, where no table of Go's pointers may: back to back, with the end of
// each. One alone stays where it is; several are copied together, and the copy is wiped by drop.
type flat struct {
	data []byte
	ends []uint32
	copy *flatCopy // nil: nothing was copied
}

// flatCopy is memory for copies, which is used again.
type flatCopy struct {
	data     []byte
	ends     []uint32
	requests []C.keep_go_request
}

var flatCopies = sync.Pool{New: func() any { return new(flatCopy) }}

// mostEventLen is more than an event or a handshake message may have.
const mostEventLen = MaxPayloadLen + 1

// maxKept is how much memory a copy may have to be kept.
const maxKept = 1 << 20

// flatEvents lays a packet's events out. The caller has the room for the end of an event that is alone.
func flatEvents(events [][]byte, end *[1]uint32) flat {
	if len(events) == 1 {
		event := cut(events[0], mostEventLen)
		end[0] = uint32(len(event))
		return flat{data: event, ends: end[:]}
	}
	if len(events) == 0 {
		return flat{}
	}
	c := flatCopies.Get().(*flatCopy)
	c.addEvents(events)
	return c.flat()
}

// addEvents adds the events of one packet. What is too long, or too many, is refused by C: of that enough is added to be
// too much, and no more.
func (c *flatCopy) addEvents(events [][]byte) {
	for room := MaxPayloadLen; len(events) > 0; events = events[1:] {
		event := cut(events[0], mostEventLen)
		if room < 0 {
			event = nil
		}
		room -= len(event)
		c.add(event)
	}
}

func (c *flatCopy) add(item []byte) {
	c.data = append(c.data, item...)
	c.ends = append(c.ends, uint32(len(c.data)))
}

func (c *flatCopy) flat() flat {
	return flat{data: c.data, ends: c.ends, copy: c}
}

// drop wipes the copy.
func (f *flat) drop() {
	c := f.copy
	if c == nil {
		return
	}
	clear(f.data)
	c.data, c.ends, c.requests = f.data[:0], f.ends[:0], c.requests[:0]
	if cap(c.data) <= maxKept && cap(c.ends) <= maxKept {
		flatCopies.Put(c)
	}
}

// endsOf gives a table of ends as C takes it.
func endsOf(ends []uint32) *C.uint32_t {
	return (*C.uint32_t)(unsafe.SliceData(ends))
}

// cut gives at most so many items.
func cut[T any](items []T, most int) []T {
	return items[:min(len(items), most)]
}

// mayHold tells whether offsets in so many bytes fit into 32 bits, with those of a whole batch behind them.
func mayHold(n int) bool {
	return n <= math.MaxUint32-MaxBatch*MaxPacketLen
}
