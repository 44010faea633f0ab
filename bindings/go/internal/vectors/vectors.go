// SPDX-License-Identifier: MIT

// Package vectors runs the shared test vectors through the public interface. This file chooses files, counts and
// reports; values.go knows the forms of values, script.go compares and runs scripts; a file per subsystem knows its cases.
package vectors

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"
)

// How a file, or all of them, ended: the exit status.
const (
	passed = iota
	failed
	invalid
)

const maxReported = 20 // failures of a file

// schema says how the files of one subsystem are run.
type schema struct {
	constants  map[string]int
	arrays     map[string]array
	operations map[string]operation // of scripts
}

var schemas = map[string]*schema{
	"keep-memory-1":  &memory,
	"keep-packet-1":  &packet,
	"keep-tracker-1": &tracker,
}

// file is one file of vectors; how much of it is known depends on how far it is valid.
type file struct {
	name, sum, schema string
	constants         object
	cases             []*testCase
}

// Main runs the files that arguments and environment choose and gives the exit status.
func Main(args []string, out, log io.Writer) int {
	wanted := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--reverse" })
	paths, err := Files()
	if err != nil {
		fmt.Fprintln(log, err)
		return invalid
	}
	status, seen := passed, map[string]bool{}
	for _, path := range paths {
		f, err := load(path)
		if err != nil || len(wanted) == 0 || slices.Contains(wanted, f.schema) {
			seen[f.schema] = true
			status = max(status, f.run(err, len(wanted) < len(args), out, log))
		}
	}
	if _, chosen := os.LookupEnv("KEEP_VECTORS"); !chosen && len(wanted) == 0 {
		wanted = slices.Collect(maps.Keys(schemas))
	}
	for _, name := range wanted {
		if !seen[name] {
			fmt.Fprintln(log, "no file has the schema", name)
			status = invalid
		}
	}
	return status
}

// Files gives the files in the directory KEEP_VECTORS, or in the repository's own, in the order of their names.
func Files() (paths []string, err error) {
	dir, chosen := os.LookupEnv("KEEP_VECTORS")
	if _, here, _, _ := runtime.Caller(0); !chosen {
		dir = filepath.Join(filepath.Dir(here), "../../../../tests/vectors")
	}
	if dir == "" {
		return nil, errors.New("KEEP_VECTORS is empty")
	}
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		info, gone := os.Stat(path)
		if filepath.Ext(path) == ".json" && (gone != nil || info.Mode().IsRegular()) {
			paths = append(paths, path)
		}
	}
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s holds no vectors", dir)
	}
	return paths, err
}

// Run runs one file: its line goes to out, all else to log.
func Run(path string, out, log io.Writer) int {
	f, err := load(path)
	return f.run(err, false, out, log)
}

func (f *file) run(err error, reverse bool, out, log io.Writer) int {
	if err != nil {
		fmt.Fprintf(out, "go %s %s invalid\n", f.name, f.sum)
		fmt.Fprintf(log, "%s: %v\n", f.name, err)
		return invalid
	}
	failures := 0
	try := func(name, comment string, run func()) int {
		err := attempt(run)
		if err == nil {
			return 1
		}
		if failures++; failures <= maxReported {
			fmt.Fprintf(log, "FAIL %s %s: %v %s\n", f.name, name, err, comment)
		}
		return 0
	}
	try("constants", "", f.compareConstants)
	if reverse {
		slices.Reverse(f.cases)
	}
	good := 0
	for _, c := range f.cases {
		if os.Getenv("KEEP_VECTORS_VERBOSE") != "" {
			fmt.Fprintln(log, f.name, c.name)
		}
		good += try(c.name, c.comment, c.run)
	}
	if failures > maxReported {
		fmt.Fprintf(log, "… and %d more\n", failures-maxReported)
	}
	fmt.Fprintf(out, "go %s %s %d/%d\n", f.name, f.sum, good, len(f.cases))
	return min(failures, failed)
}

// compareConstants compares the file's constants with the package's.
func (f *file) compareConstants() {
	for name, want := range f.constants {
		if got, known := schemas[f.schema].constants[name]; !known || fmt.Sprint(want) != fmt.Sprint(got) {
			fail(name, want, got)
		}
	}
}

// load reads a file. The result is never nil; its name and hash hold also with an error.
func load(path string) (*file, error) {
	f := &file{name: filepath.Base(path), sum: "-"}
	content, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	f.sum = fmt.Sprintf("%x", sha256.Sum256(content))
	return f, attempt(func() { f.take(parse(content)) })
}

// parse gives the one JSON object that the bytes are.
func parse(content []byte) (top object) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	err := decoder.Decode(&top)
	if _, rest := decoder.Token(); !utf8.Valid(content) || err != nil || rest != io.EOF || top == nil {
		fail("file", "one JSON object in UTF-8", err)
	}
	return top
}

// take fills the file from its top-level object. What is no header is an array of cases.
func (f *file) take(top object) {
	f.schema = top.text("schema")
	if schemas[f.schema] == nil {
		fail("schema", "a known one", f.schema)
	}
	total := top.int("numberOfTests")
	f.constants = take[map[string]any](top, "constants")
	top.take("notes")
	for _, array := range slices.Sorted(maps.Keys(top)) {
		if !strings.HasPrefix(array, isRead) {
			f.cases = append(f.cases, casesOf(schemas[f.schema], array, top.objects(array))...)
		}
	}
	if total < 1 || total != len(f.cases) {
		fail("numberOfTests", total, len(f.cases))
	}
}
