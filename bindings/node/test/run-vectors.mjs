#!/usr/bin/env node
// SPDX-License-Identifier: MIT

// Runs the shared test vectors against libkeep for Node: run-vectors.mjs [--reverse] [SCHEMA...]
//
// One line per file on standard output, everything else on standard error; vectors.md has the rules, whose numbers stand
// in the comments. What the cases of a schema mean is in vectors/NAME.mjs.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import memory from './vectors/memory.mjs';
import packet from './vectors/packet.mjs';
import { constant, Failed, runCase } from './vectors/shared.mjs';
import tracker from './vectors/tracker.mjs';

// schema → its arrays of cases, and its operations (R3)
const SCHEMAS = new Map([
  ['keep-memory-1', memory],
  ['keep-packet-1', packet],
  ['keep-tracker-1', tracker],
]);

const FAILURES_SHOWN = 20;
const HEADER = ['schema', 'numberOfTests', 'notes', 'constants'];

/** The file, or what was asked for, is wrong as a whole. */
class Invalid extends Error {}

function demand(isRight, sentence) {
  if (!isRight) throw new Invalid(sentence);
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object that a file holds (R32). */
function parse(content) {
  let parsed;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content));
  } catch (error) {
    throw new Invalid(error.message);
  }
  demand(isObject(parsed), 'not an object');
  return parsed;
}

function checkArray(cases) {
  demand(Array.isArray(cases) && cases.every(isObject), 'cases are objects in arrays');
  const ids = cases.map(({ id }) => id);
  demand(ids.every((id) => typeof id === 'string') && new Set(ids).size === ids.length, 'a case has no id of its own');
}

/** R4, R10, R28: a known schema, nothing that nobody reads, no identifier twice, the right count. */
function checkHeader(file) {
  demand(SCHEMAS.has(file.schema), `schema ${JSON.stringify(file.schema)} is not known`);
  const arrays = Object.keys(SCHEMAS.get(file.schema).arrays);
  const unknown = Object.keys(file).filter((key) => !arrays.includes(key) && !HEADER.includes(key));
  demand(unknown.length === 0, `nobody knows ${unknown}`);
  const present = arrays.filter((name) => Object.hasOwn(file, name)).map((name) => file[name]);
  present.forEach(checkArray);
  const count = present.reduce((sum, cases) => sum + cases.length, 0);
  const total = file.numberOfTests;
  demand(Number.isSafeInteger(total) && total >= 1 && total === count, `numberOfTests is ${total}, there are ${count}`);
}

/** R7: the file's name, hash and content; or `invalid`, a sentence. */
function readFile(file) {
  const read = { name: path.basename(file), hash: '-', failures: [], passed: 0 };
  try {
    const content = fs.readFileSync(file);
    read.hash = createHash('sha256').update(content).digest('hex');
    read.parsed = parse(content);
    checkHeader(read.parsed);
  } catch (error) {
    read.invalid = error.message;
  }
  return read;
}

/** What was wrong with a case, or undefined (R9). */
async function failureOf(schema, array, testCase, position) {
  try {
    await runCase(schema, array, testCase, position);
    return undefined;
  } catch (error) {
    return error instanceof Failed ? error.message : `exception: expected none, got ${error}`;
  }
}

async function countCase(file, array, position, testCase) {
  const where = `${file.name} ${array}[${position}] ${testCase.id}`;
  if (process.env.KEEP_VECTORS_VERBOSE !== undefined) fs.writeSync(2, `${where}\n`);
  const wrong = await failureOf(SCHEMAS.get(file.parsed.schema), array, testCase, position);
  if (wrong === undefined) file.passed++;
  else file.failures.push(`FAIL ${where}: ${wrong} ${testCase.comment ?? ''}`.trimEnd());
}

function compareConstants(file) {
  for (const [name, want] of Object.entries(file.parsed.constants ?? {})) {
    const got = constant(name);
    if (String(got) !== String(want)) {
      file.failures.push(`FAIL ${file.name} constants ${name}: expected ${want}, got ${got}`);
    }
  }
}

/** Runs the cases of a valid file: `passed`, and what was wrong in `failures`. */
export async function runFile(file, reverse = false) {
  compareConstants(file);
  for (const array of Object.keys(SCHEMAS.get(file.parsed.schema).arrays)) {
    const cases = [...(file.parsed[array] ?? []).entries()];
    for (const [position, testCase] of reverse ? cases.reverse() : cases) {
      await countCase(file, array, position, testCase);
    }
  }
}

/** R1, R2, R5: the files of the directory, in the byte order of their names. */
export function readFiles() {
  const own = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'tests', 'vectors');
  const directory = process.env.KEEP_VECTORS ?? own;
  demand(directory !== '', 'KEEP_VECTORS is empty');
  const names = fs.readdirSync(directory, 'buffer').sort(Buffer.compare).map(String);
  const paths = names.filter((name) => name.endsWith('.json')).map((name) => path.join(directory, name));
  const files = paths.filter((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile()).map(readFile);
  demand(files.length > 0, `no vectors in ${directory}`);
  const found = new Set(files.map((file) => file.parsed?.schema));
  const missing = directory === own ? [...SCHEMAS.keys()].filter((schema) => !found.has(schema)) : [];
  demand(missing.length === 0, `no vectors of ${missing}`);
  return files;
}

function report(file) {
  const result = file.invalid === undefined ? `${file.passed}/${file.parsed.numberOfTests}` : 'invalid';
  console.log(`node ${file.name} ${file.hash} ${result}`);
  if (file.invalid !== undefined) console.error(`${file.name}: ${file.invalid}`);
  for (const failure of file.failures.slice(0, FAILURES_SHOWN)) console.error(failure);
  if (file.failures.length > FAILURES_SHOWN) console.error(`… and ${file.failures.length - FAILURES_SHOWN} more`);
}

/** Runs the files, those of the schemas if any are named; the exit status (R6, R18). */
async function main(args) {
  const schemas = args.filter((arg) => arg !== '--reverse');
  const isWanted = (file) => schemas.length === 0 || file.parsed === undefined || schemas.includes(file.parsed.schema);
  const files = readFiles().filter(isWanted);
  const absent = schemas.filter((schema) => !files.some((file) => file.parsed?.schema === schema));
  demand(absent.length === 0, `no vectors of ${absent}`);
  for (const file of files) {
    if (file.invalid === undefined) await runFile(file, args.includes('--reverse'));
    report(file);
  }
  if (files.some((file) => file.invalid !== undefined)) return 2;
  return files.some((file) => file.failures.length > 0) ? 1 : 0;
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    return 2;
  });
}
