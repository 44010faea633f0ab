// SPDX-License-Identifier: MIT

package keep_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

func TestSealAndOpen(t *testing.T) {
	sealed := closing(t, must(keep.NewSealed(nil, []byte("secret"), 7)))
	info := must(sealed.Info())
	id := info.ID
	if info.ID = 0; id == 0 || info != (keep.SealedInfo{Len: 6, StoredLen: 6 + keep.SealedOverhead, Type: 7}) {
		t.Fatalf("unexpected %+v", info)
	}
	secret := closing(t, must(sealed.Open(nil)))
	wantText(t, "secret", secret)
	wantStatus(t, keep.ErrState, secret.Clear())
	again := closing(t, must(keep.SealSecret(secret, 8)))
	if must(again.Info()).ID <= id {
		t.Fatal("ids do not rise")
	}
	guarded := closing(t, must(again.Open(&keep.AcquireOptions{Flags: keep.AcquireGuarded})))
	wantText(t, "secret", guarded)
}

func TestTakeSealedWipesItsSource(t *testing.T) {
	source := []byte("hunter2")
	sealed := closing(t, must(keep.TakeSealed(nil, source, 0)))
	if !bytes.Equal(source, make([]byte, 7)) {
		t.Fatalf("the source is still %q", source)
	}
	wantText(t, "hunter2", closing(t, must(sealed.Open(nil))))
}

// memory R39
func TestOpenInto(t *testing.T) {
	sealed := closing(t, must(keep.NewSealed(nil, []byte("secret"), 0)))
	into := secretOf(t, "something longer")
	wantStatus(t, keep.OK, sealed.OpenInto(into))
	wantText(t, "secret", into)
	small := closing(t, must((*keep.Pool)(nil).Acquire(3, &keep.AcquireOptions{Flags: keep.AcquireGuarded})))
	wantStatus(t, keep.ErrInvalidArgument, sealed.OpenInto(small))
	wantStatus(t, keep.OK, into.Freeze())
	wantStatus(t, keep.ErrState, sealed.OpenInto(into))
	wantStatus(t, keep.ErrInvalidArgument, sealed.OpenInto(nil))
	wantStatus(t, keep.ErrClosed, sealed.OpenInto(new(keep.Secret)))
}

func TestOpenContextWaitsForASlot(t *testing.T) {
	pool := onePool(t, 1)
	sealed := must(keep.NewSealed(pool, []byte("secret"), 0))
	first := must(pool.Acquire(32, nil))
	_, err := sealed.Open(nil)
	wantStatus(t, keep.ErrExhausted, err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = sealed.OpenContext(ctx, nil)
	wantStatus(t, keep.ErrTimeout, err)

	done := waiting(pool, func() error {
		secret, err := sealed.OpenContext(context.Background(), nil)
		return errors.Join(err, secret.Close())
	})
	wantStatus(t, keep.OK, first.Close())
	wantStatus(t, keep.OK, <-done)

	closing(t, must(pool.Acquire(32, nil)))
	done = waiting(pool, func() error {
		_, err := sealed.OpenContext(context.Background(), nil)
		return err
	})
	wantStatus(t, keep.OK, sealed.Close())
	wantStatus(t, keep.ErrClosed, <-done)
}

// bindings 5, 7
func TestCallsOnClosedZeroAndNilSealed(t *testing.T) {
	closed := must(keep.NewSealed(nil, nil, 0))
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, new(keep.Sealed).Close())
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Sealed)(nil).Close())
	for want, sealed := range map[keep.Status]*keep.Sealed{keep.ErrClosed: closed, keep.ErrInvalidArgument: nil} {
		_, err := sealed.Open(nil)
		wantStatus(t, want, err)
		_, err = sealed.OpenContext(context.Background(), nil)
		wantStatus(t, want, err)
		_, err = sealed.Info()
		wantStatus(t, want, err)
		wantStatus(t, want, sealed.OpenInto(secretOf(t, "x")))
	}
	_, err := new(keep.Sealed).Info()
	wantStatus(t, keep.ErrClosed, err)
}
