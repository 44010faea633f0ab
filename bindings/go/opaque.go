// SPDX-License-Identifier: MIT

//go:build cgo

package keep

// opaque is part of what must not leave the process by accident: it refuses every encoding.
type opaque struct{}

// MarshalJSON returns ErrUnsupported: secrets are not encoded.
func (opaque) MarshalJSON() ([]byte, error) { return nil, ErrUnsupported }

// MarshalText returns ErrUnsupported: secrets are not encoded.
func (opaque) MarshalText() ([]byte, error) { return nil, ErrUnsupported }

// MarshalBinary returns ErrUnsupported: secrets are not encoded.
func (opaque) MarshalBinary() ([]byte, error) { return nil, ErrUnsupported }

// GobEncode returns ErrUnsupported: secrets are not encoded.
func (opaque) GobEncode() ([]byte, error) { return nil, ErrUnsupported }
