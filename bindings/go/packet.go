// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Lengths and limits of packets.
const (
	PacketHeaderLen   = C.KEEP_PACKET_HEADER_LEN
	PacketTagLen      = C.KEEP_PACKET_TAG_LEN
	PacketOverheadLen = C.KEEP_PACKET_OVERHEAD_LEN // what a packet without events is long
	MaxPacketLen      = C.KEEP_MAX_PACKET_LEN
	MaxPayloadLen     = C.KEEP_MAX_PAYLOAD_LEN // events with four bytes for each
	MaxEventLen       = C.KEEP_MAX_EVENT_LEN
	MaxPacketEvents   = C.KEEP_MAX_PACKET_EVENTS
)

// PacketKind says what a packet carries.
type PacketKind uint8

// The kinds of packets.
const (
	PacketData      PacketKind = C.KEEP_PACKET_DATA
	PacketHeartbeat PacketKind = C.KEEP_PACKET_HEARTBEAT // no events, flags, stream, sequence or subprotocol
	PacketHandshake PacketKind = C.KEEP_PACKET_HANDSHAKE // one event in the clear, without a session
)

// String gives "data", "heartbeat" or "handshake".
func (k PacketKind) String() string {
	switch k {
	case PacketData:
		return "data"
	case PacketHeartbeat:
		return "heartbeat"
	case PacketHandshake:
		return "handshake"
	}
	return fmt.Sprintf("PacketKind(%d)", uint8(k))
}

// PacketFlags are flags of a data packet. Bits 6 and 7 are carried too; 4 and 5 are the library's.
type PacketFlags uint8

// The flags of a packet.
const (
	PacketReliable PacketFlags = C.KEEP_PACKET_RELIABLE
	PacketNack     PacketFlags = C.KEEP_PACKET_NACK
	PacketPriority PacketFlags = C.KEEP_PACKET_PRIORITY
	PacketFin      PacketFlags = C.KEEP_PACKET_FIN
)

// PacketSettings are header fields that a sender seldom changes.
type PacketSettings struct {
	OriginHash       uint64
	SubnetID         uint32
	ChannelHash      uint16
	Priority, HopTTL uint8
}

func (s PacketSettings) inC() C.keep_packet_settings {
	return C.keep_packet_settings{
		origin_hash:  C.uint64_t(s.OriginHash),
		subnet_id:    C.uint32_t(s.SubnetID),
		channel_hash: C.uint16_t(s.ChannelHash),
		priority:     C.uint8_t(s.Priority),
		hop_ttl:      C.uint8_t(s.HopTTL),
	}
}

// Request is one packet to seal.
type Request struct {
	Events             [][]byte
	StreamID, Sequence uint64
	Settings           *PacketSettings // nil: zeros; for Packet.Build the packet's own
	SubprotocolID      uint16          // 0: plain events
	Kind               PacketKind
	Flags              PacketFlags
}

// inC gives the request without its events.
func (r *Request) inC() C.keep_go_request {
	c := C.keep_go_request{
		stream_id:      C.uint64_t(r.StreamID),
		sequence:       C.uint64_t(r.Sequence),
		event_count:    C.uint32_t(len(r.events())),
		subprotocol_id: C.uint16_t(r.SubprotocolID),
		kind:           C.uint8_t(r.Kind),
		flags:          C.uint8_t(r.Flags),
	}
	if r.Settings != nil {
		c.settings, c.has_settings = r.Settings.inC(), true
	}
	return c
}

// events gives no more events than C needs to see in order to refuse them.
func (r *Request) events() [][]byte {
	return cut(r.Events, MaxPacketEvents+1)
}

// PacketInfo is a header as it was read.
type PacketInfo struct {
	Counter, SessionID, StreamID, Sequence, OriginHash uint64
	SubnetID                                           uint32
	SubprotocolID, ChannelHash                         uint16
	FragmentID, FragmentOffset                         uint16
	PayloadLen, EventCount                             int
	Kind                                               PacketKind
	Flags                                              PacketFlags
	Priority, HopTTL, HopCount, FragFlags              uint8
}

func packetInfo(c *C.keep_packet_info) PacketInfo {
	return PacketInfo{
		Counter:        uint64(c.counter),
		SessionID:      uint64(c.session_id),
		StreamID:       uint64(c.stream_id),
		Sequence:       uint64(c.sequence),
		OriginHash:     uint64(c.origin_hash),
		SubnetID:       uint32(c.subnet_id),
		SubprotocolID:  uint16(c.subprotocol_id),
		ChannelHash:    uint16(c.channel_hash),
		FragmentID:     uint16(c.fragment_id),
		FragmentOffset: uint16(c.fragment_offset),
		PayloadLen:     int(c.payload_len),
		EventCount:     int(c.event_count),
		Kind:           PacketKind(c.kind),
		Flags:          PacketFlags(c.flags),
		Priority:       uint8(c.priority),
		HopTTL:         uint8(c.hop_ttl),
		HopCount:       uint8(c.hop_count),
		FragFlags:      uint8(c.frag_flags),
	}
}

// PacketParse reads the header of a datagram, without a session: nobody has authenticated it.
func PacketParse(datagram []byte) (PacketInfo, error) {
	var c C.keep_packet_info
	bytes, n := bytesOf(datagram)
	if st := C.keep_go_packet_parse(bytes, n, &c); st != C.KEEP_OK {
		return PacketInfo{}, Status(st)
	}
	return packetInfo(&c), nil
}

// PacketMeasure gives the length of the datagram that events make. ErrPacketTooLarge, ErrPacketTooManyEvents: split them.
func PacketMeasure(events [][]byte) (int, error) {
	events = cut(events, MaxPacketEvents+1)
	var lens [MaxPacketEvents + 1]C.uint32_t
	for i, event := range events {
		lens[i] = C.uint32_t(len(cut(event, mostEventLen)))
	}
	var n C.size_t
	st := C.keep_go_packet_measure(unsafe.SliceData(lens[:]), C.size_t(len(events)), &n)
	return int(n), statusError(st)
}

// PacketMaxEvents tells how many events of one length fit into a packet; 0 if no event has that length.
func PacketMaxEvents(eventLen int) int {
	return int(C.keep_packet_max_events(C.size_t(eventLen)))
}

// HandshakeFrame appends a datagram with a message of [Handshake.Write] to dst, in the clear.
func HandshakeFrame(dst, message []byte) ([]byte, error) {
	return seal(nil, dst, &Request{Kind: PacketHandshake, Events: [][]byte{message}})
}
