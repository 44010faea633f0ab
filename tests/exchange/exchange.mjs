#!/usr/bin/env node
// SPDX-License-Identifier: MIT

// Writes what other languages read, and reads what they wrote: exchange.mjs write DIR, exchange.mjs read DIR FROM,
// exchange.mjs finish DIR FROM
//
// DIR/LANG/ holds the items of a language; inputs.json says what all of them start from.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import keep from '../../bindings/node/lib/index.js';
import * as packets from './packets.mjs';

const { beyond_json: beyondJson, enums } = JSON.parse(fs.readFileSync(new URL('inputs.json', import.meta.url)));

const isNumber = (value) => typeof value === 'number' || typeof value === 'bigint';
const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/** JSON with sorted keys and without blanks, of numbers of any size. */
function compact(value) {
  if (isNumber(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(compact)}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${compact(value[key])}`)}}`;
}

function statusOf(number) {
  try {
    return new keep.KeepError(number);
  } catch {
    return null; // no status has this number
  }
}

/** Every public number under its name in C. */
function numbers() {
  const found = {};
  for (const [name, value] of Object.entries(keep).filter(([key]) => !beyondJson.includes(key))) {
    if (isNumber(value)) found[`KEEP_${name}`] = value;
    for (const key of name in enums ? Object.keys(value) : []) found[enums[name] + key] = value[key];
  }
  return found;
}

/** Every status with its number and sentence. */
function statuses() {
  const found = {};
  for (let number = 1; number < 256; number += 1) {
    const error = statusOf(number);
    if (error) found[error.code.replace('ERR_KEEP_', '')] = [number, error.message];
  }
  return found;
}

const constants = () => `${compact({ constants: numbers(), statuses: statuses() })}\n`;

function put(folder, name, content) {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
}

/** All items of this language, and the manifest of them. */
function write(folder) {
  const items = { 'constants.json': constants(), 'packets/sealed.json': `${compact(packets.sealed())}\n` };
  const files = Object.fromEntries(Object.entries(items).map(([name, content]) => [name, sha256(content)]));
  for (const [name, content] of Object.entries(items)) put(folder, name, content);
  put(folder, 'manifest.json', `${compact({ files })}\n`);
}

/** Every file that the manifest lists is there as it was written. */
function isWhole(folder) {
  const { files } = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json')));
  const entries = Object.entries(files);
  return (
    entries.length > 0 && entries.every(([name, hash]) => sha256(fs.readFileSync(path.join(folder, name))) === hash)
  );
}

/** Says of each item whether it is what it must be. */
function tell(folder, verdicts) {
  for (const [item, verdict] of Object.entries(verdicts)) {
    console.log(`exchange ${path.basename(folder)}->node ${item} ${verdict ? 'ok' : 'FAILED'}`);
  }
  return Object.values(verdicts).every(Boolean);
}

/** All items of a language; what it sealed is answered. */
function read(folder) {
  put(folder, '../node/packets/answers.json', `${compact(packets.answers())}\n`);
  return tell(folder, {
    'manifest.json': isWhole(folder),
    'constants.json': fs.readFileSync(path.join(folder, 'constants.json'), 'utf8') === constants(),
    packets: packets.areSealed(JSON.parse(fs.readFileSync(path.join(folder, 'packets/sealed.json')))),
  });
}

/** What a language answered to this one. */
function finish(folder) {
  const answers = JSON.parse(fs.readFileSync(path.join(folder, 'packets/answers.json')));
  return tell(folder, { answers: packets.areAnswers(answers) });
}

function main([verb, directory, from, ...rest]) {
  if (verb === 'write' && directory && from === undefined) {
    write(path.join(directory, 'node'));
    return 0;
  }
  const verbs = { read, finish };
  if (verb in verbs && from && rest.length === 0) return verbs[verb](path.join(directory, from)) ? 0 : 1;
  console.error('usage: exchange.mjs write DIR | read DIR FROM | finish DIR FROM');
  return 2;
}

process.exitCode = main(process.argv.slice(2));
