// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"context"
	"errors"
	"io/fs"
)

// Status says how a call of libkeep ended. Every Status but [OK] is an error, one per reaction of the caller; compare
// with [errors.Is]. The constants of all statuses begin with Err.
type Status uint32

// OK is the status of success. No call returns it as an error.
const OK Status = C.KEEP_OK

// Name gives the name of the status without prefix, "BUSY"; "UNKNOWN" for a number that is no status.
func (s Status) Name() string {
	return textOf(&statusNames, s, "UNKNOWN")
}

// Error gives the sentence of the status, "in use by somebody else".
func (s Status) Error() string {
	return textOf(&statusSentences, s, "unknown status")
}

// Timeout tells whether the status is [ErrTimeout], as errors of package net do.
func (s Status) Timeout() bool {
	return s == ErrTimeout
}

// Is lets [errors.Is] find a status under the standard library's name for the same thing.
func (s Status) Is(target error) bool {
	switch s {
	case ErrTimeout:
		return target == context.DeadlineExceeded
	case ErrUnsupported:
		return target == errors.ErrUnsupported
	case ErrNotFound:
		return target == fs.ErrNotExist
	case ErrExists:
		return target == fs.ErrExist
	case ErrDenied:
		return target == fs.ErrPermission
	case ErrClosed:
		return target == fs.ErrClosed
	}
	return false
}

func textOf(table *[256]string, s Status, unknown string) string {
	if int(s) < len(table) && table[s] != "" {
		return table[s]
	}
	return unknown
}

// failure gives nil for success, else the status.
func (s Status) failure() error {
	if s == OK {
		return nil
	}
	return s
}

// statusError gives what C returned as an error.
func statusError(st C.keep_status) error {
	return Status(st).failure()
}
