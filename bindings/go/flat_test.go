// SPDX-License-Identifier: MIT

package keep

import (
	"bytes"
	"testing"
)

// packet R2: no copy of plaintext is left
func TestCopiesOfEventsAreWiped(t *testing.T) {
	var end [1]uint32
	event := []byte("alone")
	if data, _, copied := flatten([][]byte{event}, &end); copied != nil || &data[0] != &event[0] || end[0] != 5 {
		t.Fatal("an event that is alone was copied")
	}
	data, ends, copied := flatten([][]byte{[]byte("one"), nil, []byte("three")}, &end)
	if string(data) != "onethree" || len(ends) != 3 || ends[1] != 3 {
		t.Fatalf("unexpected %q %v", data, ends)
	}
	copied.drop()
	if !bytes.Equal(data, make([]byte, 8)) {
		t.Fatalf("%q is left", data)
	}
}

func TestRefusedEventsAreNotAllCopied(t *testing.T) {
	large := make([]byte, 1<<20)
	data, ends, copied := flatten([][]byte{large, large, large}, new([1]uint32))
	defer copied.drop()
	if len(data) <= MaxPayloadLen || len(data) > 2*mostEventLen || len(ends) != 3 {
		t.Fatalf("%d bytes of %d events were copied", len(data), len(ends))
	}
}
