// SPDX-License-Identifier: MIT

// Every method once, and the life of handles (bindings T1, T2, T6 by T11). What the calls do is in the shared vectors.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { checkText } from '../lib/errors.js';
import keep from '../lib/index.js';
import { fails, refuses, rejects, smallPool } from './support.mjs';

const { KeepError, Kind, memory, Pool, Sealed, Secret } = keep;

test('a pool gives secrets, tells about itself, and ends', async () => {
  const pool = smallPool(4);
  const secret = pool.acquire(20);
  assert.equal(secret.length, 20);
  assert.deepEqual(secret.reveal(), Buffer.alloc(20));
  const more = pool.acquireMany(32, 2);
  assert.equal(more.length, 2);
  const { tiers, guarded, lockedBytes, unlockedBytes } = pool.stats();
  assert.deepEqual(tiers[0], { slotLen: 32n, slots: 4n, inUse: 3n, cached: 0n, waiting: 0n, regions: 1n });
  assert.equal(guarded, 0n);
  assert.ok(lockedBytes + unlockedBytes > 0n);
  assert.equal((await pool.acquireAsync(1)).length, 1);
  fails('EXHAUSTED', () => pool.acquire(1));
  fails('EXHAUSTED', () => pool.reserve(32, 1));
  assert.equal(pool.acquire(1, { fallback: true }).info().kind, Kind.GUARDED);
  Secret.closeMany([secret, ...more]);
  pool.reserve(32, 3);
  assert.equal(typeof pool.trim(), 'bigint');
  pool.close();
});

test('the default pool is one, made with options only before its first use', () => {
  const [one, two] = [Pool.default(), Pool.default()];
  const secret = one.acquire(8);
  assert.ok(two.stats().tiers.some(({ inUse }) => inUse > 0n));
  fails('STATE', () => Pool.default({}));
  one.close();
  two.close();
  assert.deepEqual(secret.reveal(), Buffer.alloc(8));
});

test('guarded buffers take their options', () => {
  const secret = Pool.default().acquire(100, { guarded: true, align16: true, resident: true });
  assert.equal(secret.info().kind, Kind.GUARDED);
  assert.equal(secret.info().capacity, 100n);
  secret.put(98, Buffer.from('ab'));
  assert.equal(secret.get(98, 2).toString(), 'ab');
});

test('a secret is made of random bytes, of a copy, of another secret', () => {
  const secret = Secret.generate(32);
  assert.notDeepEqual(secret.reveal(), Secret.generate(32).reveal());
  const source = Buffer.from('correct horse');
  const copy = Secret.fromBytes(source, { pool: smallPool(2) });
  assert.deepEqual(copy.reveal(), source);
  assert.deepEqual(Secret.fromBytes(copy).reveal(), source);
  assert.ok(copy.duplicate().equal(copy));
  const taken = Secret.takeBytes(source);
  assert.deepEqual(source, Buffer.alloc(source.length));
  assert.equal(taken.reveal().toString(), 'correct horse');
});

test('bytes that could not be taken are not wiped', () => {
  const pool = smallPool(1);
  const holder = pool.acquire(1);
  const source = Buffer.from('kept');
  fails('EXHAUSTED', () => Secret.takeBytes(source, { pool }));
  assert.equal(source.toString(), 'kept');
  holder.close();
});

test('bytes go in and out, whole or in part, into new or given memory', () => {
  const secret = Secret.fromBytes(Buffer.from('0123456789'));
  secret.put(2, Buffer.from('ab'));
  secret.put(4, Secret.fromBytes(Buffer.from('cd')));
  assert.equal(secret.get(1, 4).toString(), '1abc');
  const out = new Uint8Array(3);
  assert.equal(secret.getInto(out, 7), 3);
  assert.equal(Buffer.from(out).toString(), '789');
  const large = Buffer.alloc(12, '.');
  assert.equal(secret.revealInto(large), 10);
  assert.equal(large.toString(), '01abcd6789..');
  const small = Buffer.alloc(9, '.');
  assert.equal(fails('BUFFER_TOO_SMALL', () => secret.revealInto(small)).needed, 10);
  assert.equal(small.toString(), '.........');
  assert.notEqual(secret.reveal().buffer, Buffer.from('x').buffer, 'never of the shared pool');
});

test('a secret is changed, compared, frozen', () => {
  const secret = Secret.fromBytes(Buffer.from('secret'));
  assert.ok(secret.equalBytes(Buffer.from('secret')));
  assert.ok(secret.equalBytes(secret.duplicate()));
  assert.ok(!secret.equalBytes(Buffer.from('Secret')));
  assert.ok(secret.equal(secret));
  secret.freeze();
  fails('STATE', () => secret.clear());
  secret.melt();
  secret.resize(3);
  assert.equal(secret.reveal().toString(), 'sec');
  secret.randomize();
  secret.clear();
  assert.deepEqual(secret.reveal(), Buffer.alloc(3));
  assert.deepEqual(Object.keys(secret.info()).length, 10);
  assert.ok(Object.isFrozen(secret.info()));
});

test('a sealed secret is opened, at once, later, or into a secret', async () => {
  const pool = smallPool(4);
  const sealed = new Sealed(Buffer.from('sealed'), { type: 7, pool });
  const { len, storedLen, type, purged } = sealed.info();
  assert.deepEqual([len, storedLen, type, purged], [6n, 6n + BigInt(keep.SEALED_OVERHEAD), 7, false]);
  const opened = sealed.open();
  assert.equal(opened.reveal().toString(), 'sealed');
  assert.ok(opened.info().frozen);
  assert.ok((await sealed.openAsync({ timeoutMs: 10 })).equal(opened));
  const target = pool.acquire(32);
  assert.equal(sealed.openInto(target), 6);
  assert.ok(target.equal(opened));
  const again = Sealed.fromSecret(target, { type: 8 });
  assert.ok(again.info().id > sealed.info().id);
  const source = Buffer.from('taken');
  assert.equal(Sealed.take(source).open().reveal().toString(), 'taken');
  assert.deepEqual(source, Buffer.alloc(5));
  assert.ok(new Sealed(opened).open().equal(opened));
});

test('a wait ends with a slot, with TIMEOUT, or with a guarded buffer', async () => {
  const pool = smallPool(1);
  const sealed = new Sealed(Buffer.from('x'), { pool });
  const holder = pool.acquire(1);
  await rejects('EXHAUSTED', pool.acquireAsync(1));
  await rejects('TIMEOUT', pool.acquireAsync(1, { timeoutMs: 5 }));
  await rejects('TIMEOUT', sealed.openAsync({ timeoutMs: 5 }));
  const other = await pool.acquireAsync(1, { timeoutMs: 5, fallback: true });
  assert.equal(other.info().kind, Kind.GUARDED);
  const waiting = sealed.openAsync({ timeoutMs: 10000 });
  setTimeout(() => holder.close(), 5);
  assert.equal((await waiting).reveal().toString(), 'x');
});

test('a wait longer than a slice still lasts as long as it should', async () => {
  const pool = smallPool(1);
  const holder = pool.acquire(1);
  const begin = performance.now();
  await rejects('TIMEOUT', pool.acquireAsync(1, { timeoutMs: 600 }));
  assert.ok(performance.now() - begin >= 599);
  const soon = () => rejects('TIMEOUT', pool.acquireAsync(1, { timeoutMs: 251 }));
  await Promise.all(Array.from({ length: 12 }, soon));
  const other = await pool.acquireAsync(1, { timeoutMs: 300, fallback: true });
  assert.equal(other.info().kind, Kind.GUARDED);
  assert.ok(performance.now() - begin >= 898, 'it falls back only when the wait is over');
  const waiting = pool.acquireAsync(1, { timeoutMs: keep.WAIT_FOREVER });
  setTimeout(() => holder.close(), 300);
  assert.equal((await waiting).length, 1);
});

test('handles end once, in any order, and every call after it says so', () => {
  const pool = smallPool(2);
  const secret = pool.acquire(4);
  const sealed = Sealed.fromSecret(secret);
  for (const handle of [pool, secret, sealed]) {
    handle.close();
    handle.close();
    handle[Symbol.dispose]();
  }
  fails('CLOSED', () => pool.acquire(1));
  fails('CLOSED', () => Secret.generate(1, { pool }));
  fails('CLOSED', () => sealed.open());
  fails('CLOSED', () => secret.length);
  fails('CLOSED', () => secret.read(() => 0));
  fails('CLOSED', () => Secret.fromBytes(secret));
  fails('INVALID_ARGUMENT', () => secret.resize(keep.MAX_SECRET_LEN + 1), 'the first check that applies');
  Secret.closeMany([secret, secret]);
});

test('closing many closes all it can and throws the first failure', () => {
  const secrets = Pool.default().acquireMany(8, 3);
  secrets[1].read(() => fails('BUSY', () => Secret.closeMany([...secrets, secrets[0]])));
  fails('CLOSED', () => secrets[0].length);
  fails('CLOSED', () => secrets[2].length);
  assert.equal(secrets[1].length, 8);
  Secret.closeMany(secrets);
  fails('CLOSED', () => secrets[1].length);
  fails('INVALID_ARGUMENT', () => Secret.closeMany([]));
  refuses('ERR_INVALID_ARG_TYPE', () => Secret.closeMany([secrets[0], {}]));
});

test('a block that declares a secret with `using` closes it', { skip: !hasUsing() }, () => {
  const run = new Function('Secret', 'let s; { using t = Secret.generate(1); s = t; } return s;');
  fails('CLOSED', () => run(Secret).length);
});

function hasUsing() {
  try {
    return new Function('{ using x = null; } return true;')();
  } catch {
    return false;
  }
}

test('a purge takes everything at once', () => {
  const secret = Secret.generate(8);
  const sealed = new Sealed(Buffer.from('gone'));
  assert.equal(
    secret.read(() => memory.purge()),
    1n,
  );
  fails('PURGED', () => secret.reveal());
  fails('PURGED', () => sealed.open());
  assert.ok(secret.info().purged && sealed.info().purged);
  secret.close();
  assert.equal(Secret.generate(8).length, 8);
});

test('a purge inside a write window is survived; the secret stays purged', () => {
  const secret = Secret.generate(8);
  secret.write((copy) => {
    copy.fill(7);
    memory.purge();
  });
  fails('PURGED', () => secret.reveal());
  secret.close();
});

test('the process is reported, tested, hardened', () => {
  const facts = memory.report();
  assert.ok(facts.pageSize >= 4096n);
  assert.equal(facts.checked, 0);
  const tested = memory.report({ lockPolicy: keep.LockPolicy.ALLOW_UNLOCKED });
  assert.ok((tested.passed & keep.Check.WIPED) !== 0);
  assert.equal(tested.failed, 0);
  assert.equal(memory.harden(0).failed, 0);
  fails('INVALID_ARGUMENT', () => memory.harden(1 << 20));
});

test('known answers come as a buffer, or into one', () => {
  const fields = Buffer.alloc(28, 1);
  const answer = memory.knownAnswer('sealed.aad', fields);
  assert.equal(answer.length, 32);
  assert.equal(answer.toString('latin1', 0, 4), 'KSM1');
  const out = Buffer.alloc(40);
  assert.equal(memory.knownAnswerInto(out, 'sealed.aad', Secret.fromBytes(fields)), 32);
  assert.deepEqual(out.subarray(0, 32), answer);
  const small = Buffer.alloc(31);
  assert.equal(fails('BUFFER_TOO_SMALL', () => memory.knownAnswerInto(small, 'sealed.aad', fields)).needed, 32);
  for (const name of ['no.such', 'sealed.aad\0', '', 'x'.repeat(100), '\ud800']) {
    fails('INVALID_ARGUMENT', () => memory.knownAnswer(name, fields));
  }
});

test('a text with a lone surrogate is refused, before it could become another text', () => {
  for (const wrong of ['\ud800', 'a\udfffb', '\udc00\ud800']) fails('INVALID_ARGUMENT', () => checkText(wrong, 'op'));
  for (const right of ['', 'plain', '\u{1f511}', 'nul \0']) assert.equal(checkText(right, 'op'), right);
});

test('the version is that of the constants', () => {
  const { version, VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH, VERSION_NUMBER } = keep;
  assert.equal(version(), `${VERSION_MAJOR}.${VERSION_MINOR}.${VERSION_PATCH}`);
  assert.equal(VERSION_NUMBER, VERSION_MAJOR * 1e6 + VERSION_MINOR * 1e3 + VERSION_PATCH);
});

test('what is printed shows class, length and state, never a byte', () => {
  const planted = Buffer.from('planted-secret-bytes');
  const secret = Secret.fromBytes(planted);
  const sealed = Sealed.fromSecret(secret);
  const pool = smallPool(1);
  const texts = [secret, sealed, pool].flatMap((each) => [String(each), inspect(each), format('%o %s', each, each)]);
  assert.equal(String(secret), '[Secret: 20 bytes, open]');
  assert.equal(inspect(sealed), 'Sealed { 20 bytes, sealed }');
  secret.freeze();
  assert.equal(inspect(secret), 'Secret { 20 bytes, frozen }');
  secret.close();
  assert.equal(inspect(secret), 'Secret { closed }');
  for (const text of texts) {
    assert.ok(!text.includes('planted') && !text.includes(planted.toString('hex')));
  }
});

test('an error tells its status, its operation and its sentence', () => {
  const error = fails('STATE', () => {
    const secret = Secret.generate(1);
    secret.freeze();
    secret.clear();
  });
  assert.ok(error instanceof Error && error instanceof KeepError);
  const { name, message, status, op, needed, layer, layerCode, reason, values } = error;
  assert.deepEqual(
    { name, message, status, op, needed },
    { name: 'KeepError', message: 'not possible in this state', status: 3, op: 'Secret.clear', needed: undefined },
  );
  assert.deepEqual(
    { layer, layerCode, reason, values },
    { layer: 0, layerCode: 0n, reason: 'none', values: [0n, 0n, 0n, 0n] },
  );
  assert.match(error.stack, /memory\.test\.mjs/);
});
