// SPDX-License-Identifier: MIT

// What all schemas share: the forms of values (vectors.md R30), comparison, and scripts (R31). An operation may be a
// generator: it then yields promises that it waits for, which only steps outside of a window can.

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import keep from '../../lib/index.js';
import status from '../../lib/status.js';

const statusNames = new Set(status.statuses.map(({ name }) => name));

/** A case did not do what it says. */
export class Failed extends Error {}

function shown(value) {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex').slice(0, 64) : String(value);
}

export function expect(what, want, got) {
  const isEqual = want instanceof Uint8Array && got instanceof Uint8Array ? Buffer.compare(want, got) === 0 : false;
  if (!isEqual && !isDeepStrictEqual(want, got)) {
    throw new Failed(`${what}: expected ${shown(want)}, got ${shown(got)}`);
  }
}

/** Takes a key out of an object: what is left over at the end is unknown (R33). */
export function take(fields, key, form) {
  if (!Object.hasOwn(fields, key)) throw new Failed(`${key}: expected, but missing`);
  const value = fields[key];
  delete fields[key];
  return form(value);
}

export function takeOr(fields, key, form, otherwise) {
  return Object.hasOwn(fields, key) ? take(fields, key, form) : otherwise;
}

export function expectEmpty(what, fields) {
  if (Object.keys(fields).length > 0) throw new Failed(`${what}: expected no unknown key, got ${Object.keys(fields)}`);
}

// Forms of values

function check(isRight, form, value) {
  if (!isRight) throw new Failed(`value: expected ${form}, got ${JSON.stringify(value)}`);
  return value;
}

export const text = (value) => check(typeof value === 'string', 'text', value);
export const boolean = (value) => check(typeof value === 'boolean', 'a boolean', value);
export const list = (value) => check(Array.isArray(value), 'a list', value);
export const integer = (value) => check(Number.isSafeInteger(value) && value >= 0, 'an integer', value);
export const fields = (value) => {
  return { ...check(value !== null && typeof value === 'object' && !Array.isArray(value), 'an object', value) };
};

export function integer64(value) {
  if (typeof value === 'number') return BigInt(integer(value));
  return BigInt(check(/^(0|[1-9][0-9]{0,19}|0x[0-9a-f]{1,16})$/.test(text(value)), 'a 64-bit integer', value));
}

export function hex(value) {
  return Buffer.from(check(/^([0-9a-f]{2})*$/.test(text(value)), 'lower-case hex digits', value), 'hex');
}

function repeated(value) {
  const count = integer(take(value, 'repeat', integer));
  const piece = take(value, 'hex', hex);
  check(count <= 2 ** 24, 'at most 2^24', count);
  return Buffer.concat(Array(count).fill(piece));
}

/** R11: the bare name, which must be one that users see. */
export function statusName(value) {
  const name = text(value).replace(/^KEEP_(ERR_)?/, '');
  return check(statusNames.has(name), 'a known status', name);
}

function nameOf(error) {
  if (error instanceof keep.KeepError) return error.code.replace(/^ERR_KEEP_/, '');
  throw error;
}

/** Makes a call; the name of its status. */
export function statusOf(call) {
  try {
    call();
    return 'OK';
  } catch (error) {
    return nameOf(error);
  }
}

// Expectations

function expectHash(what, { sha256, len }, got) {
  expect(`${what} length`, len, got.length);
  expect(`${what} hash`, sha256, createHash('sha256').update(got).digest('hex'));
}

function isForm(want, ...keys) {
  return typeof want === 'object' && want !== null && isDeepStrictEqual(new Set(Object.keys(want)), new Set(keys));
}

const ordered = (values) => [...new Set(values.map((value) => JSON.stringify(value)))].sort();

// Scripts

/** The handles and saved bytes of one case. `operations` has a function (script, step, out) for each `op`. */
export class Script {
  handles = new Map();
  freed = new Set();
  saved = new Map();

  constructor(operations) {
    this.operations = operations;
  }

  *run(steps) {
    for (const step of list(steps)) yield* this.runStep(fields(step));
  }

  /** Runs steps where nobody can wait: in a window. */
  runNow(steps) {
    if (!this.run(steps).next().done) throw new Failed('steps: expected none that waits in a window');
  }

  *runStep(step) {
    const op = take(step, 'op', text);
    const want = takeOr(step, 'status', statusName, 'OK');
    const expected = takeOr(step, 'out', fields, {});
    const save = takeOr(step, 'save', text, undefined);
    if (op !== 'free' && !Object.hasOwn(this.operations, op)) throw new Failed(`op: expected a known one, got ${op}`);
    const out = {};
    expect(`${op} status`, want, yield* this.call(op, step, out));
    expectEmpty(op, step);
    if (save !== undefined) this.saved.set(save, out.data);
    for (const [name, value] of Object.entries(expected)) {
      if (!Object.hasOwn(out, name)) throw new Failed(`${op} ${name}: expected an output of the operation, got none`);
      this.expectOutput(`${op} ${name}`, value, out[name]);
    }
  }

  *call(op, step, out) {
    try {
      const waiting = op === 'free' ? this.free(step) : this.operations[op](this, step, out);
      if (waiting !== undefined) yield* waiting;
      return 'OK';
    } catch (error) {
      return nameOf(error);
    }
  }

  /** Compares an output with its expectation, whose form its own type and the output's say. */
  expectOutput(what, want, got) {
    if (typeof got?.compareWith === 'function') got.compareWith(what, want);
    else if (got instanceof Uint8Array) {
      if (isForm(want, 'sha256', 'len')) expectHash(what, want, got);
      else expect(what, this.bytes(want), got);
    } else if (isForm(want, 'about', 'within')) {
      check(Math.abs(Number(want.about) - Number(got)) <= Number(want.within), `${what} about ${want.about}`, got);
    } else if (isForm(want, 'set')) expect(what, ordered(list(want.set)), ordered(got));
    else expect(what, typeof got === 'bigint' ? integer64(want) : want, got);
  }

  /** Bytes in any form of R30. */
  bytes = (value) => {
    if (Array.isArray(value)) return Buffer.concat(value.map(this.bytes));
    if (typeof value === 'string') return hex(value);
    const form = fields(value);
    const data = Object.hasOwn(form, 'ref') ? this.earlier(form) : repeated(form);
    expectEmpty('bytes', form);
    return data;
  };

  earlier(form) {
    const name = take(form, 'ref', text);
    check(this.saved.has(name), 'saved bytes', name);
    const data = Buffer.from(this.saved.get(name));
    const change = takeOr(form, 'xor', fields, undefined);
    if (change !== undefined) {
      const at = take(change, 'at', integer);
      for (const [i, mask] of take(change, 'hex', hex).entries()) data[at + i] ^= mask;
      expectEmpty('xor', change);
    }
    return data.subarray(0, takeOr(form, 'take', integer, data.length));
  }

  /** The handle that a key of the step names. */
  on(step, key = 'on') {
    const name = take(step, key, text);
    check(this.handles.has(name), 'a handle', name);
    return this.handles.get(name);
  }

  /** A name for a new handle. */
  unused = (name) => check(!this.handles.has(text(name)) || this.freed.has(name), 'a name that is not in use', name);

  bind(name, handle) {
    this.handles.delete(name);
    this.freed.delete(name);
    this.handles.set(name, handle);
  }

  /** Closes a handle and lets its name go; it has no status. */
  free(step) {
    const name = step.on;
    statusOf(() => this.on(step).close());
    this.freed.add(name);
  }

  /** R14: what is left is freed in one order or the other. */
  end(position) {
    const left = [...this.handles.values()];
    for (const handle of position % 2 === 0 ? left : left.reverse()) handle.close();
  }
}

/** Runs the steps of a case, waiting where they wait. */
export async function runScript(operations, testCase, position) {
  const script = new Script(operations);
  const steps = script.run(take(testCase, 'script', list));
  try {
    for (let next = steps.next(); !next.done; ) {
      next = await next.value.then(
        (value) => steps.next(value),
        (error) => steps.throw(error),
      );
    }
  } finally {
    script.end(position);
  }
}
