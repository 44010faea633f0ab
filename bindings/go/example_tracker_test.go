// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

func ExampleTracker() {
	options := keep.NewTrackerOptions()
	options.ThresholdNS = 1000
	tracker, err := keep.NewTracker(options)
	if err != nil {
		log.Fatal(err)
	}
	defer tracker.Close()

	admission, err := tracker.Record(keep.Sighting{PID: 42, Nonce: 1, Origin: keep.OriginKernel}, 5000)
	if err != nil {
		log.Fatal(err)
	}
	next, _ := tracker.NextDeadline()
	fmt.Println(admission.Verdict, next)

	alarms, err := tracker.Drain(nil, next)
	if err != nil {
		log.Fatal(err)
	}
	for _, alarm := range alarms {
		fmt.Println("pid", alarm.PID, "is silent for", alarm.SilenceNS)
	}
	fmt.Println(tracker)
	// Output:
	// inserted 6000
	// pid 42 is silent for 1000
	// keep.Tracker(1 agents, 1 stalled)
}

func ExampleObserver() {
	folder, err := os.MkdirTemp("", "beats")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "socket")

	tracker, err := keep.NewTracker(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tracker.Close()
	observer, err := keep.NewObserver(tracker, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer observer.Close()
	listen := keep.NewListenOptions()
	listen.Path = path
	if err := observer.Listen(listen); err != nil {
		log.Fatal(err)
	}

	go watched(path)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for event := range observer.Events(ctx) {
		fmt.Println(event.Kind, event.PID == uint32(os.Getpid()))
		if event.Kind == keep.EventGoodbye {
			break
		}
	}
	// Output:
	// registered true
	// goodbye true
}

// watched is alive for a moment.
func watched(path string) {
	options := keep.NewBeaconOptions()
	options.Path = path
	beacon, err := keep.NewBeacon(options)
	if err != nil {
		log.Fatal(err)
	}
	defer beacon.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := beacon.Every(ctx, 5*time.Millisecond, func() error { return nil }); err != nil {
		log.Fatal(err)
	}
}

func ExampleBeacon() {
	options := keep.NewBeaconOptions()
	options.Path = "/nonexistent/observer"
	beacon, err := keep.NewBeacon(options)
	if err != nil {
		log.Fatal(err)
	}
	defer beacon.Close()

	outcome, err := beacon.Beat(keep.HealthOK, 0)
	fmt.Println(outcome.Kind, outcome.Dropped, err)
	// Output: dropped_no_observer 1 <nil>
}
