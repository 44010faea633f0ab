// SPDX-License-Identifier: MIT

// Packets: sessions, packet pools, handshakes. The headers session.h, packet.h, packet_pool.h, handshake.h and aead.h
// describe every call and what it can fail with; index.d.ts says how it looks from here.
//
// Options and lists are read here, before C has a place in anybody's memory: reading them can run a caller's code.

const native = require('./native.js');
const { Status, checkOptions, takeOptions, typeError } = require('./errors.js');
const { ADOPT, DESCRIBE, Handle, handleOf } = require('./handle.js');

const { Aead, DEFAULT_PACKET_SLOTS, MAX_PACKET_EVENTS, MAX_PACKET_LEN, PACKET_OVERHEAD_LEN, PacketKind } =
  native.constants;

// Requests

const SETTINGS = { originHash: 0n, subnetId: 0, channelHash: 0, priority: 0, hopTtl: 0 };
const REQUEST = {
  streamId: 0n,
  sequence: 0n,
  flags: 0,
  subprotocolId: 0,
  kind: PacketKind.DATA,
  settings: undefined,
};
const BATCH_REQUEST = { events: [], ...REQUEST };
const REQUEST_FIELDS = Object.keys(BATCH_REQUEST).length;

function checkArray(values, name) {
  if (!Array.isArray(values)) throw typeError('ERR_INVALID_ARG_TYPE', `The "${name}" argument must be an array`);
}

function listOf(values, name) {
  checkArray(values, name);
  const list = [];
  for (const value of values) list.push(handleOf(value));
  return list;
}

/** Events as C takes them: a single one as it is, which is the fastest. */
function givenEvents(events) {
  if (Array.isArray(events) && events.length === 1) {
    const event = events[0];
    if (!Array.isArray(event)) return handleOf(event);
  }
  return listOf(events, 'events');
}

function settingsOf(settings) {
  if (settings === undefined) return undefined;
  return Object.values(takeOptions(settings, SETTINGS));
}

/** Calls a native function with the fields of a request, in the order of src/request.h. */
function callWith(method, first, second, events, options, known) {
  if (options !== REQUEST) checkOptions(options, known);
  const { streamId = 0n, sequence = 0n, flags = 0, subprotocolId = 0, kind = PacketKind.DATA, settings } = options;
  const given = givenEvents(events);
  return method(first, second, given, streamId, sequence, flags, subprotocolId, kind, settingsOf(settings));
}

function addTo(requests, _, ...fields) {
  requests.push(...fields);
}

// A datagram that is being made; whoever gets it gets a copy.
const scratch = Buffer.allocUnsafeSlow(MAX_PACKET_LEN);

function copyOf(len) {
  const copy = Buffer.allocUnsafe(len);
  scratch.copy(copy, 0, 0, len);
  return copy;
}

// Results. Where the numbers of a packet stand in its record is what src/open.c says.

const RECORD_WORDS = 26;
const RECORD_WIDE_WORDS = RECORD_WORDS / 2;

class Records {
  constructor(count) {
    this.wide = new BigUint64Array(count * RECORD_WIDE_WORDS);
    this.words = new Uint32Array(this.wide.buffer);
  }

  info(i) {
    const { wide, words } = this;
    const at = i * RECORD_WIDE_WORDS;
    const from = i * RECORD_WORDS + 10;
    return Object.freeze({
      counter: wide[at],
      sessionId: wide[at + 1],
      streamId: wide[at + 2],
      sequence: wide[at + 3],
      originHash: wide[at + 4],
      subnetId: words[from],
      subprotocolId: words[from + 1],
      channelHash: words[from + 2],
      fragmentId: words[from + 3],
      fragmentOffset: words[from + 4],
      payloadLen: words[from + 5],
      eventCount: words[from + 6],
      kind: words[from + 7],
      flags: words[from + 8],
      priority: words[from + 9],
      hopTtl: words[from + 10],
      hopCount: words[from + 11],
      fragFlags: words[from + 12],
    });
  }

  opened(i, data, spans) {
    const { words } = this;
    const at = i * RECORD_WORDS + 23;
    const status = words[at];
    if (status !== Status.OK) return Object.freeze({ status, events: Object.freeze([]), info: null });
    return Object.freeze({ status, events: eventsOf(data, spans, words[at + 1], words[at + 2]), info: this.info(i) });
  }
}

/** Views of the plaintext, one for each event. */
function eventsOf(data, spans, first, count) {
  const events = [];
  for (let i = 2 * first; i < 2 * (first + count); i += 2)
    events.push(data.subarray(spans[i], spans[i] + spans[i + 1]));
  return Object.freeze(events);
}

// What is known of a single packet, until it is an object.
const record = new Records(1);
const spans = new Uint32Array(2 * MAX_PACKET_EVENTS);

// The classes

const SESSION = { maxFailedOpens: 0n, window: 0, aead: Aead.AUTO, pool: undefined };
const NEW_SESSION = { txKey: undefined, rxKey: undefined, sessionId: 0n, firstCounter: 0n, ...SESSION };

function makeSession(options) {
  const { txKey, rxKey, sessionId, firstCounter, ...others } = takeOptions(options, NEW_SESSION);
  const { maxFailedOpens, window, aead, pool } = others;
  const keys = [handleOf(txKey), handleOf(rxKey)];
  return native.sessionNew(...keys, sessionId, firstCounter, maxFailedOpens, window, aead, handleOf(pool));
}

class Session extends Handle {
  constructor(options, h) {
    super(ADOPT, options === ADOPT ? h : makeSession(options));
  }

  seal(events, options = REQUEST) {
    return copyOf(callWith(native.sessionSeal, handleOf(this), scratch, events, options, REQUEST));
  }

  sealInto(out, events, options = REQUEST) {
    return callWith(native.sessionSealInto, handleOf(this), out, events, options, REQUEST);
  }

  heartbeat() {
    const out = Buffer.allocUnsafe(PACKET_OVERHEAD_LEN);
    native.sessionHeartbeat(handleOf(this), out);
    return out;
  }

  heartbeatInto(out) {
    return native.sessionHeartbeatInto(handleOf(this), out);
  }

  sealBatch(requests) {
    checkArray(requests, 'requests');
    const fields = [];
    for (const request of requests) callWith(addTo, fields, null, request?.events ?? [], request, BATCH_REQUEST);
    const offsets = new Uint32Array(fields.length / REQUEST_FIELDS + 1);
    const statuses = new Uint8Array(offsets.length - 1);
    const data = native.sessionSealBatch(handleOf(this), fields, offsets, statuses);
    return Object.freeze({ data, offsets, statuses });
  }

  sealPacked(data, ends, streamId, firstSequence, flags, out, outEnds, statuses) {
    const h = handleOf(this);
    const bytes = handleOf(data);
    return native.sessionSealPacked(h, bytes, ends, streamId, firstSequence, flags, out, outEnds, statuses);
  }

  open(datagram) {
    const data = native.sessionOpen(handleOf(this), handleOf(datagram), spans, record.words);
    return record.opened(0, data, spans);
  }

  tryOpen(datagram) {
    const data = native.sessionTryOpen(handleOf(this), handleOf(datagram), spans, record.words);
    return data === undefined ? null : record.opened(0, data, spans);
  }

  openInto(out, datagram, eventSpans) {
    return native.sessionOpenInto(handleOf(this), out, handleOf(datagram), eventSpans);
  }

  tryOpenInto(out, datagram, eventSpans) {
    return native.sessionTryOpenInto(handleOf(this), out, handleOf(datagram), eventSpans);
  }

  openBatch(datagrams) {
    const list = listOf(datagrams, 'datagrams');
    const records = new Records(list.length);
    const [data, all] = native.sessionOpenBatch(handleOf(this), list, records.words);
    return list.map((_, i) => records.opened(i, data, all));
  }

  openPacked(data, ends, out, eventSpans, packetEnds, statuses) {
    return native.sessionOpenPacked(handleOf(this), handleOf(data), ends, out, eventSpans, packetEnds, statuses);
  }

  stats() {
    return native.sessionStats(handleOf(this));
  }

  close() {
    native.sessionClose(handleOf(this));
  }

  [DESCRIBE]() {
    const { nextCounter, opened, confirmed } = this.stats();
    return `next ${nextCounter}, opened ${opened}${confirmed ? '' : ', unconfirmed'}`;
  }
}

function makePacketPool(options) {
  const { capacity, settings } = takeOptions(options, { capacity: DEFAULT_PACKET_SLOTS, settings: undefined });
  return native.packetPoolNew(capacity, settingsOf(settings));
}

class PacketPool extends Handle {
  constructor(options) {
    super(ADOPT, makePacketPool(options));
  }

  acquire() {
    return new Packet(ADOPT, native.packetPoolAcquire(handleOf(this)));
  }

  stats() {
    return native.packetPoolStats(handleOf(this));
  }

  close() {
    native.packetPoolClose(handleOf(this));
  }

  [DESCRIBE]() {
    const { inUse, capacity } = this.stats();
    return `${inUse} of ${capacity} in use`;
  }
}

class Packet extends Handle {
  set(settings) {
    native.packetSet(handleOf(this), settings === null ? undefined : settingsOf(settings));
  }

  build(session, events, options = REQUEST) {
    const sealer = session === null ? undefined : handleOf(session);
    callWith(native.packetBuild, handleOf(this), sealer, events, options, REQUEST);
  }

  data() {
    return native.packetData(handleOf(this));
  }

  close() {
    native.packetClose(handleOf(this));
  }

  [DESCRIBE]() {
    try {
      return `${this.data().length} bytes`;
    } catch (error) {
      if (error.status === Status.STATE) return 'empty';
      throw error;
    }
  }
}

const HANDSHAKE = {
  pattern: undefined,
  role: undefined,
  staticKey: undefined,
  preSharedKey: undefined,
  ephemeralKey: undefined,
  remoteStatic: undefined,
  pool: undefined,
  prologue: Buffer.alloc(0),
};

function makeHandshake(options) {
  return native.handshakeNew(...Object.values(takeOptions(options, HANDSHAKE)).map(handleOf));
}

class Handshake extends Handle {
  constructor(options) {
    super(ADOPT, makeHandshake(options));
  }

  static publicKey(staticKey) {
    return native.handshakePublicKey(handleOf(staticKey));
  }

  write(payload = HANDSHAKE.prologue) {
    return native.handshakeWrite(handleOf(this), handleOf(payload));
  }

  writeInto(out, payload = HANDSHAKE.prologue) {
    return native.handshakeWriteInto(handleOf(this), out, handleOf(payload));
  }

  read(message) {
    return native.handshakeRead(handleOf(this), handleOf(message));
  }

  readInto(out, message) {
    return native.handshakeReadInto(handleOf(this), out, handleOf(message));
  }

  info() {
    return native.handshakeInfo(handleOf(this));
  }

  session(options) {
    const { maxFailedOpens, window, aead, pool } = takeOptions(options, SESSION);
    return new Session(ADOPT, native.handshakeSession(handleOf(this), maxFailedOpens, window, aead, handleOf(pool)));
  }

  close() {
    native.handshakeClose(handleOf(this));
  }

  [DESCRIBE]() {
    const { HandshakeState } = native.constants;
    const { state } = this.info();
    return Object.keys(HandshakeState)
      .find((name) => HandshakeState[name] === state)
      .toLowerCase();
  }
}

const packet = Object.freeze({
  parse(datagram) {
    native.packetParse(handleOf(datagram), record.words);
    return record.info(0);
  },

  measure(events) {
    return native.packetMeasure(givenEvents(events));
  },

  maxEvents(eventLen) {
    return native.packetMaxEvents(eventLen);
  },

  handshakeFrame(message) {
    return copyOf(native.packetHandshakeFrame(scratch, handleOf(message)));
  },

  handshakeFrameInto(out, message) {
    return native.packetHandshakeFrameInto(out, handleOf(message));
  },

  aeadReport(which) {
    return native.packetAeadReport(which);
  },
});

module.exports = { Handshake, Packet, PacketPool, Session, packet };
