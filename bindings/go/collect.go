// SPDX-License-Identifier: MIT

//go:build cgo && !keep_gcstress

package keep

// collect runs the garbage collector wherever a call has taken its handle, in builds with the tag keep_gcstress.
func collect() {}
