// SPDX-License-Identifier: MIT

// Sealed packets: what both sides of a session seal, singly and as a batch; answers to them go on where they end.

import fs from 'node:fs';
import keep from '../../bindings/node/lib/index.js';

const { packets: INPUTS } = JSON.parse(fs.readFileSync(new URL('inputs.json', import.meta.url)));
const { damaged: DAMAGED, replayed: REPLAYED, count: COUNT } = INPUTS;
const SIDES = [0, 1];

const range = (start, count) => Array.from({ length: count }, (_, i) => start + i);

const SEALED = range(0, COUNT);
const ANSWERS = range(COUNT, INPUTS.answers);
const VERDICTS = [...SEALED.slice(0, DAMAGED), -keep.Status.AUTH, ...SEALED.slice(DAMAGED), -keep.Status.REPLAY];

/** One side's session. */
function session(side, firstCounter = 0) {
  const [txKey, rxKey] = [side, 1 - side].map((at) => keep.Secret.fromBytes(Buffer.from(INPUTS.keys[at], 'hex')));
  return new keep.Session({
    sessionId: BigInt(INPUTS.session_id),
    txKey,
    rxKey,
    firstCounter: BigInt(firstCounter),
  });
}

/** Calls a function with one side's session. */
function withSession(side, firstCounter, use) {
  const made = session(side, firstCounter);
  try {
    return use(made);
  } finally {
    made.close();
  }
}

const events = (side, number) =>
  range(0, number % 4).map((i) => Buffer.from(`side ${side}, packet ${number}, event ${i}`));

/** The packets with these numbers, the first half one by one, the others as a batch. */
function seal(side, numbers) {
  const half = numbers.length / 2;
  const options = (number) => ({ streamId: BigInt(side), sequence: BigInt(number) });
  return withSession(side, numbers[0], (sealer) => {
    const singles = numbers.slice(0, half).map((number) => sealer.seal(events(side, number), options(number)));
    const requests = numbers.slice(half).map((number) => ({ events: events(side, number), ...options(number) }));
    const { data, offsets } = sealer.sealBatch(requests);
    return [...singles, ...requests.map((_, i) => data.subarray(offsets[i], offsets[i + 1]))];
  });
}

/** One comes damaged before it comes whole, and one comes again at the end. */
function spoil(datagrams) {
  const damaged = Buffer.from(datagrams[DAMAGED]);
  damaged[damaged.length - 1] ^= 1;
  return [...datagrams.slice(0, DAMAGED), damaged, ...datagrams.slice(DAMAGED), datagrams[REPLAYED]];
}

/** The number of a packet, if it is as it was sealed; what is refused has its status below zero. */
function verdict(side, opened) {
  if (opened.status !== keep.Status.OK) return -opened.status;
  const { sequence, counter, streamId } = opened.info;
  const number = Number(sequence);
  const isRight = counter === sequence && streamId === BigInt(side) && `${opened.events}` === `${events(side, number)}`;
  return isRight ? number : null;
}

/** What the other side finds; it opens the first half one by one, the others as a batch. */
function verdicts(side, datagrams) {
  const half = datagrams.length / 2;
  return withSession(1 - side, 0, (opener) => {
    const singles = datagrams.slice(0, half).map((datagram) => opener.open(datagram));
    return [...singles, ...opener.openBatch(datagrams.slice(half))].map((opened) => verdict(side, opened));
  });
}

const toHex = (datagrams) => datagrams.map((datagram) => datagram.toString('hex'));
const fromHex = (texts) => texts.map((text) => Buffer.from(text, 'hex'));
const areRight = (texts, wanted) => SIDES.every((side) => `${verdicts(side, fromHex(texts[side]))}` === `${wanted}`);

export const sealed = () => SIDES.map((side) => toHex(spoil(seal(side, SEALED))));
export const answers = () => SIDES.map((side) => toHex(seal(side, ANSWERS)));
export const areSealed = (texts) => areRight(texts, VERDICTS);
export const areAnswers = (texts) => areRight(texts, ANSWERS);
