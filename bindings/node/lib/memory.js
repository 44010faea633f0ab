// SPDX-License-Identifier: MIT

// Secrets in memory: pools, secrets, sealed secrets, and what protects the process. The headers pool.h, secret.h,
// sealed.h and protect.h describe every call and what it can fail with; index.d.ts says how it looks from here.

const native = require('./native.js');
const { checkText, takeOptions } = require('./errors.js');
const { ADOPT, DESCRIBE, Handle, handleOf } = require('./handle.js');

function takePool(options) {
  return handleOf(takeOptions(options, { pool: undefined }).pool);
}

function takeType(options) {
  return takeOptions(options, { type: 0 }).type;
}

function adopt(h) {
  return new Secret(ADOPT, h);
}

class Pool extends Handle {
  constructor(options, h) {
    super(ADOPT, options === ADOPT ? h : native.poolNew(options));
  }

  static default(options) {
    return new Pool(ADOPT, native.poolDefault(options));
  }

  acquire(len, options) {
    return adopt(native.poolAcquire(handleOf(this), len, options));
  }

  async acquireAsync(len, options) {
    return adopt(await native.poolAcquireAsync(handleOf(this), len, options));
  }

  acquireMany(len, count) {
    return native.poolAcquireMany(handleOf(this), len, count).map(adopt);
  }

  reserve(len, count) {
    native.poolReserve(handleOf(this), len, count);
  }

  trim() {
    return native.poolTrim(handleOf(this));
  }

  stats() {
    return native.poolStats(handleOf(this));
  }

  close() {
    native.poolClose(handleOf(this));
  }

  [DESCRIBE]() {
    return `${this.stats().tiers.length} tiers, open`;
  }
}

class Secret extends Handle {
  static generate(len, options) {
    return adopt(native.secretGenerate(len, takePool(options)));
  }

  static fromBytes(bytes, options) {
    return adopt(native.secretFromBytes(handleOf(bytes), takePool(options)));
  }

  static takeBytes(bytes, options) {
    return adopt(native.secretTakeBytes(bytes, takePool(options)));
  }

  static closeMany(secrets) {
    native.secretCloseMany(Array.from(secrets, handleOf));
  }

  duplicate() {
    return adopt(native.secretDuplicate(handleOf(this)));
  }

  get length() {
    return native.secretLength(handleOf(this));
  }

  info() {
    return native.secretInfo(handleOf(this));
  }

  read(fn) {
    return native.secretRead(handleOf(this), fn);
  }

  write(fn) {
    return native.secretWrite(handleOf(this), fn);
  }

  put(offset, bytes) {
    native.secretPut(handleOf(this), offset, handleOf(bytes));
  }

  get(offset, len) {
    return native.secretGet(handleOf(this), offset, len);
  }

  getInto(out, offset) {
    return native.secretGetInto(handleOf(this), out, offset);
  }

  reveal() {
    return native.secretReveal(handleOf(this));
  }

  revealInto(out) {
    return native.secretRevealInto(handleOf(this), out);
  }

  randomize() {
    native.secretRandomize(handleOf(this));
  }

  clear() {
    native.secretClear(handleOf(this));
  }

  resize(len) {
    native.secretResize(handleOf(this), len);
  }

  equal(other) {
    return native.secretEqual(handleOf(this), handleOf(other));
  }

  equalBytes(bytes) {
    return native.secretEqualBytes(handleOf(this), handleOf(bytes));
  }

  freeze() {
    native.secretFreeze(handleOf(this));
  }

  melt() {
    native.secretMelt(handleOf(this));
  }

  close() {
    native.secretClose(handleOf(this));
  }

  [DESCRIBE]() {
    const { len, frozen, purged } = this.info();
    const state = frozen ? 'frozen' : 'open';
    return `${len} bytes, ${purged ? 'purged' : state}`;
  }
}

class Sealed extends Handle {
  constructor(bytes, options) {
    super(ADOPT, bytes === ADOPT ? options : sealWith(native.sealedNew, handleOf(bytes), options));
  }

  static take(bytes, options) {
    return new Sealed(ADOPT, sealWith(native.sealedTake, bytes, options));
  }

  static fromSecret(secret, options) {
    return new Sealed(ADOPT, native.sealedFromSecret(handleOf(secret), takeType(options)));
  }

  open(options) {
    return adopt(native.sealedOpen(handleOf(this), options));
  }

  async openAsync(options) {
    return adopt(await native.sealedOpenAsync(handleOf(this), options));
  }

  openInto(secret) {
    return native.sealedOpenInto(handleOf(this), handleOf(secret));
  }

  info() {
    return native.sealedInfo(handleOf(this));
  }

  close() {
    native.sealedClose(handleOf(this));
  }

  [DESCRIBE]() {
    const { len, purged } = this.info();
    return `${len} bytes, ${purged ? 'purged' : 'sealed'}`;
  }
}

function sealWith(seal, bytes, options) {
  const { type, pool } = takeOptions(options, { type: 0, pool: undefined });
  return seal(bytes, type, handleOf(pool));
}

const memory = Object.freeze({
  purge() {
    return native.memoryPurge();
  },

  harden(flags) {
    return native.memoryHarden(flags);
  },

  report(options) {
    return native.memoryReport(options);
  },

  knownAnswer(name, bytes) {
    return native.memoryKnownAnswer(checkText(name, 'memory.knownAnswer'), handleOf(bytes));
  },

  knownAnswerInto(out, name, bytes) {
    return native.memoryKnownAnswerInto(out, checkText(name, 'memory.knownAnswerInto'), handleOf(bytes));
  },
});

module.exports = { Pool, Secret, Sealed, memory };
