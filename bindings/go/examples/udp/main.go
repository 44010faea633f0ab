// SPDX-License-Identifier: MIT

// Two processes over UDP, as examples/udp.md says: any two of the examples in C, Python, Node.js and Go understand each
// other.
//
//	udp listen                 prints the port, takes one conversation
//	udp send PORT [PACKETS]
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"slices"
	"strconv"

	keep "github.com/libkeep/libkeep/bindings/go"
)

const (
	mostPackets = 100_000
	batchLen    = 64
)

// sharedKey is what both know; a program of yours has a better one.
var sharedKey = append([]byte{0x42}, make([]byte, keep.HandshakeKeyLen-1)...)

// counts are what became of the datagrams of a conversation.
type counts struct {
	Accepted, Replayed, Forged uint64
}

func (c counts) String() string {
	return fmt.Sprintf("%d accepted, %d replayed, %d forged", c.Accepted, c.Replayed, c.Forged)
}

// check ends the program if something failed.
func check(err error) {
	if err != nil {
		log.Fatal("udp: ", err)
	}
}

// must gives what did not fail.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func newHandshake(role keep.Role) *keep.Handshake {
	static := must(keep.GenerateSecret(nil, keep.HandshakeKeyLen))
	defer static.Close()
	shared := must(keep.SecretFromBytes(nil, sharedKey))
	defer shared.Close()
	return must(keep.NewHandshake(&keep.HandshakeOptions{
		Pattern: keep.NoiseXXPSK3, Role: role, StaticKey: static, PreSharedKey: shared,
	}))
}

// nextMessage is what a handshake says next, as a datagram.
func nextMessage(h *keep.Handshake) []byte {
	return must(keep.HandshakeFrame(nil, must(h.Write(nil, nil))))
}

func readMessage(h *keep.Handshake, datagram []byte) {
	must(h.Read(nil, datagram[keep.PacketHeaderLen:]))
}

func loopback(port int) *net.UDPAddr {
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
}

// The line

func isLost(n int) bool    { return n%10 == 3 }
func isDoubled(n int) bool { return n%7 == 0 }
func isForged(n int) bool  { return n%1000 == 1 }

// arrives is what the line makes of packet n.
func arrives(n int, datagram []byte) (all [][]byte) {
	if isLost(n) {
		return nil
	}
	all = append(all, datagram)
	if isDoubled(n) {
		all = append(all, datagram)
	}
	if isForged(n) {
		forged := bytes.Clone(datagram)
		forged[len(forged)-1] ^= 1
		all = append(all, forged)
	}
	return all
}

func expected(packets int) (c counts) {
	ones := map[bool]uint64{true: 1}
	for n := range packets {
		if !isLost(n) {
			c.Accepted++
			c.Replayed += ones[isDoubled(n)]
			c.Forged += ones[isForged(n)]
		}
	}
	c.Accepted++ // the late one
	return c
}

// The sender

// seal makes a batch of the packets first to end - 1, one number in each.
func seal(session *keep.Session, first, end int) (datagrams [][]byte) {
	var requests []keep.Request
	for n := first; n < end; n++ {
		event := binary.LittleEndian.AppendUint64(nil, uint64(n))
		requests = append(requests, keep.Request{Events: [][]byte{event}, StreamID: 1})
	}
	batch := must(session.SealBatch(nil, requests))
	for i := range requests {
		datagrams = append(datagrams, batch.Data[batch.Offsets[i]:batch.Offsets[i+1]])
	}
	return datagrams
}

type sender struct {
	conn *net.UDPConn
}

func (s sender) send(datagrams ...[]byte) {
	for _, datagram := range datagrams {
		must(s.conn.Write(datagram))
	}
}

// ask sends what the listener answers.
func (s sender) ask(datagram []byte) []byte {
	s.send(datagram)
	answer := make([]byte, keep.MaxPacketLen)
	return answer[:must(s.conn.Read(answer))]
}

// agree makes a session by a handshake.
func (s sender) agree() *keep.Session {
	handshake := newHandshake(keep.Initiator)
	defer handshake.Close()
	readMessage(handshake, s.ask(nextMessage(handshake)))
	s.send(nextMessage(handshake))
	return must(handshake.Session(nil))
}

func (s sender) sendNumbers(session *keep.Session, first, end int) {
	for at := first; at < end; at += batchLen {
		var line [][][]byte
		for i, datagram := range seal(session, at, min(at+batchLen, end)) {
			line = append(line, arrives(at+i, datagram))
		}
		if at/batchLen%2 == 1 {
			slices.Reverse(line)
		}
		s.send(slices.Concat(line...)...)
		must(session.Open(nil, s.ask(must(session.Heartbeat(nil)))))
	}
}

// run tells what the listener counted.
func (s sender) run(packets int) (told counts) {
	first := s.agree()
	defer first.Close()
	s.sendNumbers(first, 0, packets/2)
	late := seal(first, packets, packets+1)
	second := s.agree()
	defer second.Close()
	s.send(late...)
	s.sendNumbers(second, packets/2, packets)
	answer := s.ask(must(second.Seal(nil, keep.Request{StreamID: 1, Flags: keep.PacketFin})))
	opened := must(second.Open(nil, answer))
	must(binary.Decode(opened.Events[0], binary.LittleEndian, &told))
	return told
}

func send(port, packets int) {
	conn := must(net.DialUDP("udp4", nil, loopback(port)))
	defer conn.Close()
	sent, told := expected(packets), sender{conn}.run(packets)
	fmt.Printf("sent: %v\ntold: %v\n", sent, told)
	if told != sent {
		check(errors.New("the listener heard something else"))
	}
}

// The listener

type listener struct {
	conn      *net.UDPConn
	peer      *net.UDPAddr // who sent last
	handshake *keep.Handshake
	sessions  []*keep.Session // the newest first
	seen      map[uint64]bool
	isDone    bool
}

func (l *listener) counts() counts {
	c := counts{Accepted: uint64(len(l.seen))}
	for _, session := range l.sessions {
		stats := must(session.Stats())
		c.Replayed += stats.Replayed
		c.Forged += stats.AuthFailed
	}
	return c
}

func (l *listener) answer(datagram []byte) {
	must(l.conn.WriteToUDP(datagram, l.peer))
}

func (l *listener) takeMessage(datagram []byte) {
	if l.handshake == nil {
		l.handshake = newHandshake(keep.Responder)
	}
	readMessage(l.handshake, datagram)
	if must(l.handshake.Info()).State == keep.HandshakeWrite {
		l.answer(nextMessage(l.handshake))
		return
	}
	l.sessions = slices.Insert(l.sessions, 0, must(l.handshake.Session(nil)))
	check(l.handshake.Close())
	l.handshake = nil
}

func (l *listener) takeNumber(n uint64) {
	if l.seen[n] {
		check(fmt.Errorf("%d came twice", n))
	}
	l.seen[n] = true
}

func (l *listener) takeOpened(session *keep.Session, opened keep.Opened) {
	l.isDone = opened.Info.Flags&keep.PacketFin != 0
	switch {
	case opened.Info.Kind == keep.PacketHeartbeat:
		l.answer(must(session.Heartbeat(nil)))
	case l.isDone:
		event := must(binary.Append(nil, binary.LittleEndian, l.counts()))
		l.answer(must(session.Seal(nil, keep.Request{Events: [][]byte{event}, StreamID: 1})))
	default:
		l.takeNumber(binary.LittleEndian.Uint64(opened.Events[0]))
	}
}

// takePacket opens a packet, which is of one session or of none. What is replayed or forged the session counts.
func (l *listener) takePacket(datagram []byte) {
	for _, session := range l.sessions {
		opened, err := session.Open(nil, datagram)
		if err == nil {
			l.takeOpened(session, opened)
		}
		if !errors.Is(err, keep.ErrPacketSession) {
			return
		}
	}
}

func (l *listener) takeDatagram(datagram []byte) {
	info, err := keep.PacketParse(datagram)
	switch {
	case err != nil:
		return // no packet
	case info.Kind == keep.PacketHandshake:
		l.takeMessage(datagram)
	default:
		l.takePacket(datagram)
	}
}

func (l *listener) run() {
	datagram := make([]byte, keep.MaxPacketLen)
	for !l.isDone {
		n, peer, err := l.conn.ReadFromUDP(datagram)
		check(err)
		l.peer = peer
		l.takeDatagram(datagram[:n])
	}
}

func listen() {
	conn := must(net.ListenUDP("udp4", loopback(0)))
	defer conn.Close()
	l := listener{conn: conn, seen: map[uint64]bool{}}
	fmt.Println(conn.LocalAddr().(*net.UDPAddr).Port)
	l.run()
	fmt.Printf("heard: %v\n", l.counts())
	for _, session := range l.sessions {
		check(session.Close())
	}
}

func main() {
	arguments := os.Args[1:]
	switch {
	case slices.Equal(arguments, []string{"listen"}):
		listen()
	case len(arguments) == 2 && arguments[0] == "send":
		send(must(strconv.Atoi(arguments[1])), mostPackets)
	case len(arguments) == 3 && arguments[0] == "send":
		send(must(strconv.Atoi(arguments[1])), must(strconv.Atoi(arguments[2])))
	default:
		check(errors.New("usage: udp listen | udp send PORT [PACKETS]"))
	}
}
