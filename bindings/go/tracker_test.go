// SPDX-License-Identifier: MIT

package keep_test

import (
	"math"
	"slices"
	"sync"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// ledger makes a tracker of so many agents that stall after a silence of 100.
func ledger(t *testing.T, capacity int) *keep.Tracker {
	t.Helper()
	options := keep.NewTrackerOptions()
	options.Capacity, options.ThresholdNS = capacity, 100
	return closing(t, must(keep.NewTracker(options)))
}

// beatOf is a beat of a pid whose timestamp is its nonce.
func beatOf(pid uint32, nonce uint64) keep.Sighting {
	return keep.Sighting{PID: pid, Nonce: nonce, TimestampNS: nonce, Origin: keep.OriginKernel, Generation: 7}
}

// tracker R11, R16, R17: one ns to either side
func TestALedgerTellsWhoIsSilent(t *testing.T) {
	tracker := ledger(t, 4)
	if got := must(tracker.NextDeadline()); got != keep.TimeNever {
		t.Errorf("a deadline %d of nobody", got)
	}
	admission := must(tracker.Record(beatOf(10, 1), 1000))
	if admission.Verdict != keep.VerdictInserted || admission.Flags != 0 {
		t.Errorf("got %v", admission)
	}
	if got := must(tracker.NextDeadline()); got != 1100 {
		t.Errorf("the deadline is %d", got)
	}
	if alarms := must(tracker.Drain(nil, 1099)); len(alarms) != 0 {
		t.Errorf("too early: %v", alarms)
	}
	alarms := must(tracker.Drain(nil, 1100))
	want := keep.Alarm{Nonce: 1, LastNS: 1000, SilenceNS: 100, LimitNS: 100, Generation: 7, PID: 10, ClaimedPID: 10,
		Misses: 1, Stalled: 1, Agents: 1, Origin: keep.OriginKernel}
	if !slices.Equal(alarms, []keep.Alarm{want}) {
		t.Errorf("expected %v, got %v", want, alarms)
	}
	admission = must(tracker.Record(beatOf(10, 2), 1101))
	if admission.Verdict != keep.VerdictRefreshed || admission.Flags != keep.AdmissionRecovered {
		t.Errorf("got %v", admission)
	}
}

func TestADrainTakesWhatThereIsRoomFor(t *testing.T) {
	tracker := ledger(t, 200)
	var beats []keep.Sighting
	for pid := range uint32(200) {
		beats = append(beats, beatOf(pid+1, 1))
	}
	if got := must(tracker.RecordBatch(make([]keep.Admission, 1), beats, 0)); len(got) != 201 {
		t.Errorf("%d admissions", len(got))
	}
	room := make([]keep.Alarm, 1, 4)
	room = must(tracker.Drain(room, 100))
	if len(room) != 4 || room[1].PID != 1 || room[3].PID != 3 || room[3].Stalled != 3 {
		t.Errorf("got %v", room)
	}
	rest := must(tracker.Drain(nil, 100))
	if len(rest) != 197 || rest[0].Stalled != 200 || rest[196].PID != 200 {
		t.Errorf("%d are left", len(rest))
	}
}

func TestAgentsArePutListedAndDeleted(t *testing.T) {
	tracker := ledger(t, 40)
	for pid := range uint32(39) {
		must(tracker.Put(pid+1, &keep.AgentSettings{Misses: 3, GraceNS: 5, Unarmed: pid == 0}, 0))
	}
	must(tracker.Put(50, nil, 0))
	agents := must(tracker.List())
	slices.SortFunc(agents, func(a, b keep.Agent) int { return int(a.PID) - int(b.PID) })
	if len(agents) != 40 || agents[0].State != keep.AgentUnarmed || agents[1].State != keep.AgentRegistered ||
		agents[1].LimitNS != 300 || agents[39].PID != 50 || agents[39].LimitNS != 100 {
		t.Errorf("got %v", agents)
	}
	_, err := tracker.Put(51, nil, 0)
	wantStatus(t, keep.ErrExhausted, err)
	wantStatus(t, keep.OK, tracker.Delete(50, keep.ReasonExited, 1))
	wantStatus(t, keep.ErrNotFound, tracker.Delete(50, keep.ReasonOperator, 1))
	_, err = tracker.Get(50, 1)
	wantStatus(t, keep.ErrNotFound, err)
	if got := must(tracker.Get(2, 60)); got.SilenceNS != 60 || got.Origin != keep.OriginNone {
		t.Errorf("got %v", got)
	}
	if stats := must(tracker.Stats()); stats.Agents != 39 || stats.Exits != 1 {
		t.Errorf("got %v", stats)
	}
}

// tracker R22, R23
func TestStatisticsAreKeptIfAsked(t *testing.T) {
	options := keep.NewTrackerOptions()
	options.Statistics = true
	tracker := closing(t, must(keep.NewTracker(options)))
	for i := range uint64(20) {
		must(tracker.Record(beatOf(9, i+1), i*1_000_000))
	}
	agent := must(tracker.Get(9, 40_000_000))
	if agent.Intervals != 19 || agent.MeanNS != 1_000_000 || agent.PhiMilli == 0 {
		t.Errorf("got %+v", agent)
	}
}

func TestTrackersRefuseBadArguments(t *testing.T) {
	for name, change := range map[string]func(*keep.TrackerOptions){
		"capacity 0":        func(o *keep.TrackerOptions) { o.Capacity = 0 },
		"capacity -1":       func(o *keep.TrackerOptions) { o.Capacity = -1 },
		"capacity 2^32 + 1": func(o *keep.TrackerOptions) { o.Capacity = math.MaxUint32 + 2 },
		"misses 1001":       func(o *keep.TrackerOptions) { o.Misses = 1001 },
		"threshold 0":       func(o *keep.TrackerOptions) { o.ThresholdNS = 0 },
		"policy 2":          func(o *keep.TrackerOptions) { o.Policy = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			options := keep.NewTrackerOptions()
			change(options)
			_, err := keep.NewTracker(options)
			wantStatus(t, keep.ErrInvalidArgument, err)
		})
	}
	tracker := ledger(t, 1)
	_, err := tracker.Record(keep.Sighting{}, 0)
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = tracker.Put(1, &keep.AgentSettings{Misses: -1}, 0)
	wantStatus(t, keep.ErrInvalidArgument, err)
	for _, count := range []int{0, keep.MaxBatch + 1} {
		dst, err := tracker.RecordBatch(make([]keep.Admission, 3), make([]keep.Sighting, count), 0)
		wantStatus(t, keep.ErrInvalidArgument, err)
		if len(dst) != 3 {
			t.Errorf("%d admissions", len(dst))
		}
	}
	for _, name := range []string{"", "crc32", "crc32c\x00"} {
		_, err = keep.TrackerKnownAnswer(nil, name, []byte("123456789"))
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	room := make([]byte, 4, 64)
	_, err = keep.TrackerKnownAnswer(room, "crc32c", room[:8])
	wantStatus(t, keep.ErrInvalidArgument, err)
}

// bindings 5: a closed, a zero and a nil tracker
func TestTrackersThatAreNone(t *testing.T) {
	closed := must(keep.NewTracker(nil))
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, closed.Close())
	for tracker, want := range map[*keep.Tracker]keep.Status{
		closed: keep.ErrClosed, new(keep.Tracker): keep.ErrClosed, nil: keep.ErrInvalidArgument,
	} {
		wantAll(t, want, map[string]func() error{
			"Record":       func() error { _, err := tracker.Record(beatOf(1, 1), 0); return err },
			"RecordBatch":  func() error { _, err := tracker.RecordBatch(nil, make([]keep.Sighting, 1), 0); return err },
			"Drain":        func() error { _, err := tracker.Drain(nil, 0); return err },
			"NextDeadline": func() error { _, err := tracker.NextDeadline(); return err },
			"Put":          func() error { _, err := tracker.Put(1, nil, 0); return err },
			"Delete":       func() error { return tracker.Delete(1, keep.ReasonGoodbye, 0) },
			"Get":          func() error { _, err := tracker.Get(1, 0); return err },
			"List":         func() error { _, err := tracker.List(); return err },
			"Stats":        func() error { _, err := tracker.Stats(); return err },
			"NewObserver":  func() error { _, err := keep.NewObserver(tracker, nil); return err },
		})
	}
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Tracker)(nil).Close())
}

// wantAll fails the test unless each call gives the status.
func wantAll(t *testing.T, want keep.Status, calls map[string]func() error) {
	t.Helper()
	for name, call := range calls {
		if err := call(); err != want {
			t.Errorf("%s: expected %s, got %v", name, want.Name(), err)
		}
	}
}

// bindings 5: one at a time; the others wait
func TestATrackerTakesManyGoroutines(t *testing.T) {
	tracker := ledger(t, keep.DefaultAgents)
	var all sync.WaitGroup
	for pid := range uint32(8) {
		together(&all, func() {
			for i := range uint64(rounds) {
				must(tracker.Record(beatOf(pid+1, i+1), i))
				must(tracker.Get(pid+1, i))
			}
		})
	}
	all.Wait()
	if stats := must(tracker.Stats()); stats.Agents != 8 || stats.Beats+stats.OutOfOrder != uint64(8*rounds) {
		t.Errorf("got %v", stats)
	}
}

func TestWordsOfTheTracker(t *testing.T) {
	for want, got := range map[string]interface{ String() string }{
		"critical": keep.HealthCritical, "Health(3)": keep.Health(3), "none": keep.OriginNone, "Origin(4)": keep.Origin(4),
		"namespace_conflict": keep.VerdictNamespaceConflict, "stalled": keep.AgentStalled,
		"AgentState(0)": keep.AgentState(0), "io_error": keep.EventIOError, "EventKind(4294967295)": ^keep.EventKind(0),
		"bad_reserved": keep.FaultBadReserved, "failed": keep.OutcomeFailed, "reconnect": keep.ActionReconnect,
		"keep.Tracker(0 agents, 0 stalled)":                  ledger(t, 1),
		"keep.Tracker(the handle names nothing that lives)":  new(keep.Tracker),
		"keep.Observer(the handle names nothing that lives)": new(keep.Observer),
	} {
		if got.String() != want {
			t.Errorf("expected %s, got %s", want, got)
		}
	}
}
