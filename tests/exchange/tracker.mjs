// SPDX-License-Identifier: MIT

// The tracker's items: frames of detached beacons with the times at which they came, which every observer must judge
// alike, and a process that beats to another's observer.

import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Beacon, BeatMode, EventKind, Observer, OutcomeKind, Secret, Tracker } from '../../bindings/node/lib/index.mjs';

const BEATS = 100;
const PATIENCE_MS = 60_000;
const LIVE_MS = 300;

const nsOf = (ms) => BigInt(ms) * 1_000_000n;

function beaconOf(pid, mode, key) {
  const own = mode === BeatMode.MASTER ? Beacon.agentKey(key, pid) : key;
  return new Beacon({ agentPid: pid, mode, reconnectAfter: 0, key: mode === BeatMode.PLAIN ? undefined : own });
}

/** Each frame as it came: [ms, source, pid, hex]. */
function recordFrames(inputs) {
  const key = Secret.fromBytes(Buffer.from(inputs.key, 'hex'));
  const beacons = inputs.agents.map(([pid, , mode]) => beaconOf(pid, mode, key));
  return inputs.frames.map(([agent, atMs, health, payload, damage, error]) => {
    const [pid, source] = inputs.agents[agent];
    const frame = beacons[agent].prepare(health, payload, nsOf(atMs));
    beacons[agent].commit(error);
    frame[0] ^= damage;
    return [atMs, source, pid, frame.toString('hex')];
  });
}

function observerOf(inputs) {
  const tracker = new Tracker({ thresholdNs: nsOf(inputs.threshold_ms), statistics: true });
  const observer = new Observer(tracker, { anyUid: true, reportBeats: true });
  const key = Secret.fromBytes(Buffer.from(inputs.key, 'hex'));
  observer.addKey(key, BeatMode.SHARED);
  observer.addKey(key, BeatMode.MASTER);
  return observer;
}

function rowOf(event) {
  const { atNs, kind, detail, pid, nonce, lastNs, silenceNs, health, payload, origin, stalled, agents } = event;
  return [atNs, kind, detail, pid, nonce, lastNs, silenceNs, health, payload, origin, stalled, agents].map(Number);
}

/** What an observer says when the frames come at their times, and its numbers in the end. */
function judge(inputs, frames) {
  const observer = observerOf(inputs);
  const events = frames.flatMap(([atMs, source, kernelPid, hex]) => {
    const frame = { source, data: Buffer.from(hex, 'hex'), kernelPid, nsInode: 1n, generation: 1n };
    return observer.feed([frame], nsOf(atMs));
  });
  events.push(...observer.feed([], nsOf(inputs.end_ms)));
  const metrics = observer.metrics();
  observer.close();
  return { events: events.map(rowOf), metrics };
}

/** What is written: objects for JSON, or text. */
export function items(inputs) {
  const frames = recordFrames(inputs);
  const { events, metrics } = judge(inputs, frames);
  return { 'tracker/frames.json': { frames }, 'tracker/events.json': { events }, 'tracker/metrics.txt': metrics };
}

/** Whether this language's observer says of the frames what the writer's did. */
export function isSame(inputs, folder) {
  const read = (name) => fs.readFileSync(path.join(folder, 'tracker', name), 'utf8');
  const { frames } = JSON.parse(read('frames.json'));
  const { events, metrics } = judge(inputs, frames);
  return (
    frames.length === inputs.frames.length &&
    read('events.json') === `${JSON.stringify({ events })}\n` &&
    read('metrics.txt') === `${metrics}\n`
  );
}

/** Beats, then is silent until the input ends. */
export async function beat(socket) {
  const beacon = new Beacon({ path: socket });
  const end = performance.now() + PATIENCE_MS;
  let sent = 0;
  while (sent < BEATS && performance.now() < end) {
    if (beacon.beat(0, sent).kind === OutcomeKind.SENT) sent += 1;
    else await sleep(5);
  }
  for await (const _ of process.stdin); // what comes does not matter
  beacon.close();
  return sent === BEATS;
}

/** The nonces of the beats, as far as the silence after the last one. */
async function hear(observer) {
  const end = performance.now() + PATIENCE_MS;
  const nonces = [];
  while (performance.now() < end) {
    for (const { kind, nonce } of await observer.wait({ timeoutMs: 100 })) {
      if (kind === EventKind.BEAT) nonces.push(nonce);
      if (kind === EventKind.STALL && nonces.length === BEATS && nonce === nonces.at(-1)) return nonces;
    }
  }
  return [];
}

/** Hears all the beats of a process, then its silence. */
export async function observe(socket) {
  const observer = new Observer(new Tracker({ thresholdNs: nsOf(LIVE_MS) }), { reportBeats: true, perPidRate: 0 });
  observer.listen({ path: socket });
  const nonces = await hear(observer);
  observer.close();
  return nonces.length === BEATS && nonces.every((nonce, position) => nonce === nonces[0] + BigInt(position));
}
