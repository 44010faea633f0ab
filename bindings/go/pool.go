// SPDX-License-Identifier: MIT

package keep

// #include "keep_cgo.h"
import "C"

import (
	"context"
	"syscall"
	"unsafe"
)

// Limits of pools and secrets.
const (
	MaxSecretLen = C.KEEP_MAX_SECRET_LEN // bytes of a secret
	MaxSecrets   = C.KEEP_MAX_SECRETS    // live secrets of the process
	MaxTiers     = C.KEEP_MAX_TIERS
	MinSlotLen   = C.KEEP_MIN_SLOT_LEN
	MaxSlotLen   = C.KEEP_MAX_SLOT_LEN
	MaxBatch     = C.KEEP_MAX_BATCH // secrets of AcquireMany and CloseMany
	MaxHotCache  = C.KEEP_MAX_HOT_CACHE
	MaxPoolBytes = C.KEEP_MAX_POOL_BYTES
	WaitForever  = C.KEEP_WAIT_FOREVER // C's timeout of a context without deadline
)

// Backing says what the pages of a pool are made of.
type Backing uint32

// The backings. BackingAuto takes memfd_secret where the kernel has it.
const (
	BackingAuto        Backing = C.KEEP_BACKING_AUTO
	BackingMemfdSecret Backing = C.KEEP_BACKING_MEMFD_SECRET
	BackingLocked      Backing = C.KEEP_BACKING_LOCKED
)

// LockPolicy says what happens when the kernel refuses to lock memory.
type LockPolicy uint32

// The lock policies: ErrLockLimit, or unlocked memory that the reports show.
const (
	LockRequire       LockPolicy = C.KEEP_LOCK_REQUIRE
	LockAllowUnlocked LockPolicy = C.KEEP_LOCK_ALLOW_UNLOCKED
)

// AcquireFlags say how a secret is acquired.
type AcquireFlags uint32

// The acquire flags.
const (
	AcquireFallback AcquireFlags = C.KEEP_ACQUIRE_FALLBACK // a guarded buffer if there is no slot, after the wait
	AcquireGuarded  AcquireFlags = C.KEEP_ACQUIRE_GUARDED  // a guarded buffer from the start
	AcquireAlign16  AcquireFlags = C.KEEP_ACQUIRE_ALIGN16  // a guarded buffer's data begins at a multiple of 16
	AcquireResident AcquireFlags = C.KEEP_ACQUIRE_RESIDENT // a guarded buffer stays accessible between windows
)

// Tier is one size of slots: its length, a multiple of 16; how many are made at once; and how many there may be, 0 if
// MaxBytes alone decides.
type Tier struct {
	Len, Slots, MaxSlots int
}

// PoolOptions say how a pool is made. Zero everywhere, like nil, means the defaults.
type PoolOptions struct {
	Tiers        []Tier     // none: 32, 64, 256, 1024
	MaxBytes     uint64     // growth cap of the slabs; 0: 4 MiB
	Backing      Backing    // of its pages
	LockPolicy   LockPolicy // if the kernel refuses to lock them
	HotCache     int        // opened secrets kept in the clear; 0: none
	ResplitViews int        // uses of the sealing key between two re-splits; 0: 256
}

// NewPoolOptions returns the defaults.
func NewPoolOptions() *PoolOptions {
	return new(PoolOptions)
}

// inC gives the options as C reads them, NULL for nil. What C's types do not hold is ErrInvalidArgument.
func (o *PoolOptions) inC() (*C.keep_pool_options, error) {
	if o == nil {
		return nil, nil
	}
	fits := true
	c := &C.keep_pool_options{
		size:          C.sizeof_keep_pool_options,
		tier_count:    C.uint32_t(len(o.Tiers)),
		max_bytes:     C.uint64_t(o.MaxBytes),
		backing:       C.uint32_t(o.Backing),
		lock_policy:   C.uint32_t(o.LockPolicy),
		hot_cache:     narrow(o.HotCache, &fits),
		resplit_views: narrow(o.ResplitViews, &fits),
	}
	for i, tier := range o.Tiers[:min(len(o.Tiers), MaxTiers)] { // C refuses a count above
		c.tier_len[i] = narrow(tier.Len, &fits)
		c.tier_slots[i] = narrow(tier.Slots, &fits)
		c.tier_max_slots[i] = narrow(tier.MaxSlots, &fits)
	}
	if !fits {
		return nil, ErrInvalidArgument
	}
	return c, nil
}

// AcquireOptions say how a secret is acquired or opened; nil means the defaults. How long a slot is waited for is the
// matter of the context that AcquireContext and OpenContext take.
type AcquireOptions struct {
	Flags AcquireFlags
}

// NewAcquireOptions returns the defaults.
func NewAcquireOptions() *AcquireOptions {
	return new(AcquireOptions)
}

func (o *AcquireOptions) inC(timeoutMS uint32) C.keep_acquire_options {
	c := C.keep_acquire_options{size: C.sizeof_keep_acquire_options, timeout_ms: C.uint32_t(timeoutMS)}
	if o != nil {
		c.flags = C.uint32_t(o.Flags)
	}
	return c
}

// TierStats is one tier as it is.
type TierStats struct {
	SlotLen                                int
	Slots, InUse, Cached, Waiting, Regions uint64
}

// PoolStats is a pool as it is. Bytes are of memory, counts never go down.
type PoolStats struct {
	Tiers         []TierStats
	Backing       Backing       // of the newest region; 0: none yet
	LastLockErrno syscall.Errno // of the newest lock failure

	LockedBytes, UnlockedBytes, MetadataBytes, GuardedBytes uint64

	Guarded uint64 // guarded buffers alive

	Growths, Waits, Timeouts, Fallbacks, LockFailures, Resplits, Purges uint64

	CacheEntries, CacheHits, CacheMisses, CacheEvictions uint64
}

// Pool is locked memory for secrets, and a compartment: the key of its sealed secrets is its own. It lives until the
// last handle, secret and sealed secret of it is closed. A nil *Pool is the default pool.
type Pool struct {
	waitable[*C.keep_pool]
}

// NewPool makes a pool.
func NewPool(options *PoolOptions) (*Pool, error) {
	c, err := options.inC()
	if err != nil {
		return nil, err
	}
	var out *C.keep_pool
	st := C.keep_pool_new(c, &out)
	return newPool(out, st)
}

// DefaultPool gives a handle of the default pool. Options say how to make it; if it exists already, ErrState.
func DefaultPool(options *PoolOptions) (*Pool, error) {
	c, err := options.inC()
	if err != nil {
		return nil, err
	}
	var out *C.keep_pool
	st := C.keep_pool_default(c, &out)
	return newPool(out, st)
}

func newPool(h *C.keep_pool, st C.keep_status) (*Pool, error) {
	if st != C.KEEP_OK {
		return nil, Status(st)
	}
	p := new(Pool)
	p.adopt(h, freePool)
	return p, nil
}

func freePool(h *C.keep_pool) Status {
	C.keep_pool_free(&h)
	return OK
}

// enter is handle.enter; for the default pool there is nothing to lock and nothing to pass.
func (p *Pool) enter() (*C.keep_pool, error) {
	if p == nil {
		return nil, nil
	}
	return p.waitable.enter()
}

func (p *Pool) leave() {
	if p != nil {
		p.waitable.leave()
	}
}

// guarded is what enterAll takes; nil of the default pool.
func (p *Pool) guarded() *guard {
	if p == nil {
		return nil
	}
	return &p.guard
}

// lend is handle.lend; NULL of the default pool.
func (p *Pool) lend(err *error) *C.keep_pool {
	if p == nil {
		return nil
	}
	return p.waitable.lend(err)
}

// Close gives the handle back. Secrets and sealed secrets of the pool keep working. It returns nil.
func (p *Pool) Close() error {
	if p == nil {
		return nil
	}
	return p.close()
}

// Acquire acquires a secret of n zero bytes. It does not wait.
func (p *Pool) Acquire(n int, options *AcquireOptions) (*Secret, error) {
	h, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer p.leave()
	return acquire(h, n, options.inC(0))
}

// AcquireContext is Acquire, but waits for a slot until the context ends: ErrTimeout after its deadline. Waiters are
// served first in, first out; each holds a thread while it waits.
func (p *Pool) AcquireContext(ctx context.Context, n int, options *AcquireOptions) (*Secret, error) {
	if p == nil {
		handle, err := DefaultPool(nil)
		if err != nil {
			return nil, err
		}
		defer handle.Close()
		p = handle
	}
	return p.await(ctx, func(h *C.keep_pool, timeoutMS uint32) (*Secret, error) {
		return acquire(h, n, options.inC(timeoutMS))
	})
}

func acquire(h *C.keep_pool, n int, options C.keep_acquire_options) (*Secret, error) {
	var out *C.keep_secret
	st := C.keep_pool_acquire(h, C.size_t(n), &options, &out)
	return newSecret(out, st)
}

// AcquireMany acquires count secrets of n zero bytes, or none. It does not wait.
func (p *Pool) AcquireMany(n, count int) ([]*Secret, error) {
	if count < 1 || count > MaxBatch {
		return nil, ErrInvalidArgument
	}
	h, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer p.leave()
	handles := make([]*C.keep_secret, count)
	st := C.keep_pool_acquire_batch(h, C.size_t(n), C.size_t(count), unsafe.SliceData(handles))
	if st != C.KEEP_OK {
		return nil, Status(st)
	}
	secrets := make([]*Secret, count)
	for i, handle := range handles {
		secrets[i], _ = newSecret(handle, C.KEEP_OK)
	}
	return secrets, nil
}

// Reserve grows now, so that the tier of n bytes has count free slots.
func (p *Pool) Reserve(n, count int) error {
	h, err := p.enter()
	if err != nil {
		return err
	}
	st := C.keep_pool_reserve(h, C.size_t(n), C.size_t(count))
	p.leave()
	return statusError(st)
}

// Trim unmaps regions without a slot in use and tells how many bytes that gave back.
func (p *Pool) Trim() (uint64, error) {
	h, err := p.enter()
	if err != nil {
		return 0, err
	}
	defer p.leave()
	var given C.uint64_t
	st := C.keep_pool_trim(h, &given)
	return uint64(given), statusError(st)
}

// Stats tells how the pool is.
func (p *Pool) Stats() (PoolStats, error) {
	h, err := p.enter()
	if err != nil {
		return PoolStats{}, err
	}
	defer p.leave()
	c := C.struct_keep_pool_stats{size: C.sizeof_struct_keep_pool_stats}
	if st := C.keep_pool_stats(h, &c); st != C.KEEP_OK {
		return PoolStats{}, Status(st)
	}
	return poolStats(&c), nil
}

func poolStats(c *C.struct_keep_pool_stats) PoolStats {
	s := PoolStats{
		Tiers:          make([]TierStats, c.tier_count),
		Backing:        Backing(c.backing),
		LastLockErrno:  syscall.Errno(c.last_lock_errno),
		LockedBytes:    uint64(c.locked_bytes),
		UnlockedBytes:  uint64(c.unlocked_bytes),
		MetadataBytes:  uint64(c.metadata_bytes),
		GuardedBytes:   uint64(c.guarded_bytes),
		Guarded:        uint64(c.guarded),
		Growths:        uint64(c.growths),
		Waits:          uint64(c.waits),
		Timeouts:       uint64(c.timeouts),
		Fallbacks:      uint64(c.fallbacks),
		LockFailures:   uint64(c.lock_failures),
		Resplits:       uint64(c.resplits),
		Purges:         uint64(c.purges),
		CacheEntries:   uint64(c.cache_entries),
		CacheHits:      uint64(c.cache_hits),
		CacheMisses:    uint64(c.cache_misses),
		CacheEvictions: uint64(c.cache_evictions),
	}
	for i := range s.Tiers {
		t := &c.tiers[i]
		s.Tiers[i] = TierStats{int(t.slot_len), uint64(t.slots), uint64(t.in_use), uint64(t.cached), uint64(t.waiting),
			uint64(t.regions)}
	}
	return s
}
