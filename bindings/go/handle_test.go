// SPDX-License-Identifier: MIT

package keep_test

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// together runs f in a goroutine that the group waits for.
func together(group *sync.WaitGroup, f func()) {
	group.Add(1)
	go func() {
		defer group.Done()
		f()
	}()
}

// bindings T20
func TestCloseAgainstCallingGoroutines(t *testing.T) {
	pool := closing(t, must(keep.NewPool(nil)))
	for range rounds {
		secret := must(keep.GenerateSecret(pool, 32))
		var callers sync.WaitGroup
		started := make(chan struct{}, 8)
		for range cap(started) {
			together(&callers, func() {
				_, err := secret.Info()
				for started <- struct{}{}; err == nil; _, err = secret.Info() {
					runtime.Gosched()
				}
				wantStatus(t, keep.ErrClosed, err)
			})
		}
		<-started
		wantStatus(t, keep.OK, secret.Close())
		callers.Wait()
	}
	if stats := must(pool.Stats()); stats.Tiers[0].InUse != 0 {
		t.Fatalf("%d slots in use", stats.Tiers[0].InUse)
	}
}

// bindings R43, T20: two readers and two closers, in opposite order
func TestCallsOnTwoHandlesDoNotDeadlock(t *testing.T) {
	for range rounds {
		a, b := must(keep.GenerateSecret(nil, 8)), must(keep.GenerateSecret(nil, 8))
		var all sync.WaitGroup
		together(&all, func() { _, _ = a.Equal(b) })
		together(&all, func() { _, _ = b.Equal(a) })
		together(&all, func() { wantStatus(t, keep.OK, keep.CloseMany([]*keep.Secret{a, b})) })
		together(&all, func() { wantStatus(t, keep.OK, keep.CloseMany([]*keep.Secret{b, a})) })
		all.Wait()
	}
}

// bindings R43: a zero value has no place in the order, and is closed for ever
func TestZeroValuesAreNotWaitedFor(t *testing.T) {
	a, b := new(keep.Secret), new(keep.Secret)
	secret := must(keep.GenerateSecret(nil, 8))
	_, err := a.Equal(b)
	wantStatus(t, keep.ErrClosed, err)
	wantStatus(t, keep.OK, keep.CloseMany([]*keep.Secret{a, b, a, secret, b, secret}))
	wantStatus(t, keep.OK, keep.CloseMany([]*keep.Secret{b, a, b}))
	wantStatus(t, keep.ErrInvalidArgument, keep.CloseMany(make([]*keep.Secret, 2)))
	wantStatus(t, keep.ErrInvalidArgument, keep.CloseMany(slices.Repeat([]*keep.Secret{a}, keep.MaxBatch+1)))
}

// bindings T21
func TestForgottenHandlesAreClosed(t *testing.T) {
	pool := must(keep.NewPool(nil))
	for range rounds {
		must(keep.GenerateSecret(pool, 32))
		must(keep.GenerateSecret(pool, 2000))
		must(keep.NewSealed(pool, []byte("secret"), 0))
	}
	wantNothingInUse(t, pool)
}

// bindings T21: pools that are forgotten with all that was made of them
func TestForgottenPoolsGiveTheirMemoryBack(t *testing.T) {
	for range 3 { // what other tests have forgotten
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	before := lockedBytes()
	for range rounds / 10 {
		pool := must(keep.NewPool(nil))
		key := must(keep.GenerateSecret(pool, 32))
		must(keep.GenerateSecret(pool, 2000))
		must(keep.NewSealed(pool, []byte("secret"), 0))
		must(keep.NewSession(&keep.SessionOptions{SessionID: 1, RxKey: key, Pool: pool}))
	}
	waitFor(t, func() uint64 { return uint64(max(0, lockedBytes()-before)) })
}

func lockedBytes() int64 {
	return must(keep.MemoryReport(nil)).LockedBytes
}

// wantNothingInUse waits until the collector has closed what was forgotten of the pool.
func wantNothingInUse(t *testing.T, pool *keep.Pool) {
	t.Helper()
	waitFor(t, func() uint64 {
		stats := must(pool.Stats())
		return stats.Tiers[0].InUse + stats.Guarded
	})
	runtime.KeepAlive(pool)
}

// waitFor waits until the collector has brought the count to 0.
func waitFor(t *testing.T, inUse func() uint64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); inUse() > 0; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("%d are still in use", inUse())
		}
	}
}

// memory T21: a window keeps its secret, whatever else is forgotten, and the secret ends after it
func TestAWindowOutlivesTheLastReference(t *testing.T) {
	pool := closing(t, must(keep.NewPool(nil)))
	read := must(keep.SecretFromBytes(pool, []byte("secret"))).Read
	wantStatus(t, keep.OK, read(func(data []byte) error {
		read = nil
		for range 3 {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		if string(data) != "secret" {
			t.Errorf("the window shows %q", data)
		}
		return nil
	}))
	wantNothingInUse(t, pool)
}
