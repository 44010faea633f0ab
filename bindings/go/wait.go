// SPDX-License-Identifier: MIT

//go:build cgo

package keep

import (
	"context"
	"sync/atomic"
	"time"
)

// waitable is a handle with calls that wait inside C. Close ends such a wait at once: the call itself goes on until C
// returns, and the handle is freed by whoever is the last to use it.
type waitable[P comparable] struct {
	handle[P]
	users   atomic.Int32  // the owner until it closes, and each wait
	closing chan struct{} // closed by Close
}

// adopt is handle.adopt.
func (x *waitable[P]) adopt(h P, free func(P) Status) {
	x.closing = make(chan struct{})
	x.users.Store(1)
	x.handle.adopt(h, free)
}

// close is handle.close, but leaves the freeing to the last wait.
func (x *waitable[P]) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if h := x.get(); h != *new(P) {
		x.forget()
		close(x.closing)
		x.release(h)
	}
	return nil
}

// use takes part in the handle, which then lives until release.
func (x *waitable[P]) use() (P, error) {
	h, err := x.enter()
	if err == nil {
		x.users.Add(1)
		x.leave()
	}
	return h, err
}

func (x *waitable[P]) release(h P) {
	if x.users.Add(-1) == 0 {
		x.free(h)
	}
}

// outcome is what a wait ends with.
type outcome struct {
	secret *Secret
	err    error
}

// await runs call, which makes a secret and may wait for it until the context's deadline. C knows no other end of a
// wait; so when the context is cancelled or the handle is closed, the caller goes and the late secret is closed.
func (x *waitable[P]) await(ctx context.Context, call func(h P, timeoutMS uint32) (*Secret, error)) (*Secret, error) {
	if ctx == nil {
		return nil, ErrInvalidArgument
	}
	if err := ctx.Err(); err != nil && err != context.DeadlineExceeded { // a late caller still gets what is there
		return nil, err
	}
	h, err := x.use()
	if err != nil {
		return nil, err
	}
	done := make(chan outcome, 1)
	go func() {
		defer x.release(h)
		secret, err := call(h, timeoutMS(ctx))
		done <- outcome{secret, err}
	}()
	return x.first(ctx, done)
}

// first waits for the outcome, for the end of the context, or for Close.
func (x *waitable[P]) first(ctx context.Context, done <-chan outcome) (*Secret, error) {
	var err error
	select {
	case got := <-done:
		return got.secret, got.err
	case <-ctx.Done():
		if limit, ok := ctx.Deadline(); ok && !time.Now().Before(limit) {
			got := <-done // C has the same limit, and perhaps a fallback
			return got.secret, got.err
		}
		err = contextError(ctx)
	case <-x.closing:
		err = ErrClosed
	}
	go func() { _ = (<-done).secret.Close() }()
	return nil, err
}

// contextError says why the context has ended.
func contextError(ctx context.Context) error {
	if err := ctx.Err(); err != context.DeadlineExceeded {
		return err
	}
	return ErrTimeout
}

// timeoutMS gives the context's deadline in C's form, rounded up.
func timeoutMS(ctx context.Context) uint32 {
	deadline, limited := ctx.Deadline()
	if !limited {
		return WaitForever
	}
	left := (time.Until(deadline) + time.Millisecond - 1) / time.Millisecond
	return uint32(min(max(left, 1), WaitForever-1))
}
