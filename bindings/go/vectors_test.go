// SPDX-License-Identifier: MIT

package keep_test

import (
	"path/filepath"
	"strings"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
	"github.com/libkeep/libkeep/bindings/go/internal/vectors"
)

// vectors R1, R2: every file, by the function that the program calls
func TestVectors(t *testing.T) {
	for _, path := range must(vectors.Files()) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var out, log strings.Builder
			if vectors.Run(path, &out, &log) != 0 {
				t.Error(log.String())
			}
			t.Log(out.String())
		})
	}
}

// packet T1: the packets with each back end that the machine has
func TestVectorsWithEachBackEnd(t *testing.T) {
	for _, aead := range []keep.AEAD{keep.AEADSodium, keep.AEADOpenSSL, keep.AEADIPsecMB} {
		facts := must(keep.AEADReport(aead))
		t.Run(facts.Name, func(t *testing.T) {
			if facts.State != keep.AEADUsable {
				t.Skipf("the back end is in state %d", facts.State)
			}
			t.Setenv("KEEP_TEST_AEAD", facts.Name)
			var out, log strings.Builder
			if vectors.Main([]string{"keep-packet-1"}, &out, &log) != 0 {
				t.Error(log.String())
			}
		})
	}
}
