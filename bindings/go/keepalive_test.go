// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"runtime"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// temporary makes a secret that nobody holds.
func temporary() *keep.Secret {
	return must(keep.SecretFromBytes(nil, []byte("secret")))
}

// temporarySealed makes a sealed secret that nobody holds.
func temporarySealed() *keep.Sealed {
	return must(keep.NewSealed(nil, []byte("secret"), 0))
}

// temporaryPool makes a pool that nobody holds.
func temporaryPool() *keep.Pool {
	return must(keep.NewPool(nil))
}

// bindings R49: a call keeps its object until C has returned. With the tag keep_gcstress the collector runs when the
// call holds nothing but the handle of C.
func TestACallKeepsItsSecret(t *testing.T) {
	use := func([]byte) error { runtime.GC(); return nil }
	allSucceed(t, map[string]func() error{
		"Put":        func() error { return temporary().Put(0, []byte("x")) },
		"Get":        func() error { _, err := temporary().Get(nil, 0, 6); return err },
		"Reveal":     func() error { _, err := temporary().Reveal(nil); return err },
		"Randomize":  func() error { return temporary().Randomize() },
		"Clear":      func() error { return temporary().Clear() },
		"Resize":     func() error { return temporary().Resize(4) },
		"Freeze":     func() error { return temporary().Freeze() },
		"Melt":       func() error { return temporary().Melt() },
		"Info":       func() error { _, err := temporary().Info(); return err },
		"Duplicate":  func() error { _, err := temporary().Duplicate(); return err },
		"Equal":      func() error { _, err := temporary().Equal(temporary()); return err },
		"EqualBytes": func() error { _, err := temporary().EqualBytes(nil); return err },
		"Read":       func() error { return temporary().Read(use) },
		"Write":      func() error { return temporary().Write(use) },
		"Close":      func() error { return temporary().Close() },
		"CloseMany":  func() error { return keep.CloseMany([]*keep.Secret{temporary(), temporary()}) },
		"SealSecret": func() error { _, err := keep.SealSecret(temporary(), 0); return err },
	})
}

func TestACallKeepsItsSealed(t *testing.T) {
	ctx := context.Background()
	allSucceed(t, map[string]func() error{
		"Open":        func() error { _, err := temporarySealed().Open(nil); return err },
		"OpenContext": func() error { _, err := temporarySealed().OpenContext(ctx, nil); return err },
		"OpenInto":    func() error { return temporarySealed().OpenInto(temporary()) },
		"Info":        func() error { _, err := temporarySealed().Info(); return err },
		"Close":       func() error { return temporarySealed().Close() },
	})
}

func TestACallKeepsItsPool(t *testing.T) {
	ctx := context.Background()
	allSucceed(t, map[string]func() error{
		"Acquire":         func() error { _, err := temporaryPool().Acquire(8, nil); return err },
		"AcquireContext":  func() error { _, err := temporaryPool().AcquireContext(ctx, 8, nil); return err },
		"AcquireMany":     func() error { _, err := temporaryPool().AcquireMany(8, 2); return err },
		"Reserve":         func() error { return temporaryPool().Reserve(8, 2) },
		"Trim":            func() error { _, err := temporaryPool().Trim(); return err },
		"Stats":           func() error { _, err := temporaryPool().Stats(); return err },
		"Close":           func() error { return temporaryPool().Close() },
		"GenerateSecret":  func() error { _, err := keep.GenerateSecret(temporaryPool(), 8); return err },
		"SecretFromBytes": func() error { _, err := keep.SecretFromBytes(temporaryPool(), nil); return err },
		"TakeSecret":      func() error { _, err := keep.TakeSecret(temporaryPool(), nil); return err },
		"NewSealed":       func() error { _, err := keep.NewSealed(temporaryPool(), nil, 0); return err },
		"TakeSealed":      func() error { _, err := keep.TakeSealed(temporaryPool(), nil, 0); return err },
	})
}

func allSucceed(t *testing.T, calls map[string]func() error) {
	t.Helper()
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
