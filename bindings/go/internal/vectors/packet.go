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
		"KEEP_MAX_BATCH":           keep.MaxBatch,
	},
	arrays: map[string]array{
		"build":        {"kind packet", buildPacket},
		"build_errors": {"kind status", refusePacket},
		"buffers":      {"op key session_id packet status", growBuffers},
		"fit":          {"events fits", fitEvents},
		"max_events":   {"event_len max_events", maxEvents},
		"prefix":       {"session_id prefix", noncePrefix},
		"parse":        {"packet", parsePacket},
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
		"build_handshake": {"on payload", buildFrame},
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
func (c *testCase) session(o object, txKey, rxKey any) (*keep.Session, error) {
	options := keep.SessionOptions{AEAD: wordOf("KEEP_TEST_AEAD", os.Getenv("KEEP_TEST_AEAD"), aeads)}
	fill(o, &options)
	if o.take("counter") != nil {
		options.FirstCounter = number[uint64](o, "counter")
	}
	for place, key := range map[**keep.Secret]any{&options.TxKey: txKey, &options.RxKey: rxKey} {
		if key != nil {
			*place = need(keep.SecretFromBytes(nil, c.bytes(key)))
			defer (*place).Close()
		}
	}
	return keep.NewSession(&options)
}

// sealing and opening use a session made of what the case says.
func (c *testCase) sealing(use func(*keep.Session)) {
	s := need(c.session(c.fields, c.fields.take("key"), nil))
	defer s.Close()
	use(s)
}

func (c *testCase) opening(use func(*keep.Session)) {
	s := need(c.session(c.fields, nil, c.fields.take("key")))
	defer s.Close()
	use(s)
}

// Requests.

// events takes events; a count stands for equal ones.
func (c *testCase) events(o object) (events [][]byte) {
	for _, value := range take[[]any](o, "events") {
		if many, _ := value.(map[string]any); object(many).take("count") != nil {
			events = append(events, slices.Repeat([][]byte{c.data(many, "event")}, number[int](many, "count"))...)
		} else {
			events = append(events, c.bytes(value))
		}
	}
	return events
}

func takeSettings(o object) *keep.PacketSettings {
	fields := object(take[map[string]any](o, "settings"))
	if fields == nil {
		return nil
	}
	settings := new(keep.PacketSettings)
	fill(fields, settings)
	fields.needs("origin_hash subnet_id channel_hash priority hop_ttl")
	return settings
}

func (c *testCase) request(o object) keep.Request {
	r := keep.Request{
		Kind: word(o, "kind", kinds, keep.PacketData), Settings: takeSettings(o), Events: c.events(o),
	}
	if r.Kind == keep.PacketHandshake && o.take("handshake_payload") != nil {
		r.Events = [][]byte{c.data(o, "handshake_payload")}
	}
	fill(o, &r)
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

func (c *testCase) expectEvents(what string, want, got [][]byte) {
	c.equal(what+" count", len(want), len(got))
	for i := range want {
		c.equal(what, string(want[i]), string(got[i]))
	}
}

// Cases of one packet.

func buildPacket(c *testCase) {
	r, want := c.request(c.fields), c.fields.take("packet")
	if r.Kind == keep.PacketHandshake {
		c.frame(r, want)
		return
	}
	c.fields.needs("key session_id counter")
	for name, seal := range waysToSeal(r) {
		c.sealing(func(s *keep.Session) { c.expect(name, want, need(seal(s, r))) })
	}
	for name, open := range openers {
		c.opening(func(s *keep.Session) { c.expectEvents(name, r.Events, need(open(s, c.bytes(want))).Events) })
	}
}

// frame builds a handshake frame in both ways. No packet is wanted where the case expects a failure.
func (c *testCase) frame(r keep.Request, want any) {
	frame, err := keep.HandshakeFrame(nil, r.Events[0])
	c.equal("HandshakeFrame", expected(c.fields), statusOf(err))
	built, err := buildInPool(nil, r)
	c.equal("Packet.Build", expected(c.fields), statusOf(err))
	if want != nil {
		c.expect("HandshakeFrame", want, frame)
		c.expect("Packet.Build", want, built)
		c.equal("kind", r.Kind, need(keep.PacketParse(frame)).Kind)
	}
}

func refusePacket(c *testCase) {
	r := c.request(c.fields)
	if r.Kind == keep.PacketHandshake {
		c.frame(r, nil)
		return
	}
	c.fields.needs("key session_id first_counter next_counter")
	c.sealing(func(s *keep.Session) {
		for name, seal := range sealers {
			_, err := seal(s, r)
			c.equal(name, expected(c.fields), statusOf(err))
		}
		c.expect("next_counter", c.fields.take("next_counter"), need(s.Stats()).NextCounter)
	})
}

func growBuffers(c *testCase) {
	word(c.fields, "op", map[string]func(*testCase){"seal": growSealed, "open": growOpened})(c)
}

// statusOfRoom is the status that a call without growing would have had: it has grown, because C said so.
func statusOfRoom(hasGrown bool) string {
	if hasGrown {
		return keep.ErrBufferTooSmall.Name()
	}
	return keep.OK.Name()
}

func growSealed(c *testCase) {
	c.fields.needs("first_counter cap needed_len next_counter")
	r, room := c.request(c.fields), number[int](c.fields, "cap")
	c.sealing(func(s *keep.Session) {
		got := need(s.Seal(make([]byte, 0, room), r))
		c.expect("needed_len", c.fields.take("needed_len"), len(got))
		c.equal("status", expected(c.fields), statusOfRoom(len(got) > room))
		c.expect("packet", c.fields.take("packet"), got)
		c.expect("next_counter", c.fields.take("next_counter"), need(s.Stats()).NextCounter-1) // the refusal used none
	})
}

func growOpened(c *testCase) {
	c.fields.needs("data_cap event_cap")
	room := make([]byte, 0, number[int](c.fields, "data_cap"))
	spans := make([]keep.Span, 0, number[int](c.fields, "event_cap"))
	c.opening(func(s *keep.Session) {
		got := openPacked(s, [][]byte{c.data(c.fields, "packet")}, room, spans)
		if got.statuses[0] != keep.OK.Name() {
			c.equal("status", expected(c.fields), got.statuses[0])
			return
		}
		c.equal("status", expected(c.fields), statusOfRoom(len(got.plain) > cap(room) || len(got.spans) > cap(spans)))
		c.expect("needed_data_len", c.fields.take("needed_data_len"), len(got.plain))
		c.expect("needed_event_count", c.fields.take("needed_event_count"), len(got.spans))
		c.expectEvents("events", c.events(c.fields), got.events[0])
	})
}

func fitEvents(c *testCase) {
	n, err := keep.PacketMeasure(c.events(c.fields))
	c.equal("status", expected(c.fields), statusOf(err))
	c.expect("fits", c.fields.take("fits"), err == nil)
	if err == nil {
		c.expect("packet_len", c.fields.take("packet_len"), n)
	}
}

func maxEvents(c *testCase) {
	c.expect("max_events", c.fields.take("max_events"), keep.PacketMaxEvents(number[int](c.fields, "event_len")))
}

func noncePrefix(c *testCase) {
	s := need(c.session(c.fields, strings.Repeat("01", 32), nil))
	defer s.Close()
	c.expect("prefix", c.fields.take("prefix"), need(s.Heartbeat(nil))[12:16])
}

func parsePacket(c *testCase) {
	info, err := keep.PacketParse(c.data(c.fields, "packet"))
	c.equal("status", expected(c.fields), statusOf(err))
	if err == nil {
		c.whole("info", take[map[string]any](c.fields, "info"), told(info))
	}
}

// Cases of many packets.

// expectOpened compares what became of the datagram of a step.
func (c *testCase) expectOpened(step object, got keep.Opened, err error) {
	c.equal("status", expected(step), statusOf(err))
	if err == nil {
		c.whole("info", take[map[string]any](step, "info"), told(got.Info))
		c.expectEvents("events", c.events(step), got.Events)
	}
}

func openPackets(c *testCase) {
	steps := c.fields.list("steps")
	var datagrams [][]byte
	for _, step := range steps {
		step.needs("packet")
		datagrams = append(datagrams, c.data(step, "packet"))
	}
	for _, open := range openers {
		c.openingAll(func(s *keep.Session) {
			for i, step := range steps {
				got, err := open(s, datagrams[i])
				c.expectOpened(step, got, err)
			}
		})
	}
	c.openingAll(func(s *keep.Session) {
		for i, got := range need(s.OpenBatch([]byte("x"), datagrams)) {
			c.expectOpened(steps[i], got, failure(got.Status))
		}
	})
	c.openingAll(func(s *keep.Session) {
		got := openPacked(s, datagrams, []byte("x"), nil)
		for i, step := range steps {
			c.equal("status of a packed batch", expected(step), got.statuses[i])
			c.expectEvents("events of a packed batch", c.events(step), got.events[i])
		}
	})
}

// openingAll opens, and compares what the session has counted.
func (c *testCase) openingAll(use func(*keep.Session)) {
	want := object(take[map[string]any](c.fields, "stats"))
	want.needs("opened auth_failed replayed malformed")
	c.opening(func(s *keep.Session) {
		use(s)
		c.compare("stats", want, told(need(s.Stats())))
	})
}

func replayPackets(c *testCase) {
	c.opening(func(s *keep.Session) {
		for _, commit := range c.fields.list("commits") {
			commit.needs("counter packet accepted")
			datagram := c.data(commit, "packet")
			c.expect("counter", commit.take("counter"), need(keep.PacketParse(datagram)).Counter)
			want := map[bool]string{true: "OK", false: "REPLAY"}[take[bool](commit, "accepted")]
			_, err := s.Open(nil, datagram)
			c.equal("accepted", want, statusOf(err))
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
	*testCase
	public map[string][]byte
	sides  map[string]*keep.Handshake
}

func shakeHands(c *testCase) {
	x := exchange{c, map[string][]byte{}, map[string]*keep.Handshake{}}
	defer func() {
		for _, side := range x.sides {
			_ = side.Close()
		}
	}()
	x.begin()
	for _, step := range c.fields.list("steps") {
		run := word(step, "op", map[string]func(object, *keep.Handshake){"write": x.write, "read": x.read})
		run(step, word(step, "side", x.sides))
	}
	if c.fields.take("handshake_hash") != nil {
		x.end()
	}
}

// begin makes both handshakes.
func (x exchange) begin() {
	f := x.fields
	pattern, remote := word(f, "pattern", noises), cmp.Or(f.take("init_remote_static"), f.take("resp_static_public"))
	x.equal("protocol", "Noise_"+take[string](f, "pattern")+"_25519_ChaChaPoly_SHA256", f.take("protocol"))
	forInitiator := keep.HandshakeOptions{Role: keep.Initiator, Pattern: pattern, Prologue: x.data(f, "prologue")}
	if pattern == keep.NoiseIKPSK2 {
		forInitiator.RemoteStatic = x.bytes(remote)
	}
	prologue := x.bytes(cmp.Or(f.take("resp_prologue"), f.take("prologue")))
	forResponder := keep.HandshakeOptions{Role: keep.Responder, Pattern: pattern, Prologue: prologue}
	x.make(initiator, "init", forInitiator, f.take("pre_shared_key"))
	x.make(responder, "resp", forResponder, cmp.Or(f.take("resp_pre_shared_key"), f.take("pre_shared_key")))
}

func (x exchange) make(side, prefix string, options keep.HandshakeOptions, shared any) {
	for place, value := range map[**keep.Secret]any{
		&options.StaticKey:    x.fields.take(prefix + "_static"),
		&options.EphemeralKey: x.fields.take(prefix + "_ephemeral"),
		&options.PreSharedKey: shared,
	} {
		*place = need(keep.SecretFromBytes(nil, x.bytes(value)))
		defer (*place).Close()
	}
	x.public[side] = need(keep.HandshakePublicKey(nil, options.StaticKey))
	x.expect("public key", x.fields.take(prefix+"_static_public"), x.public[side])
	x.sides[side] = need(keep.NewHandshake(&options))
}

func (x exchange) write(step object, side *keep.Handshake) {
	step.needs("payload")
	message, err := side.Write(nil, x.data(step, "payload"))
	x.equal("write", expected(step), statusOf(err))
	if err == nil {
		x.expect("message", step.take("message"), message)
		frame := need(keep.HandshakeFrame(nil, message))
		x.expect("frame_header", step.take("frame_header"), frame[:keep.PacketHeaderLen])
	}
}

func (x exchange) read(step object, side *keep.Handshake) {
	step.needs("message")
	payload, err := side.Read(make([]byte, 0, 1), x.data(step, "message"))
	x.equal("read", expected(step), statusOf(err))
	if err == nil {
		x.expect("payload", step.take("payload"), payload)
	}
}

// end compares what both sides know, and what their sessions and plain ones of the same keys seal.
func (x exchange) end() {
	f := x.fields
	f.needs("unconfirmed session_id packets key_initiator_to_responder key_responder_to_initiator")
	sessions := map[string]*keep.Session{}
	for side, other := range both {
		info := need(x.sides[side].Info())
		x.equal("state", keep.HandshakeDone, info.State)
		x.expect("handshake_hash", f.take("handshake_hash"), info.Hash)
		x.equal("remote static", string(x.public[other]), string(info.RemoteStatic))
		sessions[side] = need(x.sides[side].Session(&keep.SessionOptions{AEAD: aeads[os.Getenv("KEEP_TEST_AEAD")]}))
		confirmed := need(sessions[side].Stats()).Confirmed
		x.equal("confirmed", word(f, "unconfirmed", both) == side, confirmed)
		_, err := x.sides[side].Session(nil)
		x.equal("second session", "STATE", statusOf(err))
	}
	x.talk(sessions)
	forth, back := f.take("key_initiator_to_responder"), f.take("key_responder_to_initiator")
	x.talk(map[string]*keep.Session{
		initiator: need(x.session(f, forth, back)),
		responder: need(x.session(f, back, forth)),
	})
}

// talk sends each side's first packet to the other, and closes the sessions.
func (x exchange) talk(sessions map[string]*keep.Session) {
	defer sessions[initiator].Close()
	defer sessions[responder].Close()
	for _, each := range x.fields.list("packets") {
		each.needs("side stream_id sequence events packet")
		r, other := x.request(each), sessions[word(each, "side", both)]
		datagram := need(word(each, "side", sessions).Seal(nil, r))
		x.expect("packet", each.take("packet"), datagram)
		opened := need(other.Open(nil, datagram))
		x.expectEvents("events", r.Events, opened.Events)
		x.expect("session_id", x.fields.take("session_id"), opened.Info.SessionID)
		x.equal("confirmed", true, need(other.Stats()).Confirmed)
	}
}

// Pools.

func (s step) packet() *keep.Packet { return handle[*keep.Packet](s, "on") }

func sessionNew(s step) (*keep.Session, error) {
	return s.session(s.object, s.take("tx_key"), s.take("rx_key"))
}

func packetPoolNew(s step) (*keep.PacketPool, error) {
	options := keep.PacketPoolOptions{Capacity: number[int](s.object, "capacity")}
	if settings := takeSettings(s.object); settings != nil {
		options.Settings = *settings
	}
	return keep.NewPacketPool(&options)
}

func acquirePacket(s step) (*keep.Packet, error) {
	return handle[*keep.PacketPool](s, "on").Acquire()
}

// setPacket sets what is there, or the pool's settings again.
func setPacket(s step) (outputs, error) {
	return nil, s.packet().Set(takeSettings(s.object))
}

func build(s step) (outputs, error) {
	return s.built(s.packet().Build(handle[*keep.Session](s, "session"), s.request(s.object)))
}

func buildFrame(s step) (outputs, error) {
	frame := keep.Request{Kind: keep.PacketHandshake, Events: [][]byte{s.data(s.object, "payload")}}
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
