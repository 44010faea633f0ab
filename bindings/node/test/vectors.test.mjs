// SPDX-License-Identifier: MIT

// The shared vectors as tests, a file each; those of packets again with each back end that this machine has.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import keep from '../lib/index.js';
import { readFiles, runFile } from './run-vectors.mjs';

async function passes(file) {
  assert.equal(file.invalid, undefined);
  await runFile(file);
  assert.deepEqual(file.failures, []);
  assert.equal(file.passed, file.parsed.numberOfTests);
}

for (const file of readFiles()) test(`vectors of ${file.name}`, () => passes(file));

const { Aead, AeadState, packet } = keep;
const reports = [Aead.SODIUM, Aead.OPENSSL, Aead.IPSEC_MB].map(packet.aeadReport);

for (const { name } of reports.filter(({ state }) => state === AeadState.USABLE)) {
  test(`vectors of packets with ${name}`, async () => {
    process.env.KEEP_TEST_AEAD = name;
    try {
      for (const file of readFiles().filter(({ parsed }) => parsed?.schema === 'keep-packet-1')) await passes(file);
    } finally {
      delete process.env.KEEP_TEST_AEAD;
    }
  });
}
