// SPDX-License-Identifier: MIT

// The tour in Go: makes a secret, seals it, opens it again, and tells what protects it.
//
//	go run github.com/libkeep/libkeep/bindings/go/examples/tour@latest
package main

import (
	"fmt"
	"log"
	"strings"

	keep "github.com/libkeep/libkeep/bindings/go"
)

var checks = []struct {
	flag  keep.CheckFlags
	words string
}{
	{keep.CheckLocked, "locked"},
	{keep.CheckNotDumped, "absent from core dumps"},
	{keep.CheckForkSafe, "absent from children"},
	{keep.CheckGuards, "between guard pages"},
	{keep.CheckHidden, "hidden from debuggers"},
	{keep.CheckWiped, "wiped when freed"},
	{keep.CheckSealing, "sealed by the published cipher"},
}

func tellWhereItLives(secret *keep.Secret) error {
	info, err := secret.Info()
	if err != nil {
		return err
	}
	backing, swapping := "locked memory", "but it may be swapped out"
	if info.Backing == keep.BackingMemfdSecret {
		backing = "memory that not even the kernel maps"
	}
	if info.Locked {
		swapping = "never swapped out"
	}
	fmt.Printf("  made    %d random bytes, in %s, %s\n", info.Len, backing, swapping)
	return nil
}

func tellHowItIsSealed(sealed *keep.Sealed) error {
	info, err := sealed.Info()
	if err != nil {
		return err
	}
	fmt.Printf("  sealed  into %d bytes of ordinary memory, under a key in two halves\n", info.StoredLen)
	return nil
}

func tellWhatOpens(sealed *keep.Sealed, secret *keep.Secret) error {
	opened, err := sealed.Open(nil)
	if err != nil {
		return err
	}
	defer opened.Close()
	same, err := opened.Equal(secret)
	if err != nil {
		return err
	}
	fmt.Printf("  opened  %s\n", map[bool]string{true: "the same bytes", false: "other bytes"}[same])
	return nil
}

func sealAndOpen() error {
	secret, err := keep.GenerateSecret(nil, 32)
	if err != nil {
		return err
	}
	defer secret.Close()
	if err := tellWhereItLives(secret); err != nil {
		return err
	}
	sealed, err := keep.SealSecret(secret, 0)
	if err != nil {
		return err
	}
	defer sealed.Close()
	if err := tellHowItIsSealed(sealed); err != nil {
		return err
	}
	return tellWhatOpens(sealed, secret)
}

func askTheKernel() error {
	facts, err := keep.MemoryReport(keep.NewPoolOptions())
	if err != nil {
		return err
	}
	var passed []string
	for _, check := range checks {
		if facts.Passed&check.flag != 0 {
			passed = append(passed, check.words)
		}
	}
	fmt.Printf("  proved  %s\n", strings.Join(passed, ", "))
	return nil
}

func main() {
	fmt.Printf("Go: libkeep %s\n", keep.Version())
	if err := sealAndOpen(); err != nil {
		log.Fatal("tour: ", err)
	}
	if err := askTheKernel(); err != nil {
		log.Fatal("tour: ", err)
	}
}
