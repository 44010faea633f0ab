// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

// AEAD is a back end of ChaCha20-Poly1305. All give the same bytes, only time differs.
type AEAD uint32

// The back ends. AEADAuto takes the fastest that the machine has.
const (
	AEADAuto    AEAD = C.KEEP_AEAD_AUTO
	AEADSodium  AEAD = C.KEEP_AEAD_SODIUM // always there
	AEADOpenSSL AEAD = C.KEEP_AEAD_OPENSSL
	AEADIPsecMB AEAD = C.KEEP_AEAD_IPSEC_MB
)

// AEADState says what a back end is on this machine.
type AEADState uint32

// The states of back ends.
const (
	AEADUsable         AEADState = C.KEEP_AEAD_USABLE
	AEADNotBuilt       AEADState = C.KEEP_AEAD_NOT_BUILT // libkeep was built without it
	AEADNotFound       AEADState = C.KEEP_AEAD_NOT_FOUND // its library is missing
	AEADTooOld         AEADState = C.KEEP_AEAD_TOO_OLD   // its library is older than libkeep expects
	AEADSelfTestFailed AEADState = C.KEEP_AEAD_SELF_TEST_FAILED
	AEADDisabled       AEADState = C.KEEP_AEAD_DISABLED // it failed in use
)

// AEADFacts is what a back end is on this machine.
type AEADFacts struct {
	State                  AEADState
	Contexts               int    // made so far
	Bytes                  uint64 // of memory for them
	AutoMinLen, AutoMaxLen int    // payloads for which AEADAuto takes it; Min above Max: none
	Name, Version, Form    string // Form: of the processor's instructions, as far as it tells
}

// AEADReport tells what one back end, not AEADAuto, is on this machine; the first call proves it.
func AEADReport(which AEAD) (AEADFacts, error) {
	c := C.struct_keep_aead_report{size: C.sizeof_struct_keep_aead_report}
	if st := C.keep_aead_report(C.uint32_t(which), &c); st != C.KEEP_OK {
		return AEADFacts{}, Status(st)
	}
	return AEADFacts{
		State:      AEADState(c.state),
		Contexts:   int(c.contexts),
		Bytes:      uint64(c.bytes),
		AutoMinLen: int(c.auto_min_len),
		AutoMaxLen: int(c.auto_max_len),
		Name:       text(c.name[:]),
		Version:    text(c.version[:]),
		Form:       text(c.form[:]),
	}, nil
}
