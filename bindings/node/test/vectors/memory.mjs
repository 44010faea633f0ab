// SPDX-License-Identifier: MIT

// The cases of keep-memory-1 (memory.md §11).

import keep from '../../lib/index.js';
import {
  boolean,
  expect,
  integer,
  integer64,
  list,
  runScript,
  Script,
  statusName,
  statusOf,
  take,
  takeOr,
  text,
} from './shared.mjs';

const { LockPolicy, Kind, memory, Pool, Sealed, Secret } = keep;

const LOCK_POLICIES = { require: LockPolicy.REQUIRE, allow_unlocked: LockPolicy.ALLOW_UNLOCKED };
const KINDS = { [Kind.SLOT]: 'slot', [Kind.GUARDED]: 'guarded' };

const integers = (value) => list(value).map(integer);

function poolOf(script, step) {
  return 'on' in step ? script.on(step) : Pool.default();
}

function describe(secret, out) {
  const { len, capacity, kind, frozen } = secret.info();
  Object.assign(out, { len: Number(len), capacity: Number(capacity), kind: KINDS[kind], frozen });
}

function bindSecret(script, name, secret, out) {
  script.bind(name, secret);
  describe(secret, out);
}

/** Acquires by the form that waits, if there is a time to wait. */
function* acquire(step, now, later) {
  const fallback = takeOr(step, 'fallback', boolean, undefined);
  if (!('timeout_ms' in step)) return now({ fallback });
  return yield later({ fallback, timeoutMs: Number(take(step, 'timeout_ms', integer64)) });
}

/** What takes bytes of the caller: `source` is what became of them. */
function takeSource(script, step, out, make) {
  const name = script.unused(take(step, 'as', text));
  const pool = poolOf(script, step);
  out.source = Buffer.from(take(step, 'data', script.bytes));
  script.bind(name, make(out.source, { pool, type: takeOr(step, 'type', integer, undefined) }));
  return script.handles.get(name);
}

const pools = {
  pool_new(script, step) {
    const name = script.unused(take(step, 'as', text));
    const options = {
      tierLen: takeOr(step, 'tiers', integers, undefined),
      tierSlots: takeOr(step, 'tier_slots', integers, undefined),
      tierMaxSlots: takeOr(step, 'tier_max_slots', integers, undefined),
      maxBytes: takeOr(step, 'max_bytes', integer64, undefined),
      hotCache: takeOr(step, 'hot_cache', integer, undefined),
      resplitViews: takeOr(step, 'resplit_views', integer, undefined),
      lockPolicy: takeOr(step, 'lock', (policy) => LOCK_POLICIES[policy], undefined),
    };
    script.bind(name, new Pool(options));
  },

  pool_stats(script, step, out) {
    const stats = poolOf(script, step).stats();
    if ('tier' in step) {
      const tier = stats.tiers[take(step, 'tier', integer)];
      Object.assign(out, { slot_len: tier.slotLen, slots: tier.slots, in_use: tier.inUse, cached: tier.cached });
    }
    out.tiers = stats.tiers.map(({ slotLen }) => Number(slotLen));
    const { guarded, cacheEntries, cacheHits, cacheMisses, cacheEvictions } = stats;
    Object.assign(out, { guarded, cache_entries: cacheEntries, cache_hits: cacheHits });
    Object.assign(out, { cache_misses: cacheMisses, cache_evictions: cacheEvictions });
  },

  reserve(script, step) {
    poolOf(script, step).reserve(take(step, 'len', integer), take(step, 'count', integer));
  },

  trim(script, step) {
    poolOf(script, step).trim();
  },
};

const making = {
  *acquire(script, step, out) {
    const name = script.unused(take(step, 'as', text));
    const pool = poolOf(script, step);
    const len = take(step, 'len', integer);
    const now = (options) => pool.acquire(len, options);
    const later = (options) => pool.acquireAsync(len, options);
    bindSecret(script, name, yield* acquire(step, now, later), out);
  },

  acquire_guarded(script, step, out) {
    const name = script.unused(take(step, 'as', text));
    const align16 = takeOr(step, 'align16', boolean, undefined);
    const resident = takeOr(step, 'resident', boolean, undefined);
    const options = { guarded: true, align16, resident };
    bindSecret(script, name, poolOf(script, step).acquire(take(step, 'len', integer), options), out);
  },

  acquire_batch(script, step) {
    const names = take(step, 'as', list).map(script.unused);
    const secrets = poolOf(script, step).acquireMany(take(step, 'len', integer), names.length);
    for (const [i, secret] of secrets.entries()) script.bind(names[i], secret);
  },

  generate(script, step, out) {
    const name = script.unused(take(step, 'as', text));
    const pool = poolOf(script, step);
    bindSecret(script, name, Secret.generate(take(step, 'len', integer), { pool }), out);
  },

  from_bytes(script, step, out) {
    describe(
      takeSource(script, step, out, (bytes, { pool }) => Secret.fromBytes(bytes, { pool })),
      out,
    );
  },

  take_bytes(script, step, out) {
    describe(
      takeSource(script, step, out, (bytes, { pool }) => Secret.takeBytes(bytes, { pool })),
      out,
    );
  },

  duplicate(script, step, out) {
    const name = script.unused(take(step, 'as', text));
    bindSecret(script, name, script.on(step).duplicate(), out);
  },
};

function revealInto(secret, cap, out) {
  const buffer = Buffer.alloc(cap);
  try {
    out.len = secret.revealInto(buffer);
  } catch (error) {
    if (error.needed !== undefined) out.len = error.needed;
    throw error;
  }
  const revealed = buffer.subarray(0, out.len);
  out.data ??= revealed;
  expect('revealInto', out.data, revealed);
}

const using = {
  info(script, step, out) {
    const secret = script.on(step);
    describe(secret, out);
    out.purged = secret.info().purged;
    expect('length', out.len, secret.length);
  },

  put(script, step) {
    script.on(step).put(take(step, 'offset', integer), take(step, 'data', script.bytes));
  },

  get(script, step, out) {
    const secret = script.on(step);
    const offset = take(step, 'offset', integer);
    const len = take(step, 'len', integer);
    out.data = secret.get(offset, len);
    const buffer = Buffer.alloc(len);
    expect('getInto', len, secret.getInto(buffer, offset));
    expect('getInto', out.data, buffer);
  },

  reveal(script, step, out) {
    const secret = script.on(step);
    const cap = takeOr(step, 'cap', integer, undefined);
    if (cap === undefined) out.data = secret.reveal();
    revealInto(secret, cap ?? out.data.length, out);
  },

  randomize: (script, step) => script.on(step).randomize(),
  clear: (script, step) => script.on(step).clear(),
  freeze: (script, step) => script.on(step).freeze(),
  melt: (script, step) => script.on(step).melt(),

  resize(script, step) {
    script.on(step).resize(take(step, 'len', integer));
  },

  equal(script, step, out) {
    out.equal = script.on(step).equal(script.on(step, 'with'));
  },

  equal_bytes(script, step, out) {
    out.equal = script.on(step).equalBytes(take(step, 'data', script.bytes));
  },

  read_window(script, step, out) {
    const steps = take(step, 'steps', list);
    script.on(step).read((copy) => {
      out.data = Buffer.from(copy);
      script.runNow(steps);
    });
  },

  write_window(script, step, out) {
    const steps = take(step, 'steps', list);
    const data = takeOr(step, 'data', script.bytes, Buffer.alloc(0));
    script.on(step).write((copy) => {
      out.data = Buffer.from(copy);
      copy.set(data);
      script.runNow(steps);
    });
  },

  release(script, step) {
    const name = step.on;
    const secret = script.on(step);
    secret.info(); // closing twice is no error here; a call on a closed secret is
    secret.close();
    script.freed.add(name);
  },

  purge(_script, _step, out) {
    out.open_windows = memory.purge();
  },
};

const sealing = {
  seal(script, step, out) {
    takeSource(script, step, out, (bytes, options) => new Sealed(bytes, options));
  },

  seal_take(script, step, out) {
    takeSource(script, step, out, (bytes, options) => Sealed.take(bytes, options));
  },

  seal_secret(script, step) {
    const name = script.unused(take(step, 'as', text));
    const type = takeOr(step, 'type', integer, undefined);
    script.bind(name, Sealed.fromSecret(script.on(step), { type }));
  },

  *open(script, step, out) {
    const name = script.unused(take(step, 'as', text));
    const sealed = script.on(step);
    const now = (options) => sealed.open(options);
    const later = (options) => sealed.openAsync(options);
    const secret = yield* acquire(step, now, later);
    bindSecret(script, name, secret, out);
    out.data = secret.reveal();
  },

  open_into(script, step, out) {
    const sealed = script.on(step);
    const secret = script.on(step, 'into');
    try {
      expect('openInto', sealed.openInto(secret), secret.length);
    } finally {
      if (statusOf(() => secret.reveal()) === 'OK') Object.assign(out, { data: secret.reveal(), len: secret.length });
    }
  },

  sealed_info(script, step, out) {
    const { len, type, storedLen, purged } = script.on(step).info();
    Object.assign(out, { len, type, stored_len: storedLen, purged });
  },

  id_before(script, step, out) {
    out.before = script.on(step).info().id < script.on(step, 'with').info().id;
  },
};

const operations = { ...pools, ...making, ...using, ...sealing };

/** A transform, in both forms. */
function runKnown(testCase) {
  const script = new Script({});
  const transform = take(testCase, 'transform', text);
  const data = take(testCase, 'in', script.bytes);
  const want = takeOr(testCase, 'status', statusName, 'OK');
  const buffer = Buffer.alloc(2 ** 17);
  let answer;
  let len;
  const natural = statusOf(() => {
    answer = memory.knownAnswer(transform, data);
  });
  const into = statusOf(() => {
    len = memory.knownAnswerInto(buffer, transform, data);
  });
  expect('status', want, natural);
  expect('status into a buffer', want, into);
  if (want !== 'OK') return;
  const expected = take(testCase, 'out', (value) => value);
  script.expectOutput('out', expected, answer);
  script.expectOutput('out into a buffer', expected, buffer.subarray(0, len));
}

export default {
  constant: (name) => keep[name.replace(/^KEEP_/, '')],
  arrays: {
    known: runKnown,
    scripts: (testCase, position) => runScript(operations, testCase, position),
  },
};
