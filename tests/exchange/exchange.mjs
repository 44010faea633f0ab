#!/usr/bin/env node
// SPDX-License-Identifier: MIT

// Writes what other languages read, and reads what they wrote:
//
//     exchange.mjs write DIR
//     exchange.mjs read DIR FROM
//     exchange.mjs finish DIR FROM
//     exchange.mjs beat PATH
//     exchange.mjs observe PATH FROM
//     exchange.mjs live PATH
//
// DIR/LANG/ holds the items of a language; inputs.json says what all of them start from. PATH is the socket of an
// observer.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import keep from '../../bindings/node/lib/index.js';
import { live } from './agent.mjs';
import * as packets from './packets.mjs';
import * as tracker from './tracker.mjs';

const {
  beyond_json: beyondJson,
  enums,
  tracker: trackerInputs,
} = JSON.parse(fs.readFileSync(new URL('inputs.json', import.meta.url)));

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

/** JSON, or text as it is. */
const textOf = (value) => `${typeof value === 'string' ? value : compact(value)}\n`;

const constants = () => `${compact({ constants: numbers(), statuses: statuses() })}\n`;

function put(folder, name, content) {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
}

/** All items of this language, and the manifest of them. */
function write(folder) {
  const items = { 'constants.json': constants(), 'packets/sealed.json': textOf(packets.sealed()) };
  for (const [name, value] of Object.entries(tracker.items(trackerInputs))) items[name] = textOf(value);
  const files = Object.fromEntries(Object.entries(items).map(([name, content]) => [name, sha256(content)]));
  for (const [name, content] of Object.entries(items)) put(folder, name, content);
  put(folder, 'manifest.json', textOf({ files }));
}

/** Every file that the manifest lists is there as it was written. */
function isWhole(folder) {
  const { files } = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json')));
  const entries = Object.entries(files);
  return (
    entries.length > 0 && entries.every(([name, hash]) => sha256(fs.readFileSync(path.join(folder, name))) === hash)
  );
}

function tell(writer, item, isGood) {
  console.log(`exchange ${writer}->node ${item} ${isGood ? 'ok' : 'FAILED'}`);
  return isGood;
}

const sidesOf = (folder, name) => JSON.parse(fs.readFileSync(path.join(folder, name)));

/** Says of each item of a language whether it is what it must be; what it sealed is answered. */
function read(folder) {
  put(folder, '../node/packets/answers.json', textOf(packets.answers()));
  const verdicts = {
    'manifest.json': isWhole(folder),
    'constants.json': fs.readFileSync(path.join(folder, 'constants.json'), 'utf8') === constants(),
    packets: packets.areSealed(sidesOf(folder, 'packets/sealed.json')),
    tracker: tracker.isSame(trackerInputs, folder),
  };
  return Object.entries(verdicts)
    .map(([item, verdict]) => tell(path.basename(folder), item, verdict))
    .every(Boolean);
}

/** What a language answered to this one. */
function finish(folder) {
  const answers = sidesOf(folder, 'packets/answers.json');
  return tell(path.basename(folder), 'answers', packets.areAnswers(answers));
}

const verbs = {
  write: async (directory) => write(path.join(directory, 'node')),
  read: async (directory, from) => read(path.join(directory, from)),
  finish: async (directory, from) => finish(path.join(directory, from)),
  beat: async (socket) => await tracker.beat(socket),
  observe: async (socket, from) => tell(from, 'live', await tracker.observe(socket)),
  live: async (socket) => await live(socket),
};

async function main([verb, ...rest]) {
  if (!Object.hasOwn(verbs, verb ?? '') || rest.length !== verbs[verb].length) {
    console.error(
      'usage: exchange.mjs write DIR | read DIR FROM | finish DIR FROM | beat PATH | observe PATH FROM | live PATH',
    );
    return 2;
  }
  return (await verbs[verb](...rest)) === false ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
