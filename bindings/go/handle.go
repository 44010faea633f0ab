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
// runs on a handle while it is freed. Handles that C takes one at a time are held alone by calls, too.
type guard struct {
	mu      sync.RWMutex
	id      uint64 // unchanging; 0: a zero value, closed for ever, which nobody locks with others: it has no order
	isAlone bool   // unchanging; one call at a time
	cleanup runtime.Cleanup
}

func (g *guard) lock() {
	if g.isAlone {
		g.mu.Lock()
	} else {
		g.mu.RLock()
	}
}

func (g *guard) unlock() {
	if g.isAlone {
		g.mu.Unlock()
	} else {
		g.mu.RUnlock()
	}
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

// enter begins a call on the handle; leave ends it, and keeps the object alive until then. Methods defer it, but for those
// that do nothing but call C: there deferring would take as long as unlocking.
func (x *handle[P]) enter() (P, error) {
	x.mu.RLock()
	h := x.get()
	if h == *new(P) {
		x.mu.RUnlock()
		return h, ErrClosed
	}
	return h, nil
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

// alone is a handle that C takes one at a time. It is a type of its own so that calls on all others need not ask.
type alone[P comparable] struct {
	handle[P]
}

func (x *alone[P]) adopt(h P, free func(P) Status) {
	x.isAlone = true
	x.handle.adopt(h, free)
}

func (x *alone[P]) enter() (P, error) {
	x.mu.Lock()
	h := x.get()
	if h == *new(P) {
		x.mu.Unlock()
		return h, ErrClosed
	}
	return h, nil
}

func (x *alone[P]) leave() {
	x.mu.Unlock()
}

// enterBoth begins a call on two handles, in the order of their ids and one handle once: else two calls that hold one
// lock each and two closers would wait for each other.
func enterBoth[P, Q comparable](x *handle[P], y *handle[Q]) (P, Q, error) {
	if x.id == 0 || y.id == 0 {
		return *new(P), *new(Q), ErrClosed
	}
	first, second := &x.guard, &y.guard
	if first.id > second.id {
		first, second = second, first
	}
	first.lock()
	if second != first {
		second.lock()
	}
	h, i := x.get(), y.get()
	if h == *new(P) || i == *new(Q) {
		leaveBoth(x, y)
		return h, i, ErrClosed
	}
	return h, i, nil
}

func leaveBoth[P, Q comparable](x *handle[P], y *handle[Q]) {
	x.unlock()
	if &x.guard != &y.guard {
		y.unlock()
	}
}

// enterAll begins a call on several handles, as enterBoth does; nil ones and zero values are passed over. Whether they
// are open lend says. The result ends the call.
func enterAll(guards ...*guard) (leave func()) {
	once := slices.DeleteFunc(guards, func(g *guard) bool { return g == nil || g.id == 0 })
	slices.SortFunc(once, func(g, other *guard) int { return cmp.Compare(g.id, other.id) })
	once = slices.Compact(once)
	for _, g := range once {
		g.lock()
	}
	return func() {
		for _, g := range once {
			g.unlock()
		}
	}
}

// lend gives the handle of C during a call that enterAll began; a closed one sets err.
func (x *handle[P]) lend(err *error) P {
	h := x.get()
	if h == *new(P) {
		*err = ErrClosed
	}
	return h
}

// lockAll locks each handle alone, in the order of their ids and one handle once, and gives those that it locked. Zero
// values are passed over.
func lockAll[P comparable](all []*handle[P]) []*handle[P] {
	once := slices.DeleteFunc(slices.Clone(all), func(x *handle[P]) bool { return x.id == 0 })
	slices.SortFunc(once, func(x, y *handle[P]) int { return cmp.Compare(x.id, y.id) })
	once = slices.Compact(once)
	for _, x := range once {
		x.mu.Lock()
	}
	return once
}
