// SPDX-License-Identifier: MIT

// The package: its names, how it loads, what it says when it does not (bindings T17, T18, R34).

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import keep from '../lib/index.js';
import * as imported from '../lib/index.mjs';
import status from '../lib/status.js';
import { root, runProgram } from './support.mjs';

function declaredNames() {
  const text = fs.readFileSync(path.join(root, 'index.d.ts'), 'utf8');
  return [...text.matchAll(/^export (?:const|class|function) (\w+)/gm)].map((match) => match[1]);
}

test('require, import and the types have the same names', () => {
  const names = Object.keys(keep).sort();
  assert.deepEqual(Object.keys(imported).sort(), names);
  assert.deepEqual(declaredNames().sort(), names);
  assert.deepEqual({ ...imported }, { ...keep });
});

test('the types declare what the classes have', () => {
  const text = fs.readFileSync(path.join(root, 'index.d.ts'), 'utf8');
  const classes = Object.values(keep).filter((value) => value.prototype instanceof Object.getPrototypeOf(keep.Pool));
  assert.equal(classes.length, 10);
  for (const Class of classes) {
    const body =
      text.match(new RegExp(`^export class ${Class.name} .*?^}`, 'ms'))[0] +
      text.match(/^declare abstract class .*?^}/ms)[0];
    const own = [...Object.getOwnPropertyNames(Class), ...Object.getOwnPropertyNames(Class.prototype)];
    for (const name of own.filter((each) => !['length', 'name', 'prototype'].includes(each))) {
      assert.match(body, new RegExp(`\\b${name}\\b`), `${Class.name}.${name}`);
    }
  }
});

test('constants are those of C, frozen; every status has a code in the types', () => {
  assert.equal(keep.MAX_SECRET_LEN, 64 * 1024 * 1024);
  assert.equal(keep.UNLIMITED, 2n ** 63n - 1n);
  assert.equal(keep.WAIT_FOREVER, 2 ** 32 - 1);
  for (const value of Object.values(keep)) {
    if (typeof value === 'object') assert.ok(Object.isFrozen(value));
  }
  const types = fs.readFileSync(path.join(root, 'lib', 'status.d.ts'), 'utf8');
  for (const { name } of status.statuses.slice(1)) assert.ok(types.includes(`'ERR_KEEP_${name}'`));
});

test('every status makes an error of its own', () => {
  for (const { name, number, sentence } of status.statuses) {
    const error = new keep.KeepError(number, 'op');
    assert.deepEqual([error.code, error.message, error.status], [`ERR_KEEP_${name}`, sentence, number]);
  }
});

test('the versions of the manifest and of the library agree', () => {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  assert.equal(manifest.version, keep.version());
});

/** Node programs on the path, each once. */
function nodes() {
  const folders = process.env.PATH.split(path.delimiter).filter((folder) => fs.existsSync(folder));
  const found = folders.flatMap((folder) =>
    fs.readdirSync(folder).flatMap((name) => (/^node(js)?-?[0-9.]*$/.test(name) ? [path.join(folder, name)] : [])),
  );
  return [...new Set([process.execPath, ...found].map((file) => fs.realpathSync(file)))];
}

test('one build loads in every Node that is installed', async () => {
  const program = `console.log(keep.Secret.generate(3).length)`;
  for (const node of nodes()) assert.equal(await runProgram(program, node), '3\n');
});

test('without an addon the error tells what was tried and what helps', () => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'libkeep-'));
  try {
    fs.cpSync(path.join(root, 'lib'), path.join(copy, 'lib'), { recursive: true });
    fs.cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'));
    fs.mkdirSync(path.join(copy, 'build'));
    fs.writeFileSync(path.join(copy, 'build', 'keep.node'), 'no shared object');
    const { stderr } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(copy)})`], { encoding: 'utf8' });
    assert.match(stderr, new RegExp(`${process.platform}-${process.arch}-(glibc|musl)`));
    assert.match(stderr, /tried .*build\/keep\.node: .*(file too short|invalid ELF header)/);
    assert.match(stderr, /tried .*prebuilds\/.*\.node: no such file/);
    assert.match(stderr, /npx libkeep-build/);
    assert.match(stderr, /ERR_DLOPEN_FAILED/);
  } finally {
    fs.rmSync(copy, { recursive: true });
  }
});
