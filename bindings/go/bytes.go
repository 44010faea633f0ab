// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"math"
	"slices"
	"strings"
	"unsafe"
)

// bytesOf gives a slice as C takes it: a pointer and a length, NULL and 0 if it is empty.
func bytesOf(b []byte) (*C.uint8_t, C.size_t) {
	if len(b) == 0 {
		return nil, 0
	}
	return (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b))
}

// spareOf gives the room behind a slice's items, which append would use.
func spareOf[T any](b []T) []T {
	return b[len(b):cap(b)]
}

// fill appends to dst what write puts into the room it is given: write gives the length, and says with
// ErrBufferTooSmall that the room must have that length. On failure dst is as it was.
func fill(dst []byte, write func(room []byte) (int, Status)) ([]byte, error) {
	grown := dst
	n, st := write(spareOf(grown))
	for st == ErrBufferTooSmall { // again, if another goroutine made it longer meanwhile
		grown = slices.Grow(dst, n)
		n, st = write(spareOf(grown))
	}
	if st != OK {
		return dst, st
	}
	return grown[:len(dst)+n], nil
}

// fewItems is the room that gather begins with.
const fewItems = 64

// gather appends to dst what give puts into the room it is given: as much as the room behind dst holds, or, if there is
// none, all that there is. What give leaves for lack of room it gives the next time.
func gather[T any](dst []T, give func(room []T) (int, error)) ([]T, error) {
	all := len(dst) == cap(dst)
	for {
		if all {
			dst = slices.Grow(dst, fewItems)
		}
		room := spareOf(dst)
		n, err := give(room)
		dst = dst[:len(dst)+n]
		if !all || err != nil || n < len(room) {
			return dst, err
		}
	}
}

// checkLen refuses a length that no secret has, which C does before it looks at the handle.
func checkLen(n int) error {
	if n < 0 || n > MaxSecretLen {
		return ErrInvalidArgument
	}
	return nil
}

// overlap tells whether the two slices share memory.
func overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	begin, other := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return begin < other+uintptr(len(b)) && other < begin+uintptr(len(a))
}

// flag gives a bool as C's uint8_t takes it.
func flag(set bool) C.uint8_t {
	if set {
		return 1
	}
	return 0
}

// cText gives a text as C reads it, NULL for none; what C would read as less clears ok.
func cText(text string, ok *bool) *C.char {
	if text == "" {
		return nil
	}
	if strings.ContainsRune(text, 0) {
		*ok = false
	}
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(append([]byte(text), 0))))
}

// narrow gives a count as C's uint32_t takes it; what does not fit clears ok.
func narrow(n int, ok *bool) C.uint32_t {
	if n < 0 || n > math.MaxUint32 {
		*ok = false
	}
	return C.uint32_t(n)
}
