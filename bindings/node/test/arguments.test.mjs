// SPDX-License-Identifier: MIT

// What wrong arguments get (bindings §7, T12, T16): an exception, never a crash.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import keep from '../lib/index.js';
import native from '../lib/native.js';
import { fails, pairOfSessions, refuses } from './support.mjs';

const { Handshake, Packet, PacketPool, Pool, Sealed, Secret, Session, memory, packet } = keep;

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';

function handles() {
  const secret = Secret.generate(32);
  const pool = new PacketPool({ capacity: 1 });
  const keys = { staticKey: secret, preSharedKey: secret };
  const handshake = new Handshake({ pattern: keep.Noise.XXPSK3, role: keep.Role.INITIATOR, ...keys });
  return [
    new Pool(),
    secret,
    Sealed.fromSecret(secret),
    new Session({ rxKey: secret }),
    pool,
    pool.acquire(),
    handshake,
  ];
}

/** Every method and getter of a class, as functions. */
function methodsOf(prototype) {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name]) => name !== 'constructor')
    .map(([name, { value, get }]) => [name, value ?? get]);
}

test('lengths and counts are safe integers from 0 on', () => {
  const pool = Pool.default();
  const secret = Secret.generate(8);
  const calls = [
    (n) => pool.acquire(n),
    (n) => pool.acquireMany(n, 1),
    (n) => pool.acquireMany(1, n),
    (n) => pool.reserve(n, 1),
    (n) => Secret.generate(n),
    (n) => secret.get(n, 1),
    (n) => secret.get(0, n),
    (n) => secret.put(n, Buffer.alloc(1)),
    (n) => secret.getInto(Buffer.alloc(1), n),
    (n) => secret.resize(n),
  ];
  for (const call of calls) {
    for (const value of [NaN, 1.5, -1, 2 ** 53, Infinity, -0.5]) refuses(RANGE, () => call(value));
    for (const value of [1n, '1', null, undefined, {}, true]) refuses(TYPE, () => call(value));
  }
  fails('INVALID_ARGUMENT', () => pool.acquire(keep.MAX_SECRET_LEN + 1));
  fails('INVALID_ARGUMENT', () => secret.get(0, Number.MAX_SAFE_INTEGER));
  fails('INVALID_ARGUMENT', () => secret.put(Number.MAX_SAFE_INTEGER, Buffer.alloc(1)));
});

test('32-bit numbers are 32-bit numbers', () => {
  const options = [{ hotCache: -1 }, { hotCache: 2 ** 32 }, { backing: 1.5 }, { tierLen: [2 ** 32] }];
  for (const option of options) refuses(RANGE, () => new Pool(option));
  refuses(RANGE, () => new Sealed(Buffer.alloc(1), { type: 2 ** 32 }));
  refuses(TYPE, () => new Sealed(Buffer.alloc(1), { type: 1n }));
  assert.equal(new Sealed(Buffer.alloc(1), { type: 2 ** 32 - 1 }).info().type, 2 ** 32 - 1);
  refuses(RANGE, () => memory.harden(-1));
});

test('64-bit numbers are bigints', () => {
  for (const value of [-1n, 2n ** 64n]) refuses(RANGE, () => new Pool({ maxBytes: value }));
  for (const value of [1, 2 ** 53, '1', null]) refuses(TYPE, () => new Pool({ maxBytes: value }));
  for (const value of [2n ** 53n, 2n ** 64n - 1n]) fails('INVALID_ARGUMENT', () => new Pool({ maxBytes: value }));
  assert.ok(new Pool({ maxBytes: 0n }) instanceof Pool);
});

test('flags are booleans, lists are arrays, options are objects with known keys', () => {
  const pool = Pool.default();
  for (const value of [1, 'true', null]) refuses(TYPE, () => pool.acquire(1, { guarded: value }));
  for (const value of [5, 'x', null, { length: 1 }]) refuses(TYPE, () => new Pool({ tierLen: value }));
  for (const value of [5, 'x', null, () => 0]) {
    refuses(TYPE, () => new Pool(value));
    refuses(TYPE, () => pool.acquire(1, value));
    refuses(TYPE, () => Secret.generate(1, value));
    refuses(TYPE, () => new Sealed(Buffer.alloc(1), value));
  }
  for (const options of [{ guard: true }, { timeoutMs: 5 }, { ['x'.repeat(100)]: 1 }, ['guarded']]) {
    refuses('ERR_INVALID_ARG_VALUE', () => pool.acquire(1, options));
  }
  refuses('ERR_INVALID_ARG_VALUE', () => Secret.generate(1, { tool: pool }));
  refuses('ERR_INVALID_ARG_VALUE', () => Sealed.fromSecret(Secret.generate(1), { pool }));
  assert.equal(pool.acquire(1, { guarded: undefined }).length, 1);
  assert.equal(Secret.generate(1, { pool: undefined }).length, 1);
  fails('INVALID_ARGUMENT', () => new Pool({ tierLen: Array(9).fill(16) }));
  const thrower = {
    get guarded() {
      throw new Error('from a getter');
    },
  };
  assert.throws(() => pool.acquire(1, thrower), /from a getter/);
});

test('the fields of a request have their kinds and ranges', () => {
  const [sender] = pairOfSessions();
  const pool = new PacketPool({ capacity: 1 }).acquire();
  const calls = [
    (options) => sender.seal([], options),
    (options) => sender.sealInto(Buffer.alloc(200), [], options),
    (options) => sender.sealBatch([options]),
    (options) => pool.build(sender, [], options),
  ];
  const ranges = [{ flags: 256 }, { flags: -1 }, { kind: 1.5 }, { subprotocolId: 65536 }, { streamId: -1n }];
  const types = [5, null, { flags: 1n }, { streamId: 1 }, { sequence: null }, { kind: '1' }, { settings: 5 }];
  for (const call of calls) {
    for (const each of [...ranges, { sequence: 2n ** 64n }]) refuses(RANGE, () => call(each));
    for (const each of types) refuses(TYPE, () => call(each));
    for (const each of [{ stream_id: 1n }, { settings: { hops: 1 } }, [0]]) {
      refuses('ERR_INVALID_ARG_VALUE', () => call(each));
    }
    call({ flags: undefined, streamId: 2n ** 64n - 1n, settings: undefined });
  }
  refuses('ERR_INVALID_ARG_VALUE', () => sender.seal([], { events: [] }));
});

test('events and datagrams are arrays of bytes', () => {
  const [sender, receiver] = pairOfSessions();
  for (const wrong of [undefined, null, 5, 'text', Buffer.alloc(1), { length: 1 }, new Set([Buffer.alloc(1)])]) {
    refuses(TYPE, () => sender.seal(wrong));
    refuses(TYPE, () => packet.measure(wrong));
    refuses(TYPE, () => sender.sealBatch(wrong));
    refuses(TYPE, () => receiver.openBatch(wrong));
  }
  for (const wrong of ['text', null, undefined, new Uint16Array(1), [Buffer.alloc(1)], Pool.default()]) {
    for (const events of [[wrong], [Buffer.alloc(1), wrong]]) {
      refuses(TYPE, () => sender.seal(events));
      refuses(TYPE, () => receiver.openBatch(events));
    }
    refuses(TYPE, () => receiver.open(wrong));
    refuses(TYPE, () => receiver.openInto(wrong, Buffer.alloc(84)));
    refuses(TYPE, () => packet.parse(wrong));
  }
  refuses(TYPE, () => sender.seal(Array(2)));
  refuses(TYPE, () => receiver.openInto(Buffer.alloc(1), Buffer.alloc(84), [1, 2]));
});

test('the arguments of a promise reject', async () => {
  const pool = Pool.default();
  await assert.rejects(pool.acquireAsync(-1), { code: RANGE });
  await assert.rejects(pool.acquireAsync(1, { timeoutMs: 2 ** 32 }), { code: RANGE });
  await assert.rejects(pool.acquireAsync(1, { timeoutMs: 1n }), { code: TYPE });
  await assert.rejects(Pool.prototype.acquireAsync.call({}, 1), { code: TYPE });
  await assert.rejects(Sealed.prototype.openAsync.call(pool), { code: TYPE });
});

test('bytes are a Uint8Array or a Secret', () => {
  const secret = Secret.generate(8);
  const wrong = [
    'text',
    5,
    null,
    undefined,
    [1],
    new ArrayBuffer(1),
    new DataView(new ArrayBuffer(1)),
    new Uint16Array(1),
  ];
  for (const value of [...wrong, new Uint8ClampedArray(1), new Int8Array(1), {}, Pool.default()]) {
    refuses(TYPE, () => Secret.fromBytes(value));
    refuses(TYPE, () => secret.put(0, value));
    refuses(TYPE, () => secret.equalBytes(value));
    refuses(TYPE, () => new Sealed(value));
    refuses(TYPE, () => Secret.takeBytes(value));
    refuses(TYPE, () => secret.revealInto(value));
    refuses(TYPE, () => memory.knownAnswer('sealed.aad', value));
  }
  refuses(TYPE, () => Secret.takeBytes(secret));
  refuses(TYPE, () => secret.revealInto(secret));
  refuses(TYPE, () => secret.equal(Buffer.alloc(8)));
  refuses(TYPE, () => memory.knownAnswer(5, Buffer.alloc(1)));
});

test('a view, shared memory and detached memory are bytes like others', () => {
  const view = Buffer.from('0123456789').subarray(3, 5);
  assert.equal(Secret.fromBytes(view).reveal().toString(), '34');
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(65);
  assert.equal(Secret.fromBytes(shared).reveal().toString(), 'AAAA');
  const gone = Buffer.from(new ArrayBuffer(8));
  const secret = Secret.fromBytes(gone);
  structuredClone(gone, { transfer: [gone.buffer] });
  assert.equal(secret.length, 8);
  assert.equal(Secret.fromBytes(gone).length, 0);
  assert.equal(fails('BUFFER_TOO_SMALL', () => secret.revealInto(gone)).needed, 8);
});

test('a receiver that is no handle, or one of another class, is refused', () => {
  const all = handles();
  for (const Class of [Pool, Secret, Sealed, Session, PacketPool, Packet, Handshake]) {
    const receivers = [undefined, null, 5, {}, Object.create(Class.prototype), new Proxy(all[0], {})];
    receivers.push(...all.filter((each) => !(each instanceof Class)));
    for (const [name, method] of methodsOf(Class.prototype)) {
      if (name.endsWith('Async') || typeof name === 'symbol') continue;
      for (const receiver of receivers) refuses(TYPE, () => method.call(receiver, 1));
    }
  }
});

test('the native functions refuse anything but the right External', () => {
  const secret = native.secretGenerate(32);
  const pool = native.packetPoolNew(1);
  const externals = [native.poolNew(), secret, native.sealedNew(Buffer.alloc(1), 0), pool];
  externals.push(native.packetPoolAcquire(pool));
  externals.push(native.sessionNew(undefined, secret, 1n, 0n, 0n, 0, 0));
  externals.push(native.handshakeNew(2, 2, secret, secret, undefined, undefined, undefined, Buffer.alloc(1)));
  const values = [undefined, null, 5, 1n, 'x', {}, [], Buffer.alloc(1), new Uint32Array(1), ...externals];
  const names = Object.keys(native).filter((name) => /^(pool|secret|sealed|session|packet|handshake)/.test(name));
  assert.ok(names.length > 60);
  for (const name of names) {
    for (const first of values) {
      for (const second of values) callQuietly(native[name], first, second);
    }
  }
});

/** Whatever a function makes of its arguments, it fails as Node's functions do. */
function callQuietly(call, first, second) {
  try {
    call(first, second, second, first);
  } catch (error) {
    assert.ok(error instanceof TypeError || error instanceof RangeError || error instanceof keep.KeepError, error);
  }
}

test('only libkeep makes secrets and packets', () => {
  refuses('ERR_ILLEGAL_CONSTRUCTOR', () => new Packet());
  refuses('ERR_ILLEGAL_CONSTRUCTOR', () => new Secret());
  refuses('ERR_ILLEGAL_CONSTRUCTOR', () => new Secret(Symbol('adopt'), {}));
  refuses(TYPE, () => new Sealed());
});

test('a handle is not copied, sent, stored or written as JSON', () => {
  const { port1, port2 } = new MessageChannel();
  for (const handle of handles()) {
    for (const call of [
      () => structuredClone(handle),
      () => v8.serialize(handle),
      () => port1.postMessage(handle),
      () => ({ ...handle }),
      () => JSON.stringify({ handle }),
    ]) {
      refuses(TYPE, call);
    }
  }
  port1.close();
  port2.close();
});
