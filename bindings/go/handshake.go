// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"fmt"
	"io"
)

// Lengths of handshakes.
const (
	HandshakeKeyLen = C.KEEP_HANDSHAKE_KEY_LEN // of public keys and the hash
	MaxPrologueLen  = C.KEEP_MAX_PROLOGUE_LEN
)

// Noise is a pattern of messages.
type Noise uint32

// The patterns: Noise_IKpsk2_25519_ChaChaPoly_SHA256, two messages, if the initiator knows the responder's static key, and
// Noise_XXpsk3_25519_ChaChaPoly_SHA256, three messages, if it does not.
const (
	NoiseIKPSK2 Noise = C.KEEP_NOISE_IKPSK2
	NoiseXXPSK3 Noise = C.KEEP_NOISE_XXPSK3
)

// Role is a side of a handshake.
type Role uint32

// The roles: who writes first, and who reads first.
const (
	Initiator Role = C.KEEP_INITIATOR
	Responder Role = C.KEEP_RESPONDER
)

// HandshakeState says what comes next.
type HandshakeState uint32

// The states: Write, Read or Session comes next; the session was taken.
const (
	HandshakeWrite HandshakeState = C.KEEP_HANDSHAKE_WRITE
	HandshakeRead  HandshakeState = C.KEEP_HANDSHAKE_READ
	HandshakeDone  HandshakeState = C.KEEP_HANDSHAKE_DONE
	HandshakeSpent HandshakeState = C.KEEP_HANDSHAKE_SPENT
)

// String gives "write", "read", "done" or "spent".
func (s HandshakeState) String() string {
	switch s {
	case HandshakeWrite:
		return "write"
	case HandshakeRead:
		return "read"
	case HandshakeDone:
		return "done"
	case HandshakeSpent:
		return "spent"
	}
	return fmt.Sprintf("HandshakeState(%d)", uint32(s))
}

// HandshakeOptions say how a handshake begins. Secrets are 32 bytes.
type HandshakeOptions struct {
	Pattern      Noise
	Role         Role
	StaticKey    *Secret // any random bytes
	PreSharedKey *Secret
	EphemeralKey *Secret // nil: random. For known answers: used twice it gives session keys away
	RemoteStatic []byte  // the responder's public key: for the initiator of NoiseIKPSK2, and for nobody else
	Prologue     []byte  // equal on both sides
	Pool         *Pool   // gives the key slots
}

// HandshakeInfo is how far a handshake is, and with whom.
type HandshakeInfo struct {
	State        HandshakeState
	RemoteStatic []byte // the peer's public key once a message has authenticated it, else nil
	Hash         []byte // nil until the handshake is done; equal on both sides, no secret, and no key may be made of it
}

// Handshake is two sides that agree on a session. Only success changes it: a message that was refused is dropped, and the
// right one still works. What a payload is worth stands in keep/handshake.h. Printed, it shows its state.
type Handshake struct {
	opaque
	alone[*C.keep_handshake]
}

// NewHandshake begins a handshake. The keys may be closed then.
func NewHandshake(options *HandshakeOptions) (*Handshake, error) {
	if options == nil || len(options.RemoteStatic) != 0 && len(options.RemoteStatic) != HandshakeKeyLen {
		return nil, ErrInvalidArgument
	}
	defer enterAll(options.guards()...)()
	c, err := options.inC()
	if err != nil {
		return nil, err
	}
	remote, _ := bytesOf(options.RemoteStatic)
	prologue, n := bytesOf(options.Prologue)
	var out *C.keep_handshake
	if st := C.keep_go_handshake_new(&c, remote, prologue, n, &out); st != C.KEEP_OK {
		return nil, Status(st)
	}
	h := new(Handshake)
	h.adopt(out, freeHandshake)
	return h, nil
}

// guards are those of the handles in the options.
func (o *HandshakeOptions) guards() []*guard {
	return []*guard{o.StaticKey.guarded(), o.PreSharedKey.guarded(), o.EphemeralKey.guarded(), o.Pool.guarded()}
}

// inC gives the options without the bytes, during a call that enterAll began.
func (o *HandshakeOptions) inC() (c C.keep_handshake_options, err error) {
	c = C.keep_handshake_options{
		size:           C.sizeof_keep_handshake_options,
		pattern:        C.uint32_t(o.Pattern),
		role:           C.uint32_t(o.Role),
		static_key:     o.StaticKey.lend(&err),
		pre_shared_key: o.PreSharedKey.lend(&err),
		ephemeral_key:  o.EphemeralKey.lend(&err),
		pool:           o.Pool.lend(&err),
	}
	return c, err
}

func freeHandshake(h *C.keep_handshake) Status {
	C.keep_handshake_free(&h)
	return OK
}

func (h *Handshake) enter() (*C.keep_handshake, error) {
	if h == nil {
		return nil, ErrInvalidArgument
	}
	return h.alone.enter()
}

// Close wipes and frees. It returns nil.
func (h *Handshake) Close() error {
	if h == nil {
		return ErrInvalidArgument
	}
	return h.close()
}

// Write appends the next message to dst, with a payload, which is apart from the room behind dst. Send it in a
// [HandshakeFrame]; to repeat it send the same bytes. ErrState: it is not this side's turn.
func (h *Handshake) Write(dst, payload []byte) ([]byte, error) {
	if !isApart(dst, MaxPayloadLen, [][]byte{payload}) {
		return dst, ErrInvalidArgument
	}
	handle, err := h.enter()
	if err != nil {
		return dst, err
	}
	defer h.leave()
	bytes, n := bytesOf(payload)
	return fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_handshake_write(handle, bytes, n, out, size, &needed)
		return int(needed), Status(st)
	})
}

// Read reads the other side's message and appends its payload to dst. ErrAuth: drop it, and wait for the right one.
func (h *Handshake) Read(dst, message []byte) ([]byte, error) {
	if !isApart(dst, MaxPayloadLen, [][]byte{message}) {
		return dst, ErrInvalidArgument
	}
	handle, err := h.enter()
	if err != nil {
		return dst, err
	}
	defer h.leave()
	bytes, n := bytesOf(message)
	return fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_handshake_read(handle, bytes, n, out, size, &needed)
		return int(needed), Status(st)
	})
}

// Info tells how far the handshake is, and with whom.
func (h *Handshake) Info() (HandshakeInfo, error) {
	handle, err := h.enter()
	if err != nil {
		return HandshakeInfo{}, err
	}
	defer h.leave()
	c := C.struct_keep_handshake_info{size: C.sizeof_struct_keep_handshake_info}
	if st := C.keep_handshake_info(handle, &c); st != C.KEEP_OK {
		return HandshakeInfo{}, Status(st)
	}
	return HandshakeInfo{
		State:        HandshakeState(c.state),
		RemoteStatic: publicBytes(&c.remote_static, c.has_remote_static),
		Hash:         publicBytes(&c.hash, c.has_hash),
	}, nil
}

// publicBytes copies a public key or a hash, if it is there.
func publicBytes(c *[HandshakeKeyLen]C.uint8_t, isThere C.uint8_t) []byte {
	if isThere == 0 {
		return nil
	}
	bytes := make([]byte, len(c))
	for i, b := range c {
		bytes[i] = byte(b)
	}
	return bytes
}

// Session takes the session, once. The session of the side that read the last message is confirmed at once, the other's
// with its first opened packet: drop one that never is. ErrState: the handshake is not done, or the session was taken.
func (h *Handshake) Session(options *SessionOptions) (*Session, error) {
	if h == nil {
		return nil, ErrInvalidArgument
	}
	defer enterAll(append(options.guards(), &h.guard)...)()
	c, err := options.inC()
	handle := h.lend(&err)
	if err != nil {
		return nil, err
	}
	var out *C.keep_session
	st := C.keep_handshake_session(handle, c, &out)
	return newSession(out, st)
}

// HandshakePublicKey appends the X25519 public key of a static key to dst, to give to others.
func HandshakePublicKey(dst []byte, staticKey *Secret) ([]byte, error) {
	key, err := staticKey.enter()
	if err != nil {
		return dst, err
	}
	defer staticKey.leave()
	return fill(dst, func(room []byte) (int, Status) {
		if len(room) < HandshakeKeyLen {
			return HandshakeKeyLen, ErrBufferTooSmall
		}
		out, _ := bytesOf(room)
		return HandshakeKeyLen, Status(C.keep_handshake_public_key(key, out))
	})
}

// String shows type and state, never a byte of a key.
func (h *Handshake) String() string {
	info, err := h.Info()
	if err != nil {
		return fmt.Sprintf("keep.Handshake(%v)", err)
	}
	return fmt.Sprintf("keep.Handshake(%v)", info.State)
}

// GoString is String.
func (h *Handshake) GoString() string {
	return h.String()
}

// Format writes String, whatever the verb.
func (h *Handshake) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, h.String())
}
