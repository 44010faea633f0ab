// SPDX-License-Identifier: MIT

// Packet pools: every method once, and the life of packets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import keep from '../lib/index.js';
import { fails, pairOfSessions, refuses } from './support.mjs';

const { PacketKind, PacketPool, packet } = keep;

const hello = [Buffer.from('hello')];

test('a pool gives packets, as many as it has, and tells about itself', () => {
  const pool = new PacketPool({ capacity: 2 });
  const packets = [pool.acquire(), pool.acquire()];
  fails('EXHAUSTED', () => pool.acquire());
  const { bytes, ...counts } = pool.stats();
  assert.deepEqual(counts, { capacity: 2n, inUse: 2n, available: 0n, peak: 2n, refused: 1n });
  assert.ok(bytes >= 2n * BigInt(keep.MAX_PACKET_LEN));
  assert.equal(String(pool), '[PacketPool: 2 of 2 in use]');
  packets[0].close();
  assert.equal(pool.stats().available, 1n);
  pool.acquire().close();
  assert.equal(new PacketPool().stats().capacity, BigInt(keep.DEFAULT_PACKET_SLOTS));
  for (const capacity of [0, keep.MAX_PACKET_SLOTS + 1]) fails('INVALID_ARGUMENT', () => new PacketPool({ capacity }));
});

test('a packet is built now and sent later, again and again', () => {
  const [sender, receiver] = pairOfSessions();
  const built = new PacketPool({ capacity: 1 }).acquire();
  fails('STATE', () => built.data());
  assert.equal(String(built), '[Packet: empty]');
  built.build(sender, hello, { streamId: 3n });
  const copy = built.data();
  assert.equal(String(built), `[Packet: ${copy.length} bytes]`);
  built.build(sender, []);
  assert.equal(receiver.open(copy).info.streamId, 3n);
  assert.equal(receiver.open(built.data()).events.length, 0);
  fails('PACKET_TOO_LARGE', () => built.build(sender, [Buffer.alloc(9000)]));
  fails('REPLAY', () => receiver.open(built.data()), 'a refused build leaves the packet as it was');
  built.build(null, hello, { kind: PacketKind.HANDSHAKE });
  assert.deepEqual(built.data(), packet.handshakeFrame(hello[0]));
  fails('INVALID_ARGUMENT', () => built.build(null, hello));
  fails('INVALID_ARGUMENT', () => built.build(sender, hello, { kind: PacketKind.HANDSHAKE }));
});

test('settings are the pool’s until they are changed, and again in the next packet', () => {
  const [sender] = pairOfSessions();
  const settings = { originHash: 5n, subnetId: 4, channelHash: 3, priority: 2, hopTtl: 1 };
  const pool = new PacketPool({ capacity: 1, settings });
  const read = (built, options) => {
    built.build(sender, [], options);
    const { originHash, subnetId, channelHash, priority, hopTtl } = packet.parse(built.data());
    return { originHash, subnetId, channelHash, priority, hopTtl };
  };
  const first = pool.acquire();
  assert.deepEqual(read(first), settings);
  first.set({ priority: 9 });
  const other = { originHash: 0n, subnetId: 0, channelHash: 0, priority: 9, hopTtl: 0 };
  assert.deepEqual(read(first), other);
  assert.deepEqual(read(first, { settings }), settings);
  assert.deepEqual(read(first), other);
  first.set(null);
  assert.deepEqual(read(first), settings);
  first.set({ hopTtl: 7 });
  first.close();
  assert.deepEqual(read(pool.acquire()), settings);
  for (const wrong of [{ hopTtl: 256 }, { channelHash: 65536 }, { originHash: -1n }, { subnetId: 2 ** 32 }]) {
    refuses('ERR_OUT_OF_RANGE', () => new PacketPool({ settings: wrong }));
  }
  refuses('ERR_INVALID_ARG_VALUE', () => new PacketPool({ settings: { ttl: 1 } }));
  refuses('ERR_INVALID_ARG_TYPE', () => new PacketPool({ settings: { originHash: 1 } }));
});

test('packets outlive their pool; both end once', () => {
  const [sender, receiver] = pairOfSessions();
  const pool = new PacketPool({ capacity: 1 });
  const built = pool.acquire();
  pool.close();
  pool[Symbol.dispose]();
  fails('CLOSED', () => pool.acquire());
  fails('CLOSED', () => pool.stats());
  built.build(sender, hello);
  assert.equal(receiver.open(built.data()).events.length, 1);
  built.close();
  built.close();
  for (const call of [() => built.build(sender, hello), () => built.data(), () => built.set(null)])
    fails('CLOSED', call);
  sender.close();
  fails('CLOSED', () => new PacketPool().acquire().build(sender, hello));
});
