// SPDX-License-Identifier: MIT

// The cases of keep-tracker-1 (tracker.md §4).

import os from 'node:os';
import { getSystemErrorMap } from 'node:util';
import keep from '../../lib/index.js';
import {
  boolean,
  entry,
  expect,
  expectStatus,
  integer,
  integer64,
  integers,
  list,
  memberOf,
  scripts,
  told,
  wordOf,
} from './shared.mjs';

const { AdmissionFlags, Beacon, BeatMode, DatagramMarks, DatagramSource, DeleteReason, EventKind, Fault } = keep;
const { Observer, Origin, OutcomeAction, OutcomeKind, Secret, Tracker, tracker, Verdict } = keep;

// Each of the two knows some that the other does not.
const systemErrors = [...getSystemErrorMap()].map(([number, [name]]) => [name, -number]);
const sendError = entry({ none: 0, ...Object.fromEntries(systemErrors), ...os.constants.errno });
const wordsIn = (group) => (words) => list(words).reduce((flags, word) => flags | memberOf(group)(word), 0);

const wordsOf = (group, flags) =>
  Object.keys(group)
    .filter((name) => flags & group[name])
    .map((name) => name.toLowerCase())
    .sort();

// Known answers

/** The answer in both forms. */
function ask(name, bytes) {
  const answer = tracker.knownAnswer(name, bytes);
  const room = Buffer.alloc(128);
  expect(`${name} into a buffer`, answer, room.subarray(0, tracker.knownAnswerInto(room, name, bytes)));
  return answer;
}

function little(value, len) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value ?? 0));
  return bytes.subarray(0, len);
}

// Parts of packed bytes: numbers of a length, words as one byte, bytes as they are.
const number = (key, len) => (step) => little(step.take(key, len === 8 ? integer64 : integer), len);
const word = (key, group) => (step) => little(step.take(key, memberOf(group)), 1);
const bytes = (key) => (step) => step.bytes(key);
const packed = (step, parts) => Buffer.concat(parts.map((part) => part(step)));

const NOTICES = { REGISTER: 1, GOODBYE: 2 };
const WIRE = [bytes('wire')];
const FAULT = word('fault', Fault);
const BEAT = [number('health', 1), number('pid', 4), number('timestamp_ns', 8), number('nonce', 8)];
BEAT.push(number('payload', 4));
const NOTICE = [word('op', NOTICES), number('pid', 4), number('threshold_ms', 4), number('grace_ms', 4)];
NOTICE.push(number('nonce', 8), number('misses', 1));
const KEY = [word('mode', BeatMode), bytes('key')];
const SEALING = [...KEY, number('pid', 4), bytes('iv_prefix'), number('iv_counter', 4), bytes('frame')];

/** A case whose known answers to parts are other parts, or a status. */
const answers = (questions) => (step) => {
  for (const [name, given, want] of questions) {
    if (Array.isArray(want)) expect(name, packed(step, want), ask(name, packed(step, given)));
    else expectStatus(name, want, () => ask(name, packed(step, given)));
  }
};

const bothWays = (frame, fields) => [
  [`${frame}.encode`, fields, WIRE],
  [`${frame}.decode`, WIRE, fields],
];

function noticeReject(step) {
  answers([['notice.decode', WIRE, 'MALFORMED']])(step);
  expect('notice.fault', step.take('fault', memberOf(Fault)), ask('notice.fault', step.bytes('wire'))[0]);
}

function bitFlips(step) {
  const counts = {};
  for (let bit = 0; bit < 8 * step.bytes('wire').length; bit++) {
    const flipped = step.bytes('wire');
    flipped[bit >> 3] ^= 1 << (bit & 7);
    expectStatus('beat.decode', 'MALFORMED', () => ask('beat.decode', flipped));
    const fault = wordOf(Fault, ask('beat.fault', flipped)[0]);
    counts[fault] = (counts[fault] ?? 0) + 1;
  }
  step.expectTold('faults', counts);
}

function agentKey(step) {
  const master = Secret.fromBytes(step.bytes('master'));
  const agent = Beacon.agentKey(master, step.integer('pid'));
  step.expect('key', agent.reveal());
  agent.close();
  master.close();
}

// Limits and send errors

/** A beat whose timestamp is its nonce. */
const beatOf = (pid, nonce) =>
  ask('beat.encode', Buffer.concat([little(0, 1), little(pid, 4), little(nonce, 8), little(nonce, 8), little(0, 4)]));

function tokenBucket(step) {
  const ledger = new Tracker({ capacity: 1024 });
  const limits = { globalRate: step.integer('rate'), globalBurst: step.integer('burst'), perPidRate: 0 };
  const observer = new Observer(ledger, { ...limits, anyUid: true, reportBeats: true });
  for (const [i, call] of step.parts('calls', 'now_ns allow').entries()) {
    const identity = { kernelPid: 1000 + i, nsInode: 1n, generation: 1n };
    const datagram = { source: DatagramSource.UNIX, data: beatOf(1000 + i, 1), ...identity };
    const [event] = observer.feed([datagram], call.integer64('now_ns'));
    call.expect('allow', event?.kind === EventKind.BEAT);
  }
  observer.close();
  ledger.close();
}

function sendOnce(step) {
  const beacon = new Beacon({ agentPid: 100, reconnectAfter: 0 });
  beacon.prepare(0, 0, 1n);
  step.expect('outcome', wordOf(OutcomeKind, beacon.commit(step.take('error', sendError)).kind));
  beacon.close();
}

// Trackers

const SETTINGS = { threshold_ns: integer64, grace_ns: integer64, misses: integer, unarmed: boolean };

const TRACKER = {
  ...{ capacity: integer, misses: integer, threshold_ns: integer64, grace_ns: integer64, max_gap_ns: integer64 },
  ...{ policy: memberOf(keep.EvictionPolicy), statistics: (value) => integer(value) === 1 },
};

const SIGHTING = {
  ...{ pid: integer, nonce: integer64, health: integer, timestamp_ns: integer64, origin: memberOf(Origin) },
  ...{ ns_inode: integer64, generation: integer64, payload: integer, claimed_pid: integer },
};

const kernelBeat = (pid, nonce) => ({ pid, nonce, timestampNs: nonce, origin: Origin.KERNEL });
const now = (step) => step.integer64('now_ns');

function record(step) {
  const nonce = step.integer64('nonce');
  const flags = step.boolean('unnumbered') ? keep.SightingFlags.UNNUMBERED : 0;
  const defaults = {
    health: 0,
    nsInode: 0n,
    generation: 0n,
    payload: 0,
    claimedPid: 0,
    ...kernelBeat(0, nonce),
    flags,
  };
  const admission = step.on().record({ ...defaults, ...step.options(SIGHTING) }, now(step));
  return { ...told(admission, { verdict: Verdict }), flags: wordsOf(AdmissionFlags, admission.flags) };
}

/** Records beats that must all have one verdict: as batches, which are the same as one by one. */
function recordAll(ledger, sightings, time, verdict) {
  for (let i = 0; i < sightings.length; i += keep.MAX_BATCH) {
    for (const admission of ledger.recordBatch(sightings.slice(i, i + keep.MAX_BATCH), time)) {
      expect('verdict', verdict, admission.verdict);
    }
  }
}

const range = (step) => {
  const first = step.integer('first');
  return Array.from({ length: step.integer('last') - first + 1 }, (_, i) => first + i);
};

const fill = (pidsOf) => (step) => {
  const sightings = pidsOf(step).map((pid) => kernelBeat(pid, 1n));
  recordAll(step.on(), sightings, now(step), Verdict.INSERTED);
};

function beats(step) {
  for (let i = 0n; i < step.integer('count'); i++) {
    const sighting = kernelBeat(step.integer('pid'), step.integer64('nonce') + i);
    recordAll(step.on(), [sighting], now(step) + i * step.integer64('step_ns'), Verdict.REFRESHED);
  }
}

function remove(step) {
  step.on().delete(step.integer('pid'), step.take('reason', memberOf(DeleteReason)), now(step));
}

function get(step) {
  return told(step.on().get(step.integer('pid'), now(step)), { state: keep.AgentState, origin: Origin });
}

/** Drains a tracker, or feeds an observer nothing. */
function drain(step) {
  if (step.on() instanceof Observer) return feed(step, []);
  const alarms = step.on().drain(now(step), step.integer('cap'));
  return { alarms: alarms.map((alarm) => told(alarm, { origin: Origin })), count: alarms.length };
}

// Observers

const OBSERVER = {
  ...{ any_uid: boolean, require_pid_match: boolean, own_namespace_only: boolean, report_beats: boolean },
  ...{ accept_notify: boolean, budget: integer, max_pidfds: integer, max_series: integer },
  ...{ uids: integers, pid_max: integer, per_pid_rate: integer, global_rate: integer, global_burst: integer },
  ...{ own_ns_inode: integer64, session_gap_ns: integer64, min_threshold_ns: integer64, max_threshold_ns: integer64 },
};

const DATAGRAM = { kernel_pid: integer, uid: integer, ns_inode: integer64, generation: integer64 };
DATAGRAM.marks = wordsIn(DatagramMarks);

function addKey(step) {
  const key = Secret.fromBytes(step.bytes('key'));
  try {
    step.on().addKey(key, step.take('mode', memberOf(BeatMode)));
  } finally {
    key.close();
  }
}

function eventOf(event) {
  const out = told(event, { kind: EventKind, origin: Origin });
  if (event.kind === EventKind.DECODE_ERROR) out.fault = wordOf(Fault, event.detail);
  if (event.kind === EventKind.CRASH) out.posthumous = event.detail === 1;
  return out;
}

function feed(step, datagrams) {
  return { events: step.on().feed(datagrams, now(step)).map(eventOf) };
}

function datagramOf(part) {
  const source = part.take('from', memberOf(DatagramSource));
  const defaults = { kernelPid: 0, uid: 0, nsInode: 0n, generation: 0n, marks: 0 };
  return { source, data: part.bytes('data'), ...defaults, ...part.options(DATAGRAM) };
}

function exit(step) {
  const identity = { kernelPid: step.integer('pid'), generation: step.integer64('generation') };
  return feed(step, [{ source: DatagramSource.EXIT, ...identity }]);
}

const SENDERS_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

/** Beats sealed with one shared key; the prefix is zeros, the counter the pid. */
function senders(step) {
  const head = [little(BeatMode.SHARED, 1), SENDERS_KEY, Buffer.alloc(4 + 8)];
  const datagrams = range(step).map((pid) => {
    const sealing = Buffer.concat([...head, little(pid, 4), beatOf(pid, step.integer64('nonce'))]);
    return { source: DatagramSource.UDP_SEALED, data: ask('beat.seal', sealing) };
  });
  return feed(step, datagrams);
}

// Beacons

const BEACON = { reconnect_after: integer, start_nonce: integer64 };

function prepare(step) {
  const wire = step.on().prepare(step.integer('health'), step.integer('payload'), now(step));
  const body = ask('beat.decode', wire);
  return { wire, timestamp_ns: body.readBigUInt64LE(5), nonce: body.readBigUInt64LE(13) };
}

function commit(step) {
  const { kind, action, dropped, nonce } = step.on().commit(step.take('error', sendError));
  return { outcome: wordOf(OutcomeKind, kind), action: wordOf(OutcomeAction, action), dropped, nonce };
}

const operations = {
  tracker: ['as', (step) => void step.bind(() => new Tracker(step.options(TRACKER)))],
  record: ['on pid nonce now_ns', record],
  fill: ['on first last now_ns', fill(range)],
  fill_pids: ['on pids now_ns', fill((step) => step.take('pids', integers))],
  beats: ['on pid nonce now_ns step_ns count', beats],
  put: [
    'on pid now_ns',
    (step) => ({ evicted_pid: step.on().put(step.integer('pid'), now(step), step.options(SETTINGS)) }),
  ],
  delete: ['on pid reason now_ns', remove],
  get: ['on pid now_ns', get],
  next_deadline: ['on', (step) => ({ deadline_ns: step.on().nextDeadline() })],
  drain: ['on now_ns', drain],
  stats: ['on', (step) => told(step.on().stats())],
  observer: ['as tracker', (step) => void step.bind(() => new Observer(step.on('tracker'), step.options(OBSERVER)))],
  add_key: ['on mode key', addKey],
  feed: ['on now_ns datagrams', (step) => feed(step, step.parts('datagrams', 'from data').map(datagramOf))],
  exit: ['on pid generation now_ns', exit],
  senders: ['on now_ns first last nonce', senders],
  beacon: [
    'as pid',
    (step) => void step.bind(() => new Beacon({ agentPid: step.integer('pid'), ...step.options(BEACON) })),
  ],
  prepare: ['on health payload now_ns', prepare],
  commit: ['on error', commit],
  reconnect: ['on', (step) => step.on().reconnect()],
  restart: ['on', (step) => step.on().restart()],
};

const arrays = {
  crc32c: ['data crc', answers([['crc32c', [bytes('data')], [number('crc', 4)]]])],
  beat_frames: ['health pid timestamp_ns nonce payload wire', answers(bothWays('beat', BEAT))],
  beat_rejects: [
    'wire fault',
    answers([
      ['beat.decode', WIRE, 'MALFORMED'],
      ['beat.fault', WIRE, [FAULT, number('value', 8)]],
    ]),
  ],
  beat_bit_flips: ['wire faults', bitFlips],
  notice_frames: ['op pid threshold_ms grace_ms misses nonce wire', answers(bothWays('notice', NOTICE))],
  notice_rejects: ['wire fault', noticeReject],
  sealed_frames: [
    'mode key iv_prefix iv_counter frame wire',
    answers([
      ['beat.seal', SEALING, WIRE],
      ['beat.open', [...KEY, ...WIRE], [bytes('frame')]],
    ]),
  ],
  sealed_rejects: ['mode key wire', answers([['beat.open', [...KEY, ...WIRE], 'AUTH']])],
  agent_keys: ['master pid key', agentKey],
  iv_prefixes: ['salt index prefix', answers([['iv.prefix', [bytes('salt'), number('index', 4)], [bytes('prefix')]]])],
  token_buckets: ['rate burst calls', tokenBucket],
  send_errors: ['error outcome', sendOnce],
  tracker_scripts: scripts,
  observer_scripts: scripts,
  beacon_scripts: scripts,
};

export default { arrays, operations };
