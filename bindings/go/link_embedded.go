// SPDX-License-Identifier: MIT

//go:build keep_embedded

package keep

// The library is compiled in, from keep_core.c, which a released module has; libsodium is the system's.

// #cgo CFLAGS: -DKEEP_EMBEDDED -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
// #cgo pkg-config: libsodium
// #cgo LDFLAGS: -lpthread -Wl,-z,relro,-z,now
import "C"
