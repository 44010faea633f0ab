// SPDX-License-Identifier: MIT

//go:build !cgo

package keep

// Without cgo there is no libkeep: the undefined name is the message.
var _ = libkeep_needs_CGO_ENABLED_1_and_a_C_compiler
