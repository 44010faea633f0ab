// SPDX-License-Identifier: MIT

package vectors

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// outputs are what an operation gives, by key, in the types of libkeep.
type outputs map[string]any

// step is a case, a step of its script, or another part of it: inputs by key, with zero values for those that are absent.
type step struct {
	object
	*testCase
}

// operation runs a step in which its inputs, some words, are there; others may be.
type operation struct {
	inputs string
	run    func(step) (outputs, error)
}

// array runs one of its cases.
type array struct {
	inputs string
	run    func(step)
}

// testCase is one case and what it has made so far.
type testCase struct {
	array, name, comment string
	schema               *schema
	fields               object
	reverse              bool     // the order in which handles that are left are closed
	open                 []string // their names, in the order of making
	handles              map[string]io.Closer
	saved                map[string][]byte
}

// Expectations.

// expect compares what came with what the file says: numbers, words, bytes, lists, and structs with the keys given.
func (c *testCase) expect(what string, want, got any) {
	switch value := reflect.ValueOf(got); {
	case isWord(got):
		equal(what, want, got.(fmt.Stringer).String())
	case value.CanUint():
		equal(what, integer(what, want, bitsOf(value.Type())), value.Uint())
	case value.CanInt():
		equal(what, integer(what, want, bitsOf(value.Type())), uint64(value.Int()))
	case value.Kind() == reflect.Struct:
		c.compare(what, as[map[string]any](what, want), told(got))
	case value.Kind() != reflect.Slice:
		equal(what, want, got)
	case value.Type().Elem().Kind() == reflect.Uint8:
		c.expectBytes(what, want, got.([]byte))
	default:
		wanted := as[[]any](what, want)
		equal("number of "+what, len(wanted), value.Len())
		for i := range wanted {
			c.expect(fmt.Sprintf("%s[%d]", what, i), wanted[i], value.Index(i).Interface())
		}
	}
}

// isWord says whether a value is one that the files have as a word; health is a number there.
func isWord(value any) bool {
	_, isHealth := value.(keep.Health)
	_, prints := value.(fmt.Stringer)
	return prints && !isHealth
}

func equal(what string, want, got any) {
	if want != got {
		fail(what, want, got)
	}
}

// compare compares outputs with those that the file gives.
func (c *testCase) compare(what string, want object, got outputs) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		key = strings.TrimPrefix(key, isRead)
		value, known := got[key]
		equal(what+" "+key+" is known", true, known)
		c.expect(what+" "+key, want.take(key), value)
	}
}

// whole compares outputs with those under a key, where all have to be.
func (s step) whole(key string, got outputs) {
	want := s.part(key)
	want.needs(strings.Join(slices.Sorted(maps.Keys(got)), " "))
	s.compare(key, want.object, got)
}

// expectBytes compares bytes with their value in the file, or with the hash that stands there.
func (c *testCase) expectBytes(what string, want any, got []byte) {
	if hash, _ := want.(map[string]any); object(hash).take("sha256") != nil {
		equal(what, object(hash).take("sha256"), fmt.Sprintf("%x", sha256.Sum256(got)))
		equal(what, object(hash).int("len"), len(got))
	} else if wanted := c.decode(want); !bytes.Equal(wanted, got) {
		fail(what, hex.EncodeToString(wanted), got)
	}
}

// statusOf gives the name of the status that a call returned; an error that is none is shown as it is.
func statusOf(err error) string {
	status := keep.OK
	if err != nil && !errors.As(err, &status) {
		return err.Error()
	}
	return status.Name()
}

// expected gives the name of the status that the object expects.
func (o object) expected() string {
	name := strings.TrimPrefix(o.text("status"), "KEEP_")
	return cmp.Or(strings.TrimPrefix(name, "ERR_"), "OK")
}

// Cases.

// casesOf makes the cases of an array.
func casesOf(schema *schema, array string, values []object) (cases []*testCase) {
	seen := map[string]bool{}
	for i, fields := range values {
		fields.needs("id")
		id := fields.text("id")
		if seen[id] {
			fail("id", "unique", id)
		}
		seen[id] = true
		if _, areWords := fields["flags"].([]any); areWords { // for readers
			fields.take("flags")
		}
		cases = append(cases, &testCase{
			array: array, name: fmt.Sprintf("%s[%d] %s", array, i, id), comment: fields.text("comment"),
			schema: schema, fields: fields, reverse: i%2 == 1,
			handles: map[string]io.Closer{}, saved: map[string][]byte{},
		})
	}
	return cases
}

// run runs the case and closes what it has left open.
func (c *testCase) run() {
	defer func() {
		if c.reverse {
			slices.Reverse(c.open)
		}
		for _, name := range c.open {
			_ = c.handles[name].Close()
		}
	}()
	kind := wordOf("array", c.array, c.schema.arrays)
	c.fields.needs(kind.inputs)
	kind.run(step{c.fields, c})
	if keys := unread(map[string]any(c.fields)); keys != nil {
		fail("keys", "no others", keys)
	}
}

// scripts is an array of scripts.
var scripts = array{"script", func(s step) { s.script(s.parts("script", "op")) }}

// script runs steps in order.
func (c *testCase) script(steps []step) {
	for _, s := range steps {
		op, known := s.text("op"), operation{"on", free}
		if op != "free" {
			known = word(s, "op", c.schema.operations)
		}
		s.needs(known.inputs)
		got, err := known.run(s)
		equal(op+" status", s.expected(), statusOf(err))
		c.compare(op, s.part("out").object, got)
		if save := s.text("save"); save != "" {
			c.saved[save] = bytes.Clone(cmp.Or(got["data"], got["wire"], got["packet"]).([]byte))
		}
	}
}

// Handles.

// bind gives the new handle of a step its name, or reports why there is none.
func (s step) bind(handle io.Closer, err error) error {
	return s.bindAs(s.text("as"), handle, err)
}

// unused fails if a live handle has the name.
func (s step) unused(name string) {
	if slices.Contains(s.open, name) {
		fail("as", "a free name", name)
	}
}

func (s step) bindAs(name string, handle io.Closer, err error) error {
	s.unused(name)
	if err == nil {
		s.open = append(s.open, name)
		s.handles[name] = handle
	}
	return err
}

// bound makes an operation of a constructor.
func bound[T io.Closer](make func(step) (T, error)) func(step) (outputs, error) {
	return func(s step) (outputs, error) {
		handle, err := make(s)
		return nil, s.bind(handle, err)
	}
}

// on makes an operation without inputs and outputs of a method of what the step is on.
func on[T io.Closer](call func(T) error) func(step) (outputs, error) {
	return func(s step) (outputs, error) { return nil, call(handle[T](s, "on")) }
}

// tell makes an operation without inputs of a method that gives a struct.
func tell[T io.Closer, S any](call func(T) (S, error)) func(step) (outputs, error) {
	return func(s step) (outputs, error) {
		is, err := call(handle[T](s, "on"))
		return told(is), err
	}
}

// handle gives the handle with the name that key holds; a closed one keeps its name.
func handle[T io.Closer](s step, key string) T {
	return as[T](key, word(s, key, s.handles))
}

// close closes a handle, whose name is free again if that succeeds.
func (s step) close() error {
	name := s.text("on")
	err := s.handles[name].Close()
	s.open = slices.DeleteFunc(s.open, func(open string) bool { return err == nil && open == name })
	return err
}

// free closes a handle once and silently.
func free(s step) (outputs, error) {
	_ = handle[io.Closer](s, "on")
	_ = s.close()
	return nil, nil
}
