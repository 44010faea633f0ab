// SPDX-License-Identifier: MIT

// What a guarded buffer of memguard costs, in the form of tests/bench: a line `NAME NANOSECONDS`.
package main

import (
	"fmt"
	"sort"
	"time"

	"github.com/awnumar/memguard"
)

const (
	rounds = 101
	round  = 250 * time.Microsecond
)

func guardedPair(count int) time.Duration {
	start := time.Now()
	for range count {
		memguard.NewBuffer(32).Destroy()
	}
	return time.Since(start)
}

func main() {
	count := 1
	for min(guardedPair(count), guardedPair(count), guardedPair(count)) < round { // one may be disturbed
		count *= 2
	}
	var times []float64
	for range rounds {
		times = append(times, float64(guardedPair(count).Nanoseconds())/float64(count))
	}
	sort.Float64s(times)
	fmt.Printf("guarded_pair %.2f\n", times[len(times)/2])
}
