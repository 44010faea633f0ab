// SPDX-License-Identifier: MIT

package keep_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

func Example() {
	password := []byte("correct horse battery staple")
	sealed, err := keep.TakeSealed(nil, password, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer sealed.Close()
	fmt.Println(sealed)

	secret, err := sealed.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer secret.Close()
	_ = secret.Read(func(data []byte) error {
		fmt.Printf("%s\n", data)
		return nil
	})
	// Output:
	// keep.Sealed(28 bytes, type 1)
	// correct horse battery staple
}

func ExamplePool() {
	pool, err := keep.NewPool(&keep.PoolOptions{Tiers: []keep.Tier{{Len: 32, Slots: 100, MaxSlots: 100}}})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	keys, err := pool.AcquireMany(32, 100)
	if err != nil {
		log.Fatal(err)
	}
	defer keep.CloseMany(keys)

	_, err = pool.Acquire(32, nil)
	fmt.Println(errors.Is(err, keep.ErrExhausted))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = pool.AcquireContext(ctx, 32, nil)
	fmt.Println(err)
	// Output:
	// true
	// the time ran out
}

func ExampleSecret() {
	token, err := keep.TakeSecret(nil, []byte("s3cr3t"))
	if err != nil {
		log.Fatal(err)
	}
	defer token.Close()
	same, _ := token.EqualBytes([]byte("guess"))
	fmt.Println(token, same)
	_ = token.Freeze()
	fmt.Println(token.Put(0, []byte("x")))
	// Output:
	// keep.Secret(6 bytes, slot) false
	// not possible in this state
}

func ExampleSecret_Write() {
	secret, err := (*keep.Pool)(nil).Acquire(16, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer secret.Close()
	err = secret.Write(func(data []byte) error {
		copy(data, "straight into it") // a file, a socket, a key derivation
		return secret.Close()
	})
	fmt.Println(err)
	// Output: in use by somebody else
}

func ExampleSealed() {
	key, err := keep.GenerateSecret(nil, 32)
	if err != nil {
		log.Fatal(err)
	}
	defer key.Close()
	idle, err := keep.SealSecret(key, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer idle.Close()
	again, err := idle.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer again.Close()
	same, err := again.Equal(key)
	fmt.Println(again, same, err)
	// Output: keep.Secret(32 bytes, slot, frozen) true <nil>
}

func ExampleStatus() {
	var forgotten keep.Secret // the zero value is a closed secret
	err := forgotten.Freeze()
	var status keep.Status
	fmt.Println(errors.As(err, &status), status.Name(), err)
	// Output: true CLOSED the handle names nothing that lives
}
