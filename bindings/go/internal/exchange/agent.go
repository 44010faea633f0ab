// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"os"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// The kernel queues few datagrams: what finds the queue full is said again, and a last word, of which nobody hears
// whether it arrived, several times.
const (
	period    = 200 * time.Millisecond
	retry     = 5 * time.Millisecond
	lastWords = 5
)

func untilSent(say func() (keep.Outcome, error)) error {
	for {
		outcome, err := say()
		if err != nil || outcome.Kind == keep.OutcomeSent {
			return err
		}
		time.Sleep(retry)
	}
}

// nextCommand gives the first line of the input; `exit` if it ends.
func nextCommand() <-chan string {
	commands := make(chan string, 1)
	go func() {
		input := bufio.NewScanner(os.Stdin)
		if input.Scan() {
			commands <- input.Text()
		} else {
			commands <- "exit"
		}
	}()
	return commands
}

func leave(beacon *keep.Beacon, command string) error {
	for words := 0; command == "crash" && words < lastWords; words++ {
		beacon.Crash(9)
		time.Sleep(10 * retry)
	}
	if command == "goodbye" {
		return untilSent(beacon.Goodbye)
	}
	return nil
}

// live is one of the crowd of tests/exchange/crowd.py: it registers, beats, and does what its input says.
func live(path string) error {
	options := keep.NewBeaconOptions()
	options.Path = path
	beacon, err := keep.NewBeacon(options)
	if err != nil {
		return err
	}
	defer beacon.Close()
	if err := beacon.Arm(); err != nil {
		return err
	}
	if err := untilSent(func() (keep.Outcome, error) { return beacon.Register(nil) }); err != nil {
		return err
	}
	commands := nextCommand()
	for {
		outcome, err := beacon.Beat(keep.HealthOK, 0)
		if err != nil {
			return err
		}
		pause := retry
		if outcome.Kind == keep.OutcomeSent {
			pause = period
		}
		select {
		case command := <-commands:
			return leave(beacon, command)
		case <-time.After(pause):
		}
	}
}
