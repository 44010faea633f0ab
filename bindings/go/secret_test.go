// SPDX-License-Identifier: MIT

package keep_test

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

func TestGeneratedSecretsDiffer(t *testing.T) {
	a := closing(t, must(keep.GenerateSecret(nil, 32)))
	b := closing(t, must(keep.GenerateSecret(nil, 32)))
	if must(a.Equal(b)) || !must(a.Equal(a)) {
		t.Fatal("equality of random secrets is wrong")
	}
	before := must(a.Reveal(nil))
	wantStatus(t, keep.OK, a.Randomize())
	if must(a.EqualBytes(before)) {
		t.Fatal("randomize changed nothing")
	}
	wantStatus(t, keep.OK, a.Clear())
	if !must(a.EqualBytes(make([]byte, 32))) {
		t.Fatal("clear left bytes")
	}
	_, err := keep.GenerateSecret(nil, -1)
	wantStatus(t, keep.ErrInvalidArgument, err)
}

func TestTakeSecretWipesItsSourceOnlyOnSuccess(t *testing.T) {
	source := []byte("hunter2")
	secret := closing(t, must(keep.TakeSecret(nil, source)))
	wantText(t, "hunter2", secret)
	if !bytes.Equal(source, make([]byte, 7)) {
		t.Fatalf("the source is still %q", source)
	}
	pool := onePool(t, 1)
	closing(t, must(pool.Acquire(1, nil)))
	source = []byte("hunter2")
	_, err := keep.TakeSecret(pool, source)
	wantStatus(t, keep.ErrExhausted, err)
	if string(source) != "hunter2" {
		t.Fatalf("the source was changed to %q", source)
	}
}

func TestPutGetAndReveal(t *testing.T) {
	secret := secretOf(t, "0123456789")
	wantStatus(t, keep.OK, secret.Put(3, []byte("abc")))
	wantText(t, "012abc6789", secret)
	if got := must(secret.Get([]byte("<"), 2, 5)); string(got) != "<2abc6" {
		t.Fatalf("got %q", got)
	}
	room := make([]byte, 1, 16)
	if got := must(secret.Reveal(room)); &got[0] != &room[0] || string(got[1:]) != "012abc6789" {
		t.Fatalf("got %q", got)
	}
	for _, c := range []struct{ offset, n int }{{-1, 1}, {0, -1}, {0, 11}, {math.MaxInt, 1}, {0, math.MaxInt}, {11, 0}} {
		dst, err := secret.Get([]byte("same"), c.offset, c.n)
		wantStatus(t, keep.ErrInvalidArgument, err)
		if string(dst) != "same" || cap(dst) > 8 {
			t.Fatalf("a failed get returned %q", dst)
		}
	}
	wantStatus(t, keep.ErrInvalidArgument, secret.Put(-1, []byte("x")))
	wantStatus(t, keep.ErrInvalidArgument, secret.Put(10, []byte("x")))
	wantStatus(t, keep.OK, secret.Put(10, nil))
}

func TestBytesMayLieBesideGoPointers(t *testing.T) {
	type record struct {
		next *int
		key  [16]byte
	}
	r := &record{next: new(int), key: [16]byte{1, 2, 3}}
	secret := closing(t, must(keep.SecretFromBytes(nil, r.key[:])))
	wantStatus(t, keep.OK, secret.Put(0, r.key[:]))
	if !must(secret.EqualBytes(r.key[:])) {
		t.Fatal("unequal")
	}
	r.key = [16]byte{}
	if must(secret.Get(r.key[:0], 0, 16)); r.key != [16]byte{1, 2, 3} {
		t.Fatalf("got %v", r.key)
	}
	runtime.KeepAlive(r.next)
}

func TestResizeFreezeMeltDuplicate(t *testing.T) {
	secret := secretOf(t, "0123456789")
	wantStatus(t, keep.OK, secret.Resize(4))
	wantStatus(t, keep.OK, secret.Resize(6))
	wantText(t, "0123\x00\x00", secret)
	for _, n := range []int{-1, 33, keep.MaxSecretLen + 1} {
		wantStatus(t, keep.ErrInvalidArgument, secret.Resize(n))
	}
	wantStatus(t, keep.OK, secret.Freeze())
	wantStatus(t, keep.ErrState, secret.Put(0, []byte("x")))
	copied := closing(t, must(secret.Duplicate()))
	wantText(t, "0123\x00\x00", copied)
	wantStatus(t, keep.OK, copied.Put(0, []byte("x")))
	wantStatus(t, keep.OK, secret.Melt())
	wantStatus(t, keep.OK, secret.Put(0, []byte("x")))
	if !must(secret.Equal(copied)) {
		t.Fatal("unequal")
	}
}

func TestInfo(t *testing.T) {
	secret := closing(t, must((*keep.Pool)(nil).Acquire(5, &keep.AcquireOptions{Flags: keep.AcquireGuarded})))
	wantStatus(t, keep.OK, secret.Freeze())
	err := secret.Read(func([]byte) error {
		info := must(secret.Info())
		locked := info.Backing == keep.BackingLocked || info.Backing == keep.BackingMemfdSecret
		info.Backing = 0
		want := keep.SecretInfo{Len: 5, Capacity: 5, Kind: keep.KindGuarded, Tier: keep.MaxTiers, Windows: 1, Frozen: true,
			Locked: true}
		if info != want || !locked {
			t.Errorf("unexpected %+v", info)
		}
		return nil
	})
	wantStatus(t, keep.OK, err)
}

// memory R22, bindings R46
func TestWriteShowsTheSlotToOneAlone(t *testing.T) {
	secret := secretOf(t, "secret")
	err := secret.Write(func(data []byte) error {
		if string(data) != "secret" || cap(data) != 6 {
			t.Errorf("%d bytes can be reached", cap(data))
		}
		copy(data, "public")
		wantStatus(t, keep.ErrBusy, secret.Read(func([]byte) error { return nil }))
		wantStatus(t, keep.ErrBusy, secret.Close())
		return nil
	})
	wantStatus(t, keep.OK, err)
	wantText(t, "public", secret)
}

func TestReadWindowsMayBeNested(t *testing.T) {
	secret := secretOf(t, "secret")
	err := secret.Read(func(outer []byte) error {
		return secret.Read(func(inner []byte) error {
			if &outer[0] != &inner[0] {
				t.Error("not the slot itself")
			}
			wantStatus(t, keep.ErrBusy, secret.Put(0, []byte("x")))
			return secret.Close()
		})
	})
	wantStatus(t, keep.ErrBusy, err)
	wantStatus(t, keep.OK, secret.Put(0, []byte("S")))
}

func TestAWindowEndsHoweverItsFunctionEnds(t *testing.T) {
	secret := secretOf(t, "secret")
	oops := errors.New("oops")
	if err := secret.Read(func([]byte) error { return oops }); err != oops {
		t.Fatalf("unexpected %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = secret.Write(func([]byte) error { panic("oops") })
	}()
	done := make(chan bool)
	go func() {
		defer close(done)
		_ = secret.Write(func([]byte) error { runtime.Goexit(); return nil })
	}()
	<-done
	if info := must(secret.Info()); info.Windows != 0 {
		t.Fatalf("%d windows are open", info.Windows)
	}
}

// memory R3
func TestEmptySecrets(t *testing.T) {
	for _, flags := range []keep.AcquireFlags{0, keep.AcquireGuarded} {
		secret := closing(t, must((*keep.Pool)(nil).Acquire(0, &keep.AcquireOptions{Flags: flags})))
		wantText(t, "", secret)
		wantStatus(t, keep.OK, secret.Write(func(data []byte) error {
			if data == nil || len(data) != 0 {
				t.Errorf("unexpected %v", data)
			}
			return nil
		}))
		if !must(secret.EqualBytes(nil)) {
			t.Error("unequal")
		}
	}
}

// everyCall makes every call on a secret and gives what each returned.
func everyCall(secret, other *keep.Secret) map[string]error {
	use := func([]byte) error { return nil }
	results := map[string]error{
		"Put": secret.Put(0, nil), "Randomize": secret.Randomize(), "Clear": secret.Clear(), "Resize": secret.Resize(1),
		"Freeze": secret.Freeze(), "Melt": secret.Melt(), "Read": secret.Read(use), "Write": secret.Write(use),
	}
	_, results["Get"] = secret.Get(nil, 0, 0)
	_, results["Reveal"] = secret.Reveal(nil)
	_, results["Info"] = secret.Info()
	_, results["Duplicate"] = secret.Duplicate()
	_, results["Equal"] = secret.Equal(other)
	_, results["Equal, the other"] = other.Equal(secret)
	_, results["EqualBytes"] = secret.EqualBytes(nil)
	_, results["SealSecret"] = keep.SealSecret(secret, 0)
	return results
}

// bindings 5, 7
func TestCallsOnClosedZeroAndNilSecrets(t *testing.T) {
	other := secretOf(t, "other")
	closed := must(keep.GenerateSecret(nil, 1))
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, closed.Close())
	for name, err := range everyCall(closed, other) {
		t.Run("closed "+name, func(t *testing.T) { wantStatus(t, keep.ErrClosed, err) })
	}
	for name, err := range everyCall(new(keep.Secret), other) {
		t.Run("zero "+name, func(t *testing.T) { wantStatus(t, keep.ErrClosed, err) })
	}
	for name, err := range everyCall(nil, other) {
		t.Run("nil "+name, func(t *testing.T) { wantStatus(t, keep.ErrInvalidArgument, err) })
	}
	wantStatus(t, keep.OK, new(keep.Secret).Close())
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Secret)(nil).Close())
	wantStatus(t, keep.ErrInvalidArgument, other.Read(nil))
	wantStatus(t, keep.ErrInvalidArgument, other.Write(nil))
	wantStatus(t, keep.OK, other.Freeze())
}
