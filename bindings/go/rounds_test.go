// SPDX-License-Identifier: MIT

//go:build !keep_gcstress

package keep_test

// rounds is how often a test tries what must not go wrong once.
const rounds = 1000
