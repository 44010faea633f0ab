// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"io"
	"os"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

const (
	beats    = 100
	patience = time.Minute
	liveMS   = 300
)

// beat beats, then is silent until the input ends.
func beat(path string) error {
	options := keep.NewBeaconOptions()
	options.Path = path
	beacon, err := keep.NewBeacon(options)
	if err != nil {
		return err
	}
	defer beacon.Close()
	end := time.Now().Add(patience)
	for sent := uint32(0); sent < beats && time.Now().Before(end); {
		outcome, err := beacon.Beat(keep.HealthOK, sent)
		switch {
		case err != nil:
			return err
		case outcome.Kind == keep.OutcomeSent:
			sent++
		default:
			time.Sleep(5 * time.Millisecond)
		}
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// heard is what was heard of the one process that beats.
type heard struct {
	nonce      uint64
	beats      int
	hasGap     bool
	hasStalled bool // after the last beat
}

func (h *heard) hear(event *keep.Event) {
	switch event.Kind {
	case keep.EventBeat:
		h.hasGap = h.hasGap || h.beats > 0 && event.Nonce != h.nonce+1
		h.nonce = event.Nonce
		h.beats++
	case keep.EventStall:
		h.hasStalled = h.beats == beats && event.Nonce == h.nonce
	}
}

func listen(path string) (*keep.Observer, error) {
	ledger, options := keep.NewTrackerOptions(), keep.NewObserverOptions()
	ledger.ThresholdNS, options.ReportBeats, options.PerPIDRate = liveMS*nsPerMS, true, 0
	tracker, err := keep.NewTracker(ledger)
	if err != nil {
		return nil, err
	}
	observer, err := keep.NewObserver(tracker, options)
	if err != nil {
		return nil, err
	}
	where := keep.NewListenOptions()
	where.Path = path
	return observer, observer.Listen(where)
}

// observe tells whether all the beats of a process were heard, and then its silence.
func observe(path string) bool {
	observer, err := listen(path)
	if err != nil {
		return false
	}
	defer observer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all heard
	for !all.hasStalled {
		events, err := observer.Wait(ctx)
		if err != nil {
			return false
		}
		for i := range events {
			all.hear(&events[i])
		}
	}
	return !all.hasGap
}
