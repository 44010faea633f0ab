// SPDX-License-Identifier: MIT

package vectors

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	keep "github.com/libkeep/libkeep/bindings/go"
)

var tracker = schema{
	constants: map[string]int{
		"KEEP_BEAT_LEN":        keep.BeatLen,
		"KEEP_BEAT_SHARED_LEN": keep.BeatSharedLen,
		"KEEP_BEAT_MASTER_LEN": keep.BeatMasterLen,
		"KEEP_MAX_AGENTS":      keep.MaxAgents,
		"KEEP_DEFAULT_AGENTS":  keep.DefaultAgents,
	},
	arrays: map[string]func(*testCase){
		"crc32c":           crc32c,
		"beat_frames":      beatFrame,
		"beat_rejects":     beatReject,
		"beat_bit_flips":   bitFlips,
		"notice_frames":    noticeFrame,
		"notice_rejects":   noticeReject,
		"sealed_frames":    sealedFrame,
		"sealed_rejects":   sealedReject,
		"agent_keys":       agentKey,
		"iv_prefixes":      ivPrefix,
		"token_buckets":    tokenBucket,
		"send_errors":      sendError,
		"tracker_scripts":  trackerScript,
		"observer_scripts": trackerScript,
		"beacon_scripts":   trackerScript,
	},
}

// Words.

// wordsOf gives the words of values, by which the package prints them.
func wordsOf[T fmt.Stringer](values ...T) map[string]T {
	words := map[string]T{}
	for _, value := range values {
		words[value.String()] = value
	}
	return words
}

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
)

// Known answers.

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

func (c *testCase) expectAnswer(name string, in, want []byte) {
	if got := need(ask(name, in)); string(got) != string(want) {
		fail(name, want, got)
	}
}

func (c *testCase) expectRefusal(name string, in []byte, status keep.Status) {
	_, err := ask(name, in)
	c.expect(name, status.Name(), statusOf(err))
}

func (o object) u8(key string) uint8   { return uint8(o.number(key, 0)) }
func (o object) u32(key string) uint32 { return uint32(o.number(key, 0)) }

// taken takes bytes of the case.
func (c *testCase) taken(key string) []byte { return c.bytes(take[any](c.fields, key)) }

func crc32c(c *testCase) {
	c.expectAnswer("crc32c", c.taken("data"), packed(c.fields.u32("crc")))
}

func beatFrame(c *testCase) {
	o, wire := c.fields, c.taken("wire")
	body := packed(o.u8("health"), o.u32("pid"), o.wide("timestamp_ns"), o.wide("nonce"), o.u32("payload"))
	c.expectAnswer("beat.encode", body, wire)
	c.expectAnswer("beat.decode", wire, body)
}

func noticeFrame(c *testCase) {
	o, wire := c.fields, c.taken("wire")
	body := packed(word(o, "op", notices), o.u32("pid"), o.u32("threshold_ms"), o.u32("grace_ms"), o.wide("nonce"),
		o.u8("misses"))
	c.expectAnswer("notice.encode", body, wire)
	c.expectAnswer("notice.decode", wire, body)
}

func beatReject(c *testCase) {
	wire := c.taken("wire")
	c.expectRefusal("beat.decode", wire, keep.ErrMalformed)
	c.expectAnswer("beat.fault", wire, packed(uint8(word(c.fields, "fault", faults)), c.fields.wide("value")))
}

func noticeReject(c *testCase) {
	wire := c.taken("wire")
	c.expectRefusal("notice.decode", wire, keep.ErrMalformed)
	c.expect("notice.fault", take[string](c.fields, "fault"), faultOf("notice.fault", wire))
}

func faultOf(name string, wire []byte) string {
	return keep.Fault(need(ask(name, wire))[0]).String()
}

func bitFlips(c *testCase) {
	wire, got := c.taken("wire"), map[string]int{}
	for bit := range 8 * len(wire) {
		flipped := slices.Clone(wire)
		flipped[bit/8] ^= 1 << (bit % 8)
		c.expectRefusal("beat.decode", flipped, keep.ErrMalformed)
		got[faultOf("beat.fault", flipped)]++
	}
	want := take[map[string]any](c.fields, "faults")
	if fmt.Sprint(want) != fmt.Sprint(got) { // both print in the order of their keys
		fail("faults", want, got)
	}
}

func sealedFrame(c *testCase) {
	o, wire, frame := c.fields, c.taken("wire"), c.taken("frame")
	opening := packed(word(o, "mode", beatModes), c.taken("key"))
	sealing := packed(opening, o.u32("pid"), c.taken("iv_prefix"), o.u32("iv_counter"), frame)
	c.expectAnswer("beat.seal", sealing, wire)
	c.expectAnswer("beat.open", packed(opening, wire), frame)
}

func sealedReject(c *testCase) {
	opening := packed(word(c.fields, "mode", beatModes), c.taken("key"), c.taken("wire"))
	c.expectRefusal("beat.open", opening, keep.ErrAuth)
}

func agentKey(c *testCase) {
	master := need(keep.SecretFromBytes(nil, c.taken("master")))
	defer master.Close()
	agent := need(keep.BeaconAgentKey(master, c.fields.u32("pid")))
	defer agent.Close()
	c.expect("key", take[any](c.fields, "key"), need(agent.Reveal(nil)))
}

func ivPrefix(c *testCase) {
	c.expectAnswer("iv.prefix", packed(c.taken("salt"), c.fields.u32("index")), c.taken("prefix"))
}

// Trackers.

func trackerScript(c *testCase) {
	c.script(trackerOperations, take[[]any](c.fields, "script"))
}

var trackerOperations = operations{
	"tracker": trackerNew,
	"record":  recordOne,
	"fill": func(s step) (outputs, error) {
		first, last := s.u32("first"), s.u32("last")
		pids := make([]uint32, last-first+1)
		for i := range pids {
			pids[i] = first + uint32(i)
		}
		return nil, fillPIDs(s, pids)
	},
	"fill_pids": func(s step) (outputs, error) {
		var pids []uint32
		for _, pid := range s.numbers("pids") {
			pids = append(pids, uint32(pid))
		}
		return nil, fillPIDs(s, pids)
	},
	"beats": beats,
	"put": func(s step) (outputs, error) {
		evicted, err := s.tracker().Put(s.u32("pid"), &keep.AgentSettings{
			ThresholdNS: s.wide("threshold_ns"),
			GraceNS:     s.wide("grace_ns"),
			Misses:      s.number("misses", 0),
			Unarmed:     optional[bool](s.object, "unarmed"),
		}, s.wide("now_ns"))
		return outputs{"evicted_pid": int(evicted)}, err
	},
	"delete": func(s step) (outputs, error) {
		return nil, s.tracker().Delete(s.u32("pid"), word(s.object, "reason", reasons), s.wide("now_ns"))
	},
	"get": getAgent,
	"next_deadline": func(s step) (outputs, error) {
		deadline, err := s.tracker().NextDeadline()
		return outputs{"deadline_ns": text(deadline)}, err
	},
	"drain":     drain,
	"stats":     trackerStats,
	"observer":  observerNew,
	"add_key":   addKey,
	"feed":      feed,
	"exit":      exit,
	"senders":   senders,
	"beacon":    beaconNew,
	"prepare":   prepare,
	"commit":    commit,
	"reconnect": func(s step) (outputs, error) { return nil, s.beacon().Reconnect() },
	"restart":   func(s step) (outputs, error) { return nil, s.beacon().Restart() },
}

func (s step) tracker() *keep.Tracker   { return handle[*keep.Tracker](s, "on") }
func (s step) observer() *keep.Observer { return handle[*keep.Observer](s, "on") }
func (s step) beacon() *keep.Beacon     { return handle[*keep.Beacon](s, "on") }

// text gives a 64-bit value as files have it.
func text(n uint64) string { return strconv.FormatUint(n, 10) }

func trackerNew(s step) (outputs, error) {
	options := keep.NewTrackerOptions()
	options.Capacity = s.number("capacity", options.Capacity)
	options.Misses = s.number("misses", options.Misses)
	options.Policy = word(s.object, "policy", policies, options.Policy)
	options.Statistics = s.number("statistics", 0) == 1
	options.ThresholdNS = s.wideOr("threshold_ns", options.ThresholdNS)
	options.GraceNS = s.wide("grace_ns")
	options.MaxGapNS = s.wide("max_gap_ns")
	made, err := keep.NewTracker(options)
	return nil, s.bind(take[any](s.object, "as"), made, err)
}

func recordOne(s step) (outputs, error) {
	nonce := s.wide("nonce")
	sighting := keep.Sighting{
		Nonce:       nonce,
		TimestampNS: s.wideOr("timestamp_ns", nonce),
		NSInode:     s.wide("ns_inode"),
		Generation:  s.wide("generation"),
		PID:         s.u32("pid"),
		ClaimedPID:  s.u32("claimed_pid"),
		Payload:     s.u32("payload"),
		Health:      keep.Health(s.u8("health")),
		Origin:      word(s.object, "origin", origins, keep.OriginKernel),
	}
	if optional[bool](s.object, "unnumbered") {
		sighting.Flags = keep.SightingUnnumbered
	}
	admission, err := s.tracker().Record(sighting, s.wide("now_ns"))
	flags := []string{}
	for _, name := range slices.Sorted(maps.Keys(admissionFlags)) {
		if admission.Flags&admissionFlags[name] != 0 {
			flags = append(flags, name)
		}
	}
	return outputs{
		"verdict": admission.Verdict.String(), "flags": flags, "evicted_pid": int(admission.EvictedPID),
	}, err
}

// fillPIDs records a first beat of each pid, in batches.
func fillPIDs(s step, pids []uint32) error {
	h, now := s.tracker(), s.wide("now_ns")
	for batch := range slices.Chunk(pids, keep.MaxBatch) {
		var sightings []keep.Sighting
		for _, pid := range batch {
			sightings = append(sightings, keep.Sighting{PID: pid, Nonce: 1, TimestampNS: 1, Origin: keep.OriginKernel})
		}
		admissions, err := h.RecordBatch(nil, sightings, now)
		if err != nil {
			return err
		}
		for _, admission := range admissions {
			expectVerdict(keep.VerdictInserted, admission)
		}
	}
	return nil
}

func expectVerdict(want keep.Verdict, got keep.Admission) {
	if got.Verdict != want {
		fail("verdict", want, got.Verdict)
	}
}

func beats(s step) (outputs, error) {
	h, nonce, now, step := s.tracker(), s.wide("nonce"), s.wide("now_ns"), s.wide("step_ns")
	sighting := keep.Sighting{PID: s.u32("pid"), Origin: keep.OriginKernel}
	for i := range uint64(s.number("count")) {
		sighting.Nonce, sighting.TimestampNS = nonce+i, nonce+i
		expectVerdict(keep.VerdictRefreshed, need(h.Record(sighting, now+i*step)))
	}
	return nil, nil
}

func getAgent(s step) (outputs, error) {
	a, err := s.tracker().Get(s.u32("pid"), s.wide("now_ns"))
	return outputs{
		"pid": int(a.PID), "claimed_pid": int(a.ClaimedPID), "state": a.State.String(), "health": int(a.Health),
		"origin": a.Origin.String(), "payload": int(a.Payload), "nonce": text(a.Nonce), "last_ns": text(a.LastNS),
		"silence_ns": text(a.SilenceNS), "limit_ns": text(a.LimitNS), "grace_ns": text(a.GraceNS),
		"ns_inode": text(a.NSInode), "generation": text(a.Generation), "beats": text(a.Beats),
		"out_of_order": text(a.OutOfOrder), "intervals": text(a.Intervals), "min_ns": text(a.MinNS),
		"max_ns": text(a.MaxNS), "mean_ns": text(a.MeanNS), "jitter_ns": text(a.JitterNS), "p50_ns": text(a.P50NS),
		"p99_ns": text(a.P99NS), "phi_milli": int(a.PhiMilli),
	}, err
}

// drain drains a tracker, or feeds an observer nothing.
func drain(s step) (outputs, error) {
	on := handle[io.Closer](s, "on")
	if o, is := on.(*keep.Observer); is {
		return fed(o, nil, s.wide("now_ns"))
	}
	var room []keep.Alarm
	if s.object["cap"] != nil {
		room = make([]keep.Alarm, 0, s.number("cap"))
	}
	alarms, err := on.(*keep.Tracker).Drain(room, s.wide("now_ns"))
	list := []outputs{}
	for _, a := range alarms {
		list = append(list, outputs{
			"pid": int(a.PID), "claimed_pid": int(a.ClaimedPID), "health": int(a.Health), "origin": a.Origin.String(),
			"payload": int(a.Payload), "nonce": text(a.Nonce), "last_ns": text(a.LastNS), "silence_ns": text(a.SilenceNS),
			"limit_ns": text(a.LimitNS), "ns_inode": text(a.NSInode), "generation": text(a.Generation),
			"misses": int(a.Misses), "stalled": int(a.Stalled), "agents": int(a.Agents),
		})
	}
	return outputs{"alarms": list, "count": len(alarms)}, err
}

// trackerStats tells the counters of a tracker or an observer.
func trackerStats(s step) (outputs, error) {
	on := handle[io.Closer](s, "on")
	if o, is := on.(*keep.Observer); is {
		return observerStats(o)
	}
	t, err := on.(*keep.Tracker).Stats()
	return outputs{
		"agents": int(t.Agents), "stalled": int(t.Stalled), "beats": text(t.Beats), "stalls": text(t.Stalls),
		"recoveries": text(t.Recoveries), "evictions": text(t.Evictions), "capacity_exceeded": text(t.CapacityExceeded),
		"out_of_order": text(t.OutOfOrder), "nonce_wraps": text(t.NonceWraps), "origin_conflicts": text(t.OriginConflicts),
		"namespace_conflicts": text(t.NamespaceConflicts), "recycles": text(t.Recycles), "goodbyes": text(t.Goodbyes),
		"exits": text(t.Exits), "deletes": text(t.Deletes), "clock_regressions": text(t.ClockRegressions),
		"outages": text(t.Outages), "outage_ns": text(t.OutageNS),
	}, err
}
