// SPDX-License-Identifier: MIT

package keep_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// memory R49, R50
func TestPurgeEndsEverySecret(t *testing.T) {
	secret := secretOf(t, "secret")
	sealed := closing(t, must(keep.NewSealed(nil, []byte("secret"), 0)))
	err := secret.Read(func(data []byte) error {
		if open := must(keep.Purge()); open != 1 || string(data) != strings.Repeat("\x00", 6) {
			t.Errorf("%d windows, %q", open, data)
		}
		return nil
	})
	wantStatus(t, keep.OK, err)
	_, err = secret.Reveal(nil)
	wantStatus(t, keep.ErrPurged, err)
	_, err = sealed.Open(nil)
	wantStatus(t, keep.ErrPurged, err)
	if !must(secret.Info()).Purged || !must(sealed.Info()).Purged {
		t.Fatal("info does not say so")
	}
	wantText(t, "new", secretOf(t, "new"))
}

// memory R56; what hardens a process does so for good, so a child does it
func TestHarden(t *testing.T) {
	if os.Getenv("KEEP_TEST_CHILD") == "harden" {
		report, err := keep.Harden(keep.HardenRecommended)
		wantStatus(t, keep.OK, err)
		all := report.Requested & report.Active
		if all != keep.HardenNoCore|keep.HardenNoDump || report.Failed != 0 || report.Error != [8]syscall.Errno{} {
			t.Fatalf("unexpected %+v", report)
		}
		return
	}
	_, err := keep.Harden(1 << 30)
	wantStatus(t, keep.ErrInvalidArgument, err)
	report, err := keep.Harden(0)
	wantStatus(t, keep.OK, err)
	if report.Requested != 0 || report.Failed != 0 {
		t.Fatalf("unexpected %+v", report)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestHarden$")
	child.Env = append(os.Environ(), "KEEP_TEST_CHILD=harden")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// memory R59, R60
func TestMemoryReport(t *testing.T) {
	facts := must(keep.MemoryReport(nil))
	if facts.PageSize != int64(os.Getpagesize()) || facts.MemlockSoft == 0 || facts.Checked != 0 || facts.Backing != 0 {
		t.Fatalf("unexpected %+v", facts)
	}
	facts = must(keep.MemoryReport(keep.NewPoolOptions()))
	if wanted := keep.CheckWiped | keep.CheckSealing; facts.Passed&wanted != wanted || facts.Failed != 0 {
		t.Fatalf("unexpected %+v", facts)
	}
	if facts.Checked != facts.Passed || facts.Backing == keep.BackingAuto {
		t.Fatalf("unexpected %+v", facts)
	}
}

// memory R61
func TestMemoryKnownAnswer(t *testing.T) {
	in := must(hex.DecodeString(strings.Repeat("22", 32) + strings.Repeat("11", 32)))
	got := must(keep.MemoryKnownAnswer([]byte("left "), "coffer.split", in))
	if string(got) != "left "+strings.Repeat("3", 32) {
		t.Fatalf("got %q", got)
	}
	for _, name := range []string{"", "coffer.key", "coffer.split\x00"} {
		_, err := keep.MemoryKnownAnswer(nil, name, in)
		wantStatus(t, keep.ErrInvalidArgument, err)
	}
	_, err := keep.MemoryKnownAnswer(in[:0], "coffer.split", in)
	wantStatus(t, keep.ErrInvalidArgument, err)
	_, err = keep.MemoryKnownAnswer(in[:8], "coffer.split", in[32:])
	wantStatus(t, keep.ErrInvalidArgument, err)
}

func TestVersionIsThatOfTheHeaders(t *testing.T) {
	want := fmt.Sprintf("%d.%d.%d", keep.VersionMajor, keep.VersionMinor, keep.VersionPatch)
	number := 1_000_000*keep.VersionMajor + 1_000*keep.VersionMinor + keep.VersionPatch
	if keep.Version() != want || keep.VersionNumber != number {
		t.Fatalf("the library is %s, the headers are %s", keep.Version(), want)
	}
}
