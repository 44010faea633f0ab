// SPDX-License-Identifier: MIT

// What a call through the Node binding costs (bindings §6): one JSON object per line, best of 7.
//
// Times in nanoseconds are targets for a 3 GHz processor; `most_floors`, the ratio to a native function that does
// nothing, is a gate: the program fails if a line is beyond it. What is above C is above build/tests/bench/bench_call.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import keep from '../../bindings/node/lib/index.js';
import native from '../../bindings/node/lib/native.js';

const ROUNDS = 7;
const CALLS = 32_000; // some milliseconds: short enough to be left alone now and then
const BATCH = 64;
const PACKAGE = fileURLToPath(new URL('../../bindings/node', import.meta.url));
const BARE = fileURLToPath(new URL('../../build/tests/bench/bench_call', import.meta.url));

const { MAX_PACKET_LEN, MAX_SECRET_LEN, Secret, Session } = keep;

function best(measure) {
  return Math.min(...Array.from({ length: ROUNDS }, measure));
}

/** Measures a call in a loop of its own: one that calls different functions in turn would measure their mixture. */
function timerOf(body, names, calls = CALLS) {
  const loop = new Function('calls', ...Object.keys(names), `for (let i = 0; i < calls; i++) { ${body}; }`);
  return () => {
    const begin = process.hrtime.bigint();
    loop(calls, ...Object.values(names));
    return Number(process.hrtime.bigint() - begin) / calls;
  };
}

function nanoseconds(body, names, calls) {
  return best(timerOf(body, names, calls));
}

function loadMilliseconds() {
  const run = (program) => {
    const begin = performance.now();
    execFileSync(process.execPath, ['-e', program]);
    return performance.now() - begin;
  };
  return best(() => run(`require(${JSON.stringify(PACKAGE)})`)) - best(() => run(''));
}

/** How much the process grows while a call has 64 MiB of input, which this secret is too short for. */
function residentMebibytes(secret) {
  const source = Buffer.alloc(MAX_SECRET_LEN, 1);
  const before = process.resourceUsage().maxRSS;
  try {
    secret.put(0, source);
  } catch {
    return (process.resourceUsage().maxRSS - before) / 1024;
  }
  throw new Error('64 MiB do not fit into this secret');
}

/** What the calls of C take by themselves. */
function bareNanoseconds() {
  const lines = execFileSync(BARE, { encoding: 'utf8' }).trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
}

/** Sessions, and what they seal: an event of 64 bytes, once, or in a batch of 64. */
function packetNames() {
  const key = Secret.generate(32);
  const event = Buffer.alloc(64);
  return {
    sender: new Session({ txKey: key }),
    receiver: new Session({ rxKey: key }),
    event,
    events: [event],
    options: { streamId: 1n, sequence: 2n },
    requests: Array.from({ length: BATCH }, (_, i) => ({ events: [event], streamId: 1n, sequence: BigInt(i) })),
    data: Buffer.alloc(BATCH * 64),
    ends: Uint32Array.from({ length: BATCH }, (_, i) => (i + 1) * 64),
    out: Buffer.alloc(BATCH * MAX_PACKET_LEN),
    outEnds: new Uint32Array(BATCH),
    statuses: new Uint8Array(BATCH),
  };
}

/** A new datagram for each call: what is opened once is a replay afterwards. */
function openNanoseconds(names) {
  const datagrams = Array.from({ length: CALLS / 10 }, () => names.sender.seal(names.events));
  const begin = process.hrtime.bigint();
  for (const datagram of datagrams) names.receiver.open(datagram);
  return Number(process.hrtime.bigint() - begin) / datagrams.length;
}

/** The least that each call takes. C takes turns with them, so that a slow moment falls on all. */
function packetNanoseconds() {
  const names = packetNames();
  const timers = {
    into: timerOf('sender.sealInto(out, events, options)', names),
    seal: timerOf('sender.seal(events, options)', names),
    packed: timerOf('sender.sealPacked(data, ends, 1n, 0n, 0, out, outEnds, statuses)', names, CALLS / BATCH),
    batch: timerOf('sender.sealBatch(requests)', names, CALLS / BATCH),
    open: () => openNanoseconds(names),
    tried: timerOf('receiver.tryOpen(event)', names),
  };
  const rounds = Array.from({ length: ROUNDS }, () => {
    const times = Object.entries(timers).map(([name, time]) => [name, time()]);
    return { ...bareNanoseconds(), ...Object.fromEntries(times) };
  });
  const least = (name) => [name, Math.min(...rounds.map((round) => round[name]))];
  return Object.fromEntries(Object.keys(rounds[0]).map(least));
}

function measurePackets() {
  const { seal_into_64, seal_batch_64, open_short, into, seal, packed, batch, open, tried } = packetNanoseconds();
  const above = (packed / BATCH / seal_batch_64 - 1) * 100;
  return [
    { name: 'seal 64 bytes into', ns: into },
    { name: 'seal 64 bytes into, above C', ns: into - seal_into_64, target: 160 },
    { name: 'seal 64 bytes', ns: seal },
    { name: 'open 64 bytes', ns: open },
    { name: 'sealPacked of 64 x 64 bytes, per packet', ns: packed / BATCH },
    { name: 'sealPacked of 64 x 64 bytes, above C', percent: above, target: 5 },
    { name: 'sealBatch, per packet above C', ns: batch / BATCH - seal_batch_64, target: 600 },
    { name: 'tryOpen of what is no packet, above C', ns: tried - open_short, target: 80 },
  ];
}

function measure() {
  const secret = Secret.generate(32);
  const closed = Secret.generate(32);
  closed.close();
  const out = Buffer.alloc(32);
  const names = { native, secret, closed, out, Secret };
  const floor = nanoseconds('native.stop()', names);
  const trivial = nanoseconds('secret.melt()', names);
  return [
    { name: 'floor', ns: floor },
    { name: 'trivial call', ns: trivial, target: 60, floors: trivial / floor, most_floors: 4 },
    { name: 'length', ns: nanoseconds('secret.length', names) },
    { name: 'put 32 bytes', ns: nanoseconds('secret.put(0, out)', names) },
    { name: 'reveal 32 bytes into', ns: nanoseconds('secret.revealInto(out)', names) },
    { name: 'reveal 32 bytes', ns: nanoseconds('secret.reveal()', names, CALLS / 10) },
    { name: 'read window', ns: nanoseconds('secret.read((copy) => copy[0])', names, CALLS / 10) },
    { name: 'generate and close', ns: nanoseconds('Secret.generate(32).close()', names, CALLS / 10) },
    {
      name: 'expected failure',
      ns: nanoseconds('try { closed.clear(); } catch {}', names, CALLS / 10),
      target: 10_000,
    },
    { name: '64 MiB input', mebibytes: residentMebibytes(secret), target: 0 },
    { name: 'load', ms: loadMilliseconds(), target: 25 },
  ];
}

const rows = [...measure(), ...measurePackets()];
for (const row of rows) {
  const rounded = Object.entries(row).map(([key, value]) => [
    key,
    typeof value === 'number' ? Math.round(value * 100) / 100 : value,
  ]);
  console.log(JSON.stringify({ language: 'node', ...Object.fromEntries(rounded) }));
}
process.exitCode = rows.some(({ floors = 0, most_floors = 0 }) => floors > most_floors) ? 1 : 0;
