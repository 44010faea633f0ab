// SPDX-License-Identifier: MIT

// What all schemas share: the forms of values (vectors.md R30), comparison, and scripts (R31). A table of arrays, or of
// operations, has for each name the keys that must be there, as words, and a function of a Step. What an operation
// returns are its outputs, or a promise of them, for which only steps outside of a window can wait.

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import keep from '../../lib/index.js';
import status from '../../lib/status.js';

const statusNames = new Set(status.statuses.map(({ name }) => name));

/** A case did not do what it says. */
export class Failed extends Error {}

function shown(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').slice(0, 64);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function check(isRight, want, got) {
  if (!isRight) throw new Failed(`value: expected ${want}, got ${shown(got)}`);
  return got;
}

export function expect(what, want, got) {
  const areBytes = want instanceof Uint8Array && got instanceof Uint8Array;
  if (areBytes ? Buffer.compare(want, got) !== 0 : !isDeepStrictEqual(want, got)) {
    throw new Failed(`${what}: expected ${shown(want)}, got ${shown(got)}`);
  }
}

export const constant = (name) => keep[name.replace(/^KEEP_/, '')];

// Forms of values

export const text = (value) => check(typeof value === 'string', 'text', value);
export const boolean = (value) => check(typeof value === 'boolean', 'a boolean', value);
export const list = (value) => check(Array.isArray(value), 'a list', value);
export const integer = (value) => check(Number.isSafeInteger(value) && value >= 0, 'an integer', value);
export const integers = (value) => list(value).map(integer);
export const object = (value) => check(value?.constructor === Object, 'an object', value);

export function integer64(value) {
  if (typeof value === 'number') return BigInt(integer(value));
  return BigInt(check(/^(0|[1-9][0-9]{0,19}|0x[0-9a-f]{1,16})$/.test(text(value)), 'a 64-bit integer', value));
}

function hex(value) {
  return Buffer.from(check(/^([0-9a-f]{2})*$/.test(text(value)), 'lower-case hex digits', value), 'hex');
}

/** What a table has under a name. */
export const entry = (table) => (name) => {
  check(Object.hasOwn(table, text(name)), `one of ${Object.keys(table)}`, name);
  return table[name];
};

/** The member of an enumeration that a word names. */
export const memberOf = (group) => (word) => entry(group)(text(word).toUpperCase());

export const wordOf = (group, member) =>
  Object.keys(group)
    .find((name) => group[name] === member)
    ?.toLowerCase() ?? member;

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** An object of libkeep as the files have it, with the words of the enumerations that are given by name. */
export function told(object, groups = {}) {
  const pairs = Object.entries(object).map(([name, value]) => [snake(name), value]);
  return Object.fromEntries(pairs.map(([key, value]) => [key, groups[key] ? wordOf(groups[key], value) : value]));
}

/** The name of the status that a call ends in. */
export function statusOf(call) {
  try {
    call();
    return 'OK';
  } catch (error) {
    return nameOf(error);
  }
}

function nameOf(error) {
  if (error instanceof keep.KeepError) return error.code.replace(/^ERR_KEEP_/, '');
  throw error;
}

export const expectStatus = (what, want, call) => expect(`status of ${what}`, want, statusOf(call));

// Keys

/** The keys of each object of a file that were read (R33). */
const read = new WeakMap();

function keysRead(fields) {
  if (!read.has(fields)) read.set(fields, new Set());
  return read.get(fields);
}

/** The keys in a value, at any depth, that nobody has read. */
export function unread(value) {
  if (typeof value !== 'object' || value === null) return [];
  const known = Array.isArray(value) ? new Set(Object.keys(value)) : keysRead(value);
  return Object.entries(value).flatMap(([key, part]) => [...(known.has(key) ? [] : [key]), ...unread(part)]);
}

/** Any part of a case: its inputs by key, undefined where there are none. */
export class Step {
  /** Outputs that are there also if the operation fails. */
  out = {};

  constructor(run, fields, inputs = '') {
    this.run = run;
    this.fields = object(fields);
    for (const key of inputs.split(' ').filter(Boolean)) {
      if (!this.has(key)) throw new Failed(`${key}: expected, but missing`);
    }
  }

  has(key) {
    return Object.hasOwn(this.fields, key);
  }

  take(key, form = (value) => value) {
    if (!this.has(key)) return undefined;
    keysRead(this.fields).add(key);
    return form(this.fields[key]);
  }

  text = (key) => this.take(key, text);
  integer = (key) => this.take(key, integer);
  integer64 = (key) => this.take(key, integer64);
  boolean = (key) => this.take(key, boolean);
  bytes = (key) => this.take(key, (value) => this.run.bytes(value));

  /** Those of the inputs that are there, named as libkeep does. */
  options(forms) {
    const there = Object.entries(forms).filter(([key]) => this.has(key));
    return Object.fromEntries(there.map(([key, form]) => [camel(key), this.take(key, form)]));
  }

  part(value, inputs) {
    return new Step(this.run, value, inputs);
  }

  parts(key, inputs) {
    return this.take(key, list).map((each) => this.part(each, inputs));
  }

  /** R11: the bare name, which must be one that users see. */
  get status() {
    const name = (this.text('status') ?? 'OK').replace(/^KEEP_(ERR_)?/, '');
    return check(statusNames.has(name), 'a known status', name);
  }

  /** The handle that a key names. */
  on(key = 'on') {
    const name = this.text(key);
    check(this.run.handles.has(name), 'a handle', name);
    return this.run.handles.get(name);
  }

  /** Names a new handle. */
  bind(make) {
    const name = this.run.unused(this.text('as'));
    return this.run.bind(name, make());
  }

  expect(key, got) {
    this.run.expectOutput(key, this.take(key), got);
  }

  /** Compares outputs with those that the step expects under a key: each that it names, or all. */
  expectTold(key, got, isWhole = true) {
    const wanted = this.part(this.take(key), isWhole ? Object.keys(got).join(' ') : '');
    this.run.compare(key, wanted.fields, got);
  }
}

/** The handles and saved bytes of one case, which `end` closes. */
class Run {
  handles = new Map();
  freed = new Set();
  saved = new Map();

  constructor(operations) {
    this.operations = operations;
  }

  /** Runs steps, and yields the promises to wait for. */
  *steps(values) {
    for (const each of list(values)) yield* this.step(new Step(this, each, 'op'));
  }

  /** Runs steps where nobody can wait: in a window. */
  stepNow(values) {
    if (!this.steps(values).next().done) throw new Failed('steps: expected none that waits in a window');
  }

  async stepAll(values) {
    const steps = this.steps(values);
    for (let next = steps.next(); !next.done; ) {
      next = await next.value.then(
        (value) => steps.next(value),
        (error) => steps.throw(error),
      );
    }
  }

  *step({ fields }) {
    const op = text(fields.op);
    const [inputs, call] = op === 'free' ? ['on', free] : entry(this.operations)(op);
    const step = new Step(this, fields, inputs);
    step.take('op');
    expect(`${op} status`, step.status, yield* this.call(step, call));
    if (step.has('save')) this.saved.set(step.text('save'), step.out.data ?? step.out.wire ?? step.out.packet);
    if (step.has('out')) this.compare(op, step.take('out', object), step.out);
  }

  *call(step, call) {
    try {
      const outputs = call(step);
      Object.assign(step.out, outputs instanceof Promise ? yield outputs : outputs);
      return 'OK';
    } catch (error) {
      return nameOf(error);
    }
  }

  compare(what, wanted, got) {
    for (const key of Object.keys(wanted)) {
      keysRead(wanted).add(key);
      if (!Object.hasOwn(got, key)) throw new Failed(`${what} ${key}: expected an output, got none`);
      this.expectOutput(`${what} ${key}`, wanted[key], got[key]);
    }
  }

  /** Compares an output with its expectation, whose form its own type and the output's say. */
  expectOutput(what, want, got) {
    if (got instanceof Uint8Array) this.expectBytes(what, want, got);
    else if (Array.isArray(got)) {
      expect(`number of ${what}`, list(want).length, got.length);
      for (const [i, each] of got.entries()) this.expectOutput(`${what}[${i}]`, want[i], each);
    } else if (got?.constructor === Object) this.compare(what, object(want), got);
    else expect(what, typeof got === 'bigint' ? integer64(want) : want, got);
  }

  expectBytes(what, want, got) {
    if (!Object.hasOwn(Object(want), 'sha256')) {
      expect(what, this.bytes(want), got);
      return;
    }
    const hash = new Step(this, want, 'sha256 len');
    expect(`${what} length`, hash.integer('len'), got.length);
    expect(`${what} hash`, hash.text('sha256'), createHash('sha256').update(got).digest('hex'));
  }

  /** Bytes in any form of R30. */
  bytes(value) {
    if (Array.isArray(value)) return Buffer.concat(value.map((part) => this.bytes(part)));
    if (typeof value === 'string') return hex(value);
    if (Object.hasOwn(object(value), 'ref')) return this.earlier(new Step(this, value));
    const repeated = new Step(this, value, 'repeat hex');
    const count = check(repeated.integer('repeat') <= 2 ** 24, 'at most 2^24', repeated.integer('repeat'));
    return Buffer.concat(Array(count).fill(repeated.bytes('hex')));
  }

  earlier(form) {
    const name = form.text('ref');
    check(this.saved.has(name), 'saved bytes', name);
    const data = Buffer.from(this.saved.get(name));
    if (form.has('xor')) {
      const change = form.part(form.take('xor'), 'at hex');
      for (const [i, mask] of change.bytes('hex').entries()) data[change.integer('at') + i] ^= mask;
    }
    return data.subarray(0, form.integer('take') ?? data.length);
  }

  /** A name for a new handle. */
  unused(name) {
    return check(!this.handles.has(text(name)) || this.freed.has(name), 'a name that is not in use', name);
  }

  bind(name, handle) {
    this.handles.delete(name);
    this.freed.delete(name);
    this.handles.set(name, handle);
    return handle;
  }

  /** R14: what is left is closed in one order or the other. */
  end(position) {
    const left = [...this.handles.values()];
    for (const handle of position % 2 === 0 ? left : left.reverse()) handle.close();
  }
}

/** Closes a handle and lets its name go; it has no status. */
function free(step) {
  statusOf(() => step.on().close());
  step.run.freed.add(step.text('on'));
}

/** An array of scripts. */
export const scripts = ['script', (step) => step.run.stepAll(step.take('script'))];

/** Runs a case of a schema; throws what was wrong. */
export async function runCase(schema, array, fields, position) {
  const run = new Run(schema.operations);
  const [inputs, call] = schema.arrays[array];
  const step = new Step(run, fields, inputs);
  for (const note of ['id', 'comment']) step.take(note);
  if (Array.isArray(fields.flags)) delete fields.flags; // words for readers; where it is an input it is a number
  try {
    await call(step);
  } finally {
    run.end(position);
  }
  if (unread(fields).length > 0) throw new Failed(`keys: expected none that is unknown, got ${unread(fields)}`);
}
