// SPDX-License-Identifier: MIT

// What the classes of handles share. The External of C is in a private field: no other object has one, so nothing
// forged reaches C.

const { inspect } = require('node:util');
const { KeepError, typeError } = require('./errors.js');

// Known to lib/ alone: with it a constructor takes an External that C has just made.
const ADOPT = Symbol('adopt');

// A method by which a class tells its length and state.
const DESCRIBE = Symbol('describe');

const uncloneable = Object.freeze({
  enumerable: true,
  get() {
    throw typeError('ERR_INVALID_ARG_TYPE', 'A handle of libkeep cannot be copied or sent to another thread');
  },
});

function describe(handle) {
  try {
    return handle[DESCRIBE]();
  } catch (error) {
    return error instanceof KeepError ? error.code.replace('ERR_KEEP_', '').toLowerCase() : 'no handle';
  }
}

/** The External of a handle; any other value as it is, for C to take or to refuse. */
let handleOf;

class Handle {
  #h;

  static {
    // Bytes are known at once, a private field must be looked for.
    handleOf = (value) =>
      typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || !(#h in value) ? value : value.#h;
  }

  constructor(adopt, h) {
    if (adopt !== ADOPT) throw typeError('ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    this.#h = h;
    // structuredClone, postMessage and v8.serialize read it, and so refuse
    Object.defineProperty(this, 'handle', uncloneable);
  }

  [Symbol.dispose]() {
    this.close();
  }

  toJSON() {
    throw typeError('ERR_INVALID_ARG_TYPE', `A ${this.constructor.name} cannot be written as JSON`);
  }

  toString() {
    return `[${this.constructor.name}: ${describe(this)}]`;
  }

  [inspect.custom]() {
    return `${this.constructor.name} { ${describe(this)} }`;
  }
}

module.exports = { ADOPT, DESCRIBE, Handle, handleOf };
