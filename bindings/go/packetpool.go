// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import "unsafe"

// Limits of packet pools.
const (
	MaxPacketSlots     = C.KEEP_MAX_PACKET_SLOTS     // packets of a pool
	MaxPacketPools     = C.KEEP_MAX_PACKET_POOLS     // live pools of the process
	DefaultPacketSlots = C.KEEP_DEFAULT_PACKET_SLOTS // packets of a pool made without options
)

// PacketPoolOptions say how a packet pool is made; nil means the defaults.
type PacketPoolOptions struct {
	Capacity int            // 1 to MaxPacketSlots packets
	Settings PacketSettings // what every acquired packet begins with
}

// NewPacketPoolOptions returns the defaults.
func NewPacketPoolOptions() *PacketPoolOptions {
	return &PacketPoolOptions{Capacity: DefaultPacketSlots}
}

// PacketPoolStats is how full a packet pool is.
type PacketPoolStats struct {
	Capacity         uint64
	InUse, Available uint64 // together the capacity
	Peak             uint64 // the most in use that Stats or a refused Acquire saw
	Refused          uint64 // acquires that found none
	Bytes            uint64 // all memory of the pool
}

// PacketPool is buffers of one maximal packet each, mapped at once, to build in now and send later.
type PacketPool struct {
	handle[*C.keep_packet_pool]
}

// NewPacketPool makes a pool, with all its memory.
func NewPacketPool(options *PacketPoolOptions) (*PacketPool, error) {
	if options == nil {
		options = NewPacketPoolOptions()
	}
	fits := true
	c := C.keep_packet_pool_options{
		size:     C.sizeof_keep_packet_pool_options,
		capacity: narrow(options.Capacity, &fits),
		settings: options.Settings.inC(),
	}
	if !fits {
		return nil, ErrInvalidArgument
	}
	var out *C.keep_packet_pool
	if st := C.keep_packet_pool_new(&c, &out); st != C.KEEP_OK {
		return nil, Status(st)
	}
	p := new(PacketPool)
	p.adopt(out, freePacketPool)
	return p, nil
}

func freePacketPool(h *C.keep_packet_pool) Status {
	C.keep_packet_pool_free(&h)
	return OK
}

func (p *PacketPool) enter() (*C.keep_packet_pool, error) {
	if p == nil {
		return nil, ErrInvalidArgument
	}
	return p.handle.enter()
}

// Close frees the pool. Its packets keep working. It returns nil.
func (p *PacketPool) Close() error {
	if p == nil {
		return ErrInvalidArgument
	}
	return p.close()
}

// Acquire acquires an empty packet with the pool's settings. It never waits: ErrExhausted if all packets are in callers'
// hands.
func (p *PacketPool) Acquire() (*Packet, error) {
	h, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer p.leave()
	var out *C.keep_packet
	if st := C.keep_packet_pool_acquire(h, &out); st != C.KEEP_OK {
		return nil, Status(st)
	}
	packet := new(Packet)
	packet.adopt(out, freePacket)
	return packet, nil
}

// Stats tells how full the pool is.
func (p *PacketPool) Stats() (PacketPoolStats, error) {
	h, err := p.enter()
	if err != nil {
		return PacketPoolStats{}, err
	}
	defer p.leave()
	c := C.struct_keep_packet_pool_stats{size: C.sizeof_struct_keep_packet_pool_stats}
	if st := C.keep_packet_pool_stats(h, &c); st != C.KEEP_OK {
		return PacketPoolStats{}, Status(st)
	}
	return PacketPoolStats{
		Capacity:  uint64(c.capacity),
		InUse:     uint64(c.in_use),
		Available: uint64(c.available),
		Peak:      uint64(c.peak),
		Refused:   uint64(c.refused),
		Bytes:     uint64(c.bytes),
	}, nil
}

// Packet is a buffer of a packet pool. One call at a time runs on it, others wait.
type Packet struct {
	alone[*C.keep_packet]
}

func freePacket(h *C.keep_packet) Status {
	return Status(C.keep_packet_free(&h))
}

func (p *Packet) enter() (*C.keep_packet, error) {
	if p == nil {
		return nil, ErrInvalidArgument
	}
	return p.alone.enter()
}

// Close gives the packet back to its pool.
func (p *Packet) Close() error {
	if p == nil {
		return ErrInvalidArgument
	}
	return p.close()
}

// Set changes the settings of the next builds; nil: the pool's again.
func (p *Packet) Set(settings *PacketSettings) error {
	h, err := p.enter()
	if err != nil {
		return err
	}
	defer p.leave()
	if settings == nil {
		return statusError(C.keep_packet_set(h, nil))
	}
	c := settings.inC()
	return statusError(C.keep_packet_set(h, &c))
}

// Build seals into the packet, in place of what was built before. A refused build leaves it as it was. The session is nil
// only for a handshake frame.
func (p *Packet) Build(session *Session, r Request) error {
	if session == nil {
		h, err := p.enter()
		if err != nil {
			return err
		}
		defer p.leave()
		return build(h, nil, &r)
	}
	if p == nil {
		return ErrInvalidArgument
	}
	h, sealer, err := enterBoth(&p.handle, &session.handle)
	if err != nil {
		return err
	}
	defer leaveBoth(&p.handle, &session.handle)
	return build(h, sealer, &r)
}

func build(h *C.keep_packet, session *C.keep_session, r *Request) error {
	var end [1]uint32
	events, ends, copied := flatten(r.events(), &end)
	defer copied.drop()
	request := r.inC()
	data, n := bytesOf(events)
	return statusError(C.keep_go_packet_build(h, session, &request, data, n, endsOf(ends)))
}

// Data gives the datagram in place, until the next Build or Close: it lies in the pool's memory, which the collector does
// not know, so the packet must be kept as long. ErrState: nothing was built yet.
func (p *Packet) Data() ([]byte, error) {
	h, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer p.leave()
	built := C.keep_go_packet_data(h)
	if built.status != C.KEEP_OK {
		return nil, Status(built.status)
	}
	return unsafe.Slice((*byte)(built.data), int(built.len)), nil
}
