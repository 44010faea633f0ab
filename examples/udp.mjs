// SPDX-License-Identifier: MIT

// Two processes over UDP, as examples/udp.md says: any two of the examples in C, Python, Node.js and Go understand each
// other.
//
//     node udp.mjs listen               prints the port, takes one conversation
//     node udp.mjs send PORT [PACKETS]

import assert from 'node:assert';
import dgram from 'node:dgram';
import { on, once } from 'node:events';
import keep from '../bindings/node/lib/index.js'; // elsewhere: 'libkeep'

const { Handshake, HandshakeState, KeepError, Noise, PacketFlags, PacketKind, Role, Secret, packet } = keep;

const PACKETS = 100_000;
const BATCH = 64;
const LOOPBACK = '127.0.0.1';
const SHARED_KEY = Buffer.alloc(keep.HANDSHAKE_KEY_LEN); // a program of yours has a better one
SHARED_KEY[0] = 0x42;

const range = (start, end) => Array.from({ length: end - start }, (_, i) => start + i);
const bytesOf = (...numbers) => Buffer.from(BigUint64Array.from(numbers, BigInt).buffer);
const numbersOf = (event) => range(0, event.length / 8).map((i) => Number(event.readBigUInt64LE(8 * i)));
const messageOf = (datagram) => datagram.subarray(keep.PACKET_HEADER_LEN);
const show = ([accepted, replayed, forged]) => `${accepted} accepted, ${replayed} replayed, ${forged} forged`;

function newHandshake(role) {
  const staticKey = Secret.generate(keep.HANDSHAKE_KEY_LEN);
  const preSharedKey = Secret.fromBytes(SHARED_KEY);
  const handshake = new Handshake({ pattern: Noise.XXPSK3, role, staticKey, preSharedKey });
  for (const key of [staticKey, preSharedKey]) key.close();
  return handshake;
}

// The line

const isLost = (n) => n % 10 === 3;
const isDoubled = (n) => n % 7 === 0;
const isForged = (n) => n % 1000 === 1;

function forgedFrom(datagram) {
  const forged = Buffer.from(datagram);
  forged[forged.length - 1] ^= 1;
  return forged;
}

/** What the line makes of packet n. */
function arrives(n, datagram) {
  if (isLost(n)) return [];
  const twice = isDoubled(n) ? [datagram, datagram] : [datagram];
  return isForged(n) ? [...twice, forgedFrom(datagram)] : twice;
}

function expected(packets) {
  const heard = range(0, packets).filter((n) => !isLost(n));
  const accepted = heard.length + 1; // with the late one
  return [accepted, heard.filter(isDoubled).length, heard.filter(isForged).length];
}

// The sender

/** A batch of packets, one number in each. */
function seal(session, numbers) {
  const { data, offsets } = session.sealBatch(numbers.map((n) => ({ events: [bytesOf(n)], streamId: 1n })));
  return numbers.map((_, i) => data.subarray(offsets[i], offsets[i + 1]));
}

class Sender {
  #socket = dgram.createSocket('udp4');

  async connect(port) {
    this.#socket.connect(port, LOOPBACK);
    await once(this.#socket, 'connect');
  }

  /** Sends what the listener answers. */
  async #ask(datagram) {
    const answer = once(this.#socket, 'message');
    this.#socket.send(datagram);
    return (await answer)[0];
  }

  async #agree() {
    const handshake = newHandshake(Role.INITIATOR);
    const answer = await this.#ask(packet.handshakeFrame(handshake.write()));
    handshake.read(messageOf(answer));
    this.#socket.send(packet.handshakeFrame(handshake.write()));
    const session = handshake.session();
    handshake.close();
    return session;
  }

  async #sendNumbers(session, first, end) {
    for (let at = first; at < end; at += BATCH) {
      const numbers = range(at, Math.min(at + BATCH, end));
      const line = seal(session, numbers).map((datagram, i) => arrives(numbers[i], datagram));
      if (Math.floor(at / BATCH) % 2 === 1) line.reverse();
      for (const datagram of line.flat()) this.#socket.send(datagram);
      session.open(await this.#ask(session.heartbeat()));
    }
  }

  /** Tells what the listener counted. */
  async run(packets) {
    const half = Math.floor(packets / 2);
    const first = await this.#agree();
    await this.#sendNumbers(first, 0, half);
    const [late] = seal(first, [packets]);
    const second = await this.#agree();
    this.#socket.send(late);
    await this.#sendNumbers(second, half, packets);
    const answer = second.open(await this.#ask(second.seal([], { streamId: 1n, flags: PacketFlags.FIN })));
    for (const handle of [first, second, this.#socket]) handle.close();
    return numbersOf(answer.events[0]);
  }
}

// The listener

function isHandshake(datagram) {
  try {
    return packet.parse(datagram).kind === PacketKind.HANDSHAKE;
  } catch (error) {
    if (error instanceof KeepError) return false; // no packet
    throw error;
  }
}

class Listener {
  #socket = dgram.createSocket('udp4');
  #peer = null;
  #handshake = null;
  #sessions = []; // the newest first
  #seen = new Set();
  #isDone = false;

  async bind() {
    this.#socket.bind(0, LOOPBACK);
    await once(this.#socket, 'listening');
    return this.#socket.address().port;
  }

  #counts() {
    const stats = this.#sessions.map((session) => session.stats());
    const sum = (name) => stats.reduce((all, one) => all + Number(one[name]), 0);
    return [this.#seen.size, sum('replayed'), sum('authFailed')];
  }

  #answer(datagram) {
    return new Promise((done) => this.#socket.send(datagram, this.#peer.port, this.#peer.address, done));
  }

  async #takeMessage(message) {
    this.#handshake ??= newHandshake(Role.RESPONDER);
    this.#handshake.read(message);
    if (this.#handshake.info().state === HandshakeState.WRITE) {
      await this.#answer(packet.handshakeFrame(this.#handshake.write()));
      return;
    }
    this.#sessions.unshift(this.#handshake.session());
    this.#handshake.close();
    this.#handshake = null;
  }

  #takeNumber(n) {
    assert(!this.#seen.has(n), `${n} came twice`);
    this.#seen.add(n);
  }

  async #takePacket(session, { info, events }) {
    this.#isDone = (info.flags & PacketFlags.FIN) !== 0;
    if (info.kind === PacketKind.HEARTBEAT) await this.#answer(session.heartbeat());
    else if (this.#isDone) await this.#answer(session.seal([bytesOf(...this.#counts())], { streamId: 1n }));
    else this.#takeNumber(...numbersOf(events[0]));
  }

  /** The packet is of one session, or of none. What is replayed or forged the session counts. */
  async #trySessions(datagram) {
    for (const session of this.#sessions) {
      const opened = session.tryOpen(datagram);
      if (opened !== null) await this.#takePacket(session, opened);
    }
  }

  async run() {
    for await (const [datagram, peer] of on(this.#socket, 'message')) {
      this.#peer = peer; // answers go to whoever sent last
      await (isHandshake(datagram) ? this.#takeMessage(messageOf(datagram)) : this.#trySessions(datagram));
      if (this.#isDone) break;
    }
    const counts = this.#counts();
    for (const handle of [...this.#sessions, this.#socket]) handle.close();
    return counts;
  }
}

async function listen() {
  const listener = new Listener();
  console.log(await listener.bind());
  console.log(`heard: ${show(await listener.run())}`);
  return 0;
}

async function send(port, packets) {
  const sender = new Sender();
  await sender.connect(port);
  const [sent, told] = [expected(packets), await sender.run(packets)].map(show);
  console.log(`sent: ${sent}\ntold: ${told}`);
  return sent === told ? 0 : 1;
}

function main([verb, port, packets = PACKETS]) {
  if (verb === 'listen') return listen();
  if (verb === 'send' && port) return send(Number(port), Number(packets));
  console.error('usage: udp.mjs listen | send PORT [PACKETS]');
  return 2;
}

process.exitCode = await main(process.argv.slice(2));
