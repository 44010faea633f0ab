// SPDX-License-Identifier: MIT

package vectors

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	keep "github.com/libkeep/libkeep/bindings/go"
)

var memory = schema{
	constants: map[string]int{
		"KEEP_MAX_SECRET_LEN":  keep.MaxSecretLen,
		"KEEP_MAX_SECRETS":     keep.MaxSecrets,
		"KEEP_MAX_TIERS":       keep.MaxTiers,
		"KEEP_MIN_SLOT_LEN":    keep.MinSlotLen,
		"KEEP_MAX_SLOT_LEN":    keep.MaxSlotLen,
		"KEEP_MAX_BATCH":       keep.MaxBatch,
		"KEEP_MAX_HOT_CACHE":   keep.MaxHotCache,
		"KEEP_MAX_POOL_BYTES":  keep.MaxPoolBytes,
		"KEEP_SEALED_OVERHEAD": keep.SealedOverhead,
		"KEEP_WAIT_FOREVER":    keep.WaitForever,
	},
	arrays: map[string]func(*testCase){
		"known":   knownAnswer,
		"scripts": func(c *testCase) { c.script(memoryOperations(), take[[]any](c.fields, "script")) },
	},
}

func memoryOperations() operations {
	known := operations{
		"free":         free,
		"purge":        purge,
		"read_window":  func(s step) (outputs, error) { return window(s, s.secret().Read) },
		"write_window": func(s step) (outputs, error) { return window(s, s.secret().Write) },
	}
	maps.Copy(known, poolOperations)
	maps.Copy(known, secretOperations)
	maps.Copy(known, sealedOperations)
	return known
}

var poolOperations = operations{
	"pool_new":        poolNew,
	"pool_stats":      poolStats,
	"acquire":         func(s step) (outputs, error) { return acquire(s, 0) },
	"acquire_guarded": func(s step) (outputs, error) { return acquire(s, keep.AcquireGuarded) },
	"acquire_batch":   acquireBatch,
	"reserve":         func(s step) (outputs, error) { return nil, s.pool().Reserve(s.number("len"), s.number("count")) },
	"trim": func(s step) (outputs, error) {
		_, err := s.pool().Trim()
		return nil, err
	},
	"generate": func(s step) (outputs, error) {
		secret, err := keep.GenerateSecret(s.pool(), s.number("len"))
		return s.made(secret, err)
	},
	"from_bytes": func(s step) (outputs, error) { return fromSource(s, keep.SecretFromBytes) },
	"take_bytes": func(s step) (outputs, error) { return fromSource(s, keep.TakeSecret) },
	"seal":       func(s step) (outputs, error) { return seal(s, keep.NewSealed) },
	"seal_take":  func(s step) (outputs, error) { return seal(s, keep.TakeSealed) },
}

var secretOperations = operations{
	"release": release,
	"duplicate": func(s step) (outputs, error) {
		secret, err := s.secret().Duplicate()
		return s.made(secret, err)
	},
	"info": func(s step) (outputs, error) { return told(s.secret()) },
	"put":  func(s step) (outputs, error) { return nil, s.secret().Put(s.number("offset"), s.data("data")) },
	"get": func(s step) (outputs, error) {
		secret, offset, n := s.secret(), s.number("offset"), s.number("len")
		return appended(func(dst []byte) ([]byte, error) { return secret.Get(dst, offset, n) })
	},
	"reveal":    reveal,
	"resize":    func(s step) (outputs, error) { return nil, s.secret().Resize(s.number("len")) },
	"randomize": func(s step) (outputs, error) { return nil, s.secret().Randomize() },
	"clear":     func(s step) (outputs, error) { return nil, s.secret().Clear() },
	"freeze":    func(s step) (outputs, error) { return nil, s.secret().Freeze() },
	"melt":      func(s step) (outputs, error) { return nil, s.secret().Melt() },
	"equal": func(s step) (outputs, error) {
		same, err := s.secret().Equal(handle[*keep.Secret](s, "with"))
		return outputs{"equal": same}, err
	},
	"equal_bytes": func(s step) (outputs, error) {
		same, err := s.secret().EqualBytes(s.data("data"))
		return outputs{"equal": same}, err
	},
	"seal_secret": func(s step) (outputs, error) {
		sealed, err := keep.SealSecret(s.secret(), uint32(s.number("type", 0)))
		return nil, s.bind(take[any](s.object, "as"), sealed, err)
	},
}

var sealedOperations = operations{
	"open":      open,
	"open_into": openInto,
	"sealed_info": func(s step) (outputs, error) {
		info, err := s.sealed("on").Info()
		return outputs{"len": info.Len, "type": int(info.Type), "stored_len": info.StoredLen, "purged": info.Purged}, err
	},
	"id_before": func(s step) (outputs, error) {
		info, err := s.sealed("on").Info()
		other, failed := s.sealed("with").Info()
		return outputs{"before": info.ID < other.ID}, errors.Join(err, failed)
	},
}

func (s step) secret() *keep.Secret           { return handle[*keep.Secret](s, "on") }
func (s step) sealed(key string) *keep.Sealed { return handle[*keep.Sealed](s, key) }
func (s step) data(key string) []byte         { return s.bytes(take[any](s.object, key)) }

// pool gives the step's pool, or nil: the default pool.
func (s step) pool() *keep.Pool {
	if s.object["on"] == nil {
		return nil
	}
	return handle[*keep.Pool](s, "on")
}

// made names a new secret and tells how it is.
func (s step) made(secret *keep.Secret, err error) (outputs, error) {
	if err := s.bind(take[any](s.object, "as"), secret, err); err != nil {
		return outputs{}, err
	}
	return told(secret)
}

func told(secret *keep.Secret) (outputs, error) {
	i, err := secret.Info()
	return outputs{
		"len": i.Len, "capacity": i.Capacity, "kind": i.Kind.String(), "frozen": i.Frozen, "purged": i.Purged,
	}, err
}

// appended makes a call that appends twice, to nothing and to a byte with just enough room behind it. Both must give the
// same, the second in the room.
func appended(call func(dst []byte) ([]byte, error)) (outputs, error) {
	fresh, err := call(nil)
	room := append(make([]byte, 0, 1+len(fresh)), 'x')
	into, again := call(room)
	if statusOf(err) != statusOf(again) || &into[0] != &room[0] || string(into) != "x"+string(fresh) {
		fail("appended", fresh, into)
	}
	return outputs{"data": fresh, "len": len(fresh)}, err
}

func knownAnswer(c *testCase) {
	name, in, status := take[string](c.fields, "transform"), c.bytes(take[any](c.fields, "in")), expected(c.fields)
	got, err := appended(func(dst []byte) ([]byte, error) { return keep.MemoryKnownAnswer(dst, name, in) })
	c.expect(name, status, statusOf(err))
	if err == nil {
		c.expect(name, take[any](c.fields, "out"), got["data"])
	}
}

func purge(step) (outputs, error) {
	open, err := keep.Purge()
	return outputs{"open_windows": open}, err
}

// release closes a secret. That it is closed already is seen by asking, since a second Close does nothing.
func release(s step) (outputs, error) {
	name, secret := s.object["on"], s.secret()
	if _, err := secret.Info(); err != nil {
		return nil, err
	}
	return nil, s.close(name, secret)
}

// numbers takes a list of integers, which may be missing.
func (s step) numbers(key string) (numbers []int) {
	for _, value := range optional[[]any](s.object, key) {
		numbers = append(numbers, object{key: value}.number(key))
	}
	return numbers
}

func poolNew(s step) (outputs, error) {
	options := &keep.PoolOptions{
		MaxBytes:     uint64(s.number("max_bytes", 0)),
		HotCache:     s.number("hot_cache", 0),
		ResplitViews: s.number("resplit_views", 0),
	}
	for _, n := range s.numbers("tiers") {
		options.Tiers = append(options.Tiers, keep.Tier{Len: n})
	}
	for i, n := range s.numbers("tier_slots") {
		options.Tiers[i].Slots = n
	}
	for i, n := range s.numbers("tier_max_slots") {
		options.Tiers[i].MaxSlots = n
	}
	policies := map[string]keep.LockPolicy{"": 0, "require": keep.LockRequire, "allow_unlocked": keep.LockAllowUnlocked}
	policy, known := policies[optional[string](s.object, "lock")]
	if options.LockPolicy = policy; !known {
		fail("lock", "a policy", "another word")
	}
	pool, err := keep.NewPool(options)
	return nil, s.bind(take[any](s.object, "as"), pool, err)
}

func poolStats(s step) (outputs, error) {
	tier := s.number("tier", 0)
	stats, err := s.pool().Stats()
	if err != nil {
		return nil, err
	}
	var lens []int
	for _, t := range stats.Tiers {
		lens = append(lens, t.SlotLen)
	}
	t := stats.Tiers[tier]
	return outputs{
		"tiers": lens, "slot_len": t.SlotLen, "slots": int(t.Slots), "in_use": int(t.InUse), "cached": int(t.Cached),
		"guarded": int(stats.Guarded), "cache_entries": int(stats.CacheEntries), "cache_hits": int(stats.CacheHits),
		"cache_misses": int(stats.CacheMisses), "cache_evictions": int(stats.CacheEvictions),
	}, nil
}

// acquireOptions takes the flags of acquiring, and how long it may wait: not at all without a limit.
func (s step) acquireOptions(flags keep.AcquireFlags) (*keep.AcquireOptions, time.Duration) {
	for key, flag := range map[string]keep.AcquireFlags{
		"fallback": keep.AcquireFallback, "align16": keep.AcquireAlign16, "resident": keep.AcquireResident,
	} {
		if optional[bool](s.object, key) {
			flags |= flag
		}
	}
	return &keep.AcquireOptions{Flags: flags}, time.Duration(s.wide("timeout_ms")) * time.Millisecond
}

func acquire(s step, flags keep.AcquireFlags) (outputs, error) {
	pool, n := s.pool(), s.number("len")
	options, limit := s.acquireOptions(flags)
	if limit == 0 {
		return s.made(pool.Acquire(n, options))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.made(pool.AcquireContext(ctx, n, options))
}

func open(s step) (outputs, error) {
	sealed := s.sealed("on")
	options, limit := s.acquireOptions(0)
	if limit == 0 {
		return s.opened(sealed.Open(options))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.opened(sealed.OpenContext(ctx, options))
}

// opened names a new secret and tells how it is and what it holds.
func (s step) opened(secret *keep.Secret, err error) (outputs, error) {
	if out, err := s.made(secret, err); err != nil {
		return out, err
	}
	return toldWhole(secret)
}

func openInto(s step) (outputs, error) {
	into := handle[*keep.Secret](s, "into")
	if err := s.sealed("on").OpenInto(into); err != nil {
		return nil, err
	}
	return toldWhole(into)
}

// toldWhole tells how a secret is and what it holds.
func toldWhole(secret *keep.Secret) (outputs, error) {
	out, err := told(secret)
	if err != nil {
		return nil, err
	}
	data, err := appended(secret.Reveal)
	maps.Copy(out, data)
	return out, err
}

func acquireBatch(s step) (outputs, error) {
	names := take[[]any](s.object, "as")
	secrets, err := s.pool().AcquireMany(s.number("len"), len(names))
	for i, secret := range secrets {
		_ = s.bind(names[i], secret, nil)
	}
	return nil, err
}

func fromSource(s step, make func(*keep.Pool, []byte) (*keep.Secret, error)) (outputs, error) {
	source := s.data("data")
	secret, err := make(s.pool(), source)
	out, err := s.made(secret, err)
	out["source"] = source
	return out, err
}

func seal(s step, make func(*keep.Pool, []byte, uint32) (*keep.Sealed, error)) (outputs, error) {
	source := s.data("data")
	sealed, err := make(s.pool(), source, uint32(s.number("type", 0)))
	return outputs{"source": source}, s.bind(take[any](s.object, "as"), sealed, err)
}

// reveal reveals into a buffer of its own, or of the caller's with a capacity.
func reveal(s step) (outputs, error) {
	secret := s.secret()
	if s.object["cap"] == nil {
		return appended(secret.Reveal)
	}
	room := s.number("cap")
	data, err := secret.Reveal(make([]byte, 0, room))
	if len(data) > room { // append has grown, because C said so
		err = keep.ErrBufferTooSmall
	}
	return outputs{"data": data, "len": len(data)}, err
}

// window opens a window, notes what it shows, writes the step's data and runs the step's steps.
func window(s step, open func(func([]byte) error) error) (outputs, error) {
	steps, data, seen := take[[]any](s.object, "steps"), []byte(nil), []byte(nil)
	if s.object["data"] != nil {
		data = s.data("data")
	}
	err := open(func(bytes []byte) error {
		seen = slices.Clone(bytes)
		copy(bytes, data)
		s.script(memoryOperations(), steps)
		return nil
	})
	return outputs{"data": seen}, err
}
