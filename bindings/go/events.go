// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"context"
	"os"
	"syscall"
	"time"
)

// Wait polls until something has happened, and gives it. It holds no thread meanwhile. Of several waits each event ends
// one. ErrTimeout: the context's deadline came; ErrClosed: the observer was closed, also during the wait.
func (o *Observer) Wait(ctx context.Context) ([]Event, error) {
	if o == nil || ctx == nil {
		return nil, ErrInvalidArgument
	}
	if o.life == nil {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.life, cancel)()
	events, err := o.await(ctx)
	if o.life.Err() != nil && len(events) == 0 {
		err = ErrClosed
	}
	return events, err
}

// await takes turns with other waits, since only so many may watch a set of descriptors at a time.
func (o *Observer) await(ctx context.Context) ([]Event, error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	if events, err := o.Poll(nil); len(events) > 0 || err != nil {
		return events, err
	}
	return o.pollWhenReady(ctx)
}

// pollWhenReady polls each time the observer's descriptor becomes ready, which the runtime's poller waits for.
func (o *Observer) pollWhenReady(ctx context.Context) (events []Event, err error) {
	file, err := o.duplicate()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })()
	ended := conn.Read(func(fd uintptr) bool {
		for len(events) == 0 && err == nil && ctx.Err() == nil && bool(C.keep_go_is_ready(C.int(fd))) {
			events, err = o.Poll(nil)
		}
		return len(events) > 0 || err != nil
	})
	if err == nil && ended != nil && ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	if err == nil {
		err = ended
	}
	return events, err
}

// duplicate gives a descriptor to wait on that no Close takes away.
func (o *Observer) duplicate() (*os.File, error) {
	h, err := o.enter()
	if err != nil {
		return nil, err
	}
	defer o.leave()
	var fd C.int
	c := C.keep_error{size: C.sizeof_keep_error}
	if st := C.keep_go_observer_duplicate(h, &fd, &c); st != C.KEEP_OK {
		return nil, failureOf("Observer.Wait", st, &c)
	}
	_ = syscall.SetNonblock(int(fd), true) // by which os knows what it may poll
	return os.NewFile(uintptr(fd), "observer"), nil
}

// Events gives what happens, event by event, until the context ends, the observer is closed, or a poll fails, as the next
// one will tell; then the channel is closed. Events that nobody took by then come with the next poll.
func (o *Observer) Events(ctx context.Context) <-chan Event {
	events := make(chan Event)
	go func() {
		defer close(events)
		for {
			got, err := o.Wait(ctx)
			if !o.send(ctx, events, got) || err != nil {
				return
			}
		}
	}()
	return events
}

// send sends events while somebody takes them, and keeps the others.
func (o *Observer) send(ctx context.Context, events chan<- Event, got []Event) bool {
	for i, event := range got {
		select {
		case events <- event:
		case <-ctx.Done():
			o.giveBack(got[i:])
			return false
		case <-o.life.Done():
			return false
		}
	}
	return true
}

// giveBack keeps events for the next poll.
func (o *Observer) giveBack(events []Event) {
	if _, err := o.enter(); err == nil {
		o.returned = append(events, o.returned...)
		o.leave()
	}
}
