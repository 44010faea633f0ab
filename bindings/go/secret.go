// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"fmt"
	"io"
	"runtime"
	"unsafe"
)

// Kind says where a secret lives.
type Kind uint32

// The kinds: a slot of the pool's slabs, or pages of its own, inaccessible while no window is open.
const (
	KindSlot    Kind = C.KEEP_KIND_SLOT
	KindGuarded Kind = C.KEEP_KIND_GUARDED
)

// String gives "slot" or "guarded".
func (k Kind) String() string {
	switch k {
	case KindSlot:
		return "slot"
	case KindGuarded:
		return "guarded"
	}
	return fmt.Sprintf("Kind(%d)", uint32(k))
}

// SecretInfo is what a secret is and what protects it.
type SecretInfo struct {
	Len, Capacity int
	Kind          Kind
	Tier          int     // index in the pool's stats; of a guarded buffer MaxTiers
	Backing       Backing // of its pages
	Windows       int     // open windows of either kind
	Frozen        bool    // read-only
	Locked        bool    // its pages cannot be swapped out
	Exposed       bool    // the kernel refused to close its pages after a window
	Purged        bool    // wiped by Purge
}

// Secret is bytes in locked memory, reached through windows or copies. Printed, it shows its length and state.
type Secret struct {
	opaque
	handle[*C.keep_secret]
}

// GenerateSecret makes a secret of n random bytes.
func GenerateSecret(pool *Pool, n int) (*Secret, error) {
	h, err := pool.enter()
	if err != nil {
		return nil, err
	}
	defer pool.leave()
	var out *C.keep_secret
	st := C.keep_secret_generate(h, C.size_t(n), &out)
	return newSecret(out, st)
}

// SecretFromBytes makes a secret with a copy of data, which stays as it is; see [TakeSecret].
func SecretFromBytes(pool *Pool, data []byte) (*Secret, error) {
	h, err := pool.enter()
	if err != nil {
		return nil, err
	}
	defer pool.leave()
	var out *C.keep_secret
	bytes, n := bytesOf(data)
	st := C.keep_go_secret_from_bytes(h, bytes, n, &out)
	return newSecret(out, st)
}

// TakeSecret makes a secret with a copy of data and then wipes data, if and only if that succeeded.
func TakeSecret(pool *Pool, data []byte) (*Secret, error) {
	h, err := pool.enter()
	if err != nil {
		return nil, err
	}
	defer pool.leave()
	var out *C.keep_secret
	bytes, n := bytesOf(data)
	st := C.keep_go_secret_take(h, bytes, n, &out)
	return newSecret(out, st)
}

func newSecret(h *C.keep_secret, st C.keep_status) (*Secret, error) {
	if st != C.KEEP_OK {
		return nil, Status(st)
	}
	s := new(Secret)
	s.adopt(h, freeSecret)
	return s, nil
}

func freeSecret(h *C.keep_secret) Status {
	return Status(C.keep_secret_free(&h))
}

func (s *Secret) enter() (*C.keep_secret, error) {
	if s == nil {
		return nil, ErrInvalidArgument
	}
	return s.handle.enter()
}

// guarded is what enterAll takes; nil of no secret.
func (s *Secret) guarded() *guard {
	if s == nil {
		return nil
	}
	return &s.guard
}

// lend is handle.lend; NULL of no secret.
func (s *Secret) lend(err *error) *C.keep_secret {
	if s == nil {
		return nil
	}
	return s.handle.lend(err)
}

// Close wipes the secret and gives its memory back. ErrBusy: a window is open, and nothing has happened.
func (s *Secret) Close() error {
	if s == nil {
		return ErrInvalidArgument
	}
	return s.close()
}

// CloseMany closes up to MaxBatch secrets in one call of C and returns the first failure. Those that are closed already
// are passed over, those that are busy stay open.
func CloseMany(secrets []*Secret) error {
	owners := make([]*handle[*C.keep_secret], 0, len(secrets))
	for _, s := range secrets {
		if s == nil {
			return ErrInvalidArgument
		}
		owners = append(owners, &s.handle)
	}
	owners = lockAll(owners)
	handles := make([]*C.keep_secret, len(secrets)) // null where there is no owner: C passes over it
	for i, owner := range owners {
		handles[i] = owner.get()
	}
	st := C.keep_secret_free_batch(unsafe.SliceData(handles), C.size_t(len(handles)))
	for i, owner := range owners {
		if owner.h != nil && handles[i] == nil {
			owner.forget()
		}
		owner.mu.Unlock()
	}
	return statusError(st)
}

// Duplicate makes a second secret with equal bytes: same pool, same kind, not frozen.
func (s *Secret) Duplicate() (*Secret, error) {
	h, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave()
	var out *C.keep_secret
	st := C.keep_secret_duplicate(h, &out)
	return newSecret(out, st)
}

// Read calls use with the secret's bytes in place, which must be neither written nor kept. ErrBusy: a write window is
// open. Read windows may be open at the same time; meanwhile Close and everything that writes returns ErrBusy.
func (s *Secret) Read(use func(data []byte) error) error {
	if use == nil {
		return ErrInvalidArgument
	}
	h, err := s.enter()
	if err != nil {
		return err
	}
	window := C.keep_go_secret_read_begin(h)
	s.leave()
	return s.within(h, window, use)
}

// Write calls use with the secret's bytes in place, which it may change but not keep. ErrState: the secret is frozen;
// ErrBusy: a window is open. Meanwhile every other use of the secret returns ErrBusy.
func (s *Secret) Write(use func(data []byte) error) error {
	if use == nil {
		return ErrInvalidArgument
	}
	h, err := s.enter()
	if err != nil {
		return err
	}
	window := C.keep_go_secret_write_begin(h)
	s.leave()
	return s.within(h, window, use)
}

// within calls use on an open window and ends the window, also if use panics. No lock is held: that the handle is not
// freed meanwhile is C's rule for windows.
func (s *Secret) within(h *C.keep_secret, window C.keep_go_window, use func(data []byte) error) (err error) {
	if window.status != C.KEEP_OK {
		return Status(window.status)
	}
	defer func() {
		if end := C.keep_secret_end(h); err == nil {
			err = statusError(end)
		}
		runtime.KeepAlive(s)
	}()
	return use(unsafe.Slice((*byte)(window.data), int(window.len)))
}

// Put copies data to offset; both within the secret's length.
func (s *Secret) Put(offset int, data []byte) error {
	h, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	bytes, n := bytesOf(data)
	return statusError(C.keep_go_secret_put(h, C.size_t(offset), bytes, n))
}

// Get appends the n bytes at offset to dst.
func (s *Secret) Get(dst []byte, offset, n int) ([]byte, error) {
	if err := checkLen(n); err != nil {
		return dst, err
	}
	h, err := s.enter()
	if err != nil {
		return dst, err
	}
	defer s.leave()
	return fill(dst, func(room []byte) (int, Status) {
		if len(room) < n {
			return n, ErrBufferTooSmall
		}
		out, _ := bytesOf(room)
		return n, Status(C.keep_go_secret_get(h, C.size_t(offset), out, C.size_t(n)))
	})
}

// Reveal appends all bytes to dst. They are then in memory that libkeep can neither lock nor wipe: prefer [Secret.Read].
func (s *Secret) Reveal(dst []byte) ([]byte, error) {
	h, err := s.enter()
	if err != nil {
		return dst, err
	}
	defer s.leave()
	return fill(dst, func(room []byte) (int, Status) {
		var n C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_secret_reveal(h, out, size, &n)
		return int(n), Status(st)
	})
}

// Randomize fills the secret with random bytes.
func (s *Secret) Randomize() error {
	h, err := s.enter()
	if err != nil {
		return err
	}
	st := C.keep_secret_randomize(h)
	s.leave()
	return statusError(st)
}

// Clear fills the secret with zeros.
func (s *Secret) Clear() error {
	h, err := s.enter()
	if err != nil {
		return err
	}
	st := C.keep_secret_clear(h)
	s.leave()
	return statusError(st)
}

// Resize changes the length, up to the capacity. Bytes given up are wiped, bytes gained are zero.
func (s *Secret) Resize(n int) error {
	if err := checkLen(n); err != nil {
		return err
	}
	h, err := s.enter()
	if err != nil {
		return err
	}
	st := C.keep_secret_resize(h, C.size_t(n))
	s.leave()
	return statusError(st)
}

// Equal compares two secrets in a time that does not depend on their bytes.
func (s *Secret) Equal(other *Secret) (bool, error) {
	if s == nil || other == nil {
		return false, ErrInvalidArgument
	}
	a, b, err := enterBoth(&s.handle, &other.handle)
	if err != nil {
		return false, err
	}
	defer leaveBoth(&s.handle, &other.handle)
	var equal C.int
	st := C.keep_secret_equal(a, b, &equal)
	return equal == 1, statusError(st)
}

// EqualBytes compares the secret with data in a time that does not depend on either.
func (s *Secret) EqualBytes(data []byte) (bool, error) {
	h, err := s.enter()
	if err != nil {
		return false, err
	}
	defer s.leave()
	var equal C.int
	bytes, n := bytesOf(data)
	st := C.keep_go_secret_equal_bytes(h, bytes, n, &equal)
	return equal == 1, statusError(st)
}

// Freeze makes the secret read-only. It returns ErrBusy while a window is open.
func (s *Secret) Freeze() error {
	h, err := s.enter()
	if err != nil {
		return err
	}
	st := C.keep_secret_freeze(h)
	s.leave()
	return statusError(st)
}

// Melt makes a frozen secret writable again. It returns ErrBusy while a window is open.
func (s *Secret) Melt() error {
	h, err := s.enter()
	if err != nil {
		return err
	}
	st := C.keep_secret_melt(h)
	s.leave()
	return statusError(st)
}

// Info tells what the secret is and what protects it, also of a purged one.
func (s *Secret) Info() (SecretInfo, error) {
	h, err := s.enter()
	if err != nil {
		return SecretInfo{}, err
	}
	defer s.leave()
	c := C.struct_keep_secret_info{size: C.sizeof_struct_keep_secret_info}
	if st := C.keep_secret_info(h, &c); st != C.KEEP_OK {
		return SecretInfo{}, Status(st)
	}
	return SecretInfo{
		Len:      int(c.len),
		Capacity: int(c.capacity),
		Kind:     Kind(c.kind),
		Tier:     int(c.tier),
		Backing:  Backing(c.backing),
		Windows:  int(c.windows),
		Frozen:   c.frozen == 1,
		Locked:   c.locked == 1,
		Exposed:  c.exposed == 1,
		Purged:   c.purged == 1,
	}, nil
}

// String shows type, length and state, never a byte of the secret.
func (s *Secret) String() string {
	info, err := s.Info()
	state := ""
	switch {
	case err != nil:
		return fmt.Sprintf("keep.Secret(%v)", err)
	case info.Purged:
		state = ", purged"
	case info.Frozen:
		state = ", frozen"
	}
	return fmt.Sprintf("keep.Secret(%d bytes, %v%s)", info.Len, info.Kind, state)
}

// GoString is String.
func (s *Secret) GoString() string {
	return s.String()
}

// Format writes String, whatever the verb.
func (s *Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String())
}
