// SPDX-License-Identifier: MIT

// What a call through the Go binding costs (bindings §6): one JSON object per line, best of 7. In bindings/go:
//
//	go run ../../tests/bench/bench_call.go
//
// Times in nanoseconds are targets for a 3 GHz processor; most_floors, the ratio to a C function that does nothing, and
// most_allocs are gates: the program fails if a line is beyond them.
package main

/*
#cgo pkg-config: keep
#include <keep/keep.h>
#include <stdlib.h>

static inline void nothing(void) {}

enum { EVENT_LEN = 64, BATCH = 64 };

static void need(keep_status status)
{
    if (status != KEEP_OK)
        abort();
}

static keep_session *new_session(void)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *key = NULL;
    keep_session *session = NULL;

    need(keep_secret_generate(NULL, 32, &key));
    options.tx_key = key;
    need(keep_session_new(&options, &session));
    need(keep_secret_free(&key));
    return session;
}

// Seals one event, as often as told.
static void seal_often(keep_session *session, const uint8_t *event, size_t times)
{
    uint8_t out[KEEP_MAX_PACKET_LEN];
    keep_bytes bytes = { event, EVENT_LEN };
    keep_packet_request request = { .events = &bytes, .event_count = 1 };
    size_t len;

    while (times-- > 0)
        need(keep_packet_seal_into(session, &request, out, sizeof out, &len));
}

// Seals a batch of one event each, as often as told.
static void seal_batch_often(keep_session *session, const uint8_t *event, size_t times)
{
    uint8_t data[BATCH * (EVENT_LEN + 4 + KEEP_PACKET_OVERHEAD_LEN)];
    keep_bytes bytes = { event, EVENT_LEN };
    keep_packet_request requests[BATCH];
    size_t offsets[BATCH + 1];
    keep_status statuses[BATCH];
    keep_packet_seal_out out = { sizeof out, data, sizeof data, offsets, statuses, 0, 0 };

    for (size_t i = 0; i < BATCH; i++)
        requests[i] = (keep_packet_request){ .events = &bytes, .event_count = 1 };
    while (times-- > 0)
        need(keep_packet_seal_batch(session, requests, BATCH, &out));
}

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
	"slices"
	"testing"
	"time"
	"unsafe"

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

// subject is a call that is measured, of so many items.
type subject struct {
	language, name string
	target         float64
	items          int
	loop           func(turns int)
}

// inGo is a call. What it costs to call a closure is in every one, also in the floor.
func inGo(name string, target float64, items int, call func()) subject {
	return subject{"go", name, target, items, func(turns int) {
		for range turns {
			call()
		}
	}}
}

// inC is a call in a loop of C's own.
func inC(name string, items int, loop func(turns C.size_t)) subject {
	return subject{"c", name, 0, items, func(turns int) { loop(C.size_t(turns)) }}
}

// measure gives what an item of each subject costs. They take turns, so that a slow moment falls on all of them.
func measure(subjects ...subject) []row {
	best := slices.Repeat([]float64{math.Inf(1)}, len(subjects))
	for range rounds {
		for i, s := range subjects {
			best[i] = min(best[i], s.nanoseconds())
		}
	}
	all := make([]row, len(subjects))
	for i, s := range subjects {
		allocs := testing.AllocsPerRun(calls/s.items, func() { s.loop(1) })
		all[i] = row{Language: s.language, Name: s.name, NS: rounded(best[i]), Target: s.target, Allocs: allocs}
	}
	return all
}

func (s subject) nanoseconds() float64 {
	turns := calls / s.items
	begin := time.Now()
	s.loop(turns)
	return float64(time.Since(begin).Nanoseconds()) / float64(turns*s.items)
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
	all := measure(
		inGo("floor", 0, 1, func() { C.nothing() }),
		inGo("trivial call", 60, 1, func() { _ = secret.Melt() }),
		inGo("put 32 bytes", 0, 1, func() { _ = secret.Put(0, data) }),
		inGo("reveal 32 bytes into", 0, 1, func() { _, _ = secret.Reveal(room) }),
		inGo("read window", 0, 1, func() { _ = secret.Read(use) }),
		inGo("expected failure", 70, 1, func() { _ = closed.Clear() }),
	)
	none := 0.0
	for i := range all {
		all[i].MostAllocs = &none
	}
	all[1].Floors, all[1].MostFloors = rounded(all[1].NS/all[0].NS), 2
	all = append(all, measure(inGo("generate and close", 0, 1, func() { _ = generate().Close() }))...)
	return append(all, packetRows()...)
}

// packetRows tell what sealing costs, and how much of it is more than C takes for the same.
func packetRows() []row {
	handle, key := C.new_session(), generate()
	session, err := keep.NewSession(&keep.SessionOptions{TxKey: key})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	defer C.keep_session_free(&handle)
	event, out := make([]byte, C.EVENT_LEN), make([]byte, 0, C.BATCH*keep.MaxPacketLen)
	request := keep.Request{Events: [][]byte{event}}
	requests := slices.Repeat([]keep.Request{request}, C.BATCH)
	data, ends := make([]byte, C.BATCH*C.EVENT_LEN), make([]uint32, C.BATCH)
	for i := range ends {
		ends[i] = uint32((i + 1) * C.EVENT_LEN)
	}
	sealedEnds, statuses := make([]uint32, C.BATCH), make([]uint8, C.BATCH)
	single := measure(
		inC("seal 64 bytes", 1, func(times C.size_t) { C.seal_often(handle, bytesOf(event), times) }),
		inGo("seal 64 bytes", 80, 1, func() { _, _ = session.Seal(out, request) }),
	)
	batch := measure(
		inC("seal 64 x 64 bytes", C.BATCH, func(times C.size_t) { C.seal_batch_often(handle, bytesOf(event), times) }),
		inGo("seal batch", 60, C.BATCH, func() { _, _ = session.SealBatch(out, requests) }),
		inGo("seal packed", 0, C.BATCH, func() {
			_, _ = session.SealPacked(out, data, ends, 0, 0, 0, sealedEnds, statuses)
		}),
	)
	batch[2].Target = rounded(batch[0].NS / 20)
	return append(aboveFirst(single), aboveFirst(batch)...)
}

func bytesOf(b []byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.SliceData(b))
}

// aboveFirst gives the first row, and what the others cost more than it.
func aboveFirst(all []row) []row {
	for i := range all[1:] {
		r := &all[i+1]
		r.Name += ", above C"
		r.NS = rounded(r.NS - all[0].NS)
	}
	return all
}

func generate() *keep.Secret {
	secret, err := keep.GenerateSecret(nil, 32)
	if err != nil {
		log.Fatal(err)
	}
	return secret
}
