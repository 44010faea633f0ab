// SPDX-License-Identifier: MIT

// Beacons of real processes and observers that wait for them: in the loop, in workers, with signals (bindings T11, T13
// to T15; tracker T1, T3). An observer that waits costs no thread.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import keep from '../lib/index.js';
import { fails, refuses, rejects, root, runProgram } from './support.mjs';

const { Beacon, EventKind, Health, Observer, OutcomeKind, Tracker } = keep;

const MS = 1_000_000n;

/** An observer on a socket of its own, which goes with the test. */
function observe(t, { thresholdNs = 60_000n * MS, ...options } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'libkeep-'));
  const place = path.join(folder, 'beats');
  const ledger = new Tracker({ thresholdNs });
  const observer = new Observer(ledger, options);
  observer.listen({ path: place });
  t.after(() => {
    observer.close();
    ledger.close();
    fs.rmSync(folder, { recursive: true });
  });
  return { observer, place, ledger };
}

/** A process that runs a program with `keep`, a beacon to `place`, and says a line when it beats. */
async function startAgent(t, place, program) {
  const source = `
    const keep = require(${JSON.stringify(root)});
    const beacon = new keep.Beacon({ path: ${JSON.stringify(place)} });
    ${program}
    console.log('ready');`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

const BEATING = 'beacon.beat(); setInterval(() => beacon.beat(), 20);';

/** The first event of a kind; others are passed over. */
async function nextOf(observer, kind) {
  for (;;) {
    const events = await observer.wait({ timeoutMs: 20000 });
    assert.ok(events.length > 0, 'no event came');
    const found = events.find((event) => event.kind === kind);
    if (found !== undefined) return found;
  }
}

test('a beat is sent, seen and told', async (t) => {
  const { observer, place, ledger } = observe(t, { reportBeats: true });
  assert.equal(fs.statSync(place).mode & 0o777, 0o600);
  fails('BUSY', () => new Observer(new Tracker()).listen({ path: place }));
  const beacon = new Beacon({ path: place });
  const outcome = beacon.beat(Health.DEGRADED, 5);
  assert.equal(outcome.kind, OutcomeKind.SENT);
  const [event] = await observer.wait();
  assert.deepEqual(
    [event.kind, event.pid, event.health, event.payload, event.uid, event.nonce],
    [EventKind.BEAT, process.pid, 1, 5, process.getuid(), outcome.nonce],
  );
  assert.equal(beacon.register({ thresholdNs: 2000n * MS }).kind, OutcomeKind.SENT);
  assert.equal((await observer.wait())[0].kind, EventKind.REGISTERED);
  assert.equal(ledger.get(process.pid, 0n).limitNs, 2000n * MS);
  assert.match(observer.metrics(), new RegExp(`keep_agent_info\\{pid="${process.pid}"`));
  fails('INVALID_ARGUMENT', () => beacon.register({ thresholdNs: 1n }));
  beacon.goodbye();
  assert.equal((await observer.wait())[0].kind, EventKind.GOODBYE);
  beacon.reconnect();
  beacon.restart();
  assert.equal(beacon.beat().kind, OutcomeKind.SENT);
  beacon.close();
});

test('nobody observes: that is no error', () => {
  const beacon = new Beacon({ path: '@libkeep-nobody', reconnectAfter: 0 });
  assert.equal(beacon.beat().kind, OutcomeKind.DROPPED_NO_OBSERVER);
  assert.equal(beacon.goodbye().dropped, 2);
  fails('STATE', () => beacon.prepare(0, 0, 1n));
  beacon.close();
});

test('an error of the system has its number and sentence, or what became of the frame', (t) => {
  const observer = new Observer(new Tracker());
  const error = fails('SYSTEM', () => observer.listen({ path: '/no/such/folder/beats' }));
  assert.deepEqual([error.layer, error.layerCode, error.op], [keep.Layer.ERRNO, 2n, 'Observer.listen']);
  assert.deepEqual([error.reason, error.values], ['none', [0n, 0n, 0n, 0n]]);
  assert.notEqual(error.message, '');
  fails('INVALID_ARGUMENT', () => observer.listen({ fd: 0 }));
  fails('INVALID_ARGUMENT', () => observer.listen({ address: '127.0.0.1', port: 0 }));
  observer.close();
  const { place } = observe(t);
  fs.chmodSync(place, 0);
  if (process.getuid() !== 0) {
    const unsent = fails('SYSTEM', () => new Beacon({ path: place }).beat());
    assert.deepEqual([unsent.report.kind, unsent.layerCode], [OutcomeKind.FAILED, BigInt(unsent.report.error)]);
  }
});

test('udp beats come from plain and sealed beacons', async () => {
  const observer = new Observer(new Tracker(), { reportBeats: true });
  const key = keep.Secret.generate(32);
  observer.addKey(key, keep.BeatMode.SHARED);
  const port = 20000 + (process.pid % 20000);
  observer.listen({ address: '127.0.0.1', port, allowPlain: true });
  observer.listen({ address: '127.0.0.1', port: port + 1, sealed: true, attested: true });
  const plain = new Beacon({ host: '127.0.0.1', port, agentPid: 4000 });
  const sealed = new Beacon({ host: '127.0.0.1', port: port + 1, agentPid: 4001, mode: keep.BeatMode.SHARED, key });
  plain.beat();
  assert.equal((await observer.wait())[0].origin, keep.Origin.NETWORK);
  sealed.beat();
  const [event] = await observer.wait();
  assert.deepEqual([event.pid, event.origin], [4001, keep.Origin.OPERATOR]);
  for (const handle of [plain, sealed, observer, key]) handle.close();
});

test('a wait ends by time, by a signal, or by close', async (t) => {
  const { observer } = observe(t);
  const begin = performance.now();
  assert.deepEqual(await observer.wait({ timeoutMs: 30 }), []);
  assert.ok(performance.now() - begin >= 29);
  assert.deepEqual(await observer.wait({ timeoutMs: 0 }), []);
  const reason = new Error('enough');
  await assert.rejects(observer.wait({ signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const aborted = assert.rejects(observer.wait({ signal: controller.signal, timeoutMs: 20000 }), reason);
  setImmediate(() => controller.abort(reason));
  await aborted;
  const waits = Array.from({ length: 100 }, () => rejects('CLOSED', observer.wait({ timeoutMs: keep.WAIT_FOREVER })));
  const iterator = observer[Symbol.asyncIterator]();
  waits.push(rejects('CLOSED', iterator.next()));
  await sleep(1);
  observer.close();
  await Promise.all(waits);
  await rejects('CLOSED', observer.wait());
  assert.equal((await iterator.next()).done, true);
});

test('the options of a wait have their kinds', async (t) => {
  const { observer } = observe(t);
  const code = (wanted) => (error) => error.code === wanted;
  for (const options of [5, null, { timeoutMs: '1' }, { timeoutMs: 1n }, { signal: {} }]) {
    await assert.rejects(observer.wait(options), code('ERR_INVALID_ARG_TYPE'));
  }
  await assert.rejects(observer.wait({ timeoutMs: -1 }), code('ERR_OUT_OF_RANGE'));
  await assert.rejects(observer.wait({ timeoutMs: Number.NaN }), code('ERR_OUT_OF_RANGE'));
  await assert.rejects(observer.wait({ timeout: 1 }), code('ERR_INVALID_ARG_VALUE'));
  const beacon = new Beacon({ path: '@libkeep-nobody' });
  refuses('ERR_INVALID_ARG_TYPE', () => beacon.every('1'));
  for (const ms of [0, -1, Number.NaN, 2 ** 31]) refuses('ERR_OUT_OF_RANGE', () => beacon.every(ms));
  refuses('ERR_INVALID_ARG_TYPE', () => beacon.arm({ signals: 1 }));
  beacon.close();
});

test('events go one by one to who iterates, and the others stay', async (t) => {
  const { observer, place } = observe(t, { reportBeats: true, perPidRate: 0 });
  const beacon = new Beacon({ path: place });
  for (let payload = 0; payload < 5; payload++) beacon.beat(Health.OK, payload);
  const seen = [];
  for await (const event of observer) {
    seen.push(event.payload);
    if (seen.length === 2) break;
  }
  const left = observer.poll().map(({ payload }) => payload);
  assert.deepEqual(
    [seen, left],
    [
      [0, 1],
      [2, 3, 4],
    ],
  );
  beacon.close();
});

test('a started observer emits events by name, until it is stopped', async (t) => {
  const { observer, place } = observe(t, { reportBeats: true });
  const beacon = new Beacon({ path: place });
  const seen = [];
  const listener = (event) => seen.push(event.kind);
  assert.equal(observer.on('beat', listener), observer);
  assert.equal(observer.start(), observer);
  const first = new Promise((resolve) => observer.once('event', resolve));
  beacon.beat();
  assert.equal((await first).pid, process.pid);
  const left = new Promise((resolve) => observer.on('goodbye', resolve));
  beacon.goodbye();
  await left;
  assert.deepEqual(seen, [EventKind.BEAT]);
  observer.off('beat', listener).stop();
  beacon.register();
  await sleep(20);
  assert.equal(observer.poll()[0].kind, EventKind.REGISTERED);
  beacon.close();
});

test('what a listener throws is an uncaught exception', async () => {
  const program = `
    const observer = new keep.Observer(new keep.Tracker(), { reportBeats: true });
    observer.listen({ path: '@libkeep-throws-' + process.pid });
    observer.on('beat', () => { throw new Error('from a listener'); }).start();
    process.once('uncaughtException', (error) => {
      console.log(error.message);
      observer.close();
    });
    setImmediate(() => new keep.Beacon({ path: '@libkeep-throws-' + process.pid }).beat());`;
  assert.equal(await runProgram(program), 'from a listener\n');
});

test('a listener closes its observer', async (t) => {
  const { observer, place } = observe(t, { reportBeats: true });
  const closed = new Promise((resolve) => {
    observer.on('beat', () => {
      observer.close();
      resolve();
    });
  });
  observer.start();
  new Beacon({ path: place }).beat();
  await closed;
  fails('CLOSED', () => observer.poll());
});

test('a process that is stopped stalls, one that goes on recovers, one that is killed exits', async (t) => {
  const { observer, place } = observe(t, { thresholdNs: 400n * MS });
  const agents = await Promise.all(Array.from({ length: 3 }, () => startAgent(t, place, BEATING)));
  const [stopped, killed] = agents;
  stopped.kill('SIGSTOP');
  const stall = await nextOf(observer, EventKind.STALL);
  assert.deepEqual([stall.pid, stall.stalled, stall.agents], [stopped.pid, 1, 3]);
  assert.ok(stall.silenceNs >= 400n * MS);
  killed.kill('SIGKILL');
  assert.equal((await nextOf(observer, EventKind.EXITED)).pid, killed.pid);
  stopped.kill('SIGCONT');
  assert.equal((await nextOf(observer, EventKind.RECOVERED)).pid, stopped.pid);
});

test('a registered process that never beats stalls, though nobody polled', async (t) => {
  const { observer, ledger } = observe(t, { thresholdNs: 50n * MS });
  ledger.put(4_000_000, 0n);
  const told = new Promise((resolve) => observer.once('stall', resolve));
  observer.start();
  assert.equal((await told).pid, 4_000_000);
});

test('a program that ends well says goodbye, one that throws says its last word', async (t) => {
  const { observer, place } = observe(t);
  await startAgent(t, place, 'beacon.every(10); setTimeout(() => {}, 60);');
  assert.equal((await nextOf(observer, EventKind.REGISTERED)).kind, EventKind.REGISTERED);
  await nextOf(observer, EventKind.GOODBYE);
  const thrower = await startAgent(
    t,
    place,
    `beacon.arm(); beacon.crashOnException(9); beacon.every(10); setTimeout(() => { throw new Error('oh'); }, 60);`,
  );
  const crash = await nextOf(observer, EventKind.CRASH);
  assert.deepEqual([crash.pid, crash.payload, crash.health], [thrower.pid, 9, Health.CRITICAL]);
  assert.equal((await nextOf(observer, EventKind.EXITED)).pid, thrower.pid);
});

test('a signal says the last word, with its number', async (t) => {
  const { observer, place } = observe(t);
  const child = await startAgent(
    t,
    place,
    'beacon.arm({ signals: true }); beacon.beat(); setInterval(() => {}, 1000);',
  );
  child.kill('SIGABRT');
  const crash = await nextOf(observer, EventKind.CRASH);
  assert.deepEqual([crash.pid, crash.payload], [child.pid, os.constants.signals.SIGABRT]);
});

test('beats of a timer come from the loop: a busy loop stalls', async (t) => {
  const { observer, place } = observe(t);
  const settings = '{ thresholdNs: 300000000n }';
  const busy = await startAgent(
    t,
    place,
    `beacon.every(20, ${settings}); setInterval(() => {}, 1000); process.stdin.once('data', () => { for (;;); });`,
  );
  await nextOf(observer, EventKind.REGISTERED);
  assert.deepEqual(await observer.wait({ timeoutMs: 600 }), []);
  busy.stdin.write('go');
  assert.equal((await nextOf(observer, EventKind.STALL)).pid, busy.pid);
});

test('a timer ends once, with one goodbye, and in silence with its beacon', async (t) => {
  const { observer, place } = observe(t);
  const beacon = new Beacon({ path: place });
  const timer = beacon.every(5);
  await sleep(30);
  timer.stop();
  timer.stop();
  const kinds = (await observer.wait()).map(({ kind }) => kind);
  assert.deepEqual(kinds, [EventKind.REGISTERED, EventKind.GOODBYE]);
  const other = new Beacon({ path: place });
  const second = other.every(5);
  beacon.close();
  other.close();
  second[Symbol.dispose]();
  assert.equal((await observer.wait())[0].kind, EventKind.REGISTERED);
  assert.deepEqual(await observer.wait({ timeoutMs: 20 }), []);
});

// What `using` calls, on both ways out of a block: it cannot tell them apart, the exit code can.
test('a block that an exception ends says no goodbye', async (t) => {
  const { observer, place } = observe(t);
  const block = (body) => `
    const timer = beacon.every(10);
    setTimeout(() => { try { ${body} } finally { timer[Symbol.dispose](); } }, 60);`;
  const failing = await startAgent(t, place, block("throw new Error('oh');"));
  const news = [await observer.wait(), await observer.wait()].flat().map(({ kind, pid }) => [kind, pid]);
  assert.deepEqual(news, [
    [EventKind.REGISTERED, failing.pid],
    [EventKind.EXITED, failing.pid],
  ]);
  const ending = await startAgent(t, place, block(''));
  assert.equal((await nextOf(observer, EventKind.GOODBYE)).pid, ending.pid);
});

const WORKING = `
  const keep = require(${JSON.stringify(root)});
  const { parentPort, threadId } = require('node:worker_threads');
  const place = '@libkeep-worker-' + process.pid + '-' + threadId;
  const observer = new keep.Observer(new keep.Tracker(), { reportBeats: true });
  observer.listen({ path: place });
  const beacon = new keep.Beacon({ path: place });
  beacon.beat();
  observer.wait().then((events) => {
    parentPort.postMessage(events.length);
    observer.start();
    observer.wait();
  });`;

test('workers observe by themselves, and are terminated while they wait', async () => {
  for (let round = 0; round < 5; round++) {
    const workers = Array.from({ length: 4 }, () => new Worker(WORKING, { eval: true }));
    const messages = await Promise.all(workers.map((worker) => once(worker, 'message')));
    assert.deepEqual(messages.flat(), [1, 1, 1, 1]);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});

test('the process exits while it waits', async () => {
  const program = `
    const observer = new keep.Observer(new keep.Tracker());
    observer.listen({ path: '@libkeep-exits-' + process.pid });
    observer.start();
    for (let i = 0; i < 10; i++) observer.wait();
    setTimeout(() => process.exit(0), 10);`;
  assert.equal(await runProgram(program), '');
});
