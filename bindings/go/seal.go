// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import "unsafe"

// Seal appends the datagram that the request makes to dst. The events are apart from the room behind dst.
func (s *Session) Seal(dst []byte, r Request) ([]byte, error) {
	h, err := s.enter()
	if err != nil {
		return dst, err
	}
	defer s.leave()
	return seal(h, dst, &r)
}

// Heartbeat appends a datagram that says nothing but that the sender is there.
func (s *Session) Heartbeat(dst []byte) ([]byte, error) {
	return s.Seal(dst, Request{Kind: PacketHeartbeat})
}

// seal seals with a session, or a handshake frame without one.
func seal(h *C.keep_session, dst []byte, r *Request) ([]byte, error) {
	if !isApart(dst, MaxPacketLen, r.events()) {
		return dst, ErrInvalidArgument
	}
	var end [1]uint32
	events, ends, copied := flatten(r.events(), &end)
	defer copied.drop()
	request := r.inC()
	data, n := bytesOf(events)
	return fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_seal_into(h, &request, data, n, endsOf(ends), out, size, &needed)
		return int(needed), Status(st)
	})
}

// isApart tells whether none of the items lies where dst grows, if by no more than so many bytes.
func isApart(dst []byte, most int, items [][]byte) bool {
	room := cut(spareOf(dst), most)
	for _, item := range items {
		if overlap(room, item) {
			return false
		}
	}
	return true
}

// SealedBatch is what became of the requests of a batch.
type SealedBatch struct {
	Data     []byte   // dst with the datagrams appended: number i is Data[Offsets[i]:Offsets[i+1]]
	Offsets  []int    // one more than requests
	Statuses []Status // one per request; of those that are not OK the datagram is empty
}

// SealBatch seals 1 to MaxBatch packets, as one after the other would: the refused have their status in the result, the
// others consecutive counters.
func (s *Session) SealBatch(dst []byte, requests []Request) (SealedBatch, error) {
	if len(requests) == 0 || len(requests) > MaxBatch {
		return SealedBatch{Data: dst}, ErrInvalidArgument
	}
	h, err := s.enter()
	if err != nil {
		return SealedBatch{Data: dst}, err
	}
	defer s.leave()
	all := newFlat()
	defer all.drop()
	if !all.addRequests(dst, requests) {
		return SealedBatch{Data: dst}, ErrInvalidArgument
	}
	return sealBatch(h, dst, all)
}

// addRequests adds requests and their events; false if an event lies where dst grows.
func (f *flat) addRequests(dst []byte, requests []Request) bool {
	for i := range requests {
		events := requests[i].events()
		if !isApart(dst, len(requests)*MaxPacketLen, events) {
			return false
		}
		f.requests = append(f.requests, requests[i].inC())
		f.addEvents(events)
	}
	return true
}

func sealBatch(h *C.keep_session, dst []byte, all *flat) (SealedBatch, error) {
	requests := all.requests
	batch := SealedBatch{Offsets: make([]int, len(requests)+1), Statuses: make([]Status, len(requests))}
	offsets := (*C.size_t)(unsafe.Pointer(unsafe.SliceData(batch.Offsets)))
	statuses := (*C.keep_status)(unsafe.Pointer(unsafe.SliceData(batch.Statuses)))
	data, n := bytesOf(all.data)
	var err error
	batch.Data, err = fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_seal_batch(h, unsafe.SliceData(requests), C.size_t(len(requests)), data, n, endsOf(all.ends),
			C.size_t(len(all.ends)), out, size, offsets, statuses, &needed)
		return int(needed), Status(st)
	})
	if err != nil {
		return SealedBatch{Data: dst}, err
	}
	for i := range batch.Offsets {
		batch.Offsets[i] += len(dst)
	}
	return batch, nil
}

// SealPacked is the fast form of a batch: event i is data[ends[i-1]:ends[i]], one per packet, its sequence firstSequence
// + i. It appends the datagrams to dst, apart from data, and fills sealedEnds and statuses: datagram i ends at
// sealedEnds[i] in the result and begins where the one before ends, the first at len(dst).
func (s *Session) SealPacked(dst, data []byte, ends []uint32, streamID, firstSequence uint64, flags PacketFlags,
	sealedEnds []uint32, statuses []uint8) ([]byte, error) {
	count := len(ends)
	if len(sealedEnds) < count || len(statuses) < count || !mayHold(len(dst)) ||
		!isApart(dst, count*MaxPacketLen, [][]byte{data}) {
		return dst, ErrInvalidArgument
	}
	h, err := s.enter()
	if err != nil {
		return dst, err
	}
	defer s.leave()
	first := C.keep_go_request{stream_id: C.uint64_t(streamID), sequence: C.uint64_t(firstSequence), event_count: 1,
		flags: C.uint8_t(flags)}
	bytes, n := bytesOf(data)
	sealed, err := fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_seal_packed(h, &first, bytes, n, endsOf(ends), C.size_t(count), out, size, endsOf(sealedEnds),
			(*C.uint8_t)(unsafe.SliceData(statuses)), &needed)
		return int(needed), Status(st)
	})
	if err == nil {
		shift(sealedEnds[:count], len(dst))
	}
	return sealed, err
}

// shift adds what stands before to offsets.
func shift(offsets []uint32, before int) {
	if before == 0 {
		return
	}
	for i := range offsets {
		offsets[i] += uint32(before)
	}
}
