// SPDX-License-Identifier: MIT

// The runvectors command runs the shared test vectors: runvectors [--reverse] [SCHEMA...]
package main

import (
	"os"

	"github.com/libkeep/libkeep/bindings/go/internal/vectors"
)

func main() {
	os.Exit(vectors.Main(os.Args[1:], os.Stdout, os.Stderr))
}
