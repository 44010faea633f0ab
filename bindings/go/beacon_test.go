// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// tracker R47, R49: nobody observes, then somebody does
func TestABeaconFindsItsObserver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beats")
	beacon := beaconTo(t, path)
	if got := must(beacon.Beat(keep.HealthOK, 0)); got.Kind != keep.OutcomeDroppedNoObserver || got.Dropped != 1 ||
		got.Error != syscall.ENOENT {
		t.Errorf("got %+v", got)
	}
	tracker := closing(t, must(keep.NewTracker(nil)))
	observer := closing(t, must(keep.NewObserver(tracker, beats())))
	wantStatus(t, keep.OK, observer.Listen(at(path)))
	must(beacon.Beat(keep.HealthOK, 0))
	if got := must(beacon.Beat(keep.HealthOK, 0)); got.Kind != keep.OutcomeSent || got.Dropped != 0 {
		t.Errorf("the third beat: %+v", got)
	}
	wantEvents(t, must(observer.Poll(nil)), keep.EventBeat)
	wantStatus(t, keep.OK, beacon.Reconnect())
	wantStatus(t, keep.OK, beacon.Restart())
	must(beacon.Beat(keep.HealthOK, 0))
	wantEvents(t, must(observer.Poll(nil)), keep.EventBeat)
}

func TestABeaconOverUDP(t *testing.T) {
	socket := must(net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	defer socket.Close()
	port := uint16(socket.LocalAddr().(*net.UDPAddr).Port)
	options := &keep.BeaconOptions{Host: "127.0.0.1", Port: port, AgentPID: 77}
	beacon := closing(t, must(keep.NewBeacon(options)))
	must(beacon.Beat(keep.HealthCritical, 5))
	wire := make([]byte, 100)
	n, _, err := socket.ReadFrom(wire)
	wantStatus(t, keep.OK, err)
	body := must(keep.TrackerKnownAnswer(nil, "beat.decode", wire[:n]))
	if body[0] != uint8(keep.HealthCritical) || body[1] != 77 || body[21] != 5 {
		t.Errorf("got %x", body)
	}
}

// tracker R54: a last word, and none without an arm
func TestABeaconCrashes(t *testing.T) {
	observer, path := observed(t, time.Second, patient())
	beacon := beaconTo(t, path)
	beacon.Crash(1)
	wantEvents(t, must(observer.Poll(nil)))
	wantStatus(t, keep.OK, beacon.Arm())
	func() {
		defer func() {
			if cause := recover(); cause != "cause" {
				t.Errorf("recovered %v", cause)
			}
		}()
		defer beacon.CrashOnPanic()
		panic("cause")
	}()
	func() { defer beacon.CrashOnPanic() }() // no panic, no crash
	beacon.Crash(9)
	events := must(observer.Poll(nil))
	wantEvents(t, events, keep.EventCrash, keep.EventCrash)
	if events[0].Payload != 0 || events[1].Payload != 9 {
		t.Errorf("got %+v", events)
	}
}

// tracker R52
func TestADetachedBeacon(t *testing.T) {
	beacon := closing(t, must(keep.NewBeacon(&keep.BeaconOptions{AgentPID: 5, ReconnectAfter: 1, StartNonce: 10})))
	_, err := beacon.Beat(keep.HealthOK, 0)
	wantStatus(t, keep.ErrState, err)
	wantStatus(t, keep.ErrState, failing(beacon.Arm()))
	wantStatus(t, keep.ErrState, failing(beacon.Reconnect()))
	_, err = beacon.Commit(0)
	wantStatus(t, keep.ErrState, err)
	frame := must(beacon.Prepare(nil, keep.HealthOK, 0, 1))
	if got := must(beacon.Commit(syscall.EPIPE)); got.Kind != keep.OutcomeDroppedPeerGone ||
		got.Action != keep.ActionReconnect || got.Nonce != 10 {
		t.Errorf("got %+v", got)
	}
	wantStatus(t, keep.OK, beacon.Reconnect())
	if got := must(beacon.Commit(0)); len(frame) != keep.BeatLen || got.Kind != keep.OutcomeSent || got.Nonce != 11 {
		t.Errorf("got %+v", got)
	}
}

func TestBeaconsRefuseBadArguments(t *testing.T) {
	key := secretOf(t, strings.Repeat("k", 32))
	for name, options := range map[string]*keep.BeaconOptions{
		"nil":               nil,
		"no pid":            {},
		"path and host":     {Path: "/x", Host: "127.0.0.1"},
		"NUL":               {Path: "a\x00b"},
		"too long":          {Path: strings.Repeat("x", 108)},
		"a name":            {Host: "localhost", Port: 1},
		"reconnect -1":      {Path: "/x", ReconnectAfter: -1},
		"mode without key":  {Path: "/x", Mode: keep.BeatShared},
		"key without mode":  {Path: "/x", Key: key},
		"master, no pid":    {Path: "/x", Key: key, Mode: keep.BeatMaster},
		"mode 3":            {Path: "/x", Key: key, Mode: 3},
		"a key that is bad": {Path: "/x", Key: secretOf(t, "short"), Mode: keep.BeatShared},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := keep.NewBeacon(options)
			wantStatus(t, keep.ErrInvalidArgument, failing(err))
		})
	}
}

func TestCallsOfBeaconsRefuseBadArguments(t *testing.T) {
	closed := must(keep.GenerateSecret(nil, 32))
	wantStatus(t, keep.OK, closed.Close())
	_, err := keep.NewBeacon(&keep.BeaconOptions{Path: "/x", Key: closed, Mode: keep.BeatShared})
	wantStatus(t, keep.ErrClosed, err)
	_, err = keep.BeaconAgentKey(closed, 1)
	wantStatus(t, keep.ErrClosed, err)
	_, err = keep.BeaconAgentKey(nil, 1)
	wantStatus(t, keep.ErrInvalidArgument, err)
}

func TestBeatsAndRegistrationsRefuseBadArguments(t *testing.T) {
	beacon := beaconTo(t, filepath.Join(t.TempDir(), "nobody"))
	_, err := beacon.Beat(3, 0)
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = beacon.Register(&keep.AgentSettings{ThresholdNS: 1_000_001})
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = beacon.Register(&keep.AgentSettings{Misses: -1})
	wantStatus(t, keep.ErrInvalidArgument, err)
	healthy, none := func() error { return nil }, context.Context(nil)
	wantStatus(t, keep.ErrInvalidArgument, beacon.Every(t.Context(), 0, healthy))
	wantStatus(t, keep.ErrInvalidArgument, beacon.Every(t.Context(), time.Second, nil))
	wantStatus(t, keep.ErrInvalidArgument, beacon.Every(none, time.Second, healthy))
}

// bindings R2.3: what the layer below said
func TestAFailedBeaconTellsWhy(t *testing.T) {
	_, err := keep.NewBeacon(&keep.BeaconOptions{Host: "255.255.255.255", Port: 9}) // not without SO_BROADCAST
	var failure *keep.Error
	if !errors.As(err, &failure) || failure.Status != keep.ErrSystem || failure.Layer != keep.LayerErrno ||
		failure.Code != int64(syscall.EACCES) || failure.Op != "NewBeacon" {
		t.Errorf("got %+v", err)
	}
}

// bindings 5
func TestBeaconsThatAreNone(t *testing.T) {
	closed := must(keep.NewBeacon(&keep.BeaconOptions{AgentPID: 1}))
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, closed.Close())
	for beacon, want := range map[*keep.Beacon]keep.Status{
		closed: keep.ErrClosed, new(keep.Beacon): keep.ErrClosed, nil: keep.ErrInvalidArgument,
	} {
		wantAll(t, want, map[string]func() error{
			"Beat":      func() error { _, err := beacon.Beat(keep.HealthOK, 0); return err },
			"Register":  func() error { _, err := beacon.Register(nil); return err },
			"Goodbye":   func() error { _, err := beacon.Goodbye(); return err },
			"Arm":       func() error { return beacon.Arm() },
			"Reconnect": func() error { return beacon.Reconnect() },
			"Restart":   func() error { return beacon.Restart() },
			"Prepare":   func() error { _, err := beacon.Prepare(nil, keep.HealthOK, 0, 0); return err },
			"Commit":    func() error { _, err := beacon.Commit(0); return err },
			"Every":     func() error { return beacon.Every(t.Context(), time.Second, func() error { return nil }) },
		})
		beacon.Crash(0)
	}
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Beacon)(nil).Close())
}

// the context ends between beats: registered, beaten, said goodbye
func TestEveryBeatsUntilTheContextEnds(t *testing.T) {
	observer, path := observed(t, time.Minute, beats())
	beacon := beaconTo(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	checks := 0
	wantStatus(t, keep.OK, beacon.Every(ctx, time.Millisecond, func() error {
		if checks++; checks == 3 {
			cancel()
		}
		return nil
	}))
	events := must(observer.Poll(nil))
	wantEvents(t, events, keep.EventRegistered, keep.EventBeat, keep.EventBeat, keep.EventBeat, keep.EventGoodbye)
	for _, beat := range events[1:4] {
		if beat.Health != keep.HealthOK {
			t.Errorf("got %+v", beat)
		}
	}
}

// what ends against its will says no goodbye, so that the observer tells of it
func TestEveryThatPanicsSaysNoGoodbye(t *testing.T) {
	observer, path := observed(t, time.Minute, beats())
	beacon := beaconTo(t, path)
	func() {
		defer func() { _ = recover() }()
		_ = beacon.Every(t.Context(), time.Millisecond, func() error { panic("oh") })
	}()
	wantEvents(t, must(observer.Poll(nil)), keep.EventRegistered)
}

func TestEveryEndsWithItsBeacon(t *testing.T) {
	beacon := beaconTo(t, filepath.Join(t.TempDir(), "nobody"))
	wantStatus(t, keep.ErrClosed, beacon.Every(t.Context(), time.Millisecond, func() error { return beacon.Close() }))
}
