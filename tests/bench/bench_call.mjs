// SPDX-License-Identifier: MIT

// What a call through the Node binding costs (bindings §6): one JSON object per line, best of 7.
//
// Times in nanoseconds are targets for a 3 GHz processor; `most_floors`, the ratio to a native function that does
// nothing, is a gate: the program fails if a line is beyond it.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import keep from '../../bindings/node/lib/index.js';
import native from '../../bindings/node/lib/native.js';

const ROUNDS = 7;
const CALLS = 300_000;
const PACKAGE = fileURLToPath(new URL('../../bindings/node', import.meta.url));

const { MAX_SECRET_LEN, Secret } = keep;

function best(measure) {
  return Math.min(...Array.from({ length: ROUNDS }, measure));
}

/** A loop of its own for each call: one that calls different functions in turn would measure their mixture. */
function nanoseconds(body, names, calls = CALLS) {
  const loop = new Function('calls', ...Object.keys(names), `for (let i = 0; i < calls; i++) { ${body}; }`);
  return best(() => {
    const begin = process.hrtime.bigint();
    loop(calls, ...Object.values(names));
    return Number(process.hrtime.bigint() - begin) / calls;
  });
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

const rows = measure();
for (const row of rows) {
  const rounded = Object.entries(row).map(([key, value]) => [
    key,
    typeof value === 'number' ? Math.round(value * 100) / 100 : value,
  ]);
  console.log(JSON.stringify({ language: 'node', ...Object.fromEntries(rounded) }));
}
process.exitCode = rows.some(({ floors = 0, most_floors = 0 }) => floors > most_floors) ? 1 : 0;
