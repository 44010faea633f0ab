// SPDX-License-Identifier: MIT

// The cases of keep-memory-1 (memory.md §11).

import keep from '../../lib/index.js';
import {
  boolean,
  entry,
  expect,
  expectStatus,
  integer,
  integer64,
  integers,
  list,
  scripts,
  statusOf,
  told,
} from './shared.mjs';

const { LockPolicy, Kind, memory, Pool, Sealed, Secret } = keep;

const POOL = {
  max_bytes: integer64,
  hot_cache: integer,
  resplit_views: integer,
  tier_slots: integers,
  tier_max_slots: integers,
};
const LOCK_POLICIES = { require: LockPolicy.REQUIRE, allow_unlocked: LockPolicy.ALLOW_UNLOCKED };

const poolOf = (step) => (step.has('on') ? step.on() : Pool.default());
const describe = (secret) => told(secret.info(), { kind: Kind });

// Pools

function makePool(step) {
  const lockPolicy = step.take('lock', entry(LOCK_POLICIES));
  const options = { tierLen: step.take('tiers', integers), lockPolicy, ...step.options(POOL) };
  step.bind(() => new Pool(options));
}

function poolStats(step) {
  const { tiers, ...stats } = poolOf(step).stats();
  const tier = step.has('tier') ? told(tiers[step.integer('tier')]) : {};
  return { ...told(stats), ...tier, tiers: tiers.map(({ slotLen }) => slotLen) };
}

// Making secrets

const bindSecret = (step, make) => describe(step.bind(make));

/** Acquires by the form that waits, if there is a time to wait. */
function acquireBy(step, now, later, use) {
  step.run.unused(step.text('as'));
  const options = step.options({ fallback: boolean });
  if (!step.has('timeout_ms')) return use(now(options));
  return later({ ...options, timeoutMs: Number(step.integer64('timeout_ms')) }).then(use);
}

function acquire(step) {
  const [pool, len] = [poolOf(step), step.integer('len')];
  const now = (options) => pool.acquire(len, options);
  const later = (options) => pool.acquireAsync(len, options);
  return acquireBy(step, now, later, (secret) => bindSecret(step, () => secret));
}

function acquireGuarded(step) {
  const options = { guarded: true, align16: step.boolean('align16'), resident: step.boolean('resident') };
  return bindSecret(step, () => poolOf(step).acquire(step.integer('len'), options));
}

function acquireBatch(step) {
  const names = step.take('as', list).map((name) => step.run.unused(name));
  const secrets = poolOf(step).acquireMany(step.integer('len'), names.length);
  for (const [i, secret] of secrets.entries()) step.run.bind(step.run.unused(names[i]), secret);
}

/** What takes bytes of the caller: `source` is what became of them. */
function fromSource(step, make) {
  step.out.source = Buffer.from(step.bytes('data'));
  return step.bind(() => make(step.out.source, { pool: poolOf(step), type: step.integer('type') }));
}

const fromBytes = (make) => (step) => describe(fromSource(step, (bytes, { pool }) => make(bytes, { pool })));

// Using secrets

function info(step) {
  const out = describe(step.on());
  expect('length', Number(out.len), step.on().length);
  return out;
}

function get(step) {
  const [offset, len] = [step.integer('offset'), step.integer('len')];
  const data = step.on().get(offset, len);
  const buffer = Buffer.alloc(len);
  expect('getInto', len, step.on().getInto(buffer, offset));
  expect('getInto', data, buffer);
  return { data };
}

function reveal(step) {
  const whole = step.has('cap') ? undefined : step.on().reveal();
  const buffer = Buffer.alloc(step.integer('cap') ?? whole.length);
  try {
    const data = buffer.subarray(0, step.on().revealInto(buffer));
    expect('revealInto', whole ?? data, data);
    return { data, len: data.length };
  } catch (error) {
    if (error.needed !== undefined) step.out.len = error.needed;
    throw error;
  }
}

/** Opens a window, notes what it shows, and runs the step's steps in it. */
const window = (open) => (step) => {
  const steps = step.take('steps', list);
  const data = step.bytes('data') ?? Buffer.alloc(0);
  let isOpen = false;
  try {
    open(step.on(), (copy) => {
      isOpen = true;
      step.out.data = Buffer.from(copy);
      copy.set(data);
      step.run.stepNow(steps);
    });
  } finally {
    if (!isOpen) steps.length = 0; // they do not run
  }
};

function release(step) {
  step.on().info(); // closing twice is no error here; a call on a closed secret is
  step.on().close();
  step.run.freed.add(step.text('on'));
}

// Sealed secrets

function open(step) {
  const sealed = step.on();
  const now = (options) => sealed.open(options);
  const later = (options) => sealed.openAsync(options);
  return acquireBy(step, now, later, (secret) => {
    return { ...bindSecret(step, () => secret), data: secret.reveal() };
  });
}

function openInto(step) {
  const secret = step.on('into');
  try {
    expect('openInto', step.on().openInto(secret), secret.length);
  } finally {
    if (statusOf(() => secret.reveal()) === 'OK')
      Object.assign(step.out, { data: secret.reveal(), len: secret.length });
  }
}

const operations = {
  pool_new: ['as', makePool],
  pool_stats: ['', poolStats],
  acquire: ['as len', acquire],
  acquire_guarded: ['as len', acquireGuarded],
  acquire_batch: ['as len', acquireBatch],
  reserve: ['len count', (step) => poolOf(step).reserve(step.integer('len'), step.integer('count'))],
  trim: ['', (step) => void poolOf(step).trim()],
  generate: ['as len', (step) => bindSecret(step, () => Secret.generate(step.integer('len'), { pool: poolOf(step) }))],
  from_bytes: ['as data', fromBytes((...source) => Secret.fromBytes(...source))],
  take_bytes: ['as data', fromBytes((...source) => Secret.takeBytes(...source))],
  duplicate: ['on as', (step) => bindSecret(step, () => step.on().duplicate())],
  info: ['on', info],
  put: ['on offset data', (step) => step.on().put(step.integer('offset'), step.bytes('data'))],
  get: ['on offset len', get],
  reveal: ['on', reveal],
  randomize: ['on', (step) => step.on().randomize()],
  clear: ['on', (step) => step.on().clear()],
  freeze: ['on', (step) => step.on().freeze()],
  melt: ['on', (step) => step.on().melt()],
  resize: ['on len', (step) => step.on().resize(step.integer('len'))],
  equal: ['on with', (step) => ({ equal: step.on().equal(step.on('with')) })],
  equal_bytes: ['on data', (step) => ({ equal: step.on().equalBytes(step.bytes('data')) })],
  read_window: ['on steps', window((secret, use) => secret.read(use))],
  write_window: ['on steps', window((secret, use) => secret.write(use))],
  release: ['on', release],
  purge: ['', () => ({ open_windows: memory.purge() })],
  seal: ['as data', (step) => void fromSource(step, (bytes, options) => new Sealed(bytes, options))],
  seal_take: ['as data', (step) => void fromSource(step, (bytes, options) => Sealed.take(bytes, options))],
  seal_secret: ['on as', (step) => void step.bind(() => Sealed.fromSecret(step.on(), step.options({ type: integer })))],
  open: ['on as', open],
  open_into: ['on into', openInto],
  sealed_info: ['on', (step) => told(step.on().info())],
  id_before: ['on with', (step) => ({ before: step.on().info().id < step.on('with').info().id })],
};

/** A transform, in both forms. */
function runKnown(step) {
  const question = [step.text('transform'), step.bytes('in')];
  const buffer = Buffer.alloc(2 ** 17);
  expectStatus('the answer', step.status, () => memory.knownAnswer(...question));
  expectStatus('the answer in a buffer', step.status, () => memory.knownAnswerInto(buffer, ...question));
  if (step.status !== 'OK') return;
  step.expect('out', memory.knownAnswer(...question));
  step.expect('out', buffer.subarray(0, memory.knownAnswerInto(buffer, ...question)));
}

export default { arrays: { known: ['transform in', runKnown], scripts }, operations };
