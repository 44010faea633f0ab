// SPDX-License-Identifier: MIT

//go:build !keep_embedded

package keep

// The library is the installed one, or the build tree's through PKG_CONFIG_PATH.

// #cgo pkg-config: keep
import "C"
