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

// measure gives what a call costs. What it costs to call a closure is in every row, also in the floor.
func measure(name string, target float64, call func()) row {
	return measureBatch(name, target, 1, call)
}

// measureBatch gives what an item costs of a call that has so many.
func measureBatch(name string, target float64, items int, call func()) row {
	turns := calls / items
	ns := fastest(turns*items, func() {
		for range turns {
			call()
		}
	})
	return row{Language: "go", Name: name, NS: ns, Target: target, Allocs: testing.AllocsPerRun(turns, call)}
}

// fastest gives the best time that a run needed for each of its items.
func fastest(items int, run func()) float64 {
	best := math.Inf(1)
	for range rounds {
		begin := time.Now()
		run()
		best = min(best, float64(time.Since(begin).Nanoseconds())/float64(items))
	}
	return rounded(best)
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
	all = append(all, measure("generate and close", 0, func() { _ = generate().Close() }))
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
	single := inC("seal 64 bytes", 1, func(times C.size_t) { C.seal_often(handle, bytesOf(event), times) })
	batch := inC("seal 64 x 64 bytes", C.BATCH, func(times C.size_t) { C.seal_batch_often(handle, bytesOf(event), times) })
	requests := slices.Repeat([]keep.Request{request}, C.BATCH)
	data, ends := make([]byte, C.BATCH*C.EVENT_LEN), make([]uint32, C.BATCH)
	for i := range ends {
		ends[i] = uint32((i + 1) * C.EVENT_LEN)
	}
	sealedEnds, statuses := make([]uint32, C.BATCH), make([]uint8, C.BATCH)
	return []row{
		single,
		above(single, measure("seal 64 bytes", 80, func() { _, _ = session.Seal(out, request) })),
		batch,
		above(batch, measureBatch("seal batch", 60, C.BATCH, func() { _, _ = session.SealBatch(out, requests) })),
		above(batch, measureBatch("seal packed", rounded(batch.NS/20), C.BATCH, func() {
			_, _ = session.SealPacked(out, data, ends, 0, 0, 0, sealedEnds, statuses)
		})),
	}
}

func bytesOf(b []byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.SliceData(b))
}

// inC measures what a packet costs C, which seals so many in one turn of its own loop.
func inC(name string, packets int, run func(turns C.size_t)) row {
	turns := calls / packets
	return row{Language: "c", Name: name, NS: fastest(turns*packets, func() { run(C.size_t(turns)) })}
}

// above gives what a packet costs more than in C.
func above(c, r row) row {
	r.Name += ", above C"
	r.NS = rounded(r.NS - c.NS)
	return r
}

func generate() *keep.Secret {
	secret, err := keep.GenerateSecret(nil, 32)
	if err != nil {
		log.Fatal(err)
	}
	return secret
}
