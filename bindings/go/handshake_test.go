// SPDX-License-Identifier: MIT

package keep_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// handshakes begins both sides of a handshake.
func handshakes(t *testing.T, pattern keep.Noise) (initiator, responder *keep.Handshake) {
	t.Helper()
	key := func() *keep.Secret { return closing(t, must(keep.GenerateSecret(nil, 32))) }
	shared, static := key(), key()
	options := keep.HandshakeOptions{Pattern: pattern, Role: keep.Responder, StaticKey: static, PreSharedKey: shared,
		Prologue: []byte("test")}
	responder = closing(t, must(keep.NewHandshake(&options)))
	options.Role, options.StaticKey = keep.Initiator, key()
	if pattern == keep.NoiseIKPSK2 {
		options.RemoteStatic = must(keep.HandshakePublicKey(nil, static))
	}
	return closing(t, must(keep.NewHandshake(&options))), responder
}

// agree sends messages to and fro until both sides are done, and gives their sessions.
func agree(t *testing.T, initiator, responder *keep.Handshake) (*keep.Session, *keep.Session) {
	t.Helper()
	from, to := initiator, responder
	for must(initiator.Info()).State != keep.HandshakeDone || must(responder.Info()).State != keep.HandshakeDone {
		message := must(from.Write([]byte("x"), []byte("payload")))[1:]
		if got := must(to.Read([]byte("y"), message)); string(got) != "ypayload" {
			t.Fatalf("read %q", got)
		}
		from, to = to, from
	}
	return closing(t, must(initiator.Session(nil))), closing(t, must(responder.Session(&keep.SessionOptions{Window: 2048})))
}

func TestHandshakesEndInSessions(t *testing.T) {
	for _, pattern := range []keep.Noise{keep.NoiseIKPSK2, keep.NoiseXXPSK3} {
		initiator, responder := handshakes(t, pattern)
		if info := must(initiator.Info()); info.State != keep.HandshakeWrite || info.Hash != nil || info.RemoteStatic != nil {
			t.Fatalf("unexpected %+v", info)
		}
		one, other := agree(t, initiator, responder)
		wantTexts(t, []string{"abc"}, must(other.Open(nil, must(one.Seal(nil, of("abc"))))).Events)
		wantTexts(t, []string{"def"}, must(one.Open(nil, must(other.Seal(nil, of("def"))))).Events)
		mine, theirs := must(initiator.Info()), must(responder.Info())
		if mine.State != keep.HandshakeSpent || theirs.State != keep.HandshakeSpent {
			t.Fatalf("unexpected %+v", mine)
		}
		_, err := initiator.Session(nil)
		wantStatus(t, keep.ErrState, err)
	}
}

// packet R42, T19: only success changes a handshake
func TestAHandshakeSurvivesNoise(t *testing.T) {
	initiator, responder := handshakes(t, keep.NoiseIKPSK2)
	_, err := responder.Write(nil, nil)
	wantStatus(t, keep.ErrState, err)
	_, err = initiator.Session(nil)
	wantStatus(t, keep.ErrState, err)
	message := must(initiator.Write(nil, nil))
	for i := range message {
		forged := bytes.Clone(message)
		forged[i] ^= 1
		_, err := responder.Read(nil, forged)
		wantStatus(t, keep.ErrAuth, err)
		_, err = responder.Read(nil, message[:i])
		wantStatus(t, keep.ErrAuth, err)
	}
	dst := []byte("same")
	got, err := responder.Read(dst, []byte("noise"))
	wantStatus(t, keep.ErrAuth, err)
	if string(got) != "same" {
		t.Fatalf("a failure gave %q", got)
	}
	_, err = responder.Read(message[:40], message)
	wantStatus(t, keep.ErrInvalidArgument, err)
	must(responder.Read(nil, message))
	_, err = responder.Write(make([]byte, 0, 100), make([]byte, keep.MaxPayloadLen))
	wantStatus(t, keep.ErrPacketTooLarge, err)
	must(initiator.Read(nil, must(responder.Write(nil, nil))))
	mine, theirs := must(initiator.Info()), must(responder.Info())
	if !bytes.Equal(mine.Hash, theirs.Hash) || len(mine.Hash) != keep.HandshakeKeyLen || mine.RemoteStatic == nil {
		t.Fatalf("unexpected %+v", mine)
	}
}

// packet R39
func TestHandshakesThatCannotBe(t *testing.T) {
	key := closing(t, must(keep.GenerateSecret(nil, 32)))
	closed := must(keep.GenerateSecret(nil, 32))
	wantStatus(t, keep.OK, closed.Close())
	good := keep.HandshakeOptions{Pattern: keep.NoiseIKPSK2, Role: keep.Initiator, StaticKey: key, PreSharedKey: key,
		RemoteStatic: must(keep.HandshakePublicKey(nil, key))}
	closing(t, must(keep.NewHandshake(&good)))
	for i, c := range []struct {
		want   keep.Status
		change func(o *keep.HandshakeOptions)
	}{
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.Pattern = 3 }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.Role = 0 }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.Role = keep.Responder }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.StaticKey = nil }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.PreSharedKey = secretOf(t, "short") }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.RemoteStatic = nil }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.RemoteStatic = o.RemoteStatic[:31] }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.RemoteStatic = make([]byte, 32) }},
		{keep.ErrInvalidArgument, func(o *keep.HandshakeOptions) { o.Prologue = make([]byte, keep.MaxPrologueLen+1) }},
		{keep.ErrClosed, func(o *keep.HandshakeOptions) { o.EphemeralKey = closed }},
	} {
		options := good
		c.change(&options)
		if _, err := keep.NewHandshake(&options); !errors.Is(err, c.want) {
			t.Errorf("%d: expected %v, got %v", i, c.want, err)
		}
	}
	_, err := keep.NewHandshake(nil)
	wantStatus(t, keep.ErrInvalidArgument, err)
}

func TestHandshakePublicKey(t *testing.T) {
	key := secretOf(t, "0123456789abcdef0123456789abcdef")
	room := append(make([]byte, 0, 1+keep.HandshakeKeyLen), 'x')
	public := must(keep.HandshakePublicKey(room, key))
	if &public[0] != &room[0] || !slices.Equal(public[1:], must(keep.HandshakePublicKey(nil, key))) {
		t.Fatal("not appended")
	}
	_, err := keep.HandshakePublicKey(nil, secretOf(t, "short"))
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = keep.HandshakePublicKey(nil, nil)
	wantStatus(t, keep.ErrInvalidArgument, err)
}

// bindings 5, 7
func TestCallsOnClosedZeroAndNilHandshakes(t *testing.T) {
	closed, _ := handshakes(t, keep.NoiseXXPSK3)
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, new(keep.Handshake).Close())
	wantStatus(t, keep.ErrInvalidArgument, (*keep.Handshake)(nil).Close())
	for _, c := range []struct {
		want      keep.Status
		handshake *keep.Handshake
	}{{keep.ErrClosed, closed}, {keep.ErrClosed, new(keep.Handshake)}, {keep.ErrInvalidArgument, nil}} {
		_, err := c.handshake.Write(nil, nil)
		wantStatus(t, c.want, err)
		_, err = c.handshake.Read(nil, nil)
		wantStatus(t, c.want, err)
		_, err = c.handshake.Info()
		wantStatus(t, c.want, err)
		_, err = c.handshake.Session(nil)
		wantStatus(t, c.want, err)
	}
}
