// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"context"
	"syscall"
	"time"
	"unsafe"
)

// OutcomeKind is what became of a frame.
type OutcomeKind uint32

// The outcomes. That nobody observes is no error: the beat is dropped.
const (
	OutcomeSent               OutcomeKind = C.KEEP_OUTCOME_SENT
	OutcomeDroppedQueueFull   OutcomeKind = C.KEEP_OUTCOME_DROPPED_QUEUE_FULL
	OutcomeDroppedNoObserver  OutcomeKind = C.KEEP_OUTCOME_DROPPED_NO_OBSERVER
	OutcomeDroppedPeerGone    OutcomeKind = C.KEEP_OUTCOME_DROPPED_PEER_GONE
	OutcomeDroppedStorageFull OutcomeKind = C.KEEP_OUTCOME_DROPPED_STORAGE_FULL
	OutcomeFailed             OutcomeKind = C.KEEP_OUTCOME_FAILED // Outcome.Error tells
)

var outcomeWords = [...]string{
	OutcomeSent: "sent", OutcomeDroppedQueueFull: "dropped_queue_full", OutcomeDroppedNoObserver: "dropped_no_observer",
	OutcomeDroppedPeerGone: "dropped_peer_gone", OutcomeDroppedStorageFull: "dropped_storage_full",
	OutcomeFailed: "failed",
}

// String gives the word, "sent".
func (k OutcomeKind) String() string { return wordOf("OutcomeKind", outcomeWords[:], uint32(k)) }

// OutcomeAction is what the caller of a detached beacon does next.
type OutcomeAction uint32

// The actions.
const (
	ActionNone      OutcomeAction = C.KEEP_ACTION_NONE
	ActionReconnect OutcomeAction = C.KEEP_ACTION_RECONNECT
)

var actionWords = [...]string{ActionNone: "none", ActionReconnect: "reconnect"}

// String gives the word, "reconnect".
func (a OutcomeAction) String() string { return wordOf("OutcomeAction", actionWords[:], uint32(a)) }

// Outcome is what became of a beat or a notice.
type Outcome struct {
	Kind    OutcomeKind
	Action  OutcomeAction
	Error   syscall.Errno // or 0
	Dropped uint32        // in a row
	Nonce   uint64        // the last one that the kernel took
}

func outcomeOf(c *C.keep_outcome) Outcome {
	return Outcome{
		OutcomeKind(c.kind), OutcomeAction(c.action), syscall.Errno(c.error), uint32(c.dropped), uint64(c.nonce),
	}
}

// BeaconOptions say where a beacon beats to: a path, or a host and port, or neither: detached. Begin with
// [NewBeaconOptions].
type BeaconOptions struct {
	Path           string   // of a Unix socket; "@name" is abstract
	Host           string   // numeric, for UDP
	Port           uint16   // of the host
	Mode           BeatMode // how frames are sealed
	ForkRefresh    bool     // a plain beacon restarts itself in a child
	AgentPID       uint32   // 0: this process's; needed in mode BeatMaster and detached
	ReconnectAfter int      // drops in a row until it connects anew; 0: never
	StartNonce     uint64   // detached: where the stream begins
	Key            *Secret  // 32 bytes, for the sealed modes; may be closed then
}

// NewBeaconOptions returns the defaults: detached, and to connect anew after 3 drops.
func NewBeaconOptions() *BeaconOptions {
	return &BeaconOptions{ReconnectAfter: 3}
}

// Beacon is a process's side of being watched. One call at a time runs on it, others wait.
type Beacon struct {
	alone[*C.keep_beacon]
	frameLen int // unchanging
}

// NewBeacon makes a beacon. No observer needs to be there yet.
func NewBeacon(options *BeaconOptions) (*Beacon, error) {
	if options == nil {
		return nil, ErrInvalidArgument
	}
	defer enterAll(options.Key.guarded())()
	var closed error
	fits := true
	given := C.keep_beacon_options{
		size:            C.sizeof_keep_beacon_options,
		port:            C.uint16_t(options.Port),
		mode:            C.uint8_t(options.Mode),
		fork_refresh:    flag(options.ForkRefresh),
		agent_pid:       C.uint32_t(options.AgentPID),
		reconnect_after: narrow(options.ReconnectAfter, &fits),
		start_nonce:     C.uint64_t(options.StartNonce),
		key:             options.Key.lend(&closed),
	}
	path, host := cText(options.Path, &fits), cText(options.Host, &fits)
	if !fits {
		return nil, ErrInvalidArgument
	}
	if closed != nil {
		return nil, closed
	}
	var out *C.keep_beacon
	c := C.keep_error{size: C.sizeof_keep_error}
	if st := C.keep_go_beacon_new(&given, path, host, &out, &c); st != C.KEEP_OK {
		return nil, failureOf("NewBeacon", st, &c)
	}
	b := &Beacon{frameLen: options.Mode.frameLen()}
	b.adopt(out, freeBeacon)
	return b, nil
}

// BeaconAgentKey makes the key of one agent from the master key: give it to that agent alone.
func BeaconAgentKey(master *Secret, pid uint32) (*Secret, error) {
	h, err := master.enter()
	if err != nil {
		return nil, err
	}
	defer master.leave()
	var out *C.keep_secret
	st := C.keep_beacon_agent_key(h, C.uint32_t(pid), &out)
	return newSecret(out, st)
}

func freeBeacon(h *C.keep_beacon) Status {
	C.keep_beacon_free(&h)
	return OK
}

func (b *Beacon) enter() (*C.keep_beacon, error) {
	if b == nil {
		return nil, ErrInvalidArgument
	}
	return b.alone.enter()
}

// Close ends the beacon. It sends nothing: say goodbye first. It returns nil.
func (b *Beacon) Close() error {
	if b == nil {
		return ErrInvalidArgument
	}
	return b.close()
}

// Beat says that the process is alive: one system call. ErrSystem: it could not be sent, and the outcome has the errno.
func (b *Beacon) Beat(health Health, payload uint32) (Outcome, error) {
	h, err := b.enter()
	if err != nil {
		return Outcome{}, err
	}
	defer b.leave()
	var c C.keep_outcome
	st := C.keep_beacon_beat(h, C.uint32_t(health), C.uint32_t(payload), &c)
	return outcomeOf(&c), statusError(st)
}

// Register asks the observer to watch this process with settings of its own, of whole milliseconds, from now on.
func (b *Beacon) Register(settings *AgentSettings) (Outcome, error) {
	given, err := settings.inC()
	if err != nil {
		return Outcome{}, err
	}
	h, err := b.enter()
	if err != nil {
		return Outcome{}, err
	}
	defer b.leave()
	var c C.keep_outcome
	st := C.keep_beacon_register(h, given, &c)
	return outcomeOf(&c), statusError(st)
}

// Goodbye says that the process will end on purpose: from then on its silence and its end are no news.
func (b *Beacon) Goodbye() (Outcome, error) {
	h, err := b.enter()
	if err != nil {
		return Outcome{}, err
	}
	defer b.leave()
	var c C.keep_outcome
	st := C.keep_beacon_goodbye(h, &c)
	return outcomeOf(&c), statusError(st)
}

// Arm prepares the last word, which Crash says. Signals are the matter of Go's runtime.
func (b *Beacon) Arm() error {
	h, err := b.enter()
	if err != nil {
		return err
	}
	defer b.leave()
	c := C.keep_error{size: C.sizeof_keep_error}
	st := C.keep_beacon_arm(h, 0, &c)
	return failureOf("Beacon.Arm", st, &c)
}

// Crash says the last word: critical, terminal. Unarmed or closed, it does nothing.
func (b *Beacon) Crash(payload uint32) {
	h, err := b.enter()
	if err != nil {
		return
	}
	defer b.leave()
	C.keep_beacon_crash(h, C.uint32_t(payload))
}

// CrashOnPanic is for defer, in each goroutine whose panic ends the program: a panic is a crash, and then what it was.
func (b *Beacon) CrashOnPanic() {
	if cause := recover(); cause != nil {
		b.Crash(0)
		panic(cause)
	}
}

// Reconnect connects anew; the stream goes on. The caller of a detached beacon says with it that it has a new connection.
func (b *Beacon) Reconnect() error {
	h, err := b.enter()
	if err != nil {
		return err
	}
	defer b.leave()
	c := C.keep_error{size: C.sizeof_keep_error}
	st := C.keep_beacon_reconnect(h, &c)
	return failureOf("Beacon.Reconnect", st, &c)
}

// Restart begins a new life: a new connection, a new stream.
func (b *Beacon) Restart() error {
	h, err := b.enter()
	if err != nil {
		return err
	}
	defer b.leave()
	c := C.keep_error{size: C.sizeof_keep_error}
	st := C.keep_beacon_restart(h, &c)
	return failureOf("Beacon.Restart", st, &c)
}

// Prepare appends a detached beacon's next frame to dst, to send and then to commit. One that was not settled is dropped.
func (b *Beacon) Prepare(dst []byte, health Health, payload uint32, nowNS uint64) ([]byte, error) {
	h, err := b.enter()
	if err != nil {
		return dst, err
	}
	defer b.leave()
	var frame [BeatMasterLen]C.uint8_t
	st := C.keep_beacon_prepare(h, C.uint32_t(health), C.uint32_t(payload), C.uint64_t(nowNS), &frame[0])
	if st != C.KEEP_OK {
		return dst, Status(st)
	}
	return append(dst, unsafe.Slice((*byte)(&frame[0]), b.frameLen)...), nil
}

// Commit settles the frame that was prepared. The errno is that of sending it; 0: the kernel took it.
func (b *Beacon) Commit(errno syscall.Errno) (Outcome, error) {
	h, err := b.enter()
	if err != nil {
		return Outcome{}, err
	}
	defer b.leave()
	var c C.keep_outcome
	st := C.keep_beacon_commit(h, C.uint32_t(errno), &c)
	return outcomeOf(&c), statusError(st)
}

// Every registers, beats at once and then every d until the context ends, and says goodbye. Before each beat it asks the
// check, in the calling goroutine: an error is a degraded beat, and a check that hangs is none, so let it look at what is
// supervised. Call it where the supervised loop runs, or let the check ask that loop. A check that panics, and an error
// that Every returns, say no goodbye, so that the observer tells of it.
func (b *Beacon) Every(ctx context.Context, d time.Duration, check func() error) error {
	if ctx == nil || d <= 0 || check == nil {
		return ErrInvalidArgument
	}
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	_, err := b.Register(nil)
	for err = lasting(err); err == nil && ctx.Err() == nil; err = lasting(err) {
		_, err = b.Beat(healthOf(check()), 0)
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	if err == nil {
		_, err = b.Goodbye()
	}
	return lasting(err)
}

func healthOf(checked error) Health {
	if checked != nil {
		return HealthDegraded
	}
	return HealthOK
}

// lasting gives the error that would come again: what could not be sent once may be sent the next time.
func lasting(err error) error {
	if err == ErrSystem {
		return nil
	}
	return err
}
