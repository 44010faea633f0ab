// SPDX-License-Identifier: MIT

// The cases of keep-packet-1 (packet.md §11), each in every way that gives the same. KEEP_TEST_AEAD=sodium|openssl|ipsec-mb
// makes all sessions demand that back end.

import keep from '../../lib/index.js';
import {
  boolean,
  expect,
  expectEmpty,
  fields,
  integer,
  integer64,
  list,
  runScript,
  Script,
  statusName,
  statusOf,
  take,
  takeOr,
  text,
} from './shared.mjs';

const { Aead, Handshake, HandshakeState, KeepError, Noise, PacketKind, PacketPool, Role, Secret, Session } = keep;
const { MAX_PACKET_LEN, MAX_PAYLOAD_LEN, PACKET_HEADER_LEN, PACKET_OVERHEAD_LEN, Status, packet } = keep;

const NAMES = Object.fromEntries(Object.entries(Status).map(([name, number]) => [number, name]));
const KINDS = { data: PacketKind.DATA, heartbeat: PacketKind.HEARTBEAT, handshake: PacketKind.HANDSHAKE };

/** What all sessions seal and open with; read anew, as tests change it. */
const aead = () => Aead[(process.env.KEEP_TEST_AEAD ?? 'auto').toUpperCase().replace('-', '_')];

// Forms

const { bytes } = new Script({});

function events(value) {
  return list(value).flatMap((each) => {
    if (!Object.hasOwn(Object(each), 'count')) return [bytes(each)];
    const { count, event } = each;
    return Array(integer(count)).fill(bytes(event));
  });
}

function settings(value) {
  const taken = fields(value);
  const found = {
    originHash: take(taken, 'origin_hash', integer64),
    subnetId: take(taken, 'subnet_id', integer),
    channelHash: take(taken, 'channel_hash', integer),
    priority: take(taken, 'priority', integer),
    hopTtl: take(taken, 'hop_ttl', integer),
  };
  expectEmpty('settings', taken);
  return found;
}

/** The options of a request. */
function takeRequest(from) {
  return {
    kind: takeOr(from, 'kind', (kind) => KINDS[kind], PacketKind.DATA),
    streamId: takeOr(from, 'stream_id', integer64, 0n),
    sequence: takeOr(from, 'sequence', integer64, 0n),
    flags: takeOr(from, 'flags', integer, 0),
    subprotocolId: takeOr(from, 'subprotocol_id', integer, 0),
    settings: takeOr(from, 'settings', settings, undefined),
  };
}

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const shown = (value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value);

/** An object of the binding as the files write it. */
function written(object) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [snake(name), shown(value)]));
}

function expectInfo(want, info) {
  const kind = Object.keys(KINDS).find((name) => KINDS[name] === info.kind);
  expect('info', want, { ...written(info), kind });
}

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

function sessionOf({ txKey, rxKey, ...options }) {
  return withSecrets({ txKey, rxKey }, (keys) => new Session({ ...keys, ...options, aead: aead() }));
}

function withSession(options, use) {
  const session = sessionOf(options);
  try {
    return use(session);
  } finally {
    session.close();
  }
}

/** What a case says of its session: `sealing` and `opening` are options. */
function takeKeyed(testCase, counter) {
  const key = take(testCase, 'key', bytes);
  const sessionId = take(testCase, 'session_id', integer64);
  const firstCounter = counter === undefined ? 0n : take(testCase, counter, integer64);
  return { sealing: { txKey: key, sessionId, firstCounter }, opening: { rxKey: key, sessionId } };
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
  const { originHash, ...numbers } = request.settings ?? { originHash: 0n };
  const isBare = request.subprotocolId === 0 && !originHash && Object.values(numbers).every((number) => number === 0);
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

function openInPlace(method, session, datagram) {
  const copy = Buffer.from(datagram);
  return openInto(method, session, copy, copy.subarray(PACKET_HEADER_LEN));
}

const OPENERS = {
  open: (session, datagram) => session.open(datagram),
  openInto: (session, datagram) => openInto('openInto', session, datagram, Buffer.alloc(MAX_PAYLOAD_LEN)),
  openInPlace: (session, datagram) => openInPlace('openInto', session, datagram),
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

function runFrame(testCase, use) {
  const message = take(testCase, 'handshake_payload', bytes);
  const request = takeRequest(testCase);
  use('handshakeFrame', () => packet.handshakeFrame(message));
  use('handshakeFrameInto', () => filled((out) => packet.handshakeFrameInto(out, message)));
  use('pool', () => SEALERS.pool(null, [message], request));
}

function runBuild(testCase) {
  const want = take(testCase, 'packet', bytes);
  if (testCase.kind === 'handshake') {
    runFrame(testCase, (what, make) => expect(what, want, make()));
    expect('kind', PacketKind.HANDSHAKE, packet.parse(want).kind);
    return;
  }
  const { sealing, opening } = takeKeyed(testCase, 'counter');
  const request = takeRequest(testCase);
  const given = takeOr(testCase, 'events', events, []);
  for (const [what, seal] of Object.entries(sealersOf(given, request))) {
    withSession(sealing, (session) => expect(what, want, seal(session, given, request)));
  }
  for (const [what, open] of Object.entries({ ...OPENERS, ...TRIERS })) {
    withSession(opening, (session) => expectEvents(what, given, open(session, want).events));
  }
}

function runBuildErrors(testCase) {
  const want = take(testCase, 'status', statusName);
  if (testCase.kind === 'handshake') {
    runFrame(testCase, (what, make) => expect(what, want, statusOf(make)));
    return;
  }
  const { sealing } = takeKeyed(testCase, 'first_counter');
  const request = takeRequest(testCase);
  const given = take(testCase, 'events', events);
  const nextCounter = take(testCase, 'next_counter', integer64);
  withSession(sealing, (session) => {
    for (const [what, seal] of Object.entries(SEALERS)) {
      expect(
        `status of ${what}`,
        want,
        statusOf(() => seal(session, given, request)),
      );
      expect('next_counter', nextCounter, session.stats().nextCounter);
    }
  });
}

// Room

/** The error of a call, which has the status of the case. */
function refused(testCase, call) {
  let caught;
  const status = statusOf(() => {
    try {
      call();
    } catch (error) {
      caught = error;
      throw error;
    }
  });
  expect('status', take(testCase, 'status', statusName), status);
  return caught;
}

function runSealBuffers(testCase) {
  const { sealing } = takeKeyed(testCase, 'first_counter');
  const request = takeRequest(testCase);
  const given = take(testCase, 'events', events);
  const out = Buffer.alloc(take(testCase, 'cap', integer));
  withSession(sealing, (session) => {
    const { needed } = refused(testCase, () => session.sealInto(out, given, request));
    expect('needed_len', take(testCase, 'needed_len', integer), needed);
    expect('next_counter', take(testCase, 'next_counter', integer64), session.stats().nextCounter);
    expect('buffer', Buffer.alloc(out.length), out);
    expect('packet', take(testCase, 'packet', bytes), SEALERS.sealInto(session, given, request));
  });
}

function runOpenBuffers(testCase) {
  const { opening } = takeKeyed(testCase);
  const datagram = take(testCase, 'packet', bytes);
  const caps = [take(testCase, 'data_cap', integer), take(testCase, 'event_cap', integer)];
  withSession(opening, (session) => {
    if (testCase.status !== 'BUFFER_TOO_SMALL') {
      const [{ status }] = openPacked(session, [datagram], ...caps);
      expect('status', take(testCase, 'status', statusName), NAMES[status]);
      return;
    }
    const { values } = refused(testCase, () => openPacked(session, [datagram], ...caps));
    const needs = [take(testCase, 'needed_data_len', integer), take(testCase, 'needed_event_count', integer)];
    expect('needs', needs, values.slice(0, 2).map(Number));
    const spans = new Uint32Array(2 * caps[1]);
    expect(
      'status',
      'BUFFER_TOO_SMALL',
      statusOf(() => session.openInto(Buffer.alloc(caps[0]), datagram, spans)),
    );
    expectEvents('events', take(testCase, 'events', events), openPacked(session, [datagram], ...needs)[0].events);
  });
}

function runBuffers(testCase) {
  const run = { seal: runSealBuffers, open: runOpenBuffers };
  run[take(testCase, 'op', text)](testCase);
}

function runFit(testCase) {
  const given = take(testCase, 'events', events);
  const status = statusOf(() => packet.measure(given));
  expect('status', take(testCase, 'status', statusName), status);
  expect('fits', take(testCase, 'fits', boolean), status === 'OK');
  if (status === 'OK') expect('packet_len', take(testCase, 'packet_len', integer), packet.measure(given));
}

function runMaxEvents(testCase) {
  const eventLen = take(testCase, 'event_len', integer);
  expect('max_events', take(testCase, 'max_events', integer), packet.maxEvents(eventLen));
}

// Reading

function runPrefix(testCase) {
  const sessionId = take(testCase, 'session_id', integer64);
  withSession({ txKey: Buffer.alloc(32, 1), sessionId }, (session) => {
    expect('prefix', take(testCase, 'prefix', bytes), session.heartbeat().subarray(12, 16));
  });
}

function runParse(testCase) {
  const datagram = take(testCase, 'packet', bytes);
  const want = take(testCase, 'status', statusName);
  expect(
    'status',
    want,
    statusOf(() => packet.parse(datagram)),
  );
  if (want === 'OK') expectInfo(take(testCase, 'info', fields), packet.parse(datagram));
}

/** One datagram of a session, and what is expected of it. */
function stepOf(value) {
  const step = fields(value);
  const taken = { datagram: take(step, 'packet', bytes), status: take(step, 'status', statusName), events: [] };
  if (taken.status === 'OK') {
    taken.info = take(step, 'info', fields);
    taken.events = take(step, 'events', events);
  }
  expectEmpty('step', step);
  return taken;
}

function expectOpened(what, step, opened) {
  expectEvents(what, step.events, opened.events);
  if (step.info !== undefined && opened.info !== undefined) expectInfo(step.info, opened.info);
}

const THROWN_BY_TRY = ['REKEY'];

/** Ways to run all steps on one session. */
const WAYS = {
  ...Object.fromEntries(
    Object.entries(OPENERS).map(([what, open]) => [
      what,
      (session, steps) => {
        for (const step of steps) {
          const status = statusOf(() => expectOpened(what, step, open(session, step.datagram)));
          expect(`status of ${what}`, step.status, status);
        }
      },
    ]),
  ),

  ...Object.fromEntries(
    Object.entries(TRIERS).map(([what, open]) => [
      what,
      (session, steps) => {
        for (const step of steps) {
          const isThrown = THROWN_BY_TRY.includes(step.status);
          let opened = null;
          const status = statusOf(() => {
            opened = open(session, step.datagram);
          });
          expect(`status of ${what}`, isThrown ? step.status : 'OK', status);
          expect(`${what} opens`, step.status === 'OK', opened !== null);
          if (opened !== null) expectOpened(what, step, opened);
        }
      },
    ]),
  ),

  batch(session, steps) {
    const opened = session.openBatch(steps.map(({ datagram }) => datagram));
    for (const [i, step] of steps.entries()) {
      expect('status in a batch', step.status, NAMES[opened[i].status]);
      expectOpened('batch', step, opened[i]);
      expect('info in a batch', step.status === 'OK', opened[i].info !== null);
    }
  },

  packed(session, steps) {
    const datagrams = steps.map(({ datagram }) => datagram);
    const total = Buffer.concat(datagrams).length;
    const opened = openPacked(session, datagrams, total, total);
    for (const [i, step] of steps.entries()) {
      expect('status in a packed batch', step.status, NAMES[opened[i].status]);
      expectOpened('packed', step, opened[i]);
    }
  },
};

function runOpen(testCase) {
  const { opening } = takeKeyed(testCase);
  const window = take(testCase, 'window', integer);
  const maxFailedOpens = takeOr(testCase, 'max_failed_opens', integer64, undefined);
  const steps = take(testCase, 'steps', list).map(stepOf);
  const want = take(testCase, 'stats', fields);
  for (const run of Object.values(WAYS)) {
    withSession({ ...opening, window, maxFailedOpens }, (session) => {
      run(session, steps);
      const { opened, authFailed, replayed, malformed } = session.stats();
      const stats = { opened, auth_failed: authFailed, replayed, malformed };
      for (const [name, number] of Object.entries(want)) expect(name, integer64(number), stats[name]);
    });
  }
}

function runReplay(testCase) {
  const { opening } = takeKeyed(testCase);
  const window = take(testCase, 'window', integer);
  withSession({ ...opening, window }, (session) => {
    for (const commit of take(testCase, 'commits', list).map(fields)) {
      const datagram = take(commit, 'packet', bytes);
      expect('counter', take(commit, 'counter', integer64), packet.parse(datagram).counter);
      const want = take(commit, 'accepted', boolean) ? 'OK' : 'REPLAY';
      expect(
        'status',
        want,
        statusOf(() => session.open(datagram)),
      );
      expectEmpty('commit', commit);
    }
  });
}

// Handshakes

const OTHER = { initiator: 'responder', responder: 'initiator' };

function takePublicKey(testCase, side, staticKey) {
  const publicKey = withSecrets({ staticKey }, (keys) => Handshake.publicKey(keys.staticKey));
  expect(`${side}_static_public`, take(testCase, `${side}_static_public`, bytes), publicKey);
  return publicKey;
}

function handshakeOf({ staticKey, preSharedKey, ephemeralKey, ...others }) {
  const keys = { staticKey, preSharedKey, ephemeralKey };
  return withSecrets(keys, (secrets) => new Handshake({ ...secrets, ...others }));
}

/** Both sides of an exchange, by name, and their public keys. */
function takeSides(testCase) {
  const name = take(testCase, 'pattern', text);
  expect('protocol', `Noise_${name}_25519_ChaChaPoly_SHA256`, take(testCase, 'protocol', text));
  const pattern = Noise[name.toUpperCase()];
  const [init, resp] = ['init', 'resp'].map((side) => {
    const staticKey = take(testCase, `${side}_static`, bytes);
    return { pattern, staticKey, ephemeralKey: take(testCase, `${side}_ephemeral`, bytes) };
  });
  const publicKeys = {
    initiator: takePublicKey(testCase, 'init', init.staticKey),
    responder: takePublicKey(testCase, 'resp', resp.staticKey),
  };
  const remoteStatic = takeOr(testCase, 'init_remote_static', bytes, publicKeys.responder);
  if (pattern === Noise.IKPSK2) init.remoteStatic = remoteStatic;
  const shared = { preSharedKey: take(testCase, 'pre_shared_key', bytes), prologue: take(testCase, 'prologue', bytes) };
  const initiator = handshakeOf({ role: Role.INITIATOR, ...init, ...shared });
  shared.preSharedKey = takeOr(testCase, 'resp_pre_shared_key', bytes, shared.preSharedKey);
  shared.prologue = takeOr(testCase, 'resp_prologue', bytes, shared.prologue);
  return { initiator, responder: handshakeOf({ role: Role.RESPONDER, ...resp, ...shared }), publicKeys };
}

/** The length that a call without room asks for. */
function neededBy(call) {
  try {
    return call(Buffer.alloc(0));
  } catch (error) {
    return error.needed;
  }
}

function runWrite(side, step, status) {
  const payload = take(step, 'payload', bytes);
  let message;
  if (status === 'OK') message = take(step, 'message', bytes);
  if (status === 'OK')
    expect(
      'needed',
      message.length,
      neededBy((out) => side.writeInto(out, payload)),
    );
  let written;
  const got = statusOf(() => {
    written = side.write(payload);
  });
  expect('status of a write', status, got);
  if (status !== 'OK') return;
  expect('message', message, written);
  const header = packet.handshakeFrame(written).subarray(0, PACKET_HEADER_LEN);
  expect('frame_header', take(step, 'frame_header', bytes), header);
}

function runRead(side, step, status) {
  const message = take(step, 'message', bytes);
  const payload = status === 'OK' ? take(step, 'payload', bytes) : undefined;
  if (payload?.length > 0)
    expect(
      'needed',
      payload.length,
      neededBy((out) => side.readInto(out, message)),
    );
  let read;
  const got = statusOf(() => {
    read = side.read(message);
  });
  expect('status of a read', status, got);
  expect('payload', payload, read);
}

function runStep(sides, value) {
  const step = fields(value);
  const run = { write: runWrite, read: runRead }[take(step, 'op', text)];
  run(sides[take(step, 'side', text)], step, take(step, 'status', statusName));
  expectEmpty('step', step);
}

/** Each side's first packet, opened by the other; closes the sessions. */
function talk(sessions, sessionId, packets) {
  for (const each of packets.map(fields)) {
    const side = take(each, 'side', text);
    const given = take(each, 'events', events);
    const datagram = sessions[side].seal(given, takeRequest({ ...each }));
    expect('packet', take(each, 'packet', bytes), datagram);
    expectEvents('packet', given, sessions[OTHER[side]].open(datagram).events);
    expect('session_id', sessionId, packet.parse(datagram).sessionId);
    expect('confirmed', true, sessions[OTHER[side]].stats().confirmed);
    for (const name of ['stream_id', 'sequence']) take(each, name, integer64);
    expectEmpty('packet', each);
  }
  for (const session of Object.values(sessions)) session.close();
}

/** Both sides are done: they know each other, and their sessions agree with plain ones of the same keys. */
function runEnd(testCase, sides) {
  const hash = take(testCase, 'handshake_hash', bytes);
  const unconfirmed = take(testCase, 'unconfirmed', text);
  const sessions = {};
  for (const [side, other] of Object.entries(OTHER)) {
    const info = sides[side].info();
    expect('state', HandshakeState.DONE, info.state);
    expect('handshake_hash', hash, info.hash);
    expect('remote static', sides.publicKeys[other], info.remoteStatic);
    sessions[side] = sides[side].session({ aead: aead() });
    expect(`${side} is confirmed`, side !== unconfirmed, sessions[side].stats().confirmed);
    expect(
      'second session',
      'STATE',
      statusOf(() => sides[side].session()),
    );
  }
  const sessionId = take(testCase, 'session_id', integer64);
  const packets = take(testCase, 'packets', list);
  talk(sessions, sessionId, packets);
  const txKey = take(testCase, 'key_initiator_to_responder', bytes);
  const rxKey = take(testCase, 'key_responder_to_initiator', bytes);
  const initiator = sessionOf({ txKey, rxKey, sessionId });
  talk({ initiator, responder: sessionOf({ txKey: rxKey, rxKey: txKey, sessionId }) }, sessionId, packets);
}

function runNoise(testCase) {
  const sides = takeSides(testCase);
  try {
    for (const step of take(testCase, 'steps', list)) runStep(sides, step);
    if ('handshake_hash' in testCase) runEnd(testCase, sides);
  } finally {
    sides.initiator.close();
    sides.responder.close();
  }
}

// Pools

const operations = {
  session(script, step) {
    const name = script.unused(take(step, 'as', text));
    const session = sessionOf({
      sessionId: take(step, 'session_id', integer64),
      txKey: takeOr(step, 'tx_key', script.bytes, undefined),
      rxKey: takeOr(step, 'rx_key', script.bytes, undefined),
      firstCounter: takeOr(step, 'first_counter', integer64, undefined),
      window: takeOr(step, 'window', integer, undefined),
    });
    script.bind(name, session);
  },

  pool(script, step) {
    const name = script.unused(take(step, 'as', text));
    const given = takeOr(step, 'settings', settings, undefined);
    script.bind(name, new PacketPool({ capacity: take(step, 'capacity', integer), settings: given }));
  },

  acquire(script, step) {
    const name = script.unused(take(step, 'as', text));
    script.bind(name, script.on(step).acquire());
  },

  set: (script, step) => script.on(step).set(take(step, 'settings', settings)),
  unset: (script, step) => script.on(step).set(null),

  build(script, step, out) {
    const [built, session] = [script.on(step), script.on(step, 'session')];
    const given = takeOr(step, 'events', events, []);
    built.build(session, given, takeRequest(step));
    out.packet = built.data();
  },

  build_handshake(script, step, out) {
    const built = script.on(step);
    built.build(null, [take(step, 'payload', script.bytes)], { kind: PacketKind.HANDSHAKE });
    out.packet = built.data();
  },

  data(script, step, out) {
    out.packet = script.on(step).data();
  },

  pool_stats(script, step, out) {
    const { capacity, inUse, available } = script.on(step).stats();
    Object.assign(out, { capacity, in_use: inUse, available });
  },

  session_stats(script, step, out) {
    out.next_counter = script.on(step).stats().nextCounter;
  },
};

export default {
  constant: (name) => keep[name.replace(/^KEEP_/, '')],
  arrays: {
    build: runBuild,
    build_errors: runBuildErrors,
    buffers: runBuffers,
    fit: runFit,
    max_events: runMaxEvents,
    prefix: runPrefix,
    parse: runParse,
    open: runOpen,
    replay: runReplay,
    noise: runNoise,
    noise_errors: runNoise,
    pools: (testCase, position) => runScript(operations, testCase, position),
  },
};
