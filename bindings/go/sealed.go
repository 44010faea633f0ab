// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"context"
	"fmt"
	"io"
)

// SealedOverhead is how many bytes more than its plaintext a sealed secret stores.
const SealedOverhead = C.KEEP_SEALED_OVERHEAD

// SealedInfo is what a sealed secret is.
type SealedInfo struct {
	ID        uint64 // unique in the process, rising from 1
	Len       int    // of the plaintext
	StoredLen int    // Len + SealedOverhead
	Type      uint32 // the caller's number
	Purged    bool   // the key is gone, it can only be closed
}

// Sealed is bytes that are idle, encrypted in ordinary memory, in any number, under the key of their pool. It is
// immutable. Printed, it shows its length and type.
type Sealed struct {
	opaque
	waitable[*C.keep_sealed]
}

// NewSealed seals a copy of data, which stays as it is; see [TakeSealed]. The number typ is the caller's, bound to the
// bytes.
func NewSealed(pool *Pool, data []byte, typ uint32) (*Sealed, error) {
	h, err := pool.enter()
	if err != nil {
		return nil, err
	}
	defer pool.leave()
	var out *C.keep_sealed
	bytes, n := bytesOf(data)
	st := C.keep_go_sealed_new(h, bytes, n, C.uint32_t(typ), &out)
	return newSealed(out, st)
}

// TakeSealed seals a copy of data and then wipes data, if and only if that succeeded.
func TakeSealed(pool *Pool, data []byte, typ uint32) (*Sealed, error) {
	h, err := pool.enter()
	if err != nil {
		return nil, err
	}
	defer pool.leave()
	var out *C.keep_sealed
	bytes, n := bytesOf(data)
	st := C.keep_go_sealed_take(h, bytes, n, C.uint32_t(typ), &out)
	return newSealed(out, st)
}

// SealSecret seals the secret's bytes in the secret's pool. The secret stays as it is.
func SealSecret(secret *Secret, typ uint32) (*Sealed, error) {
	h, err := secret.enter()
	if err != nil {
		return nil, err
	}
	defer secret.leave()
	var out *C.keep_sealed
	st := C.keep_sealed_from_secret(h, C.uint32_t(typ), &out)
	return newSealed(out, st)
}

func newSealed(h *C.keep_sealed, st C.keep_status) (*Sealed, error) {
	if st != C.KEEP_OK {
		return nil, Status(st)
	}
	s := new(Sealed)
	s.adopt(h, freeSealed)
	return s, nil
}

func freeSealed(h *C.keep_sealed) Status {
	C.keep_sealed_free(&h)
	return OK
}

func (s *Sealed) enter() (*C.keep_sealed, error) {
	if s == nil {
		return nil, ErrInvalidArgument
	}
	return s.waitable.enter()
}

// Close wipes and frees. It returns nil.
func (s *Sealed) Close() error {
	if s == nil {
		return ErrInvalidArgument
	}
	return s.close()
}

// Open opens into a new secret of the same pool: exactly the sealed bytes, frozen. It does not wait.
func (s *Sealed) Open(options *AcquireOptions) (*Secret, error) {
	h, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave()
	return open(h, options.inC(0))
}

// OpenContext is Open, but waits for a slot until the context ends: ErrTimeout after its deadline.
func (s *Sealed) OpenContext(ctx context.Context, options *AcquireOptions) (*Secret, error) {
	if s == nil {
		return nil, ErrInvalidArgument
	}
	return s.await(ctx, func(h *C.keep_sealed, timeoutMS uint32) (*Secret, error) {
		return open(h, options.inC(timeoutMS))
	})
}

func open(h *C.keep_sealed, options C.keep_acquire_options) (*Secret, error) {
	var out *C.keep_secret
	st := C.keep_sealed_open(h, &options, &out)
	return newSecret(out, st)
}

// OpenInto opens into a writable secret of enough capacity, of any pool, and sets its length.
func (s *Sealed) OpenInto(secret *Secret) error {
	if s == nil || secret == nil {
		return ErrInvalidArgument
	}
	from, into, err := enterBoth(&s.handle, &secret.handle)
	if err != nil {
		return err
	}
	defer leaveBoth(&s.handle, &secret.handle)
	return statusError(C.keep_sealed_open_into(from, into))
}

// Info tells what is sealed, without opening it.
func (s *Sealed) Info() (SealedInfo, error) {
	h, err := s.enter()
	if err != nil {
		return SealedInfo{}, err
	}
	defer s.leave()
	c := C.struct_keep_sealed_info{size: C.sizeof_struct_keep_sealed_info}
	if st := C.keep_sealed_info(h, &c); st != C.KEEP_OK {
		return SealedInfo{}, Status(st)
	}
	return SealedInfo{
		ID:        uint64(c.id),
		Len:       int(c.len),
		StoredLen: int(c.stored_len),
		Type:      uint32(c._type),
		Purged:    c.purged == 1,
	}, nil
}

// String shows type, length and state, never a byte of the secret.
func (s *Sealed) String() string {
	info, err := s.Info()
	if err != nil {
		return fmt.Sprintf("keep.Sealed(%v)", err)
	}
	state := ""
	if info.Purged {
		state = ", purged"
	}
	return fmt.Sprintf("keep.Sealed(%d bytes, type %d%s)", info.Len, info.Type, state)
}

// GoString is String.
func (s *Sealed) GoString() string {
	return s.String()
}

// Format writes String, whatever the verb.
func (s *Sealed) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String())
}
