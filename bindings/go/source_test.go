// SPDX-License-Identifier: MIT

package keep_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// found gives what a pattern's group finds in the package's files.
func found(t *testing.T, pattern string) []string {
	t.Helper()
	names := map[string]bool{}
	for _, path := range must(filepath.Glob("*.go")) {
		for _, match := range regexp.MustCompile(pattern).FindAllSubmatch(must(os.ReadFile(path)), -1) {
			names[string(match[1])] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// bindings R44
func TestEveryCalledFunctionIsDeclaredNoescapeAndNocallback(t *testing.T) {
	called := found(t, `\bC\.(keep_\w+)\(`)
	if len(called) < 30 {
		t.Fatalf("found only %v", called)
	}
	for _, directive := range []string{"noescape", "nocallback"} {
		if declared := found(t, `(?m)^#cgo `+directive+` (\w+)$`); !slices.Equal(called, declared) {
			t.Errorf("called %v\ndeclared %s %v", called, directive, declared)
		}
	}
}

// bindings R40, T23
func TestWithoutCgoOneNameSaysWhy(t *testing.T) {
	build := exec.Command("go", "build", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err == nil || strings.Count(string(out), "\n") != 2 ||
		!strings.Contains(string(out), "undefined: libkeep_needs_CGO_ENABLED_1_and_a_C_compiler") {
		t.Fatalf("%v: %s", err, out)
	}
}
