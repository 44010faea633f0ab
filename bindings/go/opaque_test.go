// SPDX-License-Identifier: MIT

package keep_test

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

const planted = "hunter2 hunter2 hunter2"

// bindings R46
func TestPrintingShowsTypeLengthAndState(t *testing.T) {
	secret := secretOf(t, planted)
	sealed := closing(t, must(keep.NewSealed(nil, []byte(planted), 7)))
	closed := must(keep.GenerateSecret(nil, 1))
	wantStatus(t, keep.OK, closed.Close())
	wantStatus(t, keep.OK, secret.Freeze())
	for want, value := range map[string]fmt.Stringer{
		"keep.Secret(23 bytes, slot, frozen)":               secret,
		"keep.Sealed(23 bytes, type 7)":                     sealed,
		"keep.Secret(the handle names nothing that lives)":  closed,
		"keep.Sealed(an argument is wrong or out of range)": (*keep.Sealed)(nil),
		"keep.Secret(an argument is wrong or out of range)": (*keep.Secret)(nil),
		"keep.Sealed(the handle names nothing that lives)":  new(keep.Sealed),
		"Kind(9)": keep.Kind(9),
		"guarded": keep.KindGuarded,
	} {
		if got := value.String(); got != want {
			t.Errorf("expected %s, got %s", want, got)
		}
		if _, isKind := value.(keep.Kind); isKind {
			continue
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%10.3s"} {
			if got := fmt.Sprintf(verb, value); got != want && verb != "%p" {
				t.Errorf("%s: expected %s, got %s", verb, want, got)
			}
		}
	}
	must(keep.Purge())
	const purged = "keep.Secret(23 bytes, slot, purged) keep.Sealed(23 bytes, type 7, purged)"
	if got := fmt.Sprint(secret, sealed); got != purged {
		t.Errorf("got %s", got)
	}
}

// bindings R46, T6
func TestSecretsAreNotEncoded(t *testing.T) {
	secret := secretOf(t, planted)
	sealed := closing(t, must(keep.NewSealed(nil, []byte(planted), 7)))
	for _, value := range []any{secret, sealed} {
		var out bytes.Buffer
		_, err := json.Marshal(map[string]any{"key": value})
		wantUnsupported(t, err)
		wantUnsupported(t, gob.NewEncoder(&out).Encode(value))
		_, err = value.(encoding.TextMarshaler).MarshalText()
		wantUnsupported(t, err)
		_, err = value.(encoding.BinaryMarshaler).MarshalBinary()
		wantUnsupported(t, err)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "key", value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("made", "key", value)
		if strings.Contains(out.String(), "hunter") {
			t.Errorf("the secret is in %s", out.String())
		}
	}
}

func wantUnsupported(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, keep.ErrUnsupported) {
		t.Errorf("expected UNSUPPORTED, got %v", err)
	}
}
