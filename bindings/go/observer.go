// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"context"
	"fmt"
	"slices"
	"unsafe"
)

// Limits of observers.
const (
	MaxListeners     = C.KEEP_MAX_LISTENERS
	MaxBeatKeys      = C.KEEP_MAX_BEAT_KEYS
	MaxAllowedUIDs   = C.KEEP_MAX_ALLOWED_UIDS
	MaxSealedSenders = C.KEEP_MAX_SEALED_SENDERS // whose marks against replay are kept
)

// Clock says which clock an observer reads.
type Clock uint32

// The clocks. ClockMonotonic stands still while the machine sleeps.
const (
	ClockMonotonic Clock = C.KEEP_CLOCK_MONOTONIC
	ClockBoottime  Clock = C.KEEP_CLOCK_BOOTTIME
)

// EventKind is what an event tells.
type EventKind uint32

// The kinds of events.
const (
	EventBeat              EventKind = C.KEEP_EVENT_BEAT // only with ReportBeats
	EventStall             EventKind = C.KEEP_EVENT_STALL
	EventRecovered         EventKind = C.KEEP_EVENT_RECOVERED
	EventExited            EventKind = C.KEEP_EVENT_EXITED
	EventGoodbye           EventKind = C.KEEP_EVENT_GOODBYE
	EventRegistered        EventKind = C.KEEP_EVENT_REGISTERED
	EventReady             EventKind = C.KEEP_EVENT_READY
	EventFailed            EventKind = C.KEEP_EVENT_FAILED // the agent itself said so
	EventCrash             EventKind = C.KEEP_EVENT_CRASH
	EventEvicted           EventKind = C.KEEP_EVENT_EVICTED
	EventRecycled          EventKind = C.KEEP_EVENT_RECYCLED
	EventDecodeError       EventKind = C.KEEP_EVENT_DECODE_ERROR
	EventUIDRefused        EventKind = C.KEEP_EVENT_UID_REFUSED
	EventAuthFailure       EventKind = C.KEEP_EVENT_AUTH_FAILURE
	EventOriginConflict    EventKind = C.KEEP_EVENT_ORIGIN_CONFLICT
	EventNamespaceConflict EventKind = C.KEEP_EVENT_NAMESPACE_CONFLICT
	EventOutage            EventKind = C.KEEP_EVENT_OUTAGE // the observer itself did not run: nobody is accused
	EventIOError           EventKind = C.KEEP_EVENT_IO_ERROR
)

var eventWords = [...]string{
	EventBeat: "beat", EventStall: "stall", EventRecovered: "recovered", EventExited: "exited", EventGoodbye: "goodbye",
	EventRegistered: "registered", EventReady: "ready", EventFailed: "failed", EventCrash: "crash",
	EventEvicted: "evicted", EventRecycled: "recycled", EventDecodeError: "decode_error",
	EventUIDRefused: "uid_refused", EventAuthFailure: "auth_failure", EventOriginConflict: "origin_conflict",
	EventNamespaceConflict: "namespace_conflict", EventOutage: "outage", EventIOError: "io_error",
}

// String gives the word, "stall".
func (k EventKind) String() string { return wordOf("EventKind", eventWords[:], uint32(k)) }

// Fault is why a frame does not decode.
type Fault uint32

// The faults.
const (
	FaultBadLength    Fault = C.KEEP_FAULT_BAD_LENGTH
	FaultBadMagic     Fault = C.KEEP_FAULT_BAD_MAGIC
	FaultBadVersion   Fault = C.KEEP_FAULT_BAD_VERSION
	FaultBadCRC       Fault = C.KEEP_FAULT_BAD_CRC
	FaultBadStatus    Fault = C.KEEP_FAULT_BAD_STATUS
	FaultStallOnWire  Fault = C.KEEP_FAULT_STALL_ON_WIRE
	FaultBadPID       Fault = C.KEEP_FAULT_BAD_PID
	FaultBadTimestamp Fault = C.KEEP_FAULT_BAD_TIMESTAMP
	FaultBadNonce     Fault = C.KEEP_FAULT_BAD_NONCE
	FaultBadReserved  Fault = C.KEEP_FAULT_BAD_RESERVED
)

var faultWords = [...]string{
	FaultBadLength: "bad_length", FaultBadMagic: "bad_magic", FaultBadVersion: "bad_version", FaultBadCRC: "bad_crc",
	FaultBadStatus: "bad_status", FaultStallOnWire: "stall_on_wire", FaultBadPID: "bad_pid",
	FaultBadTimestamp: "bad_timestamp", FaultBadNonce: "bad_nonce", FaultBadReserved: "bad_reserved",
}

// String gives the word, "bad_crc".
func (f Fault) String() string { return wordOf("Fault", faultWords[:], uint32(f)) }

// BeatMode says how frames are sealed.
type BeatMode uint8

// The modes: not at all; one key for all agents; a key for each, made from a master key and its pid.
const (
	BeatPlain  BeatMode = C.KEEP_BEAT_PLAIN
	BeatShared BeatMode = C.KEEP_BEAT_SHARED
	BeatMaster BeatMode = C.KEEP_BEAT_MASTER
)

// frameLen gives the length of the mode's frames.
func (m BeatMode) frameLen() int {
	switch m {
	case BeatShared:
		return BeatSharedLen
	case BeatMaster:
		return BeatMasterLen
	}
	return BeatLen
}

// DatagramSource is where a datagram came from.
type DatagramSource uint32

// The sources. SourceExit is no datagram: the process KernelPID, Generation ended.
const (
	SourceUnix      DatagramSource = C.KEEP_SOURCE_UNIX
	SourceUDP       DatagramSource = C.KEEP_SOURCE_UDP
	SourceUDPSealed DatagramSource = C.KEEP_SOURCE_UDP_SEALED
	SourceExit      DatagramSource = C.KEEP_SOURCE_EXIT
)

// DatagramMarks are what is known of a datagram besides its bytes.
type DatagramMarks uint32

// The marks.
const (
	MarkTruncated     DatagramMarks = C.KEEP_MARK_TRUNCATED
	MarkNoCredentials DatagramMarks = C.KEEP_MARK_NO_CREDENTIALS
	MarkSenderGone    DatagramMarks = C.KEEP_MARK_SENDER_GONE
	MarkAttested      DatagramMarks = C.KEEP_MARK_ATTESTED
)

// Datagram is what Observer.Feed judges.
type Datagram struct {
	Data                []byte
	NSInode, Generation uint64
	KernelPID, UID      uint32
	Source              DatagramSource
	Marks               DatagramMarks
}

// Event is what an observer tells.
type Event struct {
	AtNS uint64 // the clock

	Nonce, LastNS, SilenceNS, NSInode, Generation uint64

	Kind   EventKind
	Detail uint32 // a Fault of EventDecodeError, an errno of EventIOError, 1 of EventCrash: its process was gone already

	PID, ClaimedPID, UID, Payload, Stalled, Agents uint32

	Health Health
	Origin Origin
}

// Event is C's, field by field, so that events cross as they are.
var _ [C.sizeof_keep_event]byte = [unsafe.Sizeof(Event{})]byte{}

// ObserverOptions say whom and what an observer takes; nil means the defaults. Begin with [NewObserverOptions].
type ObserverOptions struct {
	UIDs             []uint32 // who may beat over Unix sockets; none: the real uid
	AnyUID           bool     // everybody may
	RequirePIDMatch  bool     // a beat's own pid must be the kernel's
	AcceptNotify     bool     // messages of sd_notify
	OwnNamespaceOnly bool
	ReportBeats      bool // an event per beat
	Clock            Clock
	PIDMax           uint32 // over UDP; 0: the kernel's
	PerPIDRate       int    // beats per second; 0: off
	GlobalRate       int
	GlobalBurst      int
	Budget           int    // datagrams in one poll
	MaxPIDFDs        int    // 0: as many as descriptors allow
	MaxSeries        int    // agents in the metrics
	OwnNSInode       uint64 // 0: this process's
	SessionGapNS     uint64 // a sealed sender that is silent so long may begin again; 0: never
	MinThresholdNS   uint64 // of what agents may register
	MaxThresholdNS   uint64
}

// NewObserverOptions returns the defaults.
func NewObserverOptions() *ObserverOptions {
	return &ObserverOptions{
		AcceptNotify:   true,
		PerPIDRate:     100,
		GlobalRate:     5000,
		GlobalBurst:    10_000,
		Budget:         1024,
		MaxSeries:      1024,
		MinThresholdNS: 10_000_000,
		MaxThresholdNS: 3_600_000_000_000,
	}
}

// inC gives the options as C reads them, without the uids.
func (o *ObserverOptions) inC() (c C.keep_observer_options, fits bool) {
	fits = true
	c = C.keep_observer_options{
		size:               C.sizeof_keep_observer_options,
		uid_count:          C.size_t(len(o.UIDs)),
		any_uid:            flag(o.AnyUID),
		require_pid_match:  flag(o.RequirePIDMatch),
		accept_notify:      flag(o.AcceptNotify),
		own_namespace_only: flag(o.OwnNamespaceOnly),
		report_beats:       flag(o.ReportBeats),
		clock:              C.uint32_t(o.Clock),
		pid_max:            C.uint32_t(o.PIDMax),
		per_pid_rate:       narrow(o.PerPIDRate, &fits),
		global_rate:        narrow(o.GlobalRate, &fits),
		global_burst:       narrow(o.GlobalBurst, &fits),
		budget:             narrow(o.Budget, &fits),
		max_pidfds:         narrow(o.MaxPIDFDs, &fits),
		max_series:         narrow(o.MaxSeries, &fits),
		own_ns_inode:       C.uint64_t(o.OwnNSInode),
		session_gap_ns:     C.uint64_t(o.SessionGapNS),
		min_threshold_ns:   C.uint64_t(o.MinThresholdNS),
		max_threshold_ns:   C.uint64_t(o.MaxThresholdNS),
	}
	return c, fits
}

// ListenOptions say where to listen: one of path, descriptor and address. Begin with [NewListenOptions].
type ListenOptions struct {
	Path            string // of a Unix socket; "@name" is abstract
	Mode            uint32 // of the path
	FD              int    // a Unix datagram socket that a supervisor bound; -1: none
	Address         string // numeric, for UDP
	Port            uint16 // of the address
	Sealed          bool   // UDP: frames are sealed
	Attested        bool   // UDP: the operator vouches for the pids
	AllowPlain      bool   // UDP: needed for frames that are not sealed
	AllowAnyAddress bool   // UDP: needed beyond loopback
}

// NewListenOptions returns the defaults: what is listened on is to be given, and for others' eyes closed (0600).
func NewListenOptions() *ListenOptions {
	return &ListenOptions{Mode: 0o600, FD: -1}
}

// ObserverStats is counters that never reset.
type ObserverStats struct {
	Datagrams, BadLength, UIDRefused, NoCredentials, DecodeErrors, AuthFailures, PIDAboveMax uint64

	LimitedPID, LimitedGlobal, Posthumous, AfterGoodbye, NotifyUnattested, NoticeRefused uint64

	DecryptFailures, ReplayRefused, SendersEvicted, ForeignNamespace, PIDFDUnavailable, IOErrors uint64
}

// Observer is sockets, credentials, limits and events around a tracker. It names the dead and the hung, and no live one.
// One call at a time runs on it and its tracker, others wait.
type Observer struct {
	alone[*C.keep_observer]
	tracker *Tracker        // unchanging; locked by every call, before the observer
	life    context.Context // ends with Close
	end     context.CancelFunc
	turn    chan struct{} // held by the one who waits in the poller

	returned []Event              // given, but not taken; guarded by mu, as all below
	data     []byte               // scratch of Feed
	fed      []C.keep_go_datagram // the same
}

// NewObserver makes an observer of a tracker with a threshold of at least 10 ms. ErrUnsupported: the kernel is older than
// Linux 5.3.
func NewObserver(tracker *Tracker, options *ObserverOptions) (*Observer, error) {
	if options == nil {
		options = NewObserverOptions()
	}
	given, fits := options.inC()
	if !fits {
		return nil, ErrInvalidArgument
	}
	h, err := tracker.enter()
	if err != nil {
		return nil, err
	}
	defer tracker.leave()
	var out *C.keep_observer
	c := C.keep_error{size: C.sizeof_keep_error}
	uids := (*C.uint32_t)(unsafe.SliceData(options.UIDs))
	if len(options.UIDs) == 0 {
		uids = nil
	}
	if st := C.keep_go_observer_new(&given, uids, h, &out, &c); st != C.KEEP_OK {
		return nil, failureOf("NewObserver", st, &c)
	}
	o := &Observer{tracker: tracker, turn: make(chan struct{}, 1)}
	o.life, o.end = context.WithCancel(context.Background())
	o.adopt(out, freeObserver)
	return o, nil
}

func freeObserver(h *C.keep_observer) Status {
	C.keep_observer_free(&h)
	return OK
}

// enter locks the tracker too, which the observer changes, and which may be closed already.
func (o *Observer) enter() (*C.keep_observer, error) {
	if o == nil {
		return nil, ErrInvalidArgument
	}
	if o.tracker == nil {
		return nil, ErrClosed
	}
	o.tracker.lock()
	h, err := o.alone.enter()
	if err != nil {
		o.tracker.unlock()
	}
	return h, err
}

func (o *Observer) leave() {
	o.alone.leave()
	o.tracker.unlock()
}

// Close ends the waits, closes the sockets, and unlinks those that are still its own. It returns nil.
func (o *Observer) Close() error {
	if o == nil {
		return ErrInvalidArgument
	}
	if o.end != nil {
		o.end()
	}
	return o.close()
}

// Listen begins to listen. ErrBusy: somebody listens on that path.
func (o *Observer) Listen(options *ListenOptions) error {
	if options == nil || options.FD != int(int32(options.FD)) {
		return ErrInvalidArgument
	}
	fits := true
	path, address := cText(options.Path, &fits), cText(options.Address, &fits)
	if !fits {
		return ErrInvalidArgument
	}
	given := C.keep_listen_options{
		size:              C.sizeof_keep_listen_options,
		mode:              C.uint32_t(options.Mode),
		fd:                C.int32_t(options.FD),
		port:              C.uint16_t(options.Port),
		sealed:            flag(options.Sealed),
		attested:          flag(options.Attested),
		allow_plain:       flag(options.AllowPlain),
		allow_any_address: flag(options.AllowAnyAddress),
	}
	h, err := o.enter()
	if err != nil {
		return err
	}
	defer o.leave()
	c := C.keep_error{size: C.sizeof_keep_error}
	st := C.keep_go_observer_listen(h, &given, path, address, &c)
	return failureOf("Observer.Listen", st, &c)
}

// AddKey opens sealed frames under this key, too, of 32 bytes; it is copied. ErrState: there is a master key already.
func (o *Observer) AddKey(secret *Secret, mode BeatMode) (err error) {
	if o == nil || secret == nil {
		return ErrInvalidArgument
	}
	if o.tracker == nil {
		return ErrClosed
	}
	defer enterAll(&o.tracker.guard, &o.guard, &secret.guard)()
	h, key := o.lend(&err), secret.lend(&err)
	if err != nil {
		return err
	}
	return statusError(C.keep_observer_add_key(h, key, C.uint32_t(mode)))
}

// Poll receives what has come, looks who ended, drains the ledger, and appends what happened to dst: as many events as
// there is room for behind dst, or all if there is none. Others come first the next time, and until then nothing is
// received. It never blocks. ErrPurged: the keys of sealed frames are gone, make a new observer.
func (o *Observer) Poll(dst []Event) ([]Event, error) {
	h, err := o.enter()
	if err != nil {
		return dst, err
	}
	defer o.leave()
	return gatherEvents(dst, func(room []Event) (int, error) {
		if len(o.returned) > 0 {
			return o.giveReturned(room), nil
		}
		var n C.size_t
		c := C.keep_error{size: C.sizeof_keep_error}
		st := C.keep_observer_poll(h, eventsOf(room), C.size_t(len(room)), &n, &c)
		return int(n), failureOf("Observer.Poll", st, &c)
	})
}

// Feed is Poll without sockets: it judges up to MaxBatch datagrams that the caller received, then drains. ErrBusy: events
// wait from before, feed none until they are taken.
func (o *Observer) Feed(dst []Event, datagrams []Datagram, nowNS uint64) ([]Event, error) {
	if len(datagrams) > MaxBatch {
		return dst, ErrInvalidArgument
	}
	h, err := o.enter()
	if err != nil {
		return dst, err
	}
	defer o.leave()
	if len(o.returned) > 0 && len(datagrams) > 0 {
		return dst, ErrBusy
	}
	o.flatten(datagrams)
	return gatherEvents(dst, func(room []Event) (int, error) {
		if len(o.returned) > 0 {
			return o.giveReturned(room), nil
		}
		var n C.size_t
		data, _ := bytesOf(o.data)
		st := C.keep_go_observer_feed(h, unsafe.SliceData(o.fed), C.size_t(len(o.fed)), data, C.uint64_t(nowNS),
			eventsOf(room), C.size_t(len(room)), &n)
		o.fed = o.fed[:0]
		return int(n), statusError(st)
	})
}

// flatten lays the datagrams into the scratch, as they cross to C, where no table of Go's pointers may.
func (o *Observer) flatten(datagrams []Datagram) {
	o.data, o.fed = o.data[:0], o.fed[:0]
	for i := range datagrams {
		d := &datagrams[i]
		o.data = append(o.data, d.Data...)
		o.fed = append(o.fed, C.keep_go_datagram{
			ns_inode:   C.uint64_t(d.NSInode),
			generation: C.uint64_t(d.Generation),
			end:        C.size_t(len(o.data)),
			kernel_pid: C.uint32_t(d.KernelPID),
			uid:        C.uint32_t(d.UID),
			source:     C.uint32_t(d.Source),
			marks:      C.uint32_t(d.Marks),
		})
	}
}

// gatherEvents gathers; then all stalls tell, as the last of them does, how many are stalled after the last call of C.
func gatherEvents(dst []Event, give func(room []Event) (int, error)) ([]Event, error) {
	begin := len(dst)
	dst, err := gather(dst, give)
	var last *Event
	for i := len(dst) - 1; i >= begin; i-- {
		if dst[i].Kind != EventStall {
			continue
		}
		if last == nil {
			last = &dst[i]
		}
		dst[i].Stalled, dst[i].Agents = last.Stalled, last.Agents
	}
	return dst, err
}

// giveReturned gives events that were given before and came back.
func (o *Observer) giveReturned(room []Event) int {
	n := copy(room, o.returned)
	o.returned = slices.Delete(o.returned, 0, n)
	return n
}

func eventsOf(room []Event) *C.keep_event {
	return (*C.keep_event)(unsafe.Pointer(unsafe.SliceData(room)))
}

// Stats tells the counters.
func (o *Observer) Stats() (ObserverStats, error) {
	h, err := o.enter()
	if err != nil {
		return ObserverStats{}, err
	}
	defer o.leave()
	c := C.struct_keep_observer_stats{size: C.sizeof_struct_keep_observer_stats}
	if st := C.keep_observer_stats(h, &c); st != C.KEEP_OK {
		return ObserverStats{}, Status(st)
	}
	return ObserverStats{
		Datagrams:        uint64(c.datagrams),
		BadLength:        uint64(c.bad_length),
		UIDRefused:       uint64(c.uid_refused),
		NoCredentials:    uint64(c.no_credentials),
		DecodeErrors:     uint64(c.decode_errors),
		AuthFailures:     uint64(c.auth_failures),
		PIDAboveMax:      uint64(c.pid_above_max),
		LimitedPID:       uint64(c.limited_pid),
		LimitedGlobal:    uint64(c.limited_global),
		Posthumous:       uint64(c.posthumous),
		AfterGoodbye:     uint64(c.after_goodbye),
		NotifyUnattested: uint64(c.notify_unattested),
		NoticeRefused:    uint64(c.notice_refused),
		DecryptFailures:  uint64(c.decrypt_failures),
		ReplayRefused:    uint64(c.replay_refused),
		SendersEvicted:   uint64(c.senders_evicted),
		ForeignNamespace: uint64(c.foreign_namespace),
		PIDFDUnavailable: uint64(c.pidfd_unavailable),
		IOErrors:         uint64(c.io_errors),
	}, nil
}

// Metrics appends all numbers, the tracker's too, to dst, as Prometheus text 0.0.4.
func (o *Observer) Metrics(dst []byte) ([]byte, error) {
	h, err := o.enter()
	if err != nil {
		return dst, err
	}
	defer o.leave()
	return fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_observer_metrics(h, (*C.char)(unsafe.Pointer(out)), size, &needed)
		return int(needed), Status(st)
	})
}

// String shows how many datagrams came.
func (o *Observer) String() string {
	stats, err := o.Stats()
	if err != nil {
		return fmt.Sprintf("keep.Observer(%v)", err)
	}
	return fmt.Sprintf("keep.Observer(%d datagrams)", stats.Datagrams)
}
