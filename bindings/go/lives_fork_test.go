// SPDX-License-Identifier: MIT

//go:build !race && !keep_gcstress

package keep_test

import (
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// tracker R53, T10
func TestInheritedTrackersAndBeaconsAreForked(t *testing.T) {
	observer, path := observed(t, time.Minute, nil)
	tracker, beacon := ledger(t, 1), beaconTo(t, path)
	for name, call := range map[string]func() error{
		"Tracker.Record": func() error { _, err := tracker.Record(beatOf(2, 1), 0); return err },
		"Observer.Feed":  func() error { _, err := observer.Feed(nil, nil, 0); return err },
		"Beacon.Beat":    func() error { _, err := beacon.Beat(keep.HealthOK, 0); return err },
		"Beacon.Goodbye": func() error { _, err := beacon.Goodbye(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			wantStatus(t, keep.ErrForked, inChild(t, call))
		})
	}
	must(beacon.Goodbye())
	if stats := must(observer.Stats()); stats.Datagrams != 0 {
		t.Errorf("got %+v", stats)
	}
	must(observer.Poll(nil))
	if stats := must(observer.Stats()); stats.Datagrams != 1 {
		t.Errorf("got %+v", stats)
	}
}

// bindings 6, tracker T17
func TestHotCallsOfTheTrackerDoNotAllocate(t *testing.T) {
	observer, path := observed(t, time.Minute, nil)
	tracker, beacon := ledger(t, 1), beaconTo(t, path)
	sightings, admissions := []keep.Sighting{beatOf(2, 1)}, make([]keep.Admission, 0, 1)
	alarms, events, nonce := make([]keep.Alarm, 0, 1), make([]keep.Event, 0, 8), uint64(1)
	text, frame := make([]byte, 0, 1<<16), make([]byte, 0, keep.BeatMasterLen)
	detached := closing(t, must(keep.NewBeacon(&keep.BeaconOptions{AgentPID: 5})))
	must(tracker.Record(beatOf(2, 1), 1))
	fed := []keep.Datagram{{Source: keep.SourceUnix, KernelPID: 3, Data: []byte("?")}}
	for name, call := range map[string]func() error{
		"Record": func() error {
			nonce++
			_, err := tracker.Record(beatOf(2, nonce), nonce)
			return err
		},
		"RecordBatch":  func() error { _, err := tracker.RecordBatch(admissions, sightings, 0); return err },
		"Drain":        func() error { _, err := tracker.Drain(alarms, nonce); return err },
		"NextDeadline": func() error { _, err := tracker.NextDeadline(); return err },
		"Get":          func() error { _, err := tracker.Get(2, nonce); return err },
		"Beat":         func() error { _, err := beacon.Beat(keep.HealthOK, 0); return err },
		"Poll":         func() error { _, err := observer.Poll(events); return err },
		"Feed":         func() error { _, err := observer.Feed(events, fed, 0); return err },
		"Metrics":      func() error { _, err := observer.Metrics(text); return err },
		"Prepare":      func() error { _, err := detached.Prepare(frame, keep.HealthOK, 0, 1); return err },
	} {
		wantAllocs(t, name, 0, call)
	}
}
