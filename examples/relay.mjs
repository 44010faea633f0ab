// SPDX-License-Identifier: MIT

// Packets on the tour, a station on their way: opens what comes, tells what came of it, and sends it on.
//
//     node relay.mjs KEY KEY PORT     files of 32 bytes, that the station before has too, and the next; its port
//
// It prints its own port first.

import dgram from 'node:dgram';
import { on, once } from 'node:events';
import fs from 'node:fs';
import { KeepError, PacketFlags, Secret, Session, Status } from '../bindings/node/lib/index.mjs'; // elsewhere: 'libkeep'

const LOOPBACK = '127.0.0.1';
const REFUSALS = { [Status.AUTH]: 'forged', [Status.REPLAY]: 'replayed' };

/** Elsewhere a handshake makes it, as in examples/udp.mjs. */
function newSession(side, keyFile) {
  const key = Secret.takeBytes(fs.readFileSync(keyFile));
  const session = new Session({ sessionId: 1n, [side]: key });
  key.close();
  return session;
}

function openOrTell(session, datagram) {
  try {
    return session.open(datagram);
  } catch (error) {
    if (!(error instanceof KeepError) || !(error.status in REFUSALS)) throw error;
    console.log(`  refused  a ${REFUSALS[error.status]} packet`);
    return null;
  }
}

/** The events of all packets that opened, in the order of their counters. */
async function receive(socket, session) {
  const events = [];
  for await (const [datagram] of on(socket, 'message')) {
    const opened = openOrTell(session, datagram);
    if (opened === null) continue;
    if (opened.info.flags & PacketFlags.FIN) break;
    const counter = Number(opened.info.counter);
    console.log(`  opened   "${opened.events[0]}"${counter < events.length ? ', which is late' : ''}`);
    events[counter] = opened.events[0];
  }
  return events;
}

function forgedFrom(datagram) {
  const forged = Buffer.from(datagram);
  forged[forged.length - 1] ^= 1;
  return forged;
}

async function sendOn(socket, session, port, events) {
  const [one, two, three] = events.map((event) => session.seal([Buffer.from(`${event}, by Node.js`)]));
  const last = session.seal([], { flags: PacketFlags.FIN });
  for (const datagram of [one, three, two, one, forgedFrom(two), last]) {
    await new Promise((done) => socket.send(datagram, port, LOOPBACK, done));
  }
}

async function main([rxKey, txKey, port]) {
  const socket = dgram.createSocket('udp4');
  const sessions = [newSession('rxKey', rxKey), newSession('txKey', txKey)];
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  console.log(`${socket.address().port}\nNode.js`);
  const events = await receive(socket, sessions[0]);
  await sendOn(socket, sessions[1], Number(port), events);
  for (const handle of [...sessions, socket]) handle.close();
}

await main(process.argv.slice(2));
