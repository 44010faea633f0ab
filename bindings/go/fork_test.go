// SPDX-License-Identifier: MIT

//go:build !race && !keep_gcstress

package keep_test

import (
	"errors"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// bindings 5, memory R55: every call of a child on an inherited handle is FORKED. Go cannot live on after a bare fork,
// but its one thread can make a call and end.
func TestInheritedHandlesAreForked(t *testing.T) {
	pool := onePool(t, 4)
	secret := closing(t, must(keep.GenerateSecret(pool, 32)))
	sealed := closing(t, must(keep.NewSealed(pool, []byte("secret"), 0)))
	for name, call := range map[string]func() error{
		"Secret.Freeze": func() error { return secret.Freeze() },
		"Secret.Close":  func() error { return secret.Close() },
		"Pool.Reserve":  func() error { return pool.Reserve(32, 1) },
		"Sealed.Info":   func() error { _, err := sealed.Info(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			wantStatus(t, keep.ErrForked, inChild(t, call))
		})
	}
	wantStatus(t, keep.OK, secret.Freeze())
}

// inChild gives the status that a call returns in a forked child.
func inChild(t *testing.T, call func() error) error {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nobody would help a collection in the child
	runtime.GC()
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	if pid == 0 {
		status, _ := call().(keep.Status)
		for {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(status), 0, 0)
		}
	}
	var ended syscall.WaitStatus
	for {
		_, err := syscall.Wait4(int(pid), &ended, 0, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EINTR) {
			t.Fatal(err)
		}
	}
	if !ended.Exited() {
		t.Fatalf("the child ended with %v", ended.Signal())
	}
	return keep.Status(ended.ExitStatus())
}
