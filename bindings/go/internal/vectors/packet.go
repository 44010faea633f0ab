// SPDX-License-Identifier: MIT

package vectors

import (
	"bytes"
	"cmp"
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
		"KEEP_MAX_PACKET_POOLS":    keep.MaxPacketPools,
		"KEEP_MAX_BATCH":           keep.MaxBatch,
	},
	arrays: map[string]array{
		"build":        {"kind packet", buildPacket},
		"build_errors": {"kind status", refusePacket},
		"buffers":      {"op key session_id status", growBuffers},
		"fit":          {"events fits status", fitEvents},
		"max_events":   {"event_len max_events", maxEvents},
		"prefix":       {"session_id prefix", noncePrefix},
		"parse":        {"packet status", parsePacket},
		"open":         {"key session_id window steps stats", openPackets},
		"replay":       {"key session_id window commits", replayPackets},
		"noise":        {handshake, shakeHands},
		"noise_errors": {handshake, shakeHands},
		"pools":        scripts,
	},
	operations: map[string]operation{
		"session":         {"as session_id", bound(sessionNew)},
		"pool":            {"as capacity", bound(packetPoolNew)},
		"acquire":         {"on as", bound(acquirePacket)},
		"set":             {"on settings", setPacket},
		"unset":           {"on", setPacket},
		"build":           {"on session kind", build},
		"build_handshake": {"on payload", buildHandshake},
		"data":            {"on", func(s step) (outputs, error) { return s.built(nil) }},
		"pool_stats":      {"on", tell((*keep.PacketPool).Stats)},
		"session_stats":   {"on", tell((*keep.Session).Stats)},
	},
}

const handshake = "protocol pattern pre_shared_key prologue init_static resp_static init_static_public " +
	"resp_static_public init_ephemeral resp_ephemeral steps"

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
func (s step) session(txKey, rxKey any) (*keep.Session, error) {
	options := keep.SessionOptions{AEAD: wordOf("KEEP_TEST_AEAD", os.Getenv("KEEP_TEST_AEAD"), aeads)}
	fill(s.object, &options)
	if s.take("counter") != nil {
		options.FirstCounter = s.u64("counter")
	}
	for place, key := range map[**keep.Secret]any{&options.TxKey: txKey, &options.RxKey: rxKey} {
		if key != nil {
			*place = need(keep.SecretFromBytes(nil, s.decode(key)))
			defer (*place).Close()
		}
	}
	return keep.NewSession(&options)
}

// sealing and opening use a session made of what the step says.
func (s step) sealing(use func(*keep.Session)) {
	session := need(s.session(s.take("key"), nil))
	defer session.Close()
	use(session)
}

func (s step) opening(use func(*keep.Session)) {
	session := need(s.session(nil, s.take("key")))
	defer session.Close()
	use(session)
}

// Requests.

// events takes events; a count stands for equal ones.
func (s step) events() (events [][]byte) {
	for _, value := range take[[]any](s.object, "events") {
		o, _ := value.(map[string]any)
		if many := (step{o, s.testCase}); many.take("count") != nil {
			events = append(events, slices.Repeat([][]byte{many.bytes("event")}, many.int("count"))...)
		} else {
			events = append(events, s.decode(value))
		}
	}
	return events
}

func (s step) settings() *keep.PacketSettings {
	if s.take("settings") == nil {
		return nil
	}
	settings, part := new(keep.PacketSettings), s.part("settings")
	part.needs("origin_hash subnet_id channel_hash priority hop_ttl")
	fill(part.object, settings)
	return settings
}

func (s step) request() keep.Request {
	r := keep.Request{Kind: word(s, "kind", kinds, keep.PacketData), Settings: s.settings(), Events: s.events()}
	if s.take("handshake_payload") != nil {
		r.Events = [][]byte{s.bytes("handshake_payload")}
	}
	fill(s.object, &r)
	return r
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

// unpacked is what OpenPacked gives: events and status of each datagram, and where they lie.
type unpacked struct {
	plain    []byte
	spans    []keep.Span
	events   [][][]byte
	statuses []string
}

func openPacked(s *keep.Session, datagrams [][]byte, room []byte, spans []keep.Span) unpacked {
	var data []byte
	var ends []uint32
	for _, datagram := range datagrams {
		data = append(data, datagram...)
		ends = append(ends, uint32(len(data)))
	}
	packetEnds, statuses := make([]uint32, len(ends)), make([]uint8, len(ends))
	plain, found, err := s.OpenPacked(room, data, ends, spans, packetEnds, statuses)
	p := unpacked{plain: need(plain, err), spans: found}
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

func expectEvents(what string, want, got [][]byte) {
	equal(what+" count", len(want), len(got))
	for i := range want {
		equal(what, string(want[i]), string(got[i]))
	}
}

// Cases of one packet.

func buildPacket(s step) {
	r := s.request()
	if r.Kind == keep.PacketHandshake {
		buildFrame(s, r)
		return
	}
	s.needs("key session_id counter")
	if r.Kind == keep.PacketData {
		s.needs("stream_id sequence flags subprotocol_id settings events")
	}
	var built []byte
	for name, seal := range waysToSeal(r) {
		s.sealing(func(sender *keep.Session) {
			built = need(seal(sender, r))
			s.expect(name, s.take("packet"), built)
		})
	}
	for name, open := range openers {
		s.opening(func(receiver *keep.Session) {
			expectEvents(name, r.Events, need(open(receiver, built)).Events)
		})
	}
}

// buildFrame builds a handshake frame in both ways. There is no packet where the case expects a failure.
func buildFrame(s step, r keep.Request) {
	frame, err := keep.HandshakeFrame(nil, r.Events[0])
	equal("HandshakeFrame", s.expected(), statusOf(err))
	built, err := buildInPool(nil, r)
	equal("Packet.Build", s.expected(), statusOf(err))
	if err == nil {
		s.expect("HandshakeFrame", s.take("packet"), frame)
		s.expect("Packet.Build", s.take("packet"), built)
		equal("kind", r.Kind, need(keep.PacketParse(frame)).Kind)
	}
}

func refusePacket(s step) {
	r := s.request()
	if r.Kind == keep.PacketHandshake {
		buildFrame(s, r)
		return
	}
	s.needs("key session_id first_counter events next_counter")
	s.sealing(func(sender *keep.Session) {
		for name, seal := range sealers {
			_, err := seal(sender, r)
			equal(name, s.expected(), statusOf(err))
		}
		s.expect("next_counter", s.take("next_counter"), need(sender.Stats()).NextCounter)
	})
}

func growBuffers(s step) {
	word(s, "op", map[string]func(step){"seal": growSealed, "open": growOpened})(s)
}

// A slice has grown because C said that it was too small.
func growSealed(s step) {
	s.needs("first_counter events cap next_counter")
	r, room := s.request(), s.int("cap")
	s.sealing(func(sender *keep.Session) {
		got, err := sender.Seal(make([]byte, 0, room), r)
		status, next := statusOf(err), need(sender.Stats()).NextCounter
		if len(got) > room {
			status, next = keep.ErrBufferTooSmall.Name(), next-1 // the refusal used none
			s.expect("needed_len", s.take("needed_len"), len(got))
		}
		equal("status", s.expected(), status)
		s.expect("next_counter", s.take("next_counter"), next)
		if err == nil {
			s.expect("packet", s.take("packet"), got)
		}
	})
}

func growOpened(s step) {
	s.needs("data_cap event_cap")
	room, spans := make([]byte, 0, s.int("data_cap")), make([]keep.Span, 0, s.int("event_cap"))
	s.opening(func(receiver *keep.Session) {
		got, want := openPacked(receiver, [][]byte{s.bytes("packet")}, room, spans), s.expected()
		if cap(got.plain) > cap(room) || cap(got.spans) > cap(spans) {
			equal("status", want, keep.ErrBufferTooSmall.Name())
			s.expect("needed_data_len", s.take("needed_data_len"), len(got.plain))
			want = keep.OK.Name()
			if s.take("events") == nil { // nothing opens, so no span tells how many were asked for
				equal("room for events", true, cap(got.spans) >= s.int("needed_event_count"))
				return
			}
			s.expect("needed_event_count", s.take("needed_event_count"), len(got.spans))
		}
		equal("status with room", want, got.statuses[0])
		expectEvents("events", s.events(), got.events[0])
	})
}

func fitEvents(s step) {
	n, err := keep.PacketMeasure(s.events())
	equal("status", s.expected(), statusOf(err))
	s.expect("fits", s.take("fits"), err == nil)
	if err == nil {
		s.expect("packet_len", s.take("packet_len"), n)
	}
}

func maxEvents(s step) {
	s.expect("max_events", s.take("max_events"), keep.PacketMaxEvents(s.int("event_len")))
}

func noncePrefix(s step) {
	sender := need(s.session(strings.Repeat("01", 32), nil))
	defer sender.Close()
	s.expect("prefix", s.take("prefix"), need(sender.Heartbeat(nil))[12:16])
}

func parsePacket(s step) {
	info, err := keep.PacketParse(s.bytes("packet"))
	equal("status", s.expected(), statusOf(err))
	if err == nil {
		s.whole("info", told(info))
	}
}

// Cases of many packets.

// expectOpened compares what became of the datagram of a step.
func (s step) expectOpened(got keep.Opened, err error) {
	equal("status", s.expected(), statusOf(err))
	if err == nil {
		s.whole("info", told(got.Info))
		expectEvents("events", s.events(), got.Events)
	}
}

func openPackets(s step) {
	steps := s.parts("steps", "packet status")
	var datagrams [][]byte
	for _, each := range steps {
		datagrams = append(datagrams, each.bytes("packet"))
	}
	for _, open := range openers {
		s.openingAll(func(receiver *keep.Session) {
			for i, each := range steps {
				each.expectOpened(open(receiver, datagrams[i]))
			}
		})
	}
	s.openingAll(func(receiver *keep.Session) {
		for i, got := range need(receiver.OpenBatch([]byte("x"), datagrams)) {
			steps[i].expectOpened(got, failure(got.Status))
		}
	})
	s.openingAll(func(receiver *keep.Session) {
		got := openPacked(receiver, datagrams, []byte("x"), nil)
		for i, each := range steps {
			equal("status of a packed batch", each.expected(), got.statuses[i])
			expectEvents("events of a packed batch", each.events(), got.events[i])
		}
	})
}

// openingAll opens, and compares what the session has counted.
func (s step) openingAll(use func(*keep.Session)) {
	want := s.part("stats")
	want.needs("opened auth_failed replayed malformed")
	s.opening(func(receiver *keep.Session) {
		use(receiver)
		s.compare("stats", want.object, told(need(receiver.Stats())))
	})
}

func replayPackets(s step) {
	s.opening(func(receiver *keep.Session) {
		for _, commit := range s.parts("commits", "counter packet accepted") {
			datagram := commit.bytes("packet")
			s.expect("counter", commit.take("counter"), need(keep.PacketParse(datagram)).Counter)
			_, err := receiver.Open(nil, datagram)
			equal("accepted", map[bool]string{true: "OK", false: "REPLAY"}[commit.bool("accepted")], statusOf(err))
		}
	})
}

// Handshakes.

var noises = map[string]keep.Noise{"IKpsk2": keep.NoiseIKPSK2, "XXpsk3": keep.NoiseXXPSK3}

const initiator, responder = "initiator", "responder"

// both says of a side which is the other.
var both = map[string]string{initiator: responder, responder: initiator}

// exchange is two handshakes, by side.
type exchange struct {
	step
	public map[string][]byte
	sides  map[string]*keep.Handshake
}

func shakeHands(s step) {
	x := exchange{s, map[string][]byte{}, map[string]*keep.Handshake{}}
	defer func() {
		for _, side := range x.sides {
			_ = side.Close()
		}
	}()
	x.begin()
	for _, message := range s.parts("steps", "op side status") {
		run := word(message, "op", map[string]func(step, *keep.Handshake){"write": writeMessage, "read": readMessage})
		run(message, word(message, "side", x.sides))
	}
	if s.take("handshake_hash") != nil {
		x.end()
	}
}

// begin makes both handshakes.
func (x exchange) begin() {
	pattern, remote := word(x.step, "pattern", noises), cmp.Or(x.take("init_remote_static"), x.take("resp_static_public"))
	equal("protocol", "Noise_"+x.text("pattern")+"_25519_ChaChaPoly_SHA256", x.text("protocol"))
	first := keep.HandshakeOptions{Role: keep.Initiator, Pattern: pattern, Prologue: x.bytes("prologue")}
	if pattern == keep.NoiseIKPSK2 {
		first.RemoteStatic = x.decode(remote)
	}
	prologue := x.decode(cmp.Or(x.take("resp_prologue"), x.take("prologue")))
	second := keep.HandshakeOptions{Role: keep.Responder, Pattern: pattern, Prologue: prologue}
	x.make(initiator, "init", first, x.take("pre_shared_key"))
	x.make(responder, "resp", second, cmp.Or(x.take("resp_pre_shared_key"), x.take("pre_shared_key")))
}

func (x exchange) make(side, prefix string, options keep.HandshakeOptions, shared any) {
	for place, value := range map[**keep.Secret]any{
		&options.StaticKey:    x.take(prefix + "_static"),
		&options.EphemeralKey: x.take(prefix + "_ephemeral"),
		&options.PreSharedKey: shared,
	} {
		*place = need(keep.SecretFromBytes(nil, x.decode(value)))
		defer (*place).Close()
	}
	x.public[side] = need(keep.HandshakePublicKey(nil, options.StaticKey))
	x.expect("public key", x.take(prefix+"_static_public"), x.public[side])
	x.sides[side] = need(keep.NewHandshake(&options))
}

func writeMessage(s step, side *keep.Handshake) {
	s.needs("payload")
	message, err := side.Write(nil, s.bytes("payload"))
	equal("write", s.expected(), statusOf(err))
	if err == nil {
		s.expect("message", s.take("message"), message)
		frame := need(keep.HandshakeFrame(nil, message))
		s.expect("frame_header", s.take("frame_header"), frame[:keep.PacketHeaderLen])
	}
}

func readMessage(s step, side *keep.Handshake) {
	s.needs("message")
	payload, err := side.Read(make([]byte, 0, 1), s.bytes("message"))
	equal("read", s.expected(), statusOf(err))
	if err == nil {
		s.expect("payload", s.take("payload"), payload)
	}
}

// end compares what both sides know, and what their sessions and plain ones of the same keys seal.
func (x exchange) end() {
	x.needs("unconfirmed session_id packets key_initiator_to_responder key_responder_to_initiator")
	confirmed, sessions := word(x.step, "unconfirmed", both), map[string]*keep.Session{}
	for side, other := range both {
		info := need(x.sides[side].Info())
		equal("state", keep.HandshakeDone, info.State)
		x.expect("handshake_hash", x.take("handshake_hash"), info.Hash)
		equal("remote static", string(x.public[other]), string(info.RemoteStatic))
		sessions[side] = need(x.sides[side].Session(&keep.SessionOptions{AEAD: aeads[os.Getenv("KEEP_TEST_AEAD")]}))
		equal("confirmed", side == confirmed, need(sessions[side].Stats()).Confirmed)
		_, err := x.sides[side].Session(nil)
		equal("second session", "STATE", statusOf(err))
	}
	x.talk(sessions)
	forth, back := x.take("key_initiator_to_responder"), x.take("key_responder_to_initiator")
	x.talk(map[string]*keep.Session{initiator: need(x.session(forth, back)), responder: need(x.session(back, forth))})
}

// talk sends each side's first packet to the other, and closes the sessions.
func (x exchange) talk(sessions map[string]*keep.Session) {
	defer sessions[initiator].Close()
	defer sessions[responder].Close()
	for _, each := range x.parts("packets", "side stream_id sequence events packet") {
		r, other := each.request(), sessions[word(each, "side", both)]
		datagram := need(sessions[each.text("side")].Seal(nil, r))
		x.expect("packet", each.take("packet"), datagram)
		opened := need(other.Open(nil, datagram))
		expectEvents("events", r.Events, opened.Events)
		x.expect("session_id", x.take("session_id"), opened.Info.SessionID)
		equal("confirmed", true, need(other.Stats()).Confirmed)
	}
}

// Pools.

func (s step) packet() *keep.Packet { return handle[*keep.Packet](s, "on") }

func sessionNew(s step) (*keep.Session, error) {
	return s.session(s.take("tx_key"), s.take("rx_key"))
}

func packetPoolNew(s step) (*keep.PacketPool, error) {
	options := keep.PacketPoolOptions{Capacity: s.int("capacity")}
	if settings := s.settings(); settings != nil {
		options.Settings = *settings
	}
	return keep.NewPacketPool(&options)
}

func acquirePacket(s step) (*keep.Packet, error) {
	return handle[*keep.PacketPool](s, "on").Acquire()
}

// setPacket sets what is there, or the pool's settings again.
func setPacket(s step) (outputs, error) {
	return nil, s.packet().Set(s.settings())
}

func build(s step) (outputs, error) {
	return s.built(s.packet().Build(handle[*keep.Session](s, "session"), s.request()))
}

func buildHandshake(s step) (outputs, error) {
	frame := keep.Request{Kind: keep.PacketHandshake, Events: [][]byte{s.bytes("payload")}}
	return s.built(s.packet().Build(nil, frame))
}

// built gives the datagram in the step's packet, unless building it has failed.
func (s step) built(err error) (outputs, error) {
	if err != nil {
		return nil, err
	}
	data, err := s.packet().Data()
	return outputs{"packet": data}, err
}
