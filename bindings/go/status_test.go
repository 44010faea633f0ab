// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// bindings 2.3
func TestStatusNamesAndSentences(t *testing.T) {
	for status, want := range map[keep.Status][2]string{
		keep.OK:           {"OK", "success"},
		keep.ErrBusy:      {"BUSY", "in use by somebody else"},
		keep.ErrLockLimit: {"LOCK_LIMIT", "the kernel refused to lock more memory"},
		keep.ErrShutDown:  {"SHUT_DOWN", "the store is shut down"},
		63:                {"UNKNOWN", "unknown status"},
		256:               {"UNKNOWN", "unknown status"},
	} {
		if got := [2]string{status.Name(), status.Error()}; got != want {
			t.Errorf("%d is %q", status, got)
		}
	}
}

func TestStatusesAreFoundUnderTheStandardNames(t *testing.T) {
	same := map[keep.Status]error{
		keep.ErrTimeout:     context.DeadlineExceeded,
		keep.ErrUnsupported: errors.ErrUnsupported,
		keep.ErrNotFound:    fs.ErrNotExist,
		keep.ErrExists:      fs.ErrExist,
		keep.ErrDenied:      fs.ErrPermission,
		keep.ErrClosed:      fs.ErrClosed,
	}
	for status, standard := range same {
		wrapped := fmt.Errorf("while testing: %w", status)
		if !errors.Is(wrapped, standard) || !errors.Is(wrapped, status) || errors.Is(keep.ErrBusy, standard) {
			t.Errorf("%v is not %v", status, standard)
		}
	}
	if !keep.ErrTimeout.Timeout() || keep.ErrBusy.Timeout() {
		t.Error("Timeout is wrong")
	}
}
