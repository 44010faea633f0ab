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

export { beacons, errors, ledgers, noBacking, noHealth, numbers, observers, pattern, pools, process, sealed, secrets };
