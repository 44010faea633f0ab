// SPDX-License-Identifier: MIT

package keep_test

import (
	"bytes"
	"math"
	"runtime"
	"sync"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

func packetPool(t *testing.T, options keep.PacketPoolOptions) *keep.PacketPool {
	t.Helper()
	return closing(t, must(keep.NewPacketPool(&options)))
}

func TestBuildSetAndData(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	pool := packetPool(t, keep.PacketPoolOptions{Capacity: 1, Settings: keep.PacketSettings{OriginHash: 1, HopTTL: 2}})
	packet := must(pool.Acquire())
	_, err := packet.Data()
	wantStatus(t, keep.ErrState, err)
	wantStatus(t, keep.OK, packet.Build(tx, of("one", "two")))
	opened := must(rx.Open(nil, must(packet.Data())))
	wantTexts(t, []string{"one", "two"}, opened.Events)
	if opened.Info.OriginHash != 1 || opened.Info.HopTTL != 2 {
		t.Fatalf("unexpected %+v", opened.Info)
	}
	wantStatus(t, keep.OK, packet.Set(&keep.PacketSettings{OriginHash: 3}))
	before := bytes.Clone(must(packet.Data()))
	wantStatus(t, keep.ErrPacketTooLarge, packet.Build(tx, of(string(make([]byte, keep.MaxEventLen+1)))))
	if !bytes.Equal(before, must(packet.Data())) {
		t.Fatal("a refused build has changed the packet")
	}
	wantStatus(t, keep.OK, packet.Build(tx, of("three")))
	if info := must(keep.PacketParse(must(packet.Data()))); info.OriginHash != 3 || info.Counter != 1 {
		t.Fatalf("unexpected %+v", info)
	}
	wantStatus(t, keep.OK, packet.Set(nil))
	wantStatus(t, keep.OK, packet.Build(nil, keep.Request{Kind: keep.PacketHandshake, Events: [][]byte{[]byte("hello")}}))
	if frame := must(keep.HandshakeFrame(nil, []byte("hello"))); !bytes.Equal(frame, must(packet.Data())) {
		t.Fatal("two handshake frames differ")
	}
	wantStatus(t, keep.ErrInvalidArgument, packet.Build(nil, of("abc")))
	wantStatus(t, keep.OK, packet.Close())

	again := closing(t, must(pool.Acquire()))
	wantStatus(t, keep.OK, again.Build(tx, of("four")))
	if info := must(keep.PacketParse(must(again.Data()))); info.OriginHash != 1 {
		t.Fatalf("unexpected %+v", info)
	}
}

// packet R26, R30, R31
func TestPacketPoolIsBounded(t *testing.T) {
	pool := must(keep.NewPacketPool(&keep.PacketPoolOptions{Capacity: 2}))
	first, second := must(pool.Acquire()), must(pool.Acquire())
	_, err := pool.Acquire()
	wantStatus(t, keep.ErrExhausted, err)
	wantStatus(t, keep.OK, first.Close())
	wantStatus(t, keep.OK, first.Close())
	stats := must(pool.Stats())
	if stats.Bytes == 0 || stats.Bytes > 2*8448+128<<10 {
		t.Fatalf("%d bytes", stats.Bytes)
	}
	stats.Bytes = 0
	if stats != (keep.PacketPoolStats{Capacity: 2, InUse: 1, Available: 1, Peak: 2, Refused: 1}) {
		t.Fatalf("unexpected %+v", stats)
	}
	wantStatus(t, keep.OK, pool.Close())
	tx, _ := sessions(t, keep.SessionOptions{})
	wantStatus(t, keep.OK, second.Build(tx, of("after its pool")))
	wantStatus(t, keep.OK, second.Close())
	for _, capacity := range []int{0, -1, keep.MaxPacketSlots + 1, math.MaxUint32 + 2} {
		_, err := keep.NewPacketPool(&keep.PacketPoolOptions{Capacity: capacity})
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	for _, defaults := range []*keep.PacketPoolOptions{nil, keep.NewPacketPoolOptions()} {
		if stats := must(closing(t, must(keep.NewPacketPool(defaults))).Stats()); stats.Capacity != keep.DefaultPacketSlots {
			t.Fatalf("unexpected %+v", stats)
		}
	}
}

// bindings R42, R43: calls on one packet wait for each other, and builds and closers in any order end
func TestGoroutinesShareAPacket(t *testing.T) {
	pool := packetPool(t, keep.PacketPoolOptions{Capacity: 8})
	for range rounds / 10 {
		tx, _ := sessions(t, keep.SessionOptions{})
		packet := must(pool.Acquire())
		var all sync.WaitGroup
		for range 4 {
			together(&all, func() {
				for err := error(nil); err == nil; {
					err = packet.Build(tx, of("abc"))
					if err != nil {
						wantStatus(t, keep.ErrClosed, err)
					}
				}
			})
		}
		together(&all, func() { wantStatus(t, keep.OK, packet.Close()) })
		together(&all, func() { wantStatus(t, keep.OK, tx.Close()) })
		all.Wait()
	}
	if stats := must(pool.Stats()); stats.InUse != 0 {
		t.Fatalf("%d packets in use", stats.InUse)
	}
}

// bindings T21
func TestForgottenPacketsAreClosed(t *testing.T) {
	pool := packetPool(t, keep.PacketPoolOptions{Capacity: 8})
	for range 8 {
		must(pool.Acquire())
	}
	waitFor(t, func() uint64 { return must(pool.Stats()).InUse })
	runtime.KeepAlive(pool)
}

// bindings 5, 7
func TestCallsOnClosedZeroAndNilPackets(t *testing.T) {
	tx, _ := sessions(t, keep.SessionOptions{})
	pool := must(keep.NewPacketPool(nil))
	packet := must(pool.Acquire())
	wantStatus(t, keep.OK, packet.Close())
	wantStatus(t, keep.OK, pool.Close())
	wantStatus(t, keep.OK, pool.Close())
	for _, c := range []struct {
		want   keep.Status
		packet *keep.Packet
		pool   *keep.PacketPool
	}{
		{keep.ErrClosed, packet, pool},
		{keep.ErrClosed, new(keep.Packet), new(keep.PacketPool)},
		{keep.ErrInvalidArgument, nil, nil},
	} {
		wantStatus(t, c.want, c.packet.Build(tx, of("abc")))
		wantStatus(t, c.want, c.packet.Build(nil, keep.Request{Kind: keep.PacketHandshake, Events: make([][]byte, 1)}))
		wantStatus(t, c.want, c.packet.Set(nil))
		_, err := c.packet.Data()
		wantStatus(t, c.want, err)
		_, err = c.pool.Acquire()
		wantStatus(t, c.want, err)
		_, err = c.pool.Stats()
		wantStatus(t, c.want, err)
	}
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Packet)(nil).Close())
	wantStatus(t, keep.ErrInvalidArgument, (*keep.PacketPool)(nil).Close())
}
