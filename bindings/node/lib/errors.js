// SPDX-License-Identifier: MIT

// What a failed call throws: KeepError for a status of libkeep, Node's own kinds for arguments of the wrong kind.

const native = require('./native.js');
const { statuses } = require('./status.js');

const Status = Object.freeze(Object.fromEntries(statuses.map(({ name, number }) => [name, number])));
const byNumber = new Map(statuses.map((status) => [status.number, status]));

/** A call failed: `code` says why, `op` where, and `message` in a sentence. */
class KeepError extends Error {
  constructor(status, op, needed) {
    const { name, sentence } = byNumber.get(status);
    super(sentence);
    this.status = status;
    this.code = `ERR_KEEP_${name}`;
    this.op = op;
    if (needed !== undefined) this.needed = needed;
  }
}

// What only functions that touch the outside world fill in.
Object.assign(KeepError.prototype, {
  name: 'KeepError',
  layer: native.constants.Layer.NONE,
  layerCode: 0n,
  reason: 'none',
  values: Object.freeze([0n, 0n, 0n, 0n]),
});

native.setErrorClass(KeepError);

function typeError(code, message) {
  return Object.assign(new TypeError(message), { code });
}

/** A text as C sees it: Node-API would replace lone surrogates silently, and two names could become one. */
function checkText(text, op) {
  if (typeof text === 'string' && /\p{Surrogate}/u.test(text)) throw new KeepError(Status.INVALID_ARGUMENT, op);
  return text;
}

/** Options are an object that has no key beside the known. */
function checkOptions(options, known) {
  if (typeof options !== 'object' || options === null) {
    throw typeError('ERR_INVALID_ARG_TYPE', 'The "options" argument must be an object');
  }
  for (const key in options) {
    if (!Object.hasOwn(known, key)) throw typeError('ERR_INVALID_ARG_VALUE', `Unknown option "${key}"`);
  }
}

/** The options with their defaults; a key that is not among those is a TypeError. */
function takeOptions(options, defaults) {
  if (options === undefined) return defaults;
  checkOptions(options, defaults);
  const taken = { ...defaults };
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) taken[key] = value;
  }
  return taken;
}

module.exports = { KeepError, Status, checkOptions, checkText, takeOptions, typeError };
