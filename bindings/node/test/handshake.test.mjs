// SPDX-License-Identifier: MIT

// Handshakes: every method once. The messages are in the shared vectors.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import keep from '../lib/index.js';
import { fails, refuses } from './support.mjs';

const { Handshake, HandshakeState, HANDSHAKE_KEY_LEN, Noise, Role, Secret, packet } = keep;

function sides(pattern, options = {}) {
  const preSharedKey = Secret.generate(32);
  const [one, other] = [Secret.generate(32), Secret.generate(32)];
  const remoteStatic = pattern === Noise.IKPSK2 ? Handshake.publicKey(other) : undefined;
  const common = { pattern, preSharedKey, prologue: Buffer.from('about'), ...options };
  return {
    initiator: new Handshake({ role: Role.INITIATOR, staticKey: one, remoteStatic, ...common }),
    responder: new Handshake({ role: Role.RESPONDER, staticKey: other, ...common }),
    publicKeys: [one, other].map(Handshake.publicKey),
  };
}

/** Passes messages to and fro until both sides are done, each with its turn as payload; what was read. */
function exchange({ initiator, responder }) {
  const read = [];
  let [writer, reader] = [initiator, responder];
  while (writer.info().state === HandshakeState.WRITE) {
    const message = writer.write(Buffer.from(`payload ${read.length}`));
    read.push(String(reader.read(message)));
    [writer, reader] = [reader, writer];
  }
  return read;
}

for (const [name, pattern] of Object.entries(Noise)) {
  test(`two sides that know a secret agree on a session by ${name}`, () => {
    const both = sides(pattern, { pool: new keep.Pool() });
    const { initiator, responder, publicKeys } = both;
    assert.deepEqual([initiator.info().state, responder.info().state], [HandshakeState.WRITE, HandshakeState.READ]);
    assert.equal(responder.info().remoteStatic, null);
    assert.equal(responder.info().hash, null);
    const read = exchange(both);
    assert.deepEqual(read, ['payload 0', 'payload 1', 'payload 2'].slice(0, pattern === Noise.IKPSK2 ? 2 : 3));
    const [one, other] = [initiator.info(), responder.info()];
    assert.deepEqual([one.state, other.state], [HandshakeState.DONE, HandshakeState.DONE]);
    assert.deepEqual([other.remoteStatic, one.remoteStatic], publicKeys);
    assert.deepEqual(one.hash, other.hash);
    assert.equal(one.hash.length, HANDSHAKE_KEY_LEN);
    assert.ok(Object.isFrozen(one));
    const sessions = [initiator, responder].map((side) => side.session({ window: 2048, maxFailedOpens: 3n }));
    assert.equal(sessions.filter((session) => session.stats().confirmed).length, 1);
    const { events } = sessions[1].open(sessions[0].seal([Buffer.from('at last')]));
    assert.equal(String(events[0]), 'at last');
    sessions[0].open(sessions[1].heartbeat());
    assert.ok(sessions.every((session) => session.stats().confirmed));
    assert.equal(initiator.info().state, HandshakeState.SPENT);
    fails('STATE', () => initiator.session());
  });
}

test('a message that is refused changes nothing', () => {
  const { initiator, responder } = sides(Noise.XXPSK3);
  fails('STATE', () => responder.write());
  fails('STATE', () => initiator.read(Buffer.alloc(32)));
  fails('STATE', () => initiator.session());
  fails('PACKET_TOO_LARGE', () => initiator.write(Buffer.alloc(keep.MAX_PAYLOAD_LEN)));
  const message = initiator.write(Secret.fromBytes(Buffer.from('hello')));
  fails('AUTH', () => responder.read(message.subarray(0, 31)));
  fails('AUTH', () => responder.read(Buffer.alloc(0)));
  assert.equal(String(responder.read(message)), 'hello');
});

test('messages and payloads go into given memory', () => {
  const { initiator, responder } = sides(Noise.IKPSK2);
  const payload = Buffer.from('hello');
  assert.equal(fails('BUFFER_TOO_SMALL', () => initiator.writeInto(Buffer.alloc(100), payload)).needed, 101);
  const out = Buffer.alloc(200);
  assert.equal(initiator.writeInto(out, payload), 101);
  const message = out.subarray(0, 101);
  assert.equal(fails('BUFFER_TOO_SMALL', () => responder.readInto(Buffer.alloc(4), message)).needed, 5);
  fails('INVALID_ARGUMENT', () => responder.readInto(out.subarray(100), message));
  const room = Buffer.alloc(9, '.');
  assert.equal(responder.readInto(room, message), 5);
  assert.equal(String(room), 'hello....');
  fails('INVALID_ARGUMENT', () => responder.writeInto(out, out.subarray(3, 5)));
  assert.equal(responder.writeInto(out), 48);
  assert.equal(initiator.readInto(new Uint8Array(0), out.subarray(0, 48)), 0);
  assert.equal(packet.parse(packet.handshakeFrame(out.subarray(0, 48))).payloadLen, 48);
});

test('the keys that a side needs are there, and no others', () => {
  const key = Secret.generate(32);
  const given = { pattern: Noise.XXPSK3, role: Role.INITIATOR, staticKey: key, preSharedKey: key };
  const publicKey = Handshake.publicKey(key);
  fails('INVALID_ARGUMENT', () => new Handshake({ ...given, remoteStatic: publicKey }));
  fails('INVALID_ARGUMENT', () => new Handshake({ ...given, pattern: Noise.IKPSK2 }));
  const ik = { ...given, pattern: Noise.IKPSK2 };
  for (const wrong of [publicKey.subarray(1), Buffer.alloc(33), Buffer.alloc(32)]) {
    fails('INVALID_ARGUMENT', () => new Handshake({ ...ik, remoteStatic: wrong }));
  }
  fails('INVALID_ARGUMENT', () => new Handshake({ ...given, pattern: 3 }));
  fails('INVALID_ARGUMENT', () => new Handshake({ ...given, role: 0 }));
  fails('INVALID_ARGUMENT', () => new Handshake({ ...given, prologue: Buffer.alloc(keep.MAX_PROLOGUE_LEN + 1) }));
  fails('INVALID_ARGUMENT', () => new Handshake({ ...given, ephemeralKey: Secret.generate(31) }));
  for (const name of Object.keys(given)) {
    refuses('ERR_INVALID_ARG_TYPE', () => new Handshake({ ...given, [name]: undefined }));
  }
  refuses('ERR_INVALID_ARG_TYPE', () => new Handshake({ ...given, staticKey: Buffer.alloc(32) }));
  refuses('ERR_INVALID_ARG_TYPE', () => new Handshake({ ...ik, remoteStatic: key }));
  refuses('ERR_INVALID_ARG_VALUE', () => new Handshake({ ...given, remote: publicKey }));
  assert.ok(new Handshake({ ...ik, remoteStatic: publicKey, prologue: key }).write().length > 0);
  key.close();
  fails('CLOSED', () => Handshake.publicKey(key));
});

test('handshakes end once, and show whose turn it is', () => {
  const { initiator, responder } = sides(Noise.XXPSK3);
  assert.deepEqual([String(initiator), String(responder)], ['[Handshake: write]', '[Handshake: read]']);
  initiator.close();
  initiator[Symbol.dispose]();
  fails('CLOSED', () => initiator.info());
  assert.equal(String(initiator), '[Handshake: closed]');
  keep.memory.purge();
  fails('PURGED', () => responder.info());
  assert.equal(String(responder), '[Handshake: purged]');
});
