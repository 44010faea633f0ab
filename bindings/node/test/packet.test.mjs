// SPDX-License-Identifier: MIT

// Sessions: every method once, and what is JavaScript's own about them. What the calls do is in the shared vectors.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import keep from '../lib/index.js';
import { fails, pairOfSessions, refuses } from './support.mjs';

const { MAX_BATCH, MAX_PACKET_LEN, MAX_PAYLOAD_LEN, PACKET_HEADER_LEN, PACKET_OVERHEAD_LEN } = keep;
const { PacketFlags, PacketKind, Secret, Session, Status, memory, packet } = keep;

const texts = (events) => events.map(String);
const buffers = (...given) => given.map((text) => Buffer.from(text));

test('a session seals what the other opens, and tells about itself', () => {
  const [sender, receiver] = pairOfSessions({ sessionId: 7n });
  const datagram = sender.seal(buffers('one', '', 'two'), { streamId: 2n ** 64n - 1n, flags: PacketFlags.FIN });
  assert.equal(datagram.length, packet.measure(buffers('one', '', 'two')));
  const { events, info, status } = receiver.open(datagram);
  assert.deepEqual(texts(events), ['one', '', 'two']);
  assert.equal(status, Status.OK);
  assert.equal(info.streamId, 2n ** 64n - 1n);
  assert.deepEqual(info, packet.parse(datagram));
  fails('REPLAY', () => receiver.open(datagram));
  const { nextCounter, highestCounter } = sender.stats();
  assert.deepEqual([nextCounter, highestCounter], [1n, null]);
  const { opened, replayed, highestCounter: highest, confirmed } = receiver.stats();
  assert.deepEqual([opened, replayed, highest, confirmed], [1n, 1n, 0n, true]);
});

test('results are frozen; events are views of one buffer that is nobody else’s', () => {
  const [sender, receiver] = pairOfSessions();
  const datagram = sender.seal(buffers('one', 'two'));
  const opened = receiver.open(datagram);
  for (const each of [opened, opened.events, opened.info, receiver.stats()]) assert.ok(Object.isFrozen(each));
  const [one, two] = opened.events;
  assert.ok(Buffer.isBuffer(one) && one.buffer === two.buffer);
  assert.equal(one.buffer.byteLength, 14);
  assert.deepEqual(texts(receiver.open(sender.seal(buffers('more'))).events), ['more']);
  assert.deepEqual(texts([one, two]), ['one', 'two'], 'a later packet goes elsewhere');
  const again = sender.seal(buffers('x'));
  sender.seal(buffers('y'));
  assert.deepEqual(texts(receiver.open(again).events), ['x'], 'so does a later datagram');
});

test('datagrams go into given memory', () => {
  const [sender, receiver] = pairOfSessions();
  const out = Buffer.alloc(200, '.');
  const len = sender.sealInto(out, buffers('abc'), { sequence: 9n });
  assert.equal(len, PACKET_OVERHEAD_LEN + 7);
  assert.equal(String(out.subarray(len)), '.'.repeat(200 - len));
  assert.equal(receiver.open(out.subarray(0, len)).info.sequence, 9n);
  assert.equal(sender.heartbeatInto(out), PACKET_OVERHEAD_LEN);
  assert.equal(receiver.open(out.subarray(0, PACKET_OVERHEAD_LEN)).info.kind, PacketKind.HEARTBEAT);
  assert.equal(receiver.open(sender.heartbeat()).events.length, 0);
  const before = sender.stats().nextCounter;
  for (const short of [0, 1, len - 1]) {
    const room = new Uint8Array(short);
    assert.equal(fails('BUFFER_TOO_SMALL', () => sender.sealInto(room, buffers('abc'))).needed, len);
    assert.ok(room.every((byte) => byte === 0));
  }
  assert.equal(fails('BUFFER_TOO_SMALL', () => sender.heartbeatInto(new Uint8Array(83))).needed, 84);
  assert.equal(sender.stats().nextCounter, before, 'no counter was used');
});

test('plaintext goes into given memory, also in place', () => {
  const [sender, receiver] = pairOfSessions();
  const out = Buffer.alloc(64);
  const spans = new Uint32Array(4);
  assert.equal(receiver.openInto(out, sender.seal(buffers('one', 'two')), spans), 14);
  assert.deepEqual([...spans], [4, 3, 11, 3]);
  assert.equal(String(out.subarray(4, 7)), 'one');
  assert.equal(receiver.openInto(out, sender.seal(buffers('three'))), 9, 'without spans');
  assert.equal(out.readUInt32LE(0), 5);
  const inside = sender.seal(buffers('place'));
  assert.equal(receiver.tryOpenInto(inside.subarray(PACKET_HEADER_LEN), inside, spans), 9);
  assert.equal(String(inside.subarray(PACKET_HEADER_LEN + 4, PACKET_HEADER_LEN + 9)), 'place');
  const datagram = sender.seal(buffers('one', 'two'));
  const small = fails('BUFFER_TOO_SMALL', () => receiver.openInto(Buffer.alloc(13), datagram));
  assert.deepEqual([small.needed, ...small.values], [14, 14n, 2n, 0n, 0n]);
  const few = fails('BUFFER_TOO_SMALL', () => receiver.openInto(out, datagram, new Uint32Array(3)));
  assert.deepEqual([few.needed, ...few.values], [4, 14n, 2n, 0n, 0n]);
  fails('BUFFER_TOO_SMALL', () => receiver.tryOpenInto(Buffer.alloc(13), datagram));
  assert.equal(receiver.openInto(out, datagram), 14, 'nothing had changed');
});

test('to try is no reason to throw for what strangers send, and only for that', () => {
  const [sender, receiver] = pairOfSessions({ maxFailedOpens: 2n });
  const datagram = sender.seal(buffers('abc'));
  const forged = Buffer.from(datagram);
  forged[80] ^= 1;
  const out = Buffer.alloc(64);
  for (const wrong of [Buffer.alloc(0), Buffer.alloc(100), datagram.subarray(1), packet.handshakeFrame(datagram)]) {
    assert.equal(receiver.tryOpen(wrong), null);
    assert.equal(receiver.tryOpenInto(out, wrong), -1);
  }
  assert.equal(receiver.tryOpen(forged), null);
  assert.deepEqual(texts(receiver.tryOpen(datagram).events), ['abc']);
  assert.equal(receiver.tryOpen(datagram), null, 'a replay');
  assert.equal(receiver.tryOpenInto(out, forged), -1);
  fails('REKEY', () => receiver.tryOpen(sender.heartbeat()));
  fails('REKEY', () => receiver.tryOpenInto(out, sender.heartbeat()));
  fails('STATE', () => sender.tryOpen(datagram));
  fails('STATE', () => receiver.seal([]));
});

test('events may be secrets, whose windows end with the call', () => {
  const [sender, receiver] = pairOfSessions();
  const secret = Secret.fromBytes(Buffer.from('secret'));
  const events = [Buffer.from('a'), secret, secret];
  assert.deepEqual(texts(receiver.open(sender.seal(events)).events), ['a', 'secret', 'secret']);
  assert.deepEqual(texts(receiver.open(sender.seal([secret])).events), ['secret']);
  assert.deepEqual(texts(receiver.open(Secret.fromBytes(sender.seal(buffers('in one')))).events), ['in one']);
  refuses('ERR_INVALID_ARG_TYPE', () => sender.seal([secret, 'text']));
  fails('PACKET_TOO_LARGE', () => sender.seal([secret, Buffer.alloc(MAX_PAYLOAD_LEN)]));
  refuses('ERR_INVALID_ARG_TYPE', () => sender.sealBatch([{ events: [secret] }, { events: [secret, 5] }]));
  assert.equal(secret.info().windows, 0);
  secret.write(() => fails('BUSY', () => sender.seal([Buffer.from('a'), secret])));
  secret.close();
  fails('CLOSED', () => sender.seal([secret]));
});

test('output that lies in the input is refused', () => {
  const [sender, receiver] = pairOfSessions();
  const memory = Buffer.alloc(400);
  const event = memory.subarray(100, 110);
  for (const at of [10, 100, 109]) fails('INVALID_ARGUMENT', () => sender.sealInto(memory.subarray(at), [event]));
  fails('INVALID_ARGUMENT', () => sender.sealInto(memory.subarray(0, 101), buffers('x').concat(event)));
  assert.ok(sender.sealInto(memory.subarray(110), [event]) > 0);
  const datagram = sender.seal(buffers('abc'));
  fails('INVALID_ARGUMENT', () => receiver.openInto(datagram.subarray(67), datagram));
  fails('INVALID_ARGUMENT', () => packet.handshakeFrameInto(memory, event));
  const table = Uint32Array.of(10);
  const seal = (out) => sender.sealPacked(event, table, 0n, 0n, 0, out, new Uint32Array(1), new Uint8Array(1));
  fails('INVALID_ARGUMENT', () => seal(memory.subarray(0, 101)));
  assert.equal(seal(memory.subarray(110)), 1);
});

test('a batch is sealed and opened, each item with a status of its own', () => {
  const [sender, receiver] = pairOfSessions();
  const requests = [
    { events: buffers('one'), streamId: 5n, settings: { channelHash: 7 } },
    { events: buffers('no'), flags: 0x10 },
    { kind: PacketKind.HEARTBEAT },
    { events: [Buffer.alloc(MAX_PAYLOAD_LEN)] },
    { events: buffers('two', 'three'), sequence: 6n },
  ];
  const { data, offsets, statuses } = sender.sealBatch(requests);
  const { OK, INVALID_ARGUMENT, PACKET_TOO_LARGE } = Status;
  assert.deepEqual([...statuses], [OK, INVALID_ARGUMENT, OK, PACKET_TOO_LARGE, OK]);
  assert.equal(offsets.length, 6);
  assert.equal(offsets[5], data.length);
  const datagrams = requests.map((_, i) => data.subarray(offsets[i], offsets[i + 1]));
  assert.equal(datagrams[1].length, 0);
  const opened = receiver.openBatch([...datagrams, datagrams[0]]);
  const { PACKET_SHORT, REPLAY } = Status;
  assert.deepEqual(
    opened.map(({ status }) => status),
    [OK, PACKET_SHORT, OK, PACKET_SHORT, OK, REPLAY],
  );
  assert.deepEqual(
    opened.map(({ events }) => texts(events)),
    [['one'], [], [], [], ['two', 'three'], []],
  );
  assert.deepEqual([opened[0].info.channelHash, opened[4].info.counter, opened[5].info], [7, 2n, null]);
  assert.equal(sender.stats().nextCounter, 3n);
});

test('a batch has 1 to MAX_BATCH items, of any number of events', () => {
  const [sender, receiver] = pairOfSessions();
  const beat = { kind: PacketKind.HEARTBEAT };
  for (const count of [0, MAX_BATCH + 1]) {
    fails('INVALID_ARGUMENT', () => sender.sealBatch(Array(count).fill(beat)));
    fails('INVALID_ARGUMENT', () => receiver.openBatch(Array(count).fill(Buffer.alloc(1))));
  }
  const request = { events: Array.from({ length: 50 }, (_, i) => Buffer.from(`event ${i}`)) };
  const { data, offsets } = sender.sealBatch([beat, ...Array(900).fill(request)]);
  const datagrams = Array.from({ length: 901 }, (_, i) => data.subarray(offsets[i], offsets[i + 1]));
  const opened = receiver.openBatch(datagrams);
  assert.ok(opened.slice(1).every(({ events }) => events.length === 50 && String(events[49]) === 'event 49'));
  const many = { events: Array(keep.MAX_PACKET_EVENTS + 1).fill(Buffer.alloc(0)) };
  assert.deepEqual([...sender.sealBatch([many, beat]).statuses], [Status.PACKET_TOO_MANY_EVENTS, Status.OK]);
  fails('STATE', () => receiver.sealBatch([beat]));
  fails('STATE', () => sender.openBatch([Buffer.alloc(1)]));
});

function packedTables(count) {
  const out = Buffer.alloc(count * 100);
  return { out, ends: new Uint32Array(count), spans: new Uint32Array(2 * count), statuses: new Uint8Array(count) };
}

test('a packed batch is sealed and opened without objects', () => {
  const [sender, receiver] = pairOfSessions();
  const data = Buffer.from('onetwo');
  const sealed = packedTables(3);
  const pieces = Uint32Array.of(3, 3, 6);
  const { ends, out, statuses } = sealed;
  assert.equal(sender.sealPacked(data, pieces, 1n, 2n ** 64n - 1n, PacketFlags.NACK, out, ends, statuses), 3);
  assert.deepEqual([...ends], [91, 179, 270]);
  const second = packet.parse(out.subarray(91, 179));
  assert.deepEqual([second.streamId, second.sequence, second.flags], [1n, 0n, PacketFlags.NACK]);
  out[100] ^= 1;
  const opened = packedTables(3);
  const datagrams = out.subarray(0, 270);
  assert.equal(receiver.openPacked(datagrams, ends, opened.out, opened.spans, opened.ends, opened.statuses), 2);
  assert.deepEqual([...opened.statuses], [Status.OK, Status.AUTH, Status.OK]);
  assert.deepEqual([...opened.ends], [1, 1, 2]);
  const [at, len, otherAt, otherLen] = opened.spans;
  assert.equal(String(opened.out.subarray(at, at + len)), 'one');
  assert.equal(String(opened.out.subarray(otherAt, otherAt + otherLen)), 'two');
});

/** Calls with the arguments of a packed batch of "one" and "two"; some of them are replaced. */
function packedCalls() {
  const [sender, receiver] = pairOfSessions();
  const { ends: outEnds, out, statuses } = packedTables(2);
  const sealing = { data: Buffer.from('onetwo'), ends: Uint32Array.of(3, 6), stream: 1n, first: 0n, flags: 0 };
  const seal = (given) => sender.sealPacked(...Object.values({ ...sealing, out, outEnds, statuses, ...given }));
  assert.equal(seal({}), 2);
  const opening = { data: Buffer.from(out), ends: Uint32Array.from(outEnds), out, spans: new Uint32Array(4) };
  const packetEnds = new Uint32Array(2);
  const open = (given) => receiver.openPacked(...Object.values({ ...opening, packetEnds, statuses, ...given }));
  const untouched = () => sender.stats().nextCounter === 2n && receiver.stats().opened === 0n;
  return { seal, open, untouched };
}

test('packed tables that do not fit are refused, and nothing is sealed or opened', () => {
  const { seal, open, untouched } = packedCalls();
  const tables = [[], [4, 3], [3, 201], [2 ** 32 - 1, 2], Array(MAX_BATCH + 1).fill(1)];
  const large = { packetEnds: new Uint32Array(2000), outEnds: new Uint32Array(2000), statuses: new Uint8Array(2000) };
  for (const table of tables) {
    const ends = Uint32Array.from(table);
    fails('INVALID_ARGUMENT', () => seal({ ...large, ends }));
    fails('INVALID_ARGUMENT', () => open({ ...large, ends }));
  }
  const one = new Uint32Array(1);
  fails('INVALID_ARGUMENT', () => seal({ outEnds: one }));
  fails('INVALID_ARGUMENT', () => open({ packetEnds: one }));
  for (const call of [seal, open]) fails('INVALID_ARGUMENT', () => call({ statuses: new Uint8Array(1) }));
  assert.equal(fails('BUFFER_TOO_SMALL', () => seal({ out: Buffer.alloc(181) })).needed, 182);
  for (const short of [
    { out: Buffer.alloc(13), needed: 14 },
    { spans: new Uint32Array(3), needed: 4 },
  ]) {
    const { needed, ...given } = short;
    const error = fails('BUFFER_TOO_SMALL', () => open({ out: Buffer.alloc(14), ...given }));
    assert.deepEqual([error.needed, ...error.values], [needed, 14n, 2n, 0n, 0n]);
  }
  assert.ok(untouched());
  assert.equal(seal(large), 2);
  assert.equal(open(large), 2);
});

test('what is packed has its kinds and ranges', () => {
  const { seal, open, untouched } = packedCalls();
  const wrong = [
    undefined,
    null,
    5,
    'text',
    [3, 6],
    new Int32Array(2),
    new BigUint64Array(2),
    new DataView(new ArrayBuffer(8)),
  ];
  for (const value of wrong) {
    for (const name of ['data', 'ends', 'out', 'outEnds', 'statuses']) {
      refuses('ERR_INVALID_ARG_TYPE', () => seal({ [name]: value }));
    }
    for (const name of ['data', 'ends', 'out', 'spans', 'packetEnds', 'statuses']) {
      refuses('ERR_INVALID_ARG_TYPE', () => open({ [name]: value }));
    }
  }
  for (const given of [{ ends: Buffer.alloc(8) }, { statuses: new Uint32Array(2) }, { out: Secret.generate(200) }]) {
    for (const call of [seal, open]) refuses('ERR_INVALID_ARG_TYPE', () => call(given));
  }
  for (const given of [{ stream: 1 }, { first: null }, { flags: 1n }])
    refuses('ERR_INVALID_ARG_TYPE', () => seal(given));
  for (const given of [{ stream: -1n }, { first: 2n ** 64n }, { flags: 256 }])
    refuses('ERR_OUT_OF_RANGE', () => seal(given));
  assert.ok(untouched());
});

test('packed bytes may be a secret, and its window ends', () => {
  const { seal, open } = packedCalls();
  const out = Buffer.alloc(200);
  const event = Secret.fromBytes(Buffer.from('onetwo'));
  assert.equal(seal({ data: event, out }), 2);
  fails('INVALID_ARGUMENT', () => seal({ data: event, ends: Uint32Array.of(3, 7) }));
  event.close();
  fails('CLOSED', () => seal({ data: event }));
  const datagrams = Secret.fromBytes(out.subarray(0, 182));
  assert.equal(open({ data: datagrams }), 2);
  datagrams.close();
});

test('packed datagrams lie apart from the plaintext', () => {
  const [sender, receiver] = pairOfSessions();
  const memory = Buffer.alloc(400);
  const ends = Uint32Array.of(sender.sealInto(memory, buffers('abc')));
  const open = (out) =>
    receiver.openPacked(memory, ends, out, new Uint32Array(2), new Uint32Array(1), new Uint8Array(1));
  for (const at of [0, PACKET_HEADER_LEN, 90]) fails('INVALID_ARGUMENT', () => open(memory.subarray(at)));
  assert.equal(open(memory.subarray(ends[0])), 1, 'behind the last one');
});

test('a key has one live session that seals with it, and gives no nonce twice', () => {
  const txKey = Secret.generate(32);
  const first = new Session({ txKey, firstCounter: 2n ** 64n - 3n });
  fails('STATE', () => new Session({ txKey }));
  fails('INVALID_ARGUMENT', () => new Session({ txKey, rxKey: txKey }));
  fails('INVALID_ARGUMENT', () => new Session());
  fails('INVALID_ARGUMENT', () => new Session({ txKey: Secret.generate(31) }));
  fails('INVALID_ARGUMENT', () => new Session({ rxKey: txKey, window: 1500 }));
  fails('INVALID_ARGUMENT', () => new Session({ rxKey: txKey, aead: 4 }));
  new Session({ rxKey: txKey, window: 65536, pool: new keep.Pool(), aead: keep.Aead.SODIUM }).close();
  first.heartbeat();
  fails('REKEY', () => first.sealInto(new Uint8Array(MAX_PACKET_LEN), []) && first.heartbeat());
  assert.equal(first.stats().nextCounter, 2n ** 64n - 1n);
  first.close();
  txKey.close();
  fails('CLOSED', () => new Session({ txKey }));
});

test('a purge ends sessions', () => {
  const [sender, receiver] = pairOfSessions();
  const datagram = sender.seal(buffers('abc'));
  memory.purge();
  fails('PURGED', () => sender.seal(buffers('abc')));
  fails('PURGED', () => sender.sealBatch([{}]));
  fails('PURGED', () => receiver.open(datagram));
  fails('PURGED', () => receiver.tryOpen(datagram));
  fails('PURGED', () => receiver.openBatch([datagram]));
  assert.equal(pairOfSessions()[0].heartbeat().length, PACKET_OVERHEAD_LEN);
});

test('sessions end once, and show counters but no key', () => {
  const [sender, receiver] = pairOfSessions();
  receiver.open(sender.heartbeat());
  assert.equal(inspect(sender), 'Session { next 1, opened 0 }');
  assert.equal(String(receiver), '[Session: next 0, opened 1]');
  for (const session of [sender, receiver]) {
    session.close();
    session[Symbol.dispose]();
    fails('CLOSED', () => session.stats());
    fails('CLOSED', () => session.seal([]));
    fails('CLOSED', () => session.tryOpen(Buffer.alloc(84)));
  }
  assert.equal(inspect(sender), 'Session { closed }');
});

test('a getter that closes the session, or detaches memory, finds nothing of C', () => {
  const [sender] = pairOfSessions();
  const out = Buffer.from(new ArrayBuffer(200));
  const detaching = {
    get flags() {
      structuredClone(out, { transfer: [out.buffer] });
      return 0;
    },
  };
  assert.equal(fails('BUFFER_TOO_SMALL', () => sender.sealInto(out, [], detaching)).needed, PACKET_OVERHEAD_LEN);
  const events = [0, 1];
  Object.defineProperty(events, 1, {
    get() {
      sender.close();
      return Buffer.alloc(1);
    },
  });
  events[0] = Buffer.alloc(1);
  fails('CLOSED', () => sender.seal(events));
});

test('headers are read, lengths told, frames made without a session', () => {
  const [sender] = pairOfSessions();
  fails('PACKET_SHORT', () => packet.parse(Buffer.alloc(67)));
  fails('PACKET_MAGIC', () => packet.parse(Buffer.alloc(68)));
  const { channelHash, originHash } = packet.parse(sender.seal([], { settings: { originHash: 3n, channelHash: 4 } }));
  assert.deepEqual([originHash, channelHash], [3n, 4]);
  assert.equal(packet.measure([]), PACKET_OVERHEAD_LEN);
  fails('PACKET_TOO_MANY_EVENTS', () => packet.measure(Array(keep.MAX_PACKET_EVENTS + 1).fill(Buffer.alloc(0))));
  assert.deepEqual([0, 1, 8104, 8105].map(packet.maxEvents), [2027, 1621, 1, 0]);
  const frame = packet.handshakeFrame(Buffer.from('hello'));
  assert.equal(String(frame.subarray(PACKET_HEADER_LEN)), 'hello');
  assert.equal(packet.parse(frame).kind, PacketKind.HANDSHAKE);
  const out = Buffer.alloc(73);
  assert.equal(packet.handshakeFrameInto(out, Secret.fromBytes(Buffer.from('hello'))), 73);
  assert.deepEqual(out, frame);
  assert.equal(
    fails('BUFFER_TOO_SMALL', () => packet.handshakeFrameInto(Buffer.alloc(72), Buffer.alloc(5))).needed,
    73,
  );
});

test('back ends are told', () => {
  const { Aead, AeadState } = keep;
  const sodium = packet.aeadReport(Aead.SODIUM);
  assert.deepEqual([sodium.name, sodium.state, typeof sodium.bytes], ['sodium', AeadState.USABLE, 'bigint']);
  assert.match(sodium.version, /^\d+\.\d+/);
  for (const which of [Aead.OPENSSL, Aead.IPSEC_MB]) {
    const { state, autoMinLen, autoMaxLen, contexts, form } = packet.aeadReport(which);
    assert.ok(Object.values(AeadState).includes(state));
    assert.ok([autoMinLen, autoMaxLen, contexts].every(Number.isInteger) && typeof form === 'string');
  }
  fails('INVALID_ARGUMENT', () => packet.aeadReport(Aead.AUTO));
});
