// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"slices"
	"sync"
	"unsafe"
)

// Opened is what became of a datagram. If a batch refused it, Status says why, and all else is empty.
type Opened struct {
	Status  Status
	Info    PacketInfo
	Payload []byte   // the plaintext behind dst: each event after its length
	Events  [][]byte // pieces of Payload
}

// opened gives what C says of a datagram whose plaintext is in data; the events are appended to table.
func opened(c *C.keep_packet_opened, data []byte, spans []Span, table [][]byte) Opened {
	o := Opened{Status: Status(c.status), Info: packetInfo(&c.info), Events: slices.Grow(table, int(c.event_count))}
	o.Payload = Span{uint32(c.payload.offset), uint32(c.payload.len)}.of(data)
	for _, span := range spans[c.first_event:][:c.event_count] {
		o.Events = append(o.Events, span.of(data))
	}
	return o
}

// Span is a piece of a buffer.
type Span struct {
	Offset, Len uint32
}

func (s Span) of(data []byte) []byte {
	return data[s.Offset:][:s.Len:s.Len]
}

// spansOf gives the room for spans behind a table as C takes it. The types are the same.
func spansOf(spans []Span) (*C.keep_span, C.size_t) {
	return (*C.keep_span)(unsafe.Pointer(unsafe.SliceData(spans))), C.size_t(len(spans))
}

// fewEvents is how many events a packet may have that is opened without memory for a table of them.
const fewEvents = 4

// spanTables are for packets with more events.
var spanTables = sync.Pool{New: func() any { return new([MaxPacketEvents]Span) }}

// Open opens one datagram. The plaintext goes behind dst, into new memory if there is no room for it, and the events are
// slices of it. The room is apart from the datagram, or begins where the ciphertext does: Open(d[68:68], d) opens d in
// place.
func (s *Session) Open(dst, datagram []byte) (Opened, error) {
	return s.open(dst, datagram, make([][]byte, 0, fewEvents)) // inlined: the table is the caller's
}

func (s *Session) open(dst, datagram []byte, table [][]byte) (Opened, error) {
	h, err := s.enter()
	if err != nil {
		return Opened{}, err
	}
	defer s.leave()
	var few [fewEvents]Span
	room := cut(spareOf(dst), len(datagram)) // no plaintext is longer
	o, need, st := openInto(h, datagram, room, few[:], table)
	if st != ErrBufferTooSmall {
		return o, st.failure()
	}
	if int(need.data_len) > len(room) {
		room = make([]byte, need.data_len)
	}
	spans := spanTables.Get().(*[MaxPacketEvents]Span)
	defer spanTables.Put(spans)
	o, _, st = openInto(h, datagram, room, spans[:], table)
	return o, st.failure()
}

func openInto(h *C.keep_session, datagram, room []byte, spans []Span, table [][]byte) (Opened, C.keep_go_room, Status) {
	var packet C.keep_packet_opened
	var need C.keep_go_room
	bytes, n := bytesOf(datagram)
	data, size := bytesOf(room)
	pieces, most := spansOf(spans)
	st := Status(C.keep_go_open_into(h, bytes, n, data, size, pieces, most, &packet, &need))
	if st != OK {
		return Opened{Status: st}, need, st
	}
	return opened(&packet, room, spans, table), need, OK
}

// OpenBatch opens 1 to MaxBatch datagrams, as one after the other would. The plaintexts go behind dst, as those of
// [Session.Open] do, but never in place.
func (s *Session) OpenBatch(dst []byte, datagrams [][]byte) ([]Opened, error) {
	if len(datagrams) == 0 || len(datagrams) > MaxBatch || !isApart(dst, len(datagrams)*MaxPayloadLen, datagrams) {
		return nil, ErrInvalidArgument
	}
	h, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave()
	all := newFlat()
	defer all.drop()
	for _, datagram := range datagrams {
		all.add(cut(datagram, MaxPacketLen+1)) // of what is too long, so much is
	}
	packets := make([]C.keep_packet_opened, len(datagrams))
	data, spans, err := openAll(dst, make([]Span, 0, len(datagrams)), all.data, func(r rooms) (C.keep_go_room, Status) {
		var need C.keep_go_room
		bytes, n := bytesOf(all.data)
		st := C.keep_go_open_batch(h, bytes, n, endsOf(all.ends), C.size_t(len(packets)), r.data, r.cap, r.spans,
			r.spanCap, unsafe.SliceData(packets), &need)
		return need, Status(st)
	})
	if err != nil {
		return nil, err
	}
	return openedAll(packets, data[len(dst):], spans), nil
}

// openedAll gives what C says of a batch. The events of all share a table.
func openedAll(packets []C.keep_packet_opened, data []byte, spans []Span) []Opened {
	all, table := make([]Opened, len(packets)), make([][]byte, 0, len(spans))
	for i := range packets {
		all[i] = opened(&packets[i], data, spans, table[len(table):])
		table = table[:len(table)+len(all[i].Events)]
	}
	return all
}

// OpenPacked is the fast form of a batch: datagram i is data[ends[i-1]:ends[i]]. It appends the plaintexts to dst, apart
// from data, and a span for each event to spans; their offsets are those in the result. It fills packetEnds and statuses:
// the events of datagram i end at packetEnds[i] in the spans.
func (s *Session) OpenPacked(dst, data []byte, ends []uint32, spans []Span, packetEnds []uint32, statuses []uint8) ([]byte,
	[]Span, error) {
	count := len(ends)
	if len(packetEnds) < count || len(statuses) < count || !mayHold(len(dst)) || !mayHold(len(spans)) {
		return dst, spans, ErrInvalidArgument
	}
	h, err := s.enter()
	if err != nil {
		return dst, spans, err
	}
	defer s.leave()
	bytes, n := bytesOf(data)
	plain, found, err := openAll(dst, spans, data, func(r rooms) (C.keep_go_room, Status) {
		var need C.keep_go_room
		st := C.keep_go_open_packed(h, bytes, n, endsOf(ends), C.size_t(count), r.data, r.cap, r.spans, r.spanCap,
			endsOf(packetEnds), (*C.uint8_t)(unsafe.SliceData(statuses)), &need)
		return need, Status(st)
	})
	if err != nil {
		return dst, spans, err
	}
	shift(packetEnds[:count], len(spans))
	for i := range found[len(spans):] {
		found[len(spans)+i].Offset += uint32(len(dst))
	}
	return plain, found, nil
}

// rooms is where a batch is opened to, as C takes it.
type rooms struct {
	data    *C.uint8_t
	cap     C.size_t
	spans   *C.keep_span
	spanCap C.size_t
}

func roomsOf(data []byte, spans []Span) (r rooms) {
	r.data, r.cap = bytesOf(data)
	r.spans, r.spanCap = spansOf(spans)
	return r
}

// openAll appends to dst and spans what open opens of data. If open says that it needs more room, it runs again.
func openAll(dst []byte, spans []Span, data []byte, open func(rooms) (C.keep_go_room, Status)) ([]byte, []Span, error) {
	plain, found := dst, spans
	need, st := open(roomsOf(cut(spareOf(plain), len(data)), spareOf(found))) // no plaintext is longer
	if st == ErrBufferTooSmall {
		plain, found = slices.Grow(dst, int(need.data_len)), slices.Grow(spans, int(need.event_count))
		need, st = open(roomsOf(spareOf(plain), spareOf(found)))
	}
	if st != OK {
		return dst, spans, st
	}
	return plain[:len(dst)+int(need.data_len)], found[:len(spans)+int(need.event_count)], nil
}
