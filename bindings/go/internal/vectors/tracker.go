// SPDX-License-Identifier: MIT

package vectors

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"syscall"

	keep "github.com/libkeep/libkeep/bindings/go"
)

var tracker = schema{
	constants: map[string]int{
		"KEEP_BEAT_LEN":           keep.BeatLen,
		"KEEP_BEAT_SHARED_LEN":    keep.BeatSharedLen,
		"KEEP_BEAT_MASTER_LEN":    keep.BeatMasterLen,
		"KEEP_MAX_AGENTS":         keep.MaxAgents,
		"KEEP_DEFAULT_AGENTS":     keep.DefaultAgents,
		"KEEP_MAX_LISTENERS":      keep.MaxListeners,
		"KEEP_MAX_BEAT_KEYS":      keep.MaxBeatKeys,
		"KEEP_MAX_ALLOWED_UIDS":   keep.MaxAllowedUIDs,
		"KEEP_MAX_SEALED_SENDERS": keep.MaxSealedSenders,
		"KEEP_MAX_BATCH":          keep.MaxBatch,
		"KEEP_PID_UNKNOWN":        int(keep.PIDUnknown),
	},
	arrays: map[string]array{
		"crc32c":           {"data crc", knownAnswers},
		"beat_frames":      {"health pid timestamp_ns nonce payload wire", knownAnswers},
		"beat_rejects":     {"wire fault", knownAnswers},
		"beat_bit_flips":   {"wire faults", bitFlips},
		"notice_frames":    {"op pid threshold_ms grace_ms nonce misses wire", knownAnswers},
		"notice_rejects":   {"wire fault", knownAnswers},
		"sealed_frames":    {"mode key iv_prefix iv_counter frame wire", knownAnswers},
		"sealed_rejects":   {"mode key wire", knownAnswers},
		"agent_keys":       {"master pid key", agentKey},
		"iv_prefixes":      {"salt index prefix", knownAnswers},
		"token_buckets":    {"rate burst calls", tokenBucket},
		"send_errors":      {"error outcome", sendError},
		"tracker_scripts":  scripts,
		"observer_scripts": scripts,
		"beacon_scripts":   scripts,
	},
	operations: map[string]operation{
		"tracker":       {"as", bound(trackerNew)},
		"record":        {"on pid nonce now_ns", record},
		"fill":          {"on first last now_ns", fillRange},
		"fill_pids":     {"on pids now_ns", func(s step) (outputs, error) { return fillPIDs(s, numbers[uint32](s.object, "pids")) }},
		"beats":         {"on pid nonce now_ns step_ns count", beats},
		"put":           {"on pid now_ns", putAgent},
		"delete":        {"on pid reason now_ns", deleteAgent},
		"get":           {"on pid now_ns", getAgent},
		"next_deadline": {"on", nextDeadline},
		"drain":         {"on now_ns", drain},
		"stats":         {"on", stats},
		"observer":      {"as tracker", bound(observerNew)},
		"add_key":       {"on mode key", addKey},
		"feed":          {"on now_ns datagrams", feed},
		"exit":          {"on pid generation now_ns", exit},
		"senders":       {"on now_ns first last nonce", senders},
		"beacon":        {"as pid", bound(beaconNew)},
		"prepare":       {"on health payload now_ns", prepare},
		"commit":        {"on error", commit},
		"reconnect":     {"on", on((*keep.Beacon).Reconnect)},
		"restart":       {"on", on((*keep.Beacon).Restart)},
	},
}

// Words.

var (
	origins = wordsOf(keep.OriginNetwork, keep.OriginSocketMode, keep.OriginOperator, keep.OriginKernel, keep.OriginNone)
	faults  = wordsOf(keep.FaultBadLength, keep.FaultBadMagic, keep.FaultBadVersion, keep.FaultBadCRC, keep.FaultBadStatus,
		keep.FaultStallOnWire, keep.FaultBadPID, keep.FaultBadTimestamp, keep.FaultBadNonce, keep.FaultBadReserved)
	policies  = map[string]keep.EvictionPolicy{"strict": keep.PolicyStrict, "balanced": keep.PolicyBalanced}
	beatModes = map[string]keep.BeatMode{"shared": keep.BeatShared, "master": keep.BeatMaster}
	notices   = map[string]uint8{"register": 1, "goodbye": 2}
	reasons   = map[string]keep.DeleteReason{
		"goodbye": keep.ReasonGoodbye, "exited": keep.ReasonExited, "recycled": keep.ReasonRecycled,
		"operator": keep.ReasonOperator,
	}
	admissionFlags = map[string]keep.AdmissionFlags{
		"evicted": keep.AdmissionEvicted, "recovered": keep.AdmissionRecovered, "recycled": keep.AdmissionRecycled,
		"terminal": keep.AdmissionTerminal, "upgraded": keep.AdmissionUpgraded, "wrapped": keep.AdmissionWrapped,
	}
	sources = map[string]keep.DatagramSource{
		"unix": keep.SourceUnix, "udp": keep.SourceUDP, "udp_sealed": keep.SourceUDPSealed,
	}
	marks = map[string]keep.DatagramMarks{
		"truncated": keep.MarkTruncated, "no_credentials": keep.MarkNoCredentials, "sender_gone": keep.MarkSenderGone,
		"attested": keep.MarkAttested,
	}
	sendErrors = map[string]syscall.Errno{
		"none": 0, "EPERM": syscall.EPERM, "ENOENT": syscall.ENOENT, "EINTR": syscall.EINTR, "EIO": syscall.EIO,
		"ENXIO": syscall.ENXIO, "EBADF": syscall.EBADF, "EAGAIN": syscall.EAGAIN, "ENOMEM": syscall.ENOMEM,
		"EACCES": syscall.EACCES, "EFAULT": syscall.EFAULT, "EBUSY": syscall.EBUSY, "ENODEV": syscall.ENODEV,
		"ENOTDIR": syscall.ENOTDIR, "EINVAL": syscall.EINVAL, "ENFILE": syscall.ENFILE, "EMFILE": syscall.EMFILE,
		"ENOSPC": syscall.ENOSPC, "EROFS": syscall.EROFS, "EPIPE": syscall.EPIPE, "EDEADLK": syscall.EDEADLK,
		"ENAMETOOLONG": syscall.ENAMETOOLONG, "ENOSYS": syscall.ENOSYS, "ELOOP": syscall.ELOOP,
		"EPROTO": syscall.EPROTO, "EBADMSG": syscall.EBADMSG, "EOVERFLOW": syscall.EOVERFLOW,
		"ENOTSOCK": syscall.ENOTSOCK, "EDESTADDRREQ": syscall.EDESTADDRREQ, "EMSGSIZE": syscall.EMSGSIZE,
		"EPROTOTYPE": syscall.EPROTOTYPE, "ENOPROTOOPT": syscall.ENOPROTOOPT,
		"EPROTONOSUPPORT": syscall.EPROTONOSUPPORT, "EOPNOTSUPP": syscall.EOPNOTSUPP,
		"EAFNOSUPPORT": syscall.EAFNOSUPPORT, "EADDRINUSE": syscall.EADDRINUSE,
		"EADDRNOTAVAIL": syscall.EADDRNOTAVAIL, "ENETDOWN": syscall.ENETDOWN, "ENETUNREACH": syscall.ENETUNREACH,
		"ENETRESET": syscall.ENETRESET, "ECONNABORTED": syscall.ECONNABORTED, "ECONNRESET": syscall.ECONNRESET,
		"ENOBUFS": syscall.ENOBUFS, "EISCONN": syscall.EISCONN, "ENOTCONN": syscall.ENOTCONN,
		"ESHUTDOWN": syscall.ESHUTDOWN, "ETIMEDOUT": syscall.ETIMEDOUT, "ECONNREFUSED": syscall.ECONNREFUSED,
		"EHOSTDOWN": syscall.EHOSTDOWN, "EHOSTUNREACH": syscall.EHOSTUNREACH, "EALREADY": syscall.EALREADY,
		"EINPROGRESS": syscall.EINPROGRESS, "EDQUOT": syscall.EDQUOT, "ECANCELED": syscall.ECANCELED,
	}
)

// Known answers.

// piece takes a part of packed bytes.
type piece func(step) any

func u8(key string) piece  { return func(s step) any { return s.u8(key) } }
func u32(key string) piece { return func(s step) any { return s.u32(key) } }
func u64(key string) piece { return func(s step) any { return s.u64(key) } }
func raw(key string) piece { return func(s step) any { return s.bytes(key) } }

func byteOf[T ~uint8 | ~uint32](key string, table map[string]T) piece {
	return func(s step) any { return uint8(word(s, key, table)) }
}

var (
	mode    = byteOf("mode", beatModes)
	fault   = byteOf("fault", faults)
	beat    = []piece{u8("health"), u32("pid"), u64("timestamp_ns"), u64("nonce"), u32("payload")}
	notice  = []piece{byteOf("op", notices), u32("pid"), u32("threshold_ms"), u32("grace_ms"), u64("nonce"), u8("misses")}
	sealing = []piece{mode, raw("key"), u32("pid"), raw("iv_prefix"), u32("iv_counter"), raw("frame")}
	wire    = []piece{raw("wire")}
	sealed  = []piece{mode, raw("key"), raw("wire")}
)

// answers are what the cases of an array ask.
var answers = map[string][]asked{
	"crc32c":         {{"crc32c", []piece{raw("data")}, []piece{u32("crc")}, keep.OK}},
	"beat_frames":    bothWays("beat", beat),
	"notice_frames":  bothWays("notice", notice),
	"beat_rejects":   refused("beat", fault, u64("value")),
	"notice_rejects": refused("notice", fault),
	"sealed_frames":  {{"beat.seal", sealing, wire, keep.OK}, {"beat.open", sealed, []piece{raw("frame")}, keep.OK}},
	"sealed_rejects": {{"beat.open", sealed, nil, keep.ErrAuth}},
	"iv_prefixes":    {{"iv.prefix", []piece{raw("salt"), u32("index")}, []piece{raw("prefix")}, keep.OK}},
}

// asked is one question: name of in gives out, or a status.
type asked struct {
	name    string
	in, out []piece
	status  keep.Status
}

func bothWays(frame string, fields []piece) []asked {
	return []asked{{frame + ".encode", fields, wire, keep.OK}, {frame + ".decode", wire, fields, keep.OK}}
}

func refused(frame string, why ...piece) []asked {
	return []asked{{frame + ".decode", wire, nil, keep.ErrMalformed}, {frame + ".fault", wire, why, keep.OK}}
}

func knownAnswers(s step) {
	for _, each := range answers[s.array] {
		got, err := ask(each.name, s.pack(each.in))
		equal(each.name, each.status.Name(), statusOf(err))
		want := s.pack(each.out)
		if s.array == "notice_rejects" { // whose value nobody defines
			got = got[:min(len(want), len(got))]
		}
		if string(want) != string(got) {
			fail(each.name, packed(want), got)
		}
	}
}

func (s step) pack(pieces []piece) (b []byte) {
	for _, take := range pieces {
		b = append(b, packed(take(s))...)
	}
	return b
}

// packed gives values of fixed size back to back, little-endian.
func packed(values ...any) (b []byte) {
	for _, value := range values {
		b = need(binary.Append(b, binary.LittleEndian, value))
	}
	return b
}

// ask asks for an answer, with both ways to append it.
func ask(name string, in []byte) ([]byte, error) {
	out, err := appended(func(dst []byte) ([]byte, error) { return keep.TrackerKnownAnswer(dst, name, in) })
	return out["data"].([]byte), err
}

func bitFlips(s step) {
	wire, got := s.bytes("wire"), outputs{}
	for bit := range 8 * len(wire) {
		flipped := slices.Clone(wire)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, err := ask("beat.decode", flipped)
		equal("beat.decode", keep.ErrMalformed.Name(), statusOf(err))
		fault := keep.Fault(need(ask("beat.fault", flipped))[0]).String()
		before, _ := got[fault].(int)
		got[fault] = before + 1
	}
	s.whole("faults", got)
}

func agentKey(s step) {
	master := need(keep.SecretFromBytes(nil, s.bytes("master")))
	defer master.Close()
	agent := need(keep.BeaconAgentKey(master, s.u32("pid")))
	defer agent.Close()
	s.expect("key", s.take("key"), need(agent.Reveal(nil)))
}

// Trackers.

func (s step) tracker() *keep.Tracker   { return handle[*keep.Tracker](s, "on") }
func (s step) observer() *keep.Observer { return handle[*keep.Observer](s, "on") }
func (s step) beacon() *keep.Beacon     { return handle[*keep.Beacon](s, "on") }
func (s step) pid() uint32              { return s.u32("pid") }
func (s step) nonce() uint64            { return s.u64("nonce") }
func (s step) now() uint64              { return s.u64("now_ns") }

func trackerNew(s step) (*keep.Tracker, error) {
	options := keep.NewTrackerOptions()
	fill(s.object, options)
	options.Policy = word(s, "policy", policies, options.Policy)
	options.Statistics = s.u8("statistics") == 1
	return keep.NewTracker(options)
}

func record(s step) (outputs, error) {
	sighting := keep.Sighting{TimestampNS: s.nonce(), Origin: word(s, "origin", origins, keep.OriginKernel)}
	fill(s.object, &sighting)
	if s.bool("unnumbered") {
		sighting.Flags = keep.SightingUnnumbered
	}
	admission, err := s.tracker().Record(sighting, s.now())
	out, flags := told(admission), []string{}
	for _, name := range slices.Sorted(maps.Keys(admissionFlags)) {
		if admission.Flags&admissionFlags[name] != 0 {
			flags = append(flags, name)
		}
	}
	out["flags"] = flags
	return out, err
}

func fillRange(s step) (outputs, error) {
	first, last := s.u32("first"), s.u32("last")
	pids := make([]uint32, last-first+1)
	for i := range pids {
		pids[i] = first + uint32(i)
	}
	return fillPIDs(s, pids)
}

// fillPIDs records a first beat of each pid, in batches.
func fillPIDs(s step, pids []uint32) (outputs, error) {
	for batch := range slices.Chunk(pids, keep.MaxBatch) {
		var sightings []keep.Sighting
		for _, pid := range batch {
			sightings = append(sightings, keep.Sighting{PID: pid, Nonce: 1, TimestampNS: 1, Origin: keep.OriginKernel})
		}
		admissions, err := s.tracker().RecordBatch(nil, sightings, s.now())
		if err != nil {
			return nil, err
		}
		for _, admission := range admissions {
			equal("verdict", keep.VerdictInserted, admission.Verdict)
		}
	}
	return nil, nil
}

func beats(s step) (outputs, error) {
	sighting := keep.Sighting{PID: s.pid(), Origin: keep.OriginKernel}
	for i := range s.u64("count") {
		sighting.Nonce, sighting.TimestampNS = s.nonce()+i, s.nonce()+i
		admission := need(s.tracker().Record(sighting, s.now()+i*s.u64("step_ns")))
		equal("verdict", keep.VerdictRefreshed, admission.Verdict)
	}
	return nil, nil
}

func putAgent(s step) (outputs, error) {
	var settings keep.AgentSettings
	fill(s.object, &settings)
	evicted, err := s.tracker().Put(s.pid(), &settings, s.now())
	return outputs{"evicted_pid": evicted}, err
}

func deleteAgent(s step) (outputs, error) {
	return nil, s.tracker().Delete(s.pid(), word(s, "reason", reasons), s.now())
}

func getAgent(s step) (outputs, error) {
	agent, err := s.tracker().Get(s.pid(), s.now())
	return told(agent), err
}

func nextDeadline(s step) (outputs, error) {
	deadline, err := s.tracker().NextDeadline()
	return outputs{"deadline_ns": deadline}, err
}

// drain drains a tracker, or feeds an observer nothing.
func drain(s step) (outputs, error) {
	if _, isObserver := handle[io.Closer](s, "on").(*keep.Observer); isObserver {
		return s.fed(nil)
	}
	var room []keep.Alarm
	if s.take("cap") != nil {
		room = make([]keep.Alarm, 0, s.int("cap"))
	}
	alarms, err := s.tracker().Drain(room, s.now())
	return outputs{"alarms": alarms, "count": len(alarms)}, err
}

// stats tells the counters of a tracker or an observer.
func stats(s step) (outputs, error) {
	if _, isObserver := handle[io.Closer](s, "on").(*keep.Observer); isObserver {
		return tell((*keep.Observer).Stats)(s)
	}
	return tell((*keep.Tracker).Stats)(s)
}

// Observers.

func observerNew(s step) (*keep.Observer, error) {
	options := keep.NewObserverOptions()
	options.UIDs, options.MaxPIDFDs = numbers[uint32](s.object, "uids"), s.int("max_pidfds")
	fill(s.object, options)
	return keep.NewObserver(handle[*keep.Tracker](s, "tracker"), options)
}

func addKey(s step) (outputs, error) {
	key := need(keep.SecretFromBytes(nil, s.bytes("key")))
	defer key.Close()
	return nil, s.observer().AddKey(key, word(s, "mode", beatModes))
}

func feed(s step) (outputs, error) {
	var datagrams []keep.Datagram
	for _, o := range s.parts("datagrams", "from data") {
		datagram := keep.Datagram{Data: o.bytes("data"), Source: word(o, "from", sources)}
		fill(o.object, &datagram)
		for _, mark := range take[[]any](o.object, "marks") {
			datagram.Marks |= wordOf("marks", mark, marks)
		}
		datagrams = append(datagrams, datagram)
	}
	return s.fed(datagrams)
}

func exit(s step) (outputs, error) {
	ended := keep.Datagram{Source: keep.SourceExit, KernelPID: s.pid(), Generation: s.u64("generation")}
	return s.fed([]keep.Datagram{ended})
}

// senders feeds one beat of each pid, sealed with the shared key 00 01 … 1f.
func senders(s step) (outputs, error) {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	var datagrams []keep.Datagram
	for pid := s.u32("first"); pid <= s.u32("last"); pid++ {
		sealing := packed(keep.BeatShared, key, uint32(0), uint64(0), pid, frameOf(pid, s.nonce()))
		datagrams = append(datagrams, keep.Datagram{Source: keep.SourceUDPSealed, Data: need(ask("beat.seal", sealing))})
	}
	return s.fed(datagrams)
}

// frameOf gives a beat whose timestamp is its nonce.
func frameOf(pid uint32, nonce uint64) []byte {
	return need(ask("beat.encode", packed(keep.HealthOK, pid, nonce, nonce, uint32(0))))
}

// event is one as the files have it.
type event struct {
	keep.Event
	Fault      keep.Fault
	Posthumous bool
}

// fed feeds datagrams and tells the events.
func (s step) fed(datagrams []keep.Datagram) (outputs, error) {
	events, err := s.observer().Feed(nil, datagrams, s.now())
	var list []event
	for _, e := range events {
		list = append(list, event{e, keep.Fault(e.Detail), e.Detail == 1})
	}
	return outputs{"events": list}, err
}

func tokenBucket(s step) {
	small, options := keep.NewTrackerOptions(), keep.NewObserverOptions()
	small.Capacity = 1024
	options.AnyUID, options.ReportBeats, options.PerPIDRate = true, true, 0
	options.GlobalRate, options.GlobalBurst = s.int("rate"), s.int("burst")
	ledger := need(keep.NewTracker(small))
	defer ledger.Close()
	observer := need(keep.NewObserver(ledger, options))
	defer observer.Close()
	for i, call := range s.parts("calls", "now_ns allow") {
		pid := uint32(1000 + i)
		events := need(observer.Feed(nil, []keep.Datagram{{
			Source: keep.SourceUnix, KernelPID: pid, Data: frameOf(pid, 1), NSInode: 1, Generation: 1,
		}}, call.u64("now_ns")))
		s.expect("allow", call.take("allow"), len(events) > 0 && events[0].Kind == keep.EventBeat)
	}
}

// Beacons.

func beaconNew(s step) (*keep.Beacon, error) {
	options := keep.NewBeaconOptions()
	options.AgentPID = s.pid()
	fill(s.object, options)
	return keep.NewBeacon(options)
}

func prepare(s step) (outputs, error) {
	health, payload := keep.Health(s.u8("health")), s.u32("payload")
	wire, err := s.beacon().Prepare(nil, health, payload, s.now())
	if err != nil {
		return nil, err
	}
	var beat struct {
		Health             uint8
		PID                uint32
		TimestampNS, Nonce uint64
	}
	need(binary.Decode(need(ask("beat.decode", wire)), binary.LittleEndian, &beat))
	return outputs{"wire": wire, "timestamp_ns": beat.TimestampNS, "nonce": beat.Nonce}, nil
}

func commit(s step) (outputs, error) {
	o, err := s.beacon().Commit(word(s, "error", sendErrors))
	return outputs{"outcome": o.Kind, "action": o.Action, "dropped": o.Dropped, "nonce": o.Nonce}, err
}

func sendError(s step) {
	beacon := need(keep.NewBeacon(&keep.BeaconOptions{AgentPID: 100}))
	defer beacon.Close()
	need(beacon.Prepare(nil, keep.HealthOK, 0, 1))
	outcome := need(beacon.Commit(word(s, "error", sendErrors)))
	s.expect("outcome", s.take("outcome"), outcome.Kind)
}
