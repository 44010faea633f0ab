// SPDX-License-Identifier: MIT

// Windows: a copy that is wiped, whatever the callback does (memory T21, bindings R29).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import keep from '../lib/index.js';
import { fails, refuses } from './support.mjs';

const { Secret } = keep;

const kinds = {
  slot: () => Secret.fromBytes(Buffer.from('in a slot')),
  'guarded buffer': () => {
    const secret = keep.Pool.default().acquire(9, { guarded: true });
    secret.put(0, Buffer.from('in a slot'));
    return secret;
  },
};

const isWiped = (copy) => copy.every((byte) => byte === 0);

for (const [kind, make] of Object.entries(kinds)) {
  test(`a read window of a ${kind} gives what the callback gives, and wipes its copy`, () => {
    const secret = make();
    let kept;
    const result = secret.read((copy) => {
      kept = copy;
      copy[0] = 0;
      return `${copy.subarray(1)}`;
    });
    assert.equal(result, 'n a slot');
    assert.ok(Buffer.isBuffer(kept) && kept.length === 9 && isWiped(kept));
    assert.equal(secret.reveal().toString(), 'in a slot');
    secret.close();
  });

  test(`a write window of a ${kind} takes the copy back, and wipes it`, () => {
    const secret = make();
    let kept;
    secret.write((copy) => {
      kept = copy;
      copy.write('was');
    });
    assert.ok(isWiped(kept));
    assert.equal(secret.reveal().toString(), 'wasa slot');
    secret.close();
  });

  test(`a callback of a ${kind} that throws ends the window and changes nothing`, () => {
    const secret = make();
    const thrown = new Error('from the callback');
    for (const method of ['read', 'write']) {
      let kept;
      const call = () =>
        secret[method]((copy) => {
          kept = copy;
          copy.fill(7);
          throw thrown;
        });
      assert.throws(call, (error) => error === thrown);
      assert.ok(isWiped(kept));
    }
    assert.equal(secret.info().windows, 0);
    assert.equal(secret.reveal().toString(), 'in a slot');
    secret.close();
  });

  test(`a callback of a ${kind} that returns a promise is refused, its copy wiped`, async () => {
    const secret = make();
    for (const method of ['read', 'write']) {
      let late;
      refuses('ERR_INVALID_ARG_TYPE', () =>
        secret[method](async (copy) => {
          copy.fill(7);
          await null;
          late = isWiped(copy);
        }),
      );
      await new Promise(setImmediate);
      assert.equal(late, true);
    }
    assert.equal(secret.reveal().toString(), 'in a slot');
    secret.close();
  });

  test(`a callback of a ${kind} that gives its copy away gets no other one`, () => {
    const secret = make();
    for (const method of ['read', 'write']) {
      let moved;
      refuses('ERR_INVALID_ARG_TYPE', () =>
        secret[method]((copy) => {
          moved = structuredClone(copy, { transfer: [copy.buffer] });
        }),
      );
      assert.equal(Buffer.from(moved).toString(), 'in a slot');
    }
    assert.equal(secret.info().windows, 0);
    assert.equal(secret.reveal().toString(), 'in a slot');
    secret.close();
  });

  test(`under a window of a ${kind} closing is BUSY`, () => {
    const secret = make();
    secret.read(() => {
      fails('BUSY', () => secret.close());
      secret.read((copy) => assert.equal(copy.length, 9));
      fails('BUSY', () => secret.write(() => 0));
      assert.equal(secret.info().windows, 1);
    });
    secret.write(() => {
      fails('BUSY', () => secret.close());
      fails('BUSY', () => secret.read(() => 0));
      fails('BUSY', () => Secret.fromBytes(secret));
    });
    secret.close();
    fails('CLOSED', () => secret.length);
  });
}

test('a window of an empty secret has an empty copy', () => {
  const secret = Secret.generate(0);
  assert.equal(
    secret.read((copy) => copy.length),
    0,
  );
  secret.write((copy) => assert.equal(copy.length, 0));
});

test('a window needs a function', () => {
  const secret = Secret.generate(1);
  for (const fn of [undefined, null, {}, 'fn']) {
    refuses('ERR_INVALID_ARG_TYPE', () => secret.read(fn));
    refuses('ERR_INVALID_ARG_TYPE', () => secret.write(fn));
  }
  assert.equal(secret.info().windows, 0);
});
