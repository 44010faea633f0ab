// SPDX-License-Identifier: MIT

package vectors

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// object is a JSON object whose keys are taken out as they are read: what is left in the end is unknown.
type object map[string]any

// outputs are what an operation gives: values of type int, bool, string, []int, []string, []byte or []outputs.
type outputs map[string]any

// step is one step of a script: its keys, and the case that it belongs to.
type step struct {
	object
	*testCase
}

// operations run steps, by their name.
type operations map[string]func(step) (outputs, error)

// testCase is one case and what it has made so far.
type testCase struct {
	array, name, comment string
	fields               object
	reverse              bool     // the order in which handles that are left are closed
	open                 []string // their names, in the order of making
	handles              map[string]io.Closer
	saved                map[string][]byte
}

// fail ends a case, or makes a file invalid.
func fail(what string, want, got any) {
	if b, ok := got.([]byte); ok {
		got = hex.EncodeToString(b)
	}
	panic(fmt.Errorf("%s: expected %.64v, got %.64v", what, fmt.Sprint(want), fmt.Sprint(got)))
}

// attempt gives what made run stop before its end: a failure, or any other panic.
func attempt(run func()) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("%v", caught)
		}
	}()
	run()
	return nil
}

// take takes a value out of an object; optional gives the zero value if there is none.
func take[T any](o object, key string) T {
	value, ok := o[key].(T)
	if !ok {
		fail(key, fmt.Sprintf("%T", value), o[key])
	}
	delete(o, key)
	return value
}

func optional[T any](o object, key string) (none T) {
	if _, has := o[key]; !has {
		return none
	}
	return take[T](o, key)
}

// number takes an integer up to 2^53 - 1; it may be missing if there is something otherwise.
func (o object) number(key string, otherwise ...int) int {
	if o[key] == nil && otherwise != nil {
		return otherwise[0]
	}
	text := take[json.Number](o, key).String()
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		fail(key, "an integer", text)
	}
	return int(n)
}

// wide takes a 64-bit integer: text, decimal or hexadecimal, or a plain integer; 0 if it is missing.
func (o object) wide(key string) uint64 {
	text, ok := o[key].(string)
	if !ok {
		return uint64(o.number(key, 0))
	}
	delete(o, key)
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil || text != fmt.Sprint(n) && !strings.HasPrefix(text, "0x") {
		fail(key, "a 64-bit integer", text)
	}
	return n
}

// wideOr is wide, but gives otherwise if the integer is missing.
func (o object) wideOr(key string, otherwise uint64) uint64 {
	if o[key] == nil {
		return otherwise
	}
	return o.wide(key)
}

// word takes a word that a table knows; it may be missing if there is something otherwise.
func word[T any](o object, key string, table map[string]T, otherwise ...T) T {
	if o[key] == nil && otherwise != nil {
		return otherwise[0]
	}
	text := take[string](o, key)
	value, known := table[text]
	if !known {
		fail(key, slices.Sorted(maps.Keys(table)), text)
	}
	return value
}

// need gives the value of a call that has to succeed.
func need[T any](value T, err error) T {
	if err != nil {
		fail("status", "OK", statusOf(err))
	}
	return value
}

func (o object) done() {
	if len(o) > 0 {
		fail("keys", "no others", slices.Sorted(maps.Keys(o)))
	}
}

// bytes gives the bytes that a value of a file stands for.
func (c *testCase) bytes(value any) (b []byte) {
	switch value := value.(type) {
	case string:
		b, err := hex.DecodeString(value)
		if err != nil || hex.EncodeToString(b) != value {
			fail("bytes", "lower-case hex", value)
		}
		return b
	case []any:
		for _, part := range value {
			b = append(b, c.bytes(part)...)
		}
		return b
	case map[string]any:
		o := object(maps.Clone(value))
		if name := optional[string](o, "ref"); name != "" {
			b = c.reference(o, name)
		} else {
			b = slices.Repeat(c.bytes(take[string](o, "hex")), o.number("repeat"))
		}
		o.done()
		return b
	}
	fail("bytes", "a form of bytes", value)
	return nil
}

// reference gives bytes that a step saved, changed or cut as the value says.
func (c *testCase) reference(o object, name string) []byte {
	b, known := c.saved[name]
	if !known {
		fail("ref", "a saved name", name)
	}
	b = slices.Clone(b)
	if change := object(optional[map[string]any](o, "xor")); change != nil {
		at := change.number("at")
		for i, x := range c.bytes(take[string](change, "hex")) {
			b[at+i] ^= x
		}
		change.done()
	}
	if _, cut := o["take"]; cut {
		b = b[:o.number("take")]
	}
	return b
}

// expect compares what came with what the file says.
func (c *testCase) expect(what string, want, got any) {
	same := want == got
	switch got := got.(type) {
	case int:
		same = want == json.Number(strconv.Itoa(got))
	case []int, []string:
		same = fmt.Sprint(want) == fmt.Sprint(got)
	case []outputs:
		same = c.isList(what, want, got)
	case []byte:
		same = c.isBytes(want, got)
	}
	if !same {
		fail(what, want, got)
	}
}

// compare compares outputs with those that the file gives.
func (c *testCase) compare(what string, want map[string]any, got outputs) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, known := got[key]
		c.expect(what+" "+key, true, known)
		c.expect(what+" "+key, want[key], value)
	}
}

// isList compares what came one after the other, each with those of its keys that the file gives.
func (c *testCase) isList(what string, want any, got []outputs) bool {
	items, _ := want.([]any)
	for i := range min(len(items), len(got)) {
		item, _ := items[i].(map[string]any)
		c.compare(fmt.Sprintf("%s[%d]", what, i), item, got[i])
	}
	return len(items) == len(got)
}

// isBytes compares bytes with their value in the file, or with the hash that stands there.
func (c *testCase) isBytes(want any, got []byte) bool {
	o, _ := want.(map[string]any)
	if o["sha256"] == nil {
		return bytes.Equal(c.bytes(want), got)
	}
	hash := object(maps.Clone(o))
	defer hash.done()
	return take[string](hash, "sha256") == fmt.Sprintf("%x", sha256.Sum256(got)) && hash.number("len") == len(got)
}

// statusOf gives the name of the status that a call returned; an error that is none is shown as it is.
func statusOf(err error) string {
	status := keep.OK
	if err != nil && !errors.As(err, &status) {
		return err.Error()
	}
	return status.Name()
}

// expected takes the name of the status that the object expects.
func expected(o object) string {
	name := strings.TrimPrefix(optional[string](o, "status"), "KEEP_")
	return cmp.Or(strings.TrimPrefix(name, "ERR_"), "OK")
}

// casesOf makes the cases of an array.
func casesOf(array string, values []any) (cases []*testCase) {
	seen := map[string]bool{}
	for i, value := range values {
		fields, _ := value.(map[string]any)
		id := take[string](fields, "id")
		if seen[id] {
			fail("id", "unique", id)
		}
		seen[id] = true
		if _, words := fields["flags"].([]any); words { // for readers
			delete(fields, "flags")
		}
		cases = append(cases, &testCase{
			array: array, name: fmt.Sprintf("%s[%d] %s", array, i, id), comment: optional[string](fields, "comment"),
			fields: fields, reverse: i%2 == 1, handles: map[string]io.Closer{}, saved: map[string][]byte{},
		})
	}
	return cases
}

// run runs the case and closes what it has left open.
func (c *testCase) run(s *schema) {
	defer func() {
		if c.reverse {
			slices.Reverse(c.open)
		}
		for _, name := range c.open {
			_ = c.handles[name].Close()
		}
	}()
	run := s.arrays[c.array]
	if run == nil {
		fail("array", "one of the schema", c.array)
	}
	run(c)
	c.fields.done()
}

// script runs steps in order.
func (c *testCase) script(known operations, steps []any) {
	for _, each := range steps {
		fields, _ := each.(map[string]any)
		s := step{fields, c}
		op, status, save := take[string](s.object, "op"), expected(fields), optional[string](fields, "save")
		out := object(optional[map[string]any](fields, "out"))
		if known[op] == nil {
			fail("op", "a known one", op)
		}
		got, err := known[op](s)
		c.expect(op, status, statusOf(err))
		c.compare(op, out, got)
		s.done()
		if save != "" {
			c.saved[save] = got["data"].([]byte)
		}
	}
}

// bind gives the new handle of a step its name, or reports why there is none.
func (s step) bind(name any, handle io.Closer, err error) error {
	text, ok := name.(string)
	if !ok || slices.Contains(s.open, text) {
		fail("as", "a free name", name)
	}
	if err == nil {
		s.open = append(s.open, text)
		s.handles[text] = handle
	}
	return err
}

// handle gives the handle with the name that key holds; a closed one keeps its name.
func handle[T io.Closer](s step, key string) T {
	name := take[string](s.object, key)
	h, ok := s.handles[name].(T)
	if !ok {
		fail(key, fmt.Sprintf("a handle %T", h), name)
	}
	return h
}

// close closes a handle, whose name is free again if that succeeds.
func (s step) close(name any, h io.Closer) error {
	err := h.Close()
	s.open = slices.DeleteFunc(s.open, func(open string) bool { return err == nil && open == name })
	return err
}

// free closes a handle once and silently.
func free(s step) (outputs, error) {
	name := s.object["on"]
	_ = s.close(name, handle[io.Closer](s, "on"))
	return nil, nil
}
