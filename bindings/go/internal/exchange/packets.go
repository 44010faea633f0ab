// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// sides are the datagrams of either side of a session, in hexadecimal.
type sides [2][]string

// packetInputs are what the packets of all languages start from: each side seals Count of them, singly and as a batch;
// Answers to them go on where they end.
type packetInputs struct {
	SessionID                         uint64 `json:"session_id"`
	Keys                              [2]string
	Count, Answers, Damaged, Replayed int
}

// wrong is the verdict on a packet that is not as it was sealed.
const wrong = -1000

// must gives what cannot fail, if the library is right.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func readPacketInputs() packetInputs {
	var inputs struct{ Packets packetInputs }
	must(0, json.Unmarshal(must(os.ReadFile("tests/exchange/inputs.json")), &inputs))
	return inputs.Packets
}

// session is one side's.
func (in packetInputs) session(side, firstCounter int) *keep.Session {
	key := func(at int) *keep.Secret {
		return must(keep.SecretFromBytes(nil, must(hex.DecodeString(in.Keys[at]))))
	}
	return must(keep.NewSession(&keep.SessionOptions{
		SessionID: in.SessionID, TxKey: key(side), RxKey: key(1 - side), FirstCounter: uint64(firstCounter),
	}))
}

// requestOf is packet number of a side.
func requestOf(side, number int) keep.Request {
	r := keep.Request{StreamID: uint64(side), Sequence: uint64(number)}
	for i := range number % 4 {
		r.Events = append(r.Events, fmt.Appendf(nil, "side %d, packet %d, event %d", side, number, i))
	}
	return r
}

// seal makes count packets, the first half one by one, the others as a batch.
func (in packetInputs) seal(side, first, count int) (datagrams [][]byte) {
	session := in.session(side, first)
	defer session.Close()
	half := first + count/2
	for number := first; number < half; number++ {
		datagrams = append(datagrams, must(session.Seal(nil, requestOf(side, number))))
	}
	var requests []keep.Request
	for number := half; number < first+count; number++ {
		requests = append(requests, requestOf(side, number))
	}
	batch := must(session.SealBatch(nil, requests))
	for i := range requests {
		datagrams = append(datagrams, batch.Data[batch.Offsets[i]:batch.Offsets[i+1]])
	}
	return datagrams
}

// spoil lets one come damaged before it comes whole, and one come again at the end.
func (in packetInputs) spoil(datagrams [][]byte) [][]byte {
	damaged, replayed := bytes.Clone(datagrams[in.Damaged]), datagrams[in.Replayed]
	damaged[len(damaged)-1] ^= 1
	return append(slices.Insert(datagrams, in.Damaged, damaged), replayed)
}

// verdict gives the number of a packet; what is refused has its status below zero.
func verdict(side int, opened keep.Opened) int {
	if opened.Status != keep.OK {
		return -int(opened.Status)
	}
	info := opened.Info
	want := requestOf(side, int(info.Sequence))
	isEqual := slices.EqualFunc(opened.Events, want.Events, bytes.Equal)
	if !isEqual || info.Counter != info.Sequence || info.StreamID != want.StreamID {
		return wrong
	}
	return int(info.Sequence)
}

// verdicts is what the other side finds; it opens the first half one by one, the others as a batch.
func (in packetInputs) verdicts(side int, datagrams [][]byte) (found []int) {
	session := in.session(1-side, 0)
	defer session.Close()
	half := len(datagrams) / 2
	for _, datagram := range datagrams[:half] {
		found = append(found, verdict(side, must(session.Open(nil, datagram))))
	}
	for _, opened := range must(session.OpenBatch(nil, datagrams[half:])) {
		found = append(found, verdict(side, opened))
	}
	return found
}

func (in packetInputs) sealed() (texts sides) {
	for side := range texts {
		texts[side] = toHex(in.spoil(in.seal(side, 0, in.Count)))
	}
	return texts
}

func (in packetInputs) answers() (texts sides) {
	for side := range texts {
		texts[side] = toHex(in.seal(side, in.Count, in.Answers))
	}
	return texts
}

func (in packetInputs) areSealed(texts sides) bool {
	wanted := slices.Insert(numbersFrom(0, in.Count), in.Damaged, -int(keep.ErrAuth))
	return in.areRight(texts, append(wanted, -int(keep.ErrReplay)))
}

func (in packetInputs) areAnswers(texts sides) bool {
	return in.areRight(texts, numbersFrom(in.Count, in.Answers))
}

func (in packetInputs) areRight(texts sides, wanted []int) bool {
	isRight := true
	for side := range texts {
		isRight = isRight && slices.Equal(in.verdicts(side, fromHex(texts[side])), wanted)
	}
	return isRight
}

func readSides(file string) (texts sides) {
	must(0, json.Unmarshal(must(os.ReadFile(file)), &texts))
	return texts
}

func numbersFrom(first, count int) (numbers []int) {
	for i := range count {
		numbers = append(numbers, first+i)
	}
	return numbers
}

func toHex(datagrams [][]byte) (texts []string) {
	for _, datagram := range datagrams {
		texts = append(texts, hex.EncodeToString(datagram))
	}
	return texts
}

func fromHex(texts []string) (datagrams [][]byte) {
	for _, text := range texts {
		datagrams = append(datagrams, must(hex.DecodeString(text)))
	}
	return datagrams
}
