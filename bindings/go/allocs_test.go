// SPDX-License-Identifier: MIT

//go:build !race && !keep_gcstress

package keep_test

import (
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// bindings 6, T19: what is called often does not touch Go's heap
func TestHotCallsDoNotAllocate(t *testing.T) {
	secret, other := secretOf(t, "secret"), secretOf(t, "secret")
	sealed := closing(t, must(keep.NewSealed(nil, []byte("secret"), 0)))
	closed := must(keep.GenerateSecret(nil, 1))
	wantStatus(t, keep.OK, closed.Close())
	data, room := []byte("secret"), make([]byte, 0, 64)
	seen := 0
	for name, call := range map[string]func() error{
		"Put":        func() error { return secret.Put(0, data) },
		"Get":        func() error { _, err := secret.Get(room, 0, 6); return err },
		"Reveal":     func() error { _, err := secret.Reveal(room); return err },
		"Info":       func() error { _, err := secret.Info(); return err },
		"Equal":      func() error { _, err := secret.Equal(other); return err },
		"EqualBytes": func() error { _, err := secret.EqualBytes(data); return err },
		"Freeze":     func() error { return secret.Freeze() },
		"Melt":       func() error { return secret.Melt() },
		"Read":       func() error { return secret.Read(func(b []byte) error { seen += len(b); return nil }) },
		"Write":      func() error { return secret.Write(func(b []byte) error { b[0]++; return nil }) },
		"OpenInto":   func() error { return sealed.OpenInto(other) },
		"Randomize":  func() error { return secret.Randomize() },
	} {
		wantAllocs(t, name, 0, call)
		wantStatus(t, keep.OK, secret.Melt())
	}
	if n := testing.AllocsPerRun(100, func() { wantStatus(t, keep.ErrClosed, closed.Freeze()) }); n > 1 {
		t.Errorf("a failure allocates %v times", n)
	}
}

// wantAllocs fails the test unless the call succeeds, or not in this state, and allocates at most so often.
func wantAllocs(t *testing.T, name string, most float64, call func() error) {
	t.Helper()
	if n := testing.AllocsPerRun(100, func() {
		if err := call(); err != nil && err != keep.ErrState {
			t.Errorf("%s: %v", name, err)
		}
	}); n > most {
		t.Errorf("%s allocates %v times", name, n)
	}
}
