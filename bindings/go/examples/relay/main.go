// SPDX-License-Identifier: MIT

// Packets on the tour, a station on their way: opens what comes, tells what came of it, and sends it on.
//
//	relay KEY KEY PORT    files of 32 bytes, that the station before has too, and the next; its port
//
// It prints its own port first.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"

	keep "github.com/libkeep/libkeep/bindings/go"
)

// must gives what did not fail; what fails ends the program.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal("relay: ", err)
	}
	return value
}

func readKey(file string) *keep.Secret {
	return must(keep.TakeSecret(nil, must(os.ReadFile(file))))
}

// newSessions makes both sides' sessions. Elsewhere a handshake makes them, as in examples/udp.
func newSessions(rxFile, txFile string) (rx, tx *keep.Session) {
	rxKey, txKey := readKey(rxFile), readKey(txFile)
	defer rxKey.Close()
	defer txKey.Close()
	rx = must(keep.NewSession(&keep.SessionOptions{SessionID: 1, RxKey: rxKey}))
	tx = must(keep.NewSession(&keep.SessionOptions{SessionID: 1, TxKey: txKey}))
	return rx, tx
}

// openOrTell opens a packet that is neither forged nor replayed.
func openOrTell(session *keep.Session, datagram []byte) (opened keep.Opened, isOpen bool) {
	opened, err := session.Open(nil, datagram)
	switch {
	case errors.Is(err, keep.ErrAuth):
		fmt.Println("  refused  a forged packet")
	case errors.Is(err, keep.ErrReplay):
		fmt.Println("  refused  a replayed packet")
	default:
		must(opened, err)
	}
	return opened, err == nil
}

// receive gives the events of all packets that opened, by their counters.
func receive(conn *net.UDPConn, session *keep.Session) map[uint64][]byte {
	events := map[uint64][]byte{}
	highest := uint64(0)
	datagram := make([]byte, keep.MaxPacketLen)
	for {
		opened, isOpen := openOrTell(session, datagram[:must(conn.Read(datagram))])
		if !isOpen {
			continue
		}
		if opened.Info.Flags&keep.PacketFin != 0 {
			return events
		}
		counter := opened.Info.Counter
		lateness := map[bool]string{true: ", which is late"}[counter < highest]
		fmt.Printf("  opened   %q%s\n", opened.Events[0], lateness)
		highest = max(highest, counter)
		events[counter] = opened.Events[0]
	}
}

func sealEvent(session *keep.Session, event []byte) []byte {
	event = append(event, ", by Go"...)
	return must(session.Seal(nil, keep.Request{Events: [][]byte{event}}))
}

func forgedFrom(datagram []byte) []byte {
	forged := bytes.Clone(datagram)
	forged[len(forged)-1] ^= 1
	return forged
}

func sendOn(conn *net.UDPConn, session *keep.Session, port int, events map[uint64][]byte) {
	one, two, three := sealEvent(session, events[0]), sealEvent(session, events[1]), sealEvent(session, events[2])
	last := must(session.Seal(nil, keep.Request{Flags: keep.PacketFin}))
	for _, datagram := range [][]byte{one, three, two, one, forgedFrom(two), last} {
		must(conn.WriteToUDP(datagram, loopback(port)))
	}
}

func loopback(port int) *net.UDPAddr {
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: relay KEY KEY PORT")
	}
	rx, tx := newSessions(os.Args[1], os.Args[2])
	defer rx.Close()
	defer tx.Close()
	conn := must(net.ListenUDP("udp4", loopback(0)))
	defer conn.Close()
	fmt.Printf("%d\nGo\n", conn.LocalAddr().(*net.UDPAddr).Port)
	events := receive(conn, rx)
	sendOn(conn, tx, must(strconv.Atoi(os.Args[3])), events)
}
