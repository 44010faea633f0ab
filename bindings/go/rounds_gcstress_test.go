// SPDX-License-Identifier: MIT

//go:build keep_gcstress

package keep_test

// rounds is fewer where every call runs the garbage collector.
const rounds = 20
