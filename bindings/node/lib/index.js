// SPDX-License-Identifier: MIT

// Everything that the package exports. A subsystem has a file of its own; the constants come from C.

const native = require('./native.js');
const { KeepError, Status } = require('./errors.js');
const memory = require('./memory.js');
const packet = require('./packet.js');
const tracker = require('./tracker.js');

for (const value of Object.values(native.constants)) Object.freeze(value);

/** The version of the library inside, "0.1.0". */
function version() {
  const number = native.versionNumber();
  return [number / 1e6, (number / 1e3) % 1e3, number % 1e3].map(Math.floor).join('.');
}

module.exports = { version, KeepError, Status, ...native.constants, ...memory, ...packet, ...tracker };
