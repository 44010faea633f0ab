// SPDX-License-Identifier: MIT

// What ends when: jobs, forgotten handles, workers, the process (bindings T13, T14, T15). Some of these take seconds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import keep from '../lib/index.js';
import { collect, fails, lockedBytes, rejects, root, runProgram, smallPool } from './support.mjs';

const { Pool, Sealed, Secret } = keep;

test('closing a pool with ten jobs in flight lets them settle, then gives its memory back', async () => {
  const before = await lockedBytes();
  const pool = smallPool(2);
  const held = pool.acquireMany(32, 2);
  const sealed = Sealed.fromSecret(held[0]);
  const jobs = Array.from({ length: 10 }, (_, i) =>
    i % 2 === 0 ? pool.acquireAsync(32, { timeoutMs: 20 }) : sealed.openAsync({ timeoutMs: 20 }),
  );
  pool.close();
  sealed.close();
  fails('CLOSED', () => pool.stats());
  fails('CLOSED', () => sealed.info());
  await rejects('CLOSED', pool.acquireAsync(1));
  held[0].close();
  const results = await Promise.allSettled(jobs);
  const opened = results.filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
  assert.equal(opened.length, 1, 'the one free slot serves one of them');
  for (const { reason } of results.filter(({ status }) => status === 'rejected')) {
    assert.equal(reason.code, 'ERR_KEEP_TIMEOUT');
  }
  Secret.closeMany([...opened, held[1]]);
  assert.equal(keep.memory.report().lockedBytes, before, 'without the collector');
});

test('a hundred thousand forgotten secrets are given back', async () => {
  const before = await lockedBytes();
  const pool = new Pool();
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 500; i++) new Sealed(Secret.generate(32, { pool }), { pool });
    await collect();
  }
  assert.equal(pool.stats().tiers[0].inUse, 0n);
  pool.close();
  assert.equal(await lockedBytes(), before);
});

test('forgotten sessions, handshakes and packets are given back', async () => {
  const packets = new keep.PacketPool({ capacity: 100 });
  const pool = new Pool();
  const key = Secret.generate(32, { pool });
  const keys = { staticKey: key, preSharedKey: key, pool };
  const forget = () => {
    for (let i = 0; i < 100; i++) {
      const session = new keep.Session({ rxKey: key, pool });
      const handshake = new keep.Handshake({ pattern: keep.Noise.XXPSK3, role: keep.Role.INITIATOR, ...keys });
      const messages = [handshake.write(Buffer.from(String(session)))];
      packets.acquire().build(null, messages, { kind: keep.PacketKind.HANDSHAKE });
    }
    new keep.Session({ txKey: key, pool });
  };
  for (let round = 0; round < 20; round++) {
    forget();
    await collect();
  }
  assert.equal(packets.stats().inUse, 0n);
  assert.equal(pool.stats().tiers[0].inUse, 1n, 'the key');
});

test('forgotten pools and guarded buffers are given back', async () => {
  const before = await lockedBytes();
  const forget = () => {
    const pool = smallPool(64);
    new Pool({ tierLen: [16], tierSlots: [1] }).acquire(100, { guarded: true });
    return pool.acquire(8);
  };
  for (let i = 0; i < 8; i++) forget();
  assert.equal(await lockedBytes(), before);
});

test('a secret outlives its forgotten pool', async () => {
  const secret = smallPool(1).acquire(4);
  await collect();
  secret.put(0, Buffer.from('live'));
  assert.equal(secret.reveal().toString(), 'live');
});

/** A program that keeps so many objects, of four kinds. */
function keeps(count) {
  return `
    const pool = new keep.Pool();
    const kept = [];
    for (let i = 0; i < ${count / 4}; i++) {
      const secret = pool.acquire(i);
      kept.push(secret, keep.Sealed.fromSecret(secret));
      if (i % 3 === 0) secret.close();
    }
    const key = pool.acquire(32);
    key.randomize();
    const packets = new keep.PacketPool({ capacity: ${count / 4} });
    while (kept.length < ${count}) kept.push(new keep.Session({ rxKey: key, pool }), packets.acquire());
    const session = new keep.Session({ txKey: key, pool });
    kept.at(-1).build(session, [Buffer.alloc(64)]);`;
}

const OBJECTS = keeps(200);

/** A program that waits for a slot which never comes, so many times at once. */
function waits(timeoutMs, count = 6) {
  return `
    const full = new keep.Pool({ tierLen: [32], tierSlots: [1], tierMaxSlots: [1] });
    const holder = full.acquire(1);
    for (let i = 0; i < ${count}; i++) full.acquireAsync(1, { timeoutMs: ${timeoutMs} }).catch(() => {});`;
}

function startWorker(program) {
  const source = `const keep = require(${JSON.stringify(root)});
    const { parentPort } = require('node:worker_threads');
    ${program}
    parentPort.postMessage('ready');`;
  const worker = new Worker(source, { eval: true });
  const ready = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  return { worker, ready, ended };
}

test('four workers have their own objects, and end by themselves', async () => {
  const before = await lockedBytes();
  const workers = Array.from({ length: 4 }, () => startWorker(OBJECTS));
  await Promise.all(workers.map(({ ready }) => ready));
  assert.deepEqual(await Promise.all(workers.map(({ ended }) => ended)), [0, 0, 0, 0]);
  assert.equal(await lockedBytes(), before);
});

// With AddressSanitizer a worker takes much longer to begin.
const ROUNDS = process.env.LD_PRELOAD?.includes('libasan') ? 25 : 100;

test('four workers are terminated in async work, round after round', async () => {
  const before = await lockedBytes();
  for (let round = 0; round < ROUNDS; round++) {
    const program = OBJECTS + waits(round % 5);
    const workers = Array.from({ length: 4 }, () => startWorker(program));
    await Promise.all(workers.map(({ ready }) => ready));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
  assert.equal(await lockedBytes(), before);
});

test('a worker that waits for ever is terminated', async () => {
  const { worker, ready, ended } = startWorker(waits(keep.WAIT_FOREVER));
  await ready;
  await worker.terminate();
  await ended;
});

test('a worker that exits in a window leaves nothing open', async () => {
  const before = await lockedBytes();
  const { ended } = startWorker('new keep.Pool().acquire(8).write(() => process.exit(3));');
  assert.equal(await ended, 3);
  assert.equal(await lockedBytes(), before);
});

test('the process exits with work in flight, a hundred times', async () => {
  const once = (timeoutMs) => runProgram(`${waits(timeoutMs)}\nprocess.exit(0);`);
  for (let round = 0; round < 25; round++) await Promise.all([0, 1, 3, 6].map(once));
});

test('the process exits with waits that never end, and with everything open', async () => {
  const begin = performance.now();
  await runProgram(`${OBJECTS}${waits(keep.WAIT_FOREVER, 100)}\nprocess.exit(0);`);
  assert.ok(performance.now() - begin < 3000, 'not a slice of time for each of them');
  await runProgram(OBJECTS);
});

test('an idle handle does not keep the process', async () => {
  assert.equal(await runProgram(`${OBJECTS}\nprocess.on('exit', () => console.log(kept.length));`), '200\n');
});
