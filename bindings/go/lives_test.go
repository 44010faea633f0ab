// SPDX-License-Identifier: MIT

package keep_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// temporaryTracker makes a tracker that nobody holds.
func temporaryTracker() *keep.Tracker {
	return must(keep.NewTracker(nil))
}

// temporaryObserver makes an observer that nobody holds, of such a tracker.
func temporaryObserver() *keep.Observer {
	return must(keep.NewObserver(temporaryTracker(), nil))
}

// temporaryBeacon makes a beacon that nobody holds and that nobody observes.
func temporaryBeacon() *keep.Beacon {
	return must(keep.NewBeacon(&keep.BeaconOptions{Path: "@libkeep/nobody"}))
}

// temporaryDetached makes a detached beacon that nobody holds.
func temporaryDetached() *keep.Beacon {
	return must(keep.NewBeacon(&keep.BeaconOptions{AgentPID: 5}))
}

// bindings R49
func TestACallKeepsItsTracker(t *testing.T) {
	allSucceed(t, map[string]func() error{
		"Record": func() error { _, err := temporaryTracker().Record(beatOf(2, 1), 0); return err },
		"RecordBatch": func() error {
			_, err := temporaryTracker().RecordBatch(nil, []keep.Sighting{beatOf(2, 1)}, 0)
			return err
		},
		"Drain":        func() error { _, err := temporaryTracker().Drain(nil, 0); return err },
		"NextDeadline": func() error { _, err := temporaryTracker().NextDeadline(); return err },
		"Put":          func() error { _, err := temporaryTracker().Put(2, nil, 0); return err },
		"List":         func() error { _, err := temporaryTracker().List(); return err },
		"Stats":        func() error { _, err := temporaryTracker().Stats(); return err },
		"Close":        func() error { return temporaryTracker().Close() },
		"NewObserver":  func() error { _, err := keep.NewObserver(temporaryTracker(), nil); return err },
	})
}

func TestACallKeepsItsObserver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beats")
	allSucceed(t, map[string]func() error{
		"Listen": func() error { return temporaryObserver().Listen(at(path)) },
		"AddKey": func() error {
			return temporaryObserver().AddKey(must(keep.GenerateSecret(nil, 32)), keep.BeatShared)
		},
		"Poll":    func() error { _, err := temporaryObserver().Poll(nil); return err },
		"Feed":    func() error { _, err := temporaryObserver().Feed(nil, nil, 0); return err },
		"Stats":   func() error { _, err := temporaryObserver().Stats(); return err },
		"Metrics": func() error { _, err := temporaryObserver().Metrics(nil); return err },
		"Close":   func() error { return temporaryObserver().Close() },
	})
}

func TestACallKeepsItsBeacon(t *testing.T) {
	_, path := observed(t, time.Minute, nil)
	allSucceed(t, map[string]func() error{
		"Beat":      func() error { _, err := temporaryBeacon().Beat(keep.HealthOK, 0); return err },
		"Register":  func() error { _, err := temporaryBeacon().Register(nil); return err },
		"Goodbye":   func() error { _, err := temporaryBeacon().Goodbye(); return err },
		"Arm":       func() error { return temporaryBeacon().Arm() },
		"Crash":     func() error { temporaryBeacon().Crash(0); return nil },
		"Reconnect": func() error { return must(keep.NewBeacon(&keep.BeaconOptions{Path: path})).Reconnect() },
		"Restart":   func() error { return temporaryBeacon().Restart() },
		"Prepare":   func() error { _, err := temporaryDetached().Prepare(nil, keep.HealthOK, 0, 0); return err },
		"Close":     func() error { return temporaryBeacon().Close() },
		"NewBeacon": func() error {
			key := must(keep.GenerateSecret(nil, 32))
			_, err := keep.NewBeacon(&keep.BeaconOptions{Path: "@libkeep/nobody", Mode: keep.BeatShared, Key: key})
			return err
		},
		"BeaconAgentKey": func() error { _, err := keep.BeaconAgentKey(must(keep.GenerateSecret(nil, 32)), 5); return err },
	})
}

// bindings T21: what is forgotten gives its descriptors back
func TestForgottenObserversAndBeaconsAreClosed(t *testing.T) {
	before := descriptors()
	for range rounds / 10 {
		temporaryObserver()
		temporaryBeacon()
	}
	waitFor(t, func() uint64 { return uint64(max(0, descriptors()-before)) })
}

func descriptors() int {
	return len(must(os.ReadDir("/proc/self/fd")))
}
