// SPDX-License-Identifier: MIT

// The beat program says ten times a second that it is alive, until its input ends; then goodbye. examples/watch.py of the
// repository is the other side.
//
//	go run github.com/libkeep/libkeep/bindings/go/examples/beat@latest PATH
package main

import (
	"context"
	"io"
	"log"
	"os"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// untilInputEnds gives a context that ends with the input.
func untilInputEnds() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return ctx
}

func beat(path string) error {
	options := keep.NewBeaconOptions()
	options.Path = path
	beacon, err := keep.NewBeacon(options)
	if err != nil {
		return err
	}
	defer beacon.Close()
	return beacon.Every(untilInputEnds(), 100*time.Millisecond, func() error { return nil })
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: beat PATH")
	}
	if err := beat(os.Args[1]); err != nil {
		log.Fatal("beat: ", err)
	}
}
