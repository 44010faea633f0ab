// SPDX-License-Identifier: MIT

package vectors

import (
	"encoding/binary"
	"syscall"

	keep "github.com/libkeep/libkeep/bindings/go"
)

var (
	sources = map[string]keep.DatagramSource{
		"unix": keep.SourceUnix, "udp": keep.SourceUDP, "udp_sealed": keep.SourceUDPSealed,
	}
	marks = map[string]keep.DatagramMarks{
		"truncated": keep.MarkTruncated, "no_credentials": keep.MarkNoCredentials, "sender_gone": keep.MarkSenderGone,
		"attested": keep.MarkAttested,
	}
	sendErrors = map[string]syscall.Errno{
		"none": 0, "EAGAIN": syscall.EAGAIN, "ENOBUFS": syscall.ENOBUFS, "ECONNREFUSED": syscall.ECONNREFUSED,
		"ENOENT": syscall.ENOENT, "ECONNRESET": syscall.ECONNRESET, "ENOTCONN": syscall.ENOTCONN, "EPIPE": syscall.EPIPE,
		"ENOSPC": syscall.ENOSPC, "EACCES": syscall.EACCES, "EMSGSIZE": syscall.EMSGSIZE, "EPERM": syscall.EPERM,
		"EINVAL": syscall.EINVAL, "EIO": syscall.EIO,
	}
)

// Observers.

func observerNew(s step) (outputs, error) {
	options := keep.NewObserverOptions()
	for _, uid := range s.numbers("uids") {
		options.UIDs = append(options.UIDs, uint32(uid))
	}
	options.AnyUID = optional[bool](s.object, "any_uid")
	options.RequirePIDMatch = optional[bool](s.object, "require_pid_match")
	options.OwnNamespaceOnly = optional[bool](s.object, "own_namespace_only")
	options.ReportBeats = optional[bool](s.object, "report_beats")
	options.PIDMax = s.u32("pid_max")
	options.PerPIDRate = s.number("per_pid_rate", options.PerPIDRate)
	options.GlobalRate = s.number("global_rate", options.GlobalRate)
	options.GlobalBurst = s.number("global_burst", options.GlobalBurst)
	options.OwnNSInode = s.wide("own_ns_inode")
	options.SessionGapNS = s.wide("session_gap_ns")
	options.MinThresholdNS = s.wideOr("min_threshold_ns", options.MinThresholdNS)
	options.MaxThresholdNS = s.wideOr("max_threshold_ns", options.MaxThresholdNS)
	made, err := keep.NewObserver(handle[*keep.Tracker](s, "tracker"), options)
	return nil, s.bind(take[any](s.object, "as"), made, err)
}

func addKey(s step) (outputs, error) {
	key := need(keep.SecretFromBytes(nil, s.data("key")))
	defer key.Close()
	return nil, s.observer().AddKey(key, word(s.object, "mode", beatModes))
}

func feed(s step) (outputs, error) {
	var datagrams []keep.Datagram
	for _, each := range take[[]any](s.object, "datagrams") {
		fields, _ := each.(map[string]any)
		o := object(fields)
		datagram := keep.Datagram{
			Data:       s.bytes(take[any](o, "data")),
			NSInode:    o.wide("ns_inode"),
			Generation: o.wide("generation"),
			KernelPID:  o.u32("kernel_pid"),
			UID:        o.u32("uid"),
			Source:     word(o, "from", sources),
		}
		for _, mark := range optional[[]any](o, "marks") {
			datagram.Marks |= word(object{"marks": mark}, "marks", marks)
		}
		o.done()
		datagrams = append(datagrams, datagram)
	}
	return fed(s.observer(), datagrams, s.wide("now_ns"))
}

func exit(s step) (outputs, error) {
	ended := keep.Datagram{Source: keep.SourceExit, KernelPID: s.u32("pid"), Generation: s.wide("generation")}
	return fed(s.observer(), []keep.Datagram{ended}, s.wide("now_ns"))
}

// senders feeds one beat of each pid, sealed with the shared key 00 01 … 1f.
func senders(s step) (outputs, error) {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	var datagrams []keep.Datagram
	nonce := s.wide("nonce")
	for pid, last := s.u32("first"), s.u32("last"); pid <= last; pid++ {
		sealing := packed(keep.BeatShared, key, uint32(0), uint64(0), pid, frameOf(pid, nonce))
		datagrams = append(datagrams, keep.Datagram{Source: keep.SourceUDPSealed, Data: need(ask("beat.seal", sealing))})
	}
	return fed(s.observer(), datagrams, s.wide("now_ns"))
}

// frameOf gives a beat whose timestamp is its nonce.
func frameOf(pid uint32, nonce uint64) []byte {
	return need(ask("beat.encode", packed(keep.HealthOK, pid, nonce, nonce, uint32(0))))
}

// fed feeds datagrams and tells the events.
func fed(o *keep.Observer, datagrams []keep.Datagram, now uint64) (outputs, error) {
	events, err := o.Feed(nil, datagrams, now)
	list := []outputs{}
	for _, e := range events {
		list = append(list, outputs{
			"kind": e.Kind.String(), "fault": keep.Fault(e.Detail).String(), "posthumous": e.Detail == 1,
			"at_ns": text(e.AtNS), "nonce": text(e.Nonce), "last_ns": text(e.LastNS), "silence_ns": text(e.SilenceNS),
			"ns_inode": text(e.NSInode), "generation": text(e.Generation), "pid": int(e.PID),
			"claimed_pid": int(e.ClaimedPID), "uid": int(e.UID), "payload": int(e.Payload), "stalled": int(e.Stalled),
			"agents": int(e.Agents), "health": int(e.Health), "origin": e.Origin.String(),
		})
	}
	return outputs{"events": list}, err
}

func observerStats(o *keep.Observer) (outputs, error) {
	s, err := o.Stats()
	return outputs{
		"datagrams": text(s.Datagrams), "bad_length": text(s.BadLength), "uid_refused": text(s.UIDRefused),
		"no_credentials": text(s.NoCredentials), "decode_errors": text(s.DecodeErrors),
		"auth_failures": text(s.AuthFailures), "pid_above_max": text(s.PIDAboveMax), "limited_pid": text(s.LimitedPID),
		"limited_global": text(s.LimitedGlobal), "posthumous": text(s.Posthumous), "after_goodbye": text(s.AfterGoodbye),
		"notify_unattested": text(s.NotifyUnattested), "notice_refused": text(s.NoticeRefused),
		"decrypt_failures": text(s.DecryptFailures), "replay_refused": text(s.ReplayRefused),
		"senders_evicted": text(s.SendersEvicted), "foreign_namespace": text(s.ForeignNamespace),
		"pidfd_unavailable": text(s.PIDFDUnavailable), "io_errors": text(s.IOErrors),
	}, err
}

func tokenBucket(c *testCase) {
	small, options := keep.NewTrackerOptions(), keep.NewObserverOptions()
	small.Capacity = 1024
	options.AnyUID, options.ReportBeats, options.PerPIDRate = true, true, 0
	options.GlobalRate, options.GlobalBurst = c.fields.number("rate"), c.fields.number("burst")
	ledger := need(keep.NewTracker(small))
	defer ledger.Close()
	observer := need(keep.NewObserver(ledger, options))
	defer observer.Close()
	for i, each := range take[[]any](c.fields, "calls") {
		fields, _ := each.(map[string]any)
		o, pid := object(fields), uint32(1000+i)
		events := need(observer.Feed(nil, []keep.Datagram{{
			Source: keep.SourceUnix, KernelPID: pid, Data: frameOf(pid, 1), NSInode: 1, Generation: 1,
		}}, o.wide("now_ns")))
		c.expect("allow", take[bool](o, "allow"), len(events) > 0 && events[0].Kind == keep.EventBeat)
		o.done()
	}
}

// Beacons.

// detached makes a beacon that leaves the sending to its caller.
func detached(pid uint32, reconnectAfter int, startNonce uint64) (*keep.Beacon, error) {
	return keep.NewBeacon(&keep.BeaconOptions{AgentPID: pid, ReconnectAfter: reconnectAfter, StartNonce: startNonce})
}

func beaconNew(s step) (outputs, error) {
	made, err := detached(s.u32("pid"), s.number("reconnect_after", 3), s.wide("start_nonce"))
	return nil, s.bind(take[any](s.object, "as"), made, err)
}

func prepare(s step) (outputs, error) {
	beacon, health, payload, now := s.beacon(), keep.Health(s.u8("health")), s.u32("payload"), s.wide("now_ns")
	wire, err := beacon.Prepare(nil, health, payload, now)
	if err != nil {
		return nil, err
	}
	var beat struct {
		Health             uint8
		PID                uint32
		TimestampNS, Nonce uint64
	}
	need(binary.Decode(need(ask("beat.decode", wire)), binary.LittleEndian, &beat))
	return outputs{"wire": wire, "timestamp_ns": text(beat.TimestampNS), "nonce": text(beat.Nonce)}, nil
}

func commit(s step) (outputs, error) {
	o, err := s.beacon().Commit(word(s.object, "error", sendErrors))
	return outputs{
		"outcome": o.Kind.String(), "action": o.Action.String(), "dropped": int(o.Dropped), "nonce": text(o.Nonce),
	}, err
}

func sendError(c *testCase) {
	beacon := need(detached(100, 0, 0))
	defer beacon.Close()
	need(beacon.Prepare(nil, keep.HealthOK, 0, 1))
	outcome := need(beacon.Commit(word(c.fields, "error", sendErrors)))
	c.expect("outcome", take[string](c.fields, "outcome"), outcome.Kind.String())
}
