// SPDX-License-Identifier: MIT

//go:build cgo && keep_gcstress

package keep

import "runtime"

// collect makes a call that does not keep its object alive fail: the object's net frees the handle under it.
func collect() {
	runtime.GC()
	runtime.Gosched() // the nets run in a goroutine of their own
}
