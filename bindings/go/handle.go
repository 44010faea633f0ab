// SPDX-License-Identifier: MIT

//go:build cgo

package keep

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// lastID is the id of the newest handle.
var lastID atomic.Uint64

// guard is what a handle has whatever it is a handle of. Calls hold the lock shared, Close holds it alone: so no call
// runs on a handle while it is freed.
type guard struct {
	mu      sync.RWMutex
	id      uint64 // unchanging; 0: a zero value, which never was a handle
	cleanup runtime.Cleanup
}

// handle owns one handle of C until it is closed or forgotten. P points to a type that is incomplete in C, which the
// garbage collector passes over: the value need not be an address.
type handle[P comparable] struct {
	guard
	h    P // guarded by mu; nil when closed
	free func(P) Status
}

// adopt makes x the owner of h. When x is forgotten, free is the net.
func (x *handle[P]) adopt(h P, free func(P) Status) {
	x.h, x.free, x.id = h, free, lastID.Add(1)
	x.cleanup = runtime.AddCleanup(x, func(h P) { free(h) }, h)
}

// get is the one place where a call takes the handle of C.
func (x *handle[P]) get() P {
	h := x.h
	collect()
	return h
}

// enter begins a call on the handle; leave ends it, and keeps the object alive until then.
func (x *handle[P]) enter() (P, error) {
	x.mu.RLock()
	h, err := x.get(), error(nil)
	if h == *new(P) {
		x.mu.RUnlock()
		err = ErrClosed
	}
	return h, err
}

func (x *handle[P]) leave() {
	x.mu.RUnlock()
}

// close frees the handle, once, after the calls that run. If C says that it is in use nothing has happened.
func (x *handle[P]) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.h == *new(P) {
		return nil
	}
	st := x.free(x.get())
	if st != ErrBusy {
		x.forget()
	}
	return st.failure()
}

// forget makes x closed; the caller holds the lock alone.
func (x *handle[P]) forget() {
	x.h = *new(P)
	x.cleanup.Stop()
}

// enterBoth begins a call on two handles, in the order of their ids and one handle once: else two calls that hold one
// lock each and two closers would wait for each other.
func enterBoth[P, Q comparable](x *handle[P], y *handle[Q]) (P, Q, error) {
	first, second := &x.guard, &y.guard
	if first.id > second.id {
		first, second = second, first
	}
	first.mu.RLock()
	if second != first {
		second.mu.RLock()
	}
	h, i := x.get(), y.get()
	if h == *new(P) || i == *new(Q) {
		leaveBoth(x, y)
		return h, i, ErrClosed
	}
	return h, i, nil
}

func leaveBoth[P, Q comparable](x *handle[P], y *handle[Q]) {
	x.mu.RUnlock()
	if &x.guard != &y.guard {
		y.mu.RUnlock()
	}
}

// lockAll locks each handle alone, in the order of their ids and one handle once, and gives those that it locked.
func lockAll[P comparable](all []*handle[P]) []*handle[P] {
	once := slices.Clone(all)
	slices.SortFunc(once, func(x, y *handle[P]) int { return cmp.Compare(x.id, y.id) })
	once = slices.Compact(once)
	for _, x := range once {
		x.mu.Lock()
	}
	return once
}
