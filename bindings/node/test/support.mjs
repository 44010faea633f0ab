// SPDX-License-Identifier: MIT

// What several tests need.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import keep from '../lib/index.js';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The error of libkeep that a call must fail with. */
export function fails(name, call) {
  let caught;
  assert.throws(call, (error) => {
    caught = error;
    return error instanceof keep.KeepError && error.code === `ERR_KEEP_${name}`;
  });
  return caught;
}

/** The same of a promise. */
export async function rejects(name, promise) {
  await assert.rejects(promise, (error) => error instanceof keep.KeepError && error.code === `ERR_KEEP_${name}`);
}

/** A call must refuse the kind of an argument, or its range. */
export function refuses(code, call) {
  const kind = code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError;
  assert.throws(call, (error) => error instanceof kind && error.code === code);
}

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Collects what nobody holds, and lets its finalizers run. */
export async function collect() {
  for (let i = 0; i < 4; i++) {
    gc();
    await setImmediate();
  }
}

/** A pool of one tier with so many slots, all of them made at once. */
export function smallPool(slots, len = 32) {
  return new keep.Pool({ tierLen: [len], tierSlots: [slots], tierMaxSlots: [slots] });
}

/** The bytes that the process has locked, for what is still held. */
export async function lockedBytes() {
  await collect();
  return keep.memory.report().lockedBytes;
}

/** Runs a program in a Node of its own, with `keep` in it; what it printed. It must end well, and in silence. */
export async function runProgram(program, node = process.execPath) {
  const source = `const keep = require(${JSON.stringify(root)});\n${program}`;
  const { stdout, stderr } = await promisify(execFile)(node, ['-e', source], { timeout: 60000 });
  assert.equal(stderr, '');
  return stdout;
}
