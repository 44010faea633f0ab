// SPDX-License-Identifier: MIT

package keep

// The library is the installed one, or the build tree's through PKG_CONFIG_PATH. In the repository zstatus.go is made
// by go generate.

//go:generate ../../ci/gen ../../build/gen
//go:generate ln -sfn ../../build/gen/go/zstatus.go zstatus.go

// #cgo pkg-config: keep
import "C"
