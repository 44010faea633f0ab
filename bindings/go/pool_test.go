// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// memory R4, bindings 2.2
func TestPoolOptionsThatCCannotHoldOrRefuses(t *testing.T) {
	for name, options := range map[string]*keep.PoolOptions{
		"slot length":   {Tiers: []keep.Tier{{Len: 33}}},
		"negative":      {Tiers: []keep.Tier{{Len: 32, Slots: -1}}},
		"over 32 bits":  {Tiers: []keep.Tier{{Len: math.MaxUint32 + 33}}},
		"nine tiers":    {Tiers: make([]keep.Tier, keep.MaxTiers+1)},
		"hot cache":     {HotCache: keep.MaxHotCache + 1},
		"less than 0":   {HotCache: -1},
		"resplit views": {ResplitViews: math.MaxUint32 + 1},
		"bytes":         {MaxBytes: keep.MaxPoolBytes + 1},
		"backing":       {Backing: 9},
		"lock policy":   {LockPolicy: 9},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := keep.NewPool(options)
			wantStatus(t, keep.ErrInvalidArgument, err)
			_, err = keep.MemoryReport(options)
			wantStatus(t, keep.ErrInvalidArgument, err)
		})
	}
}

// memory R6
func TestDefaultPoolIsMadeOnce(t *testing.T) {
	pool := closing(t, must(keep.DefaultPool(nil)))
	closing(t, must(pool.Acquire(32, nil)))
	_, err := keep.DefaultPool(keep.NewPoolOptions())
	wantStatus(t, keep.ErrState, err)
	before := must((*keep.Pool)(nil).Stats())
	closing(t, must((*keep.Pool)(nil).Acquire(32, nil)))
	if after := must(pool.Stats()); after.Tiers[0].InUse != before.Tiers[0].InUse+1 {
		t.Fatal("a nil pool is not the default pool")
	}
	wantStatus(t, keep.OK, (*keep.Pool)(nil).Close())
}

// memory R7, R9
func TestAcquireGivesZeroBytes(t *testing.T) {
	pool := onePool(t, 1)
	secret := must(pool.Acquire(20, nil))
	wantText(t, string(make([]byte, 20)), secret)
	_, err := pool.Acquire(20, nil)
	wantStatus(t, keep.ErrExhausted, err)
	guarded := closing(t, must(pool.Acquire(20, &keep.AcquireOptions{Flags: keep.AcquireFallback})))
	if info := must(guarded.Info()); info.Kind != keep.KindGuarded || info.Capacity != 20 || info.Tier != keep.MaxTiers {
		t.Fatalf("unexpected %+v", info)
	}
	wantStatus(t, keep.OK, secret.Close())
	closing(t, must(pool.Acquire(20, keep.NewAcquireOptions())))
	for _, n := range []int{-1, math.MinInt, keep.MaxSecretLen + 1} {
		_, err = pool.Acquire(n, nil)
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	_, err = pool.Acquire(20, &keep.AcquireOptions{Flags: 1 << 20})
	wantStatus(t, keep.ErrInvalidArgument, err)
}

// memory R14
func TestAcquireManyGivesAllOrNone(t *testing.T) {
	pool := onePool(t, 4)
	secrets := must(pool.AcquireMany(32, 3))
	_, err := pool.AcquireMany(32, 2)
	wantStatus(t, keep.ErrExhausted, err)
	for _, count := range []int{-1, 0, keep.MaxBatch + 1} {
		_, err = pool.AcquireMany(32, count)
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	if stats := must(pool.Stats()); stats.Tiers[0].InUse != 3 {
		t.Fatalf("%d slots in use", stats.Tiers[0].InUse)
	}
	wantStatus(t, keep.OK, keep.CloseMany(secrets))
	wantStatus(t, keep.OK, keep.CloseMany(secrets))
	if stats := must(pool.Stats()); stats.Tiers[0].InUse != 0 {
		t.Fatalf("%d slots in use", stats.Tiers[0].InUse)
	}
}

// memory R14
func TestCloseManyLeavesBusyOnesOpen(t *testing.T) {
	pool := onePool(t, 3)
	secrets := must(pool.AcquireMany(8, 3))
	err := secrets[1].Read(func([]byte) error {
		twice := []*keep.Secret{secrets[2], secrets[1], secrets[0], secrets[2]}
		return keep.CloseMany(twice)
	})
	wantStatus(t, keep.ErrBusy, err)
	_, err = secrets[0].Info()
	wantStatus(t, keep.ErrClosed, err)
	wantStatus(t, keep.OK, secrets[1].Freeze())
	wantStatus(t, keep.OK, keep.CloseMany(secrets))
	wantStatus(t, keep.ErrInvalidArgument, keep.CloseMany([]*keep.Secret{nil}))
	wantStatus(t, keep.ErrInvalidArgument, keep.CloseMany(nil))
}

// memory R15, R16, R18
func TestReserveTrimAndStats(t *testing.T) {
	pool := closing(t, must(keep.NewPool(&keep.PoolOptions{Tiers: []keep.Tier{{Len: 64}}})))
	wantStatus(t, keep.OK, pool.Reserve(64, 500))
	stats := must(pool.Stats())
	if tier := stats.Tiers[0]; len(stats.Tiers) != 1 || tier.SlotLen != 64 || tier.Slots < 500 || tier.Regions < 1 {
		t.Fatalf("unexpected %+v", stats)
	}
	if stats.Backing == keep.BackingAuto || stats.LockedBytes < 500*64 || stats.Growths == 0 || stats.MetadataBytes == 0 {
		t.Fatalf("unexpected %+v", stats)
	}
	wantStatus(t, keep.OK, pool.Reserve(64, 5000))
	freed := must(pool.Trim())
	if after := must(pool.Stats()); freed == 0 || stats.LockedBytes == 0 || after.Tiers[0].Slots >= 5000 {
		t.Fatalf("trimmed %d bytes of %+v", freed, after)
	}
	wantStatus(t, keep.ErrInvalidArgument, pool.Reserve(65, 1))
	wantStatus(t, keep.ErrInvalidArgument, pool.Reserve(64, -1))
	wantStatus(t, keep.ErrExhausted, pool.Reserve(64, keep.MaxSecrets))
}

// memory R12, bindings 2.2
func TestAcquireContextEndsWithTheDeadline(t *testing.T) {
	pool := onePool(t, 1)
	closing(t, must(pool.Acquire(32, nil)))
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := pool.AcquireContext(ctx, 32, nil)
	wantStatus(t, keep.ErrTimeout, err)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) < 30*time.Millisecond {
		t.Fatalf("%v after %v", err, time.Since(start))
	}
	_, err = pool.AcquireContext(ctx, 32, nil)
	wantStatus(t, keep.ErrTimeout, err)
	//lint:ignore SA1012 this is what nil gets
	_, err = pool.AcquireContext(nil, 32, nil)
	wantStatus(t, keep.ErrInvalidArgument, err)

	ctx, cancel = context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	fallback := closing(t, must(pool.AcquireContext(ctx, 32, &keep.AcquireOptions{Flags: keep.AcquireFallback})))
	if info := must(fallback.Info()); info.Kind != keep.KindGuarded {
		t.Fatalf("unexpected %+v", info)
	}
	late, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	closing(t, must(pool.AcquireContext(late, 32, &keep.AcquireOptions{Flags: keep.AcquireFallback})))
}

// waiting starts a call that waits in the pool, and returns when it does.
func waiting(pool *keep.Pool, wait func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- wait() }()
	for must(pool.Stats()).Tiers[0].Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	return done
}

// memory R13
func TestAcquireContextGetsTheSlotThatIsFreed(t *testing.T) {
	pool := onePool(t, 1)
	first := must(pool.Acquire(32, nil))
	done := waiting(pool, func() error {
		secret, err := pool.AcquireContext(context.Background(), 32, nil)
		return errors.Join(err, secret.Close())
	})
	wantStatus(t, keep.OK, first.Close())
	wantStatus(t, keep.OK, <-done)
}

func TestACancelledWaitGivesItsLateSlotBack(t *testing.T) {
	pool := onePool(t, 1)
	first := must(pool.Acquire(32, nil))
	ctx, cancel := context.WithCancel(context.Background())
	done := waiting(pool, func() error {
		_, err := pool.AcquireContext(ctx, 32, nil)
		return err
	})
	cancel()
	if err := <-done; err != context.Canceled {
		t.Fatalf("unexpected %v", err)
	}
	wantStatus(t, keep.OK, first.Close())
	again, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	closing(t, must(pool.AcquireContext(again, 32, nil)))
}

// bindings 5: close during a wait ends it
func TestPoolCloseEndsAWait(t *testing.T) {
	pool := onePool(t, 1)
	other := must(pool.Acquire(32, nil))
	done := waiting(pool, func() error {
		_, err := pool.AcquireContext(context.Background(), 32, nil)
		return err
	})
	wantStatus(t, keep.OK, pool.Close())
	wantStatus(t, keep.ErrClosed, <-done)
	wantStatus(t, keep.OK, pool.Close())
	_, err := pool.Acquire(32, nil)
	wantStatus(t, keep.ErrClosed, err)
	wantText(t, string(make([]byte, 32)), other) // a secret outlives its pool's handle
	wantStatus(t, keep.OK, other.Close())
}

func TestAcquireContextOfTheDefaultPool(t *testing.T) {
	secret := must((*keep.Pool)(nil).AcquireContext(context.Background(), 5, nil))
	wantText(t, "\x00\x00\x00\x00\x00", secret)
	wantStatus(t, keep.OK, secret.Close())
}

func TestZeroPoolIsClosed(t *testing.T) {
	var pool keep.Pool
	_, err := pool.Acquire(1, nil)
	wantStatus(t, keep.ErrClosed, err)
	_, err = pool.AcquireContext(context.Background(), 1, nil)
	wantStatus(t, keep.ErrClosed, err)
	_, err = pool.AcquireMany(1, 1)
	wantStatus(t, keep.ErrClosed, err)
	_, err = keep.GenerateSecret(&pool, 1)
	wantStatus(t, keep.ErrClosed, err)
	_, err = keep.TakeSecret(&pool, []byte("x"))
	wantStatus(t, keep.ErrClosed, err)
	_, err = keep.NewSealed(&pool, nil, 0)
	wantStatus(t, keep.ErrClosed, err)
	_, err = keep.TakeSealed(&pool, nil, 0)
	wantStatus(t, keep.ErrClosed, err)
	_, err = keep.SecretFromBytes(&pool, nil)
	wantStatus(t, keep.ErrClosed, err)
	wantStatus(t, keep.ErrClosed, pool.Reserve(1, 1))
	_, err = pool.Trim()
	wantStatus(t, keep.ErrClosed, err)
	_, err = pool.Stats()
	wantStatus(t, keep.ErrClosed, err)
	wantStatus(t, keep.OK, pool.Close())
}
