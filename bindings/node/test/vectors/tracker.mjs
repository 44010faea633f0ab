// SPDX-License-Identifier: MIT

// The cases of keep-tracker-1 (tracker.md §4).

import os from 'node:os';
import keep from '../../lib/index.js';
import {
  boolean,
  expect,
  expectEmpty,
  Failed,
  fields,
  hex,
  integer,
  integer64,
  list,
  runScript,
  statusOf,
  take,
  takeOr,
  text,
} from './shared.mjs';

const { AdmissionFlags, BeatMode, DatagramMarks, DatagramSource, EventKind, Observer, Secret, Tracker, tracker } = keep;

/** The member of an enumeration that a word names, and the word of a member. */
const memberOf = (group) => (word) => {
  const member = group[text(word).toUpperCase()];
  if (member === undefined) throw new Failed(`word: expected a known one, got ${word}`);
  return member;
};

const wordOf = (group, member) =>
  Object.keys(group)
    .find((name) => group[name] === member)
    ?.toLowerCase() ?? member;

const wordsOf = (group, flags) =>
  Object.keys(group)
    .filter((name) => flags & group[name])
    .map((name) => name.toLowerCase())
    .sort();

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

const wordsIn = (group) => (words) => list(words).reduce((flags, word) => flags | memberOf(group)(word), 0);
const integers = (values) => list(values).map(integer);

/** What an object of libkeep tells, by the names and forms of the files. */
function told(object, words) {
  const out = {};
  for (const [name, value] of Object.entries(object)) {
    out[snake(name)] = Object.hasOwn(words, name) ? wordOf(words[name], value) : value;
  }
  return out;
}

/** Options of a step, of the forms that are given by name. */
function takeOptions(step, forms) {
  const options = {};
  for (const [name, form] of Object.entries(forms)) options[camel(name)] = takeOr(step, name, form, undefined);
  return options;
}

function errorNumber(word) {
  if (text(word) === 'none') return 0;
  const number = os.constants.errno[word];
  if (number === undefined) throw new Failed(`error: expected a known one, got ${word}`);
  return number;
}

// Known answers

/** Fields one after the other, little-endian: pairs of a value and its length; bytes are as long as they are. */
function pack(...parts) {
  return Buffer.concat(
    parts.map((part) => {
      if (part instanceof Uint8Array) return part;
      const [value, len] = part;
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(value));
      return bytes.subarray(0, len);
    }),
  );
}

/** The answer in both forms. */
function ask(name, bytes) {
  const answer = tracker.knownAnswer(name, bytes);
  const room = Buffer.alloc(128);
  expect(`${name} into a buffer`, answer, room.subarray(0, tracker.knownAnswerInto(room, name, bytes)));
  return answer;
}

function expectAnswer(name, bytes, want) {
  expect(name, want, ask(name, bytes));
}

function expectStatus(name, bytes, want) {
  const got = statusOf(() => ask(name, bytes));
  expect(name, want, got);
}

function beatFrame(testCase) {
  const wire = take(testCase, 'wire', hex);
  const body = pack(
    [take(testCase, 'health', integer), 1],
    [take(testCase, 'pid', integer), 4],
    [take(testCase, 'timestamp_ns', integer64), 8],
    [take(testCase, 'nonce', integer64), 8],
    [take(testCase, 'payload', integer), 4],
  );
  expectAnswer('beat.encode', body, wire);
  expectAnswer('beat.decode', wire, body);
}

function noticeFrame(testCase) {
  const wire = take(testCase, 'wire', hex);
  const body = pack(
    [take(testCase, 'op', memberOf({ REGISTER: 1, GOODBYE: 2 })), 1],
    [take(testCase, 'pid', integer), 4],
    [take(testCase, 'threshold_ms', integer), 4],
    [take(testCase, 'grace_ms', integer), 4],
    [take(testCase, 'nonce', integer64), 8],
    [take(testCase, 'misses', integer), 1],
  );
  expectAnswer('notice.encode', body, wire);
  expectAnswer('notice.decode', wire, body);
}

function beatReject(testCase) {
  const wire = take(testCase, 'wire', hex);
  const fault = take(testCase, 'fault', memberOf(keep.Fault));
  expectStatus('beat.decode', wire, 'MALFORMED');
  expectAnswer('beat.fault', wire, pack([fault, 1], [takeOr(testCase, 'value', integer64, 0n), 8]));
}

function noticeReject(testCase) {
  const wire = take(testCase, 'wire', hex);
  expectStatus('notice.decode', wire, 'MALFORMED');
  expect('notice.fault', take(testCase, 'fault', memberOf(keep.Fault)), ask('notice.fault', wire)[0]);
}

function bitFlips(testCase) {
  const wire = take(testCase, 'wire', hex);
  const counts = {};
  for (let bit = 0; bit < 8 * wire.length; bit++) {
    const flipped = Buffer.from(wire);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    expectStatus('beat.decode', flipped, 'MALFORMED');
    const word = wordOf(keep.Fault, ask('beat.fault', flipped)[0]);
    counts[word] = (counts[word] ?? 0) + 1;
  }
  expect('faults', JSON.stringify(Object.entries(take(testCase, 'faults', fields)).sort()), sorted(counts));
}

const sorted = (counts) => JSON.stringify(Object.entries(counts).sort());

function opening(testCase) {
  return pack([take(testCase, 'mode', memberOf(BeatMode)), 1], take(testCase, 'key', hex));
}

function sealedFrame(testCase) {
  const key = opening(testCase);
  const [frame, wire] = [take(testCase, 'frame', hex), take(testCase, 'wire', hex)];
  const pid = takeOr(testCase, 'pid', integer, 0);
  const [prefix, counter] = [take(testCase, 'iv_prefix', hex), take(testCase, 'iv_counter', integer)];
  expectAnswer('beat.seal', pack(key, [pid, 4], prefix, [counter, 4], frame), wire);
  expectAnswer('beat.open', pack(key, wire), frame);
}

function sealedReject(testCase) {
  expectStatus('beat.open', pack(opening(testCase), take(testCase, 'wire', hex)), 'AUTH');
}

function agentKey(testCase) {
  const master = Secret.fromBytes(take(testCase, 'master', hex));
  const agent = keep.Beacon.agentKey(master, take(testCase, 'pid', integer));
  expect('key', true, agent.equalBytes(take(testCase, 'key', hex)));
  agent.close();
  master.close();
}

function ivPrefix(testCase) {
  const input = pack(take(testCase, 'salt', hex), [take(testCase, 'index', integer), 4]);
  expectAnswer('iv.prefix', input, take(testCase, 'prefix', hex));
}

// Limits and send errors

const beatOf = (pid, nonce) => ask('beat.encode', pack([0, 1], [pid, 4], [nonce, 8], [nonce, 8], [0, 4]));

function tokenBucket(testCase) {
  const ledger = new Tracker({ capacity: 1024 });
  const limits = {
    globalRate: take(testCase, 'rate', integer),
    globalBurst: take(testCase, 'burst', integer),
    perPidRate: 0,
  };
  const observer = new Observer(ledger, { ...limits, anyUid: true, reportBeats: true });
  for (const [i, given] of take(testCase, 'calls', list).entries()) {
    const call = fields(given);
    const kernelPid = 1000 + i;
    const identity = { kernelPid, nsInode: 1n, generation: 1n };
    const datagram = { source: DatagramSource.UNIX, data: beatOf(kernelPid, 1), ...identity };
    const [event] = observer.feed([datagram], take(call, 'now_ns', integer64));
    expect('allow', take(call, 'allow', boolean), event?.kind === EventKind.BEAT);
    expectEmpty('call', call);
  }
  observer.close();
  ledger.close();
}

function sendError(testCase) {
  const beacon = new keep.Beacon({ agentPid: 100, reconnectAfter: 0 });
  beacon.prepare(0, 0, 1n);
  const { kind } = beacon.commit(take(testCase, 'error', errorNumber));
  expect('outcome', take(testCase, 'outcome', text), wordOf(keep.OutcomeKind, kind));
  beacon.close();
}

// Scripts

/** Alarms or events as outputs: their number and order, and of each the keys that are given. */
class Told {
  constructor(script, items) {
    this.script = script;
    this.items = items;
  }

  /** What the script compares: the items, as far as they are asked for. */
  compareWith(what, wanted) {
    expect(`${what} count`, list(wanted).length, this.items.length);
    for (const [i, given] of wanted.entries()) {
      for (const [key, value] of Object.entries(fields(given))) {
        if (!Object.hasOwn(this.items[i], key)) throw new Failed(`${what} ${key}: expected, but nobody tells it`);
        this.script.expectOutput(`${what}[${i}] ${key}`, value, this.items[i][key]);
      }
    }
  }
}

const SETTINGS = { threshold_ns: integer64, grace_ns: integer64, misses: integer, unarmed: boolean };

const TRACKER = {
  capacity: integer,
  misses: integer,
  policy: memberOf(keep.EvictionPolicy),
  statistics: (value) => integer(value) === 1,
  threshold_ns: integer64,
  grace_ns: integer64,
  max_gap_ns: integer64,
};

const OBSERVER = {
  uids: integers,
  any_uid: boolean,
  require_pid_match: boolean,
  own_namespace_only: boolean,
  report_beats: boolean,
  pid_max: integer,
  per_pid_rate: integer,
  global_rate: integer,
  global_burst: integer,
  own_ns_inode: integer64,
  session_gap_ns: integer64,
  min_threshold_ns: integer64,
  max_threshold_ns: integer64,
};

const isObserver = (script, step) => script.on({ on: step.on }) instanceof Observer;

function sightingOf(step) {
  const nonce = take(step, 'nonce', integer64);
  const unnumbered = takeOr(step, 'unnumbered', boolean, false);
  return {
    pid: take(step, 'pid', integer),
    nonce,
    health: takeOr(step, 'health', integer, 0),
    timestampNs: takeOr(step, 'timestamp_ns', integer64, nonce),
    origin: takeOr(step, 'origin', memberOf(keep.Origin), keep.Origin.KERNEL),
    nsInode: takeOr(step, 'ns_inode', integer64, 0n),
    generation: takeOr(step, 'generation', integer64, 0n),
    payload: takeOr(step, 'payload', integer, 0),
    claimedPid: takeOr(step, 'claimed_pid', integer, 0),
    flags: unnumbered ? keep.SightingFlags.UNNUMBERED : 0,
  };
}

/** Records beats that must all have one verdict: as batches, which are the same as one by one. */
function recordAll(ledger, sightings, now, verdict) {
  for (let i = 0; i < sightings.length; i += keep.MAX_BATCH) {
    const admissions = ledger.recordBatch(sightings.slice(i, i + keep.MAX_BATCH), now);
    for (const admission of admissions) expect('verdict', verdict, wordOf(keep.Verdict, admission.verdict));
  }
}

const kernelBeat = (pid, nonce) => ({ pid, nonce, timestampNs: nonce, origin: keep.Origin.KERNEL });

const ledgers = {
  tracker(script, step) {
    script.bind(script.unused(take(step, 'as', text)), new Tracker(takeOptions(step, TRACKER)));
  },

  record(script, step, out) {
    const admission = script.on(step).record(sightingOf(step), take(step, 'now_ns', integer64));
    out.verdict = wordOf(keep.Verdict, admission.verdict);
    out.flags = wordsOf(AdmissionFlags, admission.flags);
    out.evicted_pid = admission.evictedPid;
  },

  fill(script, step) {
    const [first, last] = [take(step, 'first', integer), take(step, 'last', integer)];
    const sightings = Array.from({ length: last - first + 1 }, (_, i) => kernelBeat(first + i, 1n));
    recordAll(script.on(step), sightings, take(step, 'now_ns', integer64), 'inserted');
  },

  fill_pids(script, step) {
    const sightings = take(step, 'pids', integers).map((pid) => kernelBeat(pid, 1n));
    recordAll(script.on(step), sightings, take(step, 'now_ns', integer64), 'inserted');
  },

  beats(script, step) {
    const ledger = script.on(step);
    const [pid, count] = [take(step, 'pid', integer), take(step, 'count', integer)];
    const [nonce, now] = [take(step, 'nonce', integer64), take(step, 'now_ns', integer64)];
    const each = take(step, 'step_ns', integer64);
    for (let i = 0n; i < count; i++) recordAll(ledger, [kernelBeat(pid, nonce + i)], now + i * each, 'refreshed');
  },

  put(script, step, out) {
    const ledger = script.on(step);
    const [pid, now] = [take(step, 'pid', integer), take(step, 'now_ns', integer64)];
    out.evicted_pid = ledger.put(pid, now, takeOptions(step, SETTINGS));
  },

  delete(script, step) {
    const reason = take(step, 'reason', memberOf(keep.DeleteReason));
    script.on(step).delete(take(step, 'pid', integer), reason, take(step, 'now_ns', integer64));
  },

  get(script, step, out) {
    const ledger = script.on(step);
    const agent = ledger.get(take(step, 'pid', integer), take(step, 'now_ns', integer64));
    Object.assign(out, told(agent, { state: keep.AgentState, origin: keep.Origin }));
  },

  next_deadline(script, step, out) {
    out.deadline_ns = script.on(step).nextDeadline();
  },

  drain(script, step, out) {
    if (isObserver(script, step)) {
      feedAll(script, step, out, []);
      return;
    }
    const ledger = script.on(step);
    const alarms = ledger.drain(take(step, 'now_ns', integer64), takeOr(step, 'cap', integer, undefined));
    out.alarms = new Told(
      script,
      alarms.map((alarm) => told(alarm, { origin: keep.Origin })),
    );
    out.count = alarms.length;
  },

  stats(script, step, out) {
    const stats = script.on(step).stats();
    Object.assign(out, told(stats, {}));
  },
};

function eventOf(event) {
  const out = told(event, { kind: EventKind, origin: keep.Origin });
  if (event.kind === EventKind.DECODE_ERROR) out.fault = wordOf(keep.Fault, event.detail);
  if (event.kind === EventKind.CRASH) out.posthumous = event.detail === 1;
  return out;
}

function feedAll(script, step, out, datagrams) {
  const events = script.on(step).feed(datagrams, take(step, 'now_ns', integer64));
  out.events = new Told(script, events.map(eventOf));
}

function datagramOf(script, given) {
  const left = fields(given);
  const datagram = {
    source: take(left, 'from', memberOf(DatagramSource)),
    data: take(left, 'data', script.bytes),
    kernelPid: takeOr(left, 'kernel_pid', integer, 0),
    uid: takeOr(left, 'uid', integer, 0),
    nsInode: takeOr(left, 'ns_inode', integer64, 0n),
    generation: takeOr(left, 'generation', integer64, 0n),
    marks: takeOr(left, 'marks', wordsIn(DatagramMarks), 0),
  };
  expectEmpty('datagram', left);
  return datagram;
}

const SENDERS_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

function senderDatagram(pid, nonce) {
  const sealing = pack([BeatMode.SHARED, 1], SENDERS_KEY, [0, 4], Buffer.alloc(8), [pid, 4], beatOf(pid, nonce));
  return { source: DatagramSource.UDP_SEALED, data: ask('beat.seal', sealing) };
}

const observers = {
  observer(script, step) {
    const name = script.unused(take(step, 'as', text));
    script.bind(name, new Observer(script.on(step, 'tracker'), takeOptions(step, OBSERVER)));
  },

  add_key(script, step) {
    const key = Secret.fromBytes(take(step, 'key', script.bytes));
    try {
      script.on(step).addKey(key, take(step, 'mode', memberOf(BeatMode)));
    } finally {
      key.close();
    }
  },

  feed(script, step, out) {
    const datagrams = take(step, 'datagrams', list).map((given) => datagramOf(script, given));
    feedAll(script, step, out, datagrams);
  },

  exit(script, step, out) {
    const kernelPid = take(step, 'pid', integer);
    const generation = take(step, 'generation', integer64);
    feedAll(script, step, out, [{ source: DatagramSource.EXIT, kernelPid, generation }]);
  },

  senders(script, step, out) {
    const [first, last] = [take(step, 'first', integer), take(step, 'last', integer)];
    const nonce = take(step, 'nonce', integer64);
    const datagrams = Array.from({ length: last - first + 1 }, (_, i) => senderDatagram(first + i, nonce));
    feedAll(script, step, out, datagrams);
  },
};

const beacons = {
  beacon(script, step) {
    const name = script.unused(take(step, 'as', text));
    const agentPid = take(step, 'pid', integer);
    script.bind(name, new keep.Beacon({ agentPid, ...takeOptions(step, BEACON) }));
  },

  prepare(script, step, out) {
    const [health, payload] = [take(step, 'health', integer), take(step, 'payload', integer)];
    out.wire = script.on(step).prepare(health, payload, take(step, 'now_ns', integer64));
    const body = ask('beat.decode', out.wire);
    out.timestamp_ns = body.readBigUInt64LE(5);
    out.nonce = body.readBigUInt64LE(13);
  },

  commit(script, step, out) {
    const outcome = script.on(step).commit(take(step, 'error', errorNumber));
    out.outcome = wordOf(keep.OutcomeKind, outcome.kind);
    out.action = wordOf(keep.OutcomeAction, outcome.action);
    out.dropped = outcome.dropped;
    out.nonce = outcome.nonce;
  },

  reconnect: (script, step) => script.on(step).reconnect(),
  restart: (script, step) => script.on(step).restart(),
};

const BEACON = { reconnect_after: integer, start_nonce: integer64 };

const operations = { ...ledgers, ...observers, ...beacons };
const run = (testCase, position) => runScript(operations, testCase, position);

export default {
  constant: (name) => keep[name.replace(/^KEEP_/, '')],
  arrays: {
    crc32c: (testCase) =>
      expectAnswer('crc32c', take(testCase, 'data', hex), pack([take(testCase, 'crc', integer), 4])),
    beat_frames: beatFrame,
    beat_rejects: beatReject,
    beat_bit_flips: bitFlips,
    notice_frames: noticeFrame,
    notice_rejects: noticeReject,
    sealed_frames: sealedFrame,
    sealed_rejects: sealedReject,
    agent_keys: agentKey,
    iv_prefixes: ivPrefix,
    token_buckets: tokenBucket,
    send_errors: sendError,
    tracker_scripts: run,
    observer_scripts: run,
    beacon_scripts: run,
  },
};
