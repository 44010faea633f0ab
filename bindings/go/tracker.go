// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Limits of trackers.
const (
	BeatLen       = C.KEEP_BEAT_LEN        // bytes of a beat
	BeatSharedLen = C.KEEP_BEAT_SHARED_LEN // sealed under a key of all agents
	BeatMasterLen = C.KEEP_BEAT_MASTER_LEN // sealed under an agent's own key
	MaxAgents     = C.KEEP_MAX_AGENTS
	DefaultAgents = C.KEEP_DEFAULT_AGENTS
)

// PIDUnknown is what the first process of a container says that its pid is.
const PIDUnknown uint32 = C.KEEP_PID_UNKNOWN

// TimeNever is a deadline that never comes.
const TimeNever uint64 = C.KEEP_TIME_NEVER

// Health is how an agent says that it is.
type Health uint8

// The healths.
const (
	HealthOK       Health = C.KEEP_HEALTH_OK
	HealthDegraded Health = C.KEEP_HEALTH_DEGRADED
	HealthCritical Health = C.KEEP_HEALTH_CRITICAL
)

var healthWords = [...]string{HealthOK: "ok", HealthDegraded: "degraded", HealthCritical: "critical"}

// String gives the word, "degraded".
func (h Health) String() string { return wordOf("Health", healthWords[:], uint32(h)) }

// Origin is who vouches for the pid of a beat; the number is the rank.
type Origin uint8

// The origins. OriginNone: nobody yet, the agent was registered and has not beaten.
const (
	OriginNetwork    Origin = C.KEEP_ORIGIN_NETWORK
	OriginSocketMode Origin = C.KEEP_ORIGIN_SOCKET_MODE
	OriginOperator   Origin = C.KEEP_ORIGIN_OPERATOR
	OriginKernel     Origin = C.KEEP_ORIGIN_KERNEL
	OriginNone       Origin = C.KEEP_ORIGIN_NONE
)

var originWords = [...]string{
	OriginNetwork: "network", OriginSocketMode: "socket_mode", OriginOperator: "operator", OriginKernel: "kernel",
	OriginNone: "none",
}

// String gives the word, "kernel".
func (o Origin) String() string { return wordOf("Origin", originWords[:], uint32(o)) }

// Verdict is what became of a sighting.
type Verdict uint32

// The verdicts. All but the first two are refusals.
const (
	VerdictInserted          Verdict = C.KEEP_VERDICT_INSERTED
	VerdictRefreshed         Verdict = C.KEEP_VERDICT_REFRESHED
	VerdictOutOfOrder        Verdict = C.KEEP_VERDICT_OUT_OF_ORDER
	VerdictCapacityExceeded  Verdict = C.KEEP_VERDICT_CAPACITY_EXCEEDED
	VerdictOriginConflict    Verdict = C.KEEP_VERDICT_ORIGIN_CONFLICT
	VerdictNamespaceConflict Verdict = C.KEEP_VERDICT_NAMESPACE_CONFLICT
)

var verdictWords = [...]string{
	VerdictInserted: "inserted", VerdictRefreshed: "refreshed", VerdictOutOfOrder: "out_of_order",
	VerdictCapacityExceeded: "capacity_exceeded", VerdictOriginConflict: "origin_conflict",
	VerdictNamespaceConflict: "namespace_conflict",
}

// String gives the word, "refreshed".
func (v Verdict) String() string { return wordOf("Verdict", verdictWords[:], uint32(v)) }

// AdmissionFlags say what else an accepted sighting did.
type AdmissionFlags uint32

// The admission flags.
const (
	AdmissionEvicted   AdmissionFlags = C.KEEP_ADMISSION_EVICTED   // another agent went: Admission.EvictedPID
	AdmissionRecovered AdmissionFlags = C.KEEP_ADMISSION_RECOVERED // the agent had stalled
	AdmissionRecycled  AdmissionFlags = C.KEEP_ADMISSION_RECYCLED  // the pid belongs to a new process
	AdmissionTerminal  AdmissionFlags = C.KEEP_ADMISSION_TERMINAL  // a crash's last word
	AdmissionUpgraded  AdmissionFlags = C.KEEP_ADMISSION_UPGRADED  // somebody of higher rank vouches for it
	AdmissionWrapped   AdmissionFlags = C.KEEP_ADMISSION_WRAPPED   // the nonce began again
)

// EvictionPolicy says who may go from a full ledger.
type EvictionPolicy uint32

// The policies: agents that stalled long ago; also those that are due long ago and were not drained.
const (
	PolicyStrict   EvictionPolicy = C.KEEP_POLICY_STRICT
	PolicyBalanced EvictionPolicy = C.KEEP_POLICY_BALANCED
)

// DeleteReason is why an agent is deleted.
type DeleteReason uint32

// The reasons: each has its counter.
const (
	ReasonGoodbye  DeleteReason = C.KEEP_REASON_GOODBYE
	ReasonExited   DeleteReason = C.KEEP_REASON_EXITED
	ReasonRecycled DeleteReason = C.KEEP_REASON_RECYCLED
	ReasonOperator DeleteReason = C.KEEP_REASON_OPERATOR
)

// AgentState is how an agent is; the first that holds, from the highest number.
type AgentState uint8

// The states.
const (
	AgentUnarmed    AgentState = C.KEEP_AGENT_UNARMED    // it cannot stall
	AgentRegistered AgentState = C.KEEP_AGENT_REGISTERED // it has not beaten yet
	AgentStarting   AgentState = C.KEEP_AGENT_STARTING   // its grace is running
	AgentAlive      AgentState = C.KEEP_AGENT_ALIVE
	AgentStalled    AgentState = C.KEEP_AGENT_STALLED
)

var stateWords = [...]string{
	AgentUnarmed: "unarmed", AgentRegistered: "registered", AgentStarting: "starting", AgentAlive: "alive",
	AgentStalled: "stalled",
}

// String gives the word, "alive".
func (s AgentState) String() string { return wordOf("AgentState", stateWords[:], uint32(s)) }

// wordOf gives the word of a number, "Health(9)" if it has none.
func wordOf(kind string, words []string, number uint32) string {
	if uint64(number) < uint64(len(words)) && words[number] != "" {
		return words[number]
	}
	return fmt.Sprintf("%s(%d)", kind, number)
}

// SightingFlags say what is special about a sighting.
type SightingFlags uint8

// SightingUnnumbered: the beat has no nonce; from OriginKernel only.
const SightingUnnumbered SightingFlags = C.KEEP_SIGHTING_UNNUMBERED

// Sighting is one beat, as somebody saw it. Zeros of inode and generation: unknown; of the claimed pid: the same.
type Sighting struct {
	Nonce       uint64 // 2^64 - 1 with critical health: terminal
	TimestampNS uint64
	NSInode     uint64 // pid namespace
	Generation  uint64 // start time of the process
	PID         uint32
	ClaimedPID  uint32 // what the beat itself said
	Payload     uint32
	Health      Health
	Origin      Origin
	Flags       SightingFlags
}

// Admission is what became of a sighting.
type Admission struct {
	Verdict    Verdict
	Flags      AdmissionFlags
	EvictedPID uint32 // who went for it; 0: nobody
}

// Alarm is a stall.
type Alarm struct {
	Nonce  uint64 // the last one observed
	LastNS uint64 // when

	SilenceNS, LimitNS, NSInode, Generation uint64

	PID, ClaimedPID, Payload uint32

	Misses          uint32 // silence / threshold
	Stalled, Agents uint32 // so many of so many: if most, look at the machine first

	Health Health
	Origin Origin
}

// The Go structs above are C's, field by field, so that batches cross as they are.
var (
	_ [C.sizeof_keep_sighting]byte  = [unsafe.Sizeof(Sighting{})]byte{}
	_ [C.sizeof_keep_admission]byte = [unsafe.Sizeof(Admission{})]byte{}
	_ [C.sizeof_keep_alarm]byte     = [unsafe.Sizeof(Alarm{})]byte{}
)

// TrackerOptions say what a ledger is like; nil means the defaults. Begin with [NewTrackerOptions].
type TrackerOptions struct {
	Capacity    int            // 1 to MaxAgents
	Misses      int            // 1 to 1000 thresholds of silence are the limit
	Policy      EvictionPolicy // who may go when it is full
	Statistics  bool           // keeps intervals, their quantiles, suspicion
	ThresholdNS uint64         // at least 1
	GraceNS     uint64         // time to start in
	MaxGapNS    uint64         // as much of a pause of the caller counts at most; 0: all. An observer that listens changes 0.
	HashKey     [16]byte       // zeros: random, so that nobody chooses pids that collide
}

// NewTrackerOptions returns the defaults: DefaultAgents, and 5 seconds of silence.
func NewTrackerOptions() *TrackerOptions {
	return &TrackerOptions{Capacity: DefaultAgents, Misses: 1, ThresholdNS: 5_000_000_000}
}

// inC gives the options as C reads them.
func (o *TrackerOptions) inC() (c C.keep_tracker_options, fits bool) {
	fits = true
	c = C.keep_tracker_options{
		size:         C.sizeof_keep_tracker_options,
		capacity:     narrow(o.Capacity, &fits),
		misses:       narrow(o.Misses, &fits),
		policy:       C.uint32_t(o.Policy),
		statistics:   C.uint32_t(flag(o.Statistics)),
		threshold_ns: C.uint64_t(o.ThresholdNS),
		grace_ns:     C.uint64_t(o.GraceNS),
		max_gap_ns:   C.uint64_t(o.MaxGapNS),
	}
	for i, b := range o.HashKey {
		c.hash_key[i] = C.uint8_t(b)
	}
	return c, fits
}

// AgentSettings are what an agent has of its own; zeros, like nil, mean the ledger's.
type AgentSettings struct {
	ThresholdNS, GraceNS uint64
	Misses               int
	Unarmed              bool // it cannot stall until it beats; not for Beacon.Register
}

// inC gives the settings as C reads them, NULL for nil.
func (s *AgentSettings) inC() (*C.keep_agent_settings, error) {
	if s == nil {
		return nil, nil
	}
	fits := true
	c := &C.keep_agent_settings{
		size:         C.sizeof_keep_agent_settings,
		threshold_ns: C.uint64_t(s.ThresholdNS),
		grace_ns:     C.uint64_t(s.GraceNS),
		misses:       narrow(s.Misses, &fits),
		unarmed:      flag(s.Unarmed),
	}
	if !fits {
		return nil, ErrInvalidArgument
	}
	return c, nil
}

// Agent is all that a ledger knows of an agent.
type Agent struct {
	PID, ClaimedPID uint32
	State           AgentState
	Health          Health
	Origin          Origin
	Payload         uint32

	Nonce, LastNS, SilenceNS, LimitNS, GraceNS, NSInode, Generation, Beats, OutOfOrder uint64

	Intervals, MinNS, MaxNS, MeanNS, JitterNS, P50NS, P99NS uint64 // 0 without statistics

	PhiMilli uint32 // suspicion: -log10 of the chance that it only is late, in thousandths
}

func agentOf(c *C.keep_agent_info) Agent {
	return Agent{
		PID:        uint32(c.pid),
		ClaimedPID: uint32(c.claimed_pid),
		State:      AgentState(c.state),
		Health:     Health(c.health),
		Origin:     Origin(c.origin),
		Payload:    uint32(c.payload),
		Nonce:      uint64(c.nonce),
		LastNS:     uint64(c.last_ns),
		SilenceNS:  uint64(c.silence_ns),
		LimitNS:    uint64(c.limit_ns),
		GraceNS:    uint64(c.grace_ns),
		NSInode:    uint64(c.ns_inode),
		Generation: uint64(c.generation),
		Beats:      uint64(c.beats),
		OutOfOrder: uint64(c.out_of_order),
		Intervals:  uint64(c.intervals),
		MinNS:      uint64(c.min_ns),
		MaxNS:      uint64(c.max_ns),
		MeanNS:     uint64(c.mean_ns),
		JitterNS:   uint64(c.jitter_ns),
		P50NS:      uint64(c.p50_ns),
		P99NS:      uint64(c.p99_ns),
		PhiMilli:   uint32(c.phi_milli),
	}
}

// TrackerStats is two numbers of now, then counters that never reset.
type TrackerStats struct {
	Agents, Stalled uint64

	Beats, Stalls, Recoveries, Evictions, CapacityExceeded, OutOfOrder, NonceWraps, OriginConflicts uint64

	NamespaceConflicts, Recycles, Goodbyes, Exits, Deletes, ClockRegressions, Outages, OutageNS uint64
}

// Tracker is a ledger: who beat when. It has no clock: every call that decides is told the time, in nanoseconds of any
// clock that moves forward. One call at a time runs on it, others wait.
type Tracker struct {
	alone[*C.keep_tracker]
}

// NewTracker makes a ledger, with all its memory.
func NewTracker(options *TrackerOptions) (*Tracker, error) {
	if options == nil {
		options = NewTrackerOptions()
	}
	c, fits := options.inC()
	if !fits {
		return nil, ErrInvalidArgument
	}
	var out *C.keep_tracker
	if st := C.keep_tracker_new(&c, &out); st != C.KEEP_OK {
		return nil, Status(st)
	}
	t := new(Tracker)
	t.adopt(out, freeTracker)
	return t, nil
}

func freeTracker(h *C.keep_tracker) Status {
	C.keep_tracker_free(&h)
	return OK
}

func (t *Tracker) enter() (*C.keep_tracker, error) {
	if t == nil {
		return nil, ErrInvalidArgument
	}
	return t.alone.enter()
}

// Close gives the ledger back; an observer that has it keeps it. It returns nil.
func (t *Tracker) Close() error {
	if t == nil {
		return ErrInvalidArgument
	}
	return t.close()
}

// Record tells of a beat. One that is refused is no error: the verdict says so.
func (t *Tracker) Record(sighting Sighting, nowNS uint64) (Admission, error) {
	h, err := t.enter()
	if err != nil {
		return Admission{}, err
	}
	defer t.leave()
	var admission Admission
	err = record(h, &sighting, 1, nowNS, &admission)
	return admission, err
}

// RecordBatch tells of 1 to MaxBatch beats, in order, and appends their admissions to dst.
func (t *Tracker) RecordBatch(dst []Admission, sightings []Sighting, nowNS uint64) ([]Admission, error) {
	if len(sightings) < 1 || len(sightings) > MaxBatch {
		return dst, ErrInvalidArgument
	}
	h, err := t.enter()
	if err != nil {
		return dst, err
	}
	defer t.leave()
	grown := append(dst, make([]Admission, len(sightings))...)
	if err := record(h, &sightings[0], len(sightings), nowNS, &grown[len(dst)]); err != nil {
		return dst, err
	}
	return grown, nil
}

func record(h *C.keep_tracker, sightings *Sighting, count int, nowNS uint64, admissions *Admission) error {
	in, out := (*C.keep_sighting)(unsafe.Pointer(sightings)), (*C.keep_admission)(unsafe.Pointer(admissions))
	return statusError(C.keep_tracker_record(h, in, C.size_t(count), C.uint64_t(nowNS), out))
}

// Drain takes the agents that are due, by deadline, then pid: each is stalled from now on, and its alarm is appended to
// dst. It takes as many as there is room for behind dst, or all if there is none; others stay due.
func (t *Tracker) Drain(dst []Alarm, nowNS uint64) ([]Alarm, error) {
	h, err := t.enter()
	if err != nil {
		return dst, err
	}
	defer t.leave()
	begin := len(dst)
	dst, err = gather(dst, func(room []Alarm) (int, error) {
		var n C.size_t
		out := (*C.keep_alarm)(unsafe.Pointer(unsafe.SliceData(room)))
		st := C.keep_tracker_drain(h, C.uint64_t(nowNS), out, C.size_t(len(room)), &n)
		return int(n), statusError(st)
	})
	for i := begin; i < len(dst); i++ {
		last := &dst[len(dst)-1] // which knows how many are stalled after the last call of C
		dst[i].Stalled, dst[i].Agents = last.Stalled, last.Agents
	}
	return dst, err
}

// NextDeadline tells when to drain next: TimeNever if there is no deadline.
func (t *Tracker) NextDeadline() (uint64, error) {
	h, err := t.enter()
	if err != nil {
		return 0, err
	}
	defer t.leave()
	var ns C.uint64_t
	st := C.keep_tracker_next_deadline(h, &ns)
	return uint64(ns), statusError(st)
}

// Put registers an agent before it beats, or gives a known one new settings and a new start. It tells who went for it, 0:
// nobody. ErrExhausted: the ledger is full and nobody may go.
func (t *Tracker) Put(pid uint32, settings *AgentSettings, nowNS uint64) (evictedPID uint32, err error) {
	c, err := settings.inC()
	if err != nil {
		return 0, err
	}
	h, err := t.enter()
	if err != nil {
		return 0, err
	}
	defer t.leave()
	var evicted C.uint32_t
	st := C.keep_tracker_put(h, C.uint32_t(pid), c, C.uint64_t(nowNS), &evicted)
	return uint32(evicted), statusError(st)
}

// Delete removes an agent. ErrNotFound: nobody has this pid.
func (t *Tracker) Delete(pid uint32, reason DeleteReason, nowNS uint64) error {
	h, err := t.enter()
	if err != nil {
		return err
	}
	st := C.keep_tracker_delete(h, C.uint32_t(pid), C.uint32_t(reason), C.uint64_t(nowNS))
	t.leave()
	return statusError(st)
}

// Get tells of an agent as it is at a time; it changes nothing. ErrNotFound: nobody has this pid.
func (t *Tracker) Get(pid uint32, nowNS uint64) (Agent, error) {
	h, err := t.enter()
	if err != nil {
		return Agent{}, err
	}
	defer t.leave()
	c := C.keep_agent_info{size: C.sizeof_keep_agent_info}
	if st := C.keep_tracker_get(h, C.uint32_t(pid), C.uint64_t(nowNS), &c); st != C.KEEP_OK {
		return Agent{}, Status(st)
	}
	return agentOf(&c), nil
}

// List tells of all agents, at the ledger's clock.
func (t *Tracker) List() (agents []Agent, err error) {
	h, err := t.enter()
	if err != nil {
		return nil, err
	}
	defer t.leave()
	var cursor C.uint64_t
	for piece := [16]C.keep_agent_info{{size: C.sizeof_keep_agent_info}}; ; {
		var n C.size_t
		st := C.keep_tracker_list(h, &cursor, &piece[0], C.size_t(len(piece)), &n)
		if st != C.KEEP_OK || n == 0 {
			return agents, statusError(st)
		}
		for i := range piece[:n] {
			agents = append(agents, agentOf(&piece[i]))
		}
	}
}

// Stats tells the counters.
func (t *Tracker) Stats() (TrackerStats, error) {
	h, err := t.enter()
	if err != nil {
		return TrackerStats{}, err
	}
	defer t.leave()
	c := C.struct_keep_tracker_stats{size: C.sizeof_struct_keep_tracker_stats}
	if st := C.keep_tracker_stats(h, &c); st != C.KEEP_OK {
		return TrackerStats{}, Status(st)
	}
	return TrackerStats{
		Agents:             uint64(c.agents),
		Stalled:            uint64(c.stalled),
		Beats:              uint64(c.beats),
		Stalls:             uint64(c.stalls),
		Recoveries:         uint64(c.recoveries),
		Evictions:          uint64(c.evictions),
		CapacityExceeded:   uint64(c.capacity_exceeded),
		OutOfOrder:         uint64(c.out_of_order),
		NonceWraps:         uint64(c.nonce_wraps),
		OriginConflicts:    uint64(c.origin_conflicts),
		NamespaceConflicts: uint64(c.namespace_conflicts),
		Recycles:           uint64(c.recycles),
		Goodbyes:           uint64(c.goodbyes),
		Exits:              uint64(c.exits),
		Deletes:            uint64(c.deletes),
		ClockRegressions:   uint64(c.clock_regressions),
		Outages:            uint64(c.outages),
		OutageNS:           uint64(c.outage_ns),
	}, nil
}

// String shows how many agents there are.
func (t *Tracker) String() string {
	stats, err := t.Stats()
	if err != nil {
		return fmt.Sprintf("keep.Tracker(%v)", err)
	}
	return fmt.Sprintf("keep.Tracker(%d agents, %d stalled)", stats.Agents, stats.Stalled)
}

// TrackerKnownAnswer appends a published known answer to dst, so that a build can be checked: name is a transform of
// keep/tracker.h, such as "beat.encode". It touches no ledger and no key.
func TrackerKnownAnswer(dst []byte, name string, in []byte) ([]byte, error) {
	whole := true
	word := cText(name, &whole)
	if !whole || word == nil || overlap(spareOf(dst), in) {
		return dst, ErrInvalidArgument
	}
	source, n := bytesOf(in)
	return fill(dst, func(room []byte) (int, Status) {
		var needed C.size_t
		out, size := bytesOf(room)
		st := C.keep_go_tracker_known_answer(word, source, n, out, size, &needed)
		return int(needed), Status(st)
	})
}
