// SPDX-License-Identifier: MIT

package vectors

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object. Reading a key marks it; a key that nobody has read in the end is unknown, and fails its case.
type object map[string]any

const isRead = "\x01" // stands before a key that was read

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

func (o object) text(key string) string { return take[string](o, key) }
func (o object) bool(key string) bool   { return take[bool](o, key) }
func (o object) int(key string) int     { return number[int](o, key) }
func (o object) u8(key string) uint8    { return number[uint8](o, key) }
func (o object) u32(key string) uint32  { return number[uint32](o, key) }
func (o object) u64(key string) uint64  { return number[uint64](o, key) }

// objects takes a list of objects.
func (o object) objects(key string) (list []object) {
	for _, each := range take[[]any](o, key) {
		list = append(list, as[map[string]any](key, each))
	}
	return list
}

// part gives the object under a key.
func (s step) part(key string) step {
	return step{take[map[string]any](s.object, key), s.testCase}
}

// parts gives the objects in a list, in which some keys must be there.
func (s step) parts(key, inputs string) (parts []step) {
	for _, o := range s.objects(key) {
		o.needs(inputs)
		parts = append(parts, step{o, s.testCase})
	}
	return parts
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
func word[T any](s step, key string, table map[string]T, otherwise ...T) T {
	if s.take(key) == nil && otherwise != nil {
		return otherwise[0]
	}
	return wordOf(key, s.take(key), table)
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

// bytes takes bytes, nil if there are none.
func (s step) bytes(key string) []byte {
	if s.take(key) == nil {
		return nil
	}
	return s.decode(s.take(key))
}

// decode gives the bytes that a value of a file stands for.
func (c *testCase) decode(value any) (b []byte) {
	switch value := value.(type) {
	case string:
		b, err := hex.DecodeString(value)
		if err != nil || hex.EncodeToString(b) != value {
			fail("bytes", "lower-case hex", value)
		}
		return b
	case []any:
		for _, part := range value {
			b = append(b, c.decode(part)...)
		}
		return b
	}
	s := step{as[map[string]any]("bytes", value), c}
	if s.take("ref") != nil {
		return s.reference()
	}
	s.needs("repeat hex")
	if s.int("repeat") > 1<<24 {
		fail("repeat", "at most 2^24", s.int("repeat"))
	}
	return bytes.Repeat(s.bytes("hex"), s.int("repeat"))
}

// reference gives bytes that a step saved, changed or cut as the value says.
func (s step) reference() []byte {
	b := slices.Clone(word(s, "ref", s.saved))
	if change := s.part("xor"); change.object != nil {
		for i, x := range change.bytes("hex") {
			b[change.int("at")+i] ^= x
		}
	}
	if s.take("take") != nil {
		b = b[:s.int("take")]
	}
	return b
}

// Structs.

var humps = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// fieldsOf gives the fields of a struct by their keys, those of embedded structs too.
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
