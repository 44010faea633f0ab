// SPDX-License-Identifier: MIT

// The cases of keep-packet-1 (packet.md §11), each in every way that gives the same. KEEP_TEST_AEAD=sodium|openssl|ipsec-mb
// makes all sessions demand that back end.

import keep from '../../lib/index.js';
import { entry, expect, expectStatus, integer, integer64, memberOf, scripts, statusOf, told } from './shared.mjs';

const { Aead, Handshake, HandshakeState, KeepError, Noise, PacketKind, PacketPool, Role, Secret, Session } = keep;
const { MAX_PACKET_LEN, MAX_PAYLOAD_LEN, PACKET_HEADER_LEN, PACKET_OVERHEAD_LEN, Status, packet } = keep;

const NAMES = Object.fromEntries(Object.entries(Status).map(([name, number]) => [number, name]));

/** What all sessions seal and open with; read anew, as tests change it. */
const aead = () => Aead[(process.env.KEEP_TEST_AEAD ?? 'auto').toUpperCase().replace('-', '_')];

// Sessions

/** Gives secrets of keys, by name, to a function; closes them. */
function withSecrets(keys, use) {
  const given = Object.entries(keys).filter(([, key]) => key !== undefined);
  const secrets = Object.fromEntries(given.map(([name, key]) => [name, Secret.fromBytes(key)]));
  try {
    return use(secrets);
  } finally {
    for (const secret of Object.values(secrets)) secret.close();
  }
}

const SESSION = { session_id: integer64, first_counter: integer64, window: integer, max_failed_opens: integer64 };

/** A session of keys, and of what the step says of it. */
function sessionOf(step, keys) {
  const options = { ...step.options(SESSION), aead: aead() };
  if (step.has('counter')) options.firstCounter = step.integer64('counter');
  return withSecrets(keys, (secrets) => new Session({ ...secrets, ...options }));
}

function withSession(step, keys, use) {
  const session = sessionOf(step, keys);
  try {
    return use(session);
  } finally {
    session.close();
  }
}

const sealing = (step, use) => withSession(step, { txKey: step.bytes('key') }, use);
const opening = (step, use) => withSession(step, { rxKey: step.bytes('key') }, use);

// Requests

function eventsOf(step) {
  const values = step.take('events') ?? [];
  return values.flatMap((value) => {
    if (!Object.hasOwn(Object(value), 'count')) return [step.run.bytes(value)];
    const many = step.part(value, 'count event');
    return Array(many.integer('count')).fill(many.bytes('event'));
  });
}

const SETTINGS = { origin_hash: integer64, subnet_id: integer, channel_hash: integer, priority: integer };
SETTINGS.hop_ttl = integer;

const settingsOf = (step) =>
  step.has('settings')
    ? step.part(step.take('settings'), Object.keys(SETTINGS).join(' ')).options(SETTINGS)
    : undefined;

const REQUEST = { kind: memberOf(PacketKind), stream_id: integer64, sequence: integer64, flags: integer };
REQUEST.subprotocol_id = integer;

function requestOf(step) {
  const defaults = { kind: PacketKind.DATA, streamId: 0n, sequence: 0n, flags: 0, subprotocolId: 0 };
  return { ...defaults, ...step.options(REQUEST), settings: settingsOf(step) };
}

// Ways to seal

function throwStatus(status) {
  if (status !== Status.OK) throw new KeepError(status, 'a batch');
}

function filled(call, len = MAX_PACKET_LEN) {
  const out = Buffer.alloc(len);
  return out.subarray(0, call(out));
}

const SEALERS = {
  seal: (session, list, request) => session.seal(list, request),
  sealInto: (session, list, request) => filled((out) => session.sealInto(out, list, request)),

  sealBatch(session, list, request) {
    const { data, offsets, statuses } = session.sealBatch([{ events: list, ...request }]);
    throwStatus(statuses[0]);
    expect('offsets of a batch', new Uint32Array([0, data.length]), offsets);
    return data;
  },

  pool(session, list, request) {
    const pool = new PacketPool({ capacity: 1 });
    const built = pool.acquire();
    pool.close();
    try {
      built.build(session, list, request);
      return built.data();
    } finally {
      built.close();
    }
  },
};

function sealPacked(session, [event], { streamId, sequence, flags }) {
  const [outEnds, statuses] = [new Uint32Array(1), new Uint8Array(1)];
  const ends = Uint32Array.of(event.length);
  const data = filled((out) => {
    expect('sealed', 1, session.sealPacked(event, ends, streamId, sequence, flags, out, outEnds, statuses));
    return outEnds[0];
  });
  throwStatus(statuses[0]);
  return data;
}

/** Every way to seal a request that is no handshake frame. */
function sealersOf(list, request) {
  if (request.kind === PacketKind.HEARTBEAT) {
    const heartbeatInto = (session) => filled((out) => session.heartbeatInto(out), PACKET_OVERHEAD_LEN);
    return { ...SEALERS, heartbeat: (session) => session.heartbeat(), heartbeatInto };
  }
  const isBare = request.subprotocolId === 0 && Object.values(request.settings ?? {}).every((number) => !number);
  return list.length === 1 && isBare ? { ...SEALERS, sealPacked } : SEALERS;
}

// Ways to open: the events, and the header if the way tells it

function openInto(method, session, datagram, out) {
  const spans = new Uint32Array(2 * keep.MAX_PACKET_EVENTS);
  const len = session[method](out, datagram, spans);
  if (len < 0) return null;
  const found = [];
  for (let i = 0, end = 0; end < len; i += 2) {
    end = spans[i] + spans[i + 1];
    found.push(out.subarray(spans[i], end));
  }
  return { events: found };
}

function openInPlace(session, datagram) {
  const copy = Buffer.from(datagram);
  return openInto('openInto', session, copy, copy.subarray(PACKET_HEADER_LEN));
}

const OPENERS = {
  open: (session, datagram) => session.open(datagram),
  openInto: (session, datagram) => openInto('openInto', session, datagram, Buffer.alloc(MAX_PAYLOAD_LEN)),
  openInPlace,
  openBatch(session, datagram) {
    const [opened] = session.openBatch([datagram]);
    throwStatus(opened.status);
    return opened;
  },
};

/** Those that give null for what is to be dropped. */
const TRIERS = {
  tryOpen: (session, datagram) => session.tryOpen(datagram),
  tryOpenInto: (session, datagram) => openInto('tryOpenInto', session, datagram, Buffer.alloc(MAX_PAYLOAD_LEN)),
};

function openPacked(session, datagrams, cap, eventCap) {
  let end = 0;
  const ends = Uint32Array.from(datagrams, ({ length }) => (end += length));
  const [out, spans] = [Buffer.alloc(cap), new Uint32Array(2 * eventCap)];
  const [packetEnds, statuses] = [new Uint32Array(ends.length), new Uint8Array(ends.length)];
  const count = session.openPacked(Buffer.concat(datagrams), ends, out, spans, packetEnds, statuses);
  expect('opened', statuses.filter((status) => status === Status.OK).length, count);
  return Array.from(packetEnds, (packetEnd, i) => {
    const own = spans.subarray(2 * (packetEnds[i - 1] ?? 0), 2 * packetEnd);
    const pairs = Array.from({ length: own.length / 2 }, (_, j) => [own[2 * j], own[2 * j] + own[2 * j + 1]]);
    return { status: statuses[i], events: pairs.map((pair) => out.subarray(...pair)) };
  });
}

function expectEvents(what, want, got) {
  expect(`${what}: number of events`, want.length, got.length);
  for (const [i, event] of want.entries()) expect(`${what}: event ${i}`, event, got[i]);
}

// Building

function runFrame(step, use) {
  const message = step.bytes('handshake_payload');
  use('handshakeFrame', () => packet.handshakeFrame(message));
  use('handshakeFrameInto', () => filled((out) => packet.handshakeFrameInto(out, message)));
  use('pool', () => SEALERS.pool(null, [message], requestOf(step)));
}

function runBuild(step) {
  const [request, events] = [requestOf(step), eventsOf(step)];
  let built;
  const expectBuilt = (make) => {
    built = make();
    step.expect('packet', built);
  };
  if (request.kind === PacketKind.HANDSHAKE) {
    runFrame(step, (_, make) => expectBuilt(make));
    expect('kind', PacketKind.HANDSHAKE, packet.parse(built).kind);
    return;
  }
  const place = 'stream_id sequence flags subprotocol_id settings events';
  step.part(step.fields, `key session_id counter ${request.kind === PacketKind.DATA ? place : ''}`);
  for (const seal of Object.values(sealersOf(events, request))) {
    sealing(step, (session) => expectBuilt(() => seal(session, events, request)));
  }
  for (const [what, open] of Object.entries({ ...OPENERS, ...TRIERS })) {
    opening(step, (session) => expectEvents(what, events, open(session, built).events));
  }
}

function runBuildErrors(step) {
  const [request, events] = [requestOf(step), eventsOf(step)];
  if (request.kind === PacketKind.HANDSHAKE) {
    runFrame(step, (what, make) => expectStatus(what, step.status, make));
    return;
  }
  step.part(step.fields, 'key session_id first_counter events next_counter');
  sealing(step, (session) => {
    for (const [what, seal] of Object.entries(SEALERS)) {
      expectStatus(what, step.status, () => seal(session, events, request));
      step.expect('next_counter', session.stats().nextCounter);
    }
  });
}

// Room

/** The error of a call, which has the status of the step. */
function refused(step, call) {
  let caught;
  expectStatus('a call without room', step.status, () => {
    try {
      call();
    } catch (error) {
      caught = error;
      throw error;
    }
  });
  return caught;
}

function runSealBuffers(step) {
  step.part(step.fields, 'first_counter events cap next_counter');
  const [request, events] = [requestOf(step), eventsOf(step)];
  const out = Buffer.alloc(step.integer('cap'));
  sealing(step, (session) => {
    if (step.status === 'OK') {
      step.expect('packet', out.subarray(0, session.sealInto(out, events, request)));
      step.expect('next_counter', session.stats().nextCounter);
      return;
    }
    const { needed } = refused(step, () => session.sealInto(out, events, request));
    step.expect('next_counter', session.stats().nextCounter);
    expect('buffer', Buffer.alloc(out.length), out);
    if (step.status !== 'BUFFER_TOO_SMALL') return;
    step.expect('needed_len', needed);
    step.expect('packet', SEALERS.sealInto(session, events, request));
  });
}

function runOpenBuffers(step) {
  step.part(step.fields, 'data_cap event_cap');
  const [datagram, cap, eventCap] = [step.bytes('packet'), step.integer('data_cap'), step.integer('event_cap')];
  const expectPacked = (session, want, ...caps) => {
    const [{ status, events }] = openPacked(session, [datagram], ...caps);
    expect('status', want, NAMES[status]);
    expectEvents('events', eventsOf(step), events);
  };
  opening(step, (session) => {
    if (step.status !== 'BUFFER_TOO_SMALL') {
      expectPacked(session, step.status, cap, eventCap);
      return;
    }
    const needs = refused(step, () => openPacked(session, [datagram], cap, eventCap))
      .values.map(Number)
      .slice(0, 2);
    step.expect('needed_data_len', needs[0]);
    step.expect('needed_event_count', needs[1]);
    refused(step, () => session.openInto(Buffer.alloc(cap), datagram, new Uint32Array(2 * eventCap)));
    if (step.has('events')) expectPacked(session, 'OK', ...needs);
  });
}

function runFit(step) {
  const events = eventsOf(step);
  expectStatus('measure', step.status, () => packet.measure(events));
  step.expect('fits', step.status === 'OK');
  if (step.status === 'OK') step.expect('packet_len', packet.measure(events));
}

// Reading

function runPrefix(step) {
  const keys = { txKey: Buffer.alloc(32, 1) };
  withSession(step, keys, (session) => step.expect('prefix', session.heartbeat().subarray(12, 16)));
}

const expectInfo = (step, info) => step.expectTold('info', told(info, { kind: PacketKind }));

function runParse(step) {
  const datagram = step.bytes('packet');
  expectStatus('parse', step.status, () => packet.parse(datagram));
  if (step.status === 'OK') expectInfo(step, packet.parse(datagram));
}

function expectOpened(what, step, { events, info }) {
  if (step.status !== 'OK') return;
  expectEvents(what, eventsOf(step), events);
  if (info !== undefined) expectInfo(step, info);
}

const THROWN_BY_TRY = ['REKEY'];

const singly = ([what, open]) => [
  what,
  (session, steps) => {
    for (const step of steps) {
      expectStatus(what, step.status, () => expectOpened(what, step, open(session, step.bytes('packet'))));
    }
  },
];

const tried = ([what, open]) => [
  what,
  (session, steps) => {
    for (const step of steps) {
      const want = THROWN_BY_TRY.includes(step.status) ? step.status : 'OK';
      let opened = null;
      const status = statusOf(() => {
        opened = open(session, step.bytes('packet'));
      });
      expect(`status of ${what}`, want, status);
      expect(`${what} opens`, step.status === 'OK', opened !== null);
      if (opened !== null) expectOpened(what, step, opened);
    }
  },
];

/** Ways to run all steps on one session. */
const WAYS = {
  ...Object.fromEntries(Object.entries(OPENERS).map(singly)),
  ...Object.fromEntries(Object.entries(TRIERS).map(tried)),

  batch(session, steps) {
    for (const [i, opened] of session.openBatch(steps.map((step) => step.bytes('packet'))).entries()) {
      expect('status in a batch', steps[i].status, NAMES[opened.status]);
      expect('info in a batch', steps[i].status === 'OK', opened.info !== null);
      expectOpened('batch', steps[i], opened);
    }
  },

  packed(session, steps) {
    const datagrams = steps.map((step) => step.bytes('packet'));
    const total = Buffer.concat(datagrams).length;
    for (const [i, opened] of openPacked(session, datagrams, total, total).entries()) {
      expect('status in a packed batch', steps[i].status, NAMES[opened.status]);
      expectOpened('packed', steps[i], opened);
    }
  },
};

function runOpen(step) {
  for (const run of Object.values(WAYS)) {
    opening(step, (session) => {
      run(session, step.parts('steps', 'packet status'));
      const { opened, authFailed, replayed, malformed } = session.stats();
      step.expectTold('stats', told({ opened, authFailed, replayed, malformed }));
    });
  }
}

function runReplay(step) {
  opening(step, (session) => {
    for (const commit of step.parts('commits', 'counter packet accepted')) {
      const datagram = commit.bytes('packet');
      commit.expect('counter', packet.parse(datagram).counter);
      expectStatus('a commit', commit.boolean('accepted') ? 'OK' : 'REPLAY', () => session.open(datagram));
    }
  });
}

// Handshakes

const OTHER = { initiator: 'responder', responder: 'initiator' };
const sideOf = entry(OTHER);

/** One side of an exchange: its handshake and public key. */
function makeSide(step, side, prefix, options) {
  const keys = {
    staticKey: step.bytes(`${prefix}_static`),
    ephemeralKey: step.bytes(`${prefix}_ephemeral`),
    preSharedKey: step.bytes(`${prefix}_pre_shared_key`) ?? step.bytes('pre_shared_key'),
  };
  const prologue = step.bytes(`${prefix}_prologue`) ?? step.bytes('prologue');
  return withSecrets(keys, (secrets) => {
    const publicKey = Handshake.publicKey(secrets.staticKey);
    step.expect(`${prefix}_static_public`, publicKey);
    const role = Role[side.toUpperCase()];
    return { publicKey, handshake: new Handshake({ ...secrets, prologue, role, ...options }) };
  });
}

function makeSides(step) {
  const pattern = step.take('pattern', memberOf(Noise));
  expect('protocol', `Noise_${step.text('pattern')}_25519_ChaChaPoly_SHA256`, step.text('protocol'));
  const remote = step.bytes('init_remote_static') ?? step.bytes('resp_static_public');
  const known = pattern === Noise.IKPSK2 ? { remoteStatic: remote } : {};
  return {
    initiator: makeSide(step, 'initiator', 'init', { pattern, ...known }),
    responder: makeSide(step, 'responder', 'resp', { pattern }),
  };
}

/** The length that a call without room asks for. */
function neededBy(call) {
  try {
    return call(Buffer.alloc(0));
  } catch (error) {
    return error.needed;
  }
}

function write(handshake, step) {
  const payload = step.bytes('payload');
  const needed = step.status === 'OK' ? neededBy((out) => handshake.writeInto(out, payload)) : undefined;
  let message;
  const status = statusOf(() => {
    message = handshake.write(payload);
  });
  expect('status of a write', step.status, status);
  if (status !== 'OK') return;
  expect('needed', message.length, needed);
  step.expect('message', message);
  step.expect('frame_header', packet.handshakeFrame(message).subarray(0, PACKET_HEADER_LEN));
}

function read(handshake, step) {
  const message = step.bytes('message');
  const needed = step.status === 'OK' ? neededBy((out) => handshake.readInto(out, message)) : undefined;
  let payload;
  const status = statusOf(() => {
    payload = needed === 0 ? Buffer.alloc(0) : handshake.read(message);
  });
  expect('status of a read', step.status, status);
  if (status !== 'OK') return;
  expect('needed', payload.length, needed);
  step.expect('payload', payload);
}

const MESSAGES = { write: [write, 'payload'], read: [read, 'message'] };

/** Each side's first packet, opened by the other; closes the sessions. */
function talk(step, sessions) {
  for (const each of step.parts('packets', 'side stream_id sequence events packet')) {
    const side = each.text('side');
    const other = sessions[sideOf(side)];
    const events = eventsOf(each);
    const datagram = sessions[side].seal(events, requestOf(each));
    each.expect('packet', datagram);
    expectEvents('packet', events, other.open(datagram).events);
    step.expect('session_id', packet.parse(datagram).sessionId);
    expect('confirmed', true, other.stats().confirmed);
  }
  for (const session of Object.values(sessions)) session.close();
}

/** Both sides are done: they know each other, and their sessions agree with plain ones of the same keys. */
function runEnd(step, sides) {
  const confirmed = step.take('unconfirmed', sideOf);
  const sessions = {};
  for (const [side, other] of Object.entries(OTHER)) {
    const { handshake } = sides[side];
    const { state, hash, remoteStatic } = handshake.info();
    expect('state', HandshakeState.DONE, state);
    step.expect('handshake_hash', hash);
    expect('remote static', sides[other].publicKey, remoteStatic);
    sessions[side] = handshake.session({ aead: aead() });
    expect(`${side} is confirmed`, side === confirmed, sessions[side].stats().confirmed);
    expectStatus('a second session', 'STATE', () => handshake.session());
  }
  talk(step, sessions);
  const txKey = step.bytes('key_initiator_to_responder');
  const rxKey = step.bytes('key_responder_to_initiator');
  const initiator = sessionOf(step, { txKey, rxKey });
  talk(step, { initiator, responder: sessionOf(step, { txKey: rxKey, rxKey: txKey }) });
}

function runNoise(step) {
  const sides = makeSides(step);
  try {
    for (const message of step.parts('steps', 'op side status')) {
      const [run, input] = message.take('op', entry(MESSAGES));
      run(message.take('side', entry(sides)).handshake, message.part(message.fields, input));
    }
    if (step.has('handshake_hash')) runEnd(step, sides);
  } finally {
    for (const { handshake } of Object.values(sides)) handshake.close();
  }
}

const NOISE =
  'protocol pattern pre_shared_key prologue init_static resp_static init_static_public resp_static_public ' +
  'init_ephemeral resp_ephemeral steps';

const arrays = {
  build: ['kind packet', runBuild],
  build_errors: ['kind status', runBuildErrors],
  buffers: ['op key session_id status', (step) => step.take('op', entry(BUFFERS))(step)],
  fit: ['events fits status', runFit],
  max_events: ['event_len', (step) => step.expect('max_events', packet.maxEvents(step.integer('event_len')))],
  prefix: ['session_id', runPrefix],
  parse: ['packet status', runParse],
  open: ['key session_id window steps stats', runOpen],
  replay: ['key session_id window commits', runReplay],
  noise: [NOISE, runNoise],
  noise_errors: [NOISE, runNoise],
  pools: scripts,
};

const BUFFERS = { seal: runSealBuffers, open: runOpenBuffers };

// Pools

function makeSession(step) {
  step.bind(() => sessionOf(step, { txKey: step.bytes('tx_key'), rxKey: step.bytes('rx_key') }));
}

function makePool(step) {
  step.bind(() => new PacketPool({ capacity: step.integer('capacity'), settings: settingsOf(step) }));
}

function build(step, session, events, request) {
  step.on().build(session, events, request);
  return { packet: step.on().data() };
}

const operations = {
  session: ['as session_id', makeSession],
  pool: ['as capacity', makePool],
  acquire: ['on as', (step) => void step.bind(() => step.on().acquire())],
  set: ['on settings', (step) => step.on().set(settingsOf(step))],
  unset: ['on', (step) => step.on().set(null)],
  build: ['on session kind', (step) => build(step, step.on('session'), eventsOf(step), requestOf(step))],
  build_handshake: ['on payload', (step) => build(step, null, [step.bytes('payload')], { kind: PacketKind.HANDSHAKE })],
  data: ['on', (step) => ({ packet: step.on().data() })],
  pool_stats: ['on', (step) => told(step.on().stats())],
  session_stats: ['on', (step) => told(step.on().stats())],
};

export default { arrays, operations };
