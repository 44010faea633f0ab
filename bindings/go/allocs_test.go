// SPDX-License-Identifier: MIT

//go:build !race && !keep_gcstress

package keep_test

import (
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// bindings 6, T19: what is called often does not touch Go's heap
func TestHotCallsDoNotAllocate(t *testing.T) {
	secret, other := secretOf(t, "secret"), secretOf(t, "secret")
	sealed := closing(t, must(keep.NewSealed(nil, []byte("secret"), 0)))
	closed := must(keep.GenerateSecret(nil, 1))
	wantStatus(t, keep.OK, closed.Close())
	data, room := []byte("secret"), make([]byte, 0, 64)
	seen := 0
	for name, call := range map[string]func() error{
		"Put":        func() error { return secret.Put(0, data) },
		"Get":        func() error { _, err := secret.Get(room, 0, 6); return err },
		"Reveal":     func() error { _, err := secret.Reveal(room); return err },
		"Info":       func() error { _, err := secret.Info(); return err },
		"Equal":      func() error { _, err := secret.Equal(other); return err },
		"EqualBytes": func() error { _, err := secret.EqualBytes(data); return err },
		"Freeze":     func() error { return secret.Freeze() },
		"Melt":       func() error { return secret.Melt() },
		"Read":       func() error { return secret.Read(func(b []byte) error { seen += len(b); return nil }) },
		"Write":      func() error { return secret.Write(func(b []byte) error { b[0]++; return nil }) },
		"OpenInto":   func() error { return sealed.OpenInto(other) },
		"Randomize":  func() error { return secret.Randomize() },
	} {
		wantAllocs(t, name, 0, call)
		wantStatus(t, keep.OK, secret.Melt())
	}
	if n := testing.AllocsPerRun(100, func() { wantStatus(t, keep.ErrClosed, closed.Freeze()) }); n > 1 {
		t.Errorf("a failure allocates %v times", n)
	}
}

// wantAllocs fails the test unless the call succeeds, or not in this state, and allocates at most so often.
func wantAllocs(t *testing.T, name string, most float64, call func() error) {
	t.Helper()
	if n := testing.AllocsPerRun(100, func() {
		if err := call(); err != nil && err != keep.ErrState {
			t.Errorf("%s: %v", name, err)
		}
	}); n > most {
		t.Errorf("%s allocates %v times", name, n)
	}
}

// bindings 6, packet T13
func TestHotCallsOnPacketsDoNotAllocate(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{Window: 65536})
	packet := closing(t, must(packetPool(t, keep.PacketPoolOptions{Capacity: 1}).Acquire()))
	datagram := make([]byte, 0, keep.MaxPacketLen)
	sealed := must(tx.Seal(nil, of("abc")))
	inside, one, several := datagram[keep.PacketHeaderLen:keep.PacketHeaderLen], of("one"), of("one", "two", "three", "four")
	many := keep.Request{Events: make([][]byte, keep.MaxPacketEvents)}
	for name, call := range map[string]func() error{
		"Seal":      func() error { _, err := tx.Seal(datagram, one); return err },
		"Heartbeat": func() error { _, err := tx.Heartbeat(datagram); return err },
		"Build":     func() error { return packet.Build(tx, several) },
		"Data":      func() error { _, err := packet.Data(); return err },
		"Stats":     func() error { _, err := tx.Stats(); return err },
		"Parse":     func() error { _, err := keep.PacketParse(sealed); return err },
		"Measure":   func() error { _, err := keep.PacketMeasure(many.Events); return err },
		"Open": func() error {
			sealed, err := tx.Seal(datagram, several)
			if err == nil {
				_, err = rx.Open(inside, sealed)
			}
			return err
		},
	} {
		wantAllocs(t, name, 0, call)
	}
	wantAllocs(t, "Open of many events", 1, func() error { // their table
		sealed, err := tx.Seal(datagram, many)
		if err == nil {
			_, err = rx.Open(inside, sealed)
		}
		return err
	})
}

func TestPackedBatchesDoNotAllocate(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{Window: 65536})
	data, ends, sealedEnds := []byte("onetwo"), []uint32{3, 6}, make([]uint32, 2)
	spans, packetEnds, statuses := make([]keep.Span, 0, 2), make([]uint32, 2), make([]uint8, 2)
	room, plain := make([]byte, 0, 200), make([]byte, 0, 20)
	wantAllocs(t, "SealPacked and OpenPacked", 0, func() error {
		sealed, err := tx.SealPacked(room, data, ends, 0, 0, 0, sealedEnds, statuses)
		if err == nil {
			_, _, err = rx.OpenPacked(plain, sealed, sealedEnds, spans, packetEnds, statuses)
		}
		return err
	})
}
