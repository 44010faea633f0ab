// SPDX-License-Identifier: MIT

package vectors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	keep "github.com/libkeep/libkeep/bindings/go"
)

var packet = schema{
	constants: map[string]int{
		"KEEP_PACKET_HEADER_LEN":   keep.PacketHeaderLen,
		"KEEP_PACKET_TAG_LEN":      keep.PacketTagLen,
		"KEEP_PACKET_OVERHEAD_LEN": keep.PacketOverheadLen,
		"KEEP_MAX_PACKET_LEN":      keep.MaxPacketLen,
		"KEEP_MAX_PAYLOAD_LEN":     keep.MaxPayloadLen,
		"KEEP_MAX_EVENT_LEN":       keep.MaxEventLen,
		"KEEP_MAX_PACKET_EVENTS":   keep.MaxPacketEvents,
		"KEEP_MAX_PACKET_SLOTS":    keep.MaxPacketSlots,
		"KEEP_MAX_BATCH":           keep.MaxBatch,
	},
	arrays: map[string]func(*testCase){
		"build":        buildPacket,
		"build_errors": refusePacket,
		"buffers":      growBuffers,
		"fit":          fitEvents,
		"max_events":   maxEvents,
		"prefix":       noncePrefix,
		"parse":        parsePacket,
		"open":         openPackets,
		"replay":       replayPackets,
		"noise":        shakeHands,
		"noise_errors": shakeHands,
		"pools":        func(c *testCase) { c.script(packetOperations, take[[]any](c.fields, "script")) },
	},
}

var aeads = map[string]keep.AEAD{
	"": keep.AEADAuto, "sodium": keep.AEADSodium, "openssl": keep.AEADOpenSSL, "ipsec-mb": keep.AEADIPsecMB,
}

var kinds = map[string]keep.PacketKind{
	"data": keep.PacketData, "heartbeat": keep.PacketHeartbeat, "handshake": keep.PacketHandshake,
}

// failure gives the status of an item of a batch as an error, nil for OK.
func failure(status keep.Status) error {
	if status == keep.OK {
		return nil
	}
	return status
}

// Sessions.

// session makes a session of keys, which may be missing; KEEP_TEST_AEAD names the back end of all.
func (c *testCase) session(options keep.SessionOptions, txKey, rxKey any) (*keep.Session, error) {
	aead, known := aeads[os.Getenv("KEEP_TEST_AEAD")]
	if options.AEAD = aead; !known {
		fail("KEEP_TEST_AEAD", slices.Sorted(maps.Keys(aeads)), os.Getenv("KEEP_TEST_AEAD"))
	}
	for place, key := range map[**keep.Secret]any{&options.TxKey: txKey, &options.RxKey: rxKey} {
		if key != nil {
			*place = need(keep.SecretFromBytes(nil, c.bytes(key)))
			defer (*place).Close()
		}
	}
	return keep.NewSession(&options)
}

// keyed is what the sessions of a case are made of.
type keyed struct {
	*testCase
	key     any
	options keep.SessionOptions
}

func takeKeyed(c *testCase, counter string) keyed {
	return keyed{c, take[any](c.fields, "key"), keep.SessionOptions{
		SessionID:      c.fields.wide("session_id"),
		FirstCounter:   c.fields.wide(counter),
		Window:         c.fields.number("window", 0),
		MaxFailedOpens: c.fields.wide("max_failed_opens"),
	}}
}

func (k keyed) sealing(use func(*keep.Session)) {
	k.use(need(k.session(k.options, k.key, nil)), use)
}

func (k keyed) opening(use func(*keep.Session)) {
	k.use(need(k.session(k.options, nil, k.key)), use)
}

func (keyed) use(s *keep.Session, use func(*keep.Session)) {
	defer s.Close()
	use(s)
}

// Requests.

// events takes events; a count stands for equal ones.
func (c *testCase) events(o object) (events [][]byte) {
	for _, value := range optional[[]any](o, "events") {
		many, _ := value.(map[string]any)
		if many["count"] == nil {
			events = append(events, c.bytes(value))
			continue
		}
		each := object(maps.Clone(many))
		events = append(events, slices.Repeat([][]byte{c.bytes(take[any](each, "event"))}, each.number("count"))...)
		each.done()
	}
	return events
}

func takeSettings(o object) *keep.PacketSettings {
	fields := object(optional[map[string]any](o, "settings"))
	if fields == nil {
		return nil
	}
	defer fields.done()
	return &keep.PacketSettings{
		OriginHash:  fields.wide("origin_hash"),
		SubnetID:    uint32(fields.wide("subnet_id")),
		ChannelHash: uint16(fields.number("channel_hash")),
		Priority:    uint8(fields.number("priority")),
		HopTTL:      uint8(fields.number("hop_ttl")),
	}
}

func (c *testCase) request(o object) keep.Request {
	return keep.Request{
		Kind:          word(o, "kind", kinds),
		StreamID:      o.wide("stream_id"),
		Sequence:      o.wide("sequence"),
		Flags:         keep.PacketFlags(o.number("flags", 0)),
		SubprotocolID: uint16(o.number("subprotocol_id", 0)),
		Settings:      takeSettings(o),
		Events:        c.events(o),
	}
}

// Ways to seal, and to open.

var sealers = map[string]func(*keep.Session, keep.Request) ([]byte, error){
	"Seal": func(s *keep.Session, r keep.Request) ([]byte, error) { return s.Seal(nil, r) },
	"Seal into room": func(s *keep.Session, r keep.Request) ([]byte, error) {
		return s.Seal(make([]byte, 0, keep.MaxPacketLen), r)
	},
	"SealBatch":    sealAsBatch,
	"Packet.Build": buildInPool,
}

func sealAsBatch(s *keep.Session, r keep.Request) ([]byte, error) {
	batch, err := s.SealBatch([]byte("x"), []keep.Request{r})
	if err != nil {
		return nil, err
	}
	return batch.Data[batch.Offsets[0]:batch.Offsets[1]], failure(batch.Statuses[0])
}

func buildInPool(s *keep.Session, r keep.Request) ([]byte, error) {
	pool := need(keep.NewPacketPool(&keep.PacketPoolOptions{Capacity: 1}))
	defer pool.Close()
	packet := need(pool.Acquire())
	defer packet.Close()
	if err := packet.Build(s, r); err != nil {
		return nil, err
	}
	return bytes.Clone(need(packet.Data())), nil
}

func sealPacked(s *keep.Session, r keep.Request) ([]byte, error) {
	ends, statuses := []uint32{uint32(len(r.Events[0]))}, make([]uint8, 1)
	data, err := s.SealPacked([]byte("x"), r.Events[0], ends, r.StreamID, r.Sequence, r.Flags, ends, statuses)
	if err != nil {
		return nil, err
	}
	return data[1:ends[0]], failure(keep.Status(statuses[0]))
}

// waysToSeal gives each way that can say what the request says.
func waysToSeal(r keep.Request) map[string]func(*keep.Session, keep.Request) ([]byte, error) {
	ways := maps.Clone(sealers)
	if r.Kind == keep.PacketHeartbeat {
		ways["Heartbeat"] = func(s *keep.Session, _ keep.Request) ([]byte, error) { return s.Heartbeat(nil) }
	}
	isPlain := len(r.Events) == 1 && r.SubprotocolID == 0 && (r.Settings == nil || *r.Settings == keep.PacketSettings{})
	if isPlain {
		ways["SealPacked"] = sealPacked
	}
	return ways
}

var openers = map[string]func(*keep.Session, []byte) (keep.Opened, error){
	"Open": func(s *keep.Session, d []byte) (keep.Opened, error) { return s.Open(nil, d) },
	"Open into room": func(s *keep.Session, d []byte) (keep.Opened, error) {
		return s.Open(make([]byte, 0, keep.MaxPayloadLen), d)
	},
	"Open in place": func(s *keep.Session, d []byte) (keep.Opened, error) {
		d = bytes.Clone(d)
		return s.Open(d[min(len(d), keep.PacketHeaderLen):][:0], d)
	},
	"OpenBatch": func(s *keep.Session, d []byte) (keep.Opened, error) {
		opened := need(s.OpenBatch(nil, [][]byte{d}))[0]
		return opened, failure(opened.Status)
	},
}

// opening is what OpenPacked gives: events and status of each datagram, and where they lie.
type opening struct {
	plain    []byte
	spans    []keep.Span
	events   [][][]byte
	statuses []string
}

func openPacked(s *keep.Session, datagrams [][]byte, room []byte, spans []keep.Span) opening {
	var data []byte
	var ends []uint32
	for _, datagram := range datagrams {
		data = append(data, datagram...)
		ends = append(ends, uint32(len(data)))
	}
	packetEnds, statuses := make([]uint32, len(ends)), make([]uint8, len(ends))
	plain, found, err := s.OpenPacked(room, data, ends, spans, packetEnds, statuses)
	p := opening{plain: need(plain, err), spans: found}
	for i, begin := 0, uint32(0); i < len(ends); begin, i = packetEnds[i], i+1 {
		var events [][]byte
		for _, span := range found[begin:packetEnds[i]] {
			events = append(events, plain[span.Offset:][:span.Len])
		}
		p.events = append(p.events, events)
		p.statuses = append(p.statuses, keep.Status(statuses[i]).Name())
	}
	return p
}

func (c *testCase) expectEvents(what string, want, got [][]byte) {
	c.expect(what+" count", json.Number(fmt.Sprint(len(want))), len(got))
	for i := range want {
		if !bytes.Equal(want[i], got[i]) {
			fail(what, fmt.Sprintf("%x", want[i]), got[i])
		}
	}
}

// Cases of one packet.

func buildPacket(c *testCase) {
	if c.fields["kind"] == "handshake" {
		c.frame(take[any](c.fields, "packet"))
		return
	}
	from, r, want := takeKeyed(c, "counter"), c.request(c.fields), take[any](c.fields, "packet")
	for name, seal := range waysToSeal(r) {
		from.sealing(func(s *keep.Session) { c.expect(name, want, need(seal(s, r))) })
	}
	for name, open := range openers {
		from.opening(func(s *keep.Session) { c.expectEvents(name, r.Events, need(open(s, c.bytes(want))).Events) })
	}
}

// frame builds a handshake frame in both ways. No packet is wanted where the case expects a failure.
func (c *testCase) frame(want any) {
	r, status := c.request(c.fields), expected(c.fields)
	r.Events = [][]byte{c.bytes(take[any](c.fields, "handshake_payload"))}
	frame, err := keep.HandshakeFrame(nil, r.Events[0])
	c.expect("HandshakeFrame", status, statusOf(err))
	built, err := buildInPool(nil, r)
	c.expect("Packet.Build", status, statusOf(err))
	if want != nil {
		c.expect("HandshakeFrame", want, frame)
		c.expect("Packet.Build", want, built)
		c.expect("kind", r.Kind, need(keep.PacketParse(frame)).Kind)
	}
}

func refusePacket(c *testCase) {
	if c.fields["kind"] == "handshake" {
		c.frame(nil)
		return
	}
	from, r, status := takeKeyed(c, "first_counter"), c.request(c.fields), expected(c.fields)
	next := c.fields.wide("next_counter")
	from.sealing(func(s *keep.Session) {
		for name, seal := range sealers {
			_, err := seal(s, r)
			c.expect(name, status, statusOf(err))
		}
		c.expect("next_counter", next, need(s.Stats()).NextCounter)
	})
}

func growBuffers(c *testCase) {
	grow := map[string]func(*testCase){"seal": growSealed, "open": growOpened}
	word(c.fields, "op", grow)(c)
}

// statusOfRoom is the status that a call without growing would have had: it has grown, because C said so.
func statusOfRoom(hasGrown bool) string {
	if hasGrown {
		return keep.ErrBufferTooSmall.Name()
	}
	return keep.OK.Name()
}

func growSealed(c *testCase) {
	from, room, needed := takeKeyed(c, "first_counter"), c.fields.number("cap"), c.fields.number("needed_len")
	r := keep.Request{StreamID: c.fields.wide("stream_id"), Sequence: c.fields.wide("sequence"), Events: c.events(c.fields)}
	from.sealing(func(s *keep.Session) {
		got := need(s.Seal(make([]byte, 0, room), r))
		c.expect("needed_len", json.Number(fmt.Sprint(needed)), len(got))
		c.expect("status", expected(c.fields), statusOfRoom(len(got) > room))
		c.expect("packet", take[any](c.fields, "packet"), got)
		c.expect("next_counter", c.fields.wide("next_counter")+1, need(s.Stats()).NextCounter) // the refusal used none
	})
}

func growOpened(c *testCase) {
	from, datagram, status := takeKeyed(c, ""), c.bytes(take[any](c.fields, "packet")), expected(c.fields)
	room, spans := make([]byte, 0, c.fields.number("data_cap")), make([]keep.Span, 0, c.fields.number("event_cap"))
	from.opening(func(s *keep.Session) {
		got := openPacked(s, [][]byte{datagram}, room, spans)
		if got.statuses[0] != keep.OK.Name() {
			c.expect("status", status, got.statuses[0])
			return
		}
		c.expect("status", status, statusOfRoom(len(got.plain) > cap(room) || len(got.spans) > cap(spans)))
		c.expect("needed_data_len", take[any](c.fields, "needed_data_len"), len(got.plain))
		c.expect("needed_event_count", take[any](c.fields, "needed_event_count"), len(got.spans))
		c.expectEvents("events", c.events(c.fields), got.events[0])
	})
}

func fitEvents(c *testCase) {
	n, err := keep.PacketMeasure(c.events(c.fields))
	c.expect("status", expected(c.fields), statusOf(err))
	c.expect("fits", take[bool](c.fields, "fits"), err == nil)
	if err == nil {
		c.expect("packet_len", take[any](c.fields, "packet_len"), n)
	}
}

func maxEvents(c *testCase) {
	c.expect("max_events", take[any](c.fields, "max_events"), keep.PacketMaxEvents(c.fields.number("event_len")))
}

func noncePrefix(c *testCase) {
	id, want := c.fields.wide("session_id"), take[any](c.fields, "prefix")
	from := keyed{c, strings.Repeat("01", 32), keep.SessionOptions{SessionID: id}}
	from.sealing(func(s *keep.Session) { c.expect("prefix", want, need(s.Heartbeat(nil))[12:16]) })
}

func parsePacket(c *testCase) {
	info, err := keep.PacketParse(c.bytes(take[any](c.fields, "packet")))
	c.expect("status", expected(c.fields), statusOf(err))
	if err == nil {
		c.expectInfo(c.fields, info)
	}
}

// expectInfo takes the header that the object expects, and compares each field.
func (c *testCase) expectInfo(o object, got keep.PacketInfo) {
	want := object(take[map[string]any](o, "info"))
	c.expect("kind", take[string](want, "kind"), got.Kind.String())
	for key, number := range map[string]uint64{
		"counter": got.Counter, "session_id": got.SessionID, "stream_id": got.StreamID, "sequence": got.Sequence,
		"origin_hash": got.OriginHash, "subnet_id": uint64(got.SubnetID), "subprotocol_id": uint64(got.SubprotocolID),
		"channel_hash": uint64(got.ChannelHash), "fragment_id": uint64(got.FragmentID),
		"fragment_offset": uint64(got.FragmentOffset), "payload_len": uint64(got.PayloadLen),
		"event_count": uint64(got.EventCount), "flags": uint64(got.Flags), "priority": uint64(got.Priority),
		"hop_ttl": uint64(got.HopTTL), "hop_count": uint64(got.HopCount), "frag_flags": uint64(got.FragFlags),
	} {
		c.expect(key+" is there", true, want[key] != nil)
		c.expect(key, want.wide(key), number)
	}
	want.done()
}

// Cases of many packets.

// arrival is a datagram, and what is expected of it.
type arrival struct {
	fields   object
	datagram []byte
	status   string
}

// arrivals reads steps anew, since what is expected is taken out of them.
func (c *testCase) arrivals(steps []any) (all []arrival) {
	for _, value := range steps {
		fields := object(maps.Clone(value.(map[string]any)))
		if info, has := fields["info"].(map[string]any); has {
			fields["info"] = maps.Clone(info)
		}
		all = append(all, arrival{fields, c.bytes(take[any](fields, "packet")), expected(fields)})
	}
	return all
}

func (c *testCase) expectOpened(want arrival, got keep.Opened, err error) {
	c.expect("status", want.status, statusOf(err))
	if err == nil {
		c.expectInfo(want.fields, got.Info)
		c.expectEvents("events", c.events(want.fields), got.Events)
	}
	want.fields.done()
}

func openPackets(c *testCase) {
	from, steps, stats := takeKeyed(c, ""), take[[]any](c.fields, "steps"), take[map[string]any](c.fields, "stats")
	for _, open := range openers {
		from.opening(func(s *keep.Session) {
			for _, step := range c.arrivals(steps) {
				got, err := open(s, step.datagram)
				c.expectOpened(step, got, err)
			}
			c.expectStats(stats, s)
		})
	}
	from.opening(func(s *keep.Session) { c.openAsBatch(steps, s); c.expectStats(stats, s) })
	from.opening(func(s *keep.Session) { c.openAsPacked(steps, s); c.expectStats(stats, s) })
}

func datagramsOf(all []arrival) (datagrams [][]byte) {
	for _, each := range all {
		datagrams = append(datagrams, each.datagram)
	}
	return datagrams
}

func (c *testCase) openAsBatch(steps []any, s *keep.Session) {
	all := c.arrivals(steps)
	for i, got := range need(s.OpenBatch([]byte("x"), datagramsOf(all))) {
		c.expectOpened(all[i], got, failure(got.Status))
	}
}

func (c *testCase) openAsPacked(steps []any, s *keep.Session) {
	all := c.arrivals(steps)
	got := openPacked(s, datagramsOf(all), []byte("x"), nil)
	for i, want := range all {
		c.expect("status of a packed batch", want.status, got.statuses[i])
		c.expectEvents("events of a packed batch", c.events(want.fields), got.events[i])
	}
}

func (c *testCase) expectStats(want object, s *keep.Session) {
	stats := need(s.Stats())
	got := map[string]int{"opened": int(stats.Opened), "auth_failed": int(stats.AuthFailed),
		"replayed": int(stats.Replayed), "malformed": int(stats.Malformed)}
	for key, number := range want {
		value, known := got[key]
		c.expect(key, true, known)
		c.expect(key, number, value)
	}
}

func replayPackets(c *testCase) {
	from, commits := takeKeyed(c, ""), take[[]any](c.fields, "commits")
	from.opening(func(s *keep.Session) {
		for _, value := range commits {
			commit := object(value.(map[string]any))
			datagram := c.bytes(take[any](commit, "packet"))
			c.expect("counter", commit.wide("counter"), need(keep.PacketParse(datagram)).Counter)
			want := map[bool]string{true: "OK", false: "REPLAY"}[take[bool](commit, "accepted")]
			_, err := s.Open(nil, datagram)
			c.expect("accepted", want, statusOf(err))
			commit.done()
		}
	})
}

// Handshakes.

var noises = map[string]keep.Noise{"IKpsk2": keep.NoiseIKPSK2, "XXpsk3": keep.NoiseXXPSK3}

const initiator, responder = "initiator", "responder"

// exchange is two handshakes, by side.
type exchange struct {
	*testCase
	public map[string][]byte
	sides  map[string]*keep.Handshake
}

func shakeHands(c *testCase) {
	x := exchange{c, map[string][]byte{}, map[string]*keep.Handshake{}}
	x.begin()
	defer x.sides[initiator].Close()
	defer x.sides[responder].Close()
	for _, value := range take[[]any](c.fields, "steps") {
		step := object(value.(map[string]any))
		run := word(step, "op", map[string]func(object, *keep.Handshake, string){"write": x.write, "read": x.read})
		run(step, word(step, "side", x.sides), expected(step))
		step.done()
	}
	if c.fields["handshake_hash"] != nil {
		x.end()
	}
}

// begin makes both handshakes, and takes all that they are made of.
func (x exchange) begin() {
	f := x.fields
	pattern := take[string](f, "pattern")
	x.expect("protocol", "Noise_"+pattern+"_25519_ChaChaPoly_SHA256", take[string](f, "protocol"))
	shared, prologue := take[any](f, "pre_shared_key"), take[any](f, "prologue")
	forInitiator := keep.HandshakeOptions{Role: keep.Initiator, Prologue: x.bytes(prologue)}
	forResponder := keep.HandshakeOptions{Role: keep.Responder, Prologue: x.bytes(cmp.Or(optional[any](f, "resp_prologue"), prologue))}
	if forInitiator.Pattern = noises[pattern]; forInitiator.Pattern == keep.NoiseIKPSK2 {
		forInitiator.RemoteStatic = x.bytes(cmp.Or(optional[any](f, "init_remote_static"), f["resp_static_public"]))
	}
	forResponder.Pattern = forInitiator.Pattern
	x.make(initiator, "init", forInitiator, shared)
	x.make(responder, "resp", forResponder, cmp.Or(optional[any](f, "resp_pre_shared_key"), shared))
}

func (x exchange) make(side, prefix string, options keep.HandshakeOptions, shared any) {
	for place, value := range map[**keep.Secret]any{
		&options.StaticKey:    take[any](x.fields, prefix+"_static"),
		&options.EphemeralKey: take[any](x.fields, prefix+"_ephemeral"),
		&options.PreSharedKey: shared,
	} {
		*place = need(keep.SecretFromBytes(nil, x.bytes(value)))
		defer (*place).Close()
	}
	x.public[side] = need(keep.HandshakePublicKey(nil, options.StaticKey))
	x.expect("public key", take[any](x.fields, prefix+"_static_public"), x.public[side])
	x.sides[side] = need(keep.NewHandshake(&options))
}

func (x exchange) write(step object, side *keep.Handshake, status string) {
	message, err := side.Write(nil, x.bytes(take[any](step, "payload")))
	x.expect("write", status, statusOf(err))
	if err == nil {
		x.expect("message", take[any](step, "message"), message)
		frame := need(keep.HandshakeFrame(nil, message))
		x.expect("frame_header", take[any](step, "frame_header"), frame[:keep.PacketHeaderLen])
	}
}

func (x exchange) read(step object, side *keep.Handshake, status string) {
	payload, err := side.Read(make([]byte, 0, 1), x.bytes(take[any](step, "message")))
	x.expect("read", status, statusOf(err))
	if err == nil {
		x.expect("payload", take[any](step, "payload"), payload)
	}
}

// end compares what both sides know, and what their sessions and plain ones of the same keys seal.
func (x exchange) end() {
	f := x.fields
	hash, unconfirmed := take[any](f, "handshake_hash"), take[string](f, "unconfirmed")
	id, packets := f.wide("session_id"), take[[]any](f, "packets")
	sessions := map[string]*keep.Session{}
	for side, other := range map[string]string{initiator: responder, responder: initiator} {
		info := need(x.sides[side].Info())
		x.expect("state", keep.HandshakeDone, info.State)
		x.expect("handshake_hash", hash, info.Hash)
		x.expect("remote static", true, bytes.Equal(info.RemoteStatic, x.public[other]))
		sessions[side] = need(x.sides[side].Session(&keep.SessionOptions{AEAD: aeads[os.Getenv("KEEP_TEST_AEAD")]}))
		x.expect("confirmed", side != unconfirmed, need(sessions[side].Stats()).Confirmed)
		_, err := x.sides[side].Session(nil)
		x.expect("second session", "STATE", statusOf(err))
	}
	x.talk(sessions, id, packets)
	forth, back := take[any](f, "key_initiator_to_responder"), take[any](f, "key_responder_to_initiator")
	x.talk(map[string]*keep.Session{
		initiator: need(x.session(keep.SessionOptions{SessionID: id}, forth, back)),
		responder: need(x.session(keep.SessionOptions{SessionID: id}, back, forth)),
	}, id, packets)
}

// talk sends each side's first packet to the other, and closes the sessions.
func (x exchange) talk(sessions map[string]*keep.Session, id uint64, packets []any) {
	others := map[string]*keep.Session{initiator: sessions[responder], responder: sessions[initiator]}
	defer sessions[initiator].Close()
	defer sessions[responder].Close()
	for _, value := range packets {
		fields := object(maps.Clone(value.(map[string]any)))
		side := take[string](fields, "side")
		r := keep.Request{StreamID: fields.wide("stream_id"), Sequence: fields.wide("sequence"), Events: x.events(fields)}
		datagram := need(sessions[side].Seal(nil, r))
		x.expect("packet", take[any](fields, "packet"), datagram)
		opened := need(others[side].Open(nil, datagram))
		x.expectEvents("events", r.Events, opened.Events)
		x.expect("session_id", id, opened.Info.SessionID)
		x.expect("confirmed", true, need(others[side].Stats()).Confirmed)
		fields.done()
	}
}

// Pools.

var packetOperations = operations{
	"free":    free,
	"session": sessionNew,
	"pool":    packetPoolNew,
	"acquire": func(s step) (outputs, error) {
		packet, err := handle[*keep.PacketPool](s, "on").Acquire()
		return nil, s.bind(take[any](s.object, "as"), packet, err)
	},
	"set":   func(s step) (outputs, error) { return nil, s.packet().Set(takeSettings(s.object)) },
	"unset": func(s step) (outputs, error) { return nil, s.packet().Set(nil) },
	"build": func(s step) (outputs, error) {
		return s.built(handle[*keep.Session](s, "session"), s.request(s.object))
	},
	"build_handshake": func(s step) (outputs, error) {
		return s.built(nil, keep.Request{Kind: keep.PacketHandshake, Events: [][]byte{s.data("payload")}})
	},
	"data": func(s step) (outputs, error) {
		data, err := s.packet().Data()
		return outputs{"packet": data}, err
	},
	"pool_stats": func(s step) (outputs, error) {
		stats, err := handle[*keep.PacketPool](s, "on").Stats()
		return outputs{"capacity": int(stats.Capacity), "in_use": int(stats.InUse), "available": int(stats.Available)}, err
	},
	"session_stats": func(s step) (outputs, error) {
		stats, err := handle[*keep.Session](s, "on").Stats()
		return outputs{"next_counter": fmt.Sprintf("%#x", stats.NextCounter)}, err
	},
}

func (s step) packet() *keep.Packet { return handle[*keep.Packet](s, "on") }

// built builds in the step's packet and gives the datagram.
func (s step) built(session *keep.Session, r keep.Request) (outputs, error) {
	packet := s.packet()
	if err := packet.Build(session, r); err != nil {
		return nil, err
	}
	data, err := packet.Data()
	return outputs{"packet": data}, err
}

func sessionNew(s step) (outputs, error) {
	options := keep.SessionOptions{SessionID: s.wide("session_id"), FirstCounter: s.wide("first_counter"),
		Window: s.number("window", 0)}
	session, err := s.session(options, optional[any](s.object, "tx_key"), optional[any](s.object, "rx_key"))
	return nil, s.bind(take[any](s.object, "as"), session, err)
}

func packetPoolNew(s step) (outputs, error) {
	options := keep.PacketPoolOptions{Capacity: s.number("capacity")}
	if settings := takeSettings(s.object); settings != nil {
		options.Settings = *settings
	}
	pool, err := keep.NewPacketPool(&options)
	return nil, s.bind(take[any](s.object, "as"), pool, err)
}
