// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// contextOfInput gives a context that ends with the standard input.
func contextOfInput(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx
}

// wantReturn gives the error that a wait ends with, which has to come soon after what ended it.
func wantReturn(t *testing.T, want keep.Status, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		wantStatus(t, want, err)
	case <-time.After(20 * time.Second):
		t.Fatal("the wait goes on")
	}
}

// inWait starts so many waits, of which each says how it ended.
func inWait(observer *keep.Observer, ctx context.Context, count int) <-chan error {
	ended := make(chan error, count)
	for range count {
		go func() {
			_, err := observer.Wait(ctx)
			ended <- err
		}()
	}
	return ended
}

// bindings T22
func TestManyWaitsHoldNoThreads(t *testing.T) {
	observer, path := observed(t, time.Minute, nil)
	beacon := beaconTo(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := threads()
	ended := inWait(observer, ctx, 1000)
	time.Sleep(50 * time.Millisecond)
	if now := threads(); now > max(before, 20) {
		t.Errorf("%d threads, before the waits %d", now, before)
	}
	for range 10 { // each event ends one wait
		must(beacon.Register(nil))
		wantReturn(t, keep.OK, ended)
	}
	cancel()
	for range 990 {
		if err := <-ended; err != context.Canceled {
			t.Fatalf("got %v", err)
		}
	}
}

// threads counts the threads that the process has.
func threads() int {
	return len(must(os.ReadDir("/proc/self/task")))
}

// bindings T20: Close during Wait returns at once, and so does Wait
func TestCloseEndsWaits(t *testing.T) {
	observer, _ := observed(t, time.Minute, nil)
	ended := inWait(observer, t.Context(), 8)
	time.Sleep(10 * time.Millisecond)
	wantStatus(t, keep.OK, observer.Close())
	for range 8 {
		wantReturn(t, keep.ErrClosed, ended)
	}
}

func TestCloseAgainstWaits(t *testing.T) {
	for range rounds / 10 {
		observer, _ := observed(t, time.Minute, nil)
		ended := inWait(observer, t.Context(), 2)
		wantStatus(t, keep.OK, observer.Close())
		wantReturn(t, keep.ErrClosed, ended)
		wantReturn(t, keep.ErrClosed, ended)
	}
}

func TestAContextEndsAWait(t *testing.T) {
	observer, _ := observed(t, time.Minute, nil)
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := observer.Wait(ctx)
	wantStatus(t, keep.ErrTimeout, err)
	if passed := time.Since(begin); passed < 20*time.Millisecond {
		t.Errorf("after %v", passed)
	}
	_, err = observer.Wait(ctx)
	wantStatus(t, keep.ErrTimeout, err)
	var none context.Context
	_, err = observer.Wait(none)
	wantStatus(t, keep.ErrInvalidArgument, err)
}

// a stall that nobody's beat announces: the timer's part of the descriptor
func TestAWaitEndsWithAStall(t *testing.T) {
	observer, path := observed(t, 50*time.Millisecond, nil)
	must(beaconTo(t, path).Beat(keep.HealthOK, 0))
	wantNext(t, observer.Events(t.Context()), os.Getpid(), keep.EventStall)
}

// beats that are not reported: more than one poll takes, and then an event
func TestAWaitSeesWhatManyBeatsHide(t *testing.T) {
	options := keep.NewObserverOptions()
	options.Budget = 1
	observer, path := observed(t, time.Minute, options)
	beacon := beaconTo(t, path)
	for range 8 {
		must(beacon.Beat(keep.HealthOK, 0))
	}
	must(beacon.Goodbye())
	wantEvents(t, must(observer.Wait(t.Context())), keep.EventGoodbye)
}

// events that were received and not taken are not lost
func TestEventsThatNobodyTookComeBack(t *testing.T) {
	observer, path := observed(t, time.Minute, nil)
	beacon := beaconTo(t, path)
	for range 5 {
		must(beacon.Register(nil))
	}
	ctx, cancel := context.WithCancel(t.Context())
	events := observer.Events(ctx)
	<-events
	cancel()
	isBusy := func() bool {
		_, err := observer.Feed(nil, make([]keep.Datagram, 1), 0)
		return err == keep.ErrBusy
	}
	for late := time.Now().Add(20 * time.Second); !isBusy(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("no event came back")
		}
	}
	if event, open := <-events; open {
		t.Errorf("another event: %v", event)
	}
	wantEvents(t, must(observer.Poll(make([]keep.Event, 0, 1))), keep.EventRegistered)
	wantEvents(t, must(observer.Feed(nil, nil, 0)), keep.EventRegistered, keep.EventRegistered, keep.EventRegistered)
}

func TestCloseEndsEvents(t *testing.T) {
	observer, path := observed(t, time.Minute, nil)
	events := observer.Events(context.Background())
	must(beaconTo(t, path).Register(nil))
	for must(observer.Stats()).Datagrams == 0 {
		time.Sleep(time.Millisecond)
	}
	wantStatus(t, keep.OK, observer.Close())
	for range events {
	}
}
