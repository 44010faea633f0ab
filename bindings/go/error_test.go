// SPDX-License-Identifier: MIT

package keep

import (
	"errors"
	"testing"
)

// argumentOf makes what a function's second parameter points to: a test cannot name a type of C.
func argumentOf[T, R any](func(string, *T) R) *T {
	return new(T)
}

// write puts text and a NUL into C's characters.
func write[T ~int8](chars []T, text string) {
	for i := range len(text) {
		chars[i] = T(text[i])
	}
	chars[len(text)] = 0
}

// bindings 2.3, 4.1
func TestErrorTakesOverWhatCWrote(t *testing.T) {
	c := argumentOf(newError)
	c.status, c.layer, c.code, c.value[3] = 12, 1, 5, 1<<64-1
	write(c.message[:], "No é")
	got := newError("Store.Put", c)
	want := Error{
		Status: ErrSystem, Op: "Store.Put", Layer: LayerErrno, Code: 5, Reason: "none", Values: [4]uint64{3: 1<<64 - 1},
		Message: "No é",
	}
	if *got != want || got.Error() != "Store.Put: No é" {
		t.Errorf("got %+v", got)
	}
	if !errors.Is(got, ErrSystem) || errors.Is(got, ErrBusy) {
		t.Errorf("%v does not wrap its status", got)
	}
}

func TestErrorWithoutAMessageSaysTheSentence(t *testing.T) {
	c := argumentOf(newError)
	c.status, c.reason = 10, 9999
	if got := newError("Keystore.Open", c); got.Message != ErrExhausted.Error() || got.Reason != "unknown" {
		t.Errorf("got %+v", got)
	}
	for i := range c.message {
		c.message[i] = 'x'
	}
	if got := newError("Keystore.Open", c); len(got.Message) != len(c.message) {
		t.Errorf("a message without NUL has %d bytes", len(got.Message))
	}
}
