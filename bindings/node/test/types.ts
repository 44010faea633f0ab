// SPDX-License-Identifier: MIT

// Compiled, never run: every export is used as it may be, and misused as it may not.

import * as keep from 'libkeep';

const numbers: number[] = [
  keep.VERSION_MAJOR,
  keep.VERSION_MINOR,
  keep.VERSION_PATCH,
  keep.VERSION_NUMBER,
  keep.MAX_SECRET_LEN,
  keep.MAX_SECRETS,
  keep.MAX_TIERS,
  keep.MIN_SLOT_LEN,
  keep.MAX_SLOT_LEN,
  keep.MAX_BATCH,
  keep.MAX_HOT_CACHE,
  keep.MAX_POOL_BYTES,
  keep.SEALED_OVERHEAD,
  keep.WAIT_FOREVER,
  keep.PACKET_HEADER_LEN,
  keep.PACKET_TAG_LEN,
  keep.PACKET_OVERHEAD_LEN,
  keep.MAX_PACKET_LEN,
  keep.MAX_PAYLOAD_LEN,
  keep.MAX_EVENT_LEN,
  keep.MAX_PACKET_EVENTS,
  keep.MAX_PACKET_SLOTS,
  keep.MAX_PACKET_POOLS,
  keep.DEFAULT_PACKET_SLOTS,
  keep.HANDSHAKE_KEY_LEN,
  keep.MAX_PROLOGUE_LEN,
  keep.BEAT_LEN,
  keep.BEAT_SHARED_LEN,
  keep.BEAT_MASTER_LEN,
  keep.MAX_AGENTS,
  keep.DEFAULT_AGENTS,
  keep.PID_UNKNOWN,
  keep.MAX_LISTENERS,
  keep.MAX_BEAT_KEYS,
  keep.MAX_ALLOWED_UIDS,
  keep.MAX_SEALED_SENDERS,
];
const unlimited: bigint = keep.UNLIMITED;
const text: string = keep.version();

const backing: keep.Backing = keep.Backing.LOCKED;
const lockPolicy: keep.LockPolicy = keep.LockPolicy.ALLOW_UNLOCKED;
const kind: keep.Kind = keep.Kind.GUARDED;
const flags: number = keep.Acquire.FALLBACK | keep.Harden.NO_CORE | keep.Check.LOCKED;
const layer: keep.Layer = keep.Layer.ERRNO;
const pattern: keep.CorePattern = keep.CorePattern.PIPE;
// @ts-expect-error a backing is one of three numbers
const noBacking: keep.Backing = 3;
// @ts-expect-error enums are frozen
keep.Kind.SLOT = 1;

async function pools(): Promise<keep.Secret> {
  const pool = new keep.Pool({ tierLen: [32], tierSlots: [4], tierMaxSlots: [4], maxBytes: 1n << 20n, backing });
  new keep.Pool({ lockPolicy, hotCache: 4, resplitViews: 256 });
  // @ts-expect-error 64-bit numbers are bigints
  new keep.Pool({ maxBytes: 1 << 20 });
  // @ts-expect-error no such option
  new keep.Pool({ tiers: [32] });
  const secret: keep.Secret = keep.Pool.default({}).acquire(32, { guarded: true, align16: true, resident: true });
  // @ts-expect-error only the async form waits
  pool.acquire(32, { timeoutMs: 5 });
  const many: keep.Secret[] = pool.acquireMany(32, 4);
  pool.reserve(32, 4);
  const bytes: bigint = pool.trim();
  const inUse: bigint = pool.stats().tiers[0].inUse + pool.stats().lockedBytes + bytes;
  keep.Secret.closeMany([...many, secret]);
  pool[Symbol.dispose]();
  return inUse > unlimited ? secret : pool.acquireAsync(32, { timeoutMs: keep.WAIT_FOREVER, fallback: true });
}

function secrets(pool: keep.Pool, bytes: Uint8Array): keep.Secret {
  const secret = keep.Secret.generate(32, { pool });
  // @ts-expect-error secrets come from static methods
  new keep.Secret();
  // @ts-expect-error text is not bytes
  keep.Secret.fromBytes('text');
  // @ts-expect-error only memory of the caller's own can be taken
  keep.Secret.takeBytes(secret);
  keep.Secret.fromBytes(secret).put(0, keep.Secret.takeBytes(bytes, { pool }));
  const first: number = secret.read((copy: Buffer) => copy[0]);
  secret.write((copy) => copy.fill(first));
  // @ts-expect-error a window ends when the function returns
  secret.read(async (copy) => copy[0]);
  const out: Buffer = secret.get(0, secret.length);
  const written: number = secret.getInto(out, 0) + secret.revealInto(secret.reveal());
  const isEqual: boolean = secret.equal(secret.duplicate()) && secret.equalBytes(bytes);
  // @ts-expect-error bytes are compared by equalBytes
  secret.equal(bytes);
  // @ts-expect-error a length cannot be set
  secret.length = 3;
  const len: bigint = secret.info().len;
  secret.randomize();
  secret.clear();
  secret.resize(isEqual ? written : Number(len));
  secret.freeze();
  secret.melt();
  return secret;
}

async function sealed(pool: keep.Pool, bytes: keep.Bytes): Promise<string> {
  const one = new keep.Sealed(bytes, { pool, type: kind });
  const two = keep.Sealed.take(Buffer.alloc(8), { type: 1 });
  const three = keep.Sealed.fromSecret(one.open({ fallback: true }), { type: layer });
  // @ts-expect-error a secret's own pool is taken
  keep.Sealed.fromSecret(one.open(), { pool });
  const len: number = three.openInto(await two.openAsync({ timeoutMs: 5 }));
  const info: keep.SealedInfo = one.info();
  one.close();
  return `${one} ${info.id} ${len}`;
}

function session(txKey: keep.Secret, pool: keep.Pool): keep.Session {
  new keep.Session({ txKey, pool, window: 1024, aead: keep.Aead.OPENSSL, maxFailedOpens: 1n, firstCounter: 2n });
  // @ts-expect-error identifiers are bigints
  new keep.Session({ txKey, sessionId: 1 });
  // @ts-expect-error keys are secrets
  new keep.Session({ rxKey: Buffer.alloc(32) });
  // @ts-expect-error there are four back ends
  new keep.Session({ txKey, aead: 4 });
  return new keep.Session({ rxKey: txKey, sessionId: 1n });
}

function sealing(sender: keep.Session, secret: keep.Secret, out: Buffer): number {
  const flags: number = keep.PacketFlags.RELIABLE | keep.PacketFlags.FIN;
  const settings: keep.PacketSettings = { originHash: 1n, subnetId: 2, channelHash: 3, priority: 4, hopTtl: 5 };
  const datagram: Buffer = sender.seal([out, secret], { streamId: 1n, sequence: 2n, flags, settings });
  // @ts-expect-error events come in an array
  sender.seal(out);
  // @ts-expect-error no such option
  sender.seal([out], { stream: 1n });
  // @ts-expect-error a heartbeat has no events
  sender.heartbeat([out]);
  const requests: keep.PacketRequest[] = [{ kind: keep.PacketKind.HEARTBEAT }, { events: [out], subprotocolId: 1 }];
  const { data, offsets, statuses }: keep.SealedBatch = sender.sealBatch(requests);
  const ends = Uint32Array.of(1, 2);
  const sealed: number = sender.sealPacked(data, ends, 1n, 0n, flags, out, offsets, statuses);
  return sealed + sender.sealInto(out, [datagram]) + sender.heartbeatInto(out) + sender.heartbeat().length;
}

function opening(receiver: keep.Session, datagram: Buffer): bigint {
  const { events, info }: keep.Opened = receiver.open(datagram);
  // @ts-expect-error events are not replaced
  events[0] = datagram;
  // @ts-expect-error what is tried may be null
  receiver.tryOpen(datagram).events;
  const tried: keep.Opened | null = receiver.tryOpen(datagram);
  const spans = new Uint32Array(2 * keep.MAX_PACKET_EVENTS);
  const len: number = receiver.openInto(datagram.subarray(keep.PACKET_HEADER_LEN), datagram, spans);
  const [item] = receiver.openBatch([datagram, keep.Secret.fromBytes(datagram)]);
  // @ts-expect-error a packet that was refused has no header
  item.info.counter;
  const counter: bigint = item.status === keep.Status.OK ? item.info.counter : BigInt(item.events.length);
  const statuses = new Uint8Array(1);
  const opened: number = receiver.openPacked(datagram, spans, datagram, spans, spans, statuses);
  const total = len + opened + receiver.tryOpenInto(datagram, datagram) + (tried?.events.length ?? 0);
  const kind: keep.PacketKind = info.kind;
  const { highestCounter, confirmed }: keep.SessionStats = receiver.stats();
  return counter + BigInt(total + kind) + (confirmed ? (highestCounter ?? 0n) : 0n);
}

function packets(sender: keep.Session): Buffer {
  const pool = new keep.PacketPool({ capacity: 4, settings: { hopTtl: 1 } });
  // @ts-expect-error packets come from pools
  new keep.Packet();
  const packet: keep.Packet = pool.acquire();
  packet.set({ priority: 1 });
  packet.set(null);
  packet.build(sender, [Buffer.alloc(1)], { flags: 1 });
  packet.build(null, [Buffer.alloc(1)], { kind: keep.PacketKind.HANDSHAKE });
  // @ts-expect-error a session, or null
  packet.build(undefined, []);
  const stats: keep.PacketPoolStats = pool.stats();
  packet[Symbol.dispose]();
  return stats.inUse > 0n ? packet.data() : keep.packet.handshakeFrame(packet.data());
}

function handshake(staticKey: keep.Secret): keep.Session {
  const options = { pattern: keep.Noise.IKPSK2, role: keep.Role.INITIATOR, staticKey, preSharedKey: staticKey };
  const remoteStatic: Buffer = keep.Handshake.publicKey(staticKey);
  // @ts-expect-error a static key is required
  new keep.Handshake({ pattern: keep.Noise.XXPSK3, role: keep.Role.RESPONDER, preSharedKey: staticKey });
  const one = new keep.Handshake({ ...options, remoteStatic, prologue: Buffer.alloc(1), ephemeralKey: staticKey });
  const message: Buffer = one.write();
  const len: number = one.writeInto(message, staticKey) + one.readInto(message, one.read(message));
  const { state, hash }: keep.HandshakeInfo = one.info();
  // @ts-expect-error there is no hash before the end
  hash.length;
  const isDone: boolean = state === keep.HandshakeState.DONE && len > 0;
  return isDone ? one.session({ window: 1024 }) : one.session();
}

function withoutSession(datagram: Buffer): keep.AeadReport {
  const info: keep.PacketInfo = keep.packet.parse(datagram);
  const len: number = keep.packet.measure([datagram]) + keep.packet.maxEvents(info.payloadLen);
  keep.packet.handshakeFrameInto(datagram, datagram.subarray(len));
  // @ts-expect-error AUTO is none of them
  keep.packet.aeadReport(keep.Aead.AUTO);
  const report = keep.packet.aeadReport(keep.Aead.IPSEC_MB);
  const state: keep.AeadState = report.state;
  return state === keep.AeadState.USABLE ? report : keep.packet.aeadReport(keep.Aead.SODIUM);
}

function process(): Buffer {
  const windows: bigint = keep.memory.purge();
  const hardened: keep.HardenReport = keep.memory.harden(keep.Harden.RECOMMENDED);
  const report: keep.MemoryReport = keep.memory.report({ backing });
  const answer: Buffer = keep.memory.knownAnswer('sealed.aad', Buffer.alloc(28));
  keep.memory.knownAnswerInto(answer, 'sealed.aad', answer);
  return report.pageSize + windows > 0n && hardened.error[0] === flags ? answer : Buffer.from(text);
}

function errors(error: unknown): keep.KeepErrorCode | undefined {
  // @ts-expect-error only libkeep makes them
  new keep.KeepError();
  if (!(error instanceof keep.KeepError)) return undefined;
  // @ts-expect-error no such code
  if (error.code === 'ERR_KEEP_NO_SUCH') return undefined;
  const all: [number, string, number | undefined, keep.Layer, bigint, string, readonly bigint[]] = [
    error.status,
    error.op,
    error.needed,
    error.layer,
    error.layerCode,
    error.reason,
    error.values,
  ];
  return all.length > 0 && error.code === 'ERR_KEEP_BUSY' ? error.code : undefined;
}

const policy: keep.EvictionPolicy = keep.EvictionPolicy.BALANCED;
const verdicts: keep.Verdict[] = [keep.Verdict.INSERTED, keep.Verdict.CAPACITY_EXCEEDED];
// @ts-expect-error a health is one of three numbers
const noHealth: keep.Health = 3;

function ledgers(now: bigint): keep.Agent {
  const tracker = new keep.Tracker({ capacity: 4, policy, statistics: true, hashKey: Buffer.alloc(16) });
  new keep.Tracker({ misses: 2, thresholdNs: 1n, graceNs: 1n, maxGapNs: keep.TIME_NEVER });
  // @ts-expect-error times are bigints
  new keep.Tracker({ thresholdNs: 5 });
  const sighting: keep.Sighting = { pid: 5, nonce: 1n, origin: keep.Origin.KERNEL, health: keep.Health.OK };
  const flags: number = keep.AdmissionFlags.EVICTED | tracker.record(sighting, now).flags;
  // @ts-expect-error who beat has to be said
  tracker.record({ nonce: 1n }, now);
  const unnumbered = { ...sighting, flags: keep.SightingFlags.UNNUMBERED };
  const admissions: keep.Admission[] = tracker.recordBatch([sighting, unnumbered], now);
  const alarms: keep.Alarm[] = tracker.drain(now, flags);
  const evicted: number = tracker.put(5, tracker.nextDeadline(), { misses: 2, unarmed: true });
  tracker.delete(evicted, keep.DeleteReason.OPERATOR, now);
  const stats: keep.TrackerStats = tracker.stats();
  const agent = tracker.get(alarms[0].pid, stats.outageNs);
  // @ts-expect-error what is told is frozen
  agent.pid = 5;
  if (admissions[0].verdict === verdicts[0] && agent.state === keep.AgentState.STALLED) return agent;
  return tracker.list()[0];
}

async function observers(tracker: keep.Tracker, secret: keep.Secret): Promise<keep.Event> {
  const observer = new keep.Observer(tracker, { uids: [0], clock: keep.Clock.BOOTTIME, sessionGapNs: 1n });
  // @ts-expect-error an observer has a tracker
  new keep.Observer();
  observer.listen({ path: '@beats', mode: 0o660 });
  observer.listen({ address: '127.0.0.1', port: 5, sealed: true, attested: true });
  observer.addKey(secret, keep.BeatMode.MASTER);
  const marks = keep.DatagramMarks.ATTESTED;
  const fed: keep.Event[] = observer.feed([{ source: keep.DatagramSource.UDP, data: secret, marks }], 1n, 5);
  observer.on('stall', (event) => event.silenceNs).on('error', (error) => error.code);
  // @ts-expect-error no such event
  observer.on('stalled', () => {});
  observer.start().once('decodeError', (event) => event.detail === keep.Fault.BAD_CRC);
  observer.stop().off('stall', () => {});
  const { signal } = new AbortController();
  const waited: keep.Event[] = await observer.wait({ timeoutMs: 5, signal });
  const numbers: keep.ObserverStats = observer.stats();
  const len: number = observer.metricsInto(Buffer.from(observer.metrics()));
  for await (const event of observer) if (event.kind === keep.EventKind.STALL) return event;
  await observer[Symbol.asyncDispose]();
  return numbers.datagrams > BigInt(len) ? fed[0] : (waited[0] ?? observer.poll(1)[0]);
}

function beacons(master: keep.Secret): keep.Outcome {
  const key: keep.Secret = keep.Beacon.agentKey(master, 5);
  const beacon = new keep.Beacon({ path: '@beats', reconnectAfter: 0, forkRefresh: true });
  new keep.Beacon({ host: '::1', port: 5, mode: keep.BeatMode.SHARED, key });
  // @ts-expect-error a key is a secret
  new keep.Beacon({ path: '@beats', key: Buffer.alloc(32) });
  beacon.arm({ signals: keep.Arm.SIGNALS === 1 });
  beacon.crashOnException(1);
  beacon.crash();
  const timer: keep.BeatTimer = beacon.every(1000, { thresholdNs: 3_000_000_000n });
  timer.stop();
  timer[Symbol.dispose]();
  beacon.register().nonce.toString();
  beacon.reconnect();
  beacon.restart();
  const detached = new keep.Beacon({ agentPid: 5, startNonce: 1n });
  const frame: Buffer = detached.prepare(keep.Health.OK, 0, 1n);
  const len: number = detached.prepareInto(frame, keep.Health.CRITICAL, 0, 2n);
  const outcome = detached.commit(len);
  if (outcome.kind === keep.OutcomeKind.SENT && outcome.action === keep.OutcomeAction.NONE) return beacon.goodbye();
  return beacon.beat(keep.Health.DEGRADED, 5);
}

const answer: Buffer = keep.tracker.knownAnswer('crc32c', Buffer.alloc(1));
keep.tracker.knownAnswerInto(answer, 'crc32c', answer);

export {
  beacons,
  errors,
  handshake,
  ledgers,
  noBacking,
  noHealth,
  numbers,
  observers,
  opening,
  packets,
  pattern,
  pools,
  process,
  sealed,
  sealing,
  secrets,
  session,
  withoutSession,
};
