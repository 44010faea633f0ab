// SPDX-License-Identifier: MIT

// The shared vectors as tests, a file each.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFiles, runFile } from './run-vectors.mjs';

for (const file of readFiles()) {
  test(`vectors of ${file.name}`, async () => {
    assert.equal(file.invalid, undefined);
    await runFile(file);
    assert.deepEqual(file.failures, []);
    assert.equal(file.passed, file.parsed.numberOfTests);
  });
}
