// SPDX-License-Identifier: MIT

// Ledgers, and what beacons and observers do without sockets: each method once, wrong arguments, ends (bindings T11,
// T12, T15, T16). What they decide is in the vectors.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import v8 from 'node:v8';
import keep from '../lib/index.js';
import native from '../lib/native.js';
import { collect, fails, refuses, runProgram } from './support.mjs';

const { AgentState, Beacon, BeatMode, EventKind, Health, Observer, Origin, Secret, Tracker, Verdict, tracker } = keep;

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const VALUE = 'ERR_INVALID_ARG_VALUE';

const beat = (pid, nonce, more = {}) => ({ pid, nonce, origin: Origin.KERNEL, ...more });
const detached = (more = {}) => new Beacon({ agentPid: 100, ...more });

function datagram(pid, nonce, more = {}) {
  const beacon = detached({ agentPid: pid, startNonce: nonce - 1n });
  const data = beacon.prepare(Health.OK, 7, 5n);
  beacon.close();
  return { source: keep.DatagramSource.UNIX, data, kernelPid: pid, nsInode: 1n, generation: 1n, ...more };
}

test('a ledger tells who beat when', () => {
  const ledger = new Tracker({ capacity: 4, thresholdNs: 100n, statistics: true, hashKey: Buffer.alloc(16, 1) });
  const admission = ledger.record(beat(10, 1n, { health: Health.DEGRADED, payload: 9, claimedPid: 3 }), 0n);
  assert.deepEqual({ ...admission }, { verdict: Verdict.INSERTED, flags: 0, evictedPid: 0 });
  assert.ok(Object.isFrozen(admission));
  const verdicts = ledger.recordBatch([beat(10, 1n), beat(11, 1n)], 10n).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts, [Verdict.OUT_OF_ORDER, Verdict.INSERTED]);
  assert.equal(ledger.nextDeadline(), 100n);
  const agent = ledger.get(10, 50n);
  assert.deepEqual([agent.silenceNs, agent.state, agent.health, agent.payload], [50n, AgentState.ALIVE, 1, 9]);
  assert.equal(ledger.put(12, 20n, { thresholdNs: 1000n, graceNs: 5n, misses: 2, unarmed: true }), 0);
  assert.deepEqual(
    ledger
      .list()
      .map(({ pid, state }) => [pid, state])
      .sort(),
    [
      [10, AgentState.ALIVE],
      [11, AgentState.ALIVE],
      [12, AgentState.UNARMED],
    ],
  );
  assert.deepEqual(
    ledger.drain(200n, 1).map(({ pid }) => pid),
    [10],
  );
  const [alarm] = ledger.drain(200n);
  assert.deepEqual([alarm.pid, alarm.silenceNs, alarm.misses, alarm.stalled, alarm.agents], [11, 190n, 1, 2, 3]);
  assert.deepEqual(ledger.drain(200n), []);
  ledger.delete(12, keep.DeleteReason.OPERATOR, 200n);
  fails('NOT_FOUND', () => ledger.get(12, 200n));
  assert.equal(ledger.nextDeadline(), keep.TIME_NEVER);
  const { agents, stalls, deletes, outOfOrder } = ledger.stats();
  assert.deepEqual([agents, stalls, deletes, outOfOrder], [2n, 2n, 1n, 1n]);
  assert.equal(String(ledger), '[Tracker: 2 agents, 2 stalled]');
});

test('a ledger lists more agents than one piece', () => {
  const ledger = new Tracker({ capacity: 3000 });
  for (let i = 0; i < 3; i++) {
    ledger.recordBatch(
      Array.from({ length: 1000 }, (_, j) => beat(1 + i * 1000 + j, 1n)),
      0n,
    );
  }
  const pids = ledger.list().map(({ pid }) => pid);
  assert.deepEqual([pids.length, new Set(pids).size], [3000, 3000]);
  assert.equal(ledger.drain(5_000_000_000n).length, 3000);
});

test('a full ledger says so', () => {
  const ledger = new Tracker({ capacity: 1 });
  ledger.put(5, 0n);
  fails('EXHAUSTED', () => ledger.put(6, 0n));
  assert.equal(ledger.record(beat(7, 1n), 0n).verdict, Verdict.CAPACITY_EXCEEDED);
  fails('INVALID_ARGUMENT', () => ledger.recordBatch([], 0n));
  fails('INVALID_ARGUMENT', () => ledger.recordBatch(Array(1025).fill(beat(1, 1n)), 0n));
  fails('INVALID_ARGUMENT', () => new Tracker({ capacity: 0 }));
  fails('INVALID_ARGUMENT', () => new Tracker({ hashKey: Buffer.alloc(15) }));
  fails('INVALID_ARGUMENT', () => ledger.record(beat(0, 1n), 0n));
});

test('known answers come in both forms', () => {
  assert.equal(tracker.knownAnswer('crc32c', Buffer.from('123456789')).readUInt32LE(), 0xe3069283);
  const room = Buffer.alloc(4);
  assert.equal(tracker.knownAnswerInto(room, 'crc32c', Buffer.from('123456789')), 4);
  assert.equal(room.readUInt32LE(), 0xe3069283);
  assert.equal(
    fails('BUFFER_TOO_SMALL', () => tracker.knownAnswerInto(Buffer.alloc(3), 'crc32c', Buffer.alloc(1))).needed,
    4,
  );
  for (const name of ['nothing', 'crc32c\0', 'x'.repeat(200), '\ud800']) {
    fails('INVALID_ARGUMENT', () => tracker.knownAnswer(name, Buffer.alloc(1)));
  }
  refuses(TYPE, () => tracker.knownAnswer(5, Buffer.alloc(1)));
  refuses(TYPE, () => tracker.knownAnswer(undefined, Buffer.alloc(1)));
});

test('an observer judges what it is fed, and keeps what it cannot tell at once', () => {
  const observer = new Observer(new Tracker({ capacity: 2048 }), { anyUid: true, reportBeats: true });
  const [event] = observer.feed([datagram(10, 1n)], 5n);
  assert.deepEqual(
    [event.kind, event.pid, event.nonce, event.payload, event.atNs, event.origin, event.generation],
    [EventKind.BEAT, 10, 1n, 7, 5n, Origin.KERNEL, 1n],
  );
  assert.ok(Object.isFrozen(event));
  assert.equal(observer.feed([datagram(11, 1n), datagram(12, 1n)], 5n, 1)[0].pid, 11);
  fails('BUSY', () => observer.feed([datagram(13, 1n)], 5n));
  assert.deepEqual(observer.feed([], 5n, 0), []);
  assert.deepEqual(
    observer.feed([], 5n).map(({ pid }) => pid),
    [12],
  );
  const all = Array.from({ length: 1024 }, (_, i) => datagram(1000 + i, 1n));
  assert.equal(observer.feed(all, 6n).length, 1024);
  fails('INVALID_ARGUMENT', () => observer.feed([...all, datagram(1, 1n)], 6n));
  assert.equal(observer.feed([{ source: keep.DatagramSource.EXIT, kernelPid: 10, generation: 1n }], 7n)[0].pid, 10);
  assert.equal(observer.stats().datagrams, 1027n);
  assert.equal(observer.feed([], 7n).length, 0);
  observer.close();
});

test('every stall of a call tells how many are stalled after it', () => {
  const observer = new Observer(new Tracker({ capacity: 2048 }), { anyUid: true });
  observer.feed(
    Array.from({ length: 1024 }, (_, i) => datagram(1000 + i, 1n)),
    0n,
  );
  const stalls = observer.feed([], 10n ** 10n);
  assert.deepEqual([stalls.length, stalls[0].stalled, stalls[0].agents], [1024, 1024, 1024]);
  observer.close();
});

test('metrics are a text, in both forms', () => {
  const observer = new Observer(new Tracker());
  const text = observer.metrics();
  assert.match(text, /^# HELP keep_/);
  assert.match(text, /^keep_tracker_capacity 256$/m);
  const room = Buffer.alloc(text.length);
  assert.equal(observer.metricsInto(room), text.length);
  assert.equal(room.toString(), text);
  assert.equal(fails('BUFFER_TOO_SMALL', () => observer.metricsInto(Buffer.alloc(10))).needed, text.length);
  observer.close();
});

test('sealed frames open under the keys of an observer', () => {
  const master = Secret.generate(32);
  const observer = new Observer(new Tracker(), { reportBeats: true });
  observer.addKey(master, BeatMode.MASTER);
  fails('STATE', () => observer.addKey(master, BeatMode.MASTER));
  const key = Beacon.agentKey(master, 77);
  const beacon = detached({ agentPid: 77, mode: BeatMode.MASTER, key });
  const frame = beacon.prepare(Health.CRITICAL, 3, 1n);
  assert.equal(frame.length, keep.BEAT_MASTER_LEN);
  const [event] = observer.feed([{ source: keep.DatagramSource.UDP_SEALED, data: frame }], 1n);
  assert.deepEqual([event.pid, event.health, event.payload, event.origin], [77, 2, 3, Origin.NETWORK]);
  const shared = Secret.fromBytes(Buffer.alloc(32, 1));
  observer.addKey(shared, BeatMode.SHARED);
  const other = detached({ agentPid: 78, mode: BeatMode.SHARED, key: shared });
  const datagrams = [{ source: keep.DatagramSource.UDP_SEALED, data: Secret.fromBytes(other.prepare(0, 0, 1n)) }];
  assert.equal(observer.feed(datagrams, 1n)[0].pid, 78, 'a secret is bytes');
  for (const handle of [observer, beacon, other, key, shared, master]) handle.close();
});

test('a detached beacon prepares and settles', () => {
  const beacon = detached({ startNonce: 41n, reconnectAfter: 1 });
  fails('STATE', () => beacon.commit());
  fails('STATE', () => beacon.beat());
  fails('STATE', () => beacon.reconnect());
  const frame = beacon.prepare(Health.OK, 0, 1n);
  assert.equal(frame.length, keep.BEAT_LEN);
  const outcome = beacon.commit();
  assert.ok(Object.isFrozen(outcome));
  assert.deepEqual({ ...outcome }, { kind: keep.OutcomeKind.SENT, action: 0, error: 0, dropped: 0, nonce: 42n });
  const room = Buffer.alloc(40);
  assert.equal(beacon.prepareInto(room, Health.OK, 0, 2n), 32);
  assert.equal(tracker.knownAnswer('beat.decode', room.subarray(0, 32)).readBigUInt64LE(13), 43n);
  const { kind, action } = beacon.commit(111);
  assert.deepEqual([kind, action], [keep.OutcomeKind.DROPPED_NO_OBSERVER, keep.OutcomeAction.RECONNECT]);
  beacon.reconnect();
  assert.equal(beacon.commit(0).kind, keep.OutcomeKind.SENT);
  assert.equal(fails('BUFFER_TOO_SMALL', () => beacon.prepareInto(Buffer.alloc(31), 0, 0, 3n)).needed, 32);
  fails('INVALID_ARGUMENT', () => beacon.prepare(3, 0, 3n));
  beacon.restart();
  beacon.close();
  fails('CLOSED', () => beacon.prepare(0, 0, 1n));
});

test('options and records are objects with known keys', () => {
  const ledger = new Tracker();
  const observer = new Observer(ledger);
  for (const options of [5, null, 'x']) {
    for (const call of [
      () => new Tracker(options),
      () => new Observer(ledger, options),
      () => new Beacon(options),
      () => observer.listen(options),
      () => ledger.put(1, 0n, options),
      () => ledger.record(options, 0n),
      () => ledger.recordBatch(options, 0n),
      () => observer.feed(options, 0n),
      () => observer.feed([options], 0n),
    ]) {
      refuses(TYPE, call);
    }
  }
  for (const call of [
    () => new Tracker({ tool: 1 }),
    () => new Observer(ledger, { tool: 1 }),
    () => new Beacon({ tool: 1 }),
    () => observer.listen({ tool: 1 }),
    () => ledger.put(1, 0n, { tool: 1 }),
    () => ledger.record({ tool: 1 }, 0n),
    () => observer.feed([{ tool: 1 }], 0n),
  ]) {
    refuses(VALUE, call);
  }
  observer.close();
});

test('numbers, bytes, texts and lists have their kinds and ranges', () => {
  const ledger = new Tracker();
  const observer = new Observer(ledger);
  for (const now of [0, '0', null, undefined]) {
    refuses(TYPE, () => ledger.drain(now));
    refuses(TYPE, () => ledger.record(beat(1, 1n), now));
    refuses(TYPE, () => observer.feed([], now));
  }
  for (const now of [-1n, 2n ** 64n]) refuses(RANGE, () => ledger.get(1, now));
  for (const pid of [-1, 1.5, 2 ** 32, NaN]) refuses(RANGE, () => ledger.get(pid, 0n));
  for (const health of [-1, 256, 1.5]) refuses(RANGE, () => ledger.record(beat(1, 1n, { health }), 0n));
  refuses(TYPE, () => ledger.record(beat(1, 1), 0n));
  refuses(TYPE, () => new Tracker({ statistics: 1 }));
  refuses(TYPE, () => new Tracker({ hashKey: 'x' }));
  refuses(TYPE, () => new Observer({}));
  refuses(TYPE, () => new Observer(ledger, { uids: 5 }));
  refuses(RANGE, () => new Observer(ledger, { uids: [-1] }));
  fails('INVALID_ARGUMENT', () => new Observer(ledger, { uids: Array(65).fill(1) }));
  refuses(TYPE, () => observer.feed([{ source: 1, data: 'text' }], 0n));
  refuses(RANGE, () => observer.listen({ address: '127.0.0.1', port: 65536 }));
  refuses(TYPE, () => observer.listen({ path: 5 }));
  for (const path of ['\ud800', 'a\0b', 'x'.repeat(300), '']) {
    fails('INVALID_ARGUMENT', () => observer.listen({ path }));
    fails('INVALID_ARGUMENT', () => new Beacon({ path }));
  }
  refuses(TYPE, () => new Beacon({ key: Buffer.alloc(32) }));
  refuses(RANGE, () => new Beacon({ agentPid: 1, mode: 256 }));
  refuses(TYPE, () => observer.addKey(Buffer.alloc(32), 1));
  observer.close();
});

test('a getter that closes or detaches what C is about to read does no harm', () => {
  const ledger = new Tracker();
  const observer = new Observer(ledger, { anyUid: true });
  const closing = {
    pid: 5,
    get nonce() {
      ledger.close();
      return 1n;
    },
  };
  fails('CLOSED', () => ledger.record(closing, 0n));
  const good = datagram(9, 1n);
  const detaching = {
    ...datagram(10, 1n),
    get uid() {
      structuredClone(good.data.buffer, { transfer: [good.data.buffer] });
      return 0;
    },
  };
  good.data = new Uint8Array(good.data);
  observer.feed([good, detaching], 0n);
  assert.deepEqual([observer.stats().datagrams, observer.stats().badLength], [2n, 1n]);
  observer.close();
});

/** Every method and getter of a class, as functions. */
function methodsOf(prototype) {
  return Reflect.ownKeys(prototype)
    .filter((name) => name !== 'constructor' && String(name) !== 'Symbol(describe)')
    .map((name) => prototype[name]);
}

test('a receiver that is no handle, or one of another class, is refused', async () => {
  const ledger = new Tracker();
  const all = [ledger, new Observer(ledger), detached()];
  for (const Class of [Tracker, Observer, Beacon]) {
    const receivers = [undefined, null, 5, {}, Object.create(Class.prototype), new Proxy(all[0], {})];
    receivers.push(...all.filter((each) => !(each instanceof Class)));
    for (const method of methodsOf(Class.prototype)) {
      for (const receiver of receivers) {
        const call = async () => {
          const result = await method.call(receiver, 1);
          if (result?.next !== undefined) await result.next();
        };
        await assert.rejects(call, (error) => error instanceof TypeError, method.name);
      }
    }
  }
  for (const handle of all.reverse()) handle.close();
});

test('the native functions refuse anything but the right External', () => {
  const ledger = native.trackerNew({});
  const observer = native.observerNew(ledger, {});
  const externals = [ledger, observer, native.observerMakePoll(observer), native.beaconNew({ agentPid: 5 })];
  const values = [undefined, null, 5, 1n, 'x', {}, [], Buffer.alloc(1), ...externals];
  const names = Object.keys(native).filter((name) => /^(tracker|observer|beacon|poll)/.test(name));
  assert.ok(names.length > 35);
  for (const name of names) {
    for (const first of values) {
      for (const second of values) callQuietly(native[name], first, second);
    }
  }
  native.pollStop(native.observerMakePoll(native.observerNew(native.trackerNew({}), {})));
});

/** Whatever a function makes of its arguments, it fails as Node's functions do. */
function callQuietly(call, first, second) {
  try {
    call(first, second, second, first, second, first);
  } catch (error) {
    assert.ok(error instanceof TypeError || error instanceof RangeError || error instanceof keep.KeepError, error);
  }
}

test('handles are not copied, and say what they are', () => {
  const ledger = new Tracker();
  const observer = new Observer(ledger);
  const beacon = detached();
  for (const handle of [ledger, observer, beacon]) {
    refuses(TYPE, () => structuredClone(handle));
    refuses(TYPE, () => v8.serialize(handle));
    refuses(TYPE, () => JSON.stringify(handle));
  }
  const texts = [ledger, observer, beacon].map(String);
  assert.deepEqual(texts, ['[Tracker: 0 agents, 0 stalled]', '[Observer: 0 datagrams]', '[Beacon: plain]']);
  for (const handle of [ledger, observer, beacon]) {
    handle.close();
    handle.close();
    assert.equal(String(handle), `[${handle.constructor.name}: closed]`);
  }
  fails('CLOSED', () => ledger.stats());
  fails('CLOSED', () => observer.poll());
  fails('CLOSED', () => observer.start());
  fails('CLOSED', () => beacon.goodbye());
  fails('CLOSED', () => new Observer(ledger));
});

test('a tracker is closed before its observer: it lives on', async () => {
  const ledger = new Tracker();
  const observer = new Observer(ledger, { anyUid: true, reportBeats: true });
  ledger.close();
  await collect();
  assert.equal(observer.feed([datagram(10, 1n)], 0n).length, 1);
  await observer[Symbol.asyncDispose]();
  fails('CLOSED', () => observer.stats());
});

const openFiles = () => fs.readdirSync('/proc/self/fd').length;

test('forgotten observers and beacons give their descriptors back', async () => {
  await collect();
  const before = openFiles();
  for (let i = 0; i < 300; i++) {
    const observer = new Observer(new Tracker());
    if (i % 3 === 0) {
      await observer.wait({ timeoutMs: 0 });
      const never = observer.wait({ timeoutMs: 1 });
      await never;
    }
    new Beacon({ path: '@libkeep-nobody' }).beat();
  }
  await collect();
  await collect();
  assert.ok(openFiles() <= before + 2, `${openFiles()} descriptors, ${before} before`);
});

test('an idle observer, and a beacon that beats, do not keep the process', async () => {
  const program = `
    const observer = new keep.Observer(new keep.Tracker());
    const beacon = new keep.Beacon({ path: '@libkeep-nobody' });
    const timer = beacon.every(10);
    observer.listen({ path: '@libkeep-idle-' + process.pid });
    observer.on('stall', () => {});
    observer.start();
    observer.stop();
    observer.wait({ timeoutMs: 20 }).then((events) => console.log(events.length));`;
  assert.equal(await runProgram(program), '0\n');
});
