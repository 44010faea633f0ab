// SPDX-License-Identifier: MIT

// What a call through the Go binding costs (bindings §6): one JSON object per line, best of 7. In bindings/go:
//
//	go run ../../tests/bench/bench_call.go
//
// Times in nanoseconds are targets for a 3 GHz processor; most_floors, the ratio to a C function that does nothing, and
// most_allocs are gates: the program fails if a line is beyond them.
package main

/*
static inline void nothing(void) {}

#cgo noescape nothing
#cgo nocallback nothing
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

const (
	rounds = 7
	calls  = 20_000 // a millisecond or two: short enough to be left alone now and then
)

// row is a line of the result. Without a target or a gate the field is nil.
type row struct {
	Language   string   `json:"language"`
	Name       string   `json:"name"`
	NS         float64  `json:"ns"`
	Target     float64  `json:"target,omitempty"`
	Floors     float64  `json:"floors,omitempty"`
	MostFloors float64  `json:"most_floors,omitempty"`
	Allocs     float64  `json:"allocs"`
	MostAllocs *float64 `json:"most_allocs,omitempty"`
}

// measure gives what a call costs. What it costs to call a closure is in every row, also in the floor.
func measure(name string, target float64, call func()) row {
	best := math.Inf(1)
	for range rounds {
		begin := time.Now()
		for range calls {
			call()
		}
		best = min(best, float64(time.Since(begin).Nanoseconds())/calls)
	}
	return row{Language: "go", Name: name, NS: rounded(best), Target: target, Allocs: testing.AllocsPerRun(calls, call)}
}

func rounded(value float64) float64 {
	return math.Round(value*100) / 100
}

func main() {
	log.SetFlags(0)
	failed := false
	for _, r := range rows() {
		line, err := json.Marshal(r)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(line))
		failed = failed || r.MostFloors > 0 && r.Floors > r.MostFloors || r.MostAllocs != nil && r.Allocs > *r.MostAllocs
	}
	if failed {
		os.Exit(1)
	}
}

func rows() []row {
	secret := generate()
	closed := generate()
	_ = closed.Close()
	data, room, use := make([]byte, 32), make([]byte, 0, 32), func([]byte) error { return nil }
	all := []row{
		measure("floor", 0, func() { C.nothing() }),
		measure("trivial call", 60, func() { _ = secret.Melt() }),
		measure("put 32 bytes", 0, func() { _ = secret.Put(0, data) }),
		measure("reveal 32 bytes into", 0, func() { _, _ = secret.Reveal(room) }),
		measure("read window", 0, func() { _ = secret.Read(use) }),
		measure("expected failure", 70, func() { _ = closed.Clear() }),
	}
	none := 0.0
	for i := range all {
		all[i].MostAllocs = &none
	}
	all[1].Floors, all[1].MostFloors = rounded(all[1].NS/all[0].NS), 2
	return append(all, measure("generate and close", 0, func() { _ = generate().Close() }))
}

func generate() *keep.Secret {
	secret, err := keep.GenerateSecret(nil, 32)
	if err != nil {
		log.Fatal(err)
	}
	return secret
}
