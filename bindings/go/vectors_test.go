// SPDX-License-Identifier: MIT

package keep_test

import (
	"path/filepath"
	"strings"
	"testing"

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
