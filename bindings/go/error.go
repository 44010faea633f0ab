// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"strings"
	"unsafe"
)

// Layer names whose number stands in [Error.Code].
type Layer int32

// The layers below libkeep.
const (
	LayerNone   Layer = C.KEEP_LAYER_NONE
	LayerErrno  Layer = C.KEEP_LAYER_ERRNO
	LayerTSS2   Layer = C.KEEP_LAYER_TSS2
	LayerSQLite Layer = C.KEEP_LAYER_SQLITE
	LayerCrypto Layer = C.KEEP_LAYER_CRYPTO
	LayerLoader Layer = C.KEEP_LAYER_LOADER
)

// Error is how a call failed that touches the outside world. It wraps its status: errors.Is(err, ErrSystem).
type Error struct {
	Status  Status
	Op      string    // the operation, "Store.Put"
	Layer   Layer     // whose number Code is
	Code    int64     // errno, TSS2_RC, SQLite's extended code, OpenSSL's error, else 0
	Reason  string    // which rule of several was broken, "none" if there is but one
	Values  [4]uint64 // numbers that belong to the reason or the status
	Message string    // what the layer below said, or the sentence of the status
}

// Error gives the operation and the message.
func (e *Error) Error() string {
	return e.Op + ": " + e.Message
}

// Unwrap gives the status.
func (e *Error) Unwrap() error {
	return e.Status
}

// failureOf gives how a call of C with a keep_error ended; one that failed without telling more has left it as it was.
func failureOf(op string, st C.keep_status, c *C.keep_error) error {
	if st == C.KEEP_OK {
		return nil
	}
	c.status = C.int32_t(st)
	return newError(op, c)
}

// newError copies what C wrote about the failure of op.
func newError(op string, c *C.keep_error) *Error {
	e := &Error{
		Status:  Status(c.status),
		Op:      op,
		Layer:   Layer(c.layer),
		Code:    int64(c.code),
		Reason:  C.GoString(C.keep_reason_name(c.reason)),
		Message: text(c.message[:]),
	}
	for i := range e.Values {
		e.Values[i] = uint64(c.value[i])
	}
	if e.Message == "" {
		e.Message = e.Status.Error()
	}
	return e
}

// text gives the bytes before the first NUL.
func text(chars []C.char) string {
	all := string(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(chars))), len(chars)))
	before, _, _ := strings.Cut(all, "\x00")
	return before
}
