// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"runtime"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// temporary makes a secret that nobody holds.
func temporary() *keep.Secret {
	return must(keep.SecretFromBytes(nil, []byte("secret")))
}

// temporarySealed makes a sealed secret that nobody holds.
func temporarySealed() *keep.Sealed {
	return must(keep.NewSealed(nil, []byte("secret"), 0))
}

// temporaryPool makes a pool that nobody holds.
func temporaryPool() *keep.Pool {
	return must(keep.NewPool(nil))
}

// temporarySession makes a session that nobody holds, which seals.
func temporarySession() *keep.Session {
	key := must(keep.GenerateSecret(nil, 32))
	defer key.Close()
	return must(keep.NewSession(&keep.SessionOptions{TxKey: key}))
}

// temporaryPacket makes a packet that nobody holds, with something built.
func temporaryPacket() *keep.Packet {
	packet := must(must(keep.NewPacketPool(nil)).Acquire())
	if err := packet.Build(temporarySession(), keep.Request{}); err != nil {
		panic(err)
	}
	return packet
}

// temporaryHandshake makes a handshake that nobody holds.
func temporaryHandshake() *keep.Handshake {
	return must(keep.NewHandshake(&keep.HandshakeOptions{Pattern: keep.NoiseXXPSK3, Role: keep.Initiator,
		StaticKey: must(keep.GenerateSecret(nil, 32)), PreSharedKey: must(keep.GenerateSecret(nil, 32)), Pool: temporaryPool()}))
}

// bindings R49: a call keeps its object until C has returned. With the tag keep_gcstress the collector runs when the
// call holds nothing but the handle of C.
func TestACallKeepsItsSecret(t *testing.T) {
	use := func([]byte) error { runtime.GC(); return nil }
	allSucceed(t, map[string]func() error{
		"Put":        func() error { return temporary().Put(0, []byte("x")) },
		"Get":        func() error { _, err := temporary().Get(nil, 0, 6); return err },
		"Reveal":     func() error { _, err := temporary().Reveal(nil); return err },
		"Randomize":  func() error { return temporary().Randomize() },
		"Clear":      func() error { return temporary().Clear() },
		"Resize":     func() error { return temporary().Resize(4) },
		"Freeze":     func() error { return temporary().Freeze() },
		"Melt":       func() error { return temporary().Melt() },
		"Info":       func() error { _, err := temporary().Info(); return err },
		"Duplicate":  func() error { _, err := temporary().Duplicate(); return err },
		"Equal":      func() error { _, err := temporary().Equal(temporary()); return err },
		"EqualBytes": func() error { _, err := temporary().EqualBytes(nil); return err },
		"Read":       func() error { return temporary().Read(use) },
		"Write":      func() error { return temporary().Write(use) },
		"Close":      func() error { return temporary().Close() },
		"CloseMany":  func() error { return keep.CloseMany([]*keep.Secret{temporary(), temporary()}) },
		"SealSecret": func() error { _, err := keep.SealSecret(temporary(), 0); return err },
	})
}

func TestACallKeepsItsSealed(t *testing.T) {
	ctx := context.Background()
	allSucceed(t, map[string]func() error{
		"Open":        func() error { _, err := temporarySealed().Open(nil); return err },
		"OpenContext": func() error { _, err := temporarySealed().OpenContext(ctx, nil); return err },
		"OpenInto":    func() error { return temporarySealed().OpenInto(temporary()) },
		"Info":        func() error { _, err := temporarySealed().Info(); return err },
		"Close":       func() error { return temporarySealed().Close() },
	})
}

func TestACallKeepsItsPool(t *testing.T) {
	ctx := context.Background()
	allSucceed(t, map[string]func() error{
		"Acquire":         func() error { _, err := temporaryPool().Acquire(8, nil); return err },
		"AcquireContext":  func() error { _, err := temporaryPool().AcquireContext(ctx, 8, nil); return err },
		"AcquireMany":     func() error { _, err := temporaryPool().AcquireMany(8, 2); return err },
		"Reserve":         func() error { return temporaryPool().Reserve(8, 2) },
		"Trim":            func() error { _, err := temporaryPool().Trim(); return err },
		"Stats":           func() error { _, err := temporaryPool().Stats(); return err },
		"Close":           func() error { return temporaryPool().Close() },
		"GenerateSecret":  func() error { _, err := keep.GenerateSecret(temporaryPool(), 8); return err },
		"SecretFromBytes": func() error { _, err := keep.SecretFromBytes(temporaryPool(), nil); return err },
		"TakeSecret":      func() error { _, err := keep.TakeSecret(temporaryPool(), nil); return err },
		"NewSealed":       func() error { _, err := keep.NewSealed(temporaryPool(), nil, 0); return err },
		"TakeSealed":      func() error { _, err := keep.TakeSealed(temporaryPool(), nil, 0); return err },
	})
}

func TestACallKeepsItsSession(t *testing.T) {
	datagram, opened := must(temporarySession().Heartbeat(nil)), error(keep.ErrState) // of a session without rx key
	ends, statuses := []uint32{0}, []uint8{0}
	key := func() *keep.Secret { return must(keep.GenerateSecret(nil, 32)) }
	allSucceed(t, map[string]func() error{
		"NewSession": func() error {
			_, err := keep.NewSession(&keep.SessionOptions{TxKey: key(), RxKey: key(), Pool: temporaryPool()})
			return err
		},
		"Seal":      func() error { _, err := temporarySession().Seal(nil, keep.Request{}); return err },
		"SealBatch": func() error { _, err := temporarySession().SealBatch(nil, make([]keep.Request, 1)); return err },
		"SealPacked": func() error {
			_, err := temporarySession().SealPacked(nil, nil, []uint32{0}, 0, 0, 0, ends, statuses)
			return err
		},
		"Open":      func() error { _, err := temporarySession().Open(nil, datagram); return but(opened, err) },
		"OpenBatch": func() error { _, err := temporarySession().OpenBatch(nil, [][]byte{datagram}); return but(opened, err) },
		"OpenPacked": func() error {
			_, _, err := temporarySession().OpenPacked(nil, nil, []uint32{0}, nil, ends, statuses)
			return but(opened, err)
		},
		"Stats": func() error { _, err := temporarySession().Stats(); return err },
		"Close": func() error { return temporarySession().Close() },
	})
}

// but gives nil for the error that was expected.
func but(expected, err error) error {
	if err == expected {
		return nil
	}
	return err
}

func TestACallKeepsItsPacketAndHandshake(t *testing.T) {
	frame := keep.Request{Kind: keep.PacketHandshake, Events: make([][]byte, 1)}
	allSucceed(t, map[string]func() error{
		"Acquire":          func() error { _, err := must(keep.NewPacketPool(nil)).Acquire(); return err },
		"PacketPool.Stats": func() error { _, err := must(keep.NewPacketPool(nil)).Stats(); return err },
		"PacketPool.Close": func() error { return must(keep.NewPacketPool(nil)).Close() },
		"Build":            func() error { return temporaryPacket().Build(temporarySession(), keep.Request{}) },
		"Build a frame":    func() error { return temporaryPacket().Build(nil, frame) },
		"Set":              func() error { return temporaryPacket().Set(&keep.PacketSettings{}) },
		"Data":             func() error { _, err := temporaryPacket().Data(); return err },
		"Packet.Close":     func() error { return temporaryPacket().Close() },
		"Write":            func() error { _, err := temporaryHandshake().Write(nil, nil); return err },
		"Read":             func() error { _, err := temporaryHandshake().Read(nil, nil); return but(keep.ErrState, err) },
		"Session":          func() error { _, err := temporaryHandshake().Session(nil); return but(keep.ErrState, err) },
		"Info":             func() error { _, err := temporaryHandshake().Info(); return err },
		"Handshake.Close":  func() error { return temporaryHandshake().Close() },
		"HandshakePublicKey": func() error {
			_, err := keep.HandshakePublicKey(nil, must(keep.GenerateSecret(nil, 32)))
			return err
		},
	})
}

func allSucceed(t *testing.T, calls map[string]func() error) {
	t.Helper()
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
