// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import "fmt"

// The version of the headers that the package was compiled with. The library itself is compiled in, or its soname,
// which the loader checks, carries the version's compatible part.
const (
	VersionMajor  = C.KEEP_VERSION_MAJOR
	VersionMinor  = C.KEEP_VERSION_MINOR
	VersionPatch  = C.KEEP_VERSION_PATCH
	VersionNumber = C.KEEP_VERSION_NUMBER // major * 1 000 000 + minor * 1 000 + patch
)

// Version gives the version of the library that runs, "0.1.0".
func Version() string {
	number := uint32(C.keep_version_number())
	return fmt.Sprintf("%d.%d.%d", number/1_000_000, number/1_000%1_000, number%1_000)
}
