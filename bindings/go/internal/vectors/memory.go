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
	arrays: map[string]array{"known": {"transform in", knownAnswer}, "scripts": scripts},
	operations: map[string]operation{
		"pool_new":        {"as", bound(poolNew)},
		"pool_stats":      {"", poolStats},
		"acquire":         {"as len", func(s step) (outputs, error) { return acquire(s, 0) }},
		"acquire_guarded": {"as len", func(s step) (outputs, error) { return acquire(s, keep.AcquireGuarded) }},
		"acquire_batch":   {"as len", acquireBatch},
		"reserve":         {"len count", reserve},
		"trim":            {"", trim},
		"generate":        {"as len", func(s step) (outputs, error) { return s.made(keep.GenerateSecret(s.pool(), s.len())) }},
		"from_bytes":      {"as data", func(s step) (outputs, error) { return fromSource(s, keep.SecretFromBytes) }},
		"take_bytes":      {"as data", func(s step) (outputs, error) { return fromSource(s, keep.TakeSecret) }},
		"duplicate":       {"on as", func(s step) (outputs, error) { return s.made(s.secret().Duplicate()) }},
		"info":            {"on", tell((*keep.Secret).Info)},
		"put":             {"on offset data", put},
		"get":             {"on offset len", get},
		"reveal":          {"on", reveal},
		"randomize":       {"on", on((*keep.Secret).Randomize)},
		"clear":           {"on", on((*keep.Secret).Clear)},
		"freeze":          {"on", on((*keep.Secret).Freeze)},
		"melt":            {"on", on((*keep.Secret).Melt)},
		"resize":          {"on len", func(s step) (outputs, error) { return nil, s.secret().Resize(s.len()) }},
		"equal":           {"on with", equalSecrets},
		"equal_bytes":     {"on data", equalBytes},
		"read_window":     {"on steps", func(s step) (outputs, error) { return window(s, s.secret().Read) }},
		"write_window":    {"on steps", func(s step) (outputs, error) { return window(s, s.secret().Write) }},
		"release":         {"on", release},
		"purge":           {"", purge},
		"seal":            {"as data", func(s step) (outputs, error) { return seal(s, keep.NewSealed) }},
		"seal_take":       {"as data", func(s step) (outputs, error) { return seal(s, keep.TakeSealed) }},
		"seal_secret":     {"on as", bound(sealSecret)},
		"open":            {"on as", open},
		"open_into":       {"on into", openInto},
		"sealed_info":     {"on", tell((*keep.Sealed).Info)},
		"id_before":       {"on with", idBefore},
	},
}

func (s step) secret() *keep.Secret { return handle[*keep.Secret](s, "on") }
func (s step) sealed() *keep.Sealed { return handle[*keep.Sealed](s, "on") }
func (s step) len() int             { return s.int("len") }
func (s step) offset() int          { return s.int("offset") }

// pool gives the step's pool, or nil: the default pool.
func (s step) pool() *keep.Pool {
	if s.take("on") == nil {
		return nil
	}
	return handle[*keep.Pool](s, "on")
}

// made names a new secret and tells how it is.
func (s step) made(secret *keep.Secret, err error) (outputs, error) {
	if err := s.bind(secret, err); err != nil {
		return outputs{}, err
	}
	info, err := secret.Info()
	return told(info), err
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

func knownAnswer(s step) {
	name, in := s.text("transform"), s.bytes("in")
	got, err := appended(func(dst []byte) ([]byte, error) { return keep.MemoryKnownAnswer(dst, name, in) })
	equal(name, s.expected(), statusOf(err))
	if err == nil {
		s.expect(name, s.take("out"), got["data"])
	}
}

// Pools.

func poolNew(s step) (*keep.Pool, error) {
	policies := map[string]keep.LockPolicy{"require": keep.LockRequire, "allow_unlocked": keep.LockAllowUnlocked}
	options := keep.PoolOptions{LockPolicy: word(s, "lock", policies, 0)}
	fill(s.object, &options)
	for _, n := range numbers[int](s.object, "tiers") {
		options.Tiers = append(options.Tiers, keep.Tier{Len: n})
	}
	for i, n := range numbers[int](s.object, "tier_slots") {
		options.Tiers[i].Slots = n
	}
	for i, n := range numbers[int](s.object, "tier_max_slots") {
		options.Tiers[i].MaxSlots = n
	}
	return keep.NewPool(&options)
}

func poolStats(s step) (outputs, error) {
	stats, err := s.pool().Stats()
	if err != nil {
		return nil, err
	}
	var lens []int
	for _, tier := range stats.Tiers {
		lens = append(lens, tier.SlotLen)
	}
	out := told(stats)
	if s.take("tier") != nil {
		maps.Copy(out, told(stats.Tiers[s.int("tier")]))
	}
	out["tiers"] = lens
	return out, nil
}

func reserve(s step) (outputs, error) {
	return nil, s.pool().Reserve(s.len(), s.int("count"))
}

func trim(s step) (outputs, error) {
	_, err := s.pool().Trim()
	return nil, err
}

// Making secrets.

// acquireOptions takes the flags of acquiring, and how long it may wait: not at all without a limit.
func (s step) acquireOptions(flags keep.AcquireFlags) (*keep.AcquireOptions, time.Duration) {
	for key, flag := range map[string]keep.AcquireFlags{
		"fallback": keep.AcquireFallback, "align16": keep.AcquireAlign16, "resident": keep.AcquireResident,
	} {
		if s.bool(key) {
			flags |= flag
		}
	}
	return &keep.AcquireOptions{Flags: flags}, time.Duration(s.u64("timeout_ms")) * time.Millisecond
}

func acquire(s step, flags keep.AcquireFlags) (outputs, error) {
	options, limit := s.acquireOptions(flags)
	if limit == 0 {
		return s.made(s.pool().Acquire(s.len(), options))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.made(s.pool().AcquireContext(ctx, s.len(), options))
}

func acquireBatch(s step) (outputs, error) {
	var names []string
	for _, name := range take[[]any](s.object, "as") {
		names = append(names, as[string]("as", name))
		s.unused(names[len(names)-1])
	}
	secrets, err := s.pool().AcquireMany(s.len(), len(names))
	for i, secret := range secrets {
		_ = s.bindAs(names[i], secret, nil)
	}
	return nil, err
}

func fromSource(s step, make func(*keep.Pool, []byte) (*keep.Secret, error)) (outputs, error) {
	source := s.bytes("data")
	secret, err := make(s.pool(), source)
	out, err := s.made(secret, err)
	out["source"] = source
	return out, err
}

// Using secrets.

func put(s step) (outputs, error) {
	return nil, s.secret().Put(s.offset(), s.bytes("data"))
}

func get(s step) (outputs, error) {
	return appended(func(dst []byte) ([]byte, error) { return s.secret().Get(dst, s.offset(), s.len()) })
}

// reveal reveals into a buffer of its own, or of the caller's with a capacity.
func reveal(s step) (outputs, error) {
	if s.take("cap") == nil {
		return appended(s.secret().Reveal)
	}
	room := s.int("cap")
	data, err := s.secret().Reveal(make([]byte, 0, room))
	if len(data) > room { // append has grown, because C said so
		err = keep.ErrBufferTooSmall
	}
	return outputs{"data": data, "len": len(data)}, err
}

func equalSecrets(s step) (outputs, error) {
	same, err := s.secret().Equal(handle[*keep.Secret](s, "with"))
	return outputs{"equal": same}, err
}

func equalBytes(s step) (outputs, error) {
	same, err := s.secret().EqualBytes(s.bytes("data"))
	return outputs{"equal": same}, err
}

// window opens a window, notes what it shows, writes the step's data and runs the step's steps.
func window(s step, open func(func([]byte) error) error) (outputs, error) {
	data, seen := s.bytes("data"), []byte(nil)
	err := open(func(bytes []byte) error {
		seen = slices.Clone(bytes)
		copy(bytes, data)
		s.script(s.parts("steps", "op"))
		return nil
	})
	if err != nil {
		s.object[isRead+"steps"], _ = nil, s.take("steps") // of a window that is not open nothing runs
	}
	return outputs{"data": seen}, err
}

// release closes a secret. That it is closed already is seen by asking, since a second Close does nothing.
func release(s step) (outputs, error) {
	if _, err := s.secret().Info(); err != nil {
		return nil, err
	}
	return nil, s.close()
}

func purge(step) (outputs, error) {
	open, err := keep.Purge()
	return outputs{"open_windows": open}, err
}

// Sealed secrets.

func seal(s step, make func(*keep.Pool, []byte, uint32) (*keep.Sealed, error)) (outputs, error) {
	source := s.bytes("data")
	sealed, err := make(s.pool(), source, s.u32("type"))
	return outputs{"source": source}, s.bind(sealed, err)
}

func sealSecret(s step) (*keep.Sealed, error) {
	return keep.SealSecret(s.secret(), s.u32("type"))
}

func open(s step) (outputs, error) {
	options, limit := s.acquireOptions(0)
	if limit == 0 {
		return s.opened(s.sealed().Open(options))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.opened(s.sealed().OpenContext(ctx, options))
}

// opened names a new secret and tells how it is and what it holds.
func (s step) opened(secret *keep.Secret, err error) (outputs, error) {
	out, err := s.made(secret, err)
	if err != nil {
		return out, err
	}
	data, err := appended(secret.Reveal)
	maps.Copy(out, data)
	return out, err
}

func openInto(s step) (outputs, error) {
	into := handle[*keep.Secret](s, "into")
	if err := s.sealed().OpenInto(into); err != nil {
		return nil, err
	}
	return appended(into.Reveal)
}

func idBefore(s step) (outputs, error) {
	info, err := s.sealed().Info()
	other, failed := handle[*keep.Sealed](s, "with").Info()
	return outputs{"before": info.ID < other.ID}, errors.Join(err, failed)
}
