// SPDX-License-Identifier: MIT

//go:build cgo

package keep

// In the repository the statuses come from the headers. A released module has them as a file.

//go:generate ../../ci/gen ../../build/gen
//go:generate ln -sfn ../../build/gen/go/zstatus.go zstatus.go
