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
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// object is a JSON object. Reading a key marks it; a key that nobody has read in the end is unknown, and fails its case.
type object map[string]any

const isRead = "\x01" // stands before a key that was read

// outputs are what an operation gives, by key, in the types of libkeep.
type outputs map[string]any

// step is one step of a script: its keys, and the case that it belongs to.
type step struct {
	object
	*testCase
}

// operation runs a step in which its inputs, some words, are there; others may be.
type operation struct {
	inputs string
	run    func(step) (outputs, error)
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

// need gives the value of a call that has to succeed.
func need[T any](value T, err error) T {
	if err != nil {
		fail("status", "OK", statusOf(err))
	}
	return value
}

// Keys.

// take gives the value of a key, and nil if there is none.
func (o object) take(key string) any {
	if value, has := o[key]; has {
		if value == nil {
			fail(key, "a value", "null")
		}
		delete(o, key)
		o[isRead+key] = value
	}
	return o[isRead+key]
}

// needs fails if one of the keys, some words, is missing.
func (o object) needs(keys string) {
	for _, key := range strings.Fields(keys) {
		if o[key] == nil && o[isRead+key] == nil {
			fail(key, "an input", "nothing")
		}
	}
}

// unread gives the keys in a value, at any depth, that nobody has read.
func unread(value any) (keys []string) {
	switch value := value.(type) {
	case map[string]any:
		for key, part := range value {
			if !strings.HasPrefix(key, isRead) {
				keys = append(keys, key)
			}
			keys = append(keys, unread(part)...)
		}
	case []any:
		for _, part := range value {
			keys = append(keys, unread(part)...)
		}
	}
	return keys
}

// take gives the value of a key, which has to have the type; the zero value if there is none.
func take[T any](o object, key string) (value T) {
	if found := o.take(key); found != nil {
		value = as[T](key, found)
	}
	return value
}

func as[T any](what string, value any) T {
	typed, ok := value.(T)
	if !ok {
		fail(what, fmt.Sprintf("%T", typed), value)
	}
	return typed
}

// list takes a list of objects.
func (o object) list(key string) (objects []object) {
	for _, each := range take[[]any](o, key) {
		objects = append(objects, as[map[string]any](key, each))
	}
	return objects
}

// Values.

// integer gives an integer of so many bits; one of 64 may be a text, decimal or hexadecimal.
func integer(what string, value any, size int) uint64 {
	text, isWide := value.(string)
	if !isWide {
		size, text = min(size, 53), as[json.Number](what, value).String()
	}
	n, err := strconv.ParseUint(text, 0, size)
	if err != nil || isWide && size < 64 || text != fmt.Sprint(n) && text != fmt.Sprintf("%#x", n) {
		fail(what, "an integer", text)
	}
	return n
}

// number takes an integer of the type; 0 if there is none.
func number[T int | uint8 | uint32 | uint64](o object, key string) (n T) {
	if value := o.take(key); value != nil {
		n = T(integer(key, value, bitsOf(reflect.TypeFor[T]())))
	}
	return n
}

// bitsOf gives how large a number of the type may be: a length or count is none of the 64-bit numbers.
func bitsOf(t reflect.Type) int {
	if t.Kind() == reflect.Int {
		return 53
	}
	return t.Bits()
}

// numbers takes a list of integers.
func numbers[T int | uint32](o object, key string) (list []T) {
	for _, value := range take[[]any](o, key) {
		list = append(list, T(integer(key, value, bitsOf(reflect.TypeFor[T]()))))
	}
	return list
}

// word takes a word that a table knows; it may be missing if there is something otherwise.
func word[T any](o object, key string, table map[string]T, otherwise ...T) T {
	if o.take(key) == nil && otherwise != nil {
		return otherwise[0]
	}
	return wordOf(key, o.take(key), table)
}

// wordOf gives what a table has for a text.
func wordOf[T any](what string, text any, table map[string]T) T {
	value, known := table[as[string](what, text)]
	if !known {
		fail(what, slices.Sorted(maps.Keys(table)), text)
	}
	return value
}

// wordsOf gives the words of values, by which the package prints them.
func wordsOf[T fmt.Stringer](values ...T) map[string]T {
	words := map[string]T{}
	for _, value := range values {
		words[value.String()] = value
	}
	return words
}

// data takes bytes, nil if there are none.
func (c *testCase) data(o object, key string) []byte {
	if o.take(key) == nil {
		return nil
	}
	return c.bytes(o.take(key))
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
	}
	o := object(as[map[string]any]("bytes", value))
	if o.take("ref") != nil {
		return c.reference(o)
	}
	o.needs("repeat hex")
	return bytes.Repeat(c.data(o, "hex"), number[int](o, "repeat"))
}

// reference gives bytes that a step saved, changed or cut as the value says.
func (c *testCase) reference(o object) []byte {
	b := slices.Clone(wordOf("ref", o.take("ref"), c.saved))
	if change := object(take[map[string]any](o, "xor")); change != nil {
		at := number[int](change, "at")
		for i, x := range c.data(change, "hex") {
			b[at+i] ^= x
		}
	}
	if o.take("take") != nil {
		b = b[:number[int](o, "take")]
	}
	return b
}

// Structs.

var humps = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// fields gives the fields of a struct by their keys, those of embedded structs too.
func fieldsOf(s reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range s.NumField() {
		if s.Type().Field(i).Anonymous {
			maps.Copy(fields, fieldsOf(s.Field(i)))
		} else {
			name := humps.ReplaceAllString(s.Type().Field(i).Name, "${1}${3}_${2}${4}")
			fields[strings.ToLower(name)] = s.Field(i)
		}
	}
	return fields
}

// fill puts numbers and truth values into the fields of a struct. What has not a field's form is left, as words are.
func fill(o object, into any) {
	for key, field := range fieldsOf(reflect.ValueOf(into).Elem()) {
		value := cmp.Or(o[key], o[isRead+key])
		_, isText := value.(string)
		_, isNumber := value.(json.Number)
		if isTrue, is := value.(bool); is && field.Kind() == reflect.Bool {
			field.SetBool(isTrue)
		} else if field.CanUint() && (isNumber || isText && field.Kind() == reflect.Uint64) {
			field.SetUint(integer(key, value, field.Type().Bits()))
		} else if field.CanInt() && isNumber {
			field.SetInt(int64(integer(key, value, 53)))
		} else {
			continue
		}
		o.take(key)
	}
}

// told gives the fields of a struct as outputs.
func told(s any) outputs {
	out := outputs{}
	for key, field := range fieldsOf(reflect.ValueOf(s)) {
		out[key] = field.Interface()
	}
	return out
}

// Expectations.

// expect compares what came with what the file says: numbers, words, bytes, lists, and structs with the keys given.
func (c *testCase) expect(what string, want, got any) {
	switch value := reflect.ValueOf(got); {
	case isWord(got):
		c.equal(what, want, got.(fmt.Stringer).String())
	case value.CanUint():
		c.equal(what, integer(what, want, bitsOf(value.Type())), value.Uint())
	case value.CanInt():
		c.equal(what, integer(what, want, bitsOf(value.Type())), uint64(value.Int()))
	case value.Kind() == reflect.Struct:
		c.compare(what, as[map[string]any](what, want), told(got))
	case value.Kind() != reflect.Slice:
		c.equal(what, want, got)
	case value.Type().Elem().Kind() == reflect.Uint8:
		c.expectBytes(what, want, got.([]byte))
	default:
		wanted := as[[]any](what, want)
		c.equal("number of "+what, len(wanted), value.Len())
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

func (c *testCase) equal(what string, want, got any) {
	if want != got {
		fail(what, want, got)
	}
}

// compare compares outputs with those that the file gives.
func (c *testCase) compare(what string, want object, got outputs) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		key = strings.TrimPrefix(key, isRead)
		value, known := got[key]
		c.equal(what+" "+key+" is known", true, known)
		c.expect(what+" "+key, want.take(key), value)
	}
}

// whole is compare, but for outputs that the file has to give all.
func (c *testCase) whole(what string, want object, got outputs) {
	want.needs(strings.Join(slices.Sorted(maps.Keys(got)), " "))
	c.compare(what, want, got)
}

// expectBytes compares bytes with their value in the file, or with the hash that stands there.
func (c *testCase) expectBytes(what string, want any, got []byte) {
	if hash, _ := want.(map[string]any); object(hash).take("sha256") != nil {
		c.equal(what, object(hash).take("sha256"), fmt.Sprintf("%x", sha256.Sum256(got)))
		c.equal(what, number[int](hash, "len"), len(got))
	} else if wanted := c.bytes(want); !bytes.Equal(wanted, got) {
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
func expected(o object) string {
	name := strings.TrimPrefix(take[string](o, "status"), "KEEP_")
	return cmp.Or(strings.TrimPrefix(name, "ERR_"), "OK")
}

// Cases.

// casesOf makes the cases of an array.
func casesOf(schema *schema, array string, values []object) (cases []*testCase) {
	seen := map[string]bool{}
	for i, fields := range values {
		fields.needs("id")
		id := take[string](fields, "id")
		if seen[id] {
			fail("id", "unique", id)
		}
		seen[id] = true
		if _, areWords := fields["flags"].([]any); areWords { // for readers
			fields.take("flags")
		}
		cases = append(cases, &testCase{
			array: array, name: fmt.Sprintf("%s[%d] %s", array, i, id), comment: take[string](fields, "comment"),
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
	kind.run(c)
	if keys := unread(map[string]any(c.fields)); keys != nil {
		fail("keys", "no others", keys)
	}
}

// scripts is an array of scripts.
var scripts = array{"script", func(c *testCase) { c.script(c.fields.list("script")) }}

// script runs steps in order.
func (c *testCase) script(steps []object) {
	for _, fields := range steps {
		op, known := take[string](fields, "op"), operation{"on", free}
		if op != "free" {
			known = wordOf("op", op, c.schema.operations)
		}
		fields.needs(known.inputs)
		got, err := known.run(step{fields, c})
		c.equal(op+" status", expected(fields), statusOf(err))
		c.compare(op, take[map[string]any](fields, "out"), got)
		if save := take[string](fields, "save"); save != "" {
			c.saved[save] = got["data"].([]byte)
		}
	}
}

// Handles.

// bind gives the new handle of a step its name, or reports why there is none.
func (s step) bind(handle io.Closer, err error) error {
	return s.bindAs(take[string](s.object, "as"), handle, err)
}

func (s step) bindAs(name string, handle io.Closer, err error) error {
	if slices.Contains(s.open, name) {
		fail("as", "a free name", name)
	}
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
	return as[T](key, wordOf(key, s.take(key), s.handles))
}

// close closes a handle, whose name is free again if that succeeds.
func (s step) close() error {
	name := take[string](s.object, "on")
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
