// SPDX-License-Identifier: MIT

package keep_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// sessions makes a session that seals and one that opens, with one key.
func sessions(t *testing.T, options keep.SessionOptions) (tx, rx *keep.Session) {
	t.Helper()
	key := closing(t, must(keep.GenerateSecret(nil, 32)))
	options.SessionID, options.TxKey = 0x1234567890abcdef, key
	tx = closing(t, must(keep.NewSession(&options)))
	options.TxKey, options.RxKey, options.FirstCounter = nil, key, 0
	return tx, closing(t, must(keep.NewSession(&options)))
}

// of makes a request of texts.
func of(events ...string) keep.Request {
	r := keep.Request{StreamID: 7}
	for _, event := range events {
		r.Events = append(r.Events, []byte(event))
	}
	return r
}

func texts(events [][]byte) (all []string) {
	for _, event := range events {
		all = append(all, string(event))
	}
	return all
}

func wantTexts(t *testing.T, want []string, got [][]byte) {
	t.Helper()
	if !slices.Equal(want, texts(got)) {
		t.Fatalf("expected %.40q, got %.40q", want, texts(got))
	}
}

func TestPacketsGoFromSessionToSession(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	r := of("one", "", "three", "four", "five")
	r.Sequence, r.Flags, r.SubprotocolID = 42, keep.PacketReliable|keep.PacketFin, 9
	r.Settings = &keep.PacketSettings{OriginHash: 1, SubnetID: 2, ChannelHash: 3, Priority: 4, HopTTL: 5}
	datagram := must(tx.Seal(nil, r))
	opened := must(rx.Open(nil, datagram))
	wantTexts(t, []string{"one", "", "three", "four", "five"}, opened.Events)
	want := keep.PacketInfo{SessionID: 0x1234567890abcdef, StreamID: 7, Sequence: 42, OriginHash: 1, SubnetID: 2,
		SubprotocolID: 9, ChannelHash: 3, PayloadLen: 36, EventCount: 5, Flags: 9, Priority: 4, HopTTL: 5}
	if opened.Info != want || opened.Status != keep.OK || must(keep.PacketParse(datagram)) != want {
		t.Fatalf("unexpected %+v", opened.Info)
	}
	_, err := rx.Open(nil, datagram)
	wantStatus(t, keep.ErrReplay, err)
	_, err = tx.Open(nil, datagram)
	wantStatus(t, keep.ErrState, err)
	_, err = rx.Seal(nil, r)
	wantStatus(t, keep.ErrState, err)

	stats := must(rx.Stats())
	if stats != (keep.SessionStats{Opened: 1, Replayed: 1, HasHighest: true, Confirmed: true}) {
		t.Fatalf("unexpected %+v", stats)
	}
}

// packet T23: dst grows when it is short, and is not touched by a failure
func TestSealAppends(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	for _, room := range []int{0, 1, 90, 91, 1000} {
		dst := append(make([]byte, 0, 1+room), 'x')
		sealed := must(tx.Seal(dst, of("abc")))
		if sealed[0] != 'x' || len(sealed) != 92 || (&sealed[0] == &dst[0]) != (room >= 91) {
			t.Fatalf("%d bytes of room: %d bytes", room, len(sealed))
		}
		wantTexts(t, []string{"abc"}, must(rx.Open(nil, sealed[1:])).Events)
	}
	if next := must(tx.Stats()).NextCounter; next != 5 {
		t.Fatalf("%d counters are used", next)
	}
	dst := []byte("same")
	got, err := tx.Seal(dst, of(string(make([]byte, keep.MaxEventLen+1))))
	wantStatus(t, keep.ErrPacketTooLarge, err)
	if &got[0] != &dst[0] || string(got) != "same" {
		t.Fatalf("a failure gave %q", got)
	}
}

func TestEventsAreSlicesBehindDst(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	dst := append(make([]byte, 0, 100), 'x')
	opened := must(rx.Open(dst, must(tx.Seal(nil, of("abc", "de")))))
	room := dst[:100]
	if &opened.Payload[0] != &room[1] || &opened.Events[0][0] != &room[5] || cap(opened.Events[0]) != 3 {
		t.Fatal("the events are not in dst")
	}
	opened = must(rx.Open(dst[:1:4], must(tx.Seal(nil, of("fghijk")))))
	wantTexts(t, []string{"fghijk"}, opened.Events)
	if string(room[:8]) != "x\x03\x00\x00\x00abc" {
		t.Fatalf("memory that is not dst's room has changed: %q", room[:8])
	}
}

func TestOpenInPlace(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	datagram := must(tx.Seal(nil, of("abc")))
	opened := must(rx.Open(datagram[keep.PacketHeaderLen:keep.PacketHeaderLen], datagram))
	if &opened.Payload[0] != &datagram[keep.PacketHeaderLen] || string(opened.Events[0]) != "abc" {
		t.Fatal("not in place")
	}
}

// bindings R45
func TestOverlapIsRefused(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	buffer := make([]byte, 2*keep.MaxPacketLen)
	_, err := tx.Seal(buffer[:0], keep.Request{Events: [][]byte{buffer[90:91]}})
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = tx.SealBatch(buffer[:0], []keep.Request{of("a"), {Events: [][]byte{[]byte("b"), buffer[90:91]}}})
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = tx.SealPacked(buffer[:0], buffer[1:9], []uint32{8}, 0, 0, 0, make([]uint32, 1), make([]uint8, 1))
	wantStatus(t, keep.ErrInvalidArgument, err)
	if next := must(tx.Stats()).NextCounter; next != 0 {
		t.Fatalf("%d counters are used", next)
	}
	datagram := append(buffer[:0], must(tx.Seal(nil, of("abc")))...)
	_, err = rx.Open(datagram[:1], datagram)
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = rx.OpenBatch(datagram[:keep.PacketHeaderLen], [][]byte{datagram})
	wantStatus(t, keep.ErrInvalidArgument, err)
	ends := []uint32{uint32(len(datagram))}
	for _, at := range []int{0, 1, keep.PacketHeaderLen, len(datagram) - 1} {
		_, _, err = rx.OpenPacked(datagram[:at], datagram, ends, nil, make([]uint32, 1), make([]uint8, 1))
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	wantTexts(t, []string{"abc"}, must(rx.Open(datagram[len(datagram):], datagram)).Events)
}

func TestMany(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	many := slices.Repeat([][]byte{nil}, keep.MaxPacketEvents)
	datagram := must(tx.Seal(nil, keep.Request{Events: many}))
	if opened := must(rx.Open(make([]byte, 0, keep.MaxPayloadLen), datagram)); len(opened.Events) != len(many) {
		t.Fatalf("%d events", len(opened.Events))
	}
	for want, events := range map[keep.Status][][]byte{
		keep.ErrPacketTooManyEvents: slices.Repeat([][]byte{make([]byte, 1<<20)}, 1<<20),
		keep.ErrPacketTooLarge:      {make([]byte, keep.MaxEventLen-4), nil, nil},
	} {
		_, err := tx.Seal(nil, keep.Request{Events: events})
		wantStatus(t, want, err)
		_, err = keep.PacketMeasure(events)
		wantStatus(t, want, err)
		batch := must(tx.SealBatch(nil, []keep.Request{{Events: events}, of("abc")}))
		if !slices.Equal(batch.Statuses, []keep.Status{want, keep.OK}) || !slices.Equal(batch.Offsets, []int{0, 0, 91}) {
			t.Fatalf("unexpected %v %v", batch.Statuses, batch.Offsets)
		}
	}
	if n := must(keep.PacketMeasure(many)); n != keep.MaxPacketLen {
		t.Fatalf("the packet has %d bytes", n)
	}
	for eventLen, want := range map[int]int{0: 2027, 64: 119, keep.MaxEventLen: 1, keep.MaxEventLen + 1: 0, -1: 0, math.MaxInt: 0} {
		if got := keep.PacketMaxEvents(eventLen); got != want {
			t.Errorf("%d events of %d bytes", got, eventLen)
		}
	}
}

// packet T4
func TestBatchWithRefusals(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	requests := slices.Repeat([]keep.Request{of("one", "two")}, 16)
	requests[3].Flags = 0x10
	requests[7].Events = [][]byte{make([]byte, keep.MaxEventLen+1)}
	requests[15].Kind = keep.PacketHandshake
	batch := must(tx.SealBatch([]byte("x"), requests))
	bad := map[int]keep.Status{3: keep.ErrInvalidArgument, 7: keep.ErrPacketTooLarge, 15: keep.ErrInvalidArgument}
	var datagrams [][]byte
	for i, status := range batch.Statuses {
		datagram := batch.Data[batch.Offsets[i]:batch.Offsets[i+1]]
		if status != bad[i] || (len(datagram) == 0) != (status != keep.OK) {
			t.Fatalf("%d: %s, %d bytes", i, status.Name(), len(datagram))
		}
		if status == keep.OK {
			datagrams = append(datagrams, datagram)
		}
	}
	datagrams = append(datagrams, datagrams[0], []byte("noise"))
	for i, opened := range must(rx.OpenBatch([]byte("x"), datagrams)) {
		switch i {
		case 13:
			wantStatus(t, keep.ErrReplay, opened.Status)
		case 14:
			wantStatus(t, keep.ErrPacketShort, opened.Status)
		default:
			wantTexts(t, []string{"one", "two"}, opened.Events)
			if opened.Info.Counter != uint64(i) {
				t.Fatalf("%d has counter %d", i, opened.Info.Counter)
			}
		}
	}
}

func TestBatchSizes(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	for _, count := range []int{0, keep.MaxBatch + 1} {
		_, err := tx.SealBatch(nil, make([]keep.Request, count))
		wantStatus(t, keep.ErrInvalidArgument, err)
		_, err = rx.OpenBatch(nil, make([][]byte, count))
		wantStatus(t, keep.ErrInvalidArgument, err)
		ends, statuses := make([]uint32, count), make([]uint8, count)
		_, err = tx.SealPacked(nil, nil, ends, 0, 0, 0, ends, statuses)
		wantStatus(t, keep.ErrInvalidArgument, err)
		_, _, err = rx.OpenPacked(nil, nil, ends, nil, ends, statuses)
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	batch := must(tx.SealBatch(nil, slices.Repeat([]keep.Request{of("a", "b")}, keep.MaxBatch)))
	if len(batch.Data) != keep.MaxBatch*94 {
		t.Fatalf("%d bytes", len(batch.Data))
	}
}

// bindings R5
func TestPackedBatches(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	data, ends := []byte("onethree"), []uint32{3, 3, 8}
	sealedEnds, statuses := make([]uint32, 3), make([]uint8, 3)
	sealed := must(tx.SealPacked([]byte("x"), data, ends, 7, 40, keep.PacketNack, sealedEnds, statuses))
	if !slices.Equal(sealedEnds, []uint32{92, 180, 273}) || len(sealed) != 273 || !slices.Equal(statuses, make([]uint8, 3)) {
		t.Fatalf("unexpected %v %v", sealedEnds, statuses)
	}
	sealed[100] ^= 1 // of the second packet
	for i := range sealedEnds {
		sealedEnds[i]--
	}
	spans := make([]keep.Span, 1, 8)
	packetEnds := make([]uint32, 3)
	plain, spans, err := rx.OpenPacked([]byte("y"), sealed[1:], sealedEnds, spans, packetEnds, statuses)
	wantStatus(t, keep.OK, err)
	if !slices.Equal(packetEnds, []uint32{2, 2, 3}) || !slices.Equal(statuses, []uint8{0, uint8(keep.ErrAuth), 0}) {
		t.Fatalf("unexpected %v %v", packetEnds, statuses)
	}
	for i, want := range map[int]string{1: "one", 2: "three"} {
		if got := string(plain[spans[i].Offset:][:spans[i].Len]); got != want {
			t.Fatalf("expected %s, got %q", want, got)
		}
	}
	for _, ends := range [][]uint32{{3, 2, 8}, {3, 9}, {math.MaxUint32}} {
		_, err := tx.SealPacked(nil, data, ends, 0, 0, 0, sealedEnds, statuses)
		wantStatus(t, keep.ErrInvalidArgument, err)
		_, _, err = rx.OpenPacked(nil, data, ends, nil, packetEnds, statuses)
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	_, err = tx.SealPacked(nil, data, ends, 0, 0, 0, sealedEnds[:2], statuses)
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, _, err = rx.OpenPacked(nil, data, ends, nil, packetEnds, statuses[:2])
	wantStatus(t, keep.ErrInvalidArgument, err)
}

// packet T3
func TestTheCounterEnds(t *testing.T) {
	tx, _ := sessions(t, keep.SessionOptions{FirstCounter: math.MaxUint64 - 50})
	var all sync.WaitGroup
	counters := make(chan uint64, 800)
	for range 8 {
		together(&all, func() {
			for range 100 {
				datagram, err := tx.Seal(nil, of("x"))
				if err == nil {
					counters <- must(keep.PacketParse(datagram)).Counter
				} else if err != keep.ErrRekey {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(counters)
	wantEach(t, counters, math.MaxUint64-50, 50)
	batch := must(tx.SealBatch(nil, []keep.Request{of("x"), of("y")}))
	if !slices.Equal(batch.Statuses, []keep.Status{keep.ErrRekey, keep.ErrRekey}) || len(batch.Data) != 0 {
		t.Fatalf("unexpected %v", batch)
	}
}

// wantEach fails the test unless the numbers are those from first on, each once.
func wantEach(t *testing.T, numbers <-chan uint64, first uint64, count int) {
	t.Helper()
	seen := map[uint64]bool{}
	for number := range numbers {
		if seen[number] || number < first || number-first >= uint64(count) {
			t.Fatalf("%d is twice, or not there", number)
		}
		seen[number] = true
	}
	if len(seen) != count {
		t.Fatalf("expected %d, got %d", count, len(seen))
	}
}

// packet T2, T5
func TestGoroutinesShareASession(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{Window: 65536})
	const goroutines, turns = 8, rounds / 10
	counters, datagrams := make(chan uint64, 4*goroutines*turns), make(chan []byte, 4*goroutines*turns)
	var all sync.WaitGroup
	for range goroutines {
		together(&all, func() {
			for range turns {
				batch := must(tx.SealBatch(nil, []keep.Request{of("batch"), of("batch", "more")}))
				for _, datagram := range [][]byte{batch.Data[:batch.Offsets[1]], batch.Data[batch.Offsets[1]:],
					must(tx.Seal(nil, of("single"))), must(tx.Heartbeat(nil))} {
					counters <- must(keep.PacketParse(datagram)).Counter
					datagrams <- datagram
				}
			}
		})
	}
	all.Wait()
	close(counters)
	close(datagrams)
	wantEach(t, counters, 0, 4*goroutines*turns)
	for range goroutines {
		together(&all, func() {
			for datagram := range datagrams {
				_, err := rx.Open(nil, datagram)
				_, again := rx.Open(nil, datagram)
				if err != nil || again != keep.ErrReplay {
					t.Errorf("%v, then %v", err, again)
				}
			}
		})
	}
	all.Wait()
}

// packet T6: every flipped bit of a datagram
func TestFlippedBits(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	datagram := must(tx.Seal(nil, of("twelve bytes")))
	free := map[int]bool{6: true, 12: true, 13: true, 14: true, 15: true} // the hop count, and the nonce's prefix
	for bit := range 8 * len(datagram) {
		if free[bit/8] {
			continue
		}
		flipped := bytes.Clone(datagram)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, err := rx.Open(nil, flipped)
		var status keep.Status
		if !errors.As(err, &status) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	wantTexts(t, []string{"twelve bytes"}, must(rx.Open(nil, datagram)).Events)
}

// packet T8
func TestForgedPacketsLeaveNothing(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	datagram := must(tx.Seal(nil, of("abc")))
	forged := bytes.Clone(datagram)
	forged[23] = 0x80 // counter 2^63
	room := bytes.Repeat([]byte("x"), 7)
	_, err := rx.Open(room[:0], forged)
	wantStatus(t, keep.ErrAuth, err)
	if !bytes.Equal(room, make([]byte, 7)) {
		t.Fatalf("the room holds %q", room)
	}
	must(rx.Open(nil, datagram))
	limited := closing(t, must(keep.NewSession(&keep.SessionOptions{RxKey: secretOf(t, "0123456789abcdef0123456789abcdef"),
		SessionID: 0x1234567890abcdef, MaxFailedOpens: 1})))
	_, err = limited.Open(nil, datagram)
	wantStatus(t, keep.ErrAuth, err)
	_, err = limited.Open(nil, datagram)
	wantStatus(t, keep.ErrRekey, err)
}

// packet R11, R12
func TestSessionsThatCannotBe(t *testing.T) {
	key, other := closing(t, must(keep.GenerateSecret(nil, 32))), closing(t, must(keep.GenerateSecret(nil, 32)))
	closed := must(keep.GenerateSecret(nil, 32))
	wantStatus(t, keep.OK, closed.Close())
	pool := must(keep.NewPool(nil))
	wantStatus(t, keep.OK, pool.Close())
	closing(t, must(keep.NewSession(&keep.SessionOptions{TxKey: key, RxKey: other})))
	for i, c := range []struct {
		want    keep.Status
		options *keep.SessionOptions
	}{
		{keep.ErrInvalidArgument, nil},
		{keep.ErrInvalidArgument, keep.NewSessionOptions()},
		{keep.ErrInvalidArgument, &keep.SessionOptions{TxKey: other, RxKey: other}},
		{keep.ErrInvalidArgument, &keep.SessionOptions{TxKey: secretOf(t, "short")}},
		{keep.ErrInvalidArgument, &keep.SessionOptions{TxKey: other, Window: 1500}},
		{keep.ErrInvalidArgument, &keep.SessionOptions{TxKey: other, Window: -1}},
		{keep.ErrInvalidArgument, &keep.SessionOptions{TxKey: other, Window: math.MaxUint32 + 1025}},
		{keep.ErrInvalidArgument, &keep.SessionOptions{TxKey: other, AEAD: 9}},
		{keep.ErrInvalidArgument, &keep.SessionOptions{TxKey: other, MaxFailedOpens: 1<<36 + 1}},
		{keep.ErrClosed, &keep.SessionOptions{TxKey: closed}},
		{keep.ErrClosed, &keep.SessionOptions{TxKey: other, RxKey: new(keep.Secret)}},
		{keep.ErrClosed, &keep.SessionOptions{TxKey: other, Pool: pool}},
		{keep.ErrState, &keep.SessionOptions{TxKey: key}},
	} {
		_, err := keep.NewSession(c.options)
		if !errors.Is(err, c.want) {
			t.Errorf("%d: expected %v, got %v", i, c.want, err)
		}
	}
}

// packet R14
func TestAPurgeEndsSessions(t *testing.T) {
	tx, rx := sessions(t, keep.SessionOptions{})
	pool := closing(t, must(keep.NewPacketPool(nil)))
	packet := closing(t, must(pool.Acquire()))
	datagram := must(tx.Seal(nil, of("abc")))
	wantStatus(t, keep.OK, packet.Build(tx, of("abc")))
	must(keep.Purge())
	_, err := tx.Seal(nil, of("abc"))
	wantStatus(t, keep.ErrPurged, err)
	_, err = rx.Open(nil, datagram)
	wantStatus(t, keep.ErrPurged, err)
	wantStatus(t, keep.ErrPurged, packet.Build(tx, of("abc")))
	batch, err := tx.SealBatch([]byte("same"), []keep.Request{of("abc")})
	wantStatus(t, keep.ErrPurged, err)
	if string(batch.Data) != "same" {
		t.Fatalf("a failure gave %q", batch.Data)
	}
	_, err = rx.Stats()
	wantStatus(t, keep.ErrPurged, err)
	_, err = packet.Data()
	wantStatus(t, keep.OK, err)
}

func TestAEADReport(t *testing.T) {
	facts := must(keep.AEADReport(keep.AEADSodium))
	if facts.State != keep.AEADUsable || facts.Name != "sodium" || facts.Version == "" {
		t.Fatalf("unexpected %+v", facts)
	}
	for aead, name := range map[keep.AEAD]string{keep.AEADOpenSSL: "openssl", keep.AEADIPsecMB: "ipsec-mb"} {
		facts := must(keep.AEADReport(aead))
		if facts.Name != name {
			t.Errorf("unexpected %+v", facts)
		}
		session, err := keep.NewSession(&keep.SessionOptions{TxKey: closing(t, must(keep.GenerateSecret(nil, 32))), AEAD: aead})
		if facts.State != keep.AEADUsable {
			wantStatus(t, keep.ErrUnsupported, err)
			continue
		}
		wantStatus(t, keep.OK, err)
		wantStatus(t, keep.OK, session.Close())
	}
	_, err := keep.AEADReport(keep.AEADAuto)
	wantStatus(t, keep.ErrInvalidArgument, err)
}

// bindings 5, 7
func TestCallsOnClosedZeroAndNilSessions(t *testing.T) {
	closed, _ := sessions(t, keep.SessionOptions{})
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, new(keep.Session).Close())
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Session)(nil).Close())
	packet := closing(t, must(closing(t, must(keep.NewPacketPool(nil))).Acquire()))
	ends, statuses := []uint32{0}, []uint8{0}
	for _, c := range []struct {
		want    keep.Status
		session *keep.Session
	}{{keep.ErrClosed, closed}, {keep.ErrClosed, new(keep.Session)}, {keep.ErrInvalidArgument, nil}} {
		results := map[string]error{}
		_, results["Seal"] = c.session.Seal(nil, of("abc"))
		_, results["Heartbeat"] = c.session.Heartbeat(nil)
		_, results["Open"] = c.session.Open(nil, nil)
		_, results["Stats"] = c.session.Stats()
		_, results["SealBatch"] = c.session.SealBatch(nil, []keep.Request{of("abc")})
		_, results["OpenBatch"] = c.session.OpenBatch(nil, [][]byte{nil})
		_, results["SealPacked"] = c.session.SealPacked(nil, nil, ends, 0, 0, 0, ends, statuses)
		_, _, results["OpenPacked"] = c.session.OpenPacked(nil, nil, ends, nil, ends, statuses)
		results["Build"] = packet.Build(c.session, of("abc"))
		for name, err := range results {
			t.Run(name, func(t *testing.T) { wantStatus(t, c.want, err) })
		}
	}
}
