// SPDX-License-Identifier: MIT

// One of the crowd (tests/exchange/crowd.py): registers, beats, and does what its input says.
//
// The kernel queues few datagrams: what finds the queue full is said again, and a last word, of which nobody hears whether
// it arrived, several times.

import { setTimeout as sleep } from 'node:timers/promises';
import { Beacon, OutcomeKind } from '../../bindings/node/lib/index.mjs';

const PERIOD_MS = 200;
const RETRY_MS = 5;
const LAST_WORDS = 5;

async function untilSent(say) {
  while (say().kind !== OutcomeKind.SENT) await sleep(RETRY_MS);
}

async function leave(beacon, command) {
  for (let words = 0; command === 'crash' && words < LAST_WORDS; words += 1) {
    beacon.crash(9);
    await sleep(10 * RETRY_MS);
  }
  if (command === 'goodbye') await untilSent(() => beacon.goodbye());
}

/** The first line of the input, `exit` if it ends. An input that is read on would keep the process. */
function nextCommand() {
  return new Promise((resolve) => {
    process.stdin.setEncoding('utf8').once('data', (text) => {
      process.stdin.destroy();
      resolve(text.trim());
    });
    process.stdin.once('end', () => resolve('exit'));
  });
}

export async function live(socket) {
  const beacon = new Beacon({ path: socket });
  let command = '';
  beacon.arm();
  await untilSent(() => beacon.register());
  nextCommand().then((text) => {
    command = text;
  });
  while (command === '') await sleep(beacon.beat().kind === OutcomeKind.SENT ? PERIOD_MS : RETRY_MS);
  await leave(beacon, command);
  beacon.close();
}
