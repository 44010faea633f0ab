// SPDX-License-Identifier: MIT

package keep_test

import (
	"errors"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// wantStatus fails the test unless err is the status.
func wantStatus(t *testing.T, want keep.Status, err error) {
	t.Helper()
	got := keep.OK
	if err != nil && !errors.As(err, &got) {
		t.Fatalf("expected %s, got %v", want.Name(), err)
	}
	if got != want {
		t.Fatalf("expected %s, got %s", want.Name(), got.Name())
	}
}

// must gives the value of a call that has to succeed.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// closing closes the handle at the end of the test.
func closing[T interface{ Close() error }](t *testing.T, handle T) T {
	t.Helper()
	t.Cleanup(func() {
		if err := handle.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return handle
}

// onePool makes a pool with one tier of 32 bytes and at most so many slots.
func onePool(t *testing.T, slots int) *keep.Pool {
	t.Helper()
	tiers := []keep.Tier{{Len: 32, Slots: slots, MaxSlots: slots}}
	return closing(t, must(keep.NewPool(&keep.PoolOptions{Tiers: tiers})))
}

// secretOf makes a secret of text.
func secretOf(t *testing.T, text string) *keep.Secret {
	t.Helper()
	return closing(t, must(keep.SecretFromBytes(nil, []byte(text))))
}

// wantText fails the test unless the secret holds the text.
func wantText(t *testing.T, want string, secret *keep.Secret) {
	t.Helper()
	if got := must(secret.Reveal(nil)); string(got) != want {
		t.Fatalf("expected %q, got %q", want, got)
	}
}
