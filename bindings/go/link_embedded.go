// SPDX-License-Identifier: MIT

//go:build keep_embedded

package keep

// The library is compiled in, from keep_core.c, which a released module has; libsodium and libcrypto are the
// system's.

// #cgo CFLAGS: -DKEEP_EMBEDDED -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
// #cgo pkg-config: libsodium libcrypto
// #cgo LDFLAGS: -ldl -lpthread -Wl,-z,relro,-z,now
import "C"
