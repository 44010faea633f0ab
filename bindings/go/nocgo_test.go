// SPDX-License-Identifier: MIT

package keep_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

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
